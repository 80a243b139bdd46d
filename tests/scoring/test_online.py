"""A record from the raw history in a request is the record of the nightly run, field by field and bit for bit."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from churnml.config import MeasureConfig, ScoreConfig
from churnml.database.tables import records
from churnml.events import TABLES
from churnml.events.held_rows import held_store, repeated
from churnml.events.row_check import Door, check_row
from churnml.scoring.online import RUN, records_from_history
from churnml.service.champion import Scorer, Terms
from churnml.verbs.session import Session
from command import churnml
from raw_history import raw_history


def opened(workspace, configs):
    """Return a session, its champion as a service holds it, and the records of its last scores by customer."""
    session = Session.open(workspace, configs)
    score, measure = session.load("score", ScoreConfig), session.load("measure", MeasureConfig)
    terms = Terms(session.settings, score, measure, session.own_features, session.own_learners)
    run = session.catalogue.last_run("score")
    with session.catalogue.engine.connect() as connection:
        found = connection.execute(select(records.c.body).where(records.c.run_id == run.run_id)).scalars()
        night = {record["customer_id"]: record for record in map(json.loads, found)}
    return session, Scorer(session.workspace, session.catalogue.engine, terms).ready(), run, night


def some_of_each_rung(night, most):
    """Return some customers of each rung there is."""
    by_rung = {}
    for customer, record in sorted(night.items()):
        by_rung.setdefault(record["rung"], []).append(customer)
    return [customer for some in by_rung.values() for customer in some[:: max(len(some) // most, 1)]]


def from_history(session, ready, run, customer):
    zone, landed = session.settings.time_zone, max(session.store.landings.values())
    door, rows = Door(zone, session.settings.currency), raw_history(session.store, [customer])
    typed = {name: [check_row(TABLES[name], row, door, landed) for row in some] for name, some in rows.items()}
    kept = {name: repeated(TABLES[name], some)[0] for name, some in typed.items() if name != "consents"}
    store = held_store(kept, ready.tables, zone, landed, session.store.refusing)
    (record,) = records_from_history(ready.champion, store, session.cutoff(run.summary["cutoff"][:10]), ready.funnel, ready.asked)  # fmt: skip  # noqa: E501
    return json.loads(json.dumps(record))


def as_at_night(session, ready, run, night, customers):
    for customer in customers:
        expected = night[customer] | {"run_id": RUN}
        assert from_history(session, ready, run, customer) == expected


def test_a_record_from_raw_history_is_that_of_the_night_bit_for_bit(journey):
    session, ready, run, night = opened(journey.workspace.root, journey.configs)
    as_at_night(session, ready, run, night, some_of_each_rung(night, 12))
    session.catalogue.engine.dispose()


@pytest.mark.long
@pytest.mark.parametrize("variant", ["plain", "contractual"])
def test_it_is_so_of_every_rung_and_every_table_of_a_simulated_market(tmp_path, variant):
    where = ("--workspace", tmp_path / "work", "--configs", Path(__file__).parents[2] / "configs")
    steps = (("simulate", "--customers", 600, "--days", 400, "--seed", 3, "--variant", variant), ("train",), ("score",))
    for step in steps:
        assert churnml(*step, *where).code == 0
    session, ready, run, night = opened(tmp_path / "work", where[-1])
    as_at_night(session, ready, run, night, some_of_each_rung(night, 60))
    session.catalogue.engine.dispose()
