"""What one customer from raw history costs, part by part: `python -m benchmarks.measure_online --workspace W`.

The workspace has to be trained and scored; customers with an about median number of rows are taken from it, and each
part of a request is timed alone, in this process, beside the whole. Nothing is written.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.config import MeasureConfig, ScoreConfig
from churnml.events import TABLES, Store, history
from churnml.events.clock import moment
from churnml.events.held_rows import held_store, repeated
from churnml.events.row_check import Broken, Door, check_rows
from churnml.events.schema import MONEY_SCALE
from churnml.features import build_block
from churnml.measures.funnel_of_few import furthest_of_few
from churnml.scoring.champion import score_table
from churnml.scoring.online import RUN
from churnml.service.champion import Ready, Scorer, Terms
from churnml.verbs.session import Session

Json = dict[str, Any]  # Any: JSON
_REPEATS = 20
_CUSTOMERS = 15


@dataclass
class Parts:
    """How long each part took, in seconds of wall and of processor time."""

    wall: dict[str, list[float]] = field(default_factory=dict)
    processor: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def of(self, name: str) -> Any:  # Any: a context manager
        """Time what is done within."""
        began, used = time.perf_counter(), time.process_time()
        yield
        self.wall.setdefault(name, []).append(time.perf_counter() - began)
        self.processor.setdefault(name, []).append(time.process_time() - used)


def median_customers(store: Store) -> list[str]:
    """Return the customers whose number of rows, all tables together, is about the median."""
    ids = [pq.read_table(store.root / part.path, columns=["customer_id"]).column(0) for part in store.parts]
    counted = pa.chunked_array([chunk for one in ids for chunk in one.chunks]).value_counts()
    by_rows = sorted((one["counts"], one["values"]) for one in counted.to_pylist())
    middle = len(by_rows) // 2
    return [customer for _, customer in by_rows[middle - _CUSTOMERS // 2 :][:_CUSTOMERS]]


def body_of(store: Store, customer: str, cutoff: int) -> bytes:
    """Return the request of one customer."""
    tables: dict[str, list[Json]] = {}
    for part in store.parts:
        rows = pq.read_table(store.root / part.path)
        rows = rows.filter(pc.equal(rows.column("customer_id"), customer))
        tables.setdefault(part.table_name, []).extend(_written(part.table_name, row) for row in rows.to_pylist())
    tables.pop("consents", None)
    return json.dumps({"cutoff": moment(cutoff).isoformat(), "tables": tables}).encode()


def _written(table: str, row: Mapping[str, Any]) -> Json:
    how: dict[str, Callable[[Any], Any]] = {
        "instant": lambda value: moment(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "money": lambda value: value / MONEY_SCALE,
        "json": json.loads,
    }
    told = (column for column in TABLES[table].columns if row.get(column.name) is not None)
    return {column.name: how.get(column.kind, lambda value: value)(row[column.name]) for column in told}


def once(parts: Parts, ready: Ready, body: bytes, cutoff: int, door: Door, landed: int) -> int:
    """Do what the route does, part by part, and return how many rows the request had."""
    model, features = ready.champion.model, ready.champion.features
    with parts.of("whole"):
        with parts.of("parse"):
            tables = json.loads(body)["tables"]
        with parts.of("check"):
            typed = {}
            for name, rows in tables.items():
                found = check_rows(TABLES[name], rows, door, landed)
                typed[name] = repeated(TABLES[name], [one for one in found if not isinstance(one, Broken)])[0]
        with parts.of("hold"):
            store = held_store(typed, ready.tables, door.time_zone, landed)
        with parts.of("history"):
            block = history(store, 0, [cutoff], ready.asked)
        with parts.of("features"):
            table = build_block(block, features, [cutoff], model.population_days, door.time_zone, model.by)
        with parts.of("funnel"):
            reached = furthest_of_few(store, block, cutoff, ready.funnel.stages, ready.funnel.rules)
        with parts.of("score and reasons"):
            scored = score_table(ready.champion, table, store, cutoff)
        with parts.of("record"):
            json.dumps(list(scored.records(RUN, reached)))
    return sum(map(len, tables.values()))


def main() -> None:
    """Print the median of each part, in milliseconds."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--workspace", type=Path, default=Path("workspace"))
    asked.add_argument("--configs", type=Path, default=Path("configs"))
    given = asked.parse_args()
    session = Session.open(given.workspace, given.configs)
    terms = Terms(session.settings, session.load("score", ScoreConfig), session.load("measure", MeasureConfig))
    ready = Scorer(session.workspace, session.catalogue.engine, terms).ready()
    store, cutoff = session.store, session.cutoff(None)
    door, landed = Door(session.settings.time_zone, session.settings.currency), max(store.landings.values())
    parts, rows = Parts(), list[int]()
    for customer in median_customers(store):
        body = body_of(store, customer, cutoff)
        rows += [once(parts, ready, body, cutoff, door, landed) for _ in range(_REPEATS)]
    out = [f"{len(ready.champion.features.numeric)} features, {statistics.median(rows):,.0f} rows a request (median)"]
    out += [f"{'part':<20}{'wall p50 ms':>14}{'processor p50 ms':>20}"]
    for name, took in parts.wall.items():
        used = statistics.median(parts.processor[name])
        out.append(f"{name:<20}{statistics.median(took) * 1e3:>14.2f}{used * 1e3:>20.2f}")
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
