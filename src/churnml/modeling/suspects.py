"""Columns that a model should not see, found before it does: the label in disguise, the future, ids, constants.

A table that someone else made can hold what was only known afterwards, and no score computed on it would show that.
These tests find what shows in one column by itself; a leak spread over several columns they do not see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from churnml.events.feature_table import ReadyTable
from churnml.modeling.suspect import Sign, Suspect, Where

Matrix = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

ALMOST, MUCH = 0.95, 0.85
"""The AUROC of one column alone from which it almost equals the label, and from which it tells much."""

_PURE, _PURE_ROWS, _PURE_SHARE, _STAYERS_DUE, _CHURNERS_DUE = 0.99, 20, 0.1, 10, 50
_MISSING_TELLS = 0.75
_PARTS = 20
_UNIQUE, _FEW = 0.99, 50
_DENSE, _LARGE = 4, 1e9
_ID_ENDINGS = ("id", "key", "uuid", "number", "nr", "code", "phone", "index", "unnamed0")
_MOST_TWINS, _DIGITS = 10, 3


def suspects(table: ReadyTable, keep: Collection[str] = ()) -> list[Suspect]:
    """Return the columns to ask about, those that are left out first.

    Parameters
    ----------
    keep : collection of str
        Columns that are used whatever they look like.
    """
    customers = len(set(table.customer_ids))
    found = [one for column in table.columns for one in _of_column(table, column.name, customers, keep)]
    return sorted(found, key=lambda one: not one.left_out)


def _of_column(table: ReadyTable, name: str, customers: int, keep: Collection[str]) -> Iterator[Suspect]:
    codes, several = _coded(table, name)
    if several < 2:
        yield Suspect(name, "constant", "constant", {}, left_out=True)
        return
    out = name not in keep
    kind = next(column.kind for column in table.columns if column.name == name)
    if kind == "date" and (late := float((table.column(name) < 0).sum())):
        share = late / max(1, np.isfinite(table.column(name)).sum())
        yield Suspect(name, "dates after the cutoff", "dates_ahead", {"rows": late, "share": share}, left_out=out)
    unique = _unique_share(table, name, customers)
    if unique is not None:
        yield Suspect(name, "id", "names_customers", {"unique_share": unique}, left_out=out)
        return
    yield from _telling(table, name, codes, left_out=out)


def _telling(table: ReadyTable, name: str, codes: Codes, *, left_out: bool) -> Iterator[Suspect]:
    """Yield what a column says of the label by itself, where that is more than a feature usually does."""
    left = table.churned
    missing = _is_missing(table, name)
    alone = max(_auroc(left, _rates_from_the_other_half(codes, left)), _ranked(table, name))
    gap = _folded(_auroc(left, missing.astype(np.float64)))
    evidence = {"auroc_alone": round(alone, 4), "auroc_missing": round(gap, 4)}
    pure = _purest(_cuts(codes, missing), left)
    if alone >= ALMOST:
        yield Suspect(name, "almost equals the label", "ranks_all_but_surely", evidence, left_out)
    elif pure is not None:
        yield Suspect(name, "almost equals the label", pure.sign, evidence | pure.evidence, left_out, pure.where)
    elif gap >= _MISSING_TELLS:
        yield Suspect(name, "tells much alone", "filling_tells", evidence, left_out=False)
    elif alone >= MUCH:
        yield Suspect(name, "tells much alone", "ranks_much", evidence, left_out=False)


def twins(table: ReadyTable) -> Codes:
    """Return a group for each row: rows of different customers that are alike in nearly every digit share one.

    Numbers are compared by three digits. Groups above ten rows are broken up again: where columns are few and
    coarse, many customers are alike by nature, and nothing is learned by heart from a crowd.
    """
    content = np.zeros(len(table), dtype=np.uint64)  # a hash, column by column: the rows side by side would be a copy
    for name in table.numbers:
        content = _mixed(content, _coarse(table.column(name)).view(np.uint64))
    for column in table.categories.values():
        content = _mixed(content, np.unique(_spelt(column), return_inverse=True)[1].reshape(-1).astype(np.uint64))
    _, group, sizes = np.unique(content, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    crowd = sizes[group] > _MOST_TWINS
    return np.where(crowd, len(sizes) + np.arange(len(group)), group).astype(np.intp)


def _coarse(values: Matrix) -> Matrix:
    """Return numbers to three digits, one and the same where missing."""
    scale = 10.0 ** (np.floor(np.log10(np.maximum(np.abs(values), 1e-300))) - _DIGITS + 1)
    return np.nan_to_num(np.round(values / scale) * scale, nan=np.inf) + 0.0  # no minus zero


def _mixed(content: npt.NDArray[np.uint64], more: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return a hash of both, by a round of splitmix64; overflow is meant."""
    mixed = (content ^ more) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(mixed ^ (mixed >> np.uint64(27)))


