"""Whom a mail brings back, judged on Hillstrom's experiment: orders by uplift, and what choosing by customer is worth.

`python -m benchmarks.policy --hillstrom FILE` takes ten stratified folds; each customer is judged by learners that
others taught, and folds are pooled. It prints the Qini per 1,000 of every learner, women's and men's mail each against
none, beside the figures of the prototype, and the worth of the policy; `--json` prints the same as one object.

The data: Hillstrom, K. (2008), MineThatData e-mail analytics challenge; 64,000 customers, visit within two weeks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from churnml.modeling.uplift import (
    Measured,
    Randomised,
    Uplift,
    arm_scores,
    fit_uplift,
    qini_by_counts,
    randomisation,
)
from churnml.modeling.uplift.order import mean_interval
from churnml.modeling.uplift.responses import fold_of

Matrix = npt.NDArray[np.float64]

FOLDS = 10
OURS, RESPONSE = "ours", "ranked by response to the mail"
ARMS = ("No E-Mail", "Womens E-Mail", "Mens E-Mail")
GOALS = {"Womens E-Mail": 7.5, "Mens E-Mail": 3.5}
# figures of a prototype on the same protocol, women's and men's mail
PROTOTYPE = {
    "T trees": ("7.67", "1.59"),
    "X trees": ("7.56", "-0.70"),
    "S trees": ("7.26", "1.28"),
    "DR ridge": ("7.31", "0.37"),
    RESPONSE: ("4.54", "3.28 to 3.62"),
    OURS: ("6.94", "2.50"),
}
_NUMBERS, _WORDS = ("recency", "history", "mens", "womens", "newbie"), ("zip_code", "channel")
_EQUAL = 1 / len(ARMS)


@dataclass(frozen=True)
class Found:
    """What the run found; `qini` is per 1,000 customers, by method and arm, `policy` the gain over the best arm."""

    customers: int
    randomised: bool
    qini: dict[str, dict[str, Measured]]
    stack_accepted: dict[str, int]
    best_arm: dict[str, int]
    policy: Measured
    chosen_anyway: Measured


def hillstrom(file: Path) -> Randomised:
    """Return the experiment as it was run: three arms with equal propensities."""
    table = pq.read_table(file)
    arm = np.array([ARMS.index(name) for name in table["segment"].to_pylist()])
    visit = np.asarray(table["visit"], dtype=np.float64)
    return Randomised(_features(table), arm, np.full((len(arm), len(ARMS)), _EQUAL), visit, ARMS)


def _features(table: pa.Table) -> Matrix:
    columns = [np.asarray(table[name], dtype=np.float64) for name in _NUMBERS]
    for name in _WORDS:
        words = np.array(table[name].to_pylist())
        columns += [(words == word).astype(np.float64) for word in np.unique(words)]
    return np.column_stack(columns)


def judged(data: Randomised, folds: int = FOLDS, seed: int = 1) -> Found:
    """Return how every learner and the policy did, of customers by others."""
    fold = fold_of(data.arm * 2 + (data.outcome > 0), folds, seed)
    said: dict[tuple[str, str], Matrix] = {}
    responses = np.zeros((len(data), len(data.arms)))
    chosen, anyway, best = (np.zeros(len(data), dtype=np.intp) for _ in range(3))
    accepted = dict.fromkeys(data.arms[1:], 0)
    for number in range(folds):
        out = fold == number
        print(f"fold {number + 1} of {folds}", file=sys.stderr, flush=True)
        found, rows = fit_uplift(data.take(~out), seed=seed), data.features[out]
        for name, method, effect in _said(found, rows):
            said.setdefault((method, name), np.zeros(len(data)))[out] = effect
        responses[out] = _responses(found, rows)
        chosen[out], best[out] = found.choose(rows), found.best
        anyway[out] = np.argmax(found.effect(rows) - found.costs, axis=1)
        for arm in found.arms:
            accepted[arm.name] += arm.accepted
    worth = arm_scores(data, responses)
    return Found(
        len(data),
        randomisation(data).passed,
        _qinis(data, said),
        accepted,
        {data.arms[one]: int((best == one).sum()) for one in np.unique(best)},
        _gain(worth, chosen, best),
        _gain(worth, anyway, best),
    )


def _said(found: Uplift, rows: Matrix) -> Iterator[tuple[str, str, Matrix]]:
    """Give arm, method and what the method says of each customer."""
    for arm in found.arms:
        yield from ((arm.name, method, learner(rows)) for method, learner in arm.fitted.effects.items())
        yield arm.name, RESPONSE, arm.fitted.treated(rows)
        yield arm.name, "ranked by response to none", arm.fitted.control(rows)
        yield arm.name, "constant on the logit", arm.fitted.constant(rows)
        yield arm.name, OURS, arm.effect(rows)


def _responses(found: Uplift, rows: Matrix) -> Matrix:
    control = np.mean([arm.fitted.control(rows) for arm in found.arms], axis=0)
    return np.column_stack([control, *(arm.fitted.treated(rows) for arm in found.arms)])


def _qinis(data: Randomised, said: Mapping[tuple[str, str], Matrix]) -> dict[str, dict[str, Measured]]:
    found: dict[str, dict[str, Measured]] = {}
    for (method, name), effect in said.items():
        arm = data.arms.index(name)
        rows = (data.arm == 0) | (data.arm == arm)
        area = qini_by_counts(data.arm[rows] == arm, data.outcome[rows], effect[rows])
        found.setdefault(method, {})[name] = _thousand(area)
    return found


def _gain(worth: Matrix, chosen: npt.NDArray[np.intp], best: npt.NDArray[np.intp]) -> Measured:
    """Return what a choice is worth beyond the single arm that the same folds found best, per 1,000, paired."""
    rows = np.arange(len(chosen))
    return _thousand(mean_interval(worth[rows, chosen] - worth[rows, best]))


def _thousand(found: Measured) -> Measured:
    return Measured(1_000 * found.value, 1_000 * found.low, 1_000 * found.high)


def table(found: Found) -> str:
    """Return the Markdown table of Qinis beside the prototype's, and the goals."""
    lines = [
        f"| Qini per 1,000 | {' | '.join(f'{arm} | prototype' for arm in ARMS[1:])} |",
        "|---|---:|---:|---:|---:|",
    ]
    for method, by_arm in sorted(found.qini.items(), key=lambda item: item[0] == OURS):
        before = PROTOTYPE.get(method, ("", ""))
        cells = [f"{_shown(by_arm[arm])} | {told}" for arm, told in zip(ARMS[1:], before, strict=True)]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    lines.append(f"| goal | {' | '.join(f'{goal:.2f} | {_verdict(found, arm)}' for arm, goal in GOALS.items())} |")
    return "\n".join(lines)


