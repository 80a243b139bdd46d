"""Check the sources of one table against the contract: stage their rows, mark each broken one with its rule.

Everything is decided in DuckDB, in a table `staged_<table>` whose column `broken` is 0 for a good row, -1 for one that
stands already, and else the number of the rule it breaks; `warned` numbers what is to be said of a good row.
"""

from __future__ import annotations

import bisect
import contextlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from churnml.errors import DataRefusedError, DependencyError
from churnml.events.clock import DAY
from churnml.events.erased_rows import Among, drop_erased, nobody
from churnml.events.reading import Reading, read_as
from churnml.events.remarks import about_later_facts
from churnml.events.reporting import EXAMPLES, Finding, Kind, Refusal, TableReport
from churnml.events.rules import Rule, references
from churnml.events.schema import CURRENCY, TABLES, Table
from churnml.events.sources import DATA_ERRORS, ROW, Rows, Source
from churnml.events.sources.signs import meant
from churnml.events.values import read_name, their_name
from churnml.events.versions import Arrivals, Marks, Repeated, mark_repeated, readable, repeated_keys

_OTHERS_KEPT = 100
"""Columns outside the contract that the quarantine keeps of a row; a file of thousands would not fit into memory."""

_FLAGS = {8: "UTINYINT", 16: "USMALLINT", 32: "UINTEGER"}
"""What holds so many bits; a table has fewer columns than the last."""

_UNKNOWN = Rule(
    "customer_id",
    "",
    "must be a customer of the table `customers`",
    "land the customer first, or write the id as there",
)
_TWICE = Rule("", "", "must not name two different rows", "keep the right one; the first stood")
STANDS = Rule(
    "",
    "",
    "must not contradict the row that stands",
    "what stands remains; correct the export, or land everything anew in another workspace",
)
"""The rule that a row breaks which comes again otherwise."""
_STANDS_AS_SUM = replace(
    STANDS,
    remedy="what stands remains; if the new value is right, bring the difference as a row of its own, or land "
    "everything anew in another workspace",
)
"""The same where rows are added up, and a further one corrects the sum."""
_ADDED_UP = frozenset({"orders", "order_lines", "returns"})
_CHANGED = Rule("", "", "was first told otherwise", "nothing, if it changed; the first telling stays")
_FIRST_CONTACT = Rule(
    "occurred_at", "", "is another first contact than an earlier row tells", "bring each customer once, or the first"
)
_CONVERT = "bring them converted, or in a workspace of their own"
_NOT_YET = ("lies in the future; no cutoff before it sees the row", "correct it, unless that is meant")
_FUTURE = ("must not lie in the future", "correct the date, or bring the row when it is due")


@dataclass(frozen=True)
class Opened:
    """A source whose columns are known and whose rows are not read yet."""

    source: Source
    rows: Rows
    reading: Reading


@dataclass(frozen=True)
class Staged:
    """One source within the staged table: its rows lie from `begins` on, less those of customers who were erased."""

    opened: Opened
    notes: tuple[str, ...]
    begins: int
    read: int
    erased: int = 0

    @property
    def source(self) -> Source:
        """Where its rows come from."""
        return self.opened.source

    @property
    def reading(self) -> Reading:
        """How its columns are read."""
        return self.opened.reading

    @property
    def where(self) -> str:
        """SQL that is true of its rows."""
        return f"rowid BETWEEN {self.begins} AND {self.begins + self.read - 1}"


