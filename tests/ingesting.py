"""A small shop that is ingested in two landings by a process of its own, which a test may halt at a step, or kill.

The process tells each step it comes to: a source it is about to check, the checks done, a file it is about to write or
has written, the batch about to count or counted. It waits there to be let on, unless it was told to run freely.
"""

from __future__ import annotations

import contextlib
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import Engine

from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, Workspace, open_engine
from churnml.events import Store, history, ingest
from churnml.events.sources.files import file_source
from small import NOW, as_csv

FIRST = {
    "customers": "customer_id occurred_at region\n ann 2020-01-01 north\n bob 2020-01-01 south",
    "orders": "customer_id occurred_at order_id amount\n ann 2020-02-01 o1 1\n bob 2020-02-02 o2 2\n bob soon o3 3",
    "tickets": "customer_id occurred_at ticket_id resolved_at\n ann 2020-03-01 t1 -",
}
SECOND = {
    "customers": "customer_id occurred_at region\n ann 2020-01-01 west\n eve 2020-04-01 east",
    "orders": "customer_id occurred_at order_id amount\n bob 2020-02-02 o2 2\n ann 2020-05-01 o4 4\n ann never o5 5",
    "tickets": "customer_id occurred_at ticket_id resolved_at\n ann 2020-03-01 t1 2020-06-01",
}
"""Later: a customer who moved and a new one, an order that stands and a new one, a ticket now resolved."""

_CUSTOMERS = 5_000
"""The rows of one customer lie together, in memory too."""

_SETTINGS = WorkspaceConfig(max_bad_share=1.0)
_WANTED = {"orders": ("amount",), "tickets": (), "tickets.resolved_at": (), "customers": ("region",)}
_PROCESSES = get_context("forkserver")  # imports once, and then starts a process in no time
_PROCESSES.set_forkserver_preload(["churnml.events.ingest", "alembic.command", "pandas"])  # the last two come late

Rows = dict[str, list[tuple]]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Landing:
    """What is ingested at once: when, and the file of each table."""

    now: int
    files: dict[str, Path]

    @classmethod
    def write(cls, folder: Path, name: str, now: int, **tables: str) -> Landing:
        """Write tables as CSV."""
        files = {table: folder / f"{table}-{name}.csv" for table in tables}
        for table, path in files.items():
            path.write_text(as_csv(tables[table]), encoding="utf-8")
        return cls(now, files)


def both(folder: Path) -> list[Landing]:
    """Write the two landings."""
    return [Landing.write(folder, "first", NOW, **FIRST), Landing.write(folder, "second", NOW + 1, **SECOND)]


@dataclass(frozen=True, kw_only=True)
class _Workspace(Workspace):
    """A workspace that tells when a file is about to be written, and when it is but does not bear its name yet."""

    tell: Tell

    @contextlib.contextmanager
    def atomically(self, target: Path) -> Iterator[Path]:
        name = f"{target.parent.name}/{target.name}"
        self.tell(f"writing {name}")
        with super().atomically(target) as draft:
            yield draft
            self.tell(f"wrote {name}")


class _Catalogue(Catalogue):
    """A catalogue that tells when a batch is about to count, and when it does."""

    def __init__(self, engine: Engine, tell: Tell) -> None:
        super().__init__(engine)
        self.tell = tell

    def land(self, *batch, **more) -> None:
        self.tell("counting")
        super().land(*batch, **more)
        self.tell("counted")


def _run(root: Path, landings: list[Landing], line: Connection, *, freely: bool) -> None:
    def tell(what: str) -> None:
        line.send(what)
        if not freely:
            line.recv()

    tell("begins")
    workspace = _Workspace(Workspace.open(root, create=True).root, tell=tell)
    catalogue = _Catalogue(open_engine(workspace.database), tell)
    for landing in landings:
        sources = [file_source(table, path, "UTC") for table, path in landing.files.items()]
        how = {"progress": tell, "outlook": lambda _: tell("checked")}
        found = ingest(workspace, catalogue, sources, _SETTINGS, landing.now, **how)
        tell(f"landed {sum(table.landed for table in found.tables)}")


