"""The wall at its corners, by worked examples: what is hidden, what came out of order, what changed hands."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from churnml.errors import UsageError
from churnml.events import current, history, outcome
from churnml.events.clock import DAY, microseconds
from small import NOW

SHOP = {
    "customers": "customer_id occurred_at region\nann 2020-01-01 north\nbob 2020-01-01 south",
    "orders": "customer_id occurred_at order_id amount\nann 2020-02-01 o1 10",
}
CONTRACT = "customer_id occurred_at subscription_id plan amount"
TOMORROW = NOW + DAY


def at(*when):
    """Return an instant in UTC."""
    return microseconds(datetime(*when, tzinfo=UTC))


@pytest.fixture
def shop(tiny):
    """A workspace with two customers and an order."""
    tiny.land(**SHOP)
    return tiny


def read(tiny, name, cutoff, *columns):
    """Return what is known of one table, or later fact, at a cutoff."""
    return history(tiny.store, 0, [cutoff], {name: columns}).facts[name].known_by(cutoff)


def region(tiny, cutoff):
    """Return the region of each customer as known at a cutoff."""
    block = history(tiny.store, 0, [cutoff], {"customers": ("region",)})
    facts = block.facts["customers"]
    codes = facts.columns["region"][current(facts, [cutoff])[0]]
    return dict(zip(block.customer_ids, [facts.words["region"][code] for code in codes], strict=True))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("tickets", "resolved_at"),
        ("surveys", "score"),
        ("subscriptions", "ended_at"),
        ("subscriptions", "renews_at"),
        ("orders", "ingested_at"),
    ],
)
def test_a_later_fact_or_the_second_clock_is_not_handed_out_with_the_row(shop, name, column):
    with pytest.raises(UsageError, match=f"found `{column}` asked for with `{name}`"):
        history(shop.store, 0, [NOW], {name: (column,)})


def test_a_later_fact_is_not_handed_out_with_another(shop):
    with pytest.raises(UsageError, match="found `reopened_at` asked for with `tickets`"):
        history(shop.store, 0, [NOW], {"tickets.resolved_at": ("reopened_at",)})


def test_a_score_told_after_the_answer_is_known_from_its_own_landing(shop):
    survey = "customer_id occurred_at survey_id instrument answered_at score\nann 2021-03-01 v1 csat 2021-03-02"
    shop.land(surveys=f"{survey} -")
    shop.land(TOMORROW, surveys=f"{survey} 5")
    found = [read(shop, "surveys.score", cutoff, "score").columns["score"].tolist() for cutoff in (NOW, TOMORROW)]
    assert found == [[], [5.0]]
    assert len(read(shop, "surveys.answered_at", TOMORROW).event_at) == 1


def test_a_version_learned_earlier_that_lands_later_is_still_the_earlier_one(tiny):
    told = "customer_id occurred_at ingested_at region\nann 2020-01-10"
    tiny.land(customers=f"{told} 2020-01-05 west", orders=SHOP["orders"])
    tiny.land(TOMORROW, customers=f"{told} 2020-01-01 north")
    assert region(tiny, at(2020, 6, 1)) == {"ann": "west"}


def test_an_attribute_learned_after_the_cutoff_is_not_in_the_block(shop):
    shop.land(TOMORROW, customers=SHOP["customers"].replace("north", "west"))
    facts = history(shop.store, 0, [NOW], {"customers": ("region",)}).facts["customers"]
    assert sorted(facts.words["region"][code] for code in facts.columns["region"]) == ["north", "south"]


@pytest.mark.parametrize("late", ["2020-02-02", "2020-05-01"])
def test_what_had_not_happened_by_then_teaches_nothing_whether_or_not_any_row_was_late(tiny, late):
    orders = f"customer_id occurred_at ingested_at order_id amount\nann 2020-02-02 {late} o1 1"
    orders += "\nann 2020-03-09 2020-03-09 o2 5"
    tiny.land(customers=SHOP["customers"], orders=orders)
    found = outcome(tiny.store, 0, [at(2020, 3, 1)], 30, known_by=at(2020, 3, 5))
    assert found.revenue.sum() == 0


def test_a_contract_is_held_still_at_the_instant_of_its_end_whatever_later_cutoffs_see(shop):
    shop.land(subscriptions=f"{CONTRACT} ended_at\nann 2020-01-01 s1 basic 10 2020-06-01")
    cutoffs = [at(2020, 6, 1), at(2020, 6, 1) + 1]
    block = history(shop.store, 0, cutoffs, {})
    assert block.contracts.held(cutoffs).any(axis=1).tolist() == [True, False]


# What an export says of the day it is written


def renewal(tiny, cutoff):
    """Return the renewals that are known at a cutoff, as days."""
    found = read(tiny, "subscriptions.renews_at", cutoff, "renews_at").columns["renews_at"]
    return [str(np.datetime64(int(one), "us"))[:10] for one in found]


def test_the_next_renewal_in_an_undated_export_is_known_from_its_landing_on(shop):
    shop.land(
        subscriptions=f"{CONTRACT} renews_at\nann 2020-01-01 s1 basic 10 2021-10-01\nbob 2020-01-01 s2 basic 10 -"
    )
    assert [renewal(shop, cutoff) for cutoff in (at(2021, 6, 1), NOW - 1, NOW)] == [[], [], ["2021-10-01"]]


@pytest.mark.parametrize(("told", "known"), [("2020-01-05", True), ("2020-01-01", False)])
def test_the_next_renewal_of_a_dated_row_is_known_from_its_date_unless_that_may_be_no_date_at_all(shop, told, known):
    row = f"ann 2020-01-01 s1 basic 10 {told} 2020-02-01"
    shop.land(subscriptions=f"{CONTRACT} ingested_at renews_at\n{row}")
    assert renewal(shop, at(2020, 1, 20)) == ["2020-02-01"] * known
    assert renewal(shop, NOW) == ["2020-02-01"]


def test_another_next_renewal_is_a_newer_version_and_the_older_is_forgotten(shop):
    for now, day in ((NOW, "2021-10-01"), (TOMORROW, "2021-11-01")):
        report = shop.land(now, subscriptions=f"{CONTRACT} renews_at\nann 2020-01-01 s1 basic 10 {day}").tables[0]
    assert (report.newer, report.quarantined) == (1, 0)
    assert [renewal(shop, cutoff) for cutoff in (TOMORROW - 1, TOMORROW)] == [["2021-10-01"], ["2021-11-01"]]


# What came again


def test_all_versions_of_a_contract_told_again_change_nothing(shop):
    versions = f"{CONTRACT}\nann 2020-01-01 s1 basic 10\nann 2021-01-01 s1 gold 20"
    shop.land(subscriptions=versions)
    report = shop.land(TOMORROW, subscriptions=f"{versions}\nbob 2021-03-01 s2 basic 10").tables[0]
    assert (report.landed, report.skipped, report.newer, report.quarantined) == (1, 2, 0, 0)


def test_a_new_contract_may_come_with_all_its_versions_in_a_later_landing_too(shop):
    shop.land(subscriptions=f"{CONTRACT}\nann 2020-01-01 s1 basic 10")
    again = f"{CONTRACT}\nbob 2020-01-01 s9 basic 10\nbob 2021-01-01 s9 gold 20"
    report = shop.land(TOMORROW, subscriptions=again).tables[0]
    assert (report.landed, report.quarantined) == (2, 0)


def test_a_version_is_compared_with_what_stands_not_with_what_was_set_aside(tiny):
    rows = ["2020-02-01 north", "2020-02-01 west", "2020-03-01 west"]
    told = "\n".join(f"ann 2020-01-01 {row}" for row in rows)
    report = tiny.land(customers=f"customer_id occurred_at ingested_at region\n{told}", orders=SHOP["orders"]).tables[0]
    assert (report.landed, report.quarantined, report.skipped) == (2, 1, 0)
    assert region(tiny, at(2020, 6, 1)) == {"ann": "west"}


def test_what_fills_in_a_version_that_was_set_aside_is_set_aside_as_well(shop):
    rows = ["basic 10 -", "gold 20 -", "gold 20 2021-01-01"]
    told = "\n".join(f"ann 2020-01-01 s1 {row}" for row in rows)
    report = shop.land(subscriptions=f"{CONTRACT} ended_at\n{told}").tables[0]
    assert (report.landed, report.quarantined) == (1, 2)


def test_an_end_that_was_taken_back_is_no_end(shop):
    ahead = at(2022, 1, 1)
    for now, ended in ((NOW, "2021-10-01"), (TOMORROW, "-")):
        shop.land(now, subscriptions=f"{CONTRACT} ended_at\nann 2020-01-01 s1 basic 10 {ended}")
    block = history(shop.store, 0, [ahead], {"subscriptions.ended_at": ()})
    assert block.contracts.held([ahead])[0].tolist() == [who == "ann" for who in block.customer_ids]
    assert not len(block.known_by(ahead).facts["subscriptions.ended_at"].event_at)


def in_blocks(store, count):
    """Return the numbers of so many blocks, each with the store dealt into them."""
    return [(replace(store, blocks=count), number) for number in range(count)]


@pytest.mark.parametrize("count", [1, 16])
def test_a_contract_that_changes_hands_is_held_by_its_new_owner_alone(shop, count):
    shop.land(subscriptions=f"{CONTRACT}\nann 2020-01-01 s1 basic 10")
    shop.land(TOMORROW, subscriptions=f"{CONTRACT}\nbob 2020-01-01 s1 basic 10")
    cutoffs, held = [NOW, TOMORROW], [set(), set()]
    for store, number in in_blocks(shop.store, count):
        block = history(store, number, cutoffs, {})
        for whose, row in zip(held, block.contracts.held(cutoffs), strict=True):
            whose |= set(block.customer_ids[row])
    assert held == [{"ann"}, {"bob"}]


@pytest.mark.parametrize("count", [1, 16])
def test_a_contract_that_changed_hands_ended_for_its_old_owner_when_the_new_version_began(shop, count):
    shop.land(subscriptions=f"{CONTRACT}\nann 2020-01-01 s1 basic 10\nbob 2021-03-01 s1 basic 10")
    ended = {}
    for store, number in in_blocks(shop.store, count):
        found = outcome(store, number, [at(2021, 3, 1)], 1)
        ended |= dict(zip(found.customer_ids, found.contracts_ended[0].tolist(), strict=True))
    assert ended == {"ann": 1, "bob": 0}


# How contracts went on


@pytest.mark.parametrize(
    ("others", "continued"),
    [
        ("", 0),
        ("\nann 2020-06-30 s2 basic 10 -", 1),  # begun within the grace period of 30 days
        ("\nann 2020-07-01 s2 basic 10 -", 0),
        ("\nann 2020-01-01 s2 basic 10 -", 1),  # held beside it
        ("\nann 2020-01-01 s2 basic 10 2020-06-01", 0),  # ended with it
        ("\nbob 2020-06-02 s2 basic 10 -", 0),
    ],
)
def test_a_contract_is_continued_by_another_of_the_same_customer(tiny, others, continued):
    contracts = f"{CONTRACT} ended_at\nann 2020-01-01 s1 basic 10 2020-06-01{others}"
    tiny.land(customers=SHOP["customers"], subscriptions=contracts)
    found = outcome(tiny.store, 0, [at(2020, 5, 15)], 30)
    ann = found.customer_ids.tolist().index("ann")
    assert found.contracts_ended[0, ann] == 1 + ("2020-06-01" in others)
    assert found.contracts_continued[0, ann] == continued


def test_an_end_that_lies_ahead_has_not_come_yet(tiny):
    tiny.land(
        customers=SHOP["customers"],
        subscriptions=f"{CONTRACT} ended_at\nann 2020-01-01 s1 basic 10 2020-06-01",
    )
    known = [outcome(tiny.store, 0, [at(2020, 5, 15)], 30, by) for by in (at(2020, 6, 1), at(2020, 6, 2))]
    assert [int(one.contracts_ended.sum()) for one in known] == [0, 1]
    assert not known[1].orders.any()
