"""What training and scoring cost beside the trees inside them: the tables and the section of the page."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version

Found = Mapping[str, float]

_TRAINING, _SCORING = 1.5, 1.0


def table(found: Found) -> str:
    """Return the Markdown table of CPU seconds and ratios."""
    rows = [
        ("training, features and labels included", found["train"], found["train"] / found["fits_alone"]),
        ("the fits of trees inside it", found["fits_alone"], 1.0),
        ("churn probability by the blend", found["blend"], found["blend"] / found["trees"]),
        ("its trees alone", found["trees"], 1.0),
        ("a whole forecast: value, ranges, other horizons", found["scored"], found["scored"] / found["trees"]),
    ]
    lines = ["| | CPU | / its trees |", "|---|---:|---:|"]
    return "\n".join([*lines, *(f"| {name} | {seconds:.1f} s | {ratio:.2f} |" for name, seconds, ratio in rows)])


def goals(found: Found) -> str:
    """Return the goals beside what was found, as a Markdown table."""
    training, speed = found["train"] / found["fits_alone"], found["trees"] / found["blend"]
    rows = [
        ("CPU of training / CPU of its fits of trees", f"≤ {_TRAINING}", training, training <= _TRAINING),
        ("rows a second by the blend / by its trees alone", f"≥ {_SCORING:.0f}", speed, speed >= _SCORING),
    ]
    told = [f"| {name} | {goal} | {value:.2f} | {_verdict(met)} |" for name, goal, value, met in rows]
    return "\n".join(["| goal | | found | |", "|---|---:|---:|---|", *told])


def section(found: Found) -> str:
    """Return the section of `docs/benchmarks.md`."""
    return _SECTION.format(
        table=table(found),
        goals=goals(found),
        snapshots=int(found["snapshots"]),
        columns=int(found["columns"]),
        fits=int(found["fits"]),
        cores=os.cpu_count(),
        python=platform.python_version(),
        lightgbm=version("lightgbm"),
    )


def _verdict(met: bool) -> str:  # noqa: FBT001  # a verdict has nothing else to say
    return "met" if met else "not met"


_SECTION = """\
## Models

What training and scoring cost beside the bare LightGBM inside them.

{table}

{goals}

- **Training** is what `churnml train` does on the generated world of the features, settings as they come, by any
  horizon: features and labels of every cutoff, {fits} fits of trees, {snapshots:,} snapshots of {columns} columns,
  the ridges, the rhythm of each cutoff, weights learned out of time, intervals of value. Judging it and writing the
  report are apart.
- **Fits of trees** are the calls of `lightgbm.train` in that same run, each timed on its thread.
- **The blend** asks trees, ridge and rhythm of all snapshots; it can hardly be faster than its trees alone, which are
  LightGBM's own prediction on one thread.
- One run, in a process that trained on a tiny world before the clock started.
- **Machine**: {cores} cores; Python {python}, LightGBM {lightgbm}.
"""
