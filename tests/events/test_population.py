"""Who counts at a cutoff, and why the others stand outside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    orders = [row for row in worlds.known(world["orders"], customer.customer_id, cutoff) if row.amount > 0]
    if not orders:
        return Standing.PROSPECT
    recent = any(row.event_at >= cutoff - population_days * DAY for row in orders)
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
