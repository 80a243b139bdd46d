"""The shape of every measure: a data frame, and beside it what each number is, of whom, of when and from what.

A measure is a frame in tidy form and never a bare number: `definition` says how it is counted, `begin` and `end` of
which days, `population` of whom, `sources` from which tables, and `remarks` what is missing from it and why. So a page,
a program and a notebook show the same words beside the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from churnml.wording import Text

if TYPE_CHECKING:
    import pandas as pd

Json = dict[str, Any]  # Any: JSON

Unit = Literal["word", "day", "number", "share", "money", "days", "hours", "score", "ratio", "probability", "change"]
"""How a column is read and shown: words and ISO dates, counts, shares from 0 to 1, amounts in the currency, lengths of
time, points of a scale, plain ratios, probabilities of chance alone, which are small, and changes of what a row is of:
of a share, in percentage points."""


@dataclass(frozen=True)
class About:
    """What a column of a measure is.

    Parameters
    ----------
    title : Text
        Its heading.
    unit : str
        One of `Unit`.
    definition : Text, optional
        How it is counted, where the heading does not say.
    words : mapping of str to Text, optional
        How the values of a column of words are worded; those that are missing stay as they are.
    unit_in : str, optional
        The column that names the unit of each row, where rows of several units stand in one table.
    """

    title: Text
    unit: Unit
    definition: Text | None = None
    words: Mapping[str, Text] | None = None
    unit_in: str | None = None

    def to_json(self) -> Json:
        """Return plain data."""
        words = None if self.words is None else {name: asdict(text) for name, text in self.words.items()}
        definition = None if self.definition is None else asdict(self.definition)
        told = {"title": asdict(self.title), "unit": self.unit, "definition": definition, "words": words}
        return told if self.unit_in is None else told | {"unit_in": self.unit_in}


@dataclass(frozen=True)
class Measure:
    """A table of figures and what they are.

    Parameters
    ----------
    name : str
        What programs call it, such as `lifecycle_transitions`.
    title, definition, population : Text
        Its heading; how it is counted; of whom.
    frame : DataFrame
        One row per thing measured, with the columns of `columns`. Figures that cannot be told, or are of fewer
        customers than `smallest_group`, are missing, and `remarks` say why.
    columns : mapping of str to About
        What each column is, in order.
    begin, end : str
        The first local day, and the day after the last, ISO 8601.
    sources : tuple of str
        The tables it was counted from, and `records` for what a model said.
    remarks : tuple of Text
        What is missing, hidden or doubtful.
    """

    name: str
    title: Text
    definition: Text
    population: Text
    frame: pd.DataFrame
    columns: Mapping[str, About]
    begin: str
    end: str
    sources: tuple[str, ...]
    remarks: tuple[Text, ...] = ()

    def to_json(self) -> Json:
        """Return plain data: `rows` are objects by column, what is missing is null."""
        told = self.frame[list(self.columns)].astype(object)
        rows = told.where(told.notna(), None).to_dict(orient="records")
        texts = {name: asdict(getattr(self, name)) for name in ("title", "definition", "population")}
        return {
            "name": self.name,
            **texts,
            "begin": self.begin,
            "end": self.end,
            "sources": list(self.sources),
            "remarks": [asdict(remark) for remark in self.remarks],
            "columns": {name: about.to_json() for name, about in self.columns.items()},
            "rows": [{name: _plain(value) for name, value in row.items()} for row in rows],
        }


def _plain(value: Any) -> Any:  # Any: whatever a frame holds
    """Return a NumPy or pandas scalar as what JSON knows; days as ISO 8601."""
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    return value.item() if hasattr(value, "item") else value


@dataclass(frozen=True)
class Asked:
    """What a person asked of a measure.

    Parameters
    ----------
    begin, end : int
        The first instant and the one after the last, microseconds UTC, both midnights of the workspace's zone.
    every : {'week', 'month', 'quarter', 'year'}
        How long a period is.
    by : str or None
        What parts the customers: an attribute, `stage`, `segment`, `channel` (how they came), or a segment of one's
        own.
    smallest : int
        Figures of fewer customers are not shown.
    wanted : int or None
        The end that was asked for, where it lies after the last day of which anything has landed; `end` is there.
    """

    begin: int
    end: int
    every: Literal["week", "month", "quarter", "year"] = "month"
    by: str | None = None
    smallest: int = 10
    wanted: int | None = None
