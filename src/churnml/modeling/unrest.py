"""Whether the pulse of the customers moved since a model was made, beyond what chance and a year of months explain.

The last months are held against the year before the model was made. By how much months of that year differed beyond
chance is the season, and is added to the doubt. Two things are asked: whether the signs of discontent, taken together,
point the bad way over a longer while, and whether any one signal has jumped. How often each may raise a false alarm is
laid down in advance, and its limit follows from that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.events import Store
from churnml.events.clock import DAY, days_later
from churnml.modeling.false_alarms import JUMP_MONTHS, MOOD_MONTHS, jump_limit, mood_limit
from churnml.modeling.moments import Moments
from churnml.modeling.pulse import BOUGHT_WITHIN, MONTH, Signal, pulse, signals_of

Matrix = npt.NDArray[np.float64]
Json = dict[str, Any]  # Any: JSON

MOST_MONTHS, FEWEST_MONTHS = 13, 6
FEWEST_ACTS = 5.0


@dataclass(frozen=True)
class Moved:
    """One signal over the last months, against the year before the model was made.

    Parameters
    ----------
    signal, says : str
    days : int
        How long the last months are.
    before, now : float
        The signal then and now.
    deviations : float
        How many deviations the logarithm has moved up.
    doubt : float
        One deviation of it, of chance and season together.
    worse : int
        1 where up is a bad sign, -1 where down is, 0 where neither is said.
    """

    signal: str
    says: str
    days: int
    before: float
    now: float
    deviations: float
    doubt: float
    worse: int


@dataclass(frozen=True)
class Mood:
    """The signs of discontent together.

    Parameters
    ----------
    days : int
        Over how many of the last days.
    deviations : float
        Sum of the deviations of each to the bad side, in deviations of that sum.
    """

    days: int
    deviations: float


@dataclass(frozen=True)
class Unrest:
    """What the pulse says.

    Parameters
    ----------
    months : int
        Of the year before, that the last months were held against; of the signal that was told in the fewest.
    signals : tuple of Moved
    moods : tuple of Mood
    mood_limit, jump_limit : float
        Deviations beyond which either is an alarm.
    """

    months: int
    signals: tuple[Moved, ...]
    moods: tuple[Mood, ...]
    mood_limit: float
    jump_limit: float

    @property
    def jumped(self) -> tuple[Moved, ...]:
        """Single signals beyond their limit, each at the span in which it is furthest beyond."""
        beyond = sorted(self._asked_alone, key=lambda one: -abs(one.deviations))
        first = {one.signal: one for one in reversed(beyond) if abs(one.deviations) > self.jump_limit}
        return tuple(sorted(first.values(), key=lambda one: -abs(one.deviations)))

    @property
    def _asked_alone(self) -> list[Moved]:
        return [one for one in self.signals if one.days // MONTH in JUMP_MONTHS]

    @property
    def sour(self) -> Mood | None:
        """The mood that is furthest beyond its limit, if one is."""
        worst = max(self.moods, key=lambda one: one.deviations, default=None)
        return worst if worst is not None and worst.deviations > self.mood_limit else None

    def of(self, mood: Mood) -> tuple[Moved, ...]:
        """Return the signals of a mood, those first that tell most of it."""
        own = [one for one in self.signals if one.worse and one.days == mood.days]
        return tuple(sorted(own, key=lambda one: -one.worse * one.deviations))

    def to_json(self) -> Json:
        """Return plain data."""
        told = [one.signal for one in self.jumped]
        return asdict(self) | {"jumped": told, "sour": None if self.sour is None else asdict(self.sour)}


def unrest(store: Store, made_for: int, now: int) -> Unrest | None:
    """Return what the pulse says of the time since a model was made, or None where that cannot be said yet.

    It takes a month since the model was made and six before, each with a quarter of orders behind it.

    Parameters
    ----------
    made_for, now : int
        The cutoff of the model's training, and that beyond which nothing is read; microseconds UTC.
    """
    ends, before = _months(store, made_for, now)
    lengths = [one for one in sorted({*MOOD_MONTHS, *JUMP_MONTHS}) if one <= len(ends) - before]
    signals = signals_of(store)
    if before < FEWEST_MONTHS or not lengths or not signals:
        return None
    each = np.eye(len(ends), dtype=np.bool_)[:before]
    year = np.arange(len(ends)) < before
    last = [np.arange(len(ends)) >= len(ends) - length for length in lengths]
    found = pulse(store, signals, ends, np.vstack([each, year, *last]))
    by_signal = {
        one: (found[one.name][:before], found[one.name][before], found[one.name][before + 1 :]) for one in signals
    }
    return held_against_a_year(by_signal, lengths)


def _months(store: Store, made_for: int, now: int) -> tuple[list[int], int]:
    """Return when each month ended, ascending, and how many of them lie before the model was made."""
    zone, first = store.time_zone, days_later(store.span[0], BOUGHT_WITHIN + MONTH, store.time_zone)
    earlier = [days_later(made_for, -MONTH * back, zone) for back in range(MOST_MONTHS)]
    earlier = [end for end in earlier if end >= first]
    since = min((now - made_for + DAY // 2) // DAY // MONTH, max(MOOD_MONTHS))
    later = [days_later(now, -MONTH * back, zone) for back in range(since)]
    return [*reversed(earlier), *reversed(later)], len(earlier)


def held_against_a_year(
    found: Mapping[Signal, tuple[Sequence[Moments], Moments, Sequence[Moments]]], lengths: Sequence[int]
) -> Unrest:
    """Return what the pulse says.

    Parameters
    ----------
    found : mapping of Signal to (sequence of Moments, Moments, sequence of Moments)
        Each month of the year before, the whole year, and the last months by length.
    lengths : sequence of int
        How many months the last ones are.
    """
    usual = {signal: usual_of(each) for signal, (each, _, _) in found.items()}
    moved = {
        (signal, length): one
        for signal, (_, year, last) in found.items()
        for length, recent in zip(lengths, last, strict=True)
        if (one := _moved(signal, usual[signal], year, recent, length)) is not None
    }
    months = min((usual[signal].told for signal, _ in moved), default=MOST_MONTHS)
    moods = []
    for length in (one for one in lengths if one in MOOD_MONTHS):
        signs = {signal: one for (signal, long), one in moved.items() if long == length and signal.worse}
        if signs:
            moods.append(_mood(signs, usual))
    return Unrest(months, tuple(moved.values()), tuple(moods), mood_limit(months), jump_limit(months, len(found)))


@dataclass(frozen=True)
class Usual:
    """The months of the year before.

    Parameters
    ----------
    logarithms : ndarray of shape (n_months,)
        Of the signal, NaN where it was not told.
    season : float
        Their variance beyond what chance explains.
    """

    logarithms: Matrix
    season: float

    @property
    def told(self) -> int:
        """In how many of the months there was anything to count over."""
        return int(np.isfinite(self.logarithms).sum())

    def with_other(self, other: Usual) -> float:
        """Return the covariance of two seasons; no more than their variances allow."""
        both = np.isfinite(self.logarithms) & np.isfinite(other.logarithms)
        most = float(np.sqrt(self.season * other.season))
        if most == 0.0 or both.sum() < FEWEST_MONTHS:
            return most
        together = np.cov(self.logarithms[both], other.logarithms[both])[0, 1]
        return float(np.clip(together, -most, most))


def usual_of(each: Sequence[Moments]) -> Usual:
    """Return what months before were like."""
    logarithms = np.array([one.logarithm if one.told else np.nan for one in each])
    told = [one for one in each if one.told]
    if len(told) < FEWEST_MONTHS:
        return Usual(logarithms, 0.0)
    season = float(np.nanvar(logarithms, ddof=1) - np.mean([one.variance for one in told]))
    return Usual(logarithms, max(season, 0.0))


def _moved(signal: Signal, usual: Usual, year: Moments, recent: Moments, length: int) -> Moved | None:
    """Return how far one signal moved, or None where too little of it was seen."""
    expected = year.ratio * recent.whole if year.told and recent.told else 0.0
    if usual.told < FEWEST_MONTHS or min(expected, year.part) < FEWEST_ACTS:
        return None
    doubt = float(np.sqrt(usual.season * (1 + 1 / usual.told) + year.variance + recent.variance))
    deviations = (recent.logarithm - year.logarithm) / doubt
    return Moved(signal.name, signal.says, length * MONTH, year.ratio, recent.ratio, deviations, doubt, signal.worse)


def _mood(signs: Mapping[Signal, Moved], usual: Mapping[Signal, Usual]) -> Mood:
    """Return the signs of discontent together; what seasons of two signs have in common counts as doubt."""
    whole = sum(signal.worse * one.deviations for signal, one in signs.items())
    variance = float(len(signs))
    for (one, moved), (two, beside) in combinations(signs.items(), 2):
        common = one.worse * two.worse * usual[one].with_other(usual[two])
        variance += 2 * common / (moved.doubt * beside.doubt)
    days = next(iter(signs.values())).days
    return Mood(days, float(whole / np.sqrt(max(variance, len(signs)))))
