"""The wall against its definition: random worlds over all tables, read fast by us and slowly by `tests/wall.py`."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wall
import wall_worlds
from churnml.events import TABLES, Standing, current, history, met, outcome, standing
from churnml.features import build, catalogue
from churnml.labels import label_lag, origins, training_cutoffs
from landed_worlds import SEEDS, Landed
from wall import DAY, HOUR

TABLE_FACTS = {name: table.first_facts for name, table in TABLES.items()}
LATER_FACTS = {
    f"{table.name}.{fact}": (*table.key[:1], *{fact, time})
    for table in TABLES.values()
    for time, facts in table.later.items()
    for fact in facts
} | {f"{table.name}.{fact}": (*table.key[:1], fact) for table in TABLES.values() for fact in table.from_landing}
EVERYTHING = TABLE_FACTS | LATER_FACTS
OF_VERSIONS = [name for name in LATER_FACTS if TABLES[name.partition(".")[0]].versioned]
moments = st.tuples(
    st.integers(0, 10**4), st.sampled_from([0, 0, 0, 1, -1])
)  # which instant of a world, or just off it
some_moments = st.lists(moments, min_size=1, max_size=3)
a_world, any_world = st.sampled_from(SEEDS), st.integers(0, 10**6)
counts, shifts = st.sampled_from([1, 2]), st.sampled_from([0, 1])
ends = st.sampled_from([0, 1, 2])  # whether the cutoff, the end of the horizon or the label's lies on an instant
changes = st.sampled_from(["deleted", "changed", "added"])
often = settings(max_examples=16, derandomize=True, deadline=None)
oftener = settings(often, max_examples=40)
hundreds = settings(max_examples=300, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))


def told(block, name):
    """Return the facts of a block as the definition writes them: customer, time, values; in the order they stand."""
    if name not in block.facts:
        return []
    facts = block.facts[name]
    columns = [_values(facts, column) for column in EVERYTHING[name]]
    return list(zip(block.customer_ids[facts.customer], facts.event_at.tolist(), *columns, strict=True))


def _values(facts, column):
    words = facts.words.get(column)
    if words is not None:
        return [words[code] if code >= 0 else None for code in facts.columns[column]]
    return [None if value is None or value != value else value for value in facts.columns[column].tolist()]  # noqa: PLR0124 NaN


def blocks(store, cutoffs, count=1):
    dealt = replace(store, blocks=count)
    return [history(dealt, number, cutoffs, EVERYTHING) for number in range(count)]


def together(blocks, name):
    return sorted((fact for block in blocks for fact in told(block, name)), key=repr)


@lru_cache(maxsize=50_000)
def expected(one, name, cutoff):
    """Return what the definition says a cutoff sees; examples share worlds and instants, and it takes its time."""
    return wall.facts(one.kept, name, EVERYTHING[name], cutoff)


def by_customer(blocks, grid_of):
    """Return what a function says of each customer, block by block: their column of a grid, cutoff by cutoff."""
    return {
        who: column.tolist()
        for block in blocks
        for who, column in zip(block.customer_ids, np.asarray(grid_of(block)).T, strict=True)
    }


# What a cutoff sees


def each_cutoff_sees_what_the_definition_says(one, at, count):
    cutoffs = one.moments(at)
    found = blocks(one.store, cutoffs, count)
    for cutoff in cutoffs:
        then = [block.known_by(cutoff) for block in found]
        for name in EVERYTHING:
            assert together(then, name) == expected(one, name, cutoff), (name, cutoff)


@given(a_world, some_moments, counts)
@often
def test_each_cutoff_sees_every_fact_known_by_then_and_no_other(landed, seed, at, count):
    each_cutoff_sees_what_the_definition_says(landed(seed), at, count)


@given(a_world, some_moments)
@often
def test_nothing_beyond_the_last_cutoff_is_in_a_block_at_all(landed, seed, at):
    one = landed(seed)
    cutoffs = one.moments(at)
    (block,) = blocks(one.store, cutoffs)
    for name in EVERYTHING.keys() - {"customers", *OF_VERSIONS}:
        assert sorted(told(block, name), key=repr) == expected(one, name, max(cutoffs)), name


@given(a_world, moments)
@often
def test_of_the_later_facts_of_versions_none_is_in_a_block_that_no_cutoff_up_to_the_last_saw(landed, seed, at):
    one = landed(seed)
    (last,) = one.moments([at])
    (block,) = blocks(one.store, [last])
    for name in OF_VERSIONS:
        ever = {fact for cutoff in one.instants if cutoff <= last for fact in expected(one, name, cutoff)}
        assert set(told(block, name)) <= ever | set(expected(one, name, last)), name


@given(a_world, moments)
@often
def test_of_a_customer_no_version_is_in_a_block_that_was_learned_after_the_last_cutoff(landed, seed, at):
    one = landed(seed)
    (cutoff,) = one.moments([at])
    (block,) = blocks(one.store, [cutoff])
    known = set(block.customer_ids[met(block, [cutoff])[0]])
    versions = [fact for fact in told(block, "customers") if fact[0] in known]
    assert sorted(versions, key=repr) == expected(one, "customers", cutoff)


@given(a_world, moments)
@often
def test_no_contract_in_a_block_tells_of_a_version_or_an_end_beyond_the_last_cutoff(landed, seed, at):
    one = landed(seed)
    (cutoff,) = one.moments([at])
    (block,) = blocks(one.store, [cutoff])
    if block.contracts is not None:
        ends = block.contracts.ends[block.contracts.ends < np.iinfo(np.int64).max]
        assert len(block.contracts.ends) == len(expected(one, "subscriptions", cutoff))
        assert (ends < cutoff).all()


@given(a_world, some_moments, counts)
@often
def test_attributes_are_those_of_the_latest_version_known_at_the_cutoff(landed, seed, at, count):
    one = landed(seed)
    cutoffs = one.moments(at)
    for block in blocks(one.store, cutoffs, count):
        regions = [*_values(block.facts["customers"], "region"), "unmet"]
        for cutoff, rows in zip(cutoffs, current(block.facts["customers"], cutoffs), strict=True):
            known = [wall.attributes(one.kept, who, cutoff) for who in block.customer_ids]
            assert [regions[row] for row in rows] == [
                "unmet" if cells is None else cells.get("region") for cells in known
            ]


# Who counts


def everyone_stands_where_the_definition_puts_them(one, at, population_days, shift, count):
    zone, cutoffs = one.world.zone, one.moments(at, shift * population_days)
    found = by_customer(blocks(one.store, cutoffs, count), lambda b: standing(b, cutoffs, population_days, zone))
    assert found == {
        who: [wall.standing(one.kept, who, cutoff, population_days, zone) for cutoff in cutoffs]
        for who in one.world.customers
    }


@given(a_world, some_moments, st.integers(1, 30), shifts, counts)
@oftener
def test_everyone_stands_where_the_definition_puts_them(landed, seed, at, population_days, shift, count):
    everyone_stands_where_the_definition_puts_them(landed(seed), at, population_days, shift, count)


@given(a_world, some_moments)
@often
def test_a_contract_is_held_as_its_latest_known_version_says(landed, seed, at):
    one = landed(seed)
    cutoffs = one.moments(at)
    found = [block for block in blocks(one.store, cutoffs) if block.contracts is not None]
    held = by_customer(found, lambda block: block.contracts.held(cutoffs))
    refused = wall.refusing(one.kept)
    assert all(
        stands == [who not in refused and wall.holds_contract(one.kept, who, cutoff) for cutoff in cutoffs]
        for who, stands in held.items()
    )


# What came next


def outcomes_are_what_the_definition_says(one, at, horizon_days, lag, back, known):
    zone, (known_by,) = one.world.zone, one.moments([known], 60 * (back > 0))
    cutoffs = one.moments(at, -(0, horizon_days, horizon_days + lag)[back])
    found = outcome(one.store, 0, cutoffs, horizon_days, known_by, lag, grace_days=lag)
    for place, cutoff in enumerate(cutoffs):
        for who, customer in enumerate(found.customer_ids):
            slow = wall.outcome(one.kept, customer, cutoff, horizon_days, known_by, lag, zone)
            slow |= wall.contracts_outcome(one.kept, customer, cutoff, horizon_days, known_by, lag, zone)
            if "orders" not in one.store.tables:
                del slow[
                    "revenue"
                ]  # what contracts cost, of which tests/labels/test_contract_churn.py has the examples
            assert {name: getattr(found, name)[place, who] for name in slow} == slow


@given(a_world, some_moments, st.integers(1, 30), st.sampled_from([0, 1, 10]), ends, moments)
@settings(often, max_examples=40)
def test_outcomes_are_what_was_ordered_in_the_horizon_less_what_came_back(
    landed, seed, at, horizon_days, lag, back, known
):
    outcomes_are_what_the_definition_says(landed(seed), at, horizon_days, lag, back, known)


# Beyond either clock


def nothing_changes_if_what_lies_beyond_is(change, one, folder, at):
    cutoffs = one.moments([at], -5) + one.moments([at])
    other = Landed.land(folder, wall_worlds.beyond(one.world, one.kept, cutoffs[-1], change))
    zone, both = one.world.zone, (one.store, other)
    (here,), (there,) = (blocks(store, cutoffs) for store in both)
    stands = [by_customer([block], lambda b: standing(b, cutoffs, 10, zone)) for block in (here, there)]
    assert stands[0] == stands[1]
    for cutoff in cutoffs:
        for name in EVERYTHING.keys() - {"customers"}:
            assert told(here.known_by(cutoff), name) == told(there.known_by(cutoff), name), name
    features = catalogue(one.store.tables & other.tables)
    assert same(*(build(store, features, cutoffs, 10) for store in both))


def same(one, other):
    """Tell whether two feature tables are the same, bit for bit."""
    return (
        one.customer_ids.tolist() == other.customer_ids.tolist()
        and one.standing.tobytes() == other.standing.tobytes()
        and one.values.tobytes() == other.values.tobytes()
        and {name: column.tolist() for name, column in one.categories.items()}
        == {name: column.tolist() for name, column in other.categories.items()}
    )


@given(change=changes, seed=a_world, at=moments)
@settings(often, max_examples=5)
def test_what_lies_beyond_either_clock_changes_no_byte(landed, tmp_path_factory, change, seed, at):
    nothing_changes_if_what_lies_beyond_is(change, landed(seed), tmp_path_factory.mktemp("other"), at)


# A refusal acts at once


@given(a_world, some_moments)
@often
def test_of_those_who_refuse_profiling_a_block_holds_no_fact_and_no_contract(landed, seed, at):
    one = landed(seed)
    cutoffs = one.moments(at)
    (block,) = blocks(one.store, cutoffs)
    refused = wall.refusing(one.kept)
    seen = {who for name in EVERYTHING.keys() - {"customers"} for who, *_ in told(block, name)}
    if block.contracts is not None:
        seen |= set(block.customer_ids[block.contracts.versions.customer])
    assert not seen & refused
    assert refused == (set() if block.refused is None else set(block.customer_ids[block.refused]))


@given(a_world, moments)
@often
def test_a_row_of_one_who_refuses_is_that_of_one_who_never_did_anything(landed, seed, at):
    one = landed(seed)
    table = build(one.store, catalogue(one.store.tables), one.moments([at]), 10)
    refuses = np.isin(table.customer_ids.astype(str), sorted(wall.refusing(one.kept)))
    assert not (table.in_population & refuses).any()
    assert (table.standing[refuses] == Standing.NO_PROFILING).all()
    assert all(value is None for column in table.categories.values() for value in column[refuses])
    assert len({row.tobytes() for row in table.values[refuses]}) <= 1


# When a label is final

# nights in which an hour is left out: of the small ones in Berlin, the first of the day in Cairo and Santiago
CHANGES = {"Europe/Berlin": 1_711_846_800, "Africa/Cairo": 1_714_082_400, "America/Santiago": 1_725_768_000}
changes_of_clocks = st.sampled_from(sorted(CHANGES))
instants = st.builds(lambda day, quarter: day * DAY + quarter * HOUR // 4, st.integers(-40, 80), st.integers(-8, 8))


def final_at(cutoff, horizon_days, lag, zone):
    return wall.later(wall.later(cutoff, horizon_days, zone), lag, zone)


@given(changes_of_clocks, instants, st.integers(1, 60), st.integers(0, 30), st.integers(1, 20))
@settings(often, max_examples=300)
def test_no_training_cutoff_has_a_label_that_is_not_final(zone, since, horizon_days, lag, step_days):
    now = CHANGES[zone] * 1_000_000 + since
    spaced = {"step_days": step_days, "max_cutoffs": 12, "min_history_days": 30}
    found = training_cutoffs(0, now, horizon_days, **spaced, time_zone=zone, label_lag_days=lag)
    assert all(final_at(cutoff, horizon_days, lag, zone) <= now for cutoff in found)


@given(changes_of_clocks, instants, st.integers(1, 30), st.integers(0, 20), st.integers(1, 20))
@settings(often, max_examples=200)
def test_an_origin_is_taught_by_the_labels_that_are_final_when_it_is_judged(zone, since, horizon_days, lag, step):
    cutoffs = [wall.later(CHANGES[zone] * 1_000_000 + since, step * k, zone) for k in range(12)]
    found = {judge: teach for teach, judge in origins(cutoffs, horizon_days, 12, zone, lag)}
    for judge in cutoffs:
        assert found.get(judge, []) == [c for c in cutoffs if final_at(c, horizon_days, lag, zone) <= judge]


@given(a_world, st.integers(0, 60))
@often
def test_a_label_waits_for_returns_and_for_orders_that_come_late(landed, seed, return_window_days):
    one = landed(seed)
    late = sorted(
        row.told_at - row.event_at for row in one.kept if row.table == "orders" and row.told_at > row.event_at
    )
    window = return_window_days if any(row.table == "returns" for row in one.kept) else 0
    assert label_lag(one.store, return_window_days) == window + min(30, -(-_quantile(late, 95) // DAY))


def _quantile(values, percent):
    """Return a quantile by straight lines between the values, in whole microseconds; 0 of nothing."""
    place, rest = divmod((len(values) - 1) * percent, 100) if values else (0, 0)
    return values[place] + (values[place + 1] - values[place]) * rest // 100 if rest else (values or [0])[place]


# The same in worlds by the hundred


@pytest.mark.long
@given(any_world, some_moments, counts)
@hundreds
def test_each_cutoff_sees_what_the_definition_says_in_any_world(landed, seed, at, count):
    each_cutoff_sees_what_the_definition_says(landed(seed), at, count)


@pytest.mark.long
@given(any_world, some_moments, st.integers(1, 30), shifts, counts)
@hundreds
def test_everyone_stands_where_the_definition_puts_them_in_any_world(landed, seed, at, population_days, shift, count):
    everyone_stands_where_the_definition_puts_them(landed(seed), at, population_days, shift, count)


@pytest.mark.long
@given(any_world, some_moments, st.integers(1, 30), st.sampled_from([0, 1, 10]), ends, moments)
@hundreds
def test_outcomes_are_what_the_definition_says_in_any_world(landed, seed, at, horizon_days, lag, back, known):
    outcomes_are_what_the_definition_says(landed(seed), at, horizon_days, lag, back, known)


@pytest.mark.long
@given(change=changes, seed=any_world, at=moments)
@hundreds
def test_what_lies_beyond_either_clock_changes_no_byte_in_any_world(landed, tmp_path_factory, change, seed, at):
    nothing_changes_if_what_lies_beyond_is(change, landed(seed), tmp_path_factory.mktemp("other"), at)