@dataclass
class Checked:
    """A table that is being checked.

    Parameters
    ----------
    table : Table
        The table.
    learned : str
        SQL for when a row was learned that does not say so itself.
    scratch : Path
        A folder for intermediate files.
    whole : bool
        Whether every value is staged. A check of a table of which nothing stands does without those that only a
        landing or a comparison asks for, which halves what is written.
    columns : list of str
        The columns that some source has and whose values are staged.
    told : list of str
        The columns that some source has and of whose values it is only staged whether there are any: in the column
        `filled`, a bit for each.
    sources : list of Staged
        What was staged, in this order.
    rules : list of Rule
        Every rule by its number less one.
    erased : callable
        Which of some ids belong to customers who were erased: their rows are not staged.
    """

    table: Table
    learned: str
    scratch: Path
    whole: bool = True
    columns: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    sources: list[Staged] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    erased: Among = nobody

    @property
    def name(self) -> str:
        """The staged table's."""
        return f"staged_{self.table.name}"

    def choose(self, have: Collection[str]) -> None:
        """Choose which of the columns that some source has are staged."""
        asked = {"customer_id", "occurred_at", "ingested_at", *self.table.key, *references(self.table)}
        names = [name for name in self.table.names if name in have]
        self.columns = [name for name in names if self.whole or name in asked]
        self.told = [name for name in names if name not in self.columns]

    def present(self, column: str) -> str:
        """Return SQL that counts the good rows in which a column is filled."""
        if column in self.told:
            return f"count(*) FILTER (filled & {1 << self.told.index(column)} <> 0)"
        return "count(*)" if self.table.column(column).required else f"count({column})"

    def selected(self) -> str:
        """Return the select list that gives every column of the contract from the staged table."""
        listed = []
        for column in self.table.columns:
            value = column.name if column.name in self.columns else f"NULL::{column.sql_type}"
            value = f"coalesce({value}, {self.learned})" if column.name == "ingested_at" else value
            listed.append(value if value == column.name else f"{value} AS {column.name}")
        return ", ".join(listed)


def open_source(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    scratch: Path,
    currency: str,
    now: int,
    table: Table | None = None,
) -> Opened:
    """Open a source and find how its columns are read.

    Parameters
    ----------
    currency : str
        The workspace's; a row that says another is broken.
    now : int
        Landing time, microseconds UTC; nothing may have happened more than a day after it.
    table : Table, optional
        What its rows are, where it is no table that lands.

    Raises
    ------
    DataRefusedError
        If the source cannot be opened, or misses a column.
    """
    table = table or TABLES[source.table]
    with _refusing(source):
        rows = source.rows(connection, scratch)
        reading = read_as(table, rows.relation, source.time_zone, rows.formats, source.origin)
    _compare_currency(reading, table, currency)
    _compare_signs(reading, currency, source.origin)
    late = f"{{}} > {int(now + DAY)}"
    reading.rules.append(Rule("occurred_at", late.format(read_name("occurred_at")), *_FUTURE))
    if "ingested_at" in reading.typed:
        reading.warnings.append(Rule("ingested_at", late.format(read_name("ingested_at")), *_NOT_YET))
    reading.warnings.extend(about_later_facts(table, reading.typed, int(now + DAY)))
    return Opened(source, rows, reading)


def _compare_currency(reading: Reading, table: Table, currency: str) -> None:
    """Add the rule that amounts are in the workspace's currency, where the source has a column that says in which."""
    theirs = [name for name in reading.ignored if name.strip().casefold() == CURRENCY.name]
    if not theirs or not any(table.column(name).kind == "money" for name in reading.typed):
        return
    reading.ignored.remove(theirs[-1])  # they are sorted, and small letters come last
    reading.theirs[CURRENCY.name] = theirs[-1]
    reading.notes.append(f"its column `{theirs[-1]}` is compared with the workspace's currency and not kept")
    said = f"upper(trim({their_name(CURRENCY.name)}::VARCHAR))"
    rule = f"must be in {currency}, the workspace's currency"
    reading.rules.insert(0, Rule(CURRENCY.name, f"{said} NOT IN ('', '{currency}')", rule, _CONVERT))


def _compare_signs(reading: Reading, currency: str, origin: str) -> None:
    """Refuse amounts whose sign cannot mean the workspace's currency."""
    for column, sign in reading.signs.items():
        if currency not in meant(sign):
            raise DataRefusedError(
                f"{origin}: column `{column}` must be in {currency}, the workspace's currency, found amounts that bear "
                f"{sign}; set `currency` in configs/workspace.yaml if that is the company's, else {_CONVERT}"
            )


def stage(connection: duckdb.DuckDBPyConnection, checked: Checked, opened: Sequence[Opened]) -> list[Refusal]:
    """Read sources into the staged table, typed, each row with the first rule it breaks; return what is refused."""
    checked.choose({name for one in opened for name in one.reading.typed})
    _create(connection, checked)
    refused = []
    for one in opened:
        last = _last_row(connection, checked)
        try:
            _stage_one(connection, checked, one, last)
        except DataRefusedError as error:
            _unstage(connection, checked, last)  # its rows must not be taken for those of the source before it
            refused.append(Refusal(checked.table.name, one.source.origin, str(error)))
    return refused


