"""What may be said of an action: helps, costs more than it brings, harms, or not yet, and then how much longer.

All questions of a report share one error: of reports on actions that do nothing at most one in twenty says that one
helps or harms. Holm's procedure divides it, among actions and, with half of the error each, among their segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from churnml.policy.measurement import LEVEL, Estimate
from churnml.policy.sequences import always_valid, always_valid_p, half_width

Kind = Literal["helps", "loses", "harms", "not_yet", "never", "open_end", "too_few"]
"""`open_end`: the planned end has come and it is still open. `loses`: what it brings is less than it costs."""

ERROR: Final = 1 - LEVEL
POWER: Final = 0.8
_ENDLESS: Final = 1e5
"""Spreads per effect beyond which no number of cases is worth naming: it would be ten thousand millions."""
FEWEST: Final = 50
"""Customers that each arm must have before anything is said: below, intervals by the normal law miss too often."""


@dataclass(frozen=True)
class Asked:
    """One question: an action, everywhere or in a segment.

    Parameters
    ----------
    net : Estimate
        Change of margin less the cost of the action, per treated case, adjusted.
    gross : Estimate
        The same before its cost.
    smaller_arm : int
        Customers in the smaller arm.
    planned : int
        Cases at the planned end, or where there is none, those at which the always-valid interval is narrowest.
    a_week : float
        Cases that come in a week.
    """

    net: Estimate
    gross: Estimate
    smaller_arm: int
    planned: int
    a_week: float


@dataclass(frozen=True)
class Wait:
    """How much longer, if the effect is what it looks like now.

    Parameters
    ----------
    needed : int or None
        Cases in all with which it would be told in four of five experiments: by the interval that holds at every look,
        or at the planned end if that comes first; once it is over, by the next campaign. None if no number would, for
        nothing is seen of it.
    weeks : float or None
        Until they have begun, at the present pace; None where none come any more.
    at_end : bool
        Whether it is the planned end that is expected to tell.
    smallest : float
        Net effect per case that the planned end tells in four of five experiments.
    """

    needed: int | None
    weeks: float | None
    at_end: bool
    smallest: float


@dataclass(frozen=True)
class Judged:
    """The verdict on one question.

    Parameters
    ----------
    kind : Kind
    low, high : float
        The interval of the net effect that counts now: 95 %, fixed at the planned end, always-valid before.
    p : float
        The p-value that goes with it.
    ended : bool
        Whether the planned end has come.
    questions : int
        How many share the error with it.
    wait : Wait or None
        Where nothing is conclusive.
    """

    kind: Kind
    low: float
    high: float
    p: float
    ended: bool
    questions: int
    wait: Wait | None

    @property
    def alone(self) -> bool:
        """Whether its interval leaves zero out and yet, among so many questions, that is not enough to claim it."""
        return self.kind in {"not_yet", "never", "open_end"} and not self.low <= 0 <= self.high

    @property
    def claims(self) -> bool:
        """Whether anything is claimed."""
        return self.kind in {"helps", "loses", "harms"}


def judge(
    asked: Sequence[Asked], *, ended: bool, longest_weeks: float, error: float = ERROR, ends: bool = True
) -> list[Judged]:
    """Return the verdict on each of several questions that share one error.

    Parameters
    ----------
    asked : sequence of Asked
    ended : bool
        Whether the planned end has come; then the estimates are those of the planned cases.
    longest_weeks : float
        Who would have to wait longer is told that it will never be conclusive at this size.
    error : float, default 0.05
        Share of reports that may claim something of actions that do nothing.
    ends : bool, default True
        Whether there is a planned end at all; where there is none, no wait is until then.
    """
    able = np.array([one.smaller_arm >= FEWEST for one in asked], dtype=np.bool_)
    p = np.array([_p(one.net, one.planned, ended=ended) for one in asked])
    sure = np.zeros(len(asked), dtype=np.bool_)
    sure[able] = holm(p[able], error)
    strict = error / max(int(able.sum()), 1)
    found = []
    for one, may, certain, value in zip(asked, able.tolist(), sure.tolist(), p.tolist(), strict=True):
        low, high = one.net.fixed() if ended else always_valid(one.net, one.planned)
        kind, wait = _verdict(one, may, certain, strict, longest_weeks, ended=ended, ends=ends)
        found.append(Judged(kind, low, high, value, ended, len(asked), wait))
    return found


def holm(p: npt.NDArray[np.float64], error: float = ERROR) -> npt.NDArray[np.bool_]:
    """Return which of several hypotheses are rejected, so that with `error` at most one true one is.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6(2),
    65-70.

    Examples
    --------
    >>> holm(np.array([0.02, 0.3, 0.001])).tolist()
    [True, False, True]
    """
    order = np.argsort(p, kind="stable")
    passed = p[order] <= error / (len(p) - np.arange(len(p)))
    rejected = np.zeros(len(p), dtype=np.bool_)
    rejected[order] = np.cumprod(passed).astype(np.bool_)
    return rejected


def _verdict(  # one line for each thing that may be said
    one: Asked,
    able: bool,  # noqa: FBT001  # passed on
    certain: bool,  # noqa: FBT001
    strict: float,
    longest_weeks: float,
    *,
    ended: bool,
    ends: bool,
) -> tuple[Kind, Wait | None]:
    wait = _wait(one, strict, ended=ended, ends=ends)
    if not able:
        return "too_few", wait
    if certain and one.net.value > 0:
        return "helps", None
    if certain:
        worse = one.gross.value < 0 and _p(one.gross, one.planned, ended=ended) <= strict
        return ("harms" if worse else "loses"), None
    if ended:
        return "open_end", wait
    return ("never" if wait.weeks is None or wait.weeks > longest_weeks else "not_yet"), wait


def _p(found: Estimate, planned: int, *, ended: bool) -> float:
    return found.p if ended else always_valid_p(found, planned)


def _wait(one: Asked, error: float, *, ended: bool, ends: bool) -> Wait:
    """Return how many cases it takes to tell an effect of the size that is seen.

    `error` is this question's share of the error of all. For an end fixed beforehand as Lachin (1981, eq. 1); for a
    look at any time, the first number at which the always-valid interval is as much narrower than the effect.
    """
    power, size, spread = float(norm.ppf(POWER)), abs(one.net.value), one.net.spread
    tells = (float(norm.ppf(1 - error / 2)) + power) * spread
    smallest = tells / float(np.sqrt(max(one.planned, 1)))
    if not 0 < tells < size * _ENDLESS:
        return Wait(None, None, at_end=False, smallest=smallest)
    needed, at_end = int(np.ceil((tells / size) ** 2)), False
    if not ended:
        running = _first_told(size, power, spread, one.planned, error)
        at_end = ends and needed <= one.planned <= running
        needed = one.planned if at_end else running
    more = max(needed - one.net.n, 0)
    weeks = more / one.a_week if one.a_week > 0 else None if more else 0.0
    return Wait(needed, weeks, at_end, smallest)


def _first_told(size: float, power: float, spread: float, planned: int, error: float) -> int:
    """Return the least number of cases whose always-valid interval would leave zero out, by bisection."""

    def tells(n: int) -> bool:
        off = spread / float(np.sqrt(n))
        return half_width(off, n, planned, error) + power * off <= size

    low, high = 1, 2
    while not tells(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if tells(middle) else (middle, high)
    return high
