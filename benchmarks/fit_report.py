"""What fits of buying models cost: the table of ratios and the section of the page that holds it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

SIZES = (2_357, 200_000)
"""Customers: as many as in the tenth of CDNOW that the papers fit, and a middling shop."""

CONTENDERS = ("churnml", "lifetimes")

_LEAST = {2_357: (3.0,), 200_000: (10.0, 50.0)}
_DIGITS = 1e-4


@dataclass(frozen=True)
class Measured:
    """The middle of the runs of one contender at one size: seconds for one fit of both models, and what was found."""

    cpu: float
    wall: float
    parameters: Mapping[str, float]


Found = Mapping[tuple[str, int], Measured]


def table(found: Found) -> str:
    """Return the Markdown table: seconds of both, and how many times as long lifetimes takes."""
    lines = [
        "| customers | churnml, CPU | lifetimes, CPU | lifetimes / churnml, CPU | wall | parameters differ by |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for size in SIZES:
        ours, theirs = (found[name, size] for name in CONTENDERS)
        cells = [f"{size:,}", f"{ours.cpu:.3f} s", f"{theirs.cpu:.3f} s", f"{theirs.cpu / ours.cpu:.1f}"]
        cells += [f"{theirs.wall / ours.wall:.1f}", f"{apart(ours, theirs):.0e}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def goals(found: Found) -> str:
    """Return the goals beside what was found, as a Markdown table."""
    lines = ["| goal | at least | found | |", "|---|---:|---:|---|"]
    for size, leasts in _LEAST.items():
        ours, theirs = (found[name, size] for name in CONTENDERS)
        ratio = theirs.cpu / ours.cpu
        lines += [
            f"| CPU of lifetimes / CPU of churnml at {size:,} customers | {least:.0f} | {ratio:.1f} | "
            f"{_verdict(ratio >= least)} |"
            for least in leasts
        ]
    most = max(apart(*(found[name, size] for name in CONTENDERS)) for size in SIZES)
    lines.append(
        f"| the same optimum to 4 digits: differ by at most | {_DIGITS:.0e} | {most:.0e} | {_verdict(most < _DIGITS)} |"
    )
    return "\n".join(lines)


def section(found: Found) -> str:
    """Return the section of `docs/benchmarks.md`."""
    return _SECTION.format(
        table=table(found),
        goals=goals(found),
        cores=os.cpu_count(),
        python=platform.python_version(),
        lifetimes=version("lifetimes"),
    )


def apart(one: Measured, other: Measured) -> float:
    """Return the largest relative difference of a parameter."""
    return max(abs(one.parameters[name] / value - 1) for name, value in other.parameters.items())


def _verdict(met: bool) -> str:  # noqa: FBT001  # a verdict has nothing else to say
    return "met" if met else "not met"


_SECTION = """\
## Rhythm

What it costs to fit BG/NBD and Gamma-Gamma to customers of one cutoff, beside lifetimes, which is no longer kept up
but is what the field learned on.

{table}

{goals}

- **Customers**: generated from the two models, in whole days and cents, up to two years old
  (`benchmarks/rhythm_world.py`).
- **Both** start from arrays and end with parameters and their standard errors. churnml checks the histories, follows
  four starting points for each model and ends by Newton's method; lifetimes follows one.
- **Parameters differ** by at most so much, of each its relative difference.
- Each in a process of its own that has fitted once before the clock starts; medians of three runs, contenders in turn.
- **Machine**: {cores} cores; Python {python}, lifetimes {lifetimes}.
"""
