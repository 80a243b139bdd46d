"""How sure an interval is, so that all that is claimed of an experiment errs at most once in twenty."""

from __future__ import annotations

ERROR = 0.05
# does an arm help on average, whom does it help more, whom does it harm, is choosing by customer worth it
_QUESTIONS = 4


def two_sided(looks: int) -> float:
    """Return the level of an interval that may lie on either side of zero, where `looks` share a question's error.

    Examples
    --------
    >>> two_sided(1)
    0.9875
    """
    return 1 - ERROR / _QUESTIONS / looks


def one_sided(looks: int) -> float:
    """Return the level of an interval of which only one end can make a claim.

    Examples
    --------
    >>> one_sided(1)
    0.975
    """
    return 1 - 2 * ERROR / _QUESTIONS / looks
