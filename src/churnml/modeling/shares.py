"""Attributes in words: how far their shares moved between two days, and which values came or went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Texts = npt.NDArray[np.object_]

CHANCE = 1e-5
"""Below it that a value is missing on one day is not put down to chance; a year asks of some hundreds of values."""


@dataclass(frozen=True)
class Turned:
    """A value that came or went.

    Parameters
    ----------
    attribute, value : str
    share : float
        Of customers who bear it, on the day on which anyone does.
    came : bool
        Whether that day is the later one.
    """

    attribute: str
    value: str
    share: float
    came: bool


def share_distance(before: Texts, now: Texts) -> float:
    """Return how far the shares of an attribute lie apart: the share of customers who would have to change theirs.

    Parameters
    ----------
    before, now : ndarray of shape (n_rows,), (m_rows,)
        Texts, None where nothing is known, which counts as a value.

    References
    ----------
    The total variation distance; Levin, Peres and Wilmer (2009), Markov Chains and Mixing Times, proposition 4.2.
    """
    if not len(before) or not len(now):
        return 0.0
    first, second = shares(before), shares(now)
    return 0.5 * sum(abs(first.get(value, 0.0) - second.get(value, 0.0)) for value in {*first, *second})


def shares(values: Texts) -> dict[str | None, float]:
    """Return the share of customers who bear each value."""
    known = np.array([value for value in values if value is not None], dtype=str)
    found, counts = np.unique(known, return_counts=True)
    told: dict[str | None, float] = {
        str(value): count / len(values) for value, count in zip(found, counts, strict=True)
    }
    return told | ({None: 1 - len(known) / len(values)} if len(known) < len(values) else {})


def turned(attribute: str, before: Texts, now: Texts) -> tuple[Turned, ...]:
    """Return the values that only one of two days knows, those left out that so few bear that chance explains it.

    Parameters
    ----------
    before, now : ndarray of shape (n_rows,), (m_rows,)
        Texts, None where nothing is known.
    """
    found = []
    for came, with_it, without in ((True, now, before), (False, before, now)):
        if not len(with_it):
            continue
        elsewhere = {value for value in without if value is not None}
        for value, share in shares(with_it).items():
            if value is not None and value not in elsewhere and (1 - share) ** len(without) < CHANCE:
                found.append(Turned(attribute, value, share, came))
    return tuple(sorted(found, key=lambda one: -one.share))