def _create(connection: duckdb.DuckDBPyConnection, checked: Checked) -> None:
    columns = [f"{name} {checked.table.column(name).sql_type}" for name in checked.columns]
    kind = next(kind for bits, kind in _FLAGS.items() if bits >= len(checked.told))
    filled = [f"filled {kind}"] if checked.told else []
    marks = ["broken SMALLINT", "warned SMALLINT", "said VARCHAR"]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {checked.name} ({', '.join([*columns, *filled, *marks])})")


def _stage_whole(connection: duckdb.DuckDBPyConnection, checked: Checked) -> None:
    """Stage the rows once more, with every value, where some are to be shown or compared after all.

    No row has been marked since they were staged, for marking asks for this first.
    """
    if checked.whole:
        return
    sources, rules = checked.sources, checked.rules
    checked.whole, checked.sources, checked.rules = True, [], []
    checked.choose([*checked.columns, *checked.told])
    _create(connection, checked)
    for one in sources:
        _stage_one(connection, checked, one.opened, _last_row(connection, checked))
    checked.rules = rules  # they came again under the same numbers, and others had been added


def _last_row(connection: duckdb.DuckDBPyConnection, checked: Checked) -> int:
    ((last,),) = connection.execute(f"SELECT coalesce(max(rowid), -1) FROM {checked.name}").fetchall()
    return int(last)


def _unstage(connection: duckdb.DuckDBPyConnection, checked: Checked, last: int) -> None:
    connection.execute(f"DELETE FROM {checked.name} WHERE rowid > {last}")


def _stage_one(connection: duckdb.DuckDBPyConnection, checked: Checked, opened: Opened, last: int) -> None:
    """Insert the rows of a source; where that fails or falls short, once more, record by record."""
    rows, rules = opened.rows, len(checked.rules)
    with _refusing(opened.source):
        try:
            read = _insert(connection, checked, opened, rows, last)
        except DATA_ERRORS:
            if rows.careful is None:
                raise
            read = -1
        if rows.careful is not None and read != rows.records:
            _unstage(connection, checked, last)
            del checked.rules[rules:]
            rows = rows.careful()
            read = _insert(connection, checked, opened, rows, last)
    if rows.records is not None and read != rows.records:
        raise DataRefusedError(
            f"{opened.source.origin}: every record must come out as a row, found {rows.records:,} records and "
            f"{read:,} rows; export the file again"
        )
    ((begins,),) = connection.execute(f"SELECT min(rowid) FROM {checked.name} WHERE rowid > {last}").fetchall()
    begins = last + 1 if begins is None else begins
    gone = drop_erased(connection, checked.name, checked.columns, checked.erased)
    checked.sources.append(Staged(opened, rows.notes, begins, read, gone))


def _insert(connection: duckdb.DuckDBPyConnection, checked: Checked, opened: Opened, rows: Rows, last: int) -> int:
    """Insert rows, and the records that are none, and return how many came behind the row `last`."""
    if rows.rejected or ROW in rows.relation.columns:
        connection.execute(f"ALTER TABLE {checked.name} ADD COLUMN IF NOT EXISTS {ROW} BIGINT")
    view = f"raw_{checked.table.name}_{len(checked.sources)}"
    _named(rows, opened.reading).create_view(view, replace=True)
    connection.execute(f"INSERT INTO {checked.name} BY NAME {_staging(checked, opened.reading, rows, view)}")
    _stage_rejected(connection, checked, rows.rejected)
    ((read,),) = connection.execute(f"SELECT count(*) FROM {checked.name} WHERE rowid > {last}").fetchall()
    return int(read)


