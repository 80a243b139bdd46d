"""Turns of SQL that several presets use."""

from __future__ import annotations


def hashed(address: str) -> str:
    """Return SQL for the name of a customer of whom only an e-mail address is known: the MD5 of its small letters."""
    return f"md5(lower(trim({address})))"


def not_an_address(identity: str) -> str:
    """Return SQL for an id that becomes a hash where it is an e-mail address."""
    return f"CASE WHEN contains({identity}, '@') THEN {hashed(identity)} ELSE {identity} END"


def instant(text: str) -> str:
    """Return SQL for the instant a text tells, in the source's zone where it bears no offset; NULL if it tells none."""
    return (
        rf"(CASE WHEN regexp_matches({text}, '(Z|[+-]\d\d:?\d\d)$') THEN try_cast({text} AS TIMESTAMPTZ) "
        f"ELSE try_cast({text} AS TIMESTAMP) AT TIME ZONE (SELECT time_zone FROM settings) END)"
    )


def written(moment: str) -> str:
    """Return SQL for an instant as ISO 8601 text in UTC."""
    return f"strftime(({moment}) AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')"


def counted(what: str, rows: str) -> str:
    """Return SQL for a note that counts rows, and says nothing where there are none.

    Parameters
    ----------
    what : str
        What they are, such as ``orders left out``.
    rows : str
        SQL from the word FROM on.
    """
    return f"SELECT '{what}: ' || format('{{:,}}', count(*)) AS note {rows} HAVING count(*) > 0"
