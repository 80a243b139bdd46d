"""Calibration: a rising map of the blended logit, taken only where it did better out of time than no map.

Four are tried: none (`raw`); a shift (`prior`, another rate of leaving); a stretch (`platt`); two stretches, one for
the likely and one for the unlikely (`beta`). All are one formula with three numbers,

    logit' = shift + high * ln(1 + e^logit) - low * ln(1 + e^-logit)

whose slope goes from `low` far below even odds to `high` far above. Both are at least a tenth, so nobody's place in the
order changes, and no tie comes up.

A season lifts or lowers everybody of a cutoff together, and a few cutoffs in a row tell nothing of the next one's. So a
stretch is learned beside a level of its own for each origin, and leaves the mean probability as it was; only `prior`
moves that, and it takes a year of origins. docs/adr/0020 has the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize
from scipy.stats import norm

from churnml.config import CALIBRATIONS, CalibrationAsked, CalibrationKind
from churnml.events.clock import DAY
from churnml.modeling.learners import sigmoid

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_LEAST_SLOPE = 0.1
_NEAR = 1e-6
_FEWEST = 100
_SIDES = 2
_YEAR = 364 * DAY
_FARTHEST = 40.0


@dataclass(frozen=True)
class Calibration:
    """A rising map of logits.

    Parameters
    ----------
    kind : {'raw', 'prior', 'platt', 'beta'}
        Which was fitted.
    low, high : float
        The slope far below even odds, and far above; equal but for beta.
    shift : float
        Added to every logit.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines, Advances in Large Margin Classifiers: slope and
    intercept. Kull, Silva Filho & Flach (2017), Beta calibration, AISTATS 54, section 3: `low` is their a, `high` their
    b, `shift` their c. Saerens, Latinne & Decaestecker (2002), Adjusting the outputs of a classifier to new a priori
    probabilities, Neural Computation 14(1), equation 2.4: another rate is a shift of the logit.

    Examples
    --------
    >>> Calibration("prior", shift=0.5)(np.array([-1.0, 0.0])).round(6).tolist()
    [-0.5, 0.5]
    """

    kind: CalibrationKind = "raw"
    low: float = 1.0
    high: float = 1.0
    shift: float = 0.0

    def __call__(self, logits: Matrix) -> Matrix:
        """Return the calibrated logits; shape as given, and raw ones to the last bit as they were."""
        if self.kind == "raw":
            return logits
        return np.asarray(self.high * _softplus(logits) - self.low * _softplus(-logits) + self.shift)

    def pace(self, start: Matrix, end: Matrix) -> Matrix:
        """Return by how much the calibrated logit moves for each unit from one logit to another; above 0.

        What parts added to a logit, times this, is what they added to the calibrated one: every part's slope, averaged
        along the straight way from `start` to `end`.

        References
        ----------
        Aumann & Shapley (1974), Values of Non-Atomic Games: the average along the way, for a function of a sum the same
        factor for each part. Sundararajan, Taly & Yan (2017), Axiomatic attribution for deep networks, ICML, section 3.
        """
        apart = end - start
        near = np.abs(apart) < _NEAR
        slope = self.high * sigmoid(end) + self.low * sigmoid(-end)
        return np.where(near, slope, (self(end) - self(start)) / np.where(near, 1.0, apart))

    @classmethod
    def from_dict(cls, held: Mapping[str, Any]) -> Calibration:  # Any: JSON
        """Return the calibration a bundle holds."""
        return cls(held["kind"], float(held["low"]), float(held["high"]), float(held["shift"]))


RAW = Calibration()


@dataclass(frozen=True)
class Seen:
    """What the blend said at an origin of customers its learners had not seen, and what came.

    Parameters
    ----------
    cutoff : int
        Of the origin; microseconds UTC.
    final : frozenset of int
        Cutoffs whose labels were final by then.
    logits, churned : ndarray of shape (n_rows,)
        Blended, the season with them; and who left.
    customers : ndarray of shape (n_rows,)
        Their ids.
    """

    cutoff: int
    final: frozenset[int]
    logits: Matrix
    churned: Flags
    customers: npt.NDArray[np.object_]


@dataclass(frozen=True)
class Tried:
    """How a calibration did at later origins than those that taught it.

    Parameters
    ----------
    kind : {'prior', 'platt', 'beta'}
    gain, low, high : float
        Log loss of the raw blend less its own, in nats, and the interval of that by the chance of which customers there
        were; wide enough for three to be tried at 95 % together. Of a stretch both are counted at the level that was
        right for them at the origin.
    steady : bool
        Whether it was better at each of the origins, and not only over all.
    """

    kind: CalibrationKind
    gain: float
    low: float
    high: float
    steady: bool

    @property
    def better(self) -> bool:
        """Whether it beat the raw blend beyond chance, and at each origin."""
        return self.low > 0 and self.steady


@dataclass(frozen=True)
class Choice:
    """Which calibration was taken, why, and how each one did.

    Parameters
    ----------
    asked : {'auto', 'raw', 'prior', 'platt', 'beta'}
        What `configs/train.yaml` says.
    because : str
        A clause.
    customers, origins : int
        Different ones of whom, and at how many origins, they were tried; 0 where none was.
    """

    calibration: Calibration = RAW
    asked: CalibrationAsked = "raw"
    because: str = "no other was asked for"
    tried: tuple[Tried, ...] = ()
    customers: int = 0
    origins: int = 0

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data."""
        tried = [asdict(one) | {"better": one.better} for one in self.tried]
        return {"taken": self.calibration.kind, **asdict(self), "tried": tried}


