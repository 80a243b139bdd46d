"""Whatever a list is sorted by, its pages hold everyone once, in one order, and go straight to their place."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event, inspect, text

from churnml.database import Catalogue, Records, open_engine
from churnml.database.cases import Wanted as Change
from churnml.database.cases import change_case
from churnml.database.lists import CLOSED, SORTS, Wanted, count, list_page
from churnml.database.tables_cases import case_changes, cases
from churnml.errors import TakenError
from churnml.policy import BECAUSE

FEW = st.one_of(st.none(), st.sampled_from([-1.5, 0.0, 0.25, 0.25000000000000006, 1e300]))
DAYS = st.one_of(st.none(), st.sampled_from(["2017-11-20T18:00:00+00:00", "2017-11-20T19:00:00+01:00", "2018-01-01"]))
PEOPLE = st.lists(st.fixed_dictionaries({
    "value_at_risk": FEW, "churn_probability": FEW, "clv": FEW, "expected_net_value": FEW, "last_order_on": DAYS,
    "churn_probability_change": st.none(),
    "risk_band": st.sampled_from(["high", "low"]), "arm": st.sampled_from([None, "treated", "control", "none"]),
    "no_action_because": st.sampled_from([None, "held_out", "limits"]),
}), max_size=14)  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def records(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("lists") / "lists.db"
    engine = open_engine(request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else path)
    yield Records(engine)
    engine.dispose()


def filled(records, people):
    """Write a run of people who are called by their place and return its id."""
    run_id = Catalogue(records.engine).start("score", "inputs", 1)
    records.write(run_id, [{"customer_id": f"{place:02}", "reasons": []} | one for place, one in enumerate(people)])
    return run_id


def walk(records, run_id, wanted, limit):
    """Return the customers of every page, one after the other."""
    seen, after = [], None
    with records.engine.connect() as connection:
        while True:
            page = list_page(connection, run_id, wanted, limit, after)
            assert len(page.records) <= limit
            seen += [one["customer_id"] for one in page.records]
            after = page.following
            if after is None:
                return seen


@settings(max_examples=40, deadline=None)
@given(people=PEOPLE, sort=st.sampled_from(SORTS), ascending=st.booleans(), limit=st.integers(1, 5), band=st.booleans())
def test_walking_any_list_meets_everyone_who_is_wanted_once(records, people, sort, ascending, limit, band):
    run_id = filled(records, people)
    wanted = Wanted(bands=("high",) if band else (), sort=sort, ascending=ascending)
    kept = [one for one in people if one["value_at_risk"] is not None and (not band or one["risk_band"] == "high")]
    seen = walk(records, run_id, wanted, limit)
    assert len(seen) == len(set(seen)) == len(kept)
    assert seen == walk(records, run_id, wanted, 100)


@settings(max_examples=20, deadline=None)
@given(people=PEOPLE, sort=st.sampled_from(SORTS))
def test_who_has_a_value_comes_first_and_ascending_is_the_reverse_of_descending(records, people, sort):
    run_id = filled(records, people)
    told = {f"{place:02}" for place, one in enumerate(people) if one[sort] is not None}
    down, up = (walk(records, run_id, Wanted(sort=sort, ascending=ascending), 3) for ascending in (False, True))
    first = [one for one in down if one in told]
    assert down[: len(first)] == first
    assert [one for one in up if one in told] == first[::-1]


def test_instants_are_sorted_as_instants_whatever_their_offset(records):
    days = ["2017-11-20T18:30:00+00:00", "2017-11-20T19:00:00+01:00", None, "2017-11-20T20:00:00+01:00"]
    run_id = filled(records, [{"value_at_risk": 1.0, "last_order_on": day} for day in days])
    assert walk(records, run_id, Wanted(sort="last_order_on"), 2) == ["03", "00", "01", "02"]


@pytest.mark.parametrize("name", ["reasons", "arms", "actions", "stages", "segments"])
def test_a_filter_keeps_only_what_it_names(records, name):
    people = [
        {"reasons": [{"group": word}], "arm": word, "action": word, "lifecycle_stage": word, "segment": word}
        for word in ("x", "y")
    ]
    run_id = filled(records, [one | {"value_at_risk": 1.0} for one in people])
    assert walk(records, run_id, Wanted(**{name: ("y",)}), 2) == ["01"]


@pytest.mark.parametrize("name", ["value_at_risk", "churn_probability"])
@pytest.mark.parametrize("ends, kept", [((2.0, None), "12"), ((None, 2.0), "01"), ((2.0, 2.0), "1"), ((3.5, None), "")])
def test_a_range_holds_both_its_ends(records, name, ends, kept):
    run_id = filled(records, [{"value_at_risk": one, "churn_probability": one} for one in (1.0, 2.0, 3.0)])
    assert walk(records, run_id, Wanted(**{name: ends}, ascending=True), 9) == [f"0{one}" for one in kept]


def test_whoever_may_be_approached_and_whoever_may_not_make_up_the_list(records):
    people = [("treated", None), ("control", None), ("none", "limits"), ("held_out", "held_out"), (None, None)]
    people += [("none", "no_consent")]
    run_id = filled(records, [{"value_at_risk": 1.0, "arm": a, "no_action_because": b} for a, b in people])
    assert walk(records, run_id, Wanted(contactable=True), 9) == ["00", "02"]
    assert walk(records, run_id, Wanted(contactable=False), 9) == ["01", "03", "04", "05"]


def held(records, who, owner, status="claimed"):
    with records.engine.begin() as connection:
        change_case(connection, who, Change({"owner": owner, "status": status}), "lead", 1)


@pytest.mark.parametrize(
    "wanted, kept",
    [
        ({"owners": ("li",)}, "0"),
        ({"owners": ("li", "mo")}, "01"),
        ({"unowned": True}, "23"),
        ({"statuses": ("claimed",)}, "0"),
        ({"statuses": ("open",)}, "3"),
        ({"statuses": ("open", "done"), "unowned": True}, "23"),
    ],
)
def test_the_list_is_kept_by_who_holds_a_case_and_how_it_stands(records, wanted, kept):
    run_id = filled(records, [{"value_at_risk": 1.0}] * 4)
    with records.engine.begin() as connection:
        connection.execute(delete(case_changes))
        connection.execute(delete(cases))
    for who, owner, status in (("00", "li", "claimed"), ("01", "mo", "waiting"), ("02", None, "done")):
        held(records, who, owner, status)
    assert walk(records, run_id, Wanted(**wanted), 2) == [f"0{one}" for one in kept]


@settings(max_examples=10, deadline=None)
@given(moves=st.lists(st.tuples(st.integers(0, 7), st.sampled_from(["li", "mo", None])), max_size=6))
def test_whose_case_stays_is_met_once_while_cases_of_others_change_hands(records, moves):
    run_id = filled(records, [{"value_at_risk": 1.0}] * 8)
    seen, after, left = [], None, list(moves)
    while after is not None or not seen:
        with records.engine.connect() as connection:
            page = list_page(connection, run_id, Wanted(), 2, after)
        seen += [one["customer_id"] for one in page.records]
        after = page.following
        if left:
            who, owner = left.pop()
            with records.engine.begin() as connection:
                wanted = Change({"owner": owner}, expected_owner=None, compares_owner=False)
                with suppress(TakenError):
                    change_case(connection, f"0{who}", wanted, "lead", 1)
        if after is None:
            break
    assert seen == [f"0{one}" for one in range(8)]


def test_every_reason_that_forbids_an_approach_is_one_that_records_give():
    assert set(CLOSED) <= set(BECAUSE)


def test_a_list_is_counted_as_it_is_walked(records):
    run_id = filled(records, [{"value_at_risk": one} for one in (1.0, None, 3.0)])
    with records.engine.connect() as connection:
        assert count(connection, run_id, Wanted()) == 2


@pytest.mark.parametrize("sort", [one for one in SORTS if one != "value_at_risk"])
@pytest.mark.parametrize("ascending", [False, True])
def test_each_page_of_each_sort_goes_straight_to_its_place_in_an_index(records, sort, ascending):
    if records.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL scans a table this small; the benchmark of the store walks a long one")
    asked = []
    event.listen(records.engine, "before_cursor_execute", lambda *told: asked.append(told[2:4]))
    with records.engine.connect() as connection:
        list_page(connection, "run", Wanted(sort=sort, ascending=ascending), 2, (0.5, "x"))
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all() for sql, values in asked[:2]]
    told = " ".join(str(step) for plan in plans for step in plan)
    assert told.count("USING INDEX records_sorted_by_") == 2
    assert "TEMP B-TREE" not in told


def test_records_of_before_are_listed_by_what_they_say(tmp_path):
    engine = open_engine(tmp_path / "old.db")
    run_id = filled(
        Records(engine), [{"value_at_risk": 1.0, "clv": clv, "reasons": [{"group": "x"}]} for clv in (2, 3)]
    )
    with engine.begin() as connection:
        for name in [one["name"] for one in inspect(engine).get_indexes("records") if "sorted_by" in one["name"]]:
            connection.execute(text(f"DROP INDEX {name}"))
        for name in (
            "clv", "expected_net_value", "last_order_at", "reason_group", "arm", "no_action_because",
            "probability_before", "probability_change",
        ):  # fmt: skip
            connection.execute(text(f"ALTER TABLE records DROP COLUMN {name}"))
        connection.execute(text("ALTER TABLE runs DROP COLUMN compared_with"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    engine.dispose()
    again = open_engine(tmp_path / "old.db")
    assert walk(Records(again), run_id, Wanted(sort="clv", reasons=("x",)), 1) == ["01", "00"]
    again.dispose()
