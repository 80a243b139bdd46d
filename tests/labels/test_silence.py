"""Who fell silent, for the horizon and for part of it."""

import numpy as np
import pytest

from churnml.labels import Outcomes, churned, churned_within, sooner_days


@pytest.fixture(scope="module")
def outcomes(world_store):
    first, last = world_store.span
    return Outcomes.read(world_store, [(first + last) // 2], 60)


def test_silence_for_the_whole_horizon_is_churn(outcomes):
    assert (churned_within(outcomes, 60) == churned(outcomes)).all()
    assert 0 < churned(outcomes).sum() < churned(outcomes).size


def test_nobody_is_churned_within_longer_who_was_not_for_less(outcomes):
    less, more = churned_within(outcomes, 15), churned_within(outcomes, 30)
    assert (more <= less).all()
    assert more.sum() < less.sum()
    assert (less == ~((outcomes.first_order_day >= 0) & (outcomes.first_order_day < 15))).all()


@pytest.mark.parametrize(
    "horizon, days", [(60, (4, 15, 30)), (28, (2, 7, 14)), (7, (2, 4)), (3, (2,)), (2, ()), (1, ())]
)
def test_sooner_is_a_quarter_and_a_half_of_the_horizon(horizon, days):
    assert sooner_days(horizon) == days
    assert np.all(np.array(days) < horizon)
