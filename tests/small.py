"""A workspace small enough to write down: tables as text in a test, landed for real."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import URL

from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, Workspace, open_engine
from churnml.events import IngestReport, Store, ingest
from churnml.events.sources.files import file_source
from new_database import new_workspace

NOW = 1_632_000_000_000_000  # 2021-09-18, microseconds UTC


@dataclass(frozen=True)
class Tiny:
    """A workspace of its own, filled with tables that are written in the test as text."""

    folder: Path
    workspace: Workspace
    catalogue: Catalogue
    config: WorkspaceConfig

    @classmethod
    def make(cls, folder: Path, server: URL | None = None, **settings) -> Tiny:
        workspace = replace(new_workspace(folder / "workspace"), server=server)
        settings = {"max_bad_share": 1.0} | settings
        return cls(folder, workspace, Catalogue(open_engine(workspace.database)), WorkspaceConfig(**settings))

    def with_config(self, **settings) -> Tiny:
        """Return the same workspace under other settings."""
        return replace(self, config=self.config.model_copy(update=settings))

    def file(self, name: str, content: str | bytes) -> Path:
        """Write a file to ingest; a text is written as UTF-8."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def ingest(self, table: str, path: Path, now: int = NOW, **options) -> IngestReport:
        """Ingest one file into one table."""
        source = file_source(table, path, self.config.time_zone)
        return ingest(self.workspace, self.catalogue, [source], self.config, now, **options)

    def land(self, now: int = NOW, *, check_only: bool = False, **tables: str) -> IngestReport:
        """Land tables given as text: columns apart by spaces, `-` where empty; or only check them."""
        sources = [
            file_source(table, self.file(f"{table}-{now}.csv", as_csv(text)), self.config.time_zone)
            for table, text in tables.items()
        ]
        return ingest(self.workspace, self.catalogue, sources, self.config, now, check_only=check_only)

    @property
    def store(self) -> Store:
        """The store as it stands now."""
        return Store.open(self.workspace, self.catalogue, self.config.time_zone)


def as_csv(text: str) -> str:
    """Return a table written with spaces as CSV."""
    lines = [line.split() for line in text.strip().splitlines()]
    return "".join(",".join("" if cell == "-" else cell for cell in line) + "\n" for line in lines)
