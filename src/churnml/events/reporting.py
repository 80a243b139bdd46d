"""What a landing reports: what was read, landed, set aside or only remarked on, and why.

Three things are told apart. A *refusal* turns a whole file away and nothing lands. The *quarantine* takes a row that
breaks a rule, and the rest lands. A *warning* is about rows that land, or about the file, and wants to be known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["quarantine", "warning"]
EXAMPLES = 20
_WIDEST = 200


@dataclass(frozen=True)
class Finding:
    """One rule that rows broke, or one thing to know about them.

    Parameters
    ----------
    kind : {'quarantine', 'warning'}
        Whether the rows were set aside or landed all the same.
    column : str
        The column it is about; empty where it is about whole rows.
    rule, remedy : str
        In words.
    count : int
        How many rows.
    examples : list of dict
        The first of them: row, column, value, customer.
    """

    kind: Kind
    column: str
    rule: str
    remedy: str
    count: int
    examples: list[dict[str, Any]]  # Any: JSON values of a row


@dataclass(frozen=True)
class TableReport:
    """What became of one source.

    Parameters
    ----------
    read, landed, skipped, quarantined : int
        Rows; those skipped stand already.
    fills, newer : int
        Of the rows landed, those that fill in later facts of a row that stands, or are newer versions of it.
    missing : dict of str to float
        Share of the landed rows that leave a column empty, of the columns the source has.
    first_at, last_at : int or None
        The span of what landed, microseconds UTC.
    ignored_columns : list of str
        Columns of the source that the contract does not know.
    notes : list of str
        What was found out rather than declared, such as an encoding.
    backfill : bool
        Rows that leave `ingested_at` empty, or all if there is no such column, count as known when they happened.
    learned_now : bool
        They count as learned at the landing, so that no earlier cutoff sees them.
    undated : int
        How many rows that landed are such.
    erased : int
        Rows of customers who were erased: they do not land, and are none of those read.
    """

    table: str
    origin: str
    read: int
    landed: int
    skipped: int
    quarantined: int
    fills: int
    newer: int
    findings: list[Finding]
    missing: dict[str, float]
    first_at: int | None
    last_at: int | None
    ignored_columns: list[str]
    notes: list[str]
    backfill: bool
    learned_now: bool
    undated: int
    erased: int = 0

    def of(self, kind: Kind) -> list[Finding]:
        """Return the findings of one kind."""
        return [finding for finding in self.findings if finding.kind == kind]


@dataclass(frozen=True)
class Refusal:
    """A source that was turned away whole, and why."""

    table: str
    origin: str
    reason: str


@dataclass(frozen=True)
class IngestReport:
    """What became of all sources of one landing.

    Parameters
    ----------
    batch_id : int or None
        None where nothing landed: on a check, a refusal of all, or where no source was new.
    tables : list of TableReport
        One for each source that was read.
    refused : list of Refusal
        If there is one, nothing landed, or the consents alone.
    already_landed : list of str
        Sources unchanged since they landed.
    rows_file : str
        Where every row set aside or warned about is written, one JSON object a line; empty if there is none.
    preflight : dict
        What there is, see `preflight`.
    outlook : dict or None
        What that would be good for, where someone asked.
    time_zone : str
        The workspace's.
    """

    batch_id: int | None
    tables: list[TableReport]
    refused: list[Refusal] = field(default_factory=list)
    already_landed: list[str] = field(default_factory=list)
    rows_file: str = ""
    preflight: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON
    outlook: Mapping[str, Any] | None = None  # Any: JSON
    time_zone: str = "UTC"

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return the report as plain data."""
        return asdict(self)


def quoted_value(value: object) -> str:
    """Return a value as messages show it: what is empty by name, and of a long one its beginning.

    Examples
    --------
    >>> quoted_value(None)
    'an empty value'
    >>> quoted_value("00123")
    "'00123'"
    """
    if value is None:
        return "an empty value"
    shown = repr(value)
    return shown if len(shown) <= _WIDEST else f"{shown[:_WIDEST]}… ({len(shown):,} characters)"
