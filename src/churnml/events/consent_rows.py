"""How rows of `consents` are read: no refusal is lost for the way it is written, and what was overlooked is said."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from churnml.events.checking import Checked
from churnml.events.reading import Reading
from churnml.events.rules import Rule
from churnml.events.values import read_name, their_name

# of an id only the blanks that no id of `customers` may have at its ends: others may belong to it
_STRIPPED = r"regexp_replace({}, '^\s+|\s+$', '', 'g')"
_PLAIN = r"lower(regexp_replace({}, '^[\s\p{{Z}}]+|[\s\p{{Z}}]+$', '', 'g'))"
_IN_SMALL_LETTERS = ("is read in small letters and without blanks at its ends", "write it so in the export")
_LENIENT = {
    "customer_id": (_STRIPPED, "is read without the blanks at its ends", "strip it in the export"),
    "purpose": (_PLAIN, *_IN_SMALL_LETTERS),
    "channel": (_PLAIN, *_IN_SMALL_LETTERS),
}
_UNDATED = ("is no date that has come: what is refused holds from its landing on", "correct it in the export")


def read_leniently(reading: Reading) -> None:
    """Have ids read without blanks at their ends, purposes and channels in small letters as well, with a warning."""
    for name, (how, rule, remedy) in _LENIENT.items():
        if name not in reading.typed:
            continue
        reading.typed[name] = f"nullif({how.format(reading.typed[name])}, '')"
        written, read = f"coalesce({their_name(name)}::VARCHAR, '')", read_name(name)
        reading.warnings.append(Rule(name, f"{written} <> coalesce({read}, '')", rule, remedy))
        if name != "channel":
            reading.rules.append(Rule(name, f"{read} IS NULL", "must be filled", "fill it in"))


def hold_undated(connection: duckdb.DuckDBPyConnection, checked: Checked, landed: Sequence[str], now: int) -> None:
    """Let staged refusals whose date cannot be read, or lies ahead, be said at their landing, with a warning.

    An export repeats its rows every day: who stands as refusing the same already, does not refuse again.

    Parameters
    ----------
    landed : sequence of str
        The Parquet files of consents that count already.
    now : int
        The landing time, microseconds UTC.
    """
    for column in [one.name for one in checked.table.columns if one.kind == "instant" and one.name in checked.columns]:
        broken = [number for number, rule in enumerate(checked.rules, 1) if rule.column == column]
        checked.rules.append(Rule(column, "", *_UNDATED))
        connection.execute(
            f"""
            UPDATE {checked.name} SET {column} = $now, broken = 0, warned = $number
            WHERE list_contains($broken, broken) AND NOT granted AND customer_id IS NOT NULL
              AND purpose IN ('marketing', 'profiling')
            """,
            {"now": now, "number": len(checked.rules), "broken": broken},
        )
        if landed:
            _skip_standing(connection, checked, landed, len(checked.rules))


def _skip_standing(connection: duckdb.DuckDBPyConnection, checked: Checked, landed: Sequence[str], number: int) -> None:
    channel = "channel" if "channel" in checked.columns else "NULL"
    connection.execute(
        f"""
        UPDATE {checked.name} SET broken = -1
        WHERE warned = $number AND (customer_id, purpose, coalesce({channel}, '')) IN (
            SELECT (customer_id, purpose, coalesce(channel, '')) FROM read_parquet($files)
            GROUP BY customer_id, purpose, coalesce(channel, '')
            HAVING NOT arg_max(granted, (occurred_at, NOT granted))
        )
        """,
        {"number": number, "files": list(landed)},
    )
