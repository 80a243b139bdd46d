"""What has arrived is landed: a few seconds' rows at a time, through the same door as any file, then scored anew.

One of all processes that serve a workspace lands at a time. Killed anywhere, nothing is lost or doubled: a row waits
until it is marked, and one that was landed and not marked is known again by the door, as any row that comes twice.
"""

from __future__ import annotations

import json
import logging
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, Records, Workspace
from churnml.database.arrivals import Arrival, Arrivals
from churnml.database.forgetting import forget_erased_arrivals
from churnml.database.fresh import refresh
from churnml.errors import ChurnmlError, DataRefusedError
from churnml.events import TABLES, ingest
from churnml.events.merging import MOST, merge_small
from churnml.events.of_customers import of_customers
from churnml.events.row_check import as_text
from churnml.events.sources import ROW, Rows, Source
from churnml.service.champion import Scorer

AT_ONCE = 5_000
"""Rows that are landed together at most."""
EVERY_SECONDS = 2.0
"""How long is waited after one landing before the next."""
TRIES = 3
"""So often a row is tried whose landing is refused as a whole; then it is set aside, with what was said of it.

Counted by each process for itself: one that begins anew tries again, and nothing is lost by it, for the row goes on
waiting and holds up no other.
"""
_MOST_SAID = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = logging.getLogger(__name__)
Problems = Mapping[int, Mapping[str, str]]


class Lander:
    """Lands what waits, and makes the records of the customers concerned anew.

    Parameters
    ----------
    workspace : Workspace
        Where it lands.
    engine : sqlalchemy.Engine
        Its database.
    scorer : Scorer
        The champion.
    now : callable
        Gives the current instant, microseconds UTC.
    """

    def __init__(self, workspace: Workspace, engine: Engine, scorer: Scorer, now: Callable[[], int]) -> None:
        self._workspace = workspace
        self._arrivals = Arrivals(engine)
        self._catalogue = Catalogue(engine)
        self._records = Records(engine)
        self._engine = engine
        self._scorer = scorer
        self._now = now
        self._refusals: dict[int, int] = {}

    def land(self) -> int:
        """Land what waits and score anew whom it concerns; return how many rows were settled.

        None is where nothing waits, or another process is landing.
        """
        if not self._arrivals.count_waiting():
            return 0
        with self._workspace.alone("arrivals") as mine:
            if mine:
                with self._engine.begin() as connection:
                    forget_erased_arrivals(connection)
            waiting = self._arrivals.waiting(AT_ONCE) if mine else []
            if not waiting:
                return 0
            known = {one.arrival_id for one in waiting}
            self._refusals = {one: tries for one, tries in self._refusals.items() if one in known}
            return self._in_halves(waiting)

    def _in_halves(self, waiting: Sequence[Arrival]) -> int:
        """Land rows; where they are refused as a whole, each half of them, so that few wait for what one of them is."""
        try:
            return self._together(waiting)
        except DataRefusedError as error:
            if len(waiting) == 1:
                return self._refused_again(waiting[0], error)
        middle = len(waiting) // 2
        return self._in_halves(waiting[:middle]) + self._in_halves(waiting[middle:])

    def _together(self, waiting: Sequence[Arrival]) -> int:
        batch, refused = self._through_the_door(waiting)
        landed = [one for one in waiting if one.arrival_id not in refused]
        try:
            self._score_anew({str(one.row["customer_id"]).strip() for one in landed})
        finally:  # the rows stand, whatever became of the records
            self._arrivals.settle([one.arrival_id for one in landed], refused, batch, self._now())
        self._tidy(batch)
        return len(waiting)

    def _refused_again(self, one: Arrival, error: DataRefusedError) -> int:
        """Leave a row to the next landing, and after some of them set it aside with what was said of it."""
        tries = self._refusals.get(one.arrival_id, 0) + 1
        if tries < TRIES:
            self._refusals[one.arrival_id] = tries
            return 0
        self._refusals.pop(one.arrival_id, None)
        problem = {"column": "", "rule": str(error)[:_MOST_SAID], "remedy": "post it again once that is mended"}
        self._arrivals.settle([], {one.arrival_id: problem}, None, self._now())
        return 1

    def _tidy(self, batch: int | None) -> None:
        """Now and then, merge the files of small landings, and let go of what was settled long ago."""
        if batch is not None and batch % MOST == 0:
            merge_small(self._workspace, self._catalogue, self._arrivals.landings(), self._now())
            self._arrivals.purge(self._now())

    def _through_the_door(self, waiting: Sequence[Arrival]) -> tuple[int | None, Problems]:
        """Land rows and return their batch, and what was set aside, by arrival, with the rule that each broke."""
        # a row that comes late contradicts what stands, not the rows beside it: no share of such is too great
        config: WorkspaceConfig = self._scorer.terms.company.model_copy(update={"max_bad_share": 1.0})
        by_table = {name: [one for one in waiting if one.table == name] for name in TABLES}
        sources = [_source(name, some, config.time_zone) for name, some in by_table.items() if some]
        with tempfile.TemporaryDirectory(dir=self._workspace.root, prefix=".arrivals-") as folder:
            told = Path(folder) / "aside.jsonl"
            found = ingest(self._workspace, self._catalogue, sources, config, self._now(), rows_file=told)
            rows = [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]
        aside = [row for row in rows if row["kind"] == "quarantine"]
        return found.batch_id, {
            by_table[row["table"]][row["row"] - 1].arrival_id: {
                name: str(row[name]) for name in ("column", "rule", "remedy")
            }
            for row in aside
        }

    def _score_anew(self, customers: set[str]) -> None:
        """Put new records of some customers in the place of those of the run that is served, if there is one."""
        run_id = self._records.current_run()
        if run_id is None or not customers or self._catalogue.alias("champion") is None:
            return
        from churnml.scoring.online import records_from_history  # noqa: PLC0415  # LightGBM takes seconds to import
        from churnml.scoring.records import UNDECIDED  # noqa: PLC0415

        now = self._now()
        try:
            self._scorer.refresh()  # a table may have landed for the first time: its features are on from now
            ready, store = self._scorer.ready(), self._scorer.store()
        except ChurnmlError as error:
            _log.warning("the customers of arrivals are not scored anew until the next run: %s", error)
            return
        few = of_customers(store, customers)
        made = records_from_history(ready.champion, few, now, ready.funnel, ready.asked, run_id)
        wanted = [record for record in made if record["customer_id"] in customers]
        with self._engine.begin() as connection:
            refresh(connection, run_id, wanted, tuple(UNDECIDED), _iso(now))


