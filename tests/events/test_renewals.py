"""Renewals: every how many days, for what price, and how each contract went on that was known at a cutoff."""

import numpy as np
import pytest

from churnml.errors import NotEnoughDataError
from churnml.events import renewal_spells, share_under_contract
from churnml.events.clock import DAY
from churnml.events.facts import NEVER
from churnml.events.renewals import MONTH, Runs, every_days, period_days, spells

MAY_1 = 18_383 * DAY  # 2020-05-01, midnight UTC
CUSTOMERS = "customer_id occurred_at\n" + "\n".join(f"{who} 2020-01-01" for who in "abcdefgh")
HEAD = "subscription_id customer_id occurred_at ingested_at started_at amount period renews_at ended_at plan\n"


def spells_of(tiny, *rows, cutoff=MAY_1, grace=0):
    tiny.land(customers=CUSTOMERS, subscriptions=HEAD + "\n".join(rows))
    return renewal_spells(tiny.store, [cutoff], grace)[cutoff]


def test_a_running_contract_has_survived_the_renewals_that_lie_behind_it(tiny):
    known = spells_of(tiny, "s1 a 2020-01-01 2020-01-02 - 10 month 2020-01-31 - -")
    assert known.renewed.tolist() == [4]  # after 30, 60, 90 and 120 of 121 days
    assert not known.left_at_renewal.any()
    assert known.days.tolist() == [121.0]


def test_an_end_on_the_day_of_a_renewal_is_one_at_it_and_another_lies_between(tiny):
    known = spells_of(
        tiny,
        "s1 a 2020-01-01 2020-01-02 - 10 month 2020-01-31 - -",
        "s1 a 2020-03-01 2020-03-02 - 10 month - 2020-03-01 -",
        "s2 b 2020-01-01 2020-01-02 - 10 month 2020-01-31 - -",
        "s2 b 2020-03-16 2020-03-17 - 10 month - 2020-03-16 -",
    )
    assert known.left_at_renewal.tolist() == [True, False]
    assert known.left_between.tolist() == [False, True]
    assert known.renewed.tolist() == [1, 2]  # the one it ended at was not survived


def test_an_end_is_none_while_another_may_still_go_on_with_it_or_did(tiny):
    known = spells_of(
        tiny,
        "s1 a 2020-01-01 2020-01-02 - 10 month 2020-01-31 2020-04-20 -",
        "s2 b 2020-01-01 2020-01-02 - 10 month 2020-01-31 2020-02-20 -",
        "s3 b 2020-03-01 2020-03-02 - 10 month 2020-03-31 - -",
        grace=30,
    )
    assert not (known.left_at_renewal | known.left_between).any()


def test_what_was_not_known_at_the_cutoff_is_not_told(tiny):
    known = spells_of(
        tiny,
        "s1 a 2020-01-01 2020-01-02 - 10 month 2020-01-31 2020-05-02 -",
        "s2 b 2020-06-01 2020-06-02 - 10 month - - -",
    )
    assert known.renewed.tolist() == [4]
    assert not (known.left_at_renewal | known.left_between).any()


def test_a_cutoff_is_told_the_same_beside_a_later_one(tiny):
    runs = "s1 a 2020-01-01 2020-01-02 - 10 month 2020-01-31 - -"
    ended, feb_1 = "s1 a 2020-03-01 2020-03-02 - 10 month - 2020-03-01 -", MAY_1 - 90 * DAY
    alone = spells_of(tiny, runs, ended, cutoff=feb_1)
    beside = renewal_spells(tiny.store, [feb_1, MAY_1], 0)
    assert all((getattr(beside[feb_1], name) == getattr(alone, name)).all() for name in vars(alone))
    assert beside[MAY_1].left_at_renewal.tolist() == [True]


def test_a_trial_counts_from_the_day_it_is_paid_for(tiny):
    trial, paid = (
        "s1 a 2020-01-01 2020-01-02 - 0 month - - trial",
        "s1 a 2020-03-02 2020-03-03 - 10 month 2020-04-01 - -",
    )
    known = spells_of(tiny, trial, paid, "s2 b 2020-01-01 2020-01-02 - 0 month - - trial")
    assert known.renewed.tolist() == [2]


