"""Rows that come again: equal, filling in a later fact, a newer version, or in conflict with what stands.

Tomorrow's export holds most of today's rows. What says nothing new is skipped. A ticket now resolved is the same ticket
with one more fact, a customer who moved a newer version; both are kept, known from their own `ingested_at`. What
contradicts the row that stands is a conflict: it is set aside, and that row remains. A value that is missing, or a
column that a file does not have, contradicts nothing.

Nearly all that comes again is equal, and is found by hashes that are sorted as numbers, a few million at a time; only
the rest is compared column by column. docs/adr/0007 has the reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from churnml.events.schema import MONEY_SCALE, Table
from churnml.events.sorting import Hashes, Places, columns_of, repeated_of

_SKIPPED, _FILLS, _NEWER, _MORE = -1, -2, -3, -4
_MATCHED_AT_ONCE = 3_000_000
_COMPARED_AT_ONCE = 500_000


@dataclass(frozen=True)
class Arrivals:
    """The staged rows of one table, and what each source tells.

    Parameters
    ----------
    table : Table
        Which table.
    staged : str
        The staged table's name in DuckDB.
    selected : str
        The select list that gives every column of the contract from it.
    begins : sequence of int
        Where each source begins in it.
    scratch : Path
        A folder for intermediate files.
    tells : sequence of frozenset of str
        The columns each source has.
    remember : bool
        Whether to keep what stands equal already, see `came_again`.
    """

    table: Table
    staged: str
    selected: str
    begins: Sequence[int]
    scratch: Path
    tells: Sequence[frozenset[str]]
    remember: bool = False

    @property
    def source(self) -> str:
        """SQL for the source of a row at the place `turn`."""
        return " + ".join(["0", *(f"(turn >= {place})::INTEGER" for place in self.begins[1:])])


@dataclass(frozen=True)
class Marks:
    """The numbers of the rules that rows which come again may break, or are warned by."""

    twice: int
    stands: int
    changed: int
    first_contact: int


@dataclass(frozen=True)
class Repeated:
    """How many rows of a source came again.

    Parameters
    ----------
    fills, newer : int
        They land all the same: to fill in a later fact, or as a newer version.
    more : int
        They tell a value that the row which stands leaves empty for good, and do not land.
    """

    fills: int = 0
    newer: int = 0
    more: int = 0


def repeated_keys(connection: duckdb.DuckDBPyConnection, arrivals: Arrivals, landed: Sequence[str]) -> int:
    """Take out the staged rows that stand equal, and return how many keys come more than once among what is left.

    Parameters
    ----------
    landed : sequence of str
        The Parquet files of the table that count already.
    """
    if arrivals.remember:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {came_again(arrivals.table)} (key UBIGINT)")
    if landed:
        _take_out_equal(connection, arrivals, landed)
    return _find_repeated(connection, arrivals, landed)


def mark_repeated(
    connection: duckdb.DuckDBPyConnection, arrivals: Arrivals, landed: Sequence[str], marks: Marks, keys: int
) -> list[Repeated]:
    """Take out the staged rows that say nothing new, and mark those in conflict; return what came again by source.

    Parameters
    ----------
    landed : sequence of str
        The Parquet files of the table that count already.
    keys : int
        How many keys come more than once, as `repeated_keys` has just found.
    """
    found: dict[tuple[int, int], int] = {}
    turns = keys // _COMPARED_AT_ONCE + 1
    for turn in range(turns if keys else 0):
        _gather(connection, arrivals, landed, turn, turns)
        for source, verdict, count in _compare(connection, arrivals, marks):
            found[source, verdict] = found.get((source, verdict), 0) + count
    return [
        Repeated(*(found.get((one, verdict), 0) for verdict in (_FILLS, _NEWER, _MORE)))
        for one in range(len(arrivals.begins))
    ]


def _take_out_equal(connection: duckdb.DuckDBPyConnection, arrivals: Arrivals, landed: Sequence[str]) -> None:
    """Delete the staged rows that stand already, as far as their source tells.

    Two rows are the same if both hashes are, of the key and of what the source tells.
    """
    table = arrivals.table
    numbered = sorted(range(len(arrivals.tells)), key=lambda one: sorted(arrivals.tells[one]))
    for told, group in groupby(numbered, key=lambda one: arrivals.tells[one]):
        sources = ", ".join(str(one) for one in group)
        content = [name for name in table.names if name in told and name != "ingested_at"]
        dated = "ingested_at" in told
        if not table.versioned:
            comparisons = [(content, _standing(table, content))]
        else:
            comparisons = [(content, _latest(table, content))]
            if dated:  # the same version again, whichever of them it is
                comparisons.append(([*content, "ingested_at"], _standing(table, [*content, "ingested_at"])))
        for columns, standing in comparisons:
            alone = "" if "ingested_at" in columns or not table.versioned else _alone(arrivals)
            arriving = f"""
                SELECT {_hash(_identity(table))} AS key, {_hash(columns)} AS content, turn, ingested_at
                FROM (SELECT rowid AS turn, {arrivals.selected} FROM {arrivals.staged} WHERE broken = 0{alone})
                WHERE {arrivals.source} IN ({sources})
            """
            _take_out(connection, arrivals, arriving, standing, landed)


def came_again(table: Table) -> str:
    """Return the name of the table of `key`, hashes by `identity`, of the rows that stand and came again equal."""
    return f"came_again_{table.name}"


def identity(table: Table) -> str:
    """Return SQL for the hash by which a row is known again, of one with versions those of one beginning."""
    return _hash(_identity(table))


def _identity(table: Table) -> tuple[str, ...]:
    return (*table.key, "occurred_at") if table.versioned else table.key


def _alone(arrivals: Arrivals) -> str:
    """Return a condition that leaves out customers and contracts that come with several versions at once."""
    key = _hash(arrivals.table.key)
    several = f"SELECT {key} FROM {arrivals.staged} WHERE broken = 0 GROUP BY 1 HAVING count(*) > 1"
    return f" AND {key} NOT IN ({several})"


def _standing(table: Table, columns: Sequence[str]) -> str:
    nothing = "NULL::BIGINT AS ingested_at"
    return f"SELECT {_hash(_identity(table))} AS key, {_hash(columns)} AS content, {nothing} FROM {_landed(table)}"


def _landed(table: Table) -> str:
    """Return SQL for the rows that stand, with every column: what landed before there was one leaves it empty."""
    none = ", ".join(f"NULL::{column.sql_type} AS {column.name}" for column in table.columns)
    stood = "SELECT * FROM read_parquet($files, union_by_name = true)"
    return f"(SELECT {none} WHERE false UNION ALL BY NAME {stood}) AS stood"


def _latest(table: Table, columns: Sequence[str]) -> str:
    """Return SQL for the last version of each row that stands; where two share the last time, for none of them."""
    first = f"struct_pack(at := ingested_at, content := {_hash(columns)})"
    last = f"struct_pack(at := ingested_at, content := 18446744073709551615 - {_hash(columns)})"
    return f"""
        SELECT key, first.content AS content, first.at AS ingested_at
        FROM (SELECT {_hash(_identity(table))} AS key, max({first}) AS first, max({last}) AS last
              FROM {_landed(table)} GROUP BY 1)
        WHERE first.content = 18446744073709551615 - last.content
    """


def _take_out(
    connection: duckdb.DuckDBPyConnection, arrivals: Arrivals, arriving: str, standing: str, landed: Sequence[str]
) -> None:
    """Delete the arriving rows that are among the standing ones, in as many turns as keep memory flat."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE arriving AS {arriving}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE standing AS {standing}", {"files": list(landed)})
    ((rows,),) = connection.execute(
        "SELECT (SELECT count(*) FROM arriving) + (SELECT count(*) FROM standing)"
    ).fetchall()
    turns = rows // _MATCHED_AT_ONCE + 1
    for turn in range(turns):
        places, keys = _matched(connection, f"key % {turns} = {turn}", rows)
        _delete(connection, arrivals, places)
        if arrivals.remember and len(keys):
            _register(connection, "came", "key", keys)
            connection.execute(f"INSERT INTO {came_again(arrivals.table)} SELECT DISTINCT key FROM came")
            connection.unregister("came")
    connection.execute("DROP TABLE arriving")
    connection.execute("DROP TABLE standing")


