"""Spells: when the first order came, cut into intervals, and what is not known yet is neither yes nor no."""

import numpy as np
import pytest

from churnml.events.clock import DAY
from churnml.labels import Outcomes, Spells, churned, final_instants, interval_ends

ENDS = (8, 15, 30, 60, 120)


def spells(*first_order_days, cutoff=0, lag=0):
    days = np.array(first_order_days)
    return Spells(ENDS, days, final_instants(np.full(len(days), cutoff), ENDS, lag, "UTC"))


@pytest.mark.parametrize("horizon", [1, 2, 3, 14, 28, 60, 365])
def test_the_horizon_is_always_an_end_and_ends_ascend(horizon):
    ends = interval_ends(horizon, 400)
    assert horizon in ends
    assert list(ends) == sorted(set(ends))


def test_no_end_lies_beyond_the_longest_but_the_horizon_stays():
    assert interval_ends(60, 119) == (8, 15, 30, 60)
    assert interval_ends(60, 10) == (8, 15, 30, 60)


def test_an_order_falls_into_one_interval_start_included_end_excluded():
    assert spells(0, 7, 8, -1).ordered.argmax(axis=1)[:3].tolist() == [0, 0, 1]
    assert spells(0, 7, 8, -1).ordered.sum(axis=1).tolist() == [1, 1, 1, 0]


def test_nobody_is_at_risk_after_the_order():
    assert spells(8).at_risk(200 * DAY).tolist() == [[True, True, False, False, False]]


def test_an_interval_that_is_not_closed_is_left_out_for_all():
    assert spells(-1, 20).at_risk(59 * DAY).tolist() == [[True, True, True, False, False]] * 2


def test_the_lag_of_labels_closes_an_interval_later():
    known = [spells(-1, lag=5).at_risk(day * DAY).sum() for day in (7, 8, 12, 13)]
    assert known == [0, 0, 0, 1]
    assert spells(-1).at_risk(8 * DAY).sum() == 1


def test_the_first_order_looked_for_beyond_the_horizon_agrees_with_churn_at_any_horizon(world_store):
    cutoff = world_store.span[0] + 30 * DAY
    read = Outcomes.read(world_store, [cutoff], 1, look_days=60)
    far = Spells((60,), read.first_order_day[0], np.zeros((len(read.customer_ids), 1)))
    for days in (1, 7, 30, 60):
        plain = Outcomes.read(world_store, [cutoff], days)
        assert far.silent(days).tolist() == (plain.orders[0] == 0).tolist()
    assert not churned(read.at(read.customer_ids, np.full(len(read.customer_ids), cutoff))).all()
