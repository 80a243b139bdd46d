"""What all measures cost beside a raw scan: the table and the section of the page."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

Found = Mapping[str, Any]  # Any: JSON of measure_measures.Found

_SCANS = 5


def table(found: Found) -> str:
    """Return the Markdown table of CPU seconds, in raw scans, and of peak memory."""
    costs = {"a raw scan": found["scan"], "opening the books": found["opening"]}
    costs |= {f"measure {name}": cost for name, cost in found["measures"].items()}
    lines = ["| | CPU | raw scans | wall | peak of the process |", "|---|---:|---:|---:|---:|"]
    for name, cost in costs.items():
        scans = cost["cpu"] / found["scan"]["cpu"]
        lines.append(f"| {name} | {cost['cpu']:.2f} s | {scans:.2f} | {cost['wall']:.2f} s | {cost['peak']:,.0f} MB |")
    lines.append(f"| all of it | {_total(found):.2f} s | {_scans(found):.2f} | | |")
    return "\n".join(lines)


def goals(found: Found) -> str:
    """Return the goal beside what was found; it is met by all measures or by none."""
    told, left = _scans(found), len(found["left_out"])
    verdict = "not met" if told > _SCANS else "met" if not left else f"met by these; {left} left out"
    return (
        "| goal | | found | |\n|---|---:|---:|---|\n"
        f"| CPU of all measures / CPU of a raw scan | ≤ {_SCANS} | {told:.2f} | {verdict} |"
    )


def section(found: Found) -> str:
    """Return the section of `docs/benchmarks.md`."""
    left = "; ".join(f"`{name}` ({why})" for name, why in found["left_out"].items())
    return _SECTION.format(
        table=table(found),
        goals=goals(found),
        rows=found["rows"],
        customers=found["customers"],
        columns=found["columns"],
        left_out=f"Left out: {left}." if left else "None is left out.",
        cores=os.cpu_count(),
        python=platform.python_version(),
        duckdb=version("duckdb"),
    )


def _total(found: Found) -> float:
    return float(found["opening"]["cpu"] + sum(cost["cpu"] for cost in found["measures"].values()))


def _scans(found: Found) -> float:
    return _total(found) / float(found["scan"]["cpu"])


_SECTION = """\
## Measures

What all measures of the customer base cost beside reading once what they are told from.

{table}

{goals}

- **World**: {customers:,} customers and {rows:,} rows in all tables, two years, generated.
- **A raw scan** reads every value of the {columns} columns that the books or some measure names and keeps nothing.
- **The measures** are told in turn on the same books, as one report does, of the whole two years by month; a table that
  one keeps is there for the next. Groups of behaviour and interests are found anew, which a workspace does once in half
  a year. {left_out}
- **What does not grow with the rows**: groups are sought among 4,000 customers and drivers among 100,000 rows of
  customers at month starts, whatever the base.
- **Machine**: {cores} cores; Python {python}, DuckDB {duckdb}.
"""
