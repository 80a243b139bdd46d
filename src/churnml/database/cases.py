"""Cases: what a team does about one customer, whoever of them holds it, and how that came about.

A case is of a customer, not of a run: a new list does not end it. Who claims a case compares and sets in one
transaction, so that two never hold the same customer. Every function works within the transaction of its caller.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from churnml.database.tables import assignments, records
from churnml.database.tables_cases import case_changes, case_notes, cases
from churnml.errors import NotFoundError, StaleError, TakenError, UsageError

Status = Literal["open", "claimed", "waiting", "done", "dropped"]
CallResult = Literal["reached", "no_answer", "refused", "accepted", "wrong_number", "do_not_call"]
STATUSES: tuple[Status, ...] = get_args(Status)
CALL_RESULTS: tuple[CallResult, ...] = get_args(CallResult)
NO_DAY = date(9999, 12, 31)
"""When a case is due that has no day."""
_CHUNK = 500
_AT_REST = frozenset({"open", "done", "dropped"})


@dataclass(frozen=True)
class Case:
    """A case as it stands.

    Parameters
    ----------
    owner : str or None
        Who holds it.
    follow_up_on, snoozed_until : date or None
        When somebody has promised to come back, and before when nobody is to be reminded.
    call_result : str or None
        Of the latest call.
    version : int
        1, 2, 3 … with each change; 0 before the first.
    opened_at, changed_at : int
        Microseconds UTC.
    """

    customer_id: str
    status: Status = "open"
    owner: str | None = None
    follow_up_on: date | None = None
    snoozed_until: date | None = None
    call_result: CallResult | None = None
    version: int = 0
    opened_at: int = 0
    changed_at: int = 0

    @property
    def due_on(self) -> date:
        """The day on which it is somebody's turn; `NO_DAY` where none was set."""
        return max(filter(None, (self.follow_up_on, self.snoozed_until)), default=NO_DAY)


@dataclass(frozen=True)
class Wanted:
    """How a case is to be, and what it must be for that.

    Parameters
    ----------
    fields : mapping
        Those of status, owner, follow_up_on, snoozed_until and call_result that are to change.
    expected_owner : str or None
        Who must hold the case, if `compares_owner`; None for nobody.
    compares_owner : bool
        Whether it is told who must hold it. A case that somebody else holds is taken over only so.
    expected_version : int, optional
        Which version must stand.
    only_of : str, optional
        The person who may change nobody's cases but their own and those that nobody holds.
    """

    fields: Mapping[str, str | date | None]
    expected_owner: str | None = None
    compares_owner: bool = False
    expected_version: int | None = None
    only_of: str | None = None


@dataclass(frozen=True)
class Change:
    """Who changed what of a case, when; by field what it was and what it is from then on."""

    version: int
    changed_by: str
    changed_at: int
    changed: dict[str, tuple[str | None, str | None]]


@dataclass(frozen=True)
class Note:
    """What somebody noted about a customer."""

    note_id: int
    text: str
    written_by: str
    written_at: int


Place = tuple[date, str]
"""Where in the list of cases one stands: when it is due, and whose it is."""


def change_case(connection: Connection, customer_id: str, wanted: Wanted, who: str, now: int) -> tuple[Case, bool]:
    """Change a case, opening it if there is none, and return it as it stands then and whether anything is new.

    Nothing may be read before it in its transaction: its first statement takes the case, or all of SQLite, for
    writing, so that what it compares cannot be stale.

    Parameters
    ----------
    who : str
        Who answers for it.
    now : int
        Microseconds UTC.

    Raises
    ------
    NotFoundError
        If there is no such customer.
    TakenError
        If somebody else holds the case than must, or than may be overruled.
    StaleError
        If another version stands than is expected.
    UsageError
        If it would be claimed by nobody.
    """
    standing = _taken(connection, customer_id)
    require_ours(standing, wanted.only_of)  # first: who may not know the case learns nothing of its version
    if wanted.expected_version is not None and wanted.expected_version != standing.version:
        raise StaleError(
            f"the case of customer `{customer_id}` must be at version {wanted.expected_version}, found "
            f"{standing.version}; read it again"
        )
    _require_free(standing, wanted)
    new = _settled(standing, wanted.fields)
    if new == standing and standing.version:
        return standing, False
    new = replace(new, version=standing.version + 1, changed_at=now, opened_at=standing.opened_at or now)
    _write(connection, standing, new, who)
    return new, True


