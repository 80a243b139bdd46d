"""The SQL tables of access: keys, people and their sessions, login links and failures, and the audit log.

Of a key, a session and a login link only the SHA-256 is kept: whoever reads the database cannot use them. The audit
log is appended to; triggers in both databases refuse to change or remove an entry.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    event,
    text,
)

from churnml.database.tables import metadata

keys = Table(
    "keys",
    metadata,
    Column("key_id", String(16), primary_key=True, comment="the readable part of the key"),
    Column("name", String(64), nullable=False, comment="who uses it; the old and the new of a rotation share it"),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the whole key"),
    Column("scopes", String(64), nullable=False, comment="apart by blanks"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("last_used", Integer, comment="day counted from 1970, UTC"),
    Column("family", String(16), comment="the first key of its rotations, itself where empty"),
)

people = Table(
    "people",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False, comment="agent, analyst or admin"),
    Column("password", String(256), nullable=False, comment="argon2id, with its parameters and salt"),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False, comment="when the password was set"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of the cookie"),
    Column("person", ForeignKey("people.name"), comment="empty: whoever opened the login link on this machine"),
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False, comment="by the minute"),
    Column("expires_at", BigInteger, nullable=False),
    Index("sessions_by_person", "person"),
)

login_links = Table(
    "login_links",
    metadata,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of the link's token"),
    Column("expires_at", BigInteger, nullable=False),
)

login_failures = Table(
    "login_failures",
    metadata,
    Column("subject", String(72), primary_key=True, comment="`name:` or `address:` and a SHA-256"),
    Column("failures", Integer, nullable=False),
    Column("failed_at", BigInteger, nullable=False),
    Column("blocked_until", BigInteger, nullable=False),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="1, 2, 3 … without a gap"),
    Column("at", BigInteger, nullable=False, comment="microseconds UTC"),
    Column("kind", String(16), nullable=False, comment="key, person, local or command"),
    Column("name", String(128), nullable=False, comment="who did it"),
    Column("what", String(64), nullable=False, comment="such as `key.created`"),
    Column("about", Text, nullable=False, comment="canonical JSON; a customer stands in it by a pseudonym"),
    Column("previous", String(64), nullable=False, comment="hash of the entry before"),
    Column("hash", String(64), nullable=False, comment="SHA-256 of this entry, `previous` included"),
    Index("audit_entries_by_what", "what", "number"),  # when something was done last: a backup
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("number", BigInteger, nullable=False, comment="of the latest entry; the one row, and the lock of writers"),
    Column("hash", String(64), nullable=False),
)

audit_pseudonyms = Table(
    "audit_pseudonyms",
    metadata,
    Column("customer_id", String(256), primary_key=True),
    Column("key", String(64), nullable=False, comment="random; once it is gone, nobody can tell whom entries name"),
)

ACCESS_TABLES = (
    keys, people, sessions, login_links, login_failures, audit_entries, audit_head, audit_pseudonyms,
)  # fmt: skip
"""In the order in which they can be made."""

_NEVER = "the audit log is appended to, never changed"
_SQLITE = {
    "update": "BEFORE UPDATE ON audit_entries",
    "delete": "BEFORE DELETE ON audit_entries",
    # INSERT OR REPLACE deletes without telling the trigger above
    "replace": "BEFORE INSERT ON audit_entries WHEN EXISTS (SELECT 1 FROM audit_entries WHERE number = NEW.number)",
}
_POSTGRES = {
    "change": "BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW",
    "truncate": "BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT",
}
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION audit_entries_stay() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_NEVER}'; END $$"
)


def _on(dialect: str, statement: str, when: str = "after_create") -> None:
    event.listen(audit_entries, when, DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]  # theirs


for _name, _when in _SQLITE.items():
    _on("sqlite", f"CREATE TRIGGER audit_no_{_name} {_when} BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END")
_on("postgresql", _FUNCTION)
for _name, _when in _POSTGRES.items():
    _on("postgresql", f"CREATE TRIGGER audit_no_{_name} {_when} EXECUTE FUNCTION audit_entries_stay()")
_on("postgresql", "DROP FUNCTION IF EXISTS audit_entries_stay()", "after_drop")


def let_log_be_replaced(connection: Connection) -> None:
    """Make room for a whole log that was kept elsewhere, within the transaction that brings it; for restoring alone.

    The head that the migration put goes, and in PostgreSQL, until `keep_log_again`, the triggers rest: a whole database
    that takes the place of another takes its log with it. SQLite replaces its file, or begins with a new one.
    """
    connection.execute(delete(audit_head))
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER USER"))


def keep_log_again(connection: Connection) -> None:
    """Have the triggers refuse again, in the same transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE audit_entries ENABLE TRIGGER USER"))
