"""What every verb needs at hand: the workspace, its catalogue, its settings, and a way to speak to the person."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from churnml.config import FeaturesConfig, TrainConfig, WorkspaceConfig, load_config, with_options
from churnml.database import Catalogue, Records, Workspace, open_engine, source_digest
from churnml.database.erasures import require_repeated
from churnml.database.progress import Progress as Kept
from churnml.database.sweeping import sweep
from churnml.database.tombstones import erased_since
from churnml.database.workspace import digest_of_file
from churnml.errors import ConflictError, DependencyError, ModelRefusedError, UsageError
from churnml.events.clock import days_later, microseconds, midnight, moment
from churnml.events.point_in_time import Store

AnySettings = TypeVar("AnySettings", bound=BaseModel)
Body = TypeVar("Body", bound=Mapping[str, Any])  # Any: JSON
How = ParamSpec("How")
Tick = Callable[[int, int], None]


_PIPED_WIDTH = 200
"""Columns of a table that no terminal shows: what reads it does not wrap."""


@dataclass(frozen=True)
class Session:
    """One call of a verb.

    Parameters
    ----------
    workspace : Workspace
        Where the data live.
    configs : Path
        The folder of YAML files; a file that is absent gives its defaults.
    console : rich.console.Console
        Where progress and summaries for people go: standard error, so that standard output stays for machines.
    as_json : bool
        Whether the result is printed as JSON on standard output instead of as a summary.
    kept : Progress, optional
        Where it is kept how far the command is, for whoever started it.
    """

    workspace: Workspace
    configs: Path
    console: Console
    as_json: bool
    kept: Kept | None = None

    @classmethod
    def open(
        cls,
        workspace: Path,
        configs: Path,
        *,
        as_json: bool = False,
        create: bool | None = False,
        kept: Kept | None = None,
    ) -> Session:
        """Return a session on a workspace; `create` makes one where there is none, None leaves it open."""
        # a line stays one line where another program reads: a path cut in two is neither found nor copied
        piped = not sys.stderr.isatty()
        console = Console(stderr=True, highlight=False, soft_wrap=piped, width=_PIPED_WIDTH if piped else None)
        where = Workspace.at(workspace) if create is None else Workspace.open(workspace, create=create)
        return cls(where, configs, console, as_json, kept)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue of batches and runs."""
        return Catalogue(open_engine(self.workspace.database))

    def close(self) -> None:
        """Let go of the database, if it was asked anything."""
        if "catalogue" in vars(self):
            self.catalogue.engine.dispose()

    @cached_property
    def records(self) -> Records:
        """The decision records; none are given while erasures are to be repeated."""
        self.require_nobody_back()
        return Records(self.catalogue.engine)

    @cached_property
    def settings(self) -> WorkspaceConfig:
        """What is true of the company's data as a whole."""
        return self.load("workspace", WorkspaceConfig)

    def load(self, name: str, model: type[AnySettings], **given: object) -> AnySettings:
        """Return one configuration file of the session's folder; what the command line gives stands above it.

        Raises
        ------
        ConfigError
            If the file says something it cannot.
        UsageError
            If an option does.
        """
        found = load_config(self.configs / f"{name}.yaml", model)
        chosen = {key: value for key, value in given.items() if value is not None}
        return with_options(found, chosen) if chosen else found

    @cached_property
    def own_features(self) -> dict[Path, str]:
        """The files of features of the user's own, and the digest of each, empty where there is no such file."""
        files = [(self.configs / name).resolve() for name in self.load("features", FeaturesConfig).files]
        return {file: digest_of_file(file) if file.is_file() else "" for file in files}

    def train_settings(self, **given: object) -> TrainConfig:
        """Return `configs/train.yaml`, as `load`, with where the learners of the user's own lie."""
        return self.load("train", TrainConfig, **given).read_from(self.configs)

    @cached_property
    def own_learners(self) -> dict[Path, str]:
        """The files of learners of the user's own, and the digest of each, empty where there is no such file."""
        return {file: digest_of_file(file) if file.is_file() else "" for file in self.train_settings().learners.paths}

    def has_whole(self, bundle: str) -> bool:
        """Tell whether a bundle is there with all its files as they were written."""
        from churnml.modeling.bundle import check_bundle  # noqa: PLC0415  # LightGBM takes seconds to import

        try:
            check_bundle(self.workspace.models / bundle)
        except ModelRefusedError:
            return False
        return True

    @cached_property
    def store(self) -> Store:
        """The landed rows as they count now; none are given while erasures are to be repeated."""
        self.require_nobody_back()
        return Store.open(self.workspace, self.catalogue, self.settings.time_zone)

    def require_nobody_back(self) -> None:
        """Refuse to tell of customers while a restore may have brought back some who were erased.

        Raises
        ------
        BroughtBackError
            If they are still to be erased again.
        """
        with self.catalogue.engine.connect() as connection:
            require_repeated(connection)

    def require_nobody_erased_since(self, began: int) -> None:
        """Refuse to keep what was written of customers while somebody was erased: it may tell of them.

        Parameters
        ----------
        began : int
            When the writing began, microseconds UTC.

        Raises
        ------
        ConflictError
            If somebody was.
        """
        with self.catalogue.engine.connect() as connection:
            if erased_since(connection, began):
                raise ConflictError(
                    "customers were erased while this was written, so it was thrown away; run the same command again"
                )

    def cutoff(self, day: str | None) -> int:
        """Return a cutoff given as a date, or the midnight after the last order.

        Raises
        ------
        UsageError
            If the text is not a date, or the date lies before the data begin.
        """
        zone = self.settings.time_zone
        first, last = self.store.span
        if day is None:
            return days_later(midnight(moment(last, zone).date(), zone), 1, zone)
        try:
            cutoff = midnight(date.fromisoformat(day), zone)
        except ValueError as error:
            raise UsageError(f"--cutoff must be a date such as 2017-12-31, got {day!r}") from error
        if cutoff <= first:
            begins = moment(first, zone).date()
            raise UsageError(f"--cutoff must lie after the first order, on {begins}, got {day}; choose a later day")
        return cutoff

    @property
    def landed_until(self) -> int:
        """The midnight after the last landed row of any table, microseconds UTC; of later days silence says nothing."""
        zone = self.settings.time_zone
        last = moment(max(part.last_at for part in self.store.parts), zone).date()
        return days_later(midnight(last, zone), 1, zone)

    @contextlib.contextmanager
    def step(self, words: str) -> Iterator[Tick]:
        """Show what is being done, a bar if it says how far it is, and how long it took."""
        began = time.monotonic()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as progress:
            task = progress.add_task(words, total=None)
            if self.kept is not None:
                self.kept.begin(words)

            def tick(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)
                if self.kept is not None:
                    self.kept.tick(done, total)

            yield tick
        self.console.print(f"[green]✓[/] {words} [dim]{time.monotonic() - began:.1f} s[/]")

    @contextlib.contextmanager
    def scratch(self, whose: Literal["features", "measures"] = "features") -> Iterator[Path]:
        """Give an empty folder for copies of rows, gone afterwards; one of each at a time, and erasure waits for both.

        Who measures may make features meanwhile, but not the other way round, lest two wait for each other.
        """
        root = self.workspace.root
        with self.workspace.locked(whose):
            for left_behind in root.glob(f".{whose}-*"):  # by one that was killed: whoever holds the lock is alone
                shutil.rmtree(left_behind, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=f".{whose}-", dir=root))
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def running(self, verb: str, inputs: str) -> Iterator[str]:
        """Enter a run in the catalogue, give its id, and mark it failed if it does not get to its end.

        If it is killed, the next run or landing marks it: the lock it holds is free then.

        Raises
        ------
        BroughtBackError
            If a restore is still to be followed by erasures.
        """
        self.require_nobody_back()
        with contextlib.ExitStack() as attending:
            with self.workspace.locked("runs"):  # nobody looks for dead runs between its entry and its lock
                self._sweep()
                run_id = self.catalogue.start(verb, inputs, clock())
                attending.enter_context(self.workspace.attending(run_id))
            if self.kept is not None:
                self.kept.enter(run_id)
            try:
                yield run_id
            except BaseException:
                self.catalogue.finish(run_id, clock(), {}, ok=False)
                raise

    def sweep(self) -> None:
        """Mark runs that were killed as failed, and remove what they left; runs that go on are left alone."""
        with self.workspace.locked("runs"):
            self._sweep()

    def _sweep(self) -> None:
        killed, _ = sweep(self.workspace, self.catalogue, clock())
        for run, gone in killed:
            left = f"; the {gone:,} records it had written, which nobody saw, were removed" if gone else ""
            self.console.print(f"a `{run.verb}` was stopped before its end and is marked as failed{left}", markup=False)

    def inputs(self, *settings: BaseModel, **more: object) -> str:
        """Return the digest of everything a run depends on: data, settings, code."""
        parts = sorted((part.table_name, part.batch_id, part.digest) for part in self.catalogue.parts())
        chosen = [one.model_dump(mode="json") for one in (self.settings, *settings)]
        own = [*self.own_features.values(), *self.own_learners.values()]
        text = json.dumps([source_digest(), parts, chosen, own, more], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def print_json(self, body: Mapping[str, Any]) -> None:  # Any: JSON
        """Print a result for machines, on standard output."""
        sys.stdout.write(json.dumps(body, ensure_ascii=False, indent=1, default=str) + "\n")

    def say(self, body: Mapping[str, Any], words: object) -> None:  # Any: JSON
        """Print a result: as JSON for machines, or in words for people."""
        if self.as_json:
            self.print_json(body)
        else:
            self.console.print(words, markup=False)

    def tell(
        self, body: Body, told: Callable[Concatenate[Body, How], object], *how: How.args, **more: How.kwargs
    ) -> None:
        """Print a result: as JSON for machines, or for people what `told` makes of it."""
        self.say(body, None if self.as_json else told(body, *how, **more))

    def tell_secret(self, body: Body, told: Callable[[Body], object], name: str) -> None:
        """Print a new secret alone on standard output, for a shell to take up; what is to be known of it, beside it."""
        self.tell(body, told)
        if not self.as_json:
            sys.stdout.write(f"{body[name]}\n")


def require_places(reports: Iterable[Path]) -> None:
    """Try to make an empty file beside each report that will be written, before the work whose end it would be.

    Raises
    ------
    DependencyError
        If one cannot be written.
    """
    for report in reports:
        try:
            report.resolve().parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=report.resolve().parent):
                pass
        except OSError as error:
            raise DependencyError(f"cannot write {report}: {error.strerror}; choose another folder") from error


def clock() -> int:
    """Return the present, microseconds UTC; the only place that asks, everything below is told."""
    return microseconds(datetime.now(UTC))
