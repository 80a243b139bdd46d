"""The horizon is read off the gaps between orders, of which the last of each customer is still open."""

from datetime import date

import numpy as np
import pytest

from churnml.errors import NotEnoughDataError
from churnml.events import OrderGaps, order_gaps
from churnml.events.clock import midnight
from churnml.labels.horizon import kaplan_meier, suggested_horizon

ORDERS = """
customer_id occurred_at          order_id amount
a           2021-01-01T10:00:00  1        10
a           2021-01-04T10:00:00  2        10
a           2021-01-04T18:00:00  3        10
a           2021-01-14T10:00:00  4        10
b           2021-01-10T10:00:00  5        10
b           2021-01-12T10:00:00  6        -10
b           2021-02-20T10:00:00  7        10
"""


def counted(counts):
    return {int(day): int(counts[day]) for day in np.flatnonzero(counts)}


def gaps_of(lengths, still=()):
    longest = max([*lengths, *still]) + 1
    return OrderGaps(np.bincount(lengths, minlength=longest), np.bincount(still, minlength=longest))


@pytest.fixture
def landed(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2021-01-01\nb 2021-01-01",
        orders=ORDERS,
    )
    return tiny.store


def at(month):
    return midnight(date(2021, month, 1), "UTC")


def test_gaps_lie_between_days_with_a_positive_net_amount_and_the_last_is_open(landed):
    gaps = order_gaps(landed, at(2))
    assert counted(gaps.closed) == {3: 1, 10: 1}
    assert counted(gaps.open) == {18: 1, 22: 1}


def test_what_comes_after_the_cutoff_closes_no_gap(landed):
    assert counted(order_gaps(landed, at(3)).closed) == {3: 1, 10: 1, 41: 1}


def test_without_open_gaps_the_curve_is_the_share_that_are_longer():
    assert kaplan_meier(gaps_of([1, 2, 3, 4])).tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]


def test_an_open_gap_counts_as_long_as_it_is_known_and_no_longer():
    assert kaplan_meier(gaps_of([1, 3], [2, 3])).round(3).tolist() == [1.0, 0.75, 0.75, 0.375]


def test_the_horizon_is_outlasted_by_a_tenth_of_the_gaps():
    assert suggested_horizon(gaps_of([20] * 50 + [30] * 45 + [90] * 5), 900).days == 30


def test_another_share_reads_off_another_horizon():
    gaps = gaps_of([20] * 50 + [30] * 45 + [90] * 5)
    assert [suggested_horizon(gaps, 900, share).days for share in (0.6, 0.01)] == [20, 90]


@pytest.mark.parametrize(
    "gaps, history_days, days, why",
    [
        (gaps_of([3] * 200), 900, 14, "no horizon is shorter than 14 days"),
        (gaps_of([3] * 200, [800] * 900), 900, 300, "or than a third of 900 days of history"),
        (gaps_of([700] * 200), 3_000, 365, "no horizon is longer than 365 days"),
    ],
)
def test_a_horizon_stays_within_bounds_and_says_which(gaps, history_days, days, why):
    found = suggested_horizon(gaps, history_days)
    assert found.days == days
    assert why in found.bounded_by


def test_too_few_gaps_are_refused_with_what_to_set():
    with pytest.raises(NotEnoughDataError, match=r"needs 100 customers' further orders, found 99; set `horizon_days`"):
        suggested_horizon(gaps_of([9] * 99), 900)
