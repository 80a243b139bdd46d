"""The money of a campaign, against slow readings of its definition."""

import numpy as np
import pytest

from churnml.config import Campaign
from churnml.modeling import metrics
from churnml.modeling.judgement import OURS
from churnml.modeling.money import money
from churnml.modeling.pool import Pool

RNG = np.random.default_rng(2)
P = RNG.beta(1, 4, 300)
LEFT = (RNG.random(300) < P).astype(float)


def pool(p=P, left=LEFT):
    n = len(p)
    forecasts = {OURS: p, "no idea": np.full(n, 0.2)}
    return Pool(np.arange(n), np.zeros(n, dtype=int), left, left, forecasts, forecasts)


def by_hand(left, contacted):
    """Return the profit per customer, a customer at a time: 30 % of those who would leave accept."""
    gains = [0.3 * (200 - 10 - 1) + 0.7 * -1 if one else -10 - 1 for one in left[contacted]]
    return sum(gains) / len(left)


def test_the_curve_is_the_sum_of_what_each_contact_brings():
    order = np.argsort(-P)
    slow = [by_hand(LEFT, order[: round(300 * share)]) for share in (0.0, 0.1, 0.5, 1.0)]
    assert metrics.profit_curve(LEFT, P, [0.0, 0.1, 0.5, 1.0]) == pytest.approx(slow)


def test_a_list_that_ranks_nobody_earns_in_proportion():
    assert metrics.profit_curve(LEFT, np.zeros(300), [0.25]) == pytest.approx(by_hand(LEFT, np.arange(300)) / 4)


def test_a_row_that_counts_twice_is_that_row_twice():
    times = RNG.integers(0, 3, 300)
    rows = np.repeat(np.arange(300), times)
    twice = metrics.profit_curve(LEFT[rows], P[rows], [0.1, 0.4])
    assert metrics.profit_curve(LEFT, P, [0.1, 0.4], weights=times) == pytest.approx(twice)


def test_at_the_paying_probability_a_contact_earns_nothing():
    p = metrics.paying_probability(accepts=0.2, clv=90, incentive=5, contact=2)
    assert p * (0.2 * (90 - 5) - 2) == pytest.approx((1 - p) * (5 + 2))


@pytest.fixture(scope="module")
def found():
    return money(pool(), Campaign(), bootstrap=60, seed=0)


def test_the_best_share_is_where_the_curve_is_highest(found):
    ours = found.methods[0]
    assert ours.best_profit.value == max(point.value for point in ours.curve)


def test_contacting_who_pays_is_counted_customer_by_customer(found):
    ours = found.methods[0]
    assert ours.paying_profit.value == pytest.approx(by_hand(LEFT, found.pays_above <= P))
    assert ours.paying_share.value == pytest.approx(np.mean(found.pays_above <= P))


def test_a_ranking_earns_more_than_none_beyond_noise(found):
    assert found.methods[1].lead_of_ours["empc"].low > 0


def test_the_published_costs_give_the_published_measure(found):
    assert found.methods[0].empc.value == metrics.empc(LEFT, P)


def test_a_customer_of_two_origins_is_drawn_with_both_rows():
    two = Pool(np.array([0, 1, 2, 0]), np.array([0, 0, 0, 1]), LEFT[:4], LEFT[:4], {OURS: P[:4]}, {OURS: P[:4]})
    assert all(times[0] == times[3] for times in two.redraws(20, 0))


def test_an_incentive_dearer_than_the_customer_is_refused():
    with pytest.raises(ValueError, match="`incentive` must be below `clv`, got 300 and 200"):
        Campaign(incentive=300)