def _matched(connection: duckdb.DuckDBPyConnection, own: str, rows: int) -> tuple[Places, Hashes]:
    """Return the places of the arriving rows of a turn that stand, and the hashes of their keys."""
    columns = f"content, key, coalesce(ingested_at, {np.iinfo(np.int64).min})"
    theirs = columns_of(connection, f"SELECT {columns} FROM standing WHERE {own} ORDER BY content", rows)
    ours = columns_of(connection, f"SELECT {columns}, turn FROM arriving WHERE {own}", rows)
    if not len(theirs[0]):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint64)
    place = np.minimum(np.searchsorted(theirs[0], ours[0]), len(theirs[0]) - 1)
    same = (theirs[0][place] == ours[0]) & (theirs[1][place] == ours[1]) & (theirs[2][place] <= ours[2])
    return ours[3][same].astype(np.int64), theirs[1][place[same]].astype(np.uint64)


def _delete(connection: duckdb.DuckDBPyConnection, arrivals: Arrivals, places: Places) -> None:
    if len(places):
        _register(connection, "gone", "turn", places)
        delete = f"DELETE FROM {arrivals.staged} WHERE rowid IN (SELECT turn FROM gone)"
        ((deleted,),) = connection.execute(delete).fetchall()
        connection.unregister("gone")
        if deleted != len(places):
            raise RuntimeError(f"{len(places):,} rows of {arrivals.staged} were to be deleted, {deleted:,} were")


