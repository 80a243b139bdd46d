"""How late news usually are, from a count of each day."""

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnml.events.clock import DAY, HOUR
from churnml.events.lateness import DAY_BEGUN, day_begun, usual_days

DELAYS = st.lists(st.one_of(st.integers(1, 40 * DAY), st.integers(1, 40).map(lambda days: days * DAY)), min_size=1)


def counted(delays):
    """Return each delay as a day of its own, the most pieces there can be."""
    return [(int(day), 1, delay, delay) for delay, day in zip(delays, day_begun(np.array(delays)), strict=True)]


@given(DELAYS)
def test_the_percentile_of_counted_days_is_that_of_all_delays(delays):
    usual = np.quantile(np.array(delays), 0.95)
    assert usual_days(counted(delays)) == min(30, int(np.ceil(usual / DAY)))


@pytest.mark.parametrize("delay", [1, HOUR, DAY, DAY + 1, 30 * DAY, 30 * DAY + 1, 400 * DAY])
def test_sql_counts_days_as_python_does(delay):
    ((day,),) = duckdb.execute(f"SELECT {DAY_BEGUN} FROM (SELECT {delay} AS delay)").fetchall()
    assert day == day_begun(np.array([delay]))[0]


def test_where_nothing_came_late_nothing_waits():
    assert usual_days([]) == 0
