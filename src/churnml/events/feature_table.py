"""A feature table that someone else made: one row per customer and cutoff, or one snapshot, as arrays.

It skips `features/` and joins at `modeling/`. Read `feature_file.py` next, which stages a file and reads it, then
`feature_check.py`, which says what is broken in it; `feature_columns.py` has the SQL, `feature_label.py` the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from churnml.events.feature_columns import Column

Texts = npt.NDArray[np.object_]
Matrix = npt.NDArray[np.float64]
Instants = npt.NDArray[np.int64]

UNDATED = int(np.iinfo(np.int64).min)
"""The cutoff of rows whose table names none."""


@dataclass(frozen=True)
class Roles:
    """Which columns of a file are no features.

    Parameters
    ----------
    customer_id : str
        Whose row it is.
    cutoff_column : str
        What was known when; empty where all rows share a cutoff.
    cutoff : str
        The date that all rows share, as in 2024-12-31; empty where a column tells, or where nobody does.
    label : str
        Who churned; empty in a file that is only scored.
    """

    customer_id: str
    cutoff_column: str = ""
    cutoff: str = ""
    label: str = ""

    @property
    def dated(self) -> bool:
        """Whether the cutoffs are known, so that dates can be counted back from them."""
        return bool(self.cutoff or self.cutoff_column)


@dataclass(frozen=True)
class ReadyTable:
    """Rows of a ready feature table, one for each customer and cutoff, in the order of the file.

    Parameters
    ----------
    customer_ids : ndarray of shape (n_rows,)
        Texts.
    cutoffs : ndarray of shape (n_rows,)
        Microseconds UTC, or `UNDATED`.
    churned : ndarray of shape (n_rows,)
        The label; all false where the file has none.
    columns : tuple of Column
        What a model may read.
    values : ndarray of shape (n_rows, n_numbers)
        The numbers and dates, in the order of `numbers`; a date as days before the cutoff; NaN where missing.
    categories : dict of str to ndarray of shape (n_rows,)
        Texts, None where missing.
    """

    customer_ids: Texts
    cutoffs: Instants
    churned: npt.NDArray[np.bool_]
    columns: tuple[Column, ...]
    values: Matrix
    categories: dict[str, Texts]

    def __len__(self) -> int:
        return len(self.customer_ids)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the columns of `values`."""
        return tuple(column.name for column in self.columns if column.kind != "category")

    def column(self, name: str) -> Matrix:
        """Return one number or date column, of shape (n_rows,)."""
        return np.asarray(self.values[:, self.numbers.index(name)])

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> ReadyTable:
        """Return some of the rows, in the order given."""
        categories = {name: column[rows] for name, column in self.categories.items()}
        some = (self.customer_ids[rows], self.cutoffs[rows], self.churned[rows])
        return ReadyTable(*some, self.columns, self.values[rows], categories)

    def only(self, names: Sequence[str]) -> ReadyTable:
        """Return the table with some of its columns, in their order."""
        columns = tuple(column for column in self.columns if column.name in names)
        places = [place for place, name in enumerate(self.numbers) if name in names]
        categories = {name: column for name, column in self.categories.items() if name in names}
        return replace(self, columns=columns, values=self.values[:, places], categories=categories)


def listed(names: Sequence[str], most: int = 12) -> str:
    """Return names as a person would list them, the first dozen."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"`{name}`" for name in names[:most]) + more