@contextlib.contextmanager
def _refusing(source: Source) -> Iterator[None]:
    """Tell the user what DuckDB says of their data; what it says of our query stays a bug."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise DataRefusedError(
            f"{source.origin}: a row must fit into memory many times over, found some that do not; look for a value "
            "of many megabytes, or split the file"
        ) from error
    except DATA_ERRORS as error:
        if "No space left" in str(error):
            raise DependencyError(
                f"{source.origin}: no room is left on the disk of the workspace for what is being checked; free some, "
                "about as much as the file is large"
            ) from error
        raise DataRefusedError(
            f"{source.origin}: cannot be read to its end ({told_by(error)}); correct the file"
        ) from error


def _staging(checked: Checked, reading: Reading, rows: Rows, view: str) -> str:
    """Return the query that types every row of a source and finds the first rule it breaks."""
    first = len(checked.rules) + 1
    warns = first + len(reading.rules)
    rules = [*reading.rules, *reading.warnings]
    checked.rules += rules
    broken = " ".join(f"WHEN {rule.broken} THEN {n}" for n, rule in enumerate(reading.rules, first))
    warned = " ".join(f"WHEN {rule.broken} THEN {n}" for n, rule in enumerate(reading.warnings, warns))
    value = " ".join(f"WHEN {n} THEN {their_name(rule.column)}::VARCHAR" for n, rule in enumerate(rules, first))
    typed = ", ".join(f"{expression} AS {read_name(name)}" for name, expression in reading.typed.items())
    taken = [f"{read_name(name)} AS {name}" for name in checked.columns if name in reading.typed]
    bits = (
        f"CASE WHEN {read_name(name)} IS NULL THEN 0 ELSE {1 << place} END"
        for place, name in enumerate(checked.told)
        if name in reading.typed
    )
    taken += [f"{' + '.join(bits) or '0'} AS filled"] if checked.told else []
    number = f", {ROW}" if ROW in rows.relation.columns else ""
    said = f"to_json(struct_pack(value := CASE mark {value} END, whole := {_whole(rows, reading)}))::VARCHAR"
    return f"""
        SELECT {", ".join(taken)}, broken_rule AS broken, warned_rule AS warned,
               CASE WHEN mark > 0 THEN {said} END AS said{number}
        FROM (SELECT *, broken_rule + warned_rule AS mark
              FROM (SELECT *, CASE WHEN broken_rule <> 0 THEN 0 {warned} ELSE 0 END AS warned_rule
                    FROM (SELECT *, CASE {broken} ELSE 0 END AS broken_rule FROM (SELECT *, {typed} FROM {view}))))
    """


def _kept(rows: Rows, reading: Reading) -> dict[str, str]:
    """Return the source's columns that are read, by the name they are staged under: ours, and as many more as fit."""
    known = {theirs: ours for ours, theirs in reading.theirs.items()}
    others = [name for name in rows.relation.columns if name not in known and name != ROW][:_OTHERS_KEPT]
    return known | {name: f"{name} " for name in others}


def _named(rows: Rows, reading: Reading) -> duckdb.DuckDBPyRelation:
    """Return the rows under names that cannot take the place of ours; what nothing reads is left in the file."""
    columns = [f"{_quoted(name)} AS {their_name(staged)}" for name, staged in _kept(rows, reading).items()]
    return rows.relation.project(", ".join([*columns, *([ROW] if ROW in rows.relation.columns else [])]))


def _whole(rows: Rows, reading: Reading) -> str:
    """Return the row as the source has it, for the quarantine."""
    parts = (f"{_quoted(name)} := {their_name(staged)}" for name, staged in _kept(rows, reading).items())
    return f"struct_pack({', '.join(parts)})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _stage_rejected(connection: duckdb.DuckDBPyConnection, checked: Checked, rejected: str) -> None:
    """Add the records that are no rows at all, so that they count, and are quarantined like others."""
    if not rejected:
        return
    for rule, remedy in connection.execute(f"SELECT DISTINCT rule, remedy FROM {rejected} ORDER BY ALL").fetchall():
        checked.rules.append(Rule("", "", rule, remedy))
        connection.execute(
            f"""
            INSERT INTO {checked.name} (broken, warned, said, {ROW})
            SELECT $number, 0, to_json(struct_pack(value := found, whole := found))::VARCHAR, {ROW}
            FROM {rejected} WHERE rule = $rule AND remedy = $remedy ORDER BY {ROW}
            """,
            {"number": len(checked.rules), "rule": rule, "remedy": remedy},
        )