def _verdict(found: Found, arm: str) -> str:
    return "met" if found.qini[OURS][arm].value >= GOALS[arm] else "not met"


def policy(found: Found) -> str:
    """Return what the policy is worth beside the best single arm, in sentences."""
    best = ", ".join(f"{name} for {count:,} customers" for name, count in found.best_arm.items())
    held = "not worth less" if found.policy.high >= 0 else "worth less"
    return (
        f"Best single arm, found by the other folds: {best}.\n"
        f"The policy's visits per 1,000 customers beyond it: {_shown(found.policy)}, {held} than the best single arm.\n"
        f"Choosing by customer whether proven or not: {_shown(found.chosen_anyway)}.\n"
        f"Folds that accepted the stack: {', '.join(f'{arm} {n}' for arm, n in found.stack_accepted.items())}.\n"
        f"The draw passes the test for randomisation: {'yes' if found.randomised else 'no'}."
    )


def _shown(found: Measured) -> str:
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def main() -> None:
    """Judge and print; without the file, say so and end well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policy", description=__doc__)
    parser.add_argument("--hillstrom", type=Path, required=True, help="Hillstrom's table as Parquet")
    parser.add_argument("--folds", type=int, default=FOLDS, help="folds that customers are judged in; 10")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if not options.hillstrom.is_file():
        print(f"skipped: there is no file {options.hillstrom}; name Hillstrom's table as Parquet", file=sys.stderr)
        return
    found = judged(hillstrom(options.hillstrom), options.folds)
    print(json.dumps(asdict(found)) if options.json else f"{table(found)}\n\n{policy(found)}")


if __name__ == "__main__":
    main()
