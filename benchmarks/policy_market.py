"""What choosing by learned effects is worth where the truth is known: goals of a simulated market.

`python -m benchmarks.policy_market` lives a market to one morning, draws actions for three customers in ten, learns
from what came, gives the others actions within a budget, and holds all of it against the truth and against what could
be known from the same features (`observable_oracle.py`). Experiments are redrawn from that one morning. It prints each
figure with its interval and its goal; `--json` prints the same as one object. Simulated evidence.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from benchmarks.market_experiment import (
    BUDGETS,
    DOG,
    Ceiling,
    Judged,
    Matrix,
    ceiling,
    drawn,
    expected_margin,
    if_averages_were_known,
    if_unproven_were_used,
    judge_learned,
    learn,
    provable,
    slice_of,
)
from benchmarks.market_redraws import FIXED, WATCHED, WATCHED_FIXED, Coverage, binomial, coverage
from benchmarks.market_refusals import NULL_CUSTOMERS, Nulls, Refusals, nulls, refusals, refused
from benchmarks.observable_oracle import expected_effects
from benchmarks.saved_market import ARMS, Saved, saved_market
from churnml.modeling.uplift import Measured, NoEvidence

REGRET, RANK, DOGS, NULL, WATCHED_GOAL = 0.10, 0.60, 1.5, 0.05, 0.95
FIXED_GOAL = (0.93, 0.97)


@dataclass(frozen=True)
class Line:
    """A figure beside its goal."""

    what: str
    found: Measured
    goal: str
    met: bool
    sure: bool = True

    @property
    def verdict(self) -> str:
        """Whether the goal is met, and whether its interval says so too."""
        return "not met" if not self.met else "met" if self.sure else "met on the mean, not beyond noise"


@dataclass(frozen=True)
class Found:
    """All that a run found."""

    customers: int
    population: int
    drawn: int
    futures: int
    limits: Ceiling
    learned: tuple[Judged, ...]
    known: tuple[Matrix, ...]
    unproven: tuple[Matrix, ...]
    provable: tuple[Matrix, ...]
    coverage: Coverage
    nulls: Nulls
    refusals: Refusals


def run(saved: Saved, *, learned: int, redraws: int, null: int, seed: int) -> Found:
    """Return all figures of one morning."""
    say("asking about logs that are no experiments")
    said = refusals(saved, seed)
    say("teaching the observable oracle")
    oracle = expected_effects(saved.features, saved.effects, seed)
    dogs = expected_effects(saved.latent, saved.stays, seed) < DOG
    inside = slice_of(saved, seed)
    others = np.setdiff1d(np.arange(len(saved)), inside)
    limits = ceiling(saved, oracle, dogs, others)
    judged, known, unproven, shows = [], [], [], []
    for number in range(learned):
        say(f"learning from experiment {number + 1} of {learned}")
        data = drawn(saved, inside, np.random.default_rng([seed, 4, number]))
        told = learn(data, number)
        judged.append(judge_learned(saved, inside, data, told, limits, dogs, others))
        known.append(if_averages_were_known(saved, told, limits, others))
        unproven.append(if_unproven_were_used(saved, told, limits, others))
        if not isinstance(told, NoEvidence):
            shows.append(provable(data, expected_margin(told, data.features), oracle[inside]))
    covered = coverage(saved, redraws, seed, say)
    quiet = nulls(saved, null, seed, say)
    sizes = saved.market.customers, len(saved), len(inside), saved.futures
    tried = tuple(judged), tuple(known), tuple(unproven), tuple(shows)
    return Found(*sizes, limits, *tried, covered, quiet, said)


def lines(found: Found) -> list[Line]:
    """Return every figure beside its goal."""
    return [*_policies(found), *_orders(found), *_dogs(found), *_intervals(found.coverage), *_honesty(found)]


def _policies(found: Found) -> list[Line]:
    regrets = np.array([found.limits.regret(one) for one in found.learned])
    return [
        _at_most(f"regret, {share:.0%} of the free budget", _over(regrets[:, place]), REGRET)
        for place, share in enumerate(BUDGETS)
    ]


def _orders(found: Found) -> list[Line]:
    ranks = np.array([one.ranks for one in found.learned]) / found.limits.judged.ranks
    return [
        _at_least(f"rank correlation, {name}, share of its ceiling", _over(ranks[:, place]), RANK)
        for place, name in enumerate(ARMS[1:])
    ]


def _dogs(found: Found) -> list[Line]:
    ours = np.array([one.dogs for one in found.learned])
    chance = np.array([one.dogs_at_random for one in found.learned])
    shown = []
    for place, share in enumerate(BUDGETS):
        where = f"sleeping dogs contacted, {share:.0%} of the free budget"
        ceiling_share = max(float(found.limits.judged.dogs[place]), np.finfo(float).tiny)
        shown.append(_at_most(f"{where}, times the oracle's", _over(ours[:, place] / ceiling_share), DOGS))
        less = _over(ours[:, place] - chance[:, place])
        shown.append(Line(f"{where}, less the share at random", less, "below 0", less.value < 0, less.high < 0))
    return shown


def _intervals(found: Coverage) -> list[Line]:
    low, high = FIXED_GOAL
    shown = []
    for place, action in enumerate(ARMS[1:]):
        for name in FIXED:
            share = found.share(name, place)
            met = low <= share.value <= high
            shown.append(Line(f"coverage, {action}, {name}", share, f"{low:.0%} to {high:.0%}", met))
        shown.append(_at_least(f"coverage, {action}, {WATCHED}", found.share(WATCHED, place), WATCHED_GOAL))
    return shown


def _honesty(found: Found) -> list[Line]:
    said = found.refusals
    no = [refused(said.as_recorded), refused(said.as_claimed)]
    inside = [one.low <= said.truth[name] <= one.high for name, one in said.weighted.items()]
    off = [not one.low <= said.truth[name] <= one.high for name, one in said.naive.items()]
    return [
        _at_most("uplift claimed without effects", binomial(found.nulls.claims, found.nulls.redraws), NULL),
        Line("logs of the rule refused, as recorded and as claimed", _exactly(np.mean(no)), "both", all(no)),
        Line("actions whose truth the slice's interval holds", _exactly(np.mean(inside)), "all", all(inside)),
        Line("actions whose truth the naive interval misses", _exactly(np.mean(off)), "any", any(off)),
    ]


def _over(values: Matrix) -> Measured:
    """Return the mean over redraws with Student's interval."""
    middle, n = float(values.mean()), len(values)
    half = float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return Measured(middle, middle - half, middle + half)


