"""The catalogue: which batches count, what ran on them, and which model is champion."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Engine,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    union,
    update,
)

from churnml.database.consents import pending_refusals, pending_withdrawals, withdraw_actions
from churnml.database.dialect import insert_or_ignore, insert_or_update, is_server, take_turn
from churnml.database.forgetting import forget_erased_of_run, forget_rows
from churnml.database.outbox import announce_run, moved_bands, post, withhold
from churnml.database.outbox import forget as forget_messages
from churnml.database.records import blank
from churnml.database.releases import blank_choices, withdraw
from churnml.database.tables import aliases, assignments, batches, moves, parts, records, refusals, runs, sources
from churnml.database.tables_arrivals import replaced
from churnml.database.tables_push import message_customers
from churnml.database.tombstones import erased_among
from churnml.errors import DependencyError

Json = dict[str, Any]  # Any: JSON bodies are shaped by their writers


@dataclass(frozen=True)
class Part:
    """The rows that one batch brought to one table: a Parquet file, sorted by bucket, customer and time."""

    batch_id: int
    table_name: str
    path: str
    rows: int
    first_at: int
    last_at: int
    max_delay: int
    digest: str


@dataclass(frozen=True)
class Run:
    """One execution of a verb: what it depended on, what it made, and how it ended."""

    run_id: str
    verb: str
    state: str
    inputs: str
    bundle: str | None
    started_at: int
    finished_at: int | None
    summary: Json


_CHAMPION = "champion"
_RUN = tuple(runs.c[one.name] for one in fields(Run))


@dataclass(frozen=True)
class Move:
    """An alias that was pointed at a bundle, or that went `back` to one, when and why."""

    name: str
    bundle: str
    back: bool
    why: str
    moved_at: int


class Catalogue:
    """Reads and writes the catalogue; each method is one transaction.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        From `open_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def next_batch_id(self) -> int:
        """Return the number the next batch will bear; call it under the workspace's ingest lock."""
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.coalesce(func.max(batches.c.batch_id), 0))).scalar_one()) + 1

    def land(
        self,
        batch_id: int,
        landed_at: int,
        new_parts: list[Part],
        report: Json,
        seen: list[str],
        refusing: Mapping[str, bool] | None = None,
    ) -> None:
        """Make a batch count: its parts, its report and the digests of the files it came from, all at once.

        Parameters
        ----------
        refusing : mapping of str to bool, optional
            Who refuses to be profiled from now on, and who no longer does; what was scored of the former is blanked.
        """
        with self.engine.begin() as connection:
            take_turn(connection)
            connection.execute(insert(batches), {"batch_id": batch_id, "landed_at": landed_at, "report": report})
            for part in new_parts:
                connection.execute(insert(parts), vars(part))
            insert_or_ignore(connection, sources, [{"digest": digest, "batch_id": batch_id} for digest in seen])
            _acknowledge(connection, batch_id, refusing or {})

    def refusing(self) -> frozenset[str]:
        """Return the customers who refuse to be profiled, whether their word has landed or was told to the service."""
        with self.engine.connect() as connection:
            return frozenset(str(customer) for customer in connection.execute(_refusing()).scalars())

    def refuses(self, customer_id: str) -> bool:
        """Tell whether one customer refuses to be profiled."""
        theirs = _refusing().subquery()
        query = select(theirs.c.customer_id).where(theirs.c.customer_id == customer_id)
        with self.engine.connect() as connection:
            return connection.execute(query).first() is not None

    def erased_among(self, customer_ids: Collection[str]) -> frozenset[str]:
        """Return which of some customers were erased; see `tombstones.erased_among`."""
        with self.engine.connect() as connection:
            return erased_among(connection, customer_ids)

    def withdrawn(self) -> dict[str, frozenset[str]]:
        """Return who told the service not to approach them by a channel, in small letters, before that has landed.

        Under the empty name stand those who are not to be approached at all.
        """
        with self.engine.connect() as connection:
            found = pending_withdrawals(connection)
        channels = {one.channel for one in found}
        return {channel: frozenset(one.customer_id for one in found if one.channel == channel) for channel in channels}

    def landed_at(self) -> dict[int, int]:
        """Return when each batch landed, microseconds UTC."""
        with self.engine.connect() as connection:
            return {
                row.batch_id: row.landed_at
                for row in connection.execute(select(batches.c.batch_id, batches.c.landed_at))
            }

    def reports(self, before: int | None = None) -> dict[int, Json]:
        """Return the report of each batch, or of those that landed before an instant, microseconds UTC."""
        query = select(batches.c.batch_id, batches.c.report)
        if before is not None:
            query = query.where(batches.c.landed_at < before)
        with self.engine.connect() as connection:
            return {row.batch_id: row.report for row in connection.execute(query)}

    def rewrite(
        self,
        new_parts: Mapping[str, Part | None],
        new_reports: Mapping[int, Json],
        forgotten: Collection[str] = (),
    ) -> dict[str, int]:
        """Change what has landed, all at once, and return how many rows of the database went with the forgotten.

        Parameters
        ----------
        new_parts : mapping of str to Part or None
            What takes the place of the parts at these paths; None where no row is left.
        new_reports : mapping of int to dict
            What takes the place of the reports of these batches.
        forgotten : collection of str
            The customers whose decision records, assignments, outcomes, refusals and cases go, and the key by which
            the audit log names them.
        """
        with self.engine.begin() as connection:
            take_turn(connection)
            gone = forget_rows(connection, forgotten)
            for path, part in new_parts.items():
                if part is None:
                    connection.execute(delete(parts).where(parts.c.path == path))
                else:
                    connection.execute(update(parts).where(parts.c.path == path).values(**vars(part)))
            for batch_id, report in new_reports.items():
                connection.execute(update(batches).where(batches.c.batch_id == batch_id).values(report=report))
        return gone

    def settle(self, only: str | None = None) -> None:
        """Leave nothing in the files of the database but what counts: no deleted row, no copy of one, no log.

        Overwriting what is deleted is not enough, for SQLite leaves copies of a row where it stood before a page was
        split. So the whole file is written anew: 5 s for a million records. PostgreSQL writes every table anew; its own
        log and backups are the server's to keep, see docs/operations.md.

        Parameters
        ----------
        only : str, optional
            The one table that anything was deleted from: PostgreSQL then locks no other.

        Raises
        ------
        DependencyError
            If others read or write for longer than we wait.
        """
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if is_server(connection):
                connection.execute(text(f'VACUUM FULL "{only}"' if only else "VACUUM FULL"))
                return
            connection.execute(text("VACUUM"))
            in_use, _, _ = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()
        if in_use:
            raise DependencyError(
                "the log of the workspace's database must be free to be emptied, found another process that reads it; "
                "let that process end, then do the same again"
            )

    def knows_source(self, digest: str) -> bool:
        """Tell whether a file with this digest has landed before."""
        with self.engine.connect() as connection:
            return connection.execute(select(sources.c.digest).where(sources.c.digest == digest)).first() is not None

    def parts(self, table_name: str | None = None) -> list[Part]:
        """Return the parts that count, in order of landing; of one table or of all."""
        query = select(parts).order_by(parts.c.table_name, parts.c.batch_id)
        if table_name is not None:
            query = query.where(parts.c.table_name == table_name)
        with self.engine.connect() as connection:
            return [Part(**row) for row in connection.execute(query).mappings()]

    def report(self) -> Json | None:
        """Return the report of the latest batch, or None before the first."""
        query = select(batches.c.report).order_by(batches.c.batch_id.desc()).limit(1)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar()

    def start(self, verb: str, inputs: str, now: int) -> str:
        """Enter a run as running and return its id."""
        run_id = uuid.uuid4().hex
        row = {"run_id": run_id, "verb": verb, "state": "running", "inputs": inputs, "started_at": now, "summary": {}}
        with self.engine.begin() as connection:
            connection.execute(insert(runs), row)
        return run_id

    def finish(self, run_id: str, now: int, summary: Json, *, bundle: str | None = None, ok: bool = True) -> None:
        """Close a run; what it wrote is visible from here on, and only if `ok`.

        A run knows who refused when it began, and may take hours; who has refused since is blanked before anyone looks.
        Likewise an action by a channel on which its customer has said since not to be approached is not shown. What one
        that failed had assigned is withdrawn.
        """
        change = {"state": "done" if ok else "failed", "finished_at": now, "summary": summary, "bundle": bundle}
        written = records.c.run_id == run_id
        with self.engine.connect() as connection:
            moved = moved_bands(connection, run_id) if ok else []
        with self.engine.begin() as connection:
            # the turn, or in SQLite the first statement: no refusal comes between those that follow
            take_turn(connection)
            connection.execute(update(runs).where(runs.c.run_id == run_id).values(**change))
            if ok:
                refusing = _refusing()
                blank(connection, written & records.c.customer_id.in_(refusing))
                blank_choices(connection, (assignments.c.run_id == run_id) & assignments.c.customer_id.in_(refusing))
                erased = forget_erased_of_run(connection, run_id)
                began = connection.execute(select(runs.c.started_at).where(runs.c.run_id == run_id)).scalar_one()
                withdraw_actions(connection, pending_withdrawals(connection, since=began))
                announce_run(connection, run_id, summary, moved, at=now)
                withhold(connection, message_customers.c.customer_id.in_(refusing))
                for customer in erased:
                    forget_messages(connection, customer)
            else:
                withdraw(connection, assignments.c.run_id == run_id)
                connection.execute(delete(records).where(written))

    def running(self) -> list[Run]:
        """Return the runs that have neither finished nor failed, whether or not their process is alive."""
        with self.engine.connect() as connection:
            found = connection.execute(select(*_RUN).where(runs.c.state == "running")).mappings()
            return [Run(**row) for row in found]

    def interrupt(self, run_id: str, now: int) -> int:
        """Mark a run whose process is gone as failed, and return how many records it had written; they go.

        So does what it had assigned, and what was reserved for that is free again.
        One that got to its end since it was looked for stays as it is.
        """
        still = (runs.c.run_id == run_id) & (runs.c.state == "running")
        with self.engine.begin() as connection:
            take_turn(connection)
            if not connection.execute(update(runs).where(still).values(state="failed", finished_at=now)).rowcount:
                return 0
            withdraw(connection, assignments.c.run_id == run_id)
            return connection.execute(delete(records).where(records.c.run_id == run_id)).rowcount

    def last_run(self, verb: str, inputs: str | None = None) -> Run | None:
        """Return the latest finished run of a verb, optionally one made from exactly these inputs."""
        query = select(*_RUN).where(runs.c.verb == verb, runs.c.state == "done")
        if inputs is not None:
            query = query.where(runs.c.inputs == inputs)
        with self.engine.connect() as connection:
            row = connection.execute(query.order_by(runs.c.finished_at.desc()).limit(1)).mappings().first()
        return Run(**row) if row else None

    def runs(self, verb: str) -> list[Run]:
        """Return the finished runs of a verb, the latest first."""
        query = select(*_RUN).where(runs.c.verb == verb, runs.c.state == "done").order_by(runs.c.finished_at.desc())
        with self.engine.connect() as connection:
            return [Run(**row) for row in connection.execute(query).mappings()]

    def finished(self, verbs: Iterable[str]) -> set[str]:
        """Return those of some verbs of which a run has finished."""
        query = select(runs.c.verb).where(runs.c.verb.in_(list(verbs)), runs.c.state == "done").distinct()
        with self.engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def move_alias(self, name: str, bundle: str, now: int, why: str = "trained", *, back: bool = False) -> None:
        """Point an alias such as `champion` at a bundle, and remember that it moved; at the same bundle it stays.

        Parameters
        ----------
        back : bool, default False
            Whether it goes back to what it pointed at before: what it left is forgotten as a way back.
        """
        row = {"name": name, "bundle": bundle, "moved_at": now}
        pointing = (aliases.c.name == name) & (aliases.c.bundle == bundle)
        with self.engine.begin() as connection:
            take_turn(connection)
            connection.execute(update(aliases).where(pointing).values(name=name))  # takes the database for writing
            if connection.execute(select(aliases.c.name).where(pointing)).first() is not None:
                return
            before = connection.execute(select(aliases.c.bundle).where(aliases.c.name == name)).scalar()
            insert_or_update(connection, aliases, [row], ["name"], ["bundle", "moved_at"])
            connection.execute(insert(moves), {**row, "back": back, "why": why})
            if name == _CHAMPION:
                told = {"model_version": bundle, "before": before, "back": back}
                post(connection, "model.promoted", told, at=now)

    def moves(self, name: str) -> list[Move]:
        """Return how an alias moved, the first move first."""
        query = select(moves).where(moves.c.name == name).order_by(moves.c.move_id)
        with self.engine.connect() as connection:
            return [
                Move(row.name, row.bundle, row.back, row.why, row.moved_at) for row in connection.execute(query).all()
            ]

    def before(self, name: str) -> str | None:
        """Return the bundle that an alias pointed at before the one it points at now, or None."""
        standing: list[str] = []
        for move in self.moves(name):
            if move.back:
                standing.pop()
            else:
                standing.append(move.bundle)
        return standing[-2] if len(standing) > 1 else None

    def bundles(self) -> set[str]:
        """Return every bundle that a run made or used, or that an alias points at or pointed at."""
        with self.engine.connect() as connection:
            named = [select(table.c.bundle).distinct() for table in (runs, aliases, moves)]
            return {one for query in named for one in connection.execute(query).scalars() if one}

    def alias(self, name: str) -> str | None:
        """Return the bundle an alias points at, or None."""
        with self.engine.connect() as connection:
            return connection.execute(select(aliases.c.bundle).where(aliases.c.name == name)).scalar()


def _refusing() -> CompoundSelect[tuple[str]]:
    return union(select(refusals.c.customer_id), pending_refusals())


def _acknowledge(connection: Connection, batch_id: int, refusing: Mapping[str, bool]) -> None:
    """Keep who refuses from this landing on, blank what was scored of them, and let go of who no longer does.

    Who refused before this landing is left alone: they are blank already, however often an export repeats it.
    """
    again = [{"taken_back": customer} for customer, refuses in refusing.items() if not refuses]
    from_now = [{"customer_id": customer, "batch_id": batch_id} for customer, refuses in refusing.items() if refuses]
    if again:
        connection.execute(delete(refusals).where(refusals.c.customer_id == bindparam("taken_back")), again)
    if from_now:
        insert_or_ignore(connection, refusals, from_now)
        new = select(refusals.c.customer_id).where(refusals.c.batch_id == batch_id)
        blank(connection, records.c.customer_id.in_(new))
        connection.execute(delete(replaced).where(replaced.c.customer_id.in_(new)))
        blank_choices(connection, assignments.c.customer_id.in_(new))
        withhold(connection, message_customers.c.customer_id.in_(new))


def relative(path: Path, root: Path) -> str:
    """Return `path` as the catalogue keeps it, so that a workspace can be moved."""
    return path.relative_to(root).as_posix()
