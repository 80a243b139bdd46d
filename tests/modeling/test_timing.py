"""What came by the dates of next orders is counted among those whose dates are over, beside what was said."""

import numpy as np
import pytest

from churnml.modeling.curve import When
from churnml.modeling.timing import in_time

NEVER = np.nan


def told(*days):
    days = np.array(days, dtype=float)
    return When(days, np.where(np.isnan(days), NEVER, [0.3, 0.6, 0.8]))


def test_an_order_on_the_day_itself_came_in_time_and_one_a_day_later_did_not():
    first, *_ = in_time(told([3, 9, 9], [3, 9, 9], [3, 9, 9]), np.array([2, 3, -1]), 10)
    assert (first.quantile, first.customers, first.came) == (0.25, 3, pytest.approx(1 / 3))


def test_a_date_beyond_what_was_looked_at_judges_nothing():
    first, half = in_time(told([3, 9, NEVER], [11, NEVER, NEVER]), np.array([0, 0]), 10)
    assert (first.customers, half.customers, half.came) == (1, 1, 1.0)


def test_what_was_said_is_kept_where_it_lies_within_the_interval_of_what_came():
    rng = np.random.default_rng(0)
    came = np.where(rng.random(2_000) < 0.3, 1, -1)
    first, half, last = in_time(told(*[[2, 2, 2]] * 2_000), came, 10)
    assert (first.kept, half.kept, last.kept) == (True, False, False)
    assert first.low < first.came < first.high
