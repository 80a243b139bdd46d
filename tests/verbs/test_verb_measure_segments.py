"""`churnml measure segments` on the Complete Journey: what it tells, and that its sums agree."""

import json
import shutil
from collections import Counter

import pytest

from churnml.verbs.session import Session
from command import churnml
from journeys import copied
from small import Tiny

OWN = """
groups: {most: 3, draws: 5}
segments:
  - name: regulars
    label: {en: Regulars, zh: 常客}
    query: "orders >= 50 AND band = 'low'"
"""


@pytest.fixture(scope="module")
def own(journey, tmp_path_factory):
    """Return a copy of the journey with a segment of its own."""
    copy = copied(journey, tmp_path_factory.mktemp("segments"))
    text = (copy.configs / "measure.yaml").read_text().partition("groups:  ")[0]
    (copy.configs / "measure.yaml").write_text(text + OWN)
    return copy


@pytest.fixture(scope="module")
def said(own):
    said = own.churnml("measure segments", "--json")
    assert said.code == 0, said.err
    return {one["name"]: one for one in said.body["measures"]} | {"base": said.body["base"]}


def test_customers_of_every_grouping_are_the_base(said):
    groupings = [one for name, one in said.items() if name != "base" and "customers" in one["columns"] and one["rows"]]
    assert len(groupings) >= 4
    assert {sum(row["customers"] for row in one["rows"]) for one in groupings} == {said["base"]}


def test_champions_are_worth_more_than_the_lost(said):
    revenue = {row["segment"]: row["revenue"] / row["customers"] for row in said["segments_rfm"]["rows"]}
    assert revenue["champions"] > 5 * revenue["lost"]


def test_cells_of_value_and_risk_are_those_of_the_records(said):
    churn = {row["segment"]: row["churn_probability"] for row in said["segments_value_risk"]["rows"]}
    assert churn["low_value_high_risk"] > churn["low_value_medium_risk"] > churn["low_value_low_risk"]


def test_who_meets_a_condition_of_ones_own_is_told_from_the_others(said):
    rows = {row["segment"]: row for row in said["segments_regulars"]["rows"]}
    assert said["segments_regulars"]["title"]["zh"] == "常客"
    assert rows["in"]["orders"] / rows["in"]["customers"] >= 50


def test_groups_are_kept_in_the_workspace_and_come_again(own, said):
    kept = json.loads((own.workspace.root / "measures" / "clusters.json").read_text())
    again = own.churnml("measure segments", "--json")
    assert again.body["measures"] == [one for name, one in said.items() if name != "base"]
    assert set(kept) == {"behaviour", "interests", "digest"}
    stable = {side for side in ("behaviour", "interests") if kept[side]["ids"]}
    assert {f"segments_{side}" for side in stable} == {"segments_behaviour", "segments_interests"} & set(said)


def test_any_figure_can_be_told_apart_by_a_group(own, said):
    told = own.churnml("measure segments", "--by", "regulars", "--json")
    rfm = told.body["measures"][0]["rows"]
    assert {row["part"] for row in rfm} == {"in", "out"}
    assert sum(row["customers"] for row in rfm) == said["base"]


def test_an_unknown_by_is_told_the_segment_of_ones_own_that_comes_nearest(own):
    refused = own.churnml("measure rhythm", "--by", "regular")
    assert refused.code == 2
    assert "got 'regular'; did you mean `regulars`?" in refused.err.replace("\n", " ")


def test_moves_between_cells_of_value_and_risk_are_those_between_the_records_of_two_scorings(own):
    _scored_before(own, "2017-10-01")
    told = own.churnml("measure segments", "--from", "2017-10-02", "--json").body
    (moves,) = (one for one in told["measures"] if one["name"] == "segments_migration_value_risk")
    session = Session.open(own.workspace.root, own.configs)
    runs = {run.summary["cutoff"][:10]: run.run_id for run in session.catalogue.runs("score")}
    cells = [
        {who: segment or rung for who, segment, rung in session.records.fields(runs[day], ("segment", "rung"))}
        for day in ("2017-10-01", "2018-01-01")
    ]
    by_hand = Counter((cells[0].get(who, "not_known_yet"), cells[1].get(who, "not_scored")) for who in cells[1])
    session.catalogue.engine.dispose()
    found = {(row["from_segment"], row["to_segment"]): row["customers"] for row in moves["rows"]}
    assert found == by_hand
    assert sum(found.values()) == told["base"]
    assert "scores of 2017-10-01 against 2018-01-01" in moves["remarks"][0]["en"]
    assert len({before for before, _ in found}) > 5


def _scored_before(own, cutoff):
    """Keep what an earlier scoring might have told: of all but every tenth, each in the cell of somebody else."""
    session = Session.open(own.workspace.root, own.configs)
    last = session.catalogue.runs("score")[-1]
    bodies = session.records.of_run(last.run_id)
    others = [bodies[-1], *bodies[:-1]]
    with session.running("score", "earlier") as run_id:
        moved = [
            body | {"run_id": run_id, "segment": other["segment"], "rung": other["rung"]}
            for place, (body, other) in enumerate(zip(bodies, others, strict=True))
            if place % 10
        ]
        session.records.write(run_id, moved)
        session.catalogue.finish(run_id, last.finished_at, last.summary | {"cutoff": f"{cutoff}T00:00:00+00:00"})
    session.catalogue.engine.dispose()


def test_groups_that_somebody_changed_are_refused(own, said):
    path = own.workspace.root / "measures" / "clusters.json"
    shutil.copy(path, path.with_suffix(".saved"))
    path.write_text(path.read_text().replace('"used": ', '"used": 1'))
    refused = own.churnml("measure segments")
    path.with_suffix(".saved").replace(path)
    assert refused.code == 4
    assert "must be as `churnml measure segments` wrote it" in refused.err


def test_a_query_that_is_no_condition_is_refused_by_name(tmp_path, journey):
    (tmp_path / "measure.yaml").write_text(OWN.replace("orders >= 50", "orders >= (SELECT 50)"))
    refused = journey.__class__(journey.workspace, tmp_path, {}).churnml("measure segments")
    assert refused.code == 2
    assert f"segment `regulars` in {tmp_path}/measure.yaml" in refused.err.replace("\n", "")
    assert "Measuring" not in refused.err


def test_without_orders_or_scores_what_is_known_is_told_and_what_is_missing_said(tmp_path):
    tiny = Tiny.make(tmp_path)
    tiny.land(
        customers="customer_id occurred_at region\nann 2021-01-01 north\nbob 2021-01-01 south",
        subscriptions="subscription_id customer_id occurred_at amount period\n1 ann 2021-02-01 9 month",
    )
    tiny.catalogue.engine.dispose()
    said = churnml("measure", "segments", "--workspace", tiny.workspace.root, "--configs", tmp_path, "--json")
    assert said.code == 0, said.err
    [region, moves] = said.body["measures"]
    assert [row["customers"] for row in region["rows"]] == [1, 1]
    missing = " ".join(remark["en"] for remark in region["remarks"])
    assert "nothing was scored" in missing
    assert "no `orders` have landed" in missing
    assert "Groups by behaviour: not told" in missing
    assert moves["rows"] == []