@dataclass(frozen=True)
class Ingesting:
    """A process that ingests."""

    process: BaseProcess
    line: Connection
    freely: bool

    @classmethod
    def start(cls, root: Path, landings: list[Landing], *, freely: bool = False) -> Ingesting:
        """Start to ingest these landings, one after the other."""
        ours, theirs = _PROCESSES.Pipe()
        process = _PROCESSES.Process(target=_run, args=(root, landings, theirs), kwargs={"freely": freely}, daemon=True)
        process.start()
        theirs.close()
        return cls(process, ours, freely)

    def steps(self) -> Iterator[str]:
        """Yield each step it comes to, and let it on when the next is asked for."""
        with contextlib.suppress(EOFError):
            while True:
                yield self.line.recv()
                self.go_on()

    def until(self, step: str) -> None:
        """Let it come to this step, and no further."""
        next(one for one in self.steps() if one == step)

    def go_on(self) -> None:
        """Let it on from the step it halts at."""
        if not self.freely:
            self.line.send("on")

    def waits(self, seconds: float) -> bool:
        """Tell whether it says nothing for so long."""
        return not self.line.poll(seconds)

    def kill(self) -> None:
        """Kill it as the system would: it can do nothing about it."""
        self.process.kill()
        self.process.join()

    def finish(self) -> list[str]:
        """Let it run to its end, and return the steps it took."""
        steps = list(self.steps())
        self.process.join()
        assert self.process.exitcode == 0
        return steps


def rows(root: Path) -> Rows:
    """Return every row that counts, by table, in an order that owes nothing to the files."""
    found: Rows = {}
    for part in _catalogue(root, lambda catalogue: catalogue.parts()):
        table = pq.read_table(root / part.path)
        found.setdefault(part.table_name, []).extend(tuple(row.values()) for row in table.to_pylist())
    return {name: sorted(these, key=str) for name, these in found.items()}


def store(root: Path) -> Store:
    """Return the store as it stands now."""
    return _catalogue(root, lambda catalogue: Store.open(Workspace.open(root), catalogue, "UTC"))


def seen(store: Store) -> dict[str, object]:
    """Return what a reader of the store sees through the wall, at a cutoff after all."""
    block = history(store, 0, [NOW + 10], _WANTED)
    return {name: (facts.event_at.tolist(), facts.offsets.tolist()) for name, facts in block.facts.items()}


def leftovers(root: Path) -> list[str]:
    """Return the files that nobody needs: drafts, intermediate files, parts that do not count."""
    parts = _catalogue(root, lambda catalogue: catalogue.parts())
    batches = _catalogue(root, lambda catalogue: catalogue.landed_at())
    needed = {root / ".ingest.lock", *root.glob("churnml.db*"), *(root / part.path for part in parts)}
    needed |= {root / "quarantine" / f"{batch:06}.jsonl" for batch in batches}
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path not in needed)


def _catalogue(root: Path, ask):
    engine = open_engine(Workspace.open(root, create=True).database)
    try:
        return ask(Catalogue(engine))
    finally:
        engine.dispose()


def peak_of_ingesting(folder: Path, n_rows: int, *, check_only: bool = False) -> float:
    """Return the megabytes that a process takes, all in all, to land so many orders in a CSV file, or to check them.

    The orders of one file are the first of any longer one: those that have landed in `folder` come again.
    """
    with _PROCESSES.Pool(1) as pool:
        return pool.apply(_peak, (folder, n_rows), {"check_only": check_only})


def _peak(folder: Path, n_rows: int, *, check_only: bool) -> float:
    workspace = Workspace.open(folder / "workspace", create=True)
    path = folder / f"{n_rows}.csv"
    _write_orders(path, n_rows)
    catalogue = Catalogue(open_engine(workspace.database))
    customers = Landing.write(folder, "all", NOW, customers="\n ".join(["customer_id occurred_at", *_everyone()]))
    stood = sum(part.rows for part in catalogue.parts("orders"))
    sources = [file_source(table, file, "UTC") for table, file in {**customers.files, "orders": path}.items()]
    found = ingest(workspace, catalogue, sources, _SETTINGS, NOW, check_only=check_only)
    assert (found.tables[-1].landed, found.tables[-1].skipped) == (n_rows - stood, stood)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _everyone() -> Iterator[str]:
    return (f"C{n} 2020-01-01" for n in range(_CUSTOMERS))


def _write_orders(path: Path, n_rows: int) -> None:
    """Write orders line by line, so that their making takes no memory."""
    with path.open("w", encoding="utf-8") as file:
        file.write("customer_id,occurred_at,order_id,amount,channel\n")
        file.writelines(
            f"C{n % _CUSTOMERS},2020-02-01 12:00:{n % 60:02},order {n},{n % 999}.5,web\n" for n in range(n_rows)
        )
