"""The trial of calibrations: which beats the blend as it is, at origins and on customers that taught it nothing.

Each is taught at earlier origins with half of the customers, and asked of the other half at a later one. A stretch is
counted at the level that was right at that origin, for the blend as it is and for the calibrated: the level belongs to
the season. The weights of the blend are those of all origins, the asked one among them: three numbers, the same for the
blend as it is and for the calibrated. docs/adr/0020 has the reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from churnml.config import CALIBRATIONS, CalibrationAsked, CalibrationKind
from churnml.events.clock import DAY
from churnml.modeling.calibration import RAW, Calibration, Seen, fit_calibration, level, softplus

Matrix = npt.NDArray[np.float64]

_YEAR = 364 * DAY
_FEWEST = 100
_SIDES = 2
_WIDTH = float(norm.ppf(1 - 0.05 / (_SIDES * (len(CALIBRATIONS) - 1))))
_WHERE = "at later origins and on other customers than taught it"


@dataclass(frozen=True)
class Lead:
    """By how much less log loss a calibration had than another, at later origins and on other customers.

    Parameters
    ----------
    gain, low, high : float
        In nats, with the interval by the chance of which customers there were; wide enough for three to be tried at
        95 % together. Of a stretch both are counted at the level that was right at the origin.
    steady : bool
        Whether it was better at each of the origins, and not only over all.
    """

    gain: float
    low: float
    high: float
    steady: bool

    @property
    def beyond_chance(self) -> bool:
        """Whether it was better beyond chance, and at each origin."""
        return self.low > 0 and self.steady


@dataclass(frozen=True)
class Tried:
    """How a calibration did.

    Parameters
    ----------
    kind : {'prior', 'platt', 'beta'}
    over_raw : Lead
        Against the blend as it is.
    over_simpler : Lead
        Against the one with a number less: for beta that is platt, for the others the blend as it is.
    """

    kind: CalibrationKind
    over_raw: Lead
    over_simpler: Lead

    @property
    def better(self) -> bool:
        """Whether it beat both beyond chance: each number more has to earn its place."""
        return self.over_raw.beyond_chance and self.over_simpler.beyond_chance


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


def choose(asked: CalibrationAsked, seen: Sequence[Seen]) -> Choice:
    """Return the calibration that a blend is given.

    Parameters
    ----------
    asked : {'auto', 'raw', 'prior', 'platt', 'beta'}
        `auto` takes what beat the blend as it is beyond chance, at later origins and on other customers than taught it;
        beta has to beat platt as well. Any other is taken as it is asked for, where it can be taught.
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
    enough = _numbered(enough)
    tried = tuple(
        _tried(kind, enough) for kind in CALIBRATIONS if kind != "raw" and (kind != "prior" or _years(enough))
    )
    better = [one for one in tried if one.better]
    customers = len(np.unique(np.concatenate([one.customers for one in enough[1:]])))
    if not better:
        why = f"no other was better beyond chance {_WHERE}{_of_prior(enough)}"
        return Choice(asked="auto", because=why, tried=tried, customers=customers, origins=len(enough) - 1)
    best = max(better, key=lambda one: one.over_raw.gain)
    why = f"it was better beyond chance {_WHERE}{_of_prior(enough)}"
    return Choice(fit_calibration(best.kind, enough), "auto", why, tried, customers, len(enough) - 1)


def _numbered(seen: Sequence[Seen]) -> list[Seen]:
    """Return the same with customers numbered in the order of their ids."""
    _, numbers = np.unique(np.concatenate([one.customers.astype(str) for one in seen]), return_inverse=True)
    parts = np.split(numbers, np.cumsum([len(one.customers) for one in seen])[:-1])
    return [replace(one, customers=part) for one, part in zip(seen, parts, strict=True)]


def _fewest(seen: Seen) -> int:
    left = int(seen.churned.sum())
    return min(left, len(seen.churned) - left)


def _years(seen: Sequence[Seen]) -> bool:
    """Tell whether the origins have seen every season."""
    return seen[-1].cutoff - seen[0].cutoff >= _YEAR


def _of_prior(seen: Sequence[Seen]) -> str:
    return "" if _years(seen) else "; a shift was not tried, for the origins span less than a year and may be a season"


def _tried(kind: CalibrationKind, seen: Sequence[Seen]) -> Tried:
    over_raw = _lead(kind, "raw", seen)
    return Tried(kind, over_raw, _lead(kind, "platt", seen) if kind == "beta" else over_raw)


def _lead(kind: CalibrationKind, other: CalibrationKind, seen: Sequence[Seen]) -> Lead:
    """Teach two kinds with half of the customers at earlier origins, and ask them of the others at a later one.

    What chance draws is customers, not rows.
    """
    gains, who, better = [], [], []
    for place, judged in enumerate(seen):
        # windows overlap; what a shift could learn of them by heart is their level, and the halves share no customer
        taught = [one for one in seen[:place] if kind != "prior" or one.cutoff in judged.final]
        if not taught:
            continue
        parts = [_half(judged, half) for half in (0, 1)]
        others = [[_half(one, 1 - half) for one in taught] for half in (0, 1)]
        found = [
            _gain(fit_calibration(other, lesson), fit_calibration(kind, lesson), part)
            for lesson, part in zip(others, parts, strict=True)
        ]
        gains += found
        who += [part.customers for part in parts]
        better.append(float(np.concatenate(found).mean()) > 0)
    if not gains:
        return Lead(0.0, 0.0, 0.0, steady=False)
    every = np.concatenate(gains)
    gain, (_, rows) = float(every.mean()), np.unique(np.concatenate(who), return_inverse=True)
    error = float(np.sqrt((np.bincount(rows, every - gain) ** 2).sum()) / len(every))
    return Lead(gain, gain - _WIDTH * error, gain + _WIDTH * error, all(better))


def _half(seen: Seen, half: int) -> Seen:
    """Return the rows of one half of the customers, which are numbered."""
    rows = seen.customers % 2 == half
    return Seen(seen.cutoff, seen.final, seen.logits[rows], seen.churned[rows], seen.customers[rows])


def _gain(other: Calibration, own: Calibration, judged: Seen) -> Matrix:
    """Return each customer's log loss by another calibration less that by one; of stretches, at the right level."""
    before, after, share = other(judged.logits), own(judged.logits), float(judged.churned.mean())
    if own.kind != "prior":
        before, after = before + level(before, share), after + level(after, share)
    sign = np.where(judged.churned, 1.0, -1.0)
    return softplus(-sign * before) - softplus(-sign * after)