def twin_share(groups: Codes, customer_ids: npt.NDArray[np.object_]) -> float:
    """Return the share of rows that have a twin under another id."""
    pairs = np.unique(np.column_stack([groups, np.unique(_spelt(customer_ids), return_inverse=True)[1]]), axis=0)
    _, first, customers = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    shared = pairs[first[customers > 1], 0]
    return float(np.isin(groups, shared).mean())


def rates_apart(table: ReadyTable, name: str) -> Matrix:
    """Return what a column, cut into parts, says of each row: the churn rate of its part in the other half of them."""
    return _rates_from_the_other_half(_coded(table, name)[0], table.churned)


def _coded(table: ReadyTable, name: str) -> tuple[Codes, int]:
    """Return a column cut into at most twenty parts or into its values, missing ones last; and how many differ."""
    if name in table.categories:
        found, codes = np.unique(_spelt(table.categories[name]), return_inverse=True)
        return codes.reshape(-1), len(found)
    values = table.column(name)
    known = values[np.isfinite(values)]
    distinct = np.unique(known)
    if len(distinct) <= _PARTS:
        codes = np.searchsorted(distinct, values)
    else:
        codes = np.searchsorted(np.unique(np.quantile(known, np.arange(1, _PARTS) / _PARTS)), values, side="right")
    codes = np.where(np.isnan(values), _PARTS + 1, codes)
    return codes.astype(np.intp), len(distinct) + bool(len(known) < len(values))


def _spelt(values: npt.NDArray[np.object_]) -> npt.NDArray[np.str_]:
    return np.array(["" if value is None else value for value in values], dtype=str)


def _is_missing(table: ReadyTable, name: str) -> npt.NDArray[np.bool_]:
    if name in table.categories:
        return np.array([value is None for value in table.categories[name]])
    return np.isnan(table.column(name))


def _unique_share(table: ReadyTable, name: str, customers: int) -> float | None:
    """Return the share of customers with a value of their own, if that makes the column an id."""
    if name in table.categories:
        known: npt.NDArray[Any] = _spelt(table.categories[name])  # Any: texts or numbers
        found = known[known != ""]
    else:
        found = table.column(name)
        found = found[np.isfinite(found)]
        if not len(found) or (found != np.floor(found)).any() or _is_date(table, name):
            return None
    distinct = len(np.unique(found))
    share = distinct / min(customers, max(len(found), 1))
    if distinct < _FEW or not _UNIQUE <= share <= 1 / _UNIQUE:
        return None
    plain = "".join(filter(str.isalnum, name)).lower()
    if name in table.categories or plain.endswith(_ID_ENDINGS) or found.max() >= _LARGE:
        return min(share, 1.0)
    counted = np.ptp(found) < _DENSE * distinct  # running numbers lie close together
    return min(share, 1.0) if counted else None


def _is_date(table: ReadyTable, name: str) -> bool:
    return any(column.name == name and column.kind == "date" for column in table.columns)


