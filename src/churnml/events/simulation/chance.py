"""Chance without a stream: a number between 0 and 1 for each customer, process and day, whoever else asks for what.

Every draw is a hash of what it is for. Two markets that differ in one action therefore share every other draw, to the
last bit, and a part of the market that nobody looks at need not be drawn: nothing shifts.

References
----------
Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, OOPSLA: the finaliser `_mixed`.
Salmon, Moraes, Dror & Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC11: draws by counter.
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Keys = npt.NDArray[np.uint64]
Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_WORD = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_MOST_EVENTS = 60


def keys_of(seed: int, numbers: Counts, redraw: int | Counts = 0) -> Keys:
    """Return the key of each customer, from which all their draws come.

    Parameters
    ----------
    seed : int
        Of the market.
    numbers : ndarray of shape (n,)
        The customers' numbers.
    redraw : int or ndarray of shape (n,)
        0 for the life that is recorded, 1, 2, 3 … for other futures of the same customer.
    """
    own = _mixed(numbers.astype(np.uint64) * np.uint64(_GOLDEN) ^ np.uint64(_salt(f"seed {seed}", 0)))
    other = np.asarray(redraw)
    return np.asarray(np.where(other == 0, own, _mixed(own + other.astype(np.uint64))), dtype=np.uint64)


def uniform(keys: Keys, process: str, when: int | Counts) -> Values:
    """Return a number in (0, 1) for each key.

    Parameters
    ----------
    process : str
        What the draw is for; each has numbers of its own.
    when : int or ndarray of shape (n,)
        The day, or the how-manieth event of this customer.
    """
    if isinstance(when, int):
        salted = keys ^ np.uint64(_salt(process, when))
    else:
        salted = keys ^ _mixed(when.astype(np.uint64) * np.uint64(_GOLDEN) + np.uint64(_salt(process, -1)))
    return ((_mixed(salted) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(keys: Keys, process: str, when: int | Counts) -> Values:
    """Return a standard normal number for each key."""
    return np.asarray(ndtri(uniform(keys, process, when)))


def exponential(keys: Keys, process: str, when: int | Counts) -> Values:
    """Return an exponential number of mean 1 for each key."""
    return np.asarray(-np.log(uniform(keys, process, when)))


def poisson(chance: Values, mean: Values) -> Counts:
    """Return the Poisson counts at which the distribution reaches `chance`: more mean never gives fewer events."""
    counts = np.zeros(len(mean), dtype=np.int64)
    weight = np.exp(-mean)
    reached = weight.copy()
    left = np.flatnonzero(chance > reached)
    for count in range(1, _MOST_EVENTS):
        if not len(left):
            break
        weight[left] *= mean[left] / count
        reached[left] += weight[left]
        counts[left] = count
        left = left[chance[left] > reached[left]]
    return counts


@cache
def _salt(process: str, when: int) -> int:
    digest = hashlib.blake2b(f"{process}\n{when}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") & _WORD


def _mixed(values: Keys) -> Keys:
    """Return 64 bits of which each depends on all of those given."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
