"""Whether the sizes of the arms fit what was recorded."""

import numpy as np
import pytest

from churnml.policy.sample_ratio import sample_ratio


def drawn(n, share, seed=0):
    share = np.broadcast_to(np.asarray(share, dtype=float), n)
    return np.random.default_rng(seed).random(n) < share, share


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("n", [20, 2_000])
def test_a_draw_as_recorded_holds(share, n):
    assert sample_ratio(*drawn(n, share)).holds


def test_one_treated_in_five_who_is_not_in_the_log_is_noticed():
    treated, share = drawn(4_000, 0.5)
    kept = ~(treated & (np.random.default_rng(1).random(4_000) < 0.2))
    assert not sample_ratio(treated[kept], share[kept]).holds


def test_a_loss_in_one_draw_is_noticed_though_another_makes_up_for_it():
    treated = np.concatenate([np.arange(1_000) < 600, np.arange(1_000) < 300])
    assert not sample_ratio(treated, np.repeat([0.5, 0.4], 1_000)).holds


def test_few_are_judged_by_their_exact_probability():
    assert sample_ratio(np.ones(9, dtype=bool), np.full(9, 0.5)).p == pytest.approx(2 / 2**9)
    assert not sample_ratio(np.ones(12, dtype=bool), np.full(12, 0.5)).holds


def test_chances_of_each_customers_own_are_judged_together():
    share = np.random.default_rng(3).uniform(0.2, 0.8, 3_000)
    assert sample_ratio(*drawn(3_000, share)).holds
    assert not sample_ratio(np.ones(3_000, dtype=bool), share).holds


def test_nobody_at_all_is_no_mismatch():
    assert sample_ratio(np.zeros(0, dtype=bool), np.zeros(0)).p == 1.0


@pytest.mark.parametrize("n", [60, 1_000])
def test_sound_draws_are_refused_in_about_one_of_a_thousand(n):
    assert np.mean([not sample_ratio(*drawn(n, 0.8, seed)).holds for seed in range(1_000)]) <= 0.005
