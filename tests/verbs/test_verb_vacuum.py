"""Old records go; what is served, what an effect is measured by, and every summary stays."""

import os

import pytest
from sqlalchemy import insert, select

from churnml.database import Catalogue, Ledger, Records, Workspace, jobs, open_engine
from churnml.database.audit import entries
from churnml.database.tables_requests import requests
from churnml.events.clock import DAY
from churnml.verbs.session import clock
from command import churnml
from ledgers import CUTOFF, some
from new_database import new_workspace

OLD = 200
WHO = ("c0", "c1", "c2")


class Past:
    """A workspace with runs of some days ago, and what is kept of each."""

    def __init__(self, folder):
        (folder / "configs").mkdir()
        (folder / "configs" / "store.yaml").write_text("{keep_runs: 1, keep_days: 90}")
        self.where = ("--workspace", folder / "workspace", "--configs", folder / "configs")
        self.engine = open_engine(new_workspace(folder / "workspace").database)
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


def test_models_that_nothing_refers_to_go_but_the_latest_few(past, tmp_path):
    models = Workspace.open(tmp_path / "workspace").models
    for when, name in enumerate(("champion", *map(str, range(7)))):
        (models / name).mkdir(parents=True)
        os.utime(models / name, (when, when))
    past.catalogue.move_alias("champion", "champion", 1)
    assert past.vacuum()["models"] == ["0", "1"]
    assert sorted(path.name for path in models.iterdir()) == ["2", "3", "4", "5", "6", "champion"]


def test_jobs_that_ended_long_ago_go_with_their_logs_and_others_stay(past, tmp_path):
    logs = Workspace.open(tmp_path / "workspace").jobs
    logs.mkdir()
    with past.engine.begin() as connection:
        for days, verb in ((31, "train"), (29, "score")):
            job, _ = jobs.ask(connection, verb, {}, [verb], "crm", 1)
            jobs.end(connection, job.job_id, jobs.End("done", 0), clock() - days * DAY)
            (logs / f"{job.job_id}.log").write_text(verb)
    assert past.vacuum()["jobs"] == 1
    assert [path.read_text() for path in logs.iterdir()] == ["score"]


def test_answers_kept_for_requests_that_come_again_go_after_a_day(past):
    with past.engine.begin() as connection:
        for when, key in ((clock() - 2 * DAY, "old"), (clock(), "new")):
            connection.execute(insert(requests), {"caller": "c", "key": key, "digest": "", "asked_at": when})
    past.vacuum()
    with past.engine.connect() as connection:
        assert list(connection.execute(select(requests.c.key)).scalars()) == ["new"]


def test_the_audit_log_says_who_vacuumed(past):
    past.vacuum("--dry-run")
    past.vacuum()
    with past.engine.connect() as connection:
        assert [(one.kind, one.what) for one in entries(connection)] == [("command", "store.vacuumed")]
