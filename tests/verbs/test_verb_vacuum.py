"""Old records go; what is served, what an effect is measured by, and every summary stays."""

import pytest

from churnml.database import Catalogue, Ledger, Records, Workspace, open_engine
from churnml.events.clock import DAY
from churnml.verbs.session import clock
from command import churnml
from ledgers import CUTOFF, some

OLD = 200
WHO = ("c0", "c1", "c2")


class Past:
    """A workspace with runs of some days ago, and what is kept of each."""

    def __init__(self, folder):
        (folder / "configs").mkdir()
        (folder / "configs" / "store.yaml").write_text("{keep_runs: 1, keep_days: 90}")
        self.where = ("--workspace", folder / "workspace", "--configs", folder / "configs")
        self.engine = open_engine(Workspace.open(folder / "workspace", create=True).database)
        self.catalogue, self.ledger = Catalogue(self.engine), Ledger(self.engine)

    def run(self, verb, days_ago, assigned=(), **summary):
        """Finish a run of three records, of which some customers are assigned a call."""
        now = clock() - days_ago * DAY
        run_id = self.catalogue.start(verb, "", now)
        Records(self.engine).write(run_id, [{"customer_id": one, "value_at_risk": 1.0} for one in WHO])
        if assigned:
            self.ledger.open(summary["campaign"], 10**9, now)
            wanted = [one for one in some(3) if one.customer_id in assigned]
            self.ledger.reserve(summary["campaign"], run_id, CUTOFF, wanted, now)
        self.catalogue.finish(run_id, now, summary)
        return run_id

    def kept(self, run_id):
        return [one["customer_id"] for one in Records(self.engine).of_run(run_id)]

    def vacuum(self, *words):
        done = churnml("vacuum", *self.where, "--json", *words)
        assert done.code == 0, done.err
        return done.body


@pytest.fixture
def past(either, tmp_path):
    past = Past(tmp_path)
    yield past
    past.engine.dispose()


def test_old_scores_go_young_ones_and_the_last_stay(past):
    old, young, last = (past.run("score", days) for days in (OLD, 30, 1))
    said = past.vacuum()
    assert [one["run_id"] for one in said["runs"]] == [old]
    assert (past.kept(old), past.kept(young), past.kept(last)) == ([], [*WHO], [*WHO])
    assert len(past.catalogue.runs("score")) == 3


def test_the_last_run_stays_however_old(past):
    last = past.run("score", OLD)
    assert past.vacuum()["records"] == 0
    assert past.kept(last) == [*WHO]


def test_a_dry_run_tells_the_same_and_removes_nothing(past):
    old, _ = past.run("score", OLD), past.run("score", 1)
    assert past.vacuum("--dry-run")["records"] == 3
    assert past.kept(old) == [*WHO]
    assert past.vacuum()["records"] == 3


def test_what_an_effect_is_measured_by_stays(past):
    first = past.run("assign", OLD + 2, ["c0"], campaign="spring", holdout_share=0.1)
    second = past.run("assign", OLD + 1, ["c1"], campaign="spring", holdout_share=0.1)
    past.run("assign", 1, ["c2"], campaign="autumn", holdout_share=0.1)
    past.vacuum()
    assert (past.kept(first), past.kept(second)) == ([*WHO], ["c1"])
    assert len(past.ledger.assigned("spring")) == 2


def test_the_scores_that_a_kept_assignment_rests_on_stay(past):
    rests_on, other = past.run("score", OLD + 1), past.run("score", OLD)
    past.run("score", 1)
    past.run("assign", OLD, ["c0"], campaign="spring", scored_by=rests_on)
    past.vacuum()
    assert (past.kept(rests_on), past.kept(other)) == ([*WHO], [])


def test_rows_set_aside_long_ago_go(past, tmp_path):
    aside = tmp_path / "workspace" / "quarantine" / "000001.jsonl"
    aside.write_text("{}")
    past.catalogue.land(1, clock() - 31 * DAY, [], {}, [])
    assert past.vacuum("--dry-run")["quarantined"] == ["000001.jsonl"]
    past.vacuum()
    assert not aside.exists()


def test_records_that_were_vacuumed_are_not_replayed(past):
    old, _ = past.run("score", OLD), past.run("score", 1)
    past.vacuum()
    said = churnml("replay", old, *past.where)
    assert (said.code, f"the records of run {old} were vacuumed" in said.err) == (2, True)
