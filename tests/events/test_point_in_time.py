"""The wall: a fact is seen at a cutoff if it happened before it and was known by then, and not otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wall
import worlds
from churnml.events import history, outcome

often = settings(max_examples=60, derandomize=True, deadline=None)
# on the grid of the rows, so that rows on a window's very edge are common; beyond the world on both sides
quarters = st.integers(min_value=-8, max_value=(worlds.DAYS + 60) * 4)
cutoffs_of = st.lists(quarters.map(lambda quarter: worlds.instant(quarter / 4)), min_size=1, max_size=5)
blocks_of = st.sampled_from([1, 2, 8])
WANTED = {"orders": ("amount", "discount"), "contacts": ("arm",), "order_lines": (), "customers": ("region",)}


def in_blocks(store, count):
    """Return the same store, read in so many blocks."""
    return replace(store, blocks=count)


def blocks(store, count, cutoffs, wanted=WANTED):
    dealt = in_blocks(store, count)
    return [history(dealt, number, cutoffs, wanted) for number in range(count)]


def facts_of(blocks, table):
    """Return what the blocks hold of each customer: (event, known) pairs in order."""
    held = {}
    for block in blocks:
        facts = block.facts[table]
        known = facts.event_at if facts.known_at is None else facts.known_at
        pairs = np.stack([facts.event_at, known], axis=1).tolist()
        for who, start, end in zip(block.customer_ids, facts.offsets[:-1], facts.offsets[1:], strict=True):
            held[who] = [tuple(pair) for pair in pairs[start:end]]
    return held


@given(cutoffs_of, blocks_of)
@often
def test_history_holds_every_fact_known_by_the_last_cutoff_and_no_other(world, world_store, cutoffs, count):
    seen = facts_of(blocks(world_store, count, cutoffs), "orders")
    for customer in world["customers"]:
        rows = worlds.known(world["orders"], customer.customer_id, max(cutoffs))
        expected = sorted((row.event_at, row.known_at) for row in rows)
        assert sorted(seen[customer.customer_id]) == expected


@given(cutoffs_of, blocks_of)
@often
def test_facts_are_in_order_of_time_and_known_no_sooner_than_they_happened(world_store, cutoffs, count):
    for table in ("orders", "contacts"):
        for pairs in facts_of(blocks(world_store, count, cutoffs), table).values():
            events = [event for event, _ in pairs]
            assert events == sorted(events)
            assert all(known >= event for event, known in pairs)


@given(cutoffs_of, blocks_of)
@often
def test_known_by_shows_each_cutoff_what_was_known_then(world, world_store, cutoffs, count):
    first = min(cutoffs)
    then = [block.known_by(first) for block in blocks(world_store, count, cutoffs)]
    seen = facts_of(then, "contacts")
    for customer in world["customers"]:
        rows = worlds.known(world["contacts"], customer.customer_id, first)
        assert [event for event, _ in seen[customer.customer_id]] == sorted(row.event_at for row in rows)
    assert all(block.facts["contacts"].known_at is None for block in then)


@pytest.mark.parametrize("count", [1, 2, 8, 64])
def test_blocks_share_out_every_customer_once(world, world_store, count):
    ids = [one for block in blocks(world_store, count, [worlds.instant(50)]) for one in block.customer_ids]
    assert sorted(ids) == [row.customer_id for row in world["customers"]]


def test_a_row_keeps_its_columns_whatever_the_order_and_the_block(world, world_store):
    written = sorted(
        (row.customer_id, row.event_at, row.amount, row.cells["discount"] or "nan") for row in world["orders"]
    )
    for count in (1, 8):
        held = []
        for block in blocks(world_store, count, [worlds.instant(1000)]):
            facts = block.facts["orders"]
            columns = (facts.event_at, facts.columns["amount"], facts.columns["discount"] / 10_000)
            held += zip(block.customer_ids[facts.customer], *columns, strict=True)
        assert sorted((who, at, amount, f"{off:g}") for who, at, amount, off in held) == written


def test_texts_come_as_codes_into_words_and_empty_ones_as_none(world, world_store):
    regions = {}
    for block in blocks(world_store, 8, [worlds.instant(50)]):
        facts = block.facts["customers"]
        words = [*facts.words["region"], ""]
        regions |= {who: words[code] for who, code in zip(block.customer_ids, facts.columns["region"], strict=True)}
    assert regions == {row.customer_id: row.cells["region"] for row in world["customers"]}


def test_a_table_that_never_landed_is_absent(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        orders="customer_id occurred_at order_id amount\na 2020-01-02 o 1",
    )
    block = history(tiny.store, 0, [worlds.instant(50)], WANTED)
    assert set(block.facts) == {"customers", "orders"}


def test_the_second_clock_is_absent_where_nothing_was_ever_late(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        orders="customer_id occurred_at order_id amount\na 2020-01-02 o 1",
    )
    assert history(tiny.store, 0, [worlds.instant(50)], WANTED).facts["orders"].known_at is None


@given(st.lists(st.booleans(), min_size=150, max_size=150))
@settings(max_examples=20, derandomize=True, deadline=None)
def test_a_block_of_some_customers_holds_their_facts_only(world_store, chosen):
    chosen = np.array(chosen)
    (block,) = blocks(world_store, 1, [worlds.instant(60)])
    everyone, some = facts_of([block], "orders"), facts_of([block.only(chosen)], "orders")
    assert some == {who: everyone[who] for who in block.customer_ids[chosen]}


@given(cutoffs_of, st.integers(1, 90), blocks_of)
@often
def test_outcome_counts_what_happened_in_the_horizon_whenever_it_was_learned(world, world_store, cutoffs, days, count):
    dealt = in_blocks(world_store, count)
    parts = [outcome(dealt, number, cutoffs, days) for number in range(count)]
    names = ("orders", "revenue", "cost", "costed_revenue")
    for place, cutoff in enumerate(cutoffs):
        found = {}
        for part in parts:
            grid = np.stack([getattr(part, name)[place] for name in names], axis=1).tolist()
            found |= dict(zip(part.customer_ids, grid, strict=True))
        for customer in world["customers"][::7]:
            rows = worlds.within(world["orders"], customer.customer_id, cutoff, cutoff + days * 86_400_000_000)
            costed = [row for row in rows if row.cells["cost"]]
            assert found[customer.customer_id] == [
                len(wall.order_events([(row.event_at, row.amount) for row in rows], "UTC")),
                sum(row.amount for row in rows),
                sum(round(float(row.cells["cost"]) * 10_000) for row in costed),
                sum(row.amount for row in costed),
            ]


def test_orders_taken_back_on_their_day_are_no_order_of_the_horizon(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01\nb 2020-01-01",
        orders="""customer_id occurred_at         order_id amount
                  a           2020-02-02T09:00:00 o1       50
                  a           2020-02-02T18:00:00 o2       -50
                  b           2020-02-02T09:00:00 o3       50
                  b           2020-02-03T09:00:00 o4       -50""",
    )
    found = outcome(tiny.store, 0, [worlds.instant(31)], 30)  # 2020-02-01
    assert dict(zip(found.customer_ids, found.orders[0].tolist(), strict=True)) == {"a": 0, "b": 1}


def test_a_horizon_ends_at_local_midnight_on_a_day_of_23_hours(make_tiny):
    tiny = make_tiny(time_zone="Europe/Berlin")
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        orders="""customer_id occurred_at order_id amount
                  a 2020-03-28T23:59:59 before 1
                  a 2020-03-29T00:00:00 first 2
                  a 2020-03-29T23:59:59 last 4
                  a 2020-03-30T00:00:00 after 8""",
    )
    cutoff = tiny.store.span[0] + 1_000_000  # the midnight one second after the first order
    assert outcome(tiny.store, 0, [cutoff], 1).revenue.tolist() == [[60_000]]
