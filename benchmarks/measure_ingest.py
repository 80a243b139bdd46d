"""One measurement of ingest, in a process of its own: DuckDB and churnml on the same CSV file of orders.

Run as `python -m benchmarks.measure_ingest CONTENDER ROWS WARM_UP_ROWS`; prints one JSON object. The contender runs
once on a tiny file before the clock starts. Customers land before it, too: nobody is charged for them.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks.cost import Cost, cost_of
from benchmarks.order_file import COLUMNS, Shop, shop
from benchmarks.world import END, START, TIME_ZONE
from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, Workspace, open_engine
from churnml.events import ingest
from churnml.events.reporting import TableReport
from churnml.events.sources.files import file_source

HOME = Path(__file__).parents[1] / ".bench"
_SETTINGS = WorkspaceConfig(time_zone=TIME_ZONE)
_CSV = "read_csv($file, auto_detect = false, header = true, delim = ',', columns = $columns)"


class UnfairError(Exception):
    """A contender that did not do the whole of its work."""


def read(files: Shop, workspace: Path) -> int:
    """Read the file, every value of every column as its type, and keep nothing; return how many rows there were.

    Counting and adding up are the cheapest ways to make DuckDB produce a value.
    """
    del workspace
    query = f"""
        SELECT count(*), count(customer_id), max(occurred_at), count(order_id),
               sum(amount), sum(discount), sum(quantity), count(channel)
        FROM {_CSV}
    """
    with duckdb.connect() as connection:
        ((rows, *_),) = connection.execute(query, _named(files)).fetchall()
    return int(rows)


def load(files: Shop, workspace: Path) -> int:
    """Load the file into a table of a DuckDB file, unchecked, and return how many rows it holds."""
    with duckdb.connect(workspace / "loaded.duckdb") as connection:
        ((rows,),) = connection.execute(f"CREATE TABLE orders AS FROM {_CSV}", _named(files)).fetchall()
    return int(rows)


def check(files: Shop, workspace: Path) -> int:
    """Check the file against the contract and return how many rows keep it."""
    return _ingested("orders", files.orders, workspace, check_only=True)


def land(files: Shop, workspace: Path) -> int:
    """Check the file, land it, and return how many rows did."""
    return _ingested("orders", files.orders, workspace)


def again(files: Shop, workspace: Path) -> int:
    """Land the orders and one more, when all but that one stand, and return how many rows were looked at."""
    del files
    more = workspace / "tomorrow.csv"
    report = _report("orders", more, workspace)
    if report.landed != 1:
        raise UnfairError(f"{report.landed} rows of {more.name} were new, not 1")
    return report.skipped


def _prepare_again(files: Shop, workspace: Path) -> None:
    _ingested("orders", files.orders, workspace)
    more = workspace / "tomorrow.csv"
    shutil.copyfile(files.orders, more)
    first = files.orders.open(encoding="utf-8").readlines(1)[0]
    values = {"customer_id": "C0", "occurred_at": "2024-12-31 12:00:00", "order_id": "one more", "amount": "1"}
    with more.open("a", encoding="utf-8") as file:
        file.write(",".join(values.get(name, "") for name in first.strip().split(",")) + "\n")


CONTENDERS: dict[str, Callable[[Shop, Path], int]] = {
    "read": read,
    "load": load,
    "check": check,
    "land": land,
    "again": again,
}
_PREPARE = {"again": _prepare_again}


def measure(contender: str, rows: int, warm_up_rows: int) -> Cost:
    """Return what the contender costs on a file of so many orders.

    Raises
    ------
    UnfairError
        If it took fewer rows than there are.
    """
    costs = {}
    for size in (warm_up_rows, rows):
        files = shop(HOME, size)
        with TemporaryDirectory(dir=HOME) as folder:
            workspace = Path(folder)
            _ingested("customers", files.customers, workspace)
            if contender in _PREPARE:
                _PREPARE[contender](files, workspace)
            taken: list[int] = []
            costs[size] = cost_of(lambda: taken.append(CONTENDERS[contender](files, workspace)))  # noqa: B023
        if taken != [size]:
            raise UnfairError(f"{contender} took {taken} of {size} rows")
    return costs[rows]


def _named(files: Shop) -> dict[str, object]:
    return {"file": str(files.orders), "columns": COLUMNS}


def _ingested(table: str, path: Path, root: Path, *, check_only: bool = False) -> int:
    return _report(table, path, root, check_only=check_only).landed


def _report(table: str, path: Path, root: Path, *, check_only: bool = False) -> TableReport:
    workspace = Workspace.open(root, create=True)
    catalogue = Catalogue(open_engine(workspace.database))
    now = START if table == "customers" else END
    report = ingest(workspace, catalogue, [file_source(table, path, TIME_ZONE)], _SETTINGS, now, check_only=check_only)
    catalogue.engine.dispose()
    return report.tables[0]


if __name__ == "__main__":
    name, rows, warm_up_rows = sys.argv[1:]
    print(json.dumps(asdict(measure(name, int(rows), int(warm_up_rows)))))
