"""The effect of each action, in all and by segment: estimates, the sample ratio, how it ran, and what may be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from churnml.policy.learned import MeasuredEffect, measured_effect
from churnml.policy.measurement import Estimate, Scores, Trial, cuped, difference, doubly_robust
from churnml.policy.sample_ratio import SampleRatio, sample_ratio
from churnml.policy.sequences import always_valid
from churnml.policy.verdicts import ERROR, Asked, Judged, judge

Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

NET, MARGIN, CHURN = 0, 1, 2
"""The columns of the outcomes of a trial: margin less cost, margin, and 1 for who left."""

Blocked = Literal["no_randomised", "empty_arm", "sample_ratio", "predictable"]
"""Why nothing is said of an action whatever its figures are; `predictable`: features tell who was treated."""

WEEK: Final = 7 * 86_400_000_000
MOST_LOOKS: Final = 60


@dataclass(frozen=True)
class Experiment:
    """An action's cases as they are to be judged.

    Parameters
    ----------
    trial : Trial
        With `NET`, `MARGIN` and `CHURN` as outcomes.
    begun : ndarray of int64, shape (n_cases,)
        When each case began; microseconds UTC.
    in_plan : ndarray of bool, shape (n_cases,)
        Which cases are those of the planned end.
    planned : int
        Cases expected at the planned end; where there is none, those at which the always-valid interval is narrowest.
    segments : mapping of str to ndarray of bool
        Which cases belong to each segment; empty where nobody asked.
    blocked : Blocked, optional
        What was found before: a log that is no experiment.
    """

    trial: Trial
    begun: Integers
    in_plan: Bools
    planned: int
    segments: Mapping[str, Bools]
    blocked: Blocked | None = None


@dataclass(frozen=True)
class Look:
    """How the always-valid interval of the net effect stood when the cases begun before an instant had closed."""

    begun_before: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Effect:
    """What is known of an action, everywhere or in a segment; estimates are per case.

    Parameters
    ----------
    plain, cuped, adjusted : Estimate
        Margin less cost: difference of means, less what the past explains, doubly robust.
    margin, churn : Estimate
        Change of margin before cost, and of the share who leave; doubly robust.
    without : float
        Share of those untreated who leave.
    treated, controls : int
        Cases.
    planned : int
        Cases expected at the planned end, at which its always-valid intervals are narrowest.
    judged : Judged or None
        The verdict, by `adjusted`; None where the action is blocked.
    """

    plain: Estimate
    cuped: Estimate
    adjusted: Estimate
    margin: Estimate
    churn: Estimate
    without: float
    treated: int
    controls: int
    planned: int
    judged: Judged | None


@dataclass(frozen=True)
class ActionEffect:
    """What is known of an action.

    Parameters
    ----------
    blocked : Blocked or None
        Why nothing is claimed and the prior is kept; None where the log was an experiment.
    ratio : SampleRatio
    overall : Effect or None
        None where an arm is empty.
    segments : mapping of str to Effect
    looks : tuple of Look
        One a week, at most sixty.
    measured : MeasuredEffect or None
        For the next assignment; None where the action is blocked or too few were treated.
    """

    blocked: Blocked | None
    ratio: SampleRatio
    overall: Effect | None
    segments: Mapping[str, Effect]
    looks: tuple[Look, ...]
    measured: MeasuredEffect | None


def measure(
    experiments: Mapping[str, Experiment], *, ended: bool, longest_weeks: float, seed: int = 0, ends: bool = True
) -> dict[str, ActionEffect]:
    """Return the effects of all actions, their claims sharing one error.

    Parameters
    ----------
    experiments : mapping of str to Experiment
        By action.
    ended : bool
        Whether the planned end has come: then the planned cases alone are judged, by fixed intervals.
    longest_weeks : float
        As in `judge`.
    seed : int, default 0
        Of the folds of the adjustment.
    ends : bool, default True
        Whether there is a planned end; of several campaigns there is none in common.
    """
    ready = {name: _Ready.of(one, ended=ended, seed=seed) for name, one in experiments.items()}
    asked = [(name, segment) for name, one in ready.items() for segment in one.questions]
    error = ERROR / 2 if any(segment for _, segment in asked) else ERROR
    judged: dict[tuple[str, str], Judged] = {}
    for family in ([key for key in asked if not key[1]], [key for key in asked if key[1]]):
        questions = [ready[name].question(segment) for name, segment in family]
        found = judge(questions, ended=ended, longest_weeks=longest_weeks, error=error, ends=ends)
        judged |= dict(zip(family, found, strict=True))
    return {
        name: one.told({segment: judged[name, segment] for segment in one.questions}) for name, one in ready.items()
    }


@dataclass(frozen=True)
class _Ready:
    """An experiment with its scores, the cases that count now, and what was found before any figure."""

    one: Experiment
    ratio: SampleRatio
    blocked: Blocked | None
    scores: Scores | None
    counted: Bools

    @classmethod
    def of(cls, one: Experiment, *, ended: bool, seed: int) -> _Ready:
        ratio = sample_ratio(one.trial.treated, one.trial.propensity)
        scores = doubly_robust(one.trial, seed) if _both_arms(one.trial) else None
        counted = one.in_plan if ended else np.ones_like(one.in_plan)
        return cls(one, ratio, _blocked(one, ratio), scores, counted)

    @property
    def questions(self) -> tuple[str, ...]:
        """What is asked of it: everywhere (an empty text), and each segment; nothing where it is blocked."""
        return () if self.blocked else ("", *self.one.segments)

    def rows(self, segment: str) -> Bools:
        """Return the cases that count, everywhere or in a segment."""
        return self.counted & self.one.segments[segment] if segment else self.counted

    def planned(self, rows: Bools) -> int:
        """Return how many cases of a part there will be at the planned end, if its share stays."""
        return max(round(self.one.planned * float(rows.sum()) / max(float(self.counted.sum()), 1.0)), 1)

    def question(self, segment: str) -> Asked:
        """Return what is to be judged."""
        rows, scores = self.rows(segment), self._scored
        begun = self.one.begun[rows]
        weeks = max((int(begun.max()) - int(begun.min())) / WEEK, 1.0) if len(begun) else 1.0
        net, margin = scores.effect(NET, rows), scores.effect(MARGIN, rows)
        return Asked(net, margin, self.one.trial.take(rows).smaller_arm, self.planned(rows), len(begun) / weeks)

    def effect(self, rows: Bools, judged: Judged | None) -> Effect:
        """Return what is known of some cases."""
        trial, scores, treated = self.one.trial, self._scored, int(self.one.trial.treated[rows].sum())
        some = trial.take(rows)
        return Effect(
            plain=difference(some).effect(NET),
            cuped=cuped(some).effect(NET),
            adjusted=scores.effect(NET, rows),
            margin=scores.effect(MARGIN, rows),
            churn=scores.effect(CHURN, rows),
            without=float(scores.control[rows, CHURN].mean()),
            treated=treated,
            controls=int(rows.sum()) - treated,
            planned=self.planned(rows),
            judged=judged,
        )

    def told(self, judged: Mapping[str, Judged]) -> ActionEffect:
        """Return everything that is known of the action."""
        if self.scores is None or not _both_arms(self.one.trial.take(self.counted)):
            return ActionEffect(self.blocked, self.ratio, None, {}, (), None)
        overall, verdict = self.effect(self.counted, judged.get("")), judged.get("")
        segments = {
            segment: self.effect(self.rows(segment), judged.get(segment))
            for segment in self.one.segments
            if _both_arms(self.one.trial.take(self.rows(segment)))
        }
        measured = None
        if verdict is not None and verdict.kind != "too_few":
            scores = self.scores.take(self.counted)
            measured = measured_effect(scores, overall.adjusted.value, verdict, margin=MARGIN, churn=CHURN)
        return ActionEffect(self.blocked, self.ratio, overall, segments, _looks(self.one, self.scores), measured)

    @property
    def _scored(self) -> Scores:
        if self.scores is None:  # nothing is asked of an action with an empty arm
            raise ValueError("an action with an empty arm has no scores")
        return self.scores


def _both_arms(trial: Trial) -> bool:
    return bool(trial.treated.any() and (~trial.treated).any())


def _blocked(one: Experiment, ratio: SampleRatio) -> Blocked | None:
    if one.blocked is not None:
        return one.blocked
    if not len(one.trial):
        return "no_randomised"
    if not _both_arms(one.trial):
        return "empty_arm"
    return None if ratio.holds else "sample_ratio"


def _looks(one: Experiment, scored: Scores) -> tuple[Look, ...]:
    """Return how the always-valid interval ran, week by week and at the last case, adjusted as we adjust today."""
    first, last = int(one.begun.min()), int(one.begun.max())
    every = max(-(-(last - first + 1) // (WEEK * MOST_LOOKS)), 1) * WEEK
    found = []
    # the last week is cut where its last case began, so that no look lies later than the windows that have closed
    for before in [*range(first + every, last + 1, every), last + 1]:
        rows = one.begun < before
        if _both_arms(one.trial.take(rows)):
            net = scored.effect(NET, rows)
            found.append(Look(before, net.value, *always_valid(net, one.planned)))
    return tuple(found)
