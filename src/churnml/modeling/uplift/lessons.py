"""What a workspace's treatments teach, action by action: was it drawn by chance, does it help, whom, and whom not.

Each action is an experiment of its own: those who got it by chance against those who by chance did not, in margin and
in staying. What was chosen by a rule teaches nothing and is shown beside it, as the naive difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.events import Standing
from churnml.events.treatments import NOTHING, Comparison, Treatments, comparison
from churnml.features import FeatureTable
from churnml.modeling.design import fit_design
from churnml.modeling.uplift.cases import Cases, Window
from churnml.modeling.uplift.estimate import Uplift, fit_uplift
from churnml.modeling.uplift.evidence import Randomisation, naive_differences, randomisation, weighted_differences
from churnml.modeling.uplift.learned import Learned, Taught
from churnml.modeling.uplift.order import Measured
from churnml.modeling.uplift.randomised import Matrix, Randomised

Outcome = Literal["margin", "stayed"]
Reason = Literal["", "no_randomised", "few", "sample_ratio", "predictable"]

OUTCOMES: Final[tuple[Outcome, ...]] = ("margin", "stayed")
FEWEST = 100
"""Customers drawn by chance that each arm must hold."""

_LEAST = 2
_REPEATED = 3.0


@dataclass(frozen=True)
class Lesson:
    """What is known of one action.

    Attributes
    ----------
    taught : Taught
        Its uplifts, where there was evidence.
    reason : str
        Why there is none, else empty.
    treated, controls : int
        Decisions drawn by chance: carried out, and withheld.
    by_rule : int
        Others about this action, which teach nothing.
    once : bool
        Whether only each customer's first decision was used, because later ones were not drawn anew.
    drawn : Randomisation or None
        What the test for chance found; None where there was too little to test.
    naive, weighted : mapping of outcome to Measured
        The difference of means over everybody, and over those drawn by chance, weighted by inverse propensity.
    """

    taught: Taught
    reason: Reason
    treated: int
    controls: int
    by_rule: int
    once: bool
    drawn: Randomisation | None
    naive: dict[Outcome, Measured]
    weighted: dict[Outcome, Measured]


@dataclass(frozen=True)
class _Sample:
    """The rows of an action among the cases, those drawn by chance first."""

    action: str
    rows: npt.NDArray[np.intp]
    arm: npt.NDArray[np.intp]
    propensities: Matrix
    once: bool

    @property
    def drawn(self) -> npt.NDArray[np.bool_]:
        return ~np.isnan(self.propensities[:, 0])

    @property
    def arms(self) -> tuple[str, str]:
        return (NOTHING, self.action)


def learn(
    cases: Cases,
    window: Window,
    actions: Sequence[str],
    *,
    population_days: int,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> tuple[Learned, tuple[Lesson, ...]]:
    """Return what cases teach of each action, to be saved, and what was found on the way, to be told.

    Parameters
    ----------
    cases : Cases
        With final outcomes.
    window : Window
        In which they were looked for.
    actions : sequence of str
        All that is to be told of; those without cases have no evidence.
    population_days : int
        As in `features.build`; kept for whoever asks for effects.
    seed : int, default 0
    workers : int, default 1
        Fits that run side by side, which changes nothing in what is found.
    progress : callable
        Told how many fits are done, of how many.

    Returns
    -------
    learned : Learned
    lessons : tuple of Lesson
        In the order of `actions`.
    """
    table = _table(cases, window)
    design = fit_design(table, ())
    matrix = design.matrix(table, np.empty((len(table), 0)))
    samples = [_sample(cases.treatments, action) for action in actions]
    found = _Fits(cases, matrix, samples, seed).all(workers, progress)
    lessons = tuple(_lesson(cases, sample, *found[sample.action]) for sample in samples)
    taught = tuple(lesson.taught for lesson in lessons)
    return Learned(design, window.horizon_days, population_days, window.by, taught), lessons


def outcome_of(cases: Cases, outcome: Outcome) -> Matrix:
    """Return an outcome of the cases, more of it being better: margin in the currency, or staying, which is 1."""
    return cases.outcome if outcome == "margin" else (~cases.churned).astype(np.float64)


@dataclass(frozen=True)
class _Fits:
    """All that is fitted, and by what."""

    cases: Cases
    matrix: Matrix
    samples: list[_Sample]
    seed: int

    def all(
        self, workers: int, progress: Callable[[int, int], None]
    ) -> dict[str, tuple[Randomisation | None, dict[Outcome, Uplift]]]:
        """Return the test for chance and the uplifts of each action that has enough customers."""
        enough = [sample for sample in self.samples if _enough(sample)]
        # the limit is of the whole process, so it is held around all threads and not by each
        with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(workers) as pool:
            tests = dict(zip((one.action for one in enough), pool.map(self.test, enough), strict=True))
            jobs = [(one, outcome) for one in enough if tests[one.action].passed for outcome in OUTCOMES]
            fits: dict[str, dict[Outcome, Uplift]] = {one.action: {} for one in self.samples}
            fitted = pool.map(lambda job: self.fit(*job, experiments=max(len(jobs), 1)), jobs)
            for done, ((sample, outcome), uplift) in enumerate(zip(jobs, fitted, strict=True), start=1):
                fits[sample.action][outcome] = uplift
                progress(done, len(jobs))
        return {one.action: (tests.get(one.action), fits[one.action]) for one in self.samples}

    def test(self, sample: _Sample) -> Randomisation:
        return randomisation(self.data(sample, "margin"), self.seed)

    def fit(self, sample: _Sample, outcome: Outcome, *, experiments: int) -> Uplift:
        return fit_uplift(self.data(sample, outcome), seed=self.seed, experiments=experiments)

    def data(self, sample: _Sample, outcome: Outcome) -> Randomised:
        rows, drawn = sample.rows[sample.drawn], sample.drawn
        came = outcome_of(self.cases, outcome)[rows]
        return Randomised(self.matrix[rows], sample.arm[drawn], sample.propensities[drawn], came, sample.arms)


def _table(cases: Cases, window: Window) -> FeatureTable:
    log = cases.treatments
    everyone = np.full(len(cases), Standing.POPULATION, dtype=np.int8)
    return FeatureTable(
        log.customer_ids, log.cutoffs, everyone, cases.names, cases.features, cases.categories, window.by
    )


def _sample(log: Treatments, action: str) -> _Sample:
    drawn, once = _drawn_anew(log, comparison(log, action))
    others = log.action == action
    others[comparison(log, action).rows] = False
    by_rule = np.flatnonzero(others)
    unknown = np.full((len(by_rule), 2), np.nan)
    return _Sample(
        action,
        np.concatenate([drawn.rows, by_rule]),
        np.concatenate([drawn.treated, log.arm[by_rule]]).astype(np.intp),
        np.vstack([np.column_stack([1 - drawn.propensity, drawn.propensity]), unknown]),
        once,
    )


def _drawn_anew(log: Treatments, drawn: Comparison) -> tuple[Comparison, bool]:
    r"""Return the rows that tell something new, and whether some did not.

    Decisions about one customer count as many only if each was drawn anew. If a salt draws the same arm again,
    :math:`(w - e)` of one decision and of the next go together; then the first of each customer is all there is. Under
    new draws the sum of their products has mean 0 and the variance :math:`\sum e (1 - e) e' (1 - e')`.
    """
    who = log.customer_ids[drawn.rows].astype(str)
    order = np.lexsort((log.cutoffs[drawn.rows], who))
    again = who[order][1:] == who[order][:-1]
    e = drawn.propensity[order]
    off, spread = drawn.treated[order] - e, e * (1 - e)
    together = float((off[1:] * off[:-1])[again].sum())
    if together <= _REPEATED * float(np.sqrt((spread[1:] * spread[:-1])[again].sum())):
        return drawn, False
    first = np.sort(order[np.append(True, ~again)])
    return Comparison(drawn.rows[first], drawn.treated[first], drawn.propensity[first]), True


def _sizes(sample: _Sample) -> tuple[int, int]:
    """Return how many were treated and how many were not, of those drawn by chance."""
    arm = sample.arm[sample.drawn]
    return int((arm == 1).sum()), int((arm == 0).sum())


def _enough(sample: _Sample) -> bool:
    return min(_sizes(sample)) >= FEWEST


def _lesson(cases: Cases, sample: _Sample, drawn: Randomisation | None, uplifts: dict[Outcome, Uplift]) -> Lesson:
    naive: dict[Outcome, Measured] = {}
    weighted: dict[Outcome, Measured] = {}
    for outcome in OUTCOMES:
        came = outcome_of(cases, outcome)[sample.rows]
        if np.bincount(sample.arm, minlength=2).min() >= _LEAST and not sample.drawn.all():
            naive[outcome] = naive_differences(sample.arms, sample.arm, came)[sample.action]
        told = weighted_differences(sample.arms, sample.arm, sample.propensities, came)
        if told:
            weighted[outcome] = told[sample.action]
    treated, controls = _sizes(sample)
    return Lesson(
        Taught(sample.action, uplifts.get("margin"), uplifts.get("stayed")),
        _reason(sample, drawn),
        treated,
        controls,
        int((~sample.drawn).sum()),
        sample.once,
        drawn,
        naive,
        weighted,
    )


def _reason(sample: _Sample, drawn: Randomisation | None) -> Reason:
    if drawn is None:
        return "few" if sample.drawn.any() else "no_randomised"
    if not drawn.sample_ratio_holds:
        return "sample_ratio"
    return "predictable" if drawn.predictable else ""
