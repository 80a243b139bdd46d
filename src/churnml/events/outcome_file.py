"""Outcomes in a file: read as every table is, checked row by row, and not landed; the ledger keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from churnml.config import WorkspaceConfig
from churnml.database import KINDS, Outcome, Workspace
from churnml.database.money import MILLION
from churnml.errors import DataRefusedError
from churnml.events.checking import Checked, open_source, set_aside, stage
from churnml.events.ingest import connected
from churnml.events.schema import MONEY_SCALE, Column, Table
from churnml.events.sources import ROW
from churnml.events.sources.files import file_source
from churnml.events.sources.opening import unchanged

Json = dict[str, Any]  # Any: JSON
_FINER = MILLION // MONEY_SCALE
_AT_ONCE = 10_000

OUTCOMES = Table(
    name="outcomes",
    row="one thing that came of an assignment",
    key=("assignment_id", "kind", "occurred_at"),
    columns=(
        Column("assignment_id", "text", "the `assignment_id` of the record of `churnml assign`", required=True),
        Column("occurred_at", "instant", "when it happened", required=True),
        Column("kind", "text", "what happened", required=True, among=KINDS),
        Column("cost", "money", "what it cost; of `carried_out` and `redeemed`", unit="currency", at_least=0),
        Column("amount", "money", "what it brought; of `value`", unit="currency"),
    ),
    occurred="when it happened",
)
"""What a row of such a file is; it has no customer, for the assignment has one."""


@dataclass(frozen=True)
class OutcomeFile:
    """What a file of outcomes holds.

    Parameters
    ----------
    read : int
        How many rows there were.
    good : pyarrow.Table
        The rows that keep the rules of a file, with `row`, their number in it.
    aside : list of dict
        The others, and those that only want to be known: kind, row, column, value, rule, remedy, whole_row.
    ignored_columns, notes : list of str
        Columns that say nothing here, and what was found out rather than declared.
    """

    read: int
    good: pa.Table
    aside: list[Json]
    ignored_columns: list[str]
    notes: list[str]

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the good rows as the ledger takes them, in the order of the file."""
        for batch in self.good.to_batches(max_chunksize=_AT_ONCE):
            for row in batch.to_pylist():
                cost, amount = millionths_of(row["cost"]), millionths_of(row["amount"])
                yield Outcome(row["assignment_id"], row["occurred_at"], row["kind"], cost, amount)


def read_outcomes(workspace: Workspace, path: Path, settings: WorkspaceConfig, now: int) -> OutcomeFile:
    """Return what a file of outcomes holds: CSV, Parquet, JSON lines or Excel, as its name ends.

    Parameters
    ----------
    now : int
        Nothing may have happened more than a day after it, microseconds UTC.

    Raises
    ------
    UsageError
        If the file is not there, or of a kind we do not read.
    DataRefusedError
        If it cannot be read, or lacks a column.
    """
    source = file_source(OUTCOMES.name, path, settings.time_zone)
    # as in a landing: the folder of intermediate files is swept by whoever holds the lock, and erasure waits for it
    with workspace.locked("ingest"), connected(workspace) as (connection, scratch), unchanged(path):
        opened = open_source(connection, source, scratch, settings.currency, now, OUTCOMES)
        checked = Checked(OUTCOMES, str(int(now)), scratch)
        for refusal in stage(connection, checked, [opened]):
            raise DataRefusedError(refusal.reason)
        (staged,) = checked.sources
        aside = [row | {"assignment_id": _id_in(row)} for row in set_aside(connection, checked)]
        good = _good(connection, checked)
        return OutcomeFile(staged.read, good, aside, staged.reading.ignored, [*staged.notes, *staged.reading.notes])


def _good(connection: duckdb.DuckDBPyConnection, checked: Checked) -> pa.Table:
    columns = {column[0] for column in connection.execute(f"DESCRIBE {checked.name}").fetchall()}
    number = ROW if ROW in columns else f"rowid - {checked.sources[0].begins} + 1"
    values = [name if name in columns else f"NULL::BIGINT AS {name}" for name in OUTCOMES.names]
    query = f"SELECT {number} AS row, {', '.join(values)} FROM {checked.name} WHERE broken = 0 ORDER BY rowid"
    return connection.sql(query).to_arrow_table()


def _id_in(row: Json) -> object:
    whole = row["whole_row"]
    named = whole if isinstance(whole, dict) else {}
    return next((value for name, value in named.items() if name.strip().casefold() == "assignment_id"), None)


def millionths_of(amount: int | None) -> int | None:
    """Return an amount of the contract's scale as the ledger counts it."""
    return None if amount is None else amount * _FINER
