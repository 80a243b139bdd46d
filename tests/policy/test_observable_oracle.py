"""The observable oracle: better than chance, right on average, blind to one's own future and to what is hidden."""

from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks.observable_oracle import expected_effects
from benchmarks.saved_market import ARMS, saved_market
from scipy.stats import spearmanr


@pytest.fixture(scope="module")
def world():
    """Return two things recorded, one hidden, the effect of one action by all, and noisy coupled futures of each."""
    rng = np.random.default_rng(0)
    recorded, hidden = rng.normal(size=(6_000, 2)), rng.normal(size=6_000)
    effect = 2.0 + np.maximum(recorded[:, 0], 0) + hidden
    seen = np.column_stack([np.zeros(6_000), effect + rng.normal(scale=1.0, size=6_000)])
    return SimpleNamespace(recorded=recorded, effect=effect, seen=seen, found=expected_effects(recorded, seen))


def test_it_ranks_better_than_chance_and_no_better_than_what_is_recorded_allows(world):
    rank = spearmanr(world.found[:, 1], world.effect).statistic
    best = spearmanr(np.maximum(world.recorded[:, 0], 0), world.effect).statistic
    assert 0.8 * best < rank < 1.05 * best


def test_it_is_unbiased_on_average_and_where_it_says_much(world):
    high = world.found[:, 1] > np.quantile(world.found[:, 1], 0.8)
    assert world.found[:, 1].mean() == pytest.approx(world.effect.mean(), abs=0.1)
    assert world.found[high, 1].mean() == pytest.approx(world.effect[high].mean(), abs=0.2)


def test_doing_nothing_changes_nothing(world):
    assert not world.found[:, 0].any()


def test_a_customers_own_future_does_not_tell_of_them(world):
    changed = world.seen.copy()
    changed[0, 1] = 1e6
    assert expected_effects(world.recorded, changed)[0, 1] == world.found[0, 1]


@pytest.mark.long
def test_of_a_simulated_market_it_ranks_every_action_better_than_chance_and_is_right_on_average(tmp_path):
    saved = saved_market(tmp_path / "shop", 6_000, 10, seed=3)
    found, truth = expected_effects(saved.features, saved.effects), saved.effects
    for action in range(1, len(ARMS)):
        error = truth[:, action].std() / np.sqrt(len(saved))
        assert spearmanr(found[:, action], truth[:, action]).statistic > 0.1
        assert abs(found[:, action].mean() - truth[:, action].mean()) < 3 * error
