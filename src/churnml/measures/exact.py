"""Sums that come again to the last bit, whichever thread was first: what is no whole number is added up in decimals."""

from __future__ import annotations

EXACT = "DECIMAL(38, 8)"
"""The square of an amount of 1/10,000 unit has as many digits, so a large one that comes and goes takes no small ones
with it. Sums of whole numbers are exact as they are, and take less time."""


def exact_sum(what: str) -> str:
    """Return the SQL of the sum of an expression, each value rounded to eight digits, as a DOUBLE.

    Examples
    --------
    >>> exact_sum("weight")
    'sum((weight)::DECIMAL(38, 8))::DOUBLE'
    """
    return f"sum(({what})::{EXACT})::DOUBLE"
