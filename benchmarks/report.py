"""What features cost: ratios, growth and goals in the section that holds them; and the page that holds all sections."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from math import log

from benchmarks.cost import Cost

COLUMNS = {
    "raw scan": ("scan", 1),
    "churnml, 1 cutoff": ("churnml", 1),
    "Polars, 1 cutoff": ("polars", 1),
    "DuckDB, 1 cutoff": ("duckdb", 1),
    "churnml, 3 cutoffs": ("churnml", 3),
    "Polars, 3 cutoffs": ("polars", 3),
    "DuckDB, 3 cutoffs": ("duckdb", 3),
    "churnml, 12 cutoffs": ("churnml", 12),
    "Polars, 12 cutoffs": ("polars", 12),
    "Polars tuned, 12 cutoffs": ("polars_tuned", 12),
    "DuckDB, 12 cutoffs": ("duckdb", 12),
}
"""What is measured: the contender and how many cutoffs."""

SMALLER = 10
"""Growth is measured from this part of the rows to the whole."""

HEADINGS = ("Features", "Ingest", "Rhythm", "Models", "Assignment", "Measures", "Store", "Serve")
"""The sections of the page, in order."""

_LIBRARIES = ("numpy", "numba", "pyarrow", "polars", "duckdb")
_SCAN, _ONE, _TWELVE, _MANY = "raw scan", "churnml, 1 cutoff", "churnml, 12 cutoffs", 12
_GROWING = ("churnml", "Polars", "DuckDB")
_MEGABYTE, _BYTES = 1e6, 8


@dataclass(frozen=True)
class Measured:
    """The medians of one contender: on the whole world, and on one of a tenth of its rows."""

    whole: Cost
    small: Cost


@dataclass(frozen=True)
class World:
    """What was measured on: how many event rows, how many customers, and how many features of each."""

    rows: int
    customers: int
    features: int

    def beside_the_answer(self, found: Measured) -> tuple[float, float]:
        """Return the memory that one cutoff took beside its answer, in MB: in a tenth of the world and in the whole."""
        answer = self.customers * self.features * _BYTES / _MEGABYTE
        return found.small.memory - answer / SMALLER, found.whole.memory - answer


def table(found: Mapping[str, Measured]) -> str:
    """Return the Markdown table: each against the raw scan, and against churnml at as many cutoffs."""
    scan = found[_SCAN].whole
    lines = [
        "| | CPU / raw scan | wall / raw scan | CPU / churnml | memory / churnml |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, one in found.items():
        cost, ours = one.whole, found.get(f"churnml, {name.partition(', ')[2]}")
        ratios = [f"{cost.cpu / scan.cpu:.1f}", f"{cost.wall / scan.wall:.1f}", "", ""]
        if ours and one is not ours:
            ratios[2:] = [f"{cost.cpu / ours.whole.cpu:.2f}", f"{cost.memory / ours.whole.memory:.2f}"]
        lines.append(f"| {name} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def growth(found: Mapping[str, Measured]) -> str:
    """Return how CPU grows with rows and with cutoffs, as exponents, in a Markdown table."""
    lines = [
        "| exponent of CPU | rows, 1 cutoff | rows, 12 cutoffs | cutoffs, 1 to 3 | cutoffs, 3 to 12 |",
        "|---|---:|---:|---:|---:|",
        f"| {_SCAN} | {_over_rows(found[_SCAN]):.2f} | | | |",
    ]
    for name in _GROWING:
        one, three, many = (found[f"{name}, {n}"] for n in ("1 cutoff", "3 cutoffs", "12 cutoffs"))
        cells = [
            _over_rows(one),
            _over_rows(many),
            _exponent(one.whole.cpu, three.whole.cpu, 3),
            _exponent(three.whole.cpu, many.whole.cpu, 4),
        ]
        lines.append(f"| {name} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")
    return "\n".join(lines)


def goals(found: Mapping[str, Measured], world: World) -> str:
    """Return the goals beside what was found, as a Markdown table."""
    cpu = {name: one.whole.cpu for name, one in found.items()}
    small, whole = world.beside_the_answer(found[_ONE])
    wanted = [
        ("CPU at 1 cutoff / raw scan", 2.0, cpu[_ONE] / cpu[_SCAN]),
        ("CPU at 1 cutoff / Polars", 1 / 3, cpu[_ONE] / cpu["Polars, 1 cutoff"]),
        ("CPU at 12 cutoffs / raw scan", 3.5, cpu[_TWELVE] / cpu[_SCAN]),
        ("CPU of each further cutoff / raw scan", 0.15, _further(found)),
        ("CPU at 12 cutoffs / Polars", 1 / 8, cpu[_TWELVE] / cpu["Polars, 12 cutoffs"]),
        ("exponent of CPU over rows", 1.0, _over_rows(found[_ONE])),
        (f"memory beside the answer, of {SMALLER} times the rows / of the rows", 1.5, whole / small),
    ]
    lines = [f"| {what} | {most:.2f} | {is_now:.2f} | {_verdict(is_now <= most)} |" for what, most, is_now in wanted]
    return "\n".join(["| goal | at most | found | |", "|---|---:|---:|---|", *lines])


def section(found: Mapping[str, Measured], world: World) -> str:
    """Return the section of `docs/benchmarks.md`."""
    cpu = {name: one.whole.cpu for name, one in found.items()}
    small, whole = world.beside_the_answer(found[_ONE])
    return _SECTION.format(
        ratios=table(found),
        growth=growth(found),
        goals=goals(found, world),
        rows=world.rows,
        fewer=world.rows // SMALLER,
        n_features=world.features,
        cores=os.cpu_count(),
        python=platform.python_version(),
        libraries=", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        one=cpu["Polars, 1 cutoff"] / cpu[_ONE],
        twelve=cpu["Polars, 12 cutoffs"] / cpu[_TWELVE],
        tuned=cpu["Polars tuned, 12 cutoffs"] / cpu[_TWELVE],
        duckdb_one=cpu["DuckDB, 1 cutoff"] / cpu[_ONE],
        duckdb_twelve=cpu["DuckDB, 12 cutoffs"] / cpu[_TWELVE],
        further=_further(found),
        decoding=cpu[_SCAN] / cpu[_ONE],
        small=small,
        whole=whole,
    )


def _further(found: Mapping[str, Measured]) -> float:
    """Return what each cutoff after the first costs, in raw scans."""
    return (found[_TWELVE].whole.cpu - found[_ONE].whole.cpu) / (_MANY - 1) / found[_SCAN].whole.cpu


def _over_rows(found: Measured) -> float:
    return _exponent(found.small.cpu, found.whole.cpu, SMALLER)


def _exponent(less: float, more: float, times: int) -> float:
    """Return the power of `times` by which a cost grew."""
    return log(more / less) / log(times)


def _verdict(met: bool) -> str:  # noqa: FBT001  # a verdict has nothing else to say
    return "met" if met else "not met"


def page(sections: Mapping[str, str], standing: str = "") -> str:
    """Return `docs/benchmarks.md`: the sections measured now, and as they stood those that were not.

    Parameters
    ----------
    sections : mapping of str to str
        By heading.
    standing : str
        The page as it is.
    """
    parts = re.split(r"^## ", standing, flags=re.MULTILINE)[1:]
    kept = {part.partition("\n")[0]: f"## {part.strip()}\n" for part in parts}
    both = kept | dict(sections)
    return "\n".join([_HEAD, *(both[name] for name in HEADINGS if name in both)])


_HEAD = """\
# Benchmarks