def _iso(instant: int) -> str:
    return (_EPOCH + timedelta(microseconds=instant)).isoformat()


def _source(table: str, waiting: Sequence[Arrival], time_zone: str) -> Source:
    """Return arrivals as a source; each says when it was learned, if only by when it came."""
    rows = [one.row | {_LEARNED: one.row.get(_LEARNED) or _iso(one.arrived_at)} for one in waiting]
    names = [name for name in TABLES[table].names if any(row.get(name) is not None for row in rows)]
    columns = {name: pa.array([as_text(row.get(name)) for row in rows], pa.string()) for name in names}
    told = pa.table({**columns, ROW: pa.array(range(1, len(rows) + 1), pa.int64())})

    def read(connection: duckdb.DuckDBPyConnection, _scratch: Path) -> Rows:
        return Rows(connection.from_arrow(told), records=len(rows))

    return Source(table, "events", (), "arrivals", time_zone, read)


_LEARNED = "ingested_at"


class Worker:
    """A thread of the service that lands what waits, again and again, and keeps the champion current.

    Parameters
    ----------
    lander : Lander
        What it does.
    scorer : Scorer
        What it keeps current.
    every_seconds : float
        How long it waits in between.
    """

    def __init__(self, lander: Lander, scorer: Scorer, every_seconds: float = EVERY_SECONDS) -> None:
        self._lander = lander
        self._scorer = scorer
        self._every = every_seconds
        self._told_to_stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="landing", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after what is being landed, and wait for that."""
        self._told_to_stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._told_to_stop.wait(self._every):
            for job in (self._scorer.refresh, self._lander.land):
                try:
                    job()
                except (ChurnmlError, SQLAlchemyError, OSError) as error:
                    # what waits goes on waiting, and the champion that answered goes on answering
                    _log.warning("%s did not succeed and is tried again: %s", job.__name__, type(error).__name__)
                except Exception:  # noqa: BLE001  # a bug is told with its traceback, and must not end all landings
                    _log.exception("%s ended with a bug and is tried again", job.__name__)