def give_back_all(connection: Connection, owner: str, who: str, now: int) -> int:
    """Give back every case that somebody holds, so that others see and claim those customers; return how many.

    Parameters
    ----------
    owner : str
        Who holds them, and will not any more.
    who : str
        Who answers for it.
    now : int
        Microseconds UTC.
    """
    held = connection.execute(select(cases.c.customer_id).where(cases.c.owner == owner).order_by(cases.c.customer_id))
    customers = list(held.scalars())
    for customer in customers:
        change_case(connection, customer, Wanted({"owner": None}), who, now)
    return len(customers)


def find_case(connection: Connection, customer_id: str) -> Case:
    """Return the case of a customer.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    found = cases_of(connection, [customer_id]).get(customer_id)
    if found is None:
        raise NotFoundError(
            f"customer `{customer_id}` has no case yet; a PATCH of /v1/cases/ID opens one. Ids are compared as text"
        )
    return found


@dataclass(frozen=True)
class Held:
    """How many customers a team looks after, and with how many it is somebody's turn."""

    claimed: int
    due: int


def held_by_anyone(connection: Connection, day: date) -> Held:
    """Return how many open cases somebody holds, and of how many of them it is the turn on a day or before."""
    theirs = and_(cases.c.owner.is_not(None), cases.c.status.in_(("claimed", "waiting")))
    due = func.sum(case((cases.c.due_on <= day, 1), else_=0))
    found = connection.execute(select(func.count(), due).where(theirs)).one()
    return Held(int(found[0]), int(found[1] or 0))


def cases_of(connection: Connection, customer_ids: Collection[str]) -> dict[str, Case]:
    """Return the case of each customer who has one, by id."""
    whom = sorted(set(customer_ids))
    found: dict[str, Case] = {}
    for start in range(0, len(whom), _CHUNK):
        rows = connection.execute(_columns().where(cases.c.customer_id.in_(whom[start : start + _CHUNK])))
        found |= {row.customer_id: Case(*row) for row in rows}
    return found


def page_of_cases(
    connection: Connection,
    limit: int,
    after: Place | None = None,
    *,
    owners: Sequence[str] = (),
    statuses: Sequence[str] = (),
    unowned: bool = False,
    due_before: date | None = None,
    seen_by: str | None = None,
) -> tuple[list[Case], Place | None]:
    """Return cases by the day they are due and by customer, and where the next page begins, None on the last.

    Parameters
    ----------
    after : tuple of date and str, optional
        What the page before gave.
    owners, statuses : sequence of str
        Keep only these; empty keeps all.
    unowned : bool
        Keep only those that nobody holds.
    due_before : date, optional
        Keep only what is due before this day.
    seen_by : str, optional
        Keep only what this person holds, or nobody.
    """
    kept: list[ColumnElement[bool]] = [
        column.in_(list(words)) for column, words in ((cases.c.owner, owners), (cases.c.status, statuses)) if words
    ]
    kept += [cases.c.owner.is_(None)] if unowned else []
    kept += [or_(cases.c.owner.is_(None), cases.c.owner == seen_by)] if seen_by is not None else []
    kept += [cases.c.due_on < due_before] if due_before is not None else []
    if after is not None:
        day, customer = after
        kept.append(or_(cases.c.due_on > day, and_(cases.c.due_on == day, cases.c.customer_id > customer)))
    query = _columns().where(*kept).order_by(cases.c.due_on, cases.c.customer_id).limit(limit + 1)
    found = [Case(*row) for row in connection.execute(query)]
    shown = found[:limit]
    return shown, (shown[-1].due_on, shown[-1].customer_id) if len(found) > limit else None


def history(connection: Connection, customer_id: str) -> list[Change]:
    """Return how a case came to be as it is, the latest change first."""
    query = select(case_changes).where(case_changes.c.customer_id == customer_id)
    rows = connection.execute(query.order_by(case_changes.c.version.desc()))
    return [
        Change(row.version, row.changed_by, row.changed_at, {name: tuple(both) for name, both in row.changed.items()})
        for row in rows
    ]


def add_note(connection: Connection, customer_id: str, text: str, who: str, now: int) -> Note:
    """Note something about a customer, and return the note.

    Raises
    ------
    NotFoundError
        If there is no such customer.
    """
    row = {"customer_id": customer_id, "text": text, "written_by": who, "written_at": now}
    number = connection.execute(insert(case_notes).returning(case_notes.c.note_id), row).scalar_one()
    _require_known(connection, customer_id)
    return Note(number, text, who, now)


