"""The Qini says how much effect an order gathers beyond chance, with an interval that can be believed."""

import numpy as np
import pytest
from scipy.stats import binom

from churnml.errors import InvalidTableError
from churnml.modeling.uplift import auuc, qini, qini_by_counts, qini_curve, qini_gain
from churnml.modeling.uplift.sleeping import groups, sleeping_dogs


def drawn(n=4_000, seed=0):
    """Return scores, and the true effect that they scatter around."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 1, n)
    return truth + rng.normal(size=n), truth


def test_the_best_order_of_an_even_effect_gathers_a_twelfth():
    # effects even on [0, 1]: V(f) = f - f^2 / 2, and the area above f / 2 is 1 / 12
    assert qini(*drawn(200_000)).value == pytest.approx(1 / 12, abs=0.003)


def test_no_order_gathers_nothing():
    scores, truth = drawn()
    assert qini(scores, np.ones_like(truth)).value == pytest.approx(0.0, abs=1e-12)


def test_an_order_turned_round_loses_what_it_gathered():
    scores, truth = drawn()
    assert qini(scores, -truth).value == pytest.approx(-qini(scores, truth).value)


def test_the_interval_covers_as_often_as_it_says():
    found = [qini(*drawn(400, seed)) for seed in range(400)]
    covered = sum(one.low < 1 / 12 < one.high for one in found)
    assert binom.ppf(0.001, 400, 0.95) <= covered <= binom.ppf(0.999, 400, 0.95)


def test_an_order_gains_nothing_over_itself_and_its_qini_over_none():
    scores, truth = drawn()
    assert qini_gain(scores, truth, truth).high == pytest.approx(0.0)
    gain, alone = qini_gain(scores, truth, np.zeros_like(truth)), qini(scores, truth)
    assert gain.value == pytest.approx(alone.value)
    assert gain.low == pytest.approx(alone.low, rel=0.2)


def test_a_normalised_area_is_a_half_by_chance_and_two_thirds_at_best_here():
    scores, truth = drawn(100_000)
    assert auuc(scores, np.ones_like(truth)).value == pytest.approx(0.5)
    found = auuc(scores, truth)
    assert found.low < 2 / 3 < found.high


def test_a_share_of_no_effect_is_refused():
    scores, truth = drawn()
    with pytest.raises(InvalidTableError, match="whole effect apart from 0"):
        auuc(scores - scores.mean(), truth)


def test_the_curve_counts_as_by_hand():
    treated = np.array([True, False, True, False])
    share, gain = qini_curve(treated, np.array([1.0, 0.0, 0.0, 1.0]), np.array([3.0, 3.0, 1.0, 1.0]))
    assert share.tolist() == [0.0, 0.5, 1.0]
    assert gain.tolist() == [0.0, 0.5, 0.0]
    assert qini_by_counts(treated, np.array([1.0, 0.0, 0.0, 1.0]), np.array([3.0, 3.0, 1.0, 1.0])).value == 0.25


def test_counts_and_weighted_outcomes_agree():
    rng = np.random.default_rng(1)
    treated, effect = rng.random(20_000) < 0.5, rng.random(20_000)
    outcome = (rng.random(20_000) < 0.2 + 0.3 * treated * effect).astype(float)
    weighted = qini(np.where(treated, 2.0, -2.0) * outcome, effect)
    counted = qini_by_counts(treated, outcome, effect)
    assert counted.value == pytest.approx(weighted.value, abs=0.003)
    assert counted.low < 0.3 / 12 < counted.high


def test_a_group_that_is_harmed_sleeps_and_others_do_not():
    rng = np.random.default_rng(2)
    effect = rng.uniform(-1, 1, 4_000)
    asleep = sleeping_dogs(groups(effect + rng.normal(size=4_000), effect), effect)
    assert (effect[asleep] < 0).all()
    assert asleep[effect < -0.5].all()


def test_equal_effects_are_one_group():
    rng = np.random.default_rng(3)
    found = groups(rng.normal(size=500), np.zeros(500))
    assert len(found) == 1
    assert not sleeping_dogs(found, np.zeros(7)).any()
