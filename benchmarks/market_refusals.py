"""What is no experiment is refused, and an experiment without effects teaches none: both on a saved market."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.market_experiment import Codes, Matrix, drawn, slice_of
from benchmarks.saved_market import ARMS, COSTS, Saved
from churnml.modeling.uplift import (
    Measured,
    NoEvidence,
    Randomised,
    learn_uplift,
    naive_differences,
    weighted_differences,
)

NULL_CUSTOMERS: Final = 800
_FEWEST: Final = 100
_TAKEN: Final = "taken for an experiment"


@dataclass(frozen=True)
class Refusals:
    """What became of a log of contacts that a rule chose, swayed by a feeling that no table records.

    Parameters
    ----------
    customers : int
        In the rule's log.
    as_recorded, as_claimed : str
        Why it teaches nothing: as it is, without propensities, and if somebody claims that it was drawn by chance.
    truth : mapping of str to float
        Average effect on margin, by action, among all in the log and in the slice.
    naive, weighted : mapping of str to Measured
        The difference of means over all of them, and over the slice by its propensities.
    """

    customers: int
    as_recorded: str
    as_claimed: str
    truth: dict[str, float]
    naive: dict[str, Measured]
    weighted: dict[str, Measured]


def refusals(saved: Saved, seed: int) -> Refusals:
    """Return what the learner says of the rule's log, and of it beside a slice drawn by chance."""
    rng, inside = np.random.default_rng([seed, 2]), slice_of(saved, seed)
    rule = np.setdiff1d(np.flatnonzero(saved.ruled >= 0), inside)
    margin, _ = saved.came(rule, saved.ruled[rule], rng)
    chosen = drawn(saved, inside, rng)
    both = np.concatenate([rule, inside])
    arms, came = np.concatenate([saved.ruled[rule], chosen.arm]), np.concatenate([margin, chosen.outcome])
    chances = np.vstack([np.full((len(rule), len(ARMS)), np.nan), chosen.propensities])
    truth = dict(zip(ARMS[1:], (saved.effects + COSTS)[both].mean(axis=0)[1:].tolist(), strict=True))
    weighted = weighted_differences(ARMS, arms, chances, came)
    reasons = [_reason(saved, rule, margin, claimed=claimed) for claimed in (False, True)]
    return Refusals(len(rule), reasons[0], reasons[1], truth, naive_differences(ARMS, arms, came), weighted)


def _reason(saved: Saved, rule: Codes, margin: Matrix, *, claimed: bool) -> str:
    """Return why the rule's log teaches nothing, of what it gave to enough customers for an arm."""
    counts = np.bincount(saved.ruled[rule], minlength=len(ARMS))
    common = np.flatnonzero(counts >= _FEWEST)
    kept = np.isin(saved.ruled[rule], common)
    arm = np.searchsorted(common, saved.ruled[rule][kept])
    shares = counts[common] / counts[common].sum() if claimed else np.full(len(common), np.nan)
    chances, names = np.tile(shares, (len(arm), 1)), tuple(ARMS[one] for one in common)
    found = learn_uplift(saved.features[rule[kept]], arm, chances, margin[kept], names)
    return found.reason if isinstance(found, NoEvidence) else _TAKEN


def refused(reason: str) -> bool:
    """Return whether a log was refused, by what became of it."""
    return reason != _TAKEN


@dataclass(frozen=True)
class Nulls:
    """Of so many experiments without any effect, how many made a claim, and how many were refused."""

    redraws: int
    claims: int
    refused: int


def nulls(saved: Saved, redraws: int, seed: int, say: Callable[[str], None]) -> Nulls:
    """Return what experiments teach whose arms are drawn, and then nothing is done to anybody.

    Each takes other customers, and a coin for each; their margin is that of futures in which they were left in peace.
    """
    claims = refusals_made = 0
    for number in range(redraws):
        say(f"experiment without effects {number + 1} of {redraws}")
        rng = np.random.default_rng([seed, 3, number])
        rows = rng.choice(len(saved), min(NULL_CUSTOMERS, len(saved)), replace=False)
        margin, _ = saved.came(rows, np.zeros(len(rows), dtype=np.intp), rng)
        coin = rng.integers(2, size=len(rows))
        data = Randomised(saved.features[rows], coin, np.full((len(rows), 2), 0.5), margin, ("nothing", "nothing too"))
        found = learn_uplift(data.features, data.arm, data.propensities, data.outcome, data.arms, seed=number)
        refusals_made += isinstance(found, NoEvidence)
        claims += not isinstance(found, NoEvidence) and found.claims
    return Nulls(redraws, claims, refusals_made)
