"""Beside each record stands how likely the run before took its customer to leave; the record itself never says so."""

import json

import pytest
from sqlalchemy import select

from churnml.database import Catalogue, Records, open_engine
from churnml.database.comparison import compared_with
from churnml.database.fresh import refresh
from churnml.database.lists import Wanted, list_page
from churnml.database.records import blank
from churnml.database.tables import records as table


@pytest.fixture(params=["sqlite", "postgresql"])
def records(request, tmp_path):
    path = tmp_path / "runs.db"
    engine = open_engine(request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else path)
    yield Records(engine)
    engine.dispose()


def body(customer, chance, cutoff, horizon=60):
    told = {"customer_id": customer, "cutoff": cutoff, "horizon_days": horizon, "churn_probability": chance}
    return told | {"value_at_risk": chance, "reasons": []}


def run(records, cutoff, verb="score", now=2, horizon=60, **chances):
    """Write a finished run and return its id."""
    catalogue = Catalogue(records.engine)
    run_id = catalogue.start(verb, "inputs", 1)
    records.write(run_id, [body(one, chance, cutoff, horizon) for one, chance in chances.items()])
    catalogue.finish(run_id, now, {"cutoff": cutoff, "horizon_days": horizon})
    return run_id


def told(records, run_id, wanted=Wanted()):  # noqa: B008  # frozen
    with records.engine.connect() as connection:
        page = list_page(connection, run_id, wanted, 9)
    return {one["customer_id"]: one["churn_probability_change"] for one in page.records}


def test_a_record_is_compared_with_the_run_before_and_who_was_not_in_it_is_new(records):
    run(records, "2018-01-01", ann=0.25, bob=0.5)
    later = run(records, "2018-02-01", ann=0.75, bob=0.25, eve=0.5)
    assert told(records, later) == {"ann": 0.5, "bob": -0.25, "eve": None}


def test_runs_of_one_cutoff_are_compared_with_the_same_run(records):
    first = run(records, "2018-01-01T00:00:00+00:00", ann=0.25)
    run(records, "2018-02-01T00:00:00+00:00", now=3, ann=0.5)
    again = run(records, "2018-02-01T01:00:00+01:00", verb="assign", now=4, ann=0.75)
    with records.engine.connect() as connection:
        found = compared_with(connection, again)
    assert (found.run_id, found.cutoff) == (first, "2018-01-01T00:00:00+00:00")


def test_of_two_runs_of_the_cutoff_before_the_one_finished_last_counts(records):
    run(records, "2018-01-01", now=2, ann=0.25)
    run(records, "2018-01-01", now=3, ann=0.5)
    assert told(records, run(records, "2018-02-01", ann=0.75)) == {"ann": 0.25}


def test_a_run_that_looked_ahead_as_many_days_is_compared_with_alone(records):
    run(records, "2018-01-01", ann=0.25)
    run(records, "2018-01-15", horizon=30, ann=0.125)
    assert told(records, run(records, "2018-02-01", ann=0.75)) == {"ann": 0.5}


def test_the_first_run_is_compared_with_none(records):
    first = run(records, "2018-01-01", ann=0.25)
    with records.engine.connect() as connection:
        assert compared_with(connection, first) is None


@pytest.mark.parametrize(
    "wanted, kept",
    [({"change": (0.25, None)}, {"ann"}), ({"change": (None, 0.0)}, {"bob"}), ({"new": True}, {"eve"}),
     ({"new": False}, {"ann", "bob"})],
)  # fmt: skip
def test_the_list_is_kept_by_how_the_probability_changed(records, wanted, kept):
    run(records, "2018-01-01", ann=0.25, bob=0.5)
    later = run(records, "2018-02-01", ann=0.75, bob=0.25, eve=0.5)
    assert set(told(records, later, Wanted(**wanted))) == kept


def test_the_record_itself_does_not_say_it(records):
    run(records, "2018-01-01", ann=0.25)
    later = run(records, "2018-02-01", ann=0.75)
    assert records.of_run(later) == [body("ann", 0.75, "2018-02-01")]


def test_a_record_made_anew_is_compared_with_the_same_run(records):
    run(records, "2018-01-01", ann=0.25)
    later = run(records, "2018-02-01", ann=0.5)
    with records.engine.begin() as connection:
        at = "2018-02-02T00:00:00+00:00"
        refresh(connection, later, [body("ann", 0.75, at)], (), at)
    assert told(records, later) == {"ann": 0.5}


def test_of_who_refuses_to_be_profiled_nothing_stands_beside_the_record_either(records):
    run(records, "2018-01-01", ann=0.25)
    later = run(records, "2018-02-01", ann=0.75)
    columns = (table.c.probability_before, table.c.probability_change, table.c.body)
    with records.engine.begin() as connection:
        blank(connection, table.c.customer_id == "ann")
        before, change, told_still = connection.execute(select(*columns).where(table.c.run_id == later)).one()
    assert (before, change, json.loads(told_still)["churn_probability"]) == (None, None, None)
