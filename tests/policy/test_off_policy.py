"""What a policy would have been worth, told before it is run."""

from dataclasses import replace

import numpy as np
import pytest

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.policy.off_policy import Drawn, off_policy_value


def drawn(n=3_000, seed=0):
    """Return a draw among nothing and two actions: the first helps by 1 where x > 0, the second never does."""
    rng = np.random.default_rng(seed)
    x, action = rng.normal(size=(n, 2)), rng.integers(0, 3, n)
    outcome = 5 + x[:, 1] + (action == 1) * (x[:, 0] > 0) - (action == 2) * 0.5 + rng.normal(size=n)
    return Drawn(action, np.full((n, 3), 1 / 3), outcome, np.arange(n), x)


def best(some):
    return (some.covariates[:, 0] > 0).astype(int)


def test_a_policy_is_worth_what_it_would_bring_within_the_interval():
    low, high = off_policy_value(drawn(), best(drawn())).gain.fixed()
    assert low < 0.5 < high
    assert high - low < 0.3


def test_doing_nothing_is_worth_nothing_more_than_doing_nothing():
    found = off_policy_value(drawn(), np.zeros(3_000, dtype=int))
    assert (found.gain.value, found.gain.error) == (0.0, 0.0)


def test_its_interval_holds_the_truth_in_most_redraws():
    hits = [low <= 0.5 <= high for low, high in (
        off_policy_value(drawn(900, seed), best(drawn(900, seed))).gain.fixed() for seed in range(30))]  # fmt: skip
    assert np.mean(hits) >= 0.85


def test_the_time_before_makes_it_surer():
    some = drawn()
    knows = replace(some, covariates=some.covariates[:, :1], before=some.covariates[:, 1])
    blind = replace(knows, before=None)
    assert off_policy_value(knows, best(some)).gain.error < off_policy_value(blind, best(some)).gain.error


def test_missing_propensities_are_refused():
    some = drawn()
    some.propensities[5] = np.nan
    with pytest.raises(InvalidTableError, match="1 of 3000 cases lack it, first row 5"):
        off_policy_value(some, best(some))


def test_a_choice_that_could_not_be_drawn_is_refused():
    some = drawn()
    shut = np.where(some.action == 2, 0, some.action), np.tile([0.5, 0.5, 0.0], (3_000, 1))
    with pytest.raises(NotEnoughDataError, match="widen exploration"):
        off_policy_value(replace(some, action=shut[0], propensities=shut[1]), np.full(3_000, 2))


def test_too_few_who_got_what_it_would_choose_are_refused():
    some = drawn(200)
    with pytest.raises(NotEnoughDataError, match="the evidence amounts to"):
        off_policy_value(some, best(some))


def test_arrays_of_two_lengths_are_refused():
    with pytest.raises(InvalidTableError, match="one row per case"):
        off_policy_value(drawn(), np.zeros(3, dtype=int))