NOT_ASKED = Choice()


def fit_calibration(kind: CalibrationKind, seen: Sequence[Seen]) -> Calibration:
    """Return the calibration of a kind with the least log loss at some origins.

    A slope has a normal prior of unit width around 1, and a shift around 0, which matters to few rows only.

    Examples
    --------
    >>> fit_calibration("raw", []).kind
    'raw'
    """
    if kind == "raw":
        return RAW
    logits = np.concatenate([one.logits for one in seen])
    churned = np.concatenate([one.churned for one in seen])
    if kind == "prior":
        return Calibration("prior", shift=_level(logits, float(churned.mean())))
    origin = np.repeat(np.arange(len(seen)), [len(one.logits) for one in seen])
    low, high = _slopes(kind, logits, churned, origin)
    stretched = Calibration(kind, low, high)
    return Calibration(kind, low, high, _level(stretched(logits), float(sigmoid(logits).mean())))


def _slopes(kind: CalibrationKind, logits: Matrix, churned: Flags, origin: npt.NDArray[np.intp]) -> tuple[float, float]:
    """Return the slopes that fit best beside a level of each origin's own."""
    above, below = _softplus(logits), -_softplus(-logits)
    columns = np.column_stack([above + below] if kind == "platt" else [below, above])
    k, levels, n = columns.shape[1], int(origin.max()) + 1, len(logits)
    sign = np.where(churned, 1.0, -1.0)

    def loss(numbers: Matrix) -> tuple[float, Matrix]:
        margin, off = sign * (columns @ numbers[:k] + numbers[k:][origin]), numbers[:k] - 1.0
        wrong = sign * sigmoid(-margin)
        slope = np.concatenate([off - columns.T @ wrong, -np.bincount(origin, wrong, levels)])
        return float(_softplus(-margin).sum() + off @ off / 2) / n, slope / n

    usual = np.concatenate([np.ones(k), np.zeros(levels)])
    limits = [*((_LEAST_SLOPE, None) for _ in range(k)), *((None, None) for _ in range(levels))]
    found = minimize(loss, usual, jac=True, method="L-BFGS-B", bounds=limits).x
    return float(found[0]), float(found[k - 1])


def _level(logits: Matrix, share: float) -> float:
    """Return by how much logits must be shifted for their mean probability to be a share."""

    def off(shift: float) -> float:
        return float(sigmoid(logits + shift).mean()) - share

    return float(brentq(off, -_FARTHEST, _FARTHEST)) if 0.0 < share < 1.0 else 0.0


