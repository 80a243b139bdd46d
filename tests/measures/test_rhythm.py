"""When customers order: worked examples, planted days that are found, and none where nothing was planted."""

from datetime import date, timedelta

import numpy as np
import pytest

from churnml.config import RhythmRules
from churnml.errors import NotEnoughDataError
from churnml.events.books import open_books
from churnml.events.clock import midnight
from churnml.measures.measure import Asked
from churnml.measures.rhythm import rhythm
from churnml.measures.unusual_days import unusual
from churnml.measures.usual_days import chance_of

FIRST = date(2019, 1, 7)  # a Monday
WEEK = np.array([1.0, 0.9, 0.9, 1.0, 1.2, 1.6, 0.4])


def at(day, zone="UTC"):
    return midnight(day if isinstance(day, date) else date.fromisoformat(day), zone)


def told(tiny, begin, end, by=None, smallest=1):
    zone = tiny.config.time_zone
    with open_books(tiny.store, at(end, zone)) as books:
        found = rhythm(books, Asked(at(begin, zone), at(end, zone), by=by, smallest=smallest))
    return {one.name: one for one in found}


def land(tiny, orders, **more):
    """Land orders of one customer, each a time and an amount."""
    lines = [f"a {number} {when} {amount}" for number, (when, amount) in enumerate(orders)]
    tiny.land(
        customers="customer_id occurred_at\na 2018-01-01",
        orders="\n".join(["customer_id order_id occurred_at amount", *lines]),
        **more,
    )


def daily(counts):
    """Return so many orders of 1 on each day, at noon."""
    days = (FIRST + timedelta(days=place) for place, n in enumerate(counts) for _ in range(n))
    return [(f"{day}T12:00", 1) for day in days]


def market(seed, days=730, level=100.0, phi=3.0):
    """Return counts of days with a trend, a season, weekdays and more than chance, and nothing unusual."""
    place = np.arange(days)
    mean = level * WEEK[place % 7] * (1 + place / days / 2) * (1 + 0.3 * np.sin(2 * np.pi * place / 365.25))
    return np.random.default_rng(seed).negative_binomial(mean / (phi - 1), 1 / phi).astype(float)


def months(days=730):
    shown = [FIRST + timedelta(days=place) for place in range(days)]
    return np.array([day.month - 1.5 + day.day / 30.5 for day in shown])


# Worked examples


def test_a_weekday_is_held_against_an_average_day_of_whole_weeks(tiny):
    land(tiny, [*daily([4, 2, 2, 2, 2, 2, 0] * 2), ("2019-01-21T12:00", 9)])
    frame = told(tiny, "2019-01-07", "2019-01-21")["rhythm_weekday"].frame
    assert frame["orders"].tolist() == [8, 4, 4, 4, 4, 4, 0]
    assert frame["index"].tolist() == [2, 1, 1, 1, 1, 1, 0]
    assert frame["amount"].sum() == 28
    assert frame["low"].isna().all()  # two weeks do not say how much weeks vary


def test_an_order_that_was_not_paid_is_none(tiny):
    land(tiny, [*daily([1] * 7), ("2019-01-08T12:00", 0), ("2019-01-08T12:00", -1)])
    assert told(tiny, "2019-01-07", "2019-01-14")["rhythm_weekday"].frame["orders"].tolist() == [1] * 7


def test_an_hour_is_that_of_the_clock_on_the_wall(make_tiny):
    tiny = make_tiny(time_zone="Europe/Berlin")
    land(tiny, [(f"2019-07-{day:02}T{when}Z", 1) for day in range(1, 8) for when in ("07:30", "07:45", "22:30")])
    frame = told(tiny, "2019-07-01", "2019-07-08")["rhythm_hour"].frame
    assert {hour: n for hour, n in enumerate(frame["orders"]) if n} == {9: 14, 0: 6}
    assert frame["index"].iloc[9] == pytest.approx(14 / (20 / 24))


def test_hours_are_left_out_where_all_orders_bear_the_same_time(tiny):
    land(tiny, daily([1] * 7))
    found = told(tiny, "2019-01-07", "2019-01-14")
    assert "rhythm_hour" not in found
    assert "nine of ten orders bear the same minute" in " ".join(one.en for one in found["rhythm_weekday"].remarks)


