"""What an answer of the service costs: the table and the section of the page."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from statistics import median
from typing import Any

Found = Mapping[str, Any]  # Any: JSON of `measure_serve`

RECORDS, ROUNDS = 100_000, 9
PEERS = {"mlserver": "MLServer", "bentoml": "BentoML"}
BARE, RECORD, MANY = "bare", "record", "500 records"
_TAIL = 0.99
_MILLION, _THOUSAND = 1e6, 1e3
_ONE_CPU, _MANY_CPU, _ONE_TAIL, _START = 1.5, 30.0, 1.5, 5.0
_NAMES = {
    BARE: "a bare answer of the same bytes",
    RECORD: "one record by id",
    "record by the route": "the same by the route",
    MANY: "500 records by id",
    "500 records by the route": "the same by the route",
    "page of 50": "a page of 50 of the list at risk",
    "from history": "one customer from raw history",
}


def table(found: Found) -> str:
    """Return the Markdown table of what each kind of answer costs, beside a bare one of the same turn."""
    lines = ["| | CPU | CPU / bare | lowest to highest | p50 | p99 |", "|---|---:|---:|---:|---:|---:|"]
    return "\n".join([*lines, *(_row(found, name) for name in found["rounds"])])


def _row(found: Found, name: str) -> str:
    ratios, turns = cpu_ratios(found, name), found["rounds"][name]
    cpu = median(one["cpu"] for one in turns) * _MILLION
    latencies = [one for turn in turns for one in turn["latencies"]]
    middle, tail = (quantile(latencies, share) * _THOUSAND for share in (0.5, _TAIL))
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return f"| {_NAMES[name]} | {cpu:,.0f} µs | {median(ratios):.2f} | {spread} | {middle:.2f} ms | {tail:.2f} ms |"


def cpu_ratios(found: Found, name: str) -> list[float]:
    """Return what an answer cost the server in each turn, in bare answers of the same turn."""
    turns = zip(found["rounds"][name], found["rounds"][BARE], strict=True)
    return [one["cpu"] / bare["cpu"] for one, bare in turns]


def tail_ratio(found: Found, name: str) -> float:
    """Return the median over turns of the 99th percentile of latency, in that of bare answers of the same turn."""
    turns = zip(found["rounds"][name], found["rounds"][BARE], strict=True)
    return median(quantile(one["latencies"], _TAIL) / quantile(bare["latencies"], _TAIL) for one, bare in turns)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which lies that share of the values, at least."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def goals(found: Found) -> str:
    """Return the goals beside what was found, as a Markdown table."""
    wanted = [
        ("CPU of one record / bare", _ONE_CPU, median(cpu_ratios(found, RECORD))),
        ("p99 of one record / bare", _ONE_TAIL, tail_ratio(found, RECORD)),
        ("CPU of 500 records / bare", _MANY_CPU, median(cpu_ratios(found, MANY))),
        ("seconds from start to the first answer", _START, float(found["start"])),
    ]
    rows = [f"| {what} | ≤ {most:g} | {is_now:.2f} | {_verdict(most, is_now)} |" for what, most, is_now in wanted]
    return "\n".join(["| goal | | found | |", "|---|---:|---:|---|", *rows])


def _verdict(most: float, is_now: float) -> str:
    return "met" if is_now <= most else "not met"


def peers() -> str:
    """Return a sentence on the other servers that this one should be held against."""
    missing = [title for name, title in PEERS.items() if find_spec(name) is None]
    if not missing:
        return "MLServer and BentoML are installed, and not measured by this program."
    return f"{' and '.join(missing)}: not installed here, so not compared."


def section(found: Found) -> str:
    """Return the section of `docs/benchmarks.md`."""
    return _SECTION.format(
        table=table(found),
        goals=goals(found),
        peers=peers(),
        records=found["records"],
        bytes=found["bytes"],
        rounds=len(found["rounds"][BARE]),
        cores=os.cpu_count(),
        python=platform.python_version(),
        libraries=", ".join(f"{name} {version(name)}" for name in ("fastapi", "uvicorn", "h11")),
    )


_SECTION = """\
## Serve

What an answer of the service costs, beside a bare one of the same bytes and headers by the same server
(`make bench-serve`).

{table}

{goals}

- **CPU** is what all threads of the server's process used for one request, by the kernel's own account; the client is
  a process of its own, with one connection that is kept open, asking again when it has its answer.
- **Turns**: {rounds}, of a few tenths of a second for each kind of answer, one after the other; a ratio compares
  within a turn, and the median, the lowest and the highest of the turns are told.
- **Records**: {records:,}, generated; one is {bytes:,} bytes. For every request the key is checked and the
  database asked whether anything was committed (docs/adr/0047-ready-made-answers.md).
- **By the route** is the same application without its short way.
- **Start** is from the start of `churnml serve` to its first answer, the second time: modules are compiled by then, as
  an installation has them.
- **Peers**: {peers}
- **Machine**: {cores} cores; Python {python}, {libraries}.
"""
