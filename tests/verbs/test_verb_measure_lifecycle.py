"""`churnml measure lifecycle`: what it tells of a few customers, the path it keeps, and that records say the same."""

from datetime import date

import pytest

from churnml.events.clock import midnight
from churnml.verbs.session import Session
from churnml.verbs.stages import stages_of_base
from journeys import Journey

ORDERS = "customer_id occurred_at order_id amount\n" + "\n".join(
    [f"anna 2020-{month:02}-05 a{month} 20" for month in range(1, 13)]
    + ["anna 2020-12-31 a13 20"]
    + [f"ben {day} {day} 20" for day in ("2020-01-10", "2020-02-09", "2020-03-10", "2020-04-08")]
)


@pytest.fixture
def shop(tiny):
    """Return a shop of three customers, one of whom never bought, whose figures are shown though they are so few."""
    tiny.land(customers="customer_id occurred_at\nanna 2020-01-02\nben 2020-01-02\ncleo 2020-12-01", orders=ORDERS)
    (tiny.folder / "measure.yaml").write_text("smallest_group: 1\n")
    return Journey(tiny.workspace, tiny.folder, {})


def rows(body, name):
    (found,) = (one for one in body["measures"] if one["name"] == name)
    return found["rows"]


def test_everybody_of_the_base_stands_in_one_stage_and_every_move_is_counted(shop):
    body = shop.churnml("measure lifecycle", "--from", "2020-02-01", "--to", "2021-01-01", "--json").body
    ends = {row["stage"]: row["end"] for row in rows(body, "lifecycle_flow")}
    assert {stage: count for stage, count in ends.items() if count} == {"prospect": 1, "mature": 1, "churned": 1}
    assert sum(ends.values()) == body["base"] == 3
    assert sum(row["customers"] for row in rows(body, "lifecycle_transitions")) == 11 + 11 + 1
    assert rows(body, "lifecycle_stages")[-7]["month"] == "2020-12-31"


def test_of_days_of_which_nothing_has_landed_nothing_is_told_or_kept(shop):
    said = shop.churnml("measure lifecycle", "--from", "2030-01-01", "--to", "2030-07-01").err.replace("\n", " ")
    assert "--from must lie on a day of which something has landed, the last of which is 2020-12-31" in said
    assert "no customer's path is kept yet" in shop.churnml("measure lifecycle", "--customer", "anna").err
    body = shop.churnml("measure lifecycle", "--from", "2020-10-01", "--to", "2030-07-01", "--json").body
    assert body["to"] == "2021-01-01"
    assert {one["end"] for one in body["measures"]} == {"2021-01-01"}
    assert "Asked for up to 2030-07-01, told up to 2020-12-31" in body["measures"][0]["remarks"][0]["en"]
    path = shop.churnml("measure lifecycle", "--customer", "anna", "--json").body["lifecycle_path"]
    assert path[-1]["last"] == "2020-12-31"


def test_the_path_of_one_customer_is_printed_with_its_dates(shop):
    shop.churnml("measure lifecycle", "--from", "2020-02-01", "--to", "2021-01-01", "--json")
    body = shop.churnml("measure lifecycle", "--customer", "ben", "--json").body
    assert [one["stage"] for one in body["lifecycle_path"]] == ["new", "mature", "declining", "churned"]
    assert "Feb 29, 2020" not in shop.churnml("measure lifecycle", "--customer", "cleo").err
    said = shop.churnml("measure lifecycle", "--customer", "ben", "--language", "zh").err
    assert said.startswith("2020年1月31日")
    assert said.endswith("已流失")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--customer", "anna"), "no customer's path is kept yet; run `churnml measure lifecycle` first"),
        (("--customer", "anna", "--by", "region"), "--by belongs to a call without --customer; leave it out"),
        (("--by", "shoe_size"), "--by must be one of"),
    ],
)
def test_what_cannot_be_told_is_said(shop, words, said):
    assert said in shop.churnml("measure lifecycle", *words).err


def test_between_two_days_of_a_month_stages_are_told_and_no_moves(shop):
    body = shop.churnml("measure lifecycle", "--from", "2020-05-02", "--to", "2020-05-20", "--json").body
    assert [one["name"] for one in body["measures"]] == ["lifecycle_flow", "lifecycle_stages"]
    assert "no whole period" in body["measures"][0]["remarks"][-1]["en"]


def test_records_and_measures_tell_the_same_stage(journey):
    session = Session.open(journey.workspace.root, journey.configs)
    told = stages_of_base(session, midnight(date(2018, 1, 1), "UTC")).set_index("customer_id")["stage"]
    found = session.records.get(list(told.index))
    assert {who: record["lifecycle_stage"] for who, record in found.items()} == told.to_dict()
    session.catalogue.engine.dispose()
