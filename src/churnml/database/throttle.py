"""Login throttling: who guesses passwords has to wait, longer each time, by name and by address.

A failure is counted before the password is looked at, so that many guesses at once count as many. Names that nobody
has are counted as those that somebody has. Names and addresses are kept as hashes.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from churnml.database.audit import hold
from churnml.database.tables_access import login_failures
from churnml.database.tokens import digest_of

NAME_TRIES, ADDRESS_TRIES = 5, 30
"""Failures without a wait, of one name and from one address."""
_SECOND = 1_000_000
_FIRST_WAIT = 10 * _SECOND
_LONGEST_WAIT = 900 * _SECOND
_FORGOTTEN_AFTER = 3_600 * _SECOND


def try_login(connection: Connection, name: str | None, address: str, *, now: int) -> int:
    """Count an attempt as failed until `forgive` says otherwise, and return how many seconds it must wait; 0 for none.

    Where no name is given yet, since another server asks for it, the address alone counts.

    One that must wait is not counted: who waits as told gets in, and nobody is locked out for good by others.
    """
    hold(connection)
    subjects = {_subject("address", address): ADDRESS_TRIES}
    if name is not None:
        subjects[_subject("name", name)] = NAME_TRIES
    known = connection.execute(select(login_failures).where(login_failures.c.subject.in_(subjects))).mappings().all()
    wait = max((row["blocked_until"] - now for row in known), default=0)
    if wait > 0:
        return -(-wait // _SECOND)
    connection.execute(delete(login_failures).where(login_failures.c.failed_at < now - _FORGOTTEN_AFTER))
    counted = {row["subject"]: row["failures"] for row in known if row["failed_at"] >= now - _FORGOTTEN_AFTER}
    for subject, tries in subjects.items():
        failures = counted.get(subject, 0) + 1
        values = {"failures": failures, "failed_at": now, "blocked_until": now + _wait(failures - tries)}
        if subject in counted:
            connection.execute(update(login_failures).where(login_failures.c.subject == subject).values(values))
        else:
            connection.execute(insert(login_failures), values | {"subject": subject})
    return 0


def forgive(connection: Connection, name: str | None, address: str) -> None:
    """Take back what `try_login` counted of an attempt that got in, and every failure of its name."""
    if name is not None:
        connection.execute(delete(login_failures).where(login_failures.c.subject == _subject("name", name)))
    of_address = login_failures.c.subject == _subject("address", address)
    less = {"failures": login_failures.c.failures - 1, "blocked_until": 0}
    connection.execute(update(login_failures).where(of_address).values(less))


def _wait(beyond: int) -> int:
    """Return how long to wait after so many failures beyond those that are free: doubled each time, up to 15 min."""
    return 0 if beyond < 0 else int(min(_FIRST_WAIT * 2 ** min(beyond, 10), _LONGEST_WAIT))


def _subject(kind: str, value: str) -> str:
    return f"{kind}:{digest_of(value)}"
