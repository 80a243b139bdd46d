"""What a preset says: which files an export has, and which query over them fills each table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from churnml.events.sources import Format

Shape = str | list["Shape"] | dict[str, "Shape"]
"""The shape of a nested column as DuckDB's `json_transform` takes it; a list holds the shape of its elements."""


@dataclass(frozen=True)
class Filling:
    """How files of an export fill one table.

    Parameters
    ----------
    roles : tuple of str
        The files it cannot do without; the rows of the first give `source_row`.
    query : str
        SQL over views named like the roles. It gives the contract's columns and `source_row`, which no two rows share.
    helped_by : tuple of str
        Files it takes if they are there; otherwise the query sees them empty.
    notes : str
        SQL over the same views that gives one text a row, for the report: what was left out, which currency it is in.
        A row without a text says nothing.
    """

    roles: tuple[str, ...]
    query: str
    helped_by: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True)
class Preset:
    """How one known export fills tables of the contract.

    A query sees the columns named in `files` and `optional`, and no others: as texts, an empty one as NULL, unless the
    preset says `typed`; beside them `source_row`, `file_time` (when the file was written, ISO 8601, for facts the
    export does not date), the one row of `settings` with its `time_zone`, and `standing`: the `customer_id` of each
    customer that landed before, with the first contact as `met_at`, so that an export which begins later moves nothing.
    Where a row names its `currency`, ingest compares it with the workspace's.

    Parameters
    ----------
    name : str
        What `sources.yaml` calls it.
    meaning : str
        What the export is and where one gets it, and what was assumed where it says too little.
    documented : str
        Where its shape is documented.
    files : mapping of str to tuple of str
        For each file it reads, by role, the columns that must be there; they also tell the export apart from others.
    tables : mapping of str to Filling
        How each table is filled.
    optional : mapping of str to tuple of str
        Columns a file may lack, by role; the query sees them empty.
    nested : mapping of str to Shape
        The columns that hold lists or objects, with the part of them the queries use.
    formats : mapping of str to Format
        How the texts of the contract's columns are to be read.
    time_zone : str
        The zone of its times where the export fixes one; empty takes the source's.
    typed : bool
        Whether columns keep the types they have in the file.
    """

    name: str
    meaning: str
    documented: str
    files: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Filling]
    optional: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nested: Mapping[str, Shape] = field(default_factory=dict)
    formats: Mapping[str, Format] = field(default_factory=dict)
    time_zone: str = ""
    typed: bool = False
