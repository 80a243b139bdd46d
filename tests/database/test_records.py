"""Records are seen all at once when their run is done, and never of who refuses."""

from contextlib import suppress
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from churnml.database import Catalogue, Records, audit, open_engine
from churnml.database.audit import pseudonym
from churnml.database.lists import Wanted, list_page

_DURABILITY = {"sqlite": "PRAGMA synchronous", "postgresql": "SHOW synchronous_commit"}


@pytest.fixture
def records(tiny):
    return Records(tiny.catalogue.engine)


@pytest.fixture
def hasty(tiny):
    """Return the catalogue as another process has it that waits for nobody."""
    engine = open_engine(tiny.workspace.database, patience_seconds=0)
    yield Catalogue(engine)
    engine.dispose()


def body(customer_id, value=None, band="high", action=None):
    return {"customer_id": customer_id, "value_at_risk": value, "risk_band": band, "action": action, "note": "é好"}


@pytest.fixture
def fill(tiny, records):
    """Write a run's records and finish it."""

    def fill(bodies, now=1, *, ok=True, verb="score"):
        run_id = tiny.catalogue.start(verb, "inputs", now)
        records.write(run_id, bodies)
        tiny.catalogue.finish(run_id, now, {}, ok=ok)
        return run_id

    return fill


def current(records):
    """Return every record of the run that is shown."""
    return records.of_run(records.current_run())


def listed(records):
    """Return who is on the list of the run that is shown."""
    with records.engine.connect() as connection:
        page = list_page(connection, records.current_run(), Wanted(), 10)
    return [one["customer_id"] for one in page.records]


def test_records_are_invisible_until_their_run_is_done(tiny, records):
    run_id = tiny.catalogue.start("score", "inputs", 1)
    assert records.write(run_id, [body("a", 1.0)]) == 1
    assert (records.current_run(), records.get(["a"])) == (None, {})
    tiny.catalogue.finish(run_id, 2, {})
    assert records.get(["a"]) == {"a": body("a", 1.0)}


def test_a_failed_run_leaves_the_records_of_the_run_before(records, fill):
    kept = fill([body("a", 1.0)], now=1)
    fill([body("a", 2.0)], now=2, ok=False)
    assert records.current_run() == kept
    assert current(records) == [body("a", 1.0)]


def test_a_run_that_failed_keeps_no_records(tiny, records, fill):
    assert records.of_run(fill([body("a", 2.0)], ok=False)) == []


def test_a_landing_need_not_wait_for_a_run_that_writes(tiny, records, hasty):
    def bodies():
        yield from (body(str(number), 1.0) for number in range(20_001))
        hasty.land(1, 99, [], {}, [])
        yield body("last", 1.0)

    assert records.write(tiny.catalogue.start("score", "inputs", 1), bodies()) == 20_002
    assert hasty.landed_at() == {1: 99}


def test_after_a_run_that_wrote_or_broke_off_what_is_acknowledged_is_flushed_again(tiny, records):
    for bodies in ([body("a", 1.0)], [body("b", float("nan"))]):
        with suppress(ValueError):
            records.write(tiny.catalogue.start("score", "inputs", 1), bodies)
        with records.engine.connect() as connection:
            assert connection.execute(text(_DURABILITY[records.engine.dialect.name])).scalar() in {2, "on"}


def test_who_refuses_while_a_run_works_is_blank_when_it_is_seen(tiny, records):
    run_id = tiny.catalogue.start("score", "inputs", 1)
    tiny.catalogue.land(1, 99, [], {}, [], {"a": True})
    records.write(run_id, [body("a", 1.0), body("b", 2.0)])
    tiny.catalogue.finish(run_id, 2, {})
    assert records.get(["a"])["a"] == body("a", None, None) | {"note": None, "rung": "no_profiling"}
    assert listed(records) == ["b"]


def test_a_refusal_blanks_every_run_and_nobody_else(tiny, records, fill):
    runs = [fill([body("a", 1.0), body("b", 2.0)], now) for now in (1, 2)]
    tiny.catalogue.land(1, 99, [], {}, [], {"a": True})
    found = [[one["value_at_risk"] for one in records.of_run(run_id)] for run_id in runs]
    assert found == [[None, 2.0], [None, 2.0]]