def test_a_contract_older_than_what_is_known_of_it_says_nothing_of_the_renewals_before(tiny):
    known = spells_of(tiny, "s1 a 2020-04-10 2020-04-11 2020-01-01 10 month 2020-05-01 - -")
    assert known.renewed.tolist() == [3]
    assert known.seen_from.tolist() == [3]


def test_histories_from_before_ends_were_kept_are_of_those_alone_who_lasted(tiny):
    old = ["s1 a 2020-01-01 2020-01-02 - 10 month 2020-01-31 - -"]
    gone = [f"g{day} b 2020-04-{day} 2020-04-{day} 2020-03-01 10 month - 2020-04-{day} -" for day in range(10, 20)]
    known = spells_of(tiny, *old, *gone)
    assert known.seen_from.max() == known.seen_from[known.renewed.argmax()] == 3  # of a, before 10 April
    assert known.days[known.renewed.argmax()] == 21.0


def test_neither_the_grace_period_nor_months_of_unlike_length_bend_the_chance_to_leave():
    rng, n = np.random.default_rng(4), 6_000
    begins = (MAY_1 - rng.integers(40, 200, n) * DAY).astype("datetime64[us]")
    lasts = rng.geometric(0.1, n)
    ends = _months_later(begins, lasts).astype(np.int64)
    ends = np.where(ends < MAY_1, ends, NEVER)
    due = np.where(ends < NEVER, ends, MAY_1)
    begins = begins.astype(np.int64)
    runs = Runs(begins, begins, ends, np.full(n, MONTH), due, np.zeros(n, dtype=bool))
    for grace in (0, 30):
        known = spells(runs, MAY_1, grace)
        at_risk = known.renewed.sum() + known.left_at_renewal.sum() - known.seen_from.sum()
        assert known.left_at_renewal.sum() / at_risk == pytest.approx(0.1, abs=0.012)
        assert known.left_between.sum() < 0.02 * known.left_at_renewal.sum()


def _months_later(at, months):
    day = np.minimum(at - at.astype("datetime64[M]"), np.timedelta64(27, "D"))
    return (at.astype("datetime64[M]") + months).astype("datetime64[us]") + day


def test_the_mean_time_to_a_renewal_is_the_time_between_two_else_the_period_else_a_month():
    contract, at = np.array([0, 0, 1, 2, 3]), np.array([0, 20, 0, 0, 20]) * DAY
    renews = np.array([30 * DAY, 30 * DAY, NEVER, NEVER, 30 * DAY])
    every = every_days(contract, np.ones(5, dtype=bool), at, renews, np.array([MONTH, MONTH, 7.0, np.nan, MONTH]))
    assert every.tolist() == [30.0, 30.0, 7.0, MONTH, MONTH]


def test_a_year_that_is_paid_month_by_month_has_a_price_for_a_month():
    every, nominal = np.array([365.0, 30.0, 10.0, 30.0]), np.array([MONTH, MONTH, MONTH, np.nan])
    np.testing.assert_allclose(period_days(every, nominal), [365 / 12, 30.0, MONTH, 30.0])


def test_without_subscriptions_there_is_nothing_to_read(tiny):
    tiny.land(customers=CUSTOMERS, orders="order_id customer_id occurred_at amount\n1 a 2020-01-05 10")
    with pytest.raises(NotEnoughDataError, match="`subscriptions`, found none landed"):
        renewal_spells(tiny.store, [MAY_1], 30)


def test_which_share_of_the_population_holds_a_contract(tiny):
    orders = "order_id customer_id occurred_at amount\n1 a 2020-04-05 10\n2 b 2020-04-06 10\n3 c 2020-04-07 5"
    holders = (("a", 10), ("d", 10), ("e", 0))
    contracts = HEAD + "\n".join(f"s{who} {who} 2020-01-01 2020-01-02 - {fee} month - - -" for who, fee in holders)
    tiny.land(customers=CUSTOMERS, orders=orders, subscriptions=contracts)
    assert share_under_contract(tiny.store, MAY_1, 90) == 0.5  # a and d of a, b, c and d
