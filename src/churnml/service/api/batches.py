"""What the routes that take many rows have in common: how they are declared, and what is said of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from churnml.events.schema import Column, Table
from churnml.service.api.shapes import Shape
from churnml.service.problems import Problem

MAX_ROWS = 500
Json = dict[str, Any]  # Any: JSON
_TYPES: dict[str, Json] = {
    "text": {"type": "string"},
    "instant": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "money": {"type": "number"},
    "boolean": {"type": "boolean"},
    "json": {"type": "object"},
}


class RowResult(Shape):
    """What became of one row of the request."""

    index: int = Field(description="its place in the request, from 0")
    status: Literal["kept", "stood", "refused"] = Field(
        description="`kept`: it is stored for good; `stood`: the same was stored before; `refused`: see `problem`"
    )
    flags: list[str] = Field([], description="what should be known of a row that was kept")
    problem: Problem | None = Field(description="why it was refused")


def result(index: int, status: str, flags: Collection[str] = (), problem: Problem | None = None) -> Json:
    """Return a `RowResult` as JSON."""
    told = None if problem is None else problem.model_dump()
    return {"index": index, "status": status, "flags": list(flags), "problem": told}


def answer(results: list[Json]) -> Json:
    """Return the results with how many rows ended in each way."""
    ended = [one["status"] for one in results]
    return {"results": results, **{name: ended.count(name) for name in ("kept", "stood", "refused")}}


class RowResults(Shape):
    """What became of the rows, in their order."""

    results: list[RowResult]
    kept: int
    stood: int
    refused: int


def row_of(table: Table, *, optional: Collection[str] = (), more: Mapping[str, Json] | None = None) -> Any:
    """Return the type of a row of a table, for a request: any JSON object, described by the contract.

    The row itself is checked where it is taken, by the same rules as a row of a file, so that one that breaks a rule is
    refused and the others are kept.

    Parameters
    ----------
    optional : collection of str
        Columns that the contract requires and this request does not.
    more : mapping, optional
        The JSON schemas of fields beside those of the contract.
    """
    schema = {
        "type": "object",
        "title": table.row,
        "properties": {column.name: _described(column) for column in table.columns} | dict(more or {}),
        "required": [column.name for column in table.columns if column.required and column.name not in optional],
    }
    return Annotated[Json, WithJsonSchema(schema)]


def _described(column: Column) -> Json:
    bounds = {"minimum": column.at_least, "maximum": column.at_most}
    among = {"enum": list(column.among)} if column.among else {}
    told = {name: bound for name, bound in bounds.items() if bound is not None}
    return _TYPES[column.kind] | among | told | {"description": column.meaning}