def test_every_day_stands_there_with_what_is_usual_and_the_campaign_of_the_day(tiny):
    contacts = "customer_id contact_id occurred_at action campaign arm\n"
    land(
        tiny, daily([3, 3, 3, 3, 3, 3, 0] * 10),
        contacts=f"{contacts}a 1 2019-01-08T08:00 mail spring treated\na 2 2019-01-09T08:00 mail spring control",
    )  # fmt: skip
    frame = told(tiny, "2019-01-07", "2019-03-18")["rhythm_days"].frame
    assert frame["orders"].tolist() == [3, 3, 3, 3, 3, 3, 0] * 10
    assert frame["expected"].tolist() == pytest.approx([3, 3, 3, 3, 3, 3, 0] * 10, abs=1e-6)
    assert frame["campaign"].iloc[:3].fillna("").tolist() == ["", "spring", ""]


def test_the_season_is_told_of_two_years_and_no_less(tiny):
    n = [2 if (FIRST + timedelta(days=place)).month == 12 else 1 for place in range(735)]
    land(tiny, daily(n))
    frame = told(tiny, "2020-01-06", "2021-01-11")["rhythm_season"].frame
    index = dict(zip(frame["month"], frame["index"], strict=True))
    assert index["12"] / index["6"] == pytest.approx(2.0, rel=0.15)
    assert "rhythm_season" not in told(tiny, "2019-03-01", "2020-12-01")


def test_fewer_customers_than_may_be_shown_are_not(tiny):
    land(tiny, daily([1] * 70))
    (only,) = told(tiny, "2019-01-07", "2019-03-18", smallest=2).values()
    assert only.frame.empty
    assert "fewer than 2 customers" in only.remarks[0].en


def test_days_without_any_order_have_no_rhythm(tiny):
    land(tiny, daily([1] * 7))
    with pytest.raises(NotEnoughDataError, match="found none between --from and --to"):
        told(tiny, "2019-02-01", "2019-03-01")


# Unusual periods


def test_a_spike_and_a_closed_week_are_found_and_named(tiny):
    counts = np.array([4, 3, 3, 4, 5, 6, 2] * 16)
    counts[35:42], counts[73:75] = 0, 20
    mailed = FIRST + timedelta(days=73)
    contacts = "customer_id contact_id occurred_at action campaign\n"
    land(tiny, daily(counts), contacts=f"{contacts}a 1 {mailed}T08:00 mail spring")
    frame = told(tiny, FIRST, FIRST + timedelta(days=112))["rhythm_unusual"].frame
    days = [(row.begin - FIRST).days for row in frame.itertuples()]
    assert list(zip(days, frame["days"], frame["name"], strict=True)) == [
        (35, 7, "silent"),
        (73, 2, "campaign: spring"),
    ]
    assert frame["ratio"].tolist() == pytest.approx([0.0, 40 / (4 + 5)])


def test_a_closed_day_beside_a_day_of_few_is_named_by_what_it_is(tiny):
    counts = np.array([14, 13, 13, 14, 15, 16, 12] * 16)
    counts[73:75] = 0, 2
    land(tiny, daily(counts))
    frame = told(tiny, FIRST, FIRST + timedelta(days=112))["rhythm_unusual"].frame
    assert list(zip(frame["days"], frame["orders"], frame["name"], strict=True)) == [(2, 2, "partly_silent")]


@pytest.mark.parametrize(("first", "last", "factor"), [(400, 401, 2.0), (400, 407, 0.6), (100, 121, 1.3)])
def test_days_that_were_planted_are_found(first, last, factor):
    orders = market(11)
    orders[first:last] = np.round(orders[first:last] * factor)
    (found,) = unusual(orders, 0, months()).stretches
    assert max(found.first, first) < min(found.last, last)
    assert found.high == (factor > 1)


def test_where_nothing_was_planted_no_more_reports_name_any_than_is_stated():
    # of 24 markets of two years at 5%: more than 4 have a chance of 0.6%
    assert sum(bool(unusual(market(seed), 0, months()).stretches) for seed in range(24)) <= 4


def test_a_level_that_stays_is_no_unusual_period():
    orders = market(12)
    orders[365:] *= 2
    found = unusual(np.round(orders), 0, None).stretches
    assert sum(one.last - one.first for one in found) < 60


def test_the_chance_of_a_count_is_that_of_poisson_where_nothing_else_varies():
    # of mean 2: P(5 or more) = 1 - 0.947347, P(none) = 0.135335
    chance = chance_of(np.array([5.0, 0.0]), np.array([2.0, 2.0]), 1.0001)
    assert chance.tolist() == pytest.approx([2 * 0.052653, 2 * 0.135335], rel=1e-3)


def test_an_error_of_nothing_is_refused():
    with pytest.raises(ValueError, match="greater than 0"):
        RhythmRules(error=0.0)
