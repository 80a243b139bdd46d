"""What features cost: the table of ratios and the section that holds it; and the page that holds all sections."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from importlib.metadata import version

from benchmarks.cost import Cost

COLUMNS = {
    "raw scan": ("scan", 1),
    "churnml, 1 cutoff": ("churnml", 1),
    "Polars, 1 cutoff": ("polars", 1),
    "churnml, 12 cutoffs": ("churnml", 12),
    "Polars, 12 cutoffs": ("polars", 12),
    "Polars tuned, 12 cutoffs": ("polars_tuned", 12),
}
"""What is measured: the contender and how many cutoffs."""

HEADINGS = ("Features", "Ingest")
"""The sections of the page, in order."""

_LIBRARIES = ("numpy", "numba", "pyarrow", "polars")
_ONE, _TWELVE, _N_CUTOFFS = "churnml, 1 cutoff", "churnml, 12 cutoffs", 12


def table(medians: Mapping[str, Cost]) -> str:
    """Return the Markdown table: each against the raw scan, and against churnml at as many cutoffs."""
    scan = medians["raw scan"]
    lines = [
        "| | CPU / raw scan | wall / raw scan | CPU / churnml | memory / churnml |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, median in medians.items():
        ratios = [f"{median.cpu / scan.cpu:.1f}", f"{median.wall / scan.wall:.1f}", "", ""]
        if name.startswith("Polars"):
            ours = medians[_TWELVE if name.endswith(_TWELVE[-10:]) else _ONE]
            ratios[2:] = [f"{median.cpu / ours.cpu:.2f}", f"{median.memory / ours.memory:.2f}"]
        lines.append(f"| {name} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def section(medians: Mapping[str, Cost], rows: int, n_features: int) -> str:
    """Return the section of `docs/benchmarks.md`."""
    scan, one, twelve = (medians[name].cpu for name in ("raw scan", _ONE, _TWELVE))
    return _SECTION.format(
        ratios=table(medians),
        rows=rows,
        n_features=n_features,
        cores=os.cpu_count(),
        python=platform.python_version(),
        libraries=", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        one=medians["Polars, 1 cutoff"].cpu / one,
        twelve=medians["Polars, 12 cutoffs"].cpu / twelve,
        tuned=medians["Polars tuned, 12 cutoffs"].cpu / twelve,
        further=(twelve - one) / (_N_CUTOFFS - 1) / scan,
    )


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

What features cost, beside a raw scan of the columns they are made of and beside Polars.

{ratios}

Polars takes {one:.1f} times the CPU of churnml at one cutoff and {twelve:.1f} times at twelve; {tuned:.1f} times when
tuned by hand for many cutoffs. Each further cutoff costs churnml {further:.2f} raw scans.

### What was measured

- **World**: {rows:,} generated rows of orders, order lines, interactions and contacts over two years, and one
  customer for every fifty of them; seeded, landed by churnml's own ingest (`benchmarks/world.py`).
- **Features**: {n_features} numeric features, each checked against Polars in the same run: equal within 1e-9 for
  every customer, missing for the same customers.
- **Raw scan**: PyArrow decodes the same columns of the same files, row group by row group, texts as dictionary codes,
  and does nothing with them.
- **Polars**: vectorised expressions only, no Python function, a loop over the cutoffs
  (`benchmarks/polars_features.py`). It reads the files as churnml landed them and profits from their order. *Tuned*
  reads the rows once for all cutoffs and turns customers into numbers first.
- **CPU** is user and system time of a fresh process that has done the same on a tiny world before, so that imports
  and the loading of the compiled kernel are not in it. Memory is the rise of the peak above the start, the answer
  included. Medians of three runs, contenders in turn.
- **Machine**: {cores} cores; Python {python}, {libraries}.

### What limits it now

- At one cutoff about a quarter of the CPU goes to decoding Parquet, the floor that the raw scan shows; the rest to
  opening row groups, running sums over the rows, and a few hundred small array operations for each block.
- At twelve cutoffs the answer itself is the cost: a number for every customer, cutoff and feature is computed, written
  once where it stands, and held. Over a third of the CPU is system time, most of it for memory handed out for the first
  time. A table written block by block to disk would not need it.
"""