def _register(connection: duckdb.DuckDBPyConnection, name: str, column: str, values: npt.NDArray[np.generic]) -> None:
    # from its buffer: pyarrow would import pandas to look at a NumPy array
    kind = pa.uint64() if values.dtype == np.uint64 else pa.int64()
    array = pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])
    connection.register(name, pa.table({column: array}))


def _hash(columns: Sequence[str]) -> str:
    return f"hash({', '.join(columns)})"


def _find_repeated(connection: duckdb.DuckDBPyConnection, arrivals: Arrivals, landed: Sequence[str]) -> int:
    """Find the hashes of the keys that come more than once, and return how many there are; most landings have few."""
    key = _hash(arrivals.table.key)
    staged = f"SELECT {key} AS hashed FROM (SELECT {arrivals.selected} FROM {arrivals.staged} WHERE broken = 0)"
    connection.execute("CREATE OR REPLACE TEMP TABLE again (hashed UBIGINT)")
    for twice in repeated_of(connection, staged, arrivals.scratch):
        _register(connection, "hashes", "hashed", twice)
        connection.execute("INSERT INTO again SELECT hashed FROM hashes")
        connection.unregister("hashes")
    if landed:
        connection.execute(
            f"INSERT INTO again SELECT DISTINCT {key} FROM read_parquet($files) WHERE {key} IN ({staged})",
            {"files": list(landed)},
        )
    ((rows,),) = connection.execute("SELECT count(*) FROM again").fetchall()
    return int(rows)


