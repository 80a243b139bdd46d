"""What ingest costs: the table of ratios and the section of the page that holds it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from benchmarks.cost import Cost

CONTENDERS = {
    "DuckDB reads": "read",
    "DuckDB loads": "load",
    "churnml checks": "check",
    "churnml checks and lands": "land",
    "churnml lands it again": "again",
}
"""What is measured, by the name it bears in the table."""

SMALLER = 10
"""Memory is measured at the whole number of rows and at this part of it."""

_READS, _LOADS, _CHECKS, _LANDS, _AGAIN = CONTENDERS
_MOST, _MOST_MEMORY = 3.0, 1_000


@dataclass(frozen=True)
class Measured:
    """The middle of the runs of one contender: its cost on the whole file, and its peak in MB on the smaller one."""

    whole: Cost
    small_peak: float


def table(found: Mapping[str, Measured], rows: int) -> str:
    """Return the Markdown table: each against DuckDB reading and loading the same file, and its peak memory."""
    read, load = found[_READS].whole, found[_LOADS].whole
    ratios = [f"{clock} / {other}" for other in ("reading", "loading") for clock in ("CPU", "wall")]
    heads = [*ratios, f"peak at {rows // SMALLER:,} rows", f"peak at {rows:,} rows"]
    lines = [
        f"| | {' | '.join(heads)} |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in found.items():
        cost = one.whole
        cells = [f"{n:.1f}" for other in (read, load) for n in (cost.cpu / other.cpu, cost.wall / other.wall)]
        cells += [f"{megabytes:,.0f} MB" for megabytes in (one.small_peak, cost.peak)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def goals(found: Mapping[str, Measured]) -> str:
    """Return the goals beside what was found, as a Markdown table."""
    ratio = found[_CHECKS].whole.cpu / found[_READS].whole.cpu
    most = max(found[name].whole.peak for name in (_CHECKS, _LANDS, _AGAIN))
    return "\n".join(
        [
            "| goal | at most | found | |",
            "|---|---:|---:|---|",
            f"| CPU of a check / CPU of reading | {_MOST:.1f} | {ratio:.1f} | {_verdict(ratio <= _MOST)} |",
            f"| peak memory of ingest | {_MOST_MEMORY:,} MB | {most:,.0f} MB | {_verdict(most < _MOST_MEMORY)} |",
        ]
    )


def section(found: Mapping[str, Measured], rows: int, megabytes: int) -> str:
    """Return the section of `docs/benchmarks.md`."""
    return _SECTION.format(
        ratios=table(found, rows),
        goals=goals(found),
        rows=rows,
        megabytes=megabytes,
        reading=found[_READS].whole.cpu,
        checking=found[_CHECKS].whole.cpu,
        landing=found[_LANDS].whole.cpu,
        again=found[_AGAIN].whole.cpu,
        cores=os.cpu_count(),
        python=platform.python_version(),
        duckdb=version("duckdb"),
    )


def _verdict(met: bool) -> str:  # noqa: FBT001  # a verdict has nothing else to say
    return "met" if met else "not met"


_SECTION = """\
## Ingest

What it costs to check a CSV file of {rows:,} orders ({megabytes:,} MB) against the contract, and to land it, beside
DuckDB doing no more than reading the same file.

{ratios}

{goals}

DuckDB reads the file in {reading:.1f} seconds of CPU, churnml checks it in {checking:.1f}, checks and lands it in
{landing:.1f}, and finds in {again:.1f} that an export of the same orders and one more brings one row, on the machine
below.

- **File**: seeded orders of seven columns in the order in which they came in, a customer for every twenty of them,
  every row sound and no value in quotes (`benchmarks/order_file.py`): a file as it should be, on which what a check
  costs is pure overhead. Broken rows cost more.
- **Reading**: DuckDB parses the file with the true types declared, on all cores, with all the memory it likes; every
  value of every column is produced, counted or added up, and nothing is kept.
- **Loading**: the same into a table of a new DuckDB file, compressed as DuckDB does it.
- **Checking** (`churnml ingest --check`) before anything has landed: the encoding of the file, an independent count of
  its records, every value read strictly, the rules of the contract, whether each customer is known, whether an order
  comes twice, and the report. **Landing** sorts the rows by customer and writes them as Parquet on top. **Again** is
  tomorrow's full export: all orders stand, and one is new.
- **Peak** is the largest resident memory of the whole process, Python and its libraries included. The customers have
  landed before the clock starts, and every contender has done the same on a tiny file.
- Medians of three runs, each in a process of its own, contenders in turn.
- **Machine**: {cores} cores; Python {python}, DuckDB {duckdb}.
"""
