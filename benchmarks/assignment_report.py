"""What choosing actions costs beside scoring: the table and the section of the page."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version

Found = Mapping[str, float]

CUSTOMERS, ACTIONS = 1_000_000, 5
_SHARE, _GAP = 0.05, 0.002
_MILLION = 1e6


def table(found: Found) -> str:
    """Return the Markdown table of CPU seconds for a million customers, shares and gaps."""
    rows = [
        ("scoring: a whole forecast", found["scoring"], None),
        ("choosing within a budget", found["choosing"], found["gap"]),
        ("choosing within a budget and two capacities", found["choosing_tight"], found["gap_tight"]),
    ]
    lines = ["| a million customers | CPU | / scoring | gap to the dual bound |", "|---|---:|---:|---:|"]
    for name, each, gap in rows:
        told = "" if gap is None else f"{gap:.5%}"
        lines.append(f"| {name} | {each * _MILLION:.1f} s | {each / found['scoring']:.3f} | {told} |")
    return "\n".join(lines)


def goals(found: Found) -> str:
    """Return the goals beside what was found, as a Markdown table; the dearer of the two choices is judged."""
    share = max(found["choosing"], found["choosing_tight"]) / found["scoring"]
    gap = max(found["gap"], found["gap_tight"])
    rows = [
        ("CPU of choosing / CPU of scoring", f"≤ {_SHARE:.0%}", f"{share:.1%}", share <= _SHARE),
        ("gap to the dual bound", f"≤ {_GAP:.1%}", f"{gap:.5%}", gap <= _GAP),
    ]
    told = [f"| {name} | {goal} | {value} | {'met' if met else 'not met'} |" for name, goal, value, met in rows]
    return "\n".join(["| goal | | found | |", "|---|---:|---:|---|", *told])


def section(found: Found) -> str:
    """Return the section of `docs/benchmarks.md`."""
    return _SECTION.format(
        table=table(found),
        goals=goals(found),
        customers=int(found["customers"]),
        actions=int(found["actions"]),
        scored=int(found["scored_rows"]),
        cores=os.cpu_count(),
        python=platform.python_version(),
        lightgbm=version("lightgbm"),
    )


_SECTION = """\
## Assignment

What choosing an action for everybody costs beside scoring them, and how far the choice can be from the best.

{table}

{goals}

- **Choosing** gives {customers:,} customers one of {actions} actions, to do nothing among them: values, reserves and
  what is open to whom drawn at random, a budget for about one in ten.
- **Scoring** is a whole forecast (probability by horizon, value with its ranges) by a model taught on a small generated
  world, {scored:,} snapshots, five times over, stretched to a million. Features, reasons and the writing of records,
  which the job needs too, are left out, so the share of the whole job is smaller.
- **The gap** is what the choice may be short of the best: no choice within the limits is worth more than the dual
  bound.
- **Machine**: {cores} cores; Python {python}, LightGBM {lightgbm}.
"""
