"""What keeping decision records costs, on SQLite and on PostgreSQL: the table and the section of the page."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

Found = Mapping[str, Any]  # Any: JSON of `measure_store`

RECORDS = 1_000_000
_MILLION = 1e6
_SECONDS, _RATIO = 30.0, 1.5
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def table(found: Sequence[Found]) -> str:
    """Return the Markdown table of seconds for a million records, less what making them took, and of pages."""
    deep = max((int(one["deep_page"]) for one in found), default=0)
    head = f"| a million records | seconds | CPU | / one insert of many rows | page 1 | page {deep:,} | ratio |"
    return "\n".join([head, "|---|---:|---:|---:|---:|---:|---:|", *map(_row, found)])


def _row(one: Found) -> str:
    wall, cpu = (_net(one, "written", how) for how in ("wall", "cpu"))
    return (
        f"| {_NAMES[one['database']]} | {wall:.1f} | {cpu:.1f} | {wall / _net(one, 'plain', 'wall'):.2f} | "
        f"{one['first'] * 1e3:.1f} ms | {one['deep'] * 1e3:.1f} ms | {one['deep'] / one['first']:.2f} |"
    )


def goals(found: Sequence[Found]) -> str:
    """Return the goals beside what was found, as a Markdown table; the slower database is judged."""
    seconds = max(_net(one, "written", "wall") for one in found)
    ratio = max(one["deep"] / one["first"] for one in found)
    rows = [
        ("seconds for a million records", f"≤ {_SECONDS:g}", f"{seconds:.1f}", seconds <= _SECONDS),
        ("a page deep down / the first", f"≤ {_RATIO:g}", f"{ratio:.2f}", ratio <= _RATIO),
    ]
    told = [f"| {name} | {goal} | {value} | {'met' if met else 'not met'} |" for name, goal, value, met in rows]
    return "\n".join(["| goal | | found | |", "|---|---:|---:|---|", *told])


def section(found: Sequence[Found]) -> str:
    """Return the section of `docs/benchmarks.md`."""
    return _SECTION.format(
        table=table(found),
        goals=goals(found),
        count=f"{int(found[0]['records']):,}",
        bytes=f"{int(found[0]['bytes']):,}",
        cores=os.cpu_count(),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        sqlalchemy=version("sqlalchemy"),
    )


def _net(one: Found, what: str, how: str) -> float:
    """Return seconds for a million records, less what making them as objects took."""
    return float(one[what][how] - one["made"][how]) * _MILLION


_SECTION = """\
## Store

What it costs to keep the decision records of a night, and to read them page by page.

{table}

{goals}

- **Records**: {count}, of {bytes} bytes of JSON each, made from the number of the customer; what making them took is
  taken off. Written as `churnml score` writes them: encoded, every index in place, 20,000 a transaction.
- **One insert of many rows** is SQLAlchemy's, with Python's own JSON: the same tables, in the same run, of a tenth of
  the records.
- **Pages** of 50 records of the list at risk, decoded; the median of thirty.
- PostgreSQL (`--url`) runs on the same machine, reached by TCP, without fsync, as the tests start it: a server that
  flushes to its disk takes longer.
- **Machine**: {cores} cores; Python {python}, SQLite {sqlite}, SQLAlchemy {sqlalchemy}.
"""
