"""Stretches of days that strayed from the usual further than chance would have any of them stray.

All stretches of up to a month are looked at, but those of the first month there is, and the one that strays most is
taken if its chance, times the number of stretches looked at, is below the error that was agreed; its days are set aside
and everything is reckoned anew, until none is left. So where nothing happened, a report names a period with at most
that chance (Bonferroni).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnml.measures.usual_days import Flags, Usual, Values, chance_of, spread, stretches, usual

_MOST = 60
_NEAR = 3.0  # standard deviations within which no stretch can be among the unlikeliest of thousands
_OPENING_DAYS = 30  # of what has landed: a beginning, which is like nothing before it
_SEASON_DAYS = 14  # stretches by which it is judged whether a season helps


@dataclass(frozen=True)
class Stretch:
    """Consecutive days that strayed: the first, the one after the last, what they brought, and how likely that is."""

    first: int
    last: int
    orders: float
    expected: float
    chance: float

    @property
    def high(self) -> bool:
        """Whether there were more orders than usual."""
        return self.orders > self.expected


@dataclass(frozen=True)
class Found:
    """What days would usually bring, by those that are not in a stretch; the spread of a day; and the stretches.

    `seasonal` is what they would bring with a season, None where none was asked for; it is `usual` where that helps.
    """

    usual: Usual
    spread: float
    stretches: tuple[Stretch, ...]
    seasonal: Usual | None


def unusual(
    orders: Values, first_weekday: int, months: Values | None, error: float = 0.05, longest_days: int = 28
) -> Found:
    """Return the stretches that strayed, in order of time, and what would have been usual.

    Parameters
    ----------
    orders : ndarray of shape (n_days,)
        Of consecutive days.
    first_weekday, months
        See `usual_days.usual`.
    error : float, default 0.05
        How likely it is, at most, that any is found where nothing happened.
    longest_days : int, default 28
        Longer ones are not looked for; what lasts so long is a level of its own.
    """
    aside = np.zeros(len(orders), dtype=np.bool_)
    helps = months is not None and _season_helps(orders, first_weekday, months, aside)
    taken = months if helps else None
    found: list[Stretch] = []
    lengths = range(1, min(longest_days, len(orders) // 4) + 1)
    looked_at = sum(len(orders) - days + 1 for days in lengths)
    while True:
        would = usual(orders, first_weekday, taken, aside)
        best = None if len(found) == _MOST else _farthest(orders, would.expected, aside, lengths)
        if best is None or best.chance * looked_at >= error:
            break
        found.append(best)
        aside[best.first : best.last] = True
    told = [_again(one, orders, would.expected) for one in _joined(found)]
    seasonal = would if helps or months is None else usual(orders, first_weekday, months, aside)
    return Found(would, spread(orders, would.expected, 1, ~aside), tuple(told), None if months is None else seasonal)


def _season_helps(orders: Values, first_weekday: int, months: Values, aside: Flags) -> bool:
    """Tell whether days stray less from what would be usual with a season than without.

    Of a company that grew in bends two years do not show it: what they share may be the bends.
    """
    without, within = (usual(orders, first_weekday, one, aside).expected for one in (None, months))
    return spread(orders, within, _SEASON_DAYS, ~aside) < spread(orders, without, _SEASON_DAYS, ~aside)


def _farthest(orders: Values, expected: Values, aside: Flags, lengths: range) -> Stretch | None:
    """Return the least likely stretch of all lengths among days that are not set aside yet."""
    best, rank, phi = None, (1.0, 0.0), 1.0
    for days in lengths:
        free = stretches(aside.astype(np.float64), days) < 0.5
        free[:_OPENING_DAYS] = False
        if not free.any():
            continue
        sums, means = stretches(orders, days), stretches(expected, days)
        # of long stretches there are few, and their spread is known badly: it counts as no less than that of shorter
        phi = max(phi, spread(orders, expected, days, ~aside))
        strays = -np.abs(sums - means) / np.sqrt(phi * np.maximum(means, 1e-9))  # where chances are too small to tell
        chance, far = np.full(len(sums), 1.0), free & (strays < -_NEAR)
        chance[far] = chance_of(sums[far], means[far], phi)
        place = int(np.lexsort((strays, chance))[0])
        if (chance[place], strays[place]) < rank:
            rank = (float(chance[place]), float(strays[place]))
            best = Stretch(place, place + days, float(sums[place]), float(means[place]), rank[0])
    return best


def _joined(found: list[Stretch]) -> list[Stretch]:
    """Return the stretches in order of time, those that touch and stray to the same side as one."""
    joined: list[Stretch] = []
    for one in sorted(found, key=lambda stretch: stretch.first):
        last = joined[-1] if joined else None
        if last is not None and last.last == one.first and last.high == one.high:
            both = (last.orders + one.orders, last.expected + one.expected, min(last.chance, one.chance))
            joined[-1] = Stretch(last.first, one.last, *both)
        else:
            joined.append(one)
    return joined


def _again(one: Stretch, orders: Values, expected: Values) -> Stretch:
    """Return a stretch with what is usual now that all of them are set aside."""
    days = slice(one.first, one.last)
    return Stretch(one.first, one.last, float(orders[days].sum()), float(expected[days].sum()), one.chance)
