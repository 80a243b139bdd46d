"""Who counts at a cutoff, and why the others stand outside."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wall
import worlds
from churnml.events import Standing, history, outcome, standing
from churnml.events.clock import DAY, midnight, moment

cutoffs_of = st.lists(
    st.integers(0, (worlds.DAYS + 60) * 4).map(lambda q: worlds.instant(q / 4)), min_size=1, max_size=4
)


def slowly(world, customer, cutoff, population_days):
    """Return where a customer stands, read off the definitions of DESIGN 6."""
    if not (customer.event_at < cutoff and customer.known_at <= cutoff):
        return Standing.UNKNOWN
    known = worlds.known(world["orders"], customer.customer_id, cutoff)
    events = wall.order_events([(row.event_at, row.amount) for row in known], "UTC")
    if not events:
        return Standing.PROSPECT
    recent = any(at >= cutoff - population_days * DAY for at in events)
    return Standing.POPULATION if recent else Standing.GONE


@given(cutoffs_of, st.integers(1, 120))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_standing_is_what_the_definitions_say(world, world_store, cutoffs, days):
    block = history(world_store, 0, cutoffs, {"orders": ("amount",)})
    found = standing(block, cutoffs, days, "UTC")
    customers = {row.customer_id: row for row in world["customers"]}
    expected = [[slowly(world, customers[who], cutoff, days) for who in block.customer_ids] for cutoff in cutoffs]
    assert found.tolist() == expected


def test_each_standing_once(tiny):
    tiny.land(
        customers="""customer_id occurred_at
                     buyer      2020-01-01
                     gone       2020-01-01
                     prospect   2020-01-01
                     refunded   2020-01-01
                     unmet      2020-03-01""",
        orders="""customer_id occurred_at order_id amount
                  buyer       2020-01-31  o1       5
                  gone        2020-01-30  o2       5
                  prospect    2020-03-01  o3       5
                  refunded    2020-02-20  o4       0""",
    )
    cutoffs = [worlds.instant(60)]  # 2020-03-01
    block = history(tiny.store, 0, cutoffs, {"orders": ("amount",)})
    stands = dict(zip(block.customer_ids, standing(block, cutoffs, 30, "UTC")[0], strict=True))
    assert moment(cutoffs[0]).date().isoformat() == "2020-03-01"
    assert stands == {
        "buyer": Standing.POPULATION,
        "gone": Standing.GONE,
        "prospect": Standing.PROSPECT,
        "refunded": Standing.PROSPECT,
        "unmet": Standing.UNKNOWN,
    }


def test_an_order_taken_back_on_its_day_is_no_order_once_that_is_known(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        orders="""customer_id occurred_at         ingested_at         order_id amount
                  a           2020-02-20T09:00:00 2020-02-20T09:00:00 o1       50
                  a           2020-02-20T18:00:00 2020-02-22T12:00:00 o2       -50""",
    )
    cutoffs = [midnight(date(2020, 2, day), "UTC") for day in (21, 22, 23)]
    block = history(tiny.store, 0, cutoffs, {"orders": ("amount",)})
    assert [Standing(one[0]).name for one in standing(block, cutoffs, 30, "UTC")] == [
        "POPULATION", "POPULATION", "PROSPECT",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ended", "stands"), [("2020-02-01", "GONE"), ("2020-03-01", "POPULATION"), ("-", "POPULATION")]
)
def test_who_held_a_contract_that_has_ended_is_gone(tiny, ended, stands):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        subscriptions=f"customer_id occurred_at subscription_id amount ended_at\na 2020-01-01 s1 10 {ended}",
    )
    cutoffs = [worlds.instant(60)]  # 2020-03-01
    assert Standing(standing(history(tiny.store, 0, cutoffs, {}), cutoffs, 30, "UTC")[0, 0]).name == stands


@pytest.mark.parametrize(
    ("plan", "amount", "stands"),
    [
        ("basic", 10, "POPULATION"),
        ("basic", 0, "PROSPECT"),
        ("Free-Trial", 10, "PROSPECT"),
        ("14天试用", 10, "PROSPECT"),
        ("industrial", 10, "POPULATION"),
    ],
)
def test_who_holds_a_trial_and_has_never_paid_is_a_prospect_still(tiny, plan, amount, stands):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        subscriptions=f"customer_id occurred_at subscription_id plan amount\na 2020-01-01 s1 {plan} {amount}",
    )
    cutoffs = [worlds.instant(60)]  # 2020-03-01
    assert Standing(standing(history(tiny.store, 0, cutoffs, {}), cutoffs, 30, "UTC")[0, 0]).name == stands


def test_a_trial_that_is_paid_for_makes_a_customer_from_then_on_and_one_given_up_leaves_a_former_one(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        subscriptions="""customer_id occurred_at subscription_id plan amount started_at
                         a 2020-01-05 s1 trial 0  2020-01-05
                         a 2020-01-20 s1 basic 10 2020-01-05
                         a 2020-02-10 s1 free  0  2020-01-05""",
    )
    cutoffs = [worlds.instant(day) for day in (10, 25, 60)]
    block = history(tiny.store, 0, cutoffs, {})
    found = [Standing(one[0]).name for one in standing(block, cutoffs, 30, "UTC")]
    assert found == ["PROSPECT", "POPULATION", "GONE"]


def test_a_contract_that_is_to_begin_makes_nobody_gone(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        subscriptions="customer_id occurred_at subscription_id amount started_at\na 2020-01-01 s1 10 2020-04-01",
    )
    cutoffs = [worlds.instant(60)]  # 2020-03-01
    assert standing(history(tiny.store, 0, cutoffs, {}), cutoffs, 30, "UTC")[0, 0] == Standing.PROSPECT


@pytest.mark.parametrize(
    ("day", "horizon_days", "members", "churners"),
    [((2017, 11, 2), 60, 2_305, 138), ((2017, 12, 4), 28, 2_318, 350)],
)
def test_the_complete_journey_has_the_population_and_the_churn_of_the_published_protocols(
    store, day, horizon_days, members, churners
):
    cutoff = midnight(np.datetime64("{:04}-{:02}-{:02}".format(*day)).item(), "UTC")
    found = np.zeros(2, dtype=int)
    for number in range(store.n_blocks):
        block = history(store, number, [cutoff], {"orders": ("amount",)})
        inside = standing(block, [cutoff], 90, "UTC")[0] == Standing.POPULATION
        silent = outcome(store, number, [cutoff], horizon_days).orders[0] == 0
        found += [inside.sum(), (inside & silent).sum()]
    assert found.tolist() == [members, churners]
