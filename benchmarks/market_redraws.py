"""A thousand redraws of an experiment on a saved market: how often intervals hold, looked at once and every week."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from benchmarks.market_experiment import Codes, slice_of
from benchmarks.saved_market import ARMS, COSTS, Saved
from churnml.modeling.uplift import Measured
from churnml.policy.measurement import Scores, Trial, cuped, difference, doubly_robust
from churnml.policy.sequences import always_valid

LOOKS: Final = 12
"""Weekly looks; each week the windows of a twelfth of the customers close."""

FIXED: Final = {"plain difference": difference, "less what the past explains": cuped, "doubly robust": doubly_robust}
WATCHED, WATCHED_FIXED = "always-valid, at every look", "fixed, at every look"


@dataclass(frozen=True)
class Coverage:
    """How many redraws had the truth inside, by interval and action.

    Parameters
    ----------
    redraws : int
    held : mapping of str to list of int
        By interval, one count for each action.
    """

    redraws: int
    held: dict[str, list[int]]

    def share(self, name: str, action: int) -> Measured:
        """Return the share of redraws, with its exact binomial interval."""
        return binomial(self.held[name][action], self.redraws)


def binomial(times: int, of: int) -> Measured:
    """Return a share with the interval of Clopper & Pearson (1934), 95 %."""
    low = float(beta.ppf(0.025, times, of - times + 1)) if times else 0.0
    high = float(beta.ppf(0.975, times + 1, of - times)) if times < of else 1.0
    return Measured(times / of, low, high)


def coverage(saved: Saved, redraws: int, seed: int, say: Callable[[str], None]) -> Coverage:
    """Return how often the intervals of the average effect on margin hold in redraws of arms and futures.

    The truth of a redraw is the mean over all customers of the slice and all their futures, of which it draws. Weekly
    looks see customers in an order drawn anew, which stands for the weeks in which they were decided about.
    """
    rows = slice_of(saved, seed)
    truth = (saved.effects + COSTS)[rows].mean(axis=0)[1:]
    held = {name: np.zeros(len(ARMS) - 1, dtype=np.int64) for name in (*FIXED, WATCHED, WATCHED_FIXED)}
    for number in range(redraws):
        if number % 100 == 0:
            say(f"redraw {number + 1} of {redraws}")
        rng = np.random.default_rng([seed, 1, number])
        arm = rng.integers(len(ARMS), size=len(rows))
        margin, _ = saved.came(rows, arm, rng)
        for action, effect in enumerate(truth):
            trial = _trial(saved, rows, arm, margin, action + 1, rng)
            for name, inside in _inside(trial, float(effect), number).items():
                held[name][action] += inside
    return Coverage(redraws, {name: counts.tolist() for name, counts in held.items()})


def _trial(
    saved: Saved, rows: Codes, arm: Codes, margin: npt.NDArray[np.float64], action: int, rng: np.random.Generator
) -> Trial:
    """Return one action against nothing, customers in the order of the weeks."""
    both = rng.permutation(np.flatnonzero((arm == 0) | (arm == action)))
    who = rows[both]
    known, half = saved.known[who], np.full(len(who), 0.5)
    return Trial(arm[both] == action, half, margin[both, None], np.arange(len(who)), known, saved.before[who, None])


def _inside(trial: Trial, truth: float, seed: int) -> dict[str, bool]:
    """Return whether each interval holds the truth."""
    whole: dict[str, Scores] = {
        name: doubly_robust(trial, seed) if score is doubly_robust else score(trial) for name, score in FIXED.items()
    }
    found = {name: _holds(scores.effect().fixed(), truth) for name, scores in whole.items()}
    looks = [cuped(trial.take(np.arange(upto))).effect() for upto in _upto(len(trial))]
    found[WATCHED] = all(_holds(always_valid(look, len(trial)), truth) for look in looks)
    found[WATCHED_FIXED] = all(_holds(look.fixed(), truth) for look in looks)
    return found


def _upto(cases: int) -> list[int]:
    """Return how many cases have closed by each look."""
    return [cases * look // LOOKS for look in range(1, LOOKS + 1)]


def _holds(interval: tuple[float, float], truth: float) -> bool:
    return interval[0] <= truth <= interval[1]