def _gather(
    connection: duckdb.DuckDBPyConnection, arrivals: Arrivals, landed: Sequence[str], turn: int, turns: int
) -> None:
    """Put the rows to compare into one table, those that stand first: `turn` is -1, then the place in the landing."""
    table = arrivals.table
    key, columns = _hash(table.key), ", ".join(table.names)
    own = f"{key} IN (SELECT hashed FROM again WHERE hashed % {turns} = {turn})"
    standing = f"SELECT -1 AS turn, {columns} FROM {_landed(table)} WHERE {own} UNION ALL" if landed else ""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE everyone AS {standing}
        SELECT turn, {columns}
        FROM (SELECT rowid AS turn, {arrivals.selected} FROM {arrivals.staged} WHERE broken = 0) WHERE {own}
        """,
        {"files": list(landed)} if landed else None,
    )


def _compare(connection: duckdb.DuckDBPyConnection, arrivals: Arrivals, marks: Marks) -> Iterator[tuple[int, int, int]]:
    """Decide on the gathered rows, mark or delete them; yield source, verdict and how many."""
    table, staged = arrivals.table, arrivals.staged
    if table.versioned and len(set(arrivals.tells)) > 1:
        _fold(connection, arrivals)
    carried = _carry_over(connection, arrivals) if table.versioned else []
    decided = (_later if table.later else _plain)(table, marks) if not table.versioned else _versioned(arrivals, marks)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE repeated AS {decided}")
    if table.name == "customers":
        _warn_of_first_contacts(connection, staged, marks)
    whole = f"to_json(struct_pack(value := repeated.said, whole := {readable(table, table.names)}))::VARCHAR"
    connection.execute(f"""
        UPDATE {staged} SET broken = marked.verdict, warned = marked.warned, said = marked.told
        FROM (SELECT turn, CASE WHEN verdict IN ({_FILLS}, {_NEWER}) THEN 0 ELSE greatest(verdict, {_SKIPPED}) END
                     AS verdict, warned, {whole} AS told
              FROM repeated JOIN everyone USING (turn) WHERE verdict > 0 OR warned > 0) AS marked
        WHERE {staged}.rowid = marked.turn
    """)
    if carried:
        values = ", ".join(f"{name} = everyone.{name}" for name in carried)
        connection.execute(f"""
            UPDATE {staged} SET {values} FROM everyone LEFT JOIN repeated USING (turn)
            WHERE {staged}.rowid = everyone.turn AND coalesce(verdict, {_NEWER}) IN ({_NEWER}, {_FILLS})
        """)
    gone = f"SELECT turn FROM repeated WHERE verdict IN ({_SKIPPED}, {_MORE}) AND warned = 0"
    connection.execute(f"DELETE FROM {staged} WHERE rowid IN ({gone})")
    counts = f"SELECT {arrivals.source} AS source, verdict, count(*) FROM repeated GROUP BY ALL"
    yield from connection.execute(counts).fetchall()


def _fold(connection: duckdb.DuckDBPyConnection, arrivals: Arrivals) -> None:
    """Make one version of what several sources of a landing tell of it: the last takes over what the others told."""
    table = arrivals.table
    told = {name: [one for one, names in enumerate(arrivals.tells) if name in names] for name in table.names}
    version = f"PARTITION BY {', '.join((*table.key, 'occurred_at', 'ingested_at'))}, turn < 0"
    shared = [name for name in table.names if len(told[name]) == len(arrivals.tells)]
    partial = [name for name in table.names if 0 < len(told[name]) < len(arrivals.tells)]
    agree = " AND ".join(["true", *(f"count(DISTINCT {name}) OVER ({version}) <= 1" for name in shared)])
    mine = {name: f"CASE WHEN source IN ({', '.join(map(str, told[name]))}) THEN {name} END" for name in partial}
    taken = ", ".join(f"max({mine[name]}) OVER ({version}) AS {name}" for name in partial)
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE folded AS
        SELECT * REPLACE ({taken}) FROM (
            SELECT *, max(turn) OVER ({version}) AS last, min(source) OVER ({version}) < max(source) OVER ({version})
                   AND {agree} AS folds
            FROM (SELECT *, {arrivals.source} AS source FROM everyone)
        ) WHERE turn >= 0 AND folds
    """)
    values = ", ".join(f"{name} = folded.{name}" for name in partial)
    for target, place in (("everyone", "everyone.turn"), (arrivals.staged, f"{arrivals.staged}.rowid")):
        ours = f"{place} = folded.turn AND folded.turn = folded.last"
        connection.execute(f"UPDATE {target} SET {values} FROM folded WHERE {ours}")
        gone = "SELECT turn FROM folded WHERE turn < last"
        connection.execute(f"DELETE FROM {target} WHERE {place.partition('.')[2]} IN ({gone})")