def choose(asked: CalibrationAsked, seen: Sequence[Seen]) -> Choice:
    """Return the calibration that a blend is given.

    Parameters
    ----------
    asked : {'auto', 'raw', 'prior', 'platt', 'beta'}
        `auto` takes the one that gained most of those that beat the raw blend beyond chance, each at later origins than
        those that taught it; any other is taken as it is asked for, where it can be taught.
    seen : sequence of Seen
        Ascending by cutoff; what is taken is taught with all of them.
    """
    if asked == "raw":
        return NOT_ASKED
    enough = [one for one in seen if _fewest(one) >= _FEWEST]
    fewest = 2 if asked == "auto" else 1
    if len(enough) < fewest:
        why = (
            f"it takes {fewest} rolling origin{'s' * (fewest > 1)} with {_FEWEST} who left and {_FEWEST} who stayed, "
            f"found {len(enough)}"
        )
        return Choice(asked=asked, because=why)
    if asked != "auto":
        return Choice(fit_calibration(asked, enough), asked, "`calibration` in configs/train.yaml asks for it")
    tried = tuple(_tried(kind, enough) for kind in CALIBRATIONS if kind != "raw" and (kind != "prior" or _years(seen)))
    better = [one for one in tried if one.better]
    customers = len(np.unique(np.concatenate([one.customers.astype(str) for one in enough[1:]])))
    if not better:
        why = f"no other was better at later origins than those that taught it, beyond chance{_of_prior(seen)}"
        return Choice(asked="auto", because=why, tried=tried, customers=customers, origins=len(enough) - 1)
    best = max(better, key=lambda one: one.gain)
    why = f"it was better at later origins than those that taught it, beyond chance{_of_prior(seen)}"
    return Choice(fit_calibration(best.kind, enough), "auto", why, tried, customers, len(enough) - 1)


def _fewest(seen: Seen) -> int:
    left = int(seen.churned.sum())
    return min(left, len(seen.churned) - left)


def _years(seen: Sequence[Seen]) -> bool:
    """Tell whether the origins have seen every season."""
    return seen[-1].cutoff - seen[0].cutoff >= _YEAR


def _of_prior(seen: Sequence[Seen]) -> str:
    return "" if _years(seen) else "; a shift was not tried, for the origins span less than a year and may be a season"


def _tried(kind: CalibrationKind, seen: Sequence[Seen]) -> Tried:
    """Teach a kind at earlier origins and ask it of a later, each in turn; what chance draws is customers, not rows."""
    gains, who = [], []
    for place, judged in enumerate(seen):
        # what windows that overlap have in common is their level, which only a shift could learn by heart
        taught = [one for one in seen[:place] if kind != "prior" or one.cutoff in judged.final]
        if taught:
            gains.append(_gain(fit_calibration(kind, taught), judged))
            who.append(judged.customers.astype(str))
    if not gains:
        return Tried(kind, 0.0, 0.0, 0.0, steady=False)
    every = np.concatenate(gains)
    gain, (_, rows) = float(every.mean()), np.unique(np.concatenate(who), return_inverse=True)
    error = float(np.sqrt((np.bincount(rows, every - gain) ** 2).sum()) / len(every))
    width = float(norm.ppf(1 - 0.05 / (_SIDES * (len(CALIBRATIONS) - 1)))) * error
    return Tried(kind, gain, gain - width, gain + width, all(one.mean() > 0 for one in gains))


def _gain(calibration: Calibration, judged: Seen) -> Matrix:
    """Return each customer's log loss by the raw blend less that by a calibration; of a stretch, at the right level."""
    before, after, share = judged.logits, calibration(judged.logits), float(judged.churned.mean())
    if calibration.kind != "prior":
        before, after = before + _level(before, share), after + _level(after, share)
    sign = np.where(judged.churned, 1.0, -1.0)
    return _softplus(-sign * before) - _softplus(-sign * after)


def _softplus(logit: Matrix) -> Matrix:
    return np.asarray(np.logaddexp(0.0, logit))
