"""What the routes of cases take and give."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import ConfigDict, Field

from churnml.database.cases import CallResult, Status
from churnml.service.api.batches import MAX_ROWS
from churnml.service.api.shapes import Shape
from churnml.service.api.texts import CustomerId, Day, Name, NoteText


class CaseBody(Shape):
    """What a team does about one customer."""

    customer_id: str
    status: Status = Field(
        description="`open`: nobody's yet; `claimed`: somebody is at it; `waiting`: for the customer, or for a day; "
        "`done`; `dropped`: given up"
    )
    owner: str | None = Field(description="who holds it; one at a time")
    follow_up_on: date | None = Field(description="when somebody has promised to come back")
    snoozed_until: date | None = Field(description="before when nobody is to be reminded")
    call_result: CallResult | None = Field(description="of the latest call")
    version: int = Field(description="1, 2, 3 … with each change; the `ETag`")
    opened_at: datetime
    changed_at: datetime


class CaseList(Shape):
    """A page of cases, by the day they are due."""

    items: list[CaseBody]
    next_cursor: str | None


class CaseQuery(Shape):
    """Which cases are wanted."""

    owner: list[Name] = Field([], max_length=20, description="only theirs; may be repeated")
    status: list[Status] = Field([], max_length=5, description="only these; may be repeated")
    unowned: bool = Field(False, description="only those that nobody holds")
    due_before: Day | None = Field(None, description="only those to follow up, or to wake, before this day")
    limit: int = Field(50, ge=1, le=MAX_ROWS)
    cursor: str | None = Field(None, max_length=2_000, description="the `next_cursor` of the page before")


class CaseChange(Shape):
    """What is to change of a case; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"owner": "li", "expected_owner": None}})

    status: Status | None = Field(None, description="null is the same as leaving it out")
    owner: Name | None = Field(None, description="who holds it from then on; null gives it back")
    expected_owner: Name | None = Field(
        None, description="who must hold it by now, null for nobody; a case that somebody holds is taken over only so"
    )
    follow_up_on: Day | None = None
    snoozed_until: Day | None = None
    call_result: CallResult | None = None


class CasesClaimed(Shape):
    """Customers to be given to somebody."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"customer_ids": ["42", "43"], "owner": "li"}}
    )

    customer_ids: list[CustomerId] = Field(min_length=1, max_length=MAX_ROWS)
    owner: Name | None = Field(None, description="who holds them from then on; left out, whoever asks")
    follow_up_on: Day | None = None


class NoteIn(Shape):
    """What is to be noted about a customer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"customer_id": "42", "text": "Asked us to call back on Friday."}},
    )

    customer_id: CustomerId
    text: NoteText


class NoteBody(Shape):
    """What somebody noted about a customer."""

    note_id: int
    text: str
    written_by: str
    written_at: datetime


class NoteList(Shape):
    """Notes about a customer, the latest first."""

    items: list[NoteBody]
    next_before: int | None = Field(description="the `before` of the next page; null on the last")


class NoteQuery(Shape):
    """Whose notes are wanted."""

    customer_id: CustomerId
    before: int | None = Field(None, ge=1, le=2**53, description="only notes before this one, by number")
    limit: int = Field(50, ge=1, le=MAX_ROWS)


class CaseChanged(Shape):
    """Who changed what, when."""

    version: int
    changed_by: str
    changed_at: datetime
    changed: dict[str, tuple[str | None, str | None]] = Field(description="by field: what it was, and what it became")


class CaseHistory(Shape):
    """How a case came to be as it is, the latest change first."""

    items: list[CaseChanged]


class OfCustomer(Shape):
    """Whose history is wanted."""

    customer_id: CustomerId
