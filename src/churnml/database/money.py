"""Money as the ledger counts it: whole millionths of a currency unit, which add up without error in any order."""

from __future__ import annotations

MILLION = 1_000_000
MOST = 2**62 // MILLION
"""More currency units than any budget; sums of a few such amounts still fit into 64 bits."""


def millionths(amount: float) -> int:
    """Return an amount of currency units in whole millionths, rounded to the nearest.

    Examples
    --------
    >>> millionths(0.1) + millionths(0.2) == millionths(0.3)
    True
    """
    return round(amount * MILLION)


def units(amount: int) -> float:
    """Return millionths in currency units, for people and JSON.

    Examples
    --------
    >>> units(1_250_000)
    1.25
    """
    return amount / MILLION