def compare(
    connection: duckdb.DuckDBPyConnection,
    checked: Checked,
    landed: dict[str, list[str]],
    *,
    customers_known: bool = True,
) -> list[TableReport]:
    """Compare the staged rows with what stands, and with each other; return what became of each source.

    Parameters
    ----------
    landed : dict of str to list of str
        The Parquet files that count already, by table.
    customers_known : bool
        Whether all customers of this landing could be read; where not, no row is blamed for theirs.
    """
    table = checked.table
    checked.rules += [_UNKNOWN, _TWICE, _stands(table), _CHANGED, _FIRST_CONTACT]
    if table.name != "customers" and customers_known:
        _know(connection, "customer_id", "customers", landed.get("customers", []))
        if table.name == "consents":  # what someone refuses holds, whether or not they are known yet
            checked.rules.append(Rule("customer_id", "", "is no customer yet", "it holds as soon as they are one"))
            _mark(connection, checked, "customer_id", "warned", len(checked.rules))
        else:
            _mark(connection, checked, "customer_id", "broken", checked.rules.index(_UNKNOWN) + 1)
    again = _again(connection, checked, landed.get(table.name, []))
    for column, other in references(table).items():
        words, remedy = f"is not among the {other} that have landed", f"land the {other} it belongs to as well"
        checked.rules.append(Rule(column, "", words, remedy))
        _know(connection, column, other, landed.get(other, []))
        _mark(connection, checked, column, "warned", len(checked.rules))
    return [_report(connection, checked, *one) for one in zip(checked.sources, again, strict=True)]


def _stands(table: Table) -> Rule:
    return _STANDS_AS_SUM if table.name in _ADDED_UP else STANDS


def _again(connection: duckdb.DuckDBPyConnection, checked: Checked, landed: list[str]) -> list[Repeated]:
    """Find what came again; a version may take over columns from the one before it that no source has."""
    rules = (_TWICE, _stands(checked.table), _CHANGED, _FIRST_CONTACT)
    marks = Marks(*(checked.rules.index(rule) + 1 for rule in rules))
    try:
        if keys := repeated_keys(connection, _arrivals(checked, landed), landed):
            _stage_whole(connection, checked)
        again = mark_repeated(connection, _arrivals(checked, landed), landed, marks, keys)
    except duckdb.OutOfMemoryException as error:
        raise DataRefusedError(
            f"{checked.sources[0].source.origin}: what comes again is compared in memory, found more rows that differ "
            "than fit; bring fewer at once, or look for a key that has changed its meaning"
        ) from error
    staged = {name for name, *_ in connection.execute(f"DESCRIBE {checked.name}").fetchall()}
    checked.columns = [name for name in checked.table.names if name in staged]
    return again


def _arrivals(checked: Checked, landed: Sequence[str]) -> Arrivals:
    begins = [staged.begins for staged in checked.sources]
    tells = [frozenset(staged.reading.typed) for staged in checked.sources]
    remember = checked.learned == "occurred_at" and bool(landed)  # more history of a table that has some
    return Arrivals(checked.table, checked.name, checked.selected(), begins, checked.scratch, tells, remember)


def _know(connection: duckdb.DuckDBPyConnection, column: str, table: str, landed: Sequence[str]) -> None:
    """Gather the values of a column that stand, or arrive with this landing, in a table `known`."""
    known = "SELECT NULL::VARCHAR AS value WHERE false"
    if landed:
        known += f" UNION ALL SELECT {column} FROM read_parquet($files)"
    if connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [f"staged_{table}"]).fetchall():
        known += f" UNION ALL SELECT {column} FROM staged_{table} WHERE broken <= 0"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE known AS SELECT DISTINCT value FROM ({known})",
        {"files": list(landed)} if landed else None,
    )


def _mark(connection: duckdb.DuckDBPyConnection, checked: Checked, column: str, mark: str, number: int) -> None:
    """Give the good rows whose value is not in `known` a number; most often there are none, and nothing is written."""
    name, unless = checked.name, " AND warned = 0" if mark == "warned" else ""
    strange = f"FROM {name} ANTI JOIN known ON {name}.{column} = known.value WHERE broken = 0{unless}"
    if not connection.execute(f"SELECT 1 {strange} LIMIT 1").fetchall():
        return
    _stage_whole(connection, checked)
    said = f"to_json(struct_pack(value := {column}, whole := {readable(checked.table, checked.columns)}))::VARCHAR"
    connection.execute(
        f"""
        UPDATE {name} SET {mark} = $number, said = {said}{", warned = 0" if mark == "broken" else ""}
        WHERE rowid IN (SELECT {name}.rowid {strange})
        """,
        {"number": number},
    )


