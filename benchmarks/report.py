"""The table of ratios and the page that holds it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

COLUMNS = {
    "raw scan": ("scan", 1),
    "churnml, 1 cutoff": ("churnml", 1),
    "Polars, 1 cutoff": ("polars", 1),
    "churnml, 12 cutoffs": ("churnml", 12),
    "Polars, 12 cutoffs": ("polars", 12),
}
"""What is measured: the contender and how many cutoffs."""

_LIBRARIES = ("numpy", "numba", "pyarrow", "polars")
_N_CUTOFFS = 12


@dataclass(frozen=True)
class Median:
    """The middle of the runs: CPU and wall in seconds, memory in MB above the start."""

    cpu: float
    wall: float
    memory: float


def table(medians: Mapping[str, Median]) -> str:
    """Return the Markdown table of every contender against the raw scan, and of churnml against Polars."""
    scan = medians["raw scan"]
    head = "| | CPU / raw scan | CPU / Polars | wall / raw scan | memory / Polars |\n|---|---:|---:|---:|---:|"
    lines = [head]
    for name, median in medians.items():
        polars = medians.get(name.replace("churnml", "Polars"), scan)
        against = ("", "")
        if name.startswith("churnml"):
            against = (f"{median.cpu / polars.cpu:.2f}", f"{median.memory / polars.memory:.2f}")
        cpu, wall = median.cpu / scan.cpu, median.wall / scan.wall
        lines.append(f"| {name} | {cpu:.1f} | {against[0]} | {wall:.1f} | {against[1]} |")
    return "\n".join(lines)


def page(ratios: str, medians: Mapping[str, Median], rows: int, n_features: int) -> str:
    """Return `docs/benchmarks.md`."""
    one, twelve = (medians[f"churnml, {n}"] for n in ("1 cutoff", "12 cutoffs"))
    polars_one, polars_twelve = (medians[f"Polars, {n}"] for n in ("1 cutoff", "12 cutoffs"))
    further = (twelve.cpu - one.cpu) / (_N_CUTOFFS - 1) / medians["raw scan"].cpu
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return _PAGE.format(
        ratios=ratios,
        rows=rows,
        n_features=n_features,
        cores=os.cpu_count(),
        python=platform.python_version(),
        libraries=libraries,
        one=polars_one.cpu / one.cpu,
        twelve=polars_twelve.cpu / twelve.cpu,
        further=further,
    )


_PAGE = """\
# Benchmarks

What features cost, beside a raw scan of the columns they are made of and beside Polars. `make bench` measures all
of them in one run, prints this table and writes this page; absolute times mean little on another machine, ratios travel.

{ratios}

At one cutoff churnml takes {one:.1f} times less CPU than Polars, at twelve {twelve:.1f} times less. Each further cutoff
costs it {further:.2f} raw scans.

## What was measured

- **World**: {rows:,} generated rows of orders, order lines, interactions and contacts over two years, and one
  customer for every fifty of them; seeded, landed by `churnml`'s own ingest (`benchmarks/world.py`).
- **Features**: {n_features} numeric features, every one checked against Polars in the same run: equal within 1e-9 for
  every customer, missing for the same customers.
- **Raw scan**: PyArrow decodes the same columns of the same files, row group by row group, texts as dictionary codes,
  and does nothing with them.
- **Polars**: a lazy plan for each cutoff, all expressions vectorised, what does not depend on the cutoff computed once
  (`benchmarks/polars_features.py`). It reads the files as churnml landed them and profits from their order.
- **CPU** is user and system time of a fresh process that has done the same on a tiny world before, so that imports
  and the loading of the compiled kernel are not in it. Memory is the rise of the peak above the start, the answer
  included. Medians of three runs, contenders in turn.
- **Machine**: {cores} cores; Python {python}, {libraries}.

## What limits it now

- At one cutoff, about a third of the CPU goes to decoding Parquet, the floor that the raw scan shows; the rest to
  sorting texts into codes, running sums over the rows, and a few hundred small array operations for each block.
- At twelve cutoffs the answer itself is the cost: every customer, cutoff and feature is a number that is written when
  its block is done and moved once into the order of the table. A table written block by block to disk would need
  neither the move nor the memory.
"""