def notes(connection: Connection, customer_id: str, limit: int, before: int | None = None) -> list[Note]:
    """Return the notes about a customer, the latest first; those before a note, by its number."""
    query = select(*(case_notes.c[field.name] for field in fields(Note))).where(case_notes.c.customer_id == customer_id)
    if before is not None:
        query = query.where(case_notes.c.note_id < before)
    return [Note(*row) for row in connection.execute(query.order_by(case_notes.c.note_id.desc()).limit(limit))]


def forget(connection: Connection, customer_id: str) -> int:
    """Remove the case of a customer, its history and its notes, and return how many rows went."""
    return sum(
        connection.execute(delete(table).where(table.c.customer_id == customer_id)).rowcount
        for table in (case_notes, case_changes, cases)
    )


def _columns() -> Any:  # Any: SQLAlchemy's select of nine columns
    return select(*(cases.c[field.name] for field in fields(Case)))


def _taken(connection: Connection, customer_id: str) -> Case:
    """Return a case that nobody else can change until this transaction ends; one of version 0 where there was none."""
    here = cases.c.customer_id == customer_id
    if not connection.execute(update(cases).where(here).values(version=cases.c.version)).rowcount:
        _require_known(connection, customer_id)
        blank = asdict(Case(customer_id)) | {"due_on": NO_DAY}
        try:
            with connection.begin_nested():
                connection.execute(insert(cases), blank)
        except IntegrityError:  # somebody opened it meanwhile
            connection.execute(update(cases).where(here).values(version=cases.c.version))
    return Case(*connection.execute(_columns().where(here)).one())


def _require_known(connection: Connection, customer_id: str) -> None:
    for table in (records, assignments):
        known = select(func.count()).select_from(table).where(table.c.customer_id == customer_id)
        if connection.execute(known).scalar_one():
            return
    raise NotFoundError(
        f"no customer `{customer_id}` in the records of any run; ids are compared as text, and `churnml score` makes "
        "the records of those who have landed"
    )


def require_ours(standing: Case, only_of: str | None) -> None:
    """Let pass who holds a case, or anybody where nobody does.

    Parameters
    ----------
    only_of : str or None
        Who asks, where they may do so with their own cases alone.

    Raises
    ------
    TakenError
        If somebody else holds it.
    """
    if only_of is not None and standing.owner not in {None, only_of}:
        raise TakenError(f"{_about(standing)}; ask them to hand it over")


def _about(standing: Case) -> str:
    holder = f"held by `{standing.owner}`" if standing.owner else "held by nobody"
    return f"the case of customer `{standing.customer_id}` is {holder}"


def _require_free(standing: Case, wanted: Wanted) -> None:
    held, theirs = standing.owner, wanted.fields.get("owner", standing.owner)
    about = _about(standing)
    if theirs == held:
        return
    if wanted.compares_owner and held != wanted.expected_owner:
        expected = f"`{wanted.expected_owner}`" if wanted.expected_owner else "nobody"
        raise TakenError(f"{about}, and not by {expected} as expected; read it again")
    if held is not None and theirs is not None and not wanted.compares_owner:
        raise TakenError(f"{about}; name them as `expected_owner` to take it over")


def _settled(standing: Case, wanted: Mapping[str, Any]) -> Case:  # Any: the values of the fields of a case
    """Return a case with the fields that are wanted, and the status that goes with its owner where none is told."""
    new = replace(standing, **wanted)
    if "status" not in wanted:
        if wanted.get("owner") and standing.status in _AT_REST:
            new = replace(new, status="claimed")
        elif new.owner is None and standing.status == "claimed":
            new = replace(new, status="open")
    if new.status == "claimed" and new.owner is None:
        raise UsageError("a case that is `claimed` must have an owner, found none; say in `owner` who claims it")
    return new


def _write(connection: Connection, standing: Case, new: Case, who: str) -> None:
    changes = asdict(new) | {"due_on": new.due_on}
    connection.execute(update(cases).where(cases.c.customer_id == new.customer_id).values(**changes))
    names = ("status", "owner", "follow_up_on", "snoozed_until", "call_result")
    both = {name: (getattr(standing, name), getattr(new, name)) for name in names}
    changed = {name: [_text(was), _text(is_now)] for name, (was, is_now) in both.items() if was != is_now}
    row = {"customer_id": new.customer_id, "version": new.version, "changed_by": who, "changed_at": new.changed_at}
    connection.execute(insert(case_changes), row | {"changed": changed})


def _text(value: str | date | None) -> str | None:
    return None if value is None else str(value)
