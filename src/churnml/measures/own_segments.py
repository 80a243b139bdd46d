"""Segments of a company's own: whoever meets a condition over their portrait.

A condition is written by people who know SQL and run by a program that must not trust it. So it is parsed before it is
run, every node of it must be of a kind and every function of a name that is listed here, and it runs on a database of
its own that holds nothing but the columns it names and can reach no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from churnml.config import OwnSegment
from churnml.errors import ConfigError, nearest
from churnml.events.books import Books
from churnml.measures.portrait import TYPES
from churnml.wording import Text

IN, OUT = "in", "out"
IN_OR_OUT = {IN: Text("In the segment", "属于该分群"), OUT: Text("Outside", "不属于该分群")}

Node = dict[str, Any]  # Any: DuckDB's syntax tree, as JSON

_KINDS = {
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "COLUMN_REF",
    "OPERATOR",
    "BETWEEN",
    "FUNCTION",
    "CASE",
    "CAST",
    "TYPE",
}
_FUNCTIONS = {
    *("+", "-", "*", "/", "//", "%", "~~", "!~~", "~~*", "!~~*", "like_escape", "ilike_escape"),
    *("abs", "ceil", "floor", "round", "greatest", "least", "nullif", "ifnull"),
    *("lower", "upper", "trim", "length", "contains", "starts_with", "prefix", "suffix", "ends_with"),
}
_TYPES = {"BOOLEAN", "INTEGER", "BIGINT", "DOUBLE", "DECIMAL", "VARCHAR"}
_EMPTY: tuple[tuple[str, object], ...] = (
    ("modifiers", []),
    ("cte_map", {"map": []}),
    ("group_expressions", []),
    ("having", None),
    ("sample", None),
    ("qualify", None),
)


def check_condition(segment: OwnSegment, where: str, free: Sequence[str] | None = None) -> None:
    """Check a condition as far as it can be without a row.

    Parameters
    ----------
    segment : OwnSegment
    where : str
        The file that it stands in.
    free : sequence of str, optional
        The names of free attributes of customers; None before they are known, and then a condition over columns that
        may be such is left for later.

    Raises
    ------
    ConfigError
        See `members`.
    """
    nodes = _allowed(segment, where)
    named = {".".join(node["column_names"]).lower() for node in nodes if node["class"] == "COLUMN_REF"}
    if free is None and named - {"customer_id", *TYPES}:
        return
    types = TYPES | {name: "VARCHAR" for name in free or () if name not in TYPES}
    columns = asked_columns(segment, tuple(types), where)
    shape = {"customer_id": "VARCHAR"} | types
    with _apart({name: shape[name] for name in columns}) as apart:
        apart.execute(f"INSERT INTO portrait SELECT {', '.join('NULL' for _ in columns)}")
        _lock(apart)
        _check_kind(apart, segment, where)


def members(books: Books, segment: OwnSegment, where: str = "measure.yaml") -> str:
    """Keep who belongs to a segment of one's own, and return the table's name.

    Parameters
    ----------
    books : Books
        In which `portrait` was laid.
    segment : OwnSegment
        Its condition; where it comes to NULL a customer is out.
    where : str
        The file that it stands in.

    Returns
    -------
    str
        Of a table with `customer_id` and `member`, one row for each who is in.

    Raises
    ------
    ConfigError
        If it is no condition over the columns of the portrait, or asks for more than one may.
    """
    columns = asked_columns(segment, books.columns("portrait"), where)
    shape = books.connection.execute(f"DESCRIBE SELECT {_list(columns)} FROM portrait").fetchall()
    rows = books.frame(f"SELECT {_list(columns)} FROM portrait")
    with _apart({name: kind for name, kind, *_ in shape}) as apart:
        apart.register("_rows", rows)
        apart.execute("INSERT INTO portrait SELECT * FROM _rows")
        apart.unregister("_rows")
        _lock(apart)
        _check_kind(apart, segment, where)
        found = _answered(
            apart, segment, where, f"SELECT customer_id, true AS member FROM portrait WHERE (\n{segment.query}\n)"
        ).df()
    return books.add(f"own_{segment.name}", found.astype({"customer_id": "string", "member": "bool"}))


@contextmanager
def _apart(columns: Mapping[str, str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that holds nothing but an empty portrait of some columns."""
    with duckdb.connect(":memory:") as apart:
        apart.execute(
            f"CREATE TABLE portrait ({', '.join(f'{_list([name])} {kind}' for name, kind in columns.items())})"
        )
        yield apart


