"""A day is a day of the workspace's zone, whether it has 23, 24 or 25 hours."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnml.events.clock import DAY, HOUR, day_starts, days_later, local_days, midnight, moment

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "America/Sao_Paulo", "Pacific/Apia"]
instants = st.integers(min_value=0, max_value=2_000_000_000 * 1_000_000)
often = settings(max_examples=60, derandomize=True, deadline=None)


@pytest.mark.parametrize(
    ("day", "zone", "hour"),
    [
        (date(2020, 3, 29), "Europe/Berlin", datetime(2020, 3, 28, 23, tzinfo=UTC)),
        (date(2020, 3, 30), "Europe/Berlin", datetime(2020, 3, 29, 22, tzinfo=UTC)),
        (date(2020, 11, 2), "America/New_York", datetime(2020, 11, 2, 5, tzinfo=UTC)),
        (date(2018, 11, 4), "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),  # its midnight was skipped
    ],
)
def test_a_day_begins_at_its_local_midnight(day, zone, hour):
    assert moment(midnight(day, zone)) == hour


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2020, 3, 29), 23),
        ("Europe/Berlin", date(2020, 10, 25), 25),
        ("America/New_York", date(2020, 3, 8), 23),
        ("America/New_York", date(2020, 11, 1), 25),
        ("UTC", date(2020, 3, 29), 24),
    ],
)
def test_the_next_day_begins_when_the_local_day_is_over(zone, day, hours):
    start = midnight(day, zone)
    assert days_later(start, 1, zone) - start == hours * HOUR


@given(st.sampled_from(ZONES), st.dates(date(1990, 1, 1), date(2035, 1, 1)), st.integers(-800, 800))
@often
def test_days_later_counts_calendar_days(zone, day, days):
    there = date.fromordinal(day.toordinal() + days)
    assert days_later(midnight(day, zone), days, zone) == midnight(there, zone)


@given(st.sampled_from(ZONES), st.lists(instants, min_size=1, max_size=8))
@often
def test_local_days_agree_with_the_calendar(zone, at):
    # a span of more than a century of days would make this slow, not wrong
    at = [first % (5_000 * DAY) + 10_000 * DAY for first in at]
    day, since = local_days(np.array(at), zone)
    assert [date.fromordinal(719_163 + int(one)) for one in day] == [moment(one, zone).date() for one in at]
    assert [int(a - s) for a, s in zip(at, since, strict=True)] == [
        midnight(moment(one, zone).date(), zone) for one in at
    ]


def test_no_instants_have_no_days():
    assert [len(part) for part in local_days(np.empty(0, dtype=np.int64), "Europe/Berlin")] == [0, 0]


def test_day_starts_reach_one_day_beyond_the_last():
    first, last = midnight(date(2020, 3, 28), "Europe/Berlin"), midnight(date(2020, 3, 30), "Europe/Berlin")
    assert (np.diff(day_starts(first, last, "Europe/Berlin")) // HOUR).tolist() == [24, 23, 24]
