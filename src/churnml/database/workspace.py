"""The folder where one company's data live, and the manners of writing into it."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from churnml.database.server import VARIABLE, name_of, named_server
from churnml.errors import ConfigError, DependencyError, NotFoundError


@dataclass(frozen=True)
class Workspace:
    """A workspace: immutable Parquet parts, quarantine, and the SQL database that knows which parts count.

    Parameters
    ----------
    root : Path
        The folder; `./workspace` by default at the command line.
    server : sqlalchemy.URL, optional
        The PostgreSQL that holds its database; a file in the folder does where there is none.
    """

    root: Path
    server: URL | None = None

    @classmethod
    def at(cls, root: Path) -> Workspace:
        """Return the workspace at `root`, there or not, its database where `CHURNML_DATABASE_URL` says.

        Raises
        ------
        ConfigError
            If the variable holds no URL of a PostgreSQL.
        """
        return cls(root.resolve(), named_server())

    @classmethod
    def open(cls, root: Path, *, create: bool = False) -> Workspace:
        """Return the workspace at `root`.

        Raises
        ------
        NotFoundError
            If there is none and `create` is false.
        ConfigError
            If `CHURNML_DATABASE_URL` holds no URL of a PostgreSQL, or names one though the workspace has a file.
        DependencyError
            If the folder cannot be made.
        """
        workspace = cls.at(root)
        if workspace.server is not None and workspace.file.exists():
            raise ConfigError(
                f"a workspace must have one database, found {workspace.file} and, by {VARIABLE}, "
                f"{name_of(workspace.server)}; unset the variable, or move the data: `churnml backup` without it, "
                "then `churnml restore` with it (docs/operations.md)"
            )
        if not create and not workspace.exists:
            raise NotFoundError(f"no workspace at {root}; `churnml ingest` or `churnml demo` makes one there")
        try:
            workspace.tables.mkdir(parents=True, exist_ok=True)
            workspace.quarantine.mkdir(exist_ok=True)
        except OSError as error:
            raise DependencyError(f"cannot make the workspace folder {root}: {error.strerror}") from error
        return workspace

    @property
    def database(self) -> Path | URL:
        """The SQL database, the source of truth: an SQLite file in the folder, or a PostgreSQL."""
        return self.server or self.file

    @property
    def file(self) -> Path:
        """Where the SQLite file is, unless the database is a PostgreSQL."""
        return self.root / "churnml.db"

    @property
    def exists(self) -> bool:
        """Whether something was made here."""
        return self.file.exists() if self.server is None else self.tables.is_dir()

    @property
    def tables(self) -> Path:
        """Landed rows, one Parquet file for each table of each batch."""
        return self.root / "tables"

    @property
    def quarantine(self) -> Path:
        """Rows that broke a rule, with file, row, column, value, rule and remedy."""
        return self.root / "quarantine"

    @property
    def measures(self) -> Path:
        """What measures keep of single customers, a Parquet file each; made anew by the measure."""
        return self.root / "measures"

    @property
    def hot(self) -> Path:
        """Ready-made answers of the service, made anew from the database whenever they are not there."""
        return self.root / "hot"

    @property
    def models(self) -> Path:
        """Saved bundles, `models/<workspace>/<hash>/` beside the workspace."""
        return self.root.parent / "models" / self.root.name

    @property
    def jobs(self) -> Path:
        """What jobs of the service print, and how far each is; nobody but its owner reads them."""
        return self.root / "jobs"

    @property
    def mlflow(self) -> Path:
        """What MLflow keeps: its own database and the plots of each run."""
        return self.root / "mlflow"

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold the workspace's lock `name`, waiting for whoever has it; the system frees it if we die."""
        with (self.root / f".{name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def forget_ready_made(self) -> int:
        """Remove every ready-made answer, and return how many files held them; for erasure, once it is committed.

        They are made anew from what is left. Whoever has one in memory lets go of it as soon as they are asked again,
        or after some seconds, for the change is in the database.
        """
        if not self.hot.exists():
            return 0
        with self.locked("hot"):  # one that is being made is waited for
            gone = list(self.hot.glob("*"))
            for path in gone:
                path.unlink(missing_ok=True)
            return len(gone)

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Hold the workspace's lock `name` if nobody has it, and tell whether; the system frees it if we die."""
        with (self.root / f".{name}.lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    @contextlib.contextmanager
    def attending(self, run_id: str) -> Iterator[None]:
        """Show others that a run goes on: a lock of its own, which the system frees if we die."""
        path = self._lock_of(run_id)
        with path.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def attended(self, run_id: str) -> bool:
        """Tell whether the process of a run is alive; ask it under the lock `runs`, under which runs begin."""
        try:
            with self._lock_of(run_id).open() as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def _lock_of(self, run_id: str) -> Path:
        return self.root / f".run-{run_id}.lock"

    @contextlib.contextmanager
    def atomically(self, target: Path) -> Iterator[Path]:
        """Give a temporary path to write to, and move it to `target` only if all went well.

        Afterwards it outlives a power cut: a file's name is kept by its folder, and a new folder's by the one around
        it, so these are flushed to the disk like the file itself.
        """
        new = [folder for folder in (target.parent, *target.parent.parents) if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            yield draft
            _flush(draft)
            draft.replace(target)
            for folder in (target.parent, *(one.parent for one in new)):
                _flush(folder)
        finally:
            draft.unlink(missing_ok=True)


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder itself, waiting for whoever has it: where no lock file of ours has a place."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sweep_drafts(target: Path) -> None:
    """Remove drafts of a file whose writers were killed; call it under the lock under which the file is written.

    A folder of a person's own may hold names much like ours: nothing else goes than what `atomically` calls a draft.
    """
    for path in target.parent.glob(f".{glob.escape(target.name)}.*"):
        if re.fullmatch(r"[0-9a-f]{32}", path.name.rpartition(".")[2]):
            path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Have what was written to a file, or into a folder, on the disk and not only on its way there."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