`make bench` measures all contenders of a section in one run, prints its tables and writes this page. Times mean little
on another machine; ratios travel.
"""

_SECTION = """\
## Features

What features cost, beside a raw scan of the columns they are made of, beside Polars and beside DuckDB.

{ratios}

{growth}

{goals}

Polars takes {one:.1f} times the CPU of churnml at one cutoff and {twelve:.1f} times at twelve; {tuned:.1f} times when
tuned by hand for many cutoffs. DuckDB takes {duckdb_one:.1f} times and {duckdb_twelve:.1f} times. Each further cutoff
costs churnml {further:.2f} raw scans.

### What was measured

- **World**: {rows:,} generated rows of five tables over two years: orders, order lines, interactions, contacts and
  tickets; and one customer for every fifty of them; seeded, landed by churnml's own ingest (`benchmarks/world.py`).
- **Features**: {n_features} numeric features, each checked against Polars and against DuckDB in the same run: equal
  within 1e-9 for every customer, missing for the same customers.
- **Raw scan**: PyArrow decodes the same columns of the same files, row group by row group, texts as dictionary codes,
  into memory from the allocator that churnml uses too, and does nothing with them.
- **Polars**: vectorised expressions only, no Python function, a loop over the cutoffs
  (`benchmarks/polars_features.py`). It reads the files as churnml landed them and profits from their order. *Tuned*
  reads the rows once for all cutoffs and turns customers into numbers first.
- **DuckDB**: one query for each cutoff, each table grouped once for all windows (`benchmarks/duckdb_features.py`).
- **Growth**: the exponent *e* with which CPU grows as the *e*-th power, from {fewer:,} rows to {rows:,}, and from
  cutoffs to more cutoffs on all rows. `--rows` measures another number of rows.
- **CPU** is user and system time of a fresh process that has done the same on a tiny world before, so that imports
  and the loading of the compiled kernel are not in it. Memory is the rise of the peak above the start, the answer
  included; *beside the answer*, one cutoff took churnml {small:,.0f} MB for {fewer:,} rows and {whole:,.0f} MB for
  {rows:,}. Medians of three runs, contenders in turn.
- **Machine**: {cores} cores; Python {python}, {libraries}.

### What limits it now

- At one cutoff {decoding:.0%} of the CPU is what the raw scan takes to decode Parquet, the floor; the rest goes to
  opening row groups, running sums over the rows, and a few hundred small array operations for each block.
- At twelve cutoffs the answer itself is the cost: a number for every customer, cutoff and feature is computed, written
  once where it stands, and held.
- A ticket is resolved after it was opened, so at every cutoff there are customers of whom less was known than now;
  what tickets tell of them is computed again, from what was known then.
"""
