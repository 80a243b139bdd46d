"""Which figures of few customers are not told, and which others so that nobody can work them out from a total.

How many customers there are is always told, and so are the moves and stays that are counted of them: counts must add
up, and who hides one of them hides nothing. What they are like is not told of few: what they spent, what a model or
they themselves say, how they moved. Where the total of such figures is told as well, one that is missing is the total
less the others; so the next smallest is withheld with it, until what is withheld together is of enough customers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.wording import Text

Flags = npt.NDArray[np.bool_]

NO_TOTAL = -1
_ROUNDING = 1e-6


def few(customers: npt.ArrayLike, smallest: int) -> Flags:
    """Return which figures are of some customers, but of too few to be told.

    Parameters
    ----------
    customers : array-like of int, shape (n,)
        Of how many each figure is; of a share, of how many it is a share.
    smallest : int
        Figures of fewer are not told.
    """
    found = np.asarray(customers)
    return np.asarray((found > 0) & (found < smallest))


def withheld(customers: npt.ArrayLike, smallest: int, *totals: npt.ArrayLike) -> Flags:
    """Return which figures are not told: those of few customers, and those by which they could be worked out.

    Parameters
    ----------
    customers : array-like of int, shape (n,)
        Of how many each figure is; no customer is in two figures of one total.
    smallest : int
        Figures of fewer are not told.
    *totals : array-like of shape (n,)
        Figures that bear the same word add up to a total that may be told elsewhere, `NO_TOTAL` those that add up to
        none. By default all of them do to one.

    Notes
    -----
    Within each total, whatever is withheld is two figures or more, of at least `smallest` customers together, or
    everything there is; and no small figure is the only solution of all totals together. Who knows two tables whose
    groups lie across each other may still know more than either tells; see ADR 30.

    References
    ----------
    Handbook on Statistical Disclosure Control, 2nd ed., chapter 4 (https://sdctools.github.io/HandbookSDC/): cells of
    few contributors are withheld first, then others until no total gives them back.

    Examples
    --------
    Three customers are too few; with the total and the two others known they would be told, so that the nine are
    withheld with them.

    >>> withheld([3, 12, 40], 10).tolist()
    [True, True, False]
    >>> withheld([3, 8, 40], 10).tolist()
    [True, True, False]
    """
    sizes = np.asarray(customers, dtype=np.float64)
    hidden = small = few(sizes, smallest)
    lines = [np.asarray(words, dtype=np.object_) for words in totals] or [np.zeros(len(sizes), dtype=np.object_)]
    found = [words == word for words in lines for word in np.unique(words) if word != NO_TOTAL]
    # a total of few customers is withheld where it stands
    groups = np.array([one for one in found if sizes[one].sum() >= smallest], dtype=np.bool_).reshape(-1, len(sizes))
    while (more := _next(sizes, hidden, small, groups, smallest)) is not None:
        hidden = hidden | (np.arange(len(sizes)) == more)
    return hidden


def _next(sizes: npt.NDArray[np.float64], hidden: Flags, small: Flags, groups: Flags, smallest: int) -> int | None:
    """Return which figure has to be withheld as well, None where enough are."""
    told = ~hidden & (sizes > 0)
    for group in groups:
        mine = hidden & group
        if mine.any() and (mine.sum() == 1 or sizes[mine].sum() < smallest) and (told & group).any():
            return _least(sizes, told & group)
    for place in _solved(hidden, small, groups) if len(groups) > 1 else ():
        beside = told & groups[groups[:, place]].any(axis=0)
        if beside.any():
            return _least(sizes, beside)
    return None


def _least(sizes: npt.NDArray[np.float64], among: Flags) -> int:
    places = np.flatnonzero(among)
    return int(places[np.argmin(sizes[places])])


def _solved(hidden: Flags, small: Flags, groups: Flags) -> list[int]:
    """Return which small figures all totals together have one solution for.

    Each total less what is told is an equation over what is withheld. A figure is solved by them if it is a combination
    of their rows, and so its own projection on these.
    """
    unknown = np.flatnonzero(hidden)
    rows = groups[:, unknown].astype(np.float64)
    own = np.einsum("ij,ji->i", np.linalg.pinv(rows), rows)
    return [int(place) for place, share in zip(unknown, own, strict=True) if small[place] and share > 1 - _ROUNDING]


def withheld_remark(rows: int, smallest: int) -> tuple[Text, ...]:
    """Say of how many rows figures were withheld, and why."""
    return (
        Text(
            f"Figures of fewer than {smallest} customers are withheld, and where a total would tell them, the next "
            f"smallest as well ({rows} rows here); numbers of customers stand.",
            f"不足 {smallest} 位客户的数值不予显示；若可由合计推出，则次小的一项也不显示（此处 {rows} 行）；"
            "客户数照常列出。",
        ),
    )
