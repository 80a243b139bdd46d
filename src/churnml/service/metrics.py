"""What /metrics tells Prometheus: how requests fare, how old the scores are, what waits. No id is in any of it.

Each request is counted in the process that answers it. Several processes of one service keep their counts in files of a
folder that they share, so that whichever is asked tells of all.

References
----------
Prometheus, Metric and label naming; prometheus-client, Multiprocess Mode.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

import churnml
from churnml.database import Catalogue, Records
from churnml.database.arrivals import Arrivals
from churnml.errors import ChurnmlError

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where processes share their counts, as prometheus-client wants it told; absent where there is one process."""
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 300.0)
_LIVE = re.compile(r"gauge_live\w+_(\d+)\.db")
_MICROSECONDS = 1e6


class Metrics:
    """Counts the requests of one process, and tells of all that share its folder.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        What is asked for the state of the store when somebody asks for the metrics.
    now : callable
        Gives the current instant, microseconds UTC.
    """

    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._store = StoreState(engine, now)
        self._kinds: dict[tuple[str, str, int], Histogram] = {}  # found once: of routes, methods and statuses are few
        self._seconds = Histogram(
            "churnml_request_seconds",
            "How long requests took, by route, method and status",
            ("route", "method", "status"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._problems = Counter(
            "churnml_problems", "Answers that were problems, by code", ("code",), registry=self._registry
        )
        self.in_flight = Gauge(
            "churnml_requests_in_flight",
            "Requests being answered",
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def note(self, method: str, route: str, status: int, seconds: float, code: str | None) -> None:
        """Count a request that has ended."""
        kind = self._kinds.get((route, method, status))
        if kind is None:
            kind = self._kinds[route, method, status] = self._seconds.labels(route, method, str(status))
        kind.observe(seconds)
        if code is not None:
            self._problems.labels(code).inc()

    def told(self) -> bytes:
        """Return all there is to tell, in Prometheus' text format."""
        counted = self._registry
        folder = os.environ.get(FOLDER)
        if folder is not None:
            _forget_the_dead(Path(folder))
            counted = CollectorRegistry()
            MultiProcessCollector(counted, folder)  # type: ignore[no-untyped-call]
        standing = CollectorRegistry()
        standing.register(self._store)
        return generate_latest(counted) + generate_latest(standing)


class StoreState(Collector):
    """Reads how the store stands, each time it is asked: the same whichever process answers.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        The database.
    now : callable
        Gives the current instant, microseconds UTC.
    """

    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now
        self._catalogue = Catalogue(engine)
        self._records = Records(engine)
        self._arrivals = Arrivals(engine)

    def describe(self) -> list[Metric]:
        """Tell of nothing before it is asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give the state of the store; where it does not answer, that alone."""
        built = {"version": churnml.__version__, "python": platform.python_version()}
        yield _gauge("churnml_build_info", "Which churnml this is", 1, built)
        try:
            found = list(self._read())
            answers = 1
        except (ChurnmlError, SQLAlchemyError):
            found, answers = [], 0
        yield _gauge("churnml_database_up", "Whether the database answers", answers)
        yield from found

    def _read(self) -> Iterator[Metric]:
        yield _gauge(
            "churnml_arrivals_waiting", "Rows that came in and have not landed", self._arrivals.count_waiting()
        )
        backlog = _backlog(self._engine)
        if backlog is not None:
            yield _gauge("churnml_deliveries_waiting", "Messages that are still to be delivered", backlog)
        current = self._records.current_run()
        for verb in ("assign", "score"):
            run = self._catalogue.last_run(verb)
            if run is not None and run.run_id == current and run.finished_at is not None:
                age = (self._now() - run.finished_at) / _MICROSECONDS
                yield _gauge("churnml_scores_age_seconds", "Since the run that is served was done", age)
                named = {"run_id": run.run_id, "model_version": str(run.bundle or "")}
                yield _gauge("churnml_run_info", "Which run is served, by which model", 1, named)
        seen = self._catalogue.last_run("monitor")
        if seen is not None and seen.finished_at is not None:
            verdict = str(seen.summary.get("verdict", ""))
            yield _gauge("churnml_monitor_verdict", "What `churnml monitor` said last", 1, {"verdict": verdict})
            age = (self._now() - seen.finished_at) / _MICROSECONDS
            yield _gauge("churnml_monitor_age_seconds", "Since `churnml monitor` looked last", age)


def _backlog(engine: Engine) -> int | None:
    """Return how many deliveries wait; None in a store that knows of none."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("webhook_deliveries"):
            return None
        query = text("SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting'")
        return int(connection.execute(query).scalar_one())


def _gauge(name: str, about: str, value: float, labels: dict[str, str] | None = None) -> Metric:
    told = labels or {}
    family = GaugeMetricFamily(name, about, labels=list(told))
    family.add_metric(list(told.values()), value)
    return family


def _forget_the_dead(folder: Path) -> None:
    """Remove what processes that have ended were in the middle of; what they counted stays."""
    for file in folder.glob("gauge_live*.db"):
        found = _LIVE.fullmatch(file.name)
        if found is not None and not Path("/proc", found.group(1)).exists():
            mark_process_dead(int(found.group(1)), str(folder))  # type: ignore[no-untyped-call]