def _rates_from_the_other_half(codes: Codes, left: npt.NDArray[np.bool_]) -> Matrix:
    """Return for each row the churn rate of its part in the other half of the rows, drawn to the mean where few are."""
    half = np.zeros(len(left), dtype=bool)
    for churned in (True, False):
        half[np.flatnonzero(left == churned)[::2]] = True  # both halves hold as many churners
    rates = np.empty(len(left))
    for mine in (half, ~half):
        size = codes.max() + 1
        there = np.bincount(codes[~mine], minlength=size)
        gone = np.bincount(codes[~mine], left[~mine], minlength=size)
        rates[mine] = ((gone + left.mean()) / (there + 1))[codes[mine]]
    return rates


def _ranked(table: ReadyTable, name: str) -> float:
    if name in table.categories:
        return 0.5
    values = table.column(name)
    known = np.isfinite(values)
    if known.mean() < 0.5:  # among few, chance ranks well; whether it is filled is tested apart
        return 0.5
    return _folded(_auroc(table.churned[known], values[known]))


def _folded(auroc: float) -> float:
    return max(auroc, 1 - auroc)


def _auroc(left: npt.NDArray[np.bool_], score: Matrix) -> float:
    """Return the chance that a churner ranks above a stayer, 0.5 where there is only one kind."""
    gone = int(left.sum())
    if gone in {0, len(left)}:
        return 0.5
    above = rankdata(score)[left].sum() - gone * (gone + 1) / 2
    return float(above / (gone * (len(left) - gone)))


@dataclass(frozen=True)
class _Pure:
    """A part of a column in which nearly everyone did the same."""

    rows: int
    where: Where
    left: bool

    @property
    def sign(self) -> Sign:
        """What they nearly all did."""
        return "nearly_all_churned" if self.left else "nearly_all_stayed"

    @property
    def evidence(self) -> dict[str, float]:
        """How many rows, and whether they are churners."""
        return {"rows": float(self.rows), "of_churners": float(self.left)}


def _cuts(codes: Codes, missing: npt.NDArray[np.bool_]) -> Iterator[tuple[Where, Codes]]:
    """Yield the ways to cut a column into parts, each by its name and as codes, -1 for the rows in none of its parts.

    What was filled in afterwards often holds many values, of which each alone is rare: so all of them are a part, too.
    """
    usual = codes == np.bincount(codes).argmax()
    yield "one_value", np.where(missing, -1, codes)
    yield "empty", np.where(missing, 0, -1)
    yield "filled", np.where(missing, -1, 0)
    yield "not_the_most_frequent", np.where(usual, -1, 0)


def _purest(cuts: Iterator[tuple[Where, Codes]], left: npt.NDArray[np.bool_]) -> _Pure | None:
    """Return the largest part of a column in which nearly everyone churned, or stayed; None if there is none.

    That most stay is usual, so staying tells only where churners were due: fifty of them, and not one in a hundred
    came. An honest column does less than that: the most loyal tenth of customers churns seldom, and still churns.
    """
    base, found = left.mean(), []
    for where, codes in cuts:
        known = codes >= 0
        rows, gone = np.bincount(codes[known]), np.bincount(codes[known], left[known])
        stayed, many = rows - gone, rows >= _PURE_ROWS
        # where most churn, a part in which all do is no wonder
        churned = many & (gone >= _PURE * rows) & (rows * (1 - base) >= _STAYERS_DUE)
        loyal = many & (gone <= (1 - _PURE) * rows * base) & (rows * base >= _CHURNERS_DUE)
        for they_left, telling, of_them, all_of_them in (
            (True, churned, gone, left.sum()),
            (False, loyal, stayed, (~left).sum()),
        ):
            parts = np.flatnonzero(telling & (of_them >= _PURE_SHARE * all_of_them))
            found += [_Pure(int(rows[part]), where, left=they_left) for part in parts]
    return max(found, key=lambda one: one.rows, default=None)
