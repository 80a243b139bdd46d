"""A decision record is made anew from the rows it was made from, bit for bit; what is not the same is named."""

import json

import pytest
from sqlalchemy import select, update

from churnml.database import Catalogue, open_engine
from churnml.database.fresh import refresh
from churnml.database.tables import records
from churnml.events.clock import DAY


@pytest.fixture
def engine(own_journey):
    engine = open_engine(own_journey.workspace.database)
    yield engine
    engine.dispose()


def run_of(engine, verb):
    return Catalogue(engine).last_run(verb).run_id


def planted(engine, run_id, **fields):
    """Change fields of a record of a run, as nothing of ours would, and return whose."""
    with engine.begin() as connection:
        query = select(records).where(records.c.run_id == run_id, records.c.value_at_risk.is_not(None))
        row = connection.execute(query.order_by(records.c.customer_id).limit(1)).one()
        body = json.dumps(json.loads(row.body) | fields)
        one = (records.c.run_id == run_id) & (records.c.customer_id == row.customer_id)
        connection.execute(update(records).where(one).values(body=body))
    return row.customer_id


def test_a_thousand_of_a_thousand_are_what_they_were_though_more_has_landed_and_settings_changed(own_journey, engine):
    late = own_journey.workspace.root.parent / "late.csv"
    with engine.connect() as connection:
        customer = connection.execute(select(records.c.customer_id).limit(1)).scalar_one()
    late.write_text(f"order_id,customer_id,occurred_at,amount\nlate,{customer},2017-06-01,999\n")
    assert own_journey.churnml(f"ingest {late} --table orders --backfill").code == 0
    (own_journey.configs / "score.yaml").write_text("{reasons: 1, discount_rate: 0.5}")
    done = own_journey.churnml("replay", run_of(engine, "score"), "--json")
    assert done.code == 0, done.err
    assert (done.body["compared"], done.body["equal"], done.body["differing"]) == (1_000, 1_000, [])


def test_a_record_that_is_not_what_it_was_is_found_and_its_fields_are_named(own_journey, engine):
    run_id = run_of(engine, "assign")
    whose = planted(engine, run_id, clv=1.5, propensity=0.123)
    done = own_journey.churnml("replay", run_id[:8], "--sample", 100_000, "--json")
    assert (done.code, done.body["differ"]) == (1, 1)
    found = done.body["differing"][0]
    assert found["customer_id"] == whose
    assert {"clv"} <= {one["field"] for one in found["fields"]} <= {"clv", "propensity"}


def test_a_run_of_an_earlier_version_says_why_it_cannot_be_made_anew(tiny, tmp_path):
    from command import churnml

    run_id = tiny.catalogue.start("score", "", DAY)
    tiny.catalogue.finish(run_id, DAY, {"cutoff": "2020-01-01T00:00:00+00:00"})
    said = churnml("replay", "--workspace", tiny.workspace.root, "--configs", tmp_path / "configs")
    assert (said.code, "must say what it was made from, and does not" in said.err) == (2, True)


@pytest.mark.parametrize(("words", "told"), [((), "nothing is scored yet"), (("abc",), "no run `abc` of `score`")])
def test_a_run_that_there_is_not_is_told(tiny, tmp_path, words, told):
    from command import churnml

    said = churnml("replay", *words, "--workspace", tiny.workspace.root, "--configs", tmp_path / "configs")
    assert (said.code, told in said.err) == (2, True)


def test_a_record_that_was_made_anew_since_is_held_against_what_the_run_itself_had_said(own_journey, engine):
    run_id = run_of(engine, "score")
    with engine.begin() as connection:
        query = select(records.c.body).where(records.c.run_id == run_id, records.c.value_at_risk.is_not(None))
        stands = json.loads(connection.execute(query.order_by(records.c.customer_id).limit(1)).scalar_one())
        later = stands | {"cutoff": "2030-01-01T00:00:00+00:00", "clv": 1.5}
        new = later | {"customer_id": "came later"}
        assert refresh(connection, run_id, [later, new], (), "2030-01-01T00:00:00+00:00") == 2
    done = own_journey.churnml("replay", run_id, "--sample", 100_000, "--json")
    assert done.code == 0, done.err
    assert done.body["differing"] == []