def _carry_over(connection: duckdb.DuckDBPyConnection, arrivals: Arrivals) -> list[str]:
    """Give each arriving version the values before it of columns that its source does not have.

    Returns
    -------
    list of str
        The columns in which the staged rows have to follow; those that no source has are added to the staged table.
    """
    table = arrivals.table
    told = {name: [one for one, names in enumerate(arrivals.tells) if name in names] for name in table.names}
    partial = [name for name in table.names if len(told[name]) < len(arrivals.tells) and name != "ingested_at"]
    if not partial:
        return []
    before = f"PARTITION BY {', '.join(table.key)} ORDER BY ingested_at, turn"

    time_of = {name: time for time, dated in table.later.items() for name in dated}

    def says(name: str) -> str:
        return " OR ".join(["turn < 0", *(f"{arrivals.source} = {one}" for one in told[name])])

    def carried(name: str) -> str:
        value = f"CASE WHEN {says(name)} THEN struct_pack(v := {name}) END"
        taken = f"(last_value({value} IGNORE NULLS) OVER ({before} ROWS UNBOUNDED PRECEDING)).v"
        time = time_of.get(name, name)
        if time != name:  # why a contract ended is no more known once it has not
            taken = f"CASE WHEN NOT (({says(time)}) AND {time} IS NULL) THEN {taken} END"
        return f"{taken} AS {name}"

    replaced = ", ".join(carried(name) for name in partial)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE everyone AS SELECT * REPLACE ({replaced}) FROM everyone")
    counts = ", ".join(f"count({name})" for name in partial)
    (filled,) = connection.execute(f"SELECT {counts} FROM everyone WHERE turn >= 0").fetchall()
    kinds = {name: kind for name, kind, *_ in connection.execute("DESCRIBE everyone").fetchall()}
    follow = [name for name, count in zip(partial, filled, strict=True) if count]
    for name in follow:
        connection.execute(f"ALTER TABLE {arrivals.staged} ADD COLUMN IF NOT EXISTS {name} {kinds[name]}")
    return follow


def _warn_of_first_contacts(connection: duckdb.DuckDBPyConnection, staged: str, marks: Marks) -> None:
    """Warn where one landing brings a customer with several first contacts; the latest of them would count."""
    first = "min(occurred_at) OVER (PARTITION BY customer_id)"
    days = "strftime(make_timestamp({}), '%Y-%m-%d %H:%M:%S')"
    both = f"{days.format('seen.earliest')} || ' → ' || {days.format('seen.occurred_at')}"
    connection.execute(f"""
        UPDATE {staged} SET warned = {marks.first_contact},
               said = to_json(struct_pack(value := {both}, whole := struct_pack(customer_id := customer_id)))::VARCHAR
        FROM (SELECT turn, occurred_at, {first} AS earliest FROM everyone WHERE turn >= 0) AS seen
        WHERE {staged}.rowid = seen.turn AND seen.occurred_at > seen.earliest AND broken = 0 AND warned = 0
    """)


def _plain(table: Table, marks: Marks) -> str:
    """Compare each row with the first of its key."""
    content = [name for name in table.names if name != "ingested_at"]
    first = "first_value({0}) OVER earliest"
    return f"""
        SELECT turn, CASE WHEN differing = [] THEN CASE WHEN more THEN {_MORE} ELSE {_SKIPPED} END
                          WHEN stands THEN {marks.stands} ELSE {marks.twice} END AS verdict,
               0 AS warned, {_said(table, "differing")} AS said
        FROM (SELECT *, {_contradicting(table, content, first)} AS differing, {_telling_more(content, first)} AS more,
                     first_value(turn) OVER earliest < 0 AS stands, row_number() OVER earliest AS place
              FROM everyone WINDOW earliest AS (PARTITION BY {", ".join(table.key)} ORDER BY turn))
        WHERE place > 1 AND turn >= 0
    """