def _lock(apart: duckdb.DuckDBPyConnection) -> None:
    """Let nothing that is asked from now on reach a file, or change that."""
    apart.execute("SET enable_external_access = false")
    apart.execute("SET lock_configuration = true")


def _check_kind(apart: duckdb.DuckDBPyConnection, segment: OwnSegment, where: str) -> None:
    asked = f"SELECT DISTINCT typeof((\n{segment.query}\n)) FROM portrait"
    for (kind,) in _answered(apart, segment, where, asked).fetchall():
        if kind not in {"BOOLEAN", '"NULL"'}:
            raise _refused(segment, where, f"found one that comes to {kind}; compare it with something")


def _answered(
    apart: duckdb.DuckDBPyConnection, segment: OwnSegment, where: str, query: str
) -> duckdb.DuckDBPyConnection:
    try:
        return apart.execute(query)
    except duckdb.Error as error:
        raise _refused(segment, where, f"DuckDB said: {str(error).splitlines()[0]}") from error


def asked_columns(segment: OwnSegment, known: tuple[str, ...], where: str = "measure.yaml") -> tuple[str, ...]:
    """Return the columns that a condition names, `customer_id` before them, once all of it was found to be allowed.

    Raises
    ------
    ConfigError
        See `members`.
    """
    if segment.name in known or segment.name in {"all", "channel", "age_band"}:
        raise ConfigError(
            f"the segment `{segment.name}` in {where} must have a name that nothing else has, and customers have a "
            "column of that name; choose another"
        )
    names = {name.lower(): name for name in known}
    asked: dict[str, None] = {}
    for node in _allowed(segment, where):
        if node["class"] == "COLUMN_REF":
            path = ".".join(node["column_names"])
            if path.lower() not in names:
                what = f"found `{path}`, which is no column{nearest(path, known)}; there are {', '.join(known)}"
                raise _refused(segment, where, what)
            asked[names[path.lower()]] = None
    return ("customer_id", *asked)


def _allowed(segment: OwnSegment, where: str) -> list[Node]:
    """Return every expression of a condition, once each was found to be of a kind that is allowed."""
    nodes = list(_nodes(_condition(segment, where)))
    for node in nodes:
        _check(segment, where, node)
    return nodes


def _condition(segment: OwnSegment, where: str) -> Node:
    """Return the syntax tree of a condition, and of nothing beside it.

    It must be one by itself: within brackets alone `a) OR (b` would look like one.
    """
    with duckdb.connect(":memory:") as apart:
        query = f"SELECT 1 FROM portrait WHERE (\n{segment.query}\n)"
        told = apart.execute("SELECT json_serialize_sql($query)", {"query": query}).fetchall()[0][0]
    tree = json.loads(told)
    if tree["error"]:
        raise _refused(segment, where, f"DuckDB said: {str(tree['error_message']).splitlines()[0]}")
    statement = tree["statements"][0]
    node: Node = statement["node"]
    alone = len(tree["statements"]) == 1 and node["type"] == "SELECT_NODE" and not statement["named_param_map"]
    if not alone or any(node[name] != nothing for name, nothing in _EMPTY):
        raise _refused(segment, where, "found more than a condition; leave out all but that")
    try:
        duckdb.SQLExpression(segment.query)
    except duckdb.Error as error:
        raise _refused(segment, where, f"DuckDB said: {str(error).splitlines()[0]}") from error
    condition: Node = node["where_clause"]
    return condition


def _nodes(tree: object) -> Iterator[Node]:
    """Yield every expression of a syntax tree."""
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for part in tree.values():
            yield from _nodes(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _nodes(part)


def _check(segment: OwnSegment, where: str, node: Node) -> None:
    kind = node["class"]
    if kind not in _KINDS:
        what = f"found {kind.lower().replace('_', ' ')}; use comparisons, AND, OR, NOT, IN, BETWEEN, LIKE"
        raise _refused(segment, where, what)
    if kind == "FUNCTION" and (node["function_name"].lower() not in _FUNCTIONS or node["schema"] or node["filter"]):
        functions = ", ".join(sorted(name for name in _FUNCTIONS if name.isidentifier()))
        raise _refused(segment, where, f"found the function `{node['function_name']}`; there are {functions}")
    if kind == "TYPE" and node["type_name"] not in _TYPES:
        raise _refused(segment, where, f"found the type {node['type_name']}; there are {', '.join(sorted(_TYPES))}")


def _refused(segment: OwnSegment, where: str, what: str) -> ConfigError:
    return ConfigError(
        f"the query of the segment `{segment.name}` in {where} must be one condition over the columns of a customer "
        f"(docs/segments.md), {what}"
    )


def _list(columns: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