def test_a_refusal_that_comes_again_is_the_one_that_was_acknowledged(tiny):
    for batch in (1, 2):
        tiny.catalogue.land(batch, 99, [], {}, [], {"a": True})
    with tiny.catalogue.engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM refusals")).all() == [("a", 1)]


def test_a_refusal_taken_back_is_let_go(tiny):
    tiny.catalogue.land(1, 99, [], {}, [], {"a": True, "b": True})
    tiny.catalogue.land(2, 99, [], {}, [], {"a": False})
    assert tiny.catalogue.refusing() == {"b"}


def plan_of(engine, asked, **given):
    """Return how the database goes about a question, in its own words."""
    explain = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":  # which reads a table as small as ours whole
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        return "\n".join(str(row[-1]) for row in connection.execute(text(f"{explain} {asked}"), given))


def test_the_records_of_a_customer_are_found_without_looking_at_all(tiny):
    plan = plan_of(tiny.catalogue.engine, "SELECT body FROM records WHERE customer_id = 'a'")
    assert "records_by_customer" in plan


@pytest.mark.parametrize("by", ["value_at_risk", "conversion_probability"])
@pytest.mark.parametrize("after", ["{by} = 1.0 AND customer_id > 'a'", "{by} < 1.0", "{by} IS NOT NULL"])
def test_a_page_goes_straight_to_its_place_in_the_index_and_sorts_nothing(tiny, by, after):
    wanted = f"run_id = 'r' AND {by} IS NOT NULL AND {after.format(by=by)}"
    asked = f"SELECT body FROM records WHERE {wanted} ORDER BY {by} DESC, customer_id LIMIT 5"
    plan = plan_of(tiny.catalogue.engine, asked)
    assert {"value_at_risk": "records_by_value_at_risk", "conversion_probability": "records_by_conversion"}[by] in plan
    assert "SORT" not in plan.upper().replace("TEMP B-TREE", "SORT")


def test_a_later_run_takes_the_place_of_the_one_before_as_a_whole(records, fill):
    fill([body("a", 1.0), body("b", 1.0)], now=1)
    fill([body("b", 3.0)], now=2, verb="assign")
    assert current(records) == [body("b", 3.0)]


def test_writing_a_run_again_keeps_its_records_once(tiny, records):
    run_id = tiny.catalogue.start("score", "inputs", 1)
    for _ in range(2):
        records.write(run_id, (body(name, 1.0) for name in "ab"))
    tiny.catalogue.finish(run_id, 2, {})
    assert [one["customer_id"] for one in current(records)] == ["a", "b"]


def test_a_customer_outside_the_population_is_on_no_page(records, fill):
    fill([body("a", None), body("b", 1.0)])
    assert listed(records) == ["b"]
    assert set(records.get(["a", "b", "c"])) == {"a", "b"}


def test_fields_come_from_columns_and_from_bodies_alike(records, fill):
    run_id = fill([body("a", 2.0)])
    assert records.fields(run_id, ["risk_band", "value_at_risk"]) == [("a", "high", 2.0)]
    assert records.fields(run_id, ["note", "value_at_risk"]) == [("a", "é好", 2.0)]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_does_not_know_is_refused_and_a_word_that_looks_like_one_is_kept(records, fill, number):
    assert records.of_run(fill([body("NaN", 1.0, action="Infinity")])) == [body("NaN", 1.0, action="Infinity")]
    with pytest.raises(ValueError, match="JSON"):
        fill([body("a", number)])


def test_many_records_are_kept_each(records, fill):
    fill([body(f"{number:05}", float(number)) for number in range(20_001)])
    assert len(current(records)) == 20_001


def test_an_erasure_destroys_the_key_by_which_the_audit_log_names_the_customer(tiny):
    asking = SimpleNamespace(kind="person", name="ann")
    with tiny.catalogue.engine.begin() as connection:
        for customer in ("a", "b"):
            audit(connection, asking, "customer.viewed", {"customer_id": customer}, at=1)
    tiny.catalogue.rewrite({}, {}, ["b"])
    with tiny.catalogue.engine.connect() as connection:
        assert pseudonym(connection, "a", make=False)
        assert pseudonym(connection, "b", make=False) == ""