def _later(table: Table, marks: Marks) -> str:
    """Compare what was known at once with the first row, and each later fact with the first one told.

    A later fact that is missing says nothing: an older export of the same row is no conflict. Of what may change
    without being another row, the first telling stays, and the change is warned of.
    """
    at_once = ["customer_id", "occurred_at", *table.first_facts]
    may_change = [name for name in at_once if table.column(name).may_change]
    facts = [name for dated in table.later.values() for name in dated]
    order = f"PARTITION BY {', '.join(table.key)} ORDER BY turn < 0 DESC, ingested_at, turn"
    first = "first_value({0}) OVER first_row"
    before = f"first_value({{0}} IGNORE NULLS) OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    # what contradicts the rows that stand is out first, so that no other row is measured by it
    stood = before.replace("{0}", "CASE WHEN turn < 0 THEN {0} END")
    columns = f"turn, place, {', '.join(table.names)}, changed, more"
    kept = [name for name in at_once if name not in may_change]
    return f"""
        WITH same AS (
            SELECT *, {_contradicting(table, kept, first)} AS differing,
                   {_contradicting(table, may_change, first)} AS changed,
                   {_telling_more(at_once, first)} AS more, first_value(turn) OVER first_row < 0 AS stands,
                   row_number() OVER first_row AS place
            FROM everyone WINDOW first_row AS ({order})
        ),
        faced AS (SELECT {columns}, {_contradicting(table, facts, stood)} AS differing FROM same WHERE differing = []),
        told AS (SELECT {columns}, {_contradicting(table, facts, before)} AS differing FROM faced WHERE differing = []),
        kept AS (SELECT {columns}, {_telling_more(facts, before)} AS fills FROM told WHERE differing = [])
        SELECT turn, CASE WHEN fills THEN {_FILLS} WHEN more AND changed = [] THEN {_MORE} ELSE {_SKIPPED} END
               AS verdict, CASE WHEN changed = [] THEN 0 ELSE {marks.changed} END AS warned,
               {_said(table, "changed")} AS said
        FROM kept WHERE place > 1 AND turn >= 0
        UNION ALL SELECT turn, CASE WHEN stands THEN {marks.stands} ELSE {marks.twice} END, 0,
               {_said(table, "differing")} FROM same WHERE differing <> [] AND turn >= 0
        UNION ALL SELECT turn, {marks.stands}, 0, {_said(table, "differing")}
        FROM faced WHERE differing <> [] AND turn >= 0
        UNION ALL SELECT turn, {marks.twice}, 0, {_said(table, "differing")}
        FROM told WHERE differing <> [] AND turn >= 0
    """


