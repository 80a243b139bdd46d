"""What all measures of the customer base cost beside one raw scan of what they read; in a process of its own.

Run as `python -m benchmarks.measure_measures WORKSPACE WARM_UP`; prints one JSON object. The workspace is a generated
world without a model: a measure that needs one is left out, and the answer says which and why.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks.cost import Cost, cost_of
from benchmarks.world import END, START
from churnml import events, measures
from churnml.errors import ChurnmlError
from churnml.events import TABLES, Store
from churnml.events.books import Books, open_books
from churnml.measures.measure import Asked
from churnml.verbs.found_groups import FILE as GROUPS_KEPT
from churnml.verbs.measuring import MEASURES
from churnml.verbs.session import Session

_CLOCKS = ("customer_id", "occurred_at", "ingested_at")


@dataclass
class Found:
    """What was found.

    Parameters
    ----------
    scan, opening : Cost
        Of a raw scan of all columns that some measure names, and of opening the books.
    measures : dict of str to Cost
        Of each measure, in turn, on the same books: a table that one keeps is there for the next.
    left_out : dict of str to str
        Why a measure could not be told.
    """

    rows: int
    customers: int
    columns: int
    scan: Cost
    opening: Cost
    measures: dict[str, Cost] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def measure(workspace: Path) -> Found:
    """Return what the scan, the opening and each measure cost on one workspace."""
    with TemporaryDirectory() as configs:
        session = Session.open(workspace, Path(configs))
        store = session.store
        (workspace / GROUPS_KEPT).unlink(missing_ok=True)  # else an earlier run would have found them for this one
        asked = Asked(START, END)
        read = _columns(store)
        found = Found(
            sum(store.rows(name) for name in store.tables),
            store.rows("customers"),
            sum(map(len, read.values())),
            cost_of(lambda: _scan(store, read)),
            cost_of(lambda: _opened(store)),
        )
        with open_books(store, END) as books:
            for name in MEASURES:
                if find_spec(f"churnml.verbs.measure_{name}"):
                    _measured(found, session, books, asked, name)
        session.catalogue.engine.dispose()
    return found


def _measured(found: Found, session: Session, books: Books, asked: Asked, name: str) -> None:
    module = import_module(f"churnml.verbs.measure_{name}")
    try:
        found.measures[name] = cost_of(lambda: module.figures(session, books, asked))
    except ChurnmlError as error:
        found.left_out[name] = str(error).partition("\n")[0]


def _columns(store: Store) -> dict[str, list[str]]:
    """Return the columns of each landed table that the books or some measure names, both clocks among them."""
    folders = [Path(room.__file__ or "").parent for room in (measures, events)]
    files = [*folders[0].glob("*.py"), folders[1] / "books.py"]
    words = {word for file in files for word in re.findall(r"\w+", file.read_text(encoding="utf-8"))}
    return {
        name: [one.name for one in TABLES[name].columns if not one.personal and one.name in words | {*_CLOCKS}]
        for name in sorted(store.tables)
    }


def _scan(store: Store, read: dict[str, list[str]]) -> None:
    """Read every value of these columns and keep nothing; counting is the cheapest way to make DuckDB produce one."""
    with duckdb.connect() as connection:
        for name, columns in read.items():
            files = [str(store.root / part.path) for part in store.parts if part.table_name == name]
            kinds = {column.name: column.kind for column in TABLES[name].columns}
            made = ", ".join(f"max(length({c}))" if kinds[c] in {"text", "json"} else f"max({c})" for c in columns)
            connection.execute(f"SELECT {made} FROM read_parquet($files, union_by_name = true)", {"files": files})
            connection.fetchall()


def _opened(store: Store) -> None:
    with open_books(store, END):
        pass


if __name__ == "__main__":
    workspace, warm_up = map(Path, sys.argv[1:])
    measure(warm_up)  # imports, compiled kernels
    print(json.dumps(asdict(measure(workspace))))