def _exactly(value: npt.ArrayLike) -> Measured:
    return Measured(*(float(np.asarray(value)),) * 3)


def _at_most(what: str, found: Measured, goal: float) -> Line:
    return Line(what, found, f"at most {goal:g}", found.value <= goal, found.high <= goal)


def _at_least(what: str, found: Measured, goal: float) -> Line:
    return Line(what, found, f"at least {goal:g}", found.value >= goal, found.low >= goal)


def table(shown: Sequence[Line]) -> str:
    """Return the Markdown table of figures and goals."""
    rows = [f"| {one.what} | {_shown(one.found)} | {one.goal} | {one.verdict} |" for one in shown]
    return "\n".join(["| figure (simulated) | found | goal | |", "|---|---:|---|---|", *rows])


def values(found: Found) -> str:
    """Return the Markdown table of what policies are worth per customer, by budget."""
    ours = np.array([one.values for one in found.learned])
    known, unproven = np.array(found.known), np.array(found.unproven)
    heads = [
        "| budget per customer | ours | by unproven orders | if averages were known | observable oracle | its bound |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    n = found.population - found.drawn
    rows = [
        f"| {found.limits.budgets[place] / n:.2f} | {_shown(_over(ours[:, place]))} | "
        f"{_shown(_over(unproven[:, place]))} | {_shown(_over(known[:, place]))} | "
        f"{found.limits.judged.values[place]:.2f} | {found.limits.bounds[place]:.2f} |"
        for place in range(len(BUDGETS))
    ]
    return "\n".join(heads + rows)


def story(found: Found) -> str:
    """Return what stands beside the figures, in sentences."""
    said, first = found.refusals, ARMS[1]
    ranks = ", ".join(f"{name} {rank:.2f}" for name, rank in zip(ARMS[1:], found.limits.judged.ranks, strict=True))
    truth = ", ".join(f"{name} {value:.2f}" for name, value in said.truth.items())
    errors = np.mean(found.provable, axis=0) if found.provable else np.zeros(len(ARMS) - 1)
    shows = ", ".join(f"{name} {error:.1f}" for name, error in zip(ARMS[1:], errors, strict=True))
    watched = [found.coverage.share(WATCHED_FIXED, place).value for place in range(len(ARMS) - 1)]
    return (
        f"Simulated: {found.customers:,} customers, {found.population:,} in the population on that morning, "
        f"{found.drawn:,} of them drawn; {found.futures} futures of each under each action; experiments learned from "
        f"{len(found.learned)}, redrawn for intervals {found.coverage.redraws:,}, without effects "
        f"{found.nulls.redraws} of {NULL_CUSTOMERS} customers ({found.nulls.refused} refused as no experiment).\n"
        f"Rank correlation of the observable oracle with the truth, the ceiling: {ranks}.\n"
        f"Experiments taken for one: {sum(one.evidence for one in found.learned)}; orders proven, of "
        f"{len(ARMS) - 1} actions each: {', '.join(str(one.orders) for one in found.learned)}.\n"
        f"Standard errors at which the oracle's own order, beyond the average in proportion, would show in such an "
        f"experiment to who was told it and asked about nothing else: {shows}.\n"
        f"The rule's log of {said.customers:,} customers: refused as `{said.as_recorded}`, and if claimed to be drawn "
        f"by chance as `{said.as_claimed}`. True average effects on margin, before costs: {truth}; of {first} the "
        f"naive difference says {_shown(said.naive[first])}, the slice {_shown(said.weighted[first])}.\n"
        f"A fixed interval that is looked at every week holds throughout in {min(watched):.0%} to {max(watched):.0%}."
    )


def _shown(found: Measured) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def say(words: str) -> None:
    """Tell how far it is, on standard error."""
    print(words, file=sys.stderr, flush=True)


def main() -> None:
    """Live, learn, judge and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policy_market", description=__doc__)
    parser.add_argument("--customers", type=int, default=30_000, help="of the market; three in five are judged")
    parser.add_argument("--futures", type=int, default=20, help="of each customer under each action")
    parser.add_argument("--learned", type=int, default=5, help="experiments to learn from, at least 2")
    parser.add_argument("--redraws", type=int, default=1_000, help="experiments to ask intervals of")
    parser.add_argument("--null", type=int, default=60, help="experiments without effects")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workspace", type=Path, help="where the market is kept and found again; by default nowhere")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="churnml-market-") as folder:
        place = options.workspace or Path(folder) / "workspace"
        saved = saved_market(place, options.customers, options.futures, options.seed, say)
        how = {name: getattr(options, name) for name in ("learned", "redraws", "null", "seed")}
        found = run(saved, **how)
    shown = lines(found)
    if options.json:
        print(json.dumps({"lines": [asdict(one) for one in shown], "found": asdict(found)}, default=np.ndarray.tolist))
    else:
        print("\n\n".join([table(shown), values(found), story(found)]))


if __name__ == "__main__":
    main()