def _versioned(arrivals: Arrivals, marks: Marks) -> str:
    """Compare each row with the version before it.

    A version is named by its key, `occurred_at` and `ingested_at`. Rows that share all three must agree, but for later
    facts that they fill in; and one that says, as far as its source tells, what the version learned before it says,
    adds nothing. Another `occurred_at` of what stands already is a newer version as well.
    """
    table = arrivals.table
    facts = [name for dated in table.later.values() for name in dated]
    others = [name for name in table.names if name not in {"ingested_at", *facts}]
    key = f"PARTITION BY {', '.join((*table.key, 'occurred_at'))}"
    order = f"({key}, ingested_at ORDER BY turn < 0 DESC, turn)"
    first = f"first_value({{0}}) OVER {order}"
    before = f"first_value({{0}} IGNORE NULLS) OVER {order[:-1]} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    told = set().union(*arrivals.tells)  # what was carried over into a column that nobody has tells nothing
    earlier = _listed(
        f"CASE WHEN {name} IS DISTINCT FROM lag({name}) OVER earlier THEN '{name}' END"
        for name in (*others, *facts)
        if name in told
    )
    conflict = f"CASE WHEN stands THEN {marks.stands} ELSE {marks.twice} END"
    return f"""
        WITH together AS (
            SELECT *, {_contradicting(table, others, first)} AS apart, {_telling_more(others, first)} AS more,
                   first_value(turn) OVER {order} < 0 AS stands, row_number() OVER {order} AS place,
                   min(turn) OVER (PARTITION BY {", ".join(table.key)}) < 0 AS known
            FROM everyone
        ),
        agreeing AS (
            SELECT *, {_contradicting(table, facts, before)} AS changed, {_telling_more(facts, before)} AS fills
            FROM together WHERE apart = []
        ),
        compared AS (
            SELECT turn, {earlier} AS differing, row_number() OVER earlier AS version, known
            FROM together WHERE place = 1 WINDOW earlier AS ({key} ORDER BY ingested_at)
        )
        SELECT turn, CASE WHEN version > 1 AND differing = [] THEN {_SKIPPED} ELSE {_NEWER} END AS verdict,
               0 AS warned, NULL AS said
        FROM compared WHERE (version > 1 OR known) AND turn >= 0
        UNION ALL SELECT turn, CASE WHEN changed <> [] THEN {conflict} WHEN fills THEN {_FILLS}
            WHEN more THEN {_MORE} ELSE {_SKIPPED} END, 0, {_said(table, "changed")}
        FROM agreeing WHERE place > 1 AND turn >= 0
        UNION ALL SELECT turn, {conflict}, 0, {_said(table, "apart")} FROM together WHERE apart <> [] AND turn >= 0
    """


def _contradicting(table: Table, names: Sequence[str], other: str) -> str:
    """Return SQL for the list of what another row tells otherwise, with both; what is missing contradicts nothing."""

    def told(name: str) -> str:
        before = other.format(name)
        says = f"'{name} (' || {_written(table, name, before)} || ', now ' || {_written(table, name, name)} || ')'"
        return f"CASE WHEN {name} IS NOT NULL AND {before} IS NOT NULL AND {name} <> {before} THEN {says} END"

    return _listed(map(told, names))


def _listed(texts: Iterable[str]) -> str:
    return f"list_filter([{', '.join(['NULL::VARCHAR', *texts])}], lambda name: name IS NOT NULL)"


def _written(table: Table, name: str, value: str) -> str:
    """Return SQL for a value of a column as a person would write it."""
    kinds = {
        "instant": "strftime(make_timestamp({0}), '%Y-%m-%d %H:%M:%SZ')",
        "money": f"({{0}} / {MONEY_SCALE})::VARCHAR",
    }
    return kinds.get(table.column(name).kind, "{0}::VARCHAR").format(value)


def _telling_more(names: Sequence[str], other: str) -> str:
    """Return SQL that is true where a row tells a value that another leaves empty."""
    return " OR ".join(["false", *(f"({name} IS NOT NULL AND {other.format(name)} IS NULL)" for name in names)])


def _said(table: Table, differing: str) -> str:
    """Return SQL for what a conflict is about: the key, and what differs."""
    key = ", ".join(_written(table, name, name) for name in table.key)
    return f"concat_ws(', ', {key}) || ' differs in ' || array_to_string({differing}, ', ')"


def readable(table: Table, columns: Sequence[str]) -> str:
    """Return SQL for some columns of a typed row as a person would write them, for the quarantine."""
    shown = {"instant": "strftime(make_timestamp({0}), '%Y-%m-%d %H:%M:%S.%fZ')", "money": f"({{0}} / {MONEY_SCALE})"}
    kinds = {name: table.column(name).kind for name in columns}
    values = (f"{name} := {shown.get(kind, '{0}').format(name)}" for name, kind in kinds.items())
    return f"struct_pack({', '.join(values)})"
