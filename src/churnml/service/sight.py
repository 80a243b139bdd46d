"""Which customers somebody may see: everybody's, or their own and nobody's; the one place that says so.

`agents_see` of configs/serve.yaml decides it for agents. Theirs are those whose case they hold; nobody's are open to
all of them, so that the next can be claimed and whoever rings up can be looked up. Of a customer whom a colleague holds
an agent learns who that is and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection

from fastapi import Request
from sqlalchemy import Connection, Engine, select

from churnml.database.tables_cases import cases
from churnml.errors import ForbiddenError
from churnml.service.access import Caller, caller_of

_AT_ONCE = 5_000


class HeldError(ForbiddenError):
    """A customer whom somebody else holds, for one who may see their own alone."""

    def __init__(self, holder: str) -> None:
        super().__init__(
            f"`{holder}` looks after this customer, and you see your own and nobody's; ask `{holder}`, or an "
            "administrator, to hand them over"
        )
        self.holder = holder


def seen_by(request: Request) -> str | None:
    """Return whose customers, beside nobody's, whoever asks may see; None where they may see everybody's."""
    caller = caller_of(request)
    return caller.name if caller is not None and sees_own(request, caller) else None


def sees_own(request: Request, caller: Caller) -> bool:
    """Tell whether somebody sees their own customers and nobody's alone."""
    return caller.only_own and request.app.state.settings.agents_see == "own"


def require_seen(request: Request, customer_id: str) -> None:
    """Let pass who may see a customer.

    Raises
    ------
    HeldError
        If a colleague holds them.
    """
    me = seen_by(request)
    if me is None:
        return
    engine: Engine = request.app.state.engine
    with engine.connect() as connection:
        held = held_by_others(connection, [customer_id], me)
    if held:
        raise HeldError(held[customer_id])


def require_own_queue(request: Request, caller: Caller, owner: str) -> None:
    """Let pass who may see somebody's queue.

    Raises
    ------
    ForbiddenError
        If it is a colleague's.
    """
    if owner != caller.name and sees_own(request, caller):
        raise ForbiddenError("an agent sees their own queue; ask an administrator for that of others")


def held_by_others(connection: Connection, customer_ids: Collection[str], me: str) -> dict[str, str]:
    """Return who of some customers is held by somebody else, and by whom."""
    wanted, found = list(customer_ids), dict[str, str]()
    for start in range(0, len(wanted), _AT_ONCE):
        some = cases.c.customer_id.in_(wanted[start : start + _AT_ONCE])
        query = select(cases.c.customer_id, cases.c.owner).where(some, cases.c.owner.is_not(None), cases.c.owner != me)
        found |= {row.customer_id: row.owner for row in connection.execute(query)}
    return found
