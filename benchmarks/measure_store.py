"""What it costs to keep decision records and to read them page by page; in a process of its own.

Run as `python -m benchmarks.measure_store RECORDS FOLDER [URL]`: on SQLite, in a new file in that folder, or on the
PostgreSQL of the URL, in an empty database; prints one JSON object. Beside each other stand the writing of the product
and SQLAlchemy's insert of many rows, each of records of their own into the same tables.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, insert

from benchmarks.cost import Cost, cost_of
from benchmarks.store_records import records as made
from churnml.database import Catalogue, Records, open_engine
from churnml.database.lists import Place, Wanted, list_page
from churnml.database.server import VARIABLE, named_server
from churnml.database.tables import records

_CHUNK, _PAGE, _DEEP, _TIMES = 5_000, 50, 1_000, 30
_LEAST = 10


def measure(engine: Engine, count: int) -> dict[str, Any]:  # Any: JSON
    """Return seconds for each record written either way, of encoding alone, and of a page at the top and deep down."""
    catalogue, kept = Catalogue(engine), Records(engine)
    fewer = max(count // _LEAST, _CHUNK)
    plain = cost_of(lambda: _each(engine, catalogue.start("trial", "", 1), fewer))
    run = catalogue.start("score", "", 1)
    written = cost_of(lambda: kept.write(run, made(count)))
    making = cost_of(lambda: sum(1 for _ in made(fewer)))
    catalogue.finish(run, 2, {})
    deep = min(_DEEP, count // _PAGE // 2)
    return {
        "database": engine.dialect.name,
        "records": count,
        "bytes": len(json.dumps(next(made(1)), ensure_ascii=False).encode()),
        "written": _each_second(written, count),
        "plain": _each_second(plain, fewer),
        "made": _each_second(making, fewer),
        "deep_page": deep,
        "first": _page(engine, run, None),
        "deep": _page(engine, run, _place(engine, run, deep)),
    }


def _each(engine: Engine, run_id: str, count: int) -> None:
    """Write records as SQLAlchemy would by itself: what the product did before, and what most programs do."""
    rows: Iterator[dict[str, Any]] = (  # Any: SQL values
        {
            **{name: one.get(name) for name in records.c.keys() if name not in {"run_id", "body"}},  # noqa: SIM118
            "run_id": run_id,
            "body": json.dumps(one, ensure_ascii=False, allow_nan=False),
        }
        for one in made(count)
    )
    while chunk := list(islice(rows, _CHUNK)):
        with engine.begin() as connection:
            connection.execute(insert(records), chunk)


def _each_second(cost: Cost, count: int) -> dict[str, float]:
    return {"cpu": cost.cpu / count, "wall": cost.wall / count}


def _page(engine: Engine, run_id: str, after: Place | None) -> float:
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        with engine.connect() as connection:
            list_page(connection, run_id, Wanted(), _PAGE, after)
        times.append(time.perf_counter() - began)
    return median(times)


def _place(engine: Engine, run_id: str, pages: int) -> Place | None:
    """Return the place at which so many pages end."""
    after = None
    for _ in range(pages):
        with engine.connect() as connection:
            after = list_page(connection, run_id, Wanted(), _PAGE, after).following
    return after


def main() -> None:
    """Measure on the database that the command line names."""
    count, folder, *url = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        server = named_server({VARIABLE: url[0]}) if url else None
        engine = open_engine(server or Path(place) / "churnml.db")
        print(json.dumps(measure(engine, int(count))))
        engine.dispose()


if __name__ == "__main__":
    main()