def _report(connection: duckdb.DuckDBPyConnection, checked: Checked, staged: Staged, again: Repeated) -> TableReport:
    source, reading = staged.source, staged.reading
    query = f"""
        SELECT count(*) FILTER (broken > 0), count(*) FILTER (broken = 0) FROM {checked.name} WHERE {staged.where}
    """
    ((quarantined, landed),) = connection.execute(query).fetchall()
    # a source of sound rows alone is read without looking at each row's mark again
    where = staged.where if landed == staged.read else f"{staged.where} AND broken = 0"
    query = f"""
        SELECT min(occurred_at), max(occurred_at), {", ".join(map(checked.present, reading.typed))}
        FROM {checked.name} WHERE {where}
    """
    ((first_at, last_at, *counts),) = connection.execute(query).fetchall()
    present = dict(zip(reading.typed, counts, strict=True))
    missing = {column: 1 - n / landed for column, n in present.items() if landed}
    undated = landed - present.get("ingested_at", 0)
    known_then = checked.learned == "occurred_at"
    return TableReport(
        table=checked.table.name,
        origin=source.origin,
        read=staged.read - staged.erased,
        landed=landed,
        skipped=staged.read - staged.erased - landed - quarantined,
        quarantined=quarantined,
        fills=again.fills,
        newer=again.newer,
        findings=[f for kind in ("quarantine", "warning") for f in _findings(connection, checked, staged, kind)],
        missing=missing,
        first_at=first_at,
        last_at=last_at,
        ignored_columns=reading.ignored,
        notes=[*staged.notes, *reading.notes, *_more_told(again), *_erased_told(staged)],
        backfill=undated > 0 and known_then,
        learned_now=undated > 0 and not known_then,
        undated=undated,
        erased=staged.erased,
    )


def _erased_told(staged: Staged) -> Iterator[str]:
    if staged.erased:
        rows = (
            "row of a customer who was erased was" if staged.erased == 1 else "rows of customers who were erased were"
        )
        yield f"{staged.erased:,} {rows} not landed, and not counted as read"


def _more_told(again: Repeated) -> Iterator[str]:
    if again.more:
        rows = "row tells" if again.more == 1 else "rows tell"
        yield (
            f"{again.more:,} {rows} something that the rows which stand leave empty; only later facts and versions are "
            "filled in, what stands remains"
        )


def _findings(connection: duckdb.DuckDBPyConnection, checked: Checked, staged: Staged, kind: Kind) -> Iterator[Finding]:
    mark = "broken" if kind == "quarantine" else "warned"
    where = f"{staged.where} AND {mark} > 0"
    counts = connection.execute(f"SELECT {mark}, count(*) FROM {checked.name} WHERE {where} GROUP BY 1 ORDER BY 1")
    for code, count in counts.fetchall():
        rule = checked.rules[code - 1]
        shown = list(set_aside(connection, checked, f"{staged.where} AND {mark} = {code}", EXAMPLES))
        yield Finding(kind, rule.column, rule.rule, rule.remedy, count, shown)


def set_aside(
    connection: duckdb.DuckDBPyConnection,
    checked: Checked,
    where: str = "broken > 0 OR warned > 0",
    limit: int = 1 << 62,
) -> Iterator[dict[str, Any]]:  # Any: JSON values
    """Yield each row set aside or warned about, in the order of the sources: file, row, column, value, rule, remedy."""
    columns = [column[0] for column in connection.execute(f"DESCRIBE {checked.name}").fetchall()]
    row_number = ROW if ROW in columns else "NULL"
    customer_id = "customer_id" if "customer_id" in columns else "NULL"
    rows = connection.execute(
        f"""
        SELECT rowid, {row_number}, broken, warned, {customer_id}, said FROM {checked.name}
        WHERE {where} ORDER BY rowid LIMIT $limit
        """,
        {"limit": limit},
    )
    begins = [staged.begins for staged in checked.sources]
    while row := rows.fetchone():
        place, number, broken, warned, customer, said = row
        staged = checked.sources[bisect.bisect_right(begins, place) - 1]
        rule, told = checked.rules[max(broken, warned) - 1], json.loads(said)
        yield {
            "kind": "quarantine" if broken > 0 else "warning",
            "table": checked.table.name,
            "file": staged.source.origin,
            "row": place - staged.begins + 1 if number is None else number,
            "customer_id": customer,
            "column": rule.column
            or (", ".join(checked.table.key) if rule in {_TWICE, STANDS, _STANDS_AS_SUM, _CHANGED} else ""),
            "value": told["value"],
            "rule": rule.rule,
            "remedy": rule.remedy,
            "whole_row": told["whole"],
        }


def told_by(error: Exception) -> str:
    """Return what a library says went wrong, without its advice and without the row, which may be personal."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[0].split(":", 1)[-1].strip().rstrip(".;")
