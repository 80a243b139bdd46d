"""The ledger: what a campaign may spend, who was assigned what in it, and what that costs in the end.

Whoever reserves takes the ledger first, so that of any number of workers one at a time sees what is left. What an
action can cost at most is reserved when it is assigned, and replaced by what it did cost when its outcome is posted;
docs/ledger.md has the states, docs/adr/0024 the reasons.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Engine, and_, exists, func, insert, select, update

from churnml.database.money import units
from churnml.database.postings import Outcome, Posting, post
from churnml.database.releases import expire, take, withdraw
from churnml.database.tables import assignments, campaigns, outcomes
from churnml.errors import InvalidTableError, NotFoundError, UsageError

Arm = Literal["treated", "control"]
DrawnBy = Literal["choice", "explore"]
Settles = Literal["carried_out", "redeemed"]
_ARMS, _LONGEST_NAME, _CHUNK = ("treated", "control"), 64, 5_000
_RESERVED = "plan"  # each campaign has a page at /campaigns/NAME


@dataclass(frozen=True)
class Campaign:
    """A campaign and its money, in millionths of a currency unit."""

    name: str
    budget: int
    reserved: int
    spent: int

    @property
    def left(self) -> int:
        """What may still be reserved; below zero if outcomes cost more than was reserved for them."""
        return self.budget - self.reserved - self.spent

    def require_covered(self, budget: int, *, anew: bool = False) -> None:
        """Refuse to move the budget below what is taken of it; one that outcomes have exceeded may stay as it is.

        Parameters
        ----------
        budget : int
            What it is to be, millionths.
        anew : bool, default False
            Whether what is reserved is about to be taken back.

        Raises
        ------
        UsageError
        """
        taken = self.spent + (0 if anew else self.reserved)
        if budget < taken and budget != self.budget:
            raise UsageError(
                f"the budget of campaign `{self.name}` must cover what is taken of it, {units(self.spent):,.2f} spent "
                f"and {units(self.reserved):,.2f} reserved, got {units(budget):,.2f}; set `budget` to at least "
                f"{units(taken):,.2f}, in configs/assign.yaml or by --budget, begin another campaign with --campaign, "
                "or take back what nobody has carried out with --anew"
            )


@dataclass(frozen=True)
class Reservation:
    """One action wanted for one customer, on its way into the ledger.

    Parameters
    ----------
    arm : {'treated', 'control'}
        Whether it is carried out, or withheld by chance.
    propensity : float
        The probability with which the arm `treated` was drawn.
    drawn_by : {'choice', 'explore'}
        Whether the action was the best for the customer, or drawn at random to learn from.
    max_cost : int
        The most it can cost, millionths; the same whatever the arm.
    expires_at : int
        When what is reserved is released unless an outcome was posted, microseconds UTC.
    details : mapping, optional
        What else belongs to it, such as the category that is offered; JSON.
    settles : {'carried_out', 'redeemed'}
        The outcome after which it can cost nothing more: `redeemed` for whatever is paid for only when it is used.
    claim : int, optional
        What must be left for it to be accepted, millionths, where that is more than `max_cost`: the most that any
        action of its draw could have cost. So a customer is let in whatever they drew.
    """

    customer_id: str
    action: str
    arm: Arm
    propensity: float
    drawn_by: DrawnBy
    channel: str
    max_cost: int
    expires_at: int
    details: Mapping[str, Any] | None = None  # Any: JSON, shaped by the policy
    settles: Settles = "carried_out"
    claim: int = 0

    @property
    def claimed(self) -> int:
        """What is counted against the budget while others are looked at, millionths."""
        return max(self.claim, self.max_cost)


@dataclass(frozen=True)
class Assignment:
    """One row of the ledger; see `Reservation` for what was wanted, docs/ledger.md for `state`.

    Parameters
    ----------
    cutoff : int
        What the decision knew; outcomes count from here on. Microseconds UTC.
    reserved, cost : int
        What is still set aside and what its outcomes cost so far, millionths.
    """

    assignment_id: str
    campaign: str
    customer_id: str
    run_id: str
    cutoff: int
    assigned_at: int
    action: str
    arm: Arm
    propensity: float
    drawn_by: DrawnBy
    channel: str
    details: Mapping[str, Any] | None  # Any: JSON, shaped by the policy
    settles: Settles
    max_cost: int
    expires_at: int
    state: str
    reserved: int
    cost: int


def assignment_id(campaign: str, customer_id: str) -> str:
    """Return the id of the one assignment that a customer can have in a campaign: 32 hexadecimal digits.

    It depends on nothing else, so that a run made again names its assignments as before.

    Examples
    --------
    >>> len(assignment_id("spring", "00123"))
    32
    """
    # the zero byte keeps campaign "a" with customer "bc" apart from campaign "ab" with customer "c"
    return hashlib.sha256(f"{campaign}\0{customer_id}".encode()).hexdigest()[:32]


class Ledger:
    """Reads and writes the ledger; each method is one transaction.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        From `open_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def open(self, name: str, budget: int, now: int, *, anew: bool = False) -> Campaign:
        """Make a campaign, or move the budget of one that there is, and return it.

        Parameters
        ----------
        budget : int
            The most that its outcomes and reserves together may come to, millionths.
        anew : bool, default False
            Whether `reserve` is about to take back what stands: until then the budget stays as it is.

        Raises
        ------
        UsageError
            If the name is empty, too long or kept for a page, or the budget below zero or below what is spent and
            reserved already.
        """
        if not 0 < len(name) <= _LONGEST_NAME:
            raise UsageError(f"a campaign's name must have 1 to {_LONGEST_NAME} letters, got {name!r}; name it shorter")
        if budget < 0:
            raise UsageError(f"`budget` must be at least 0, got {units(budget):,.2f}; set it in configs/assign.yaml")
        with self.engine.begin() as connection:
            take(connection)
            standing = _campaign(connection, name)
            if standing is None:
                if name == _RESERVED:
                    raise UsageError(
                        f"a campaign cannot be called `{name}`: its page is that of the next one; name it otherwise"
                    )
                row = {"name": name, "budget": budget, "reserved": 0, "spent": 0, "opened_at": now}
                connection.execute(insert(campaigns), row)
                return Campaign(name, budget, 0, 0)
            standing.require_covered(budget, anew=anew)
            if anew:
                return standing
            connection.execute(update(campaigns).where(campaigns.c.name == name).values(budget=budget))
            return Campaign(name, budget, standing.reserved, standing.spent)

    def campaign(self, name: str) -> Campaign:
        """Return a campaign as it stands.

        Raises
        ------
        NotFoundError
            If there is none of that name.
        """
        with self.engine.connect() as connection:
            return _known(connection, name)

    def campaigns(self) -> list[Campaign]:
        """Return every campaign, by name."""
        with self.engine.connect() as connection:
            return [Campaign(*row) for row in connection.execute(_campaigns().order_by(campaigns.c.name)).all()]

    def left(self, name: str) -> int:
        """Return what may still be reserved in a campaign, millionths."""
        return self.campaign(name).left

    def reserve(
        self,
        campaign: str,
        run_id: str,
        cutoff: int,
        reservations: Iterable[Reservation],
        now: int,
        *,
        budget: int | None = None,
        anew: bool = False,
    ) -> set[str]:
        """Assign what the budget allows, and return the customers who were assigned.

        Rows are looked at in the order given. One that claims more than is left is passed over, whatever its arm, so
        that being accepted never depends on the coin; what was counted for controls is free again afterwards.
        Who has an assignment in this campaign keeps it and is passed over.

        Parameters
        ----------
        run_id : str
            The run that chose. If it does not get to its end, what it assigned is withdrawn.
        cutoff : int
            Outcomes count from here on, microseconds UTC.
        budget : int, optional
            The campaign's budget from now on, millionths; by default what it was.
        anew : bool, default False
            Take back first all that the campaign has assigned, in the same transaction. Sound only while none of it was
            carried out: who was treated and is forgotten counts as left in peace.

        Raises
        ------
        NotFoundError
            If there is no such campaign.
        UsageError
            If `anew` is asked though an outcome was posted; nothing is taken back or assigned then.
        InvalidTableError
            If an arm, a propensity or a cost is out of its range; nothing is assigned then.
        """
        accepted: set[str] = set()
        with self.engine.begin() as connection:
            take(connection)
            of_campaign = assignments.c.campaign == campaign
            if anew:
                _require_unheard(connection, campaign)
                withdraw(connection, of_campaign)
            if budget is not None:
                connection.execute(update(campaigns).where(campaigns.c.name == campaign).values(budget=budget))
            left, held = _known(connection, campaign).left, 0
            fresh = not connection.execute(select(exists().where(of_campaign))).scalar_one()
            for chunk in _chunks(map(_checked, reservations)):
                ids = [one.customer_id for one in chunk]
                there = select(assignments.c.customer_id).where(of_campaign, assignments.c.customer_id.in_(ids))
                assigned = set() if fresh else set(connection.execute(there).scalars())
                rows = []
                for one in chunk:
                    if one.claimed <= left and one.customer_id not in accepted and one.customer_id not in assigned:
                        left -= one.claimed
                        accepted.add(one.customer_id)
                        rows.append(_row(campaign, run_id, cutoff, one, now))
                if rows:
                    connection.execute(insert(assignments), rows)
                    held += sum(row["reserved"] for row in rows)
            more = campaigns.c.reserved + held
            connection.execute(update(campaigns).where(campaigns.c.name == campaign).values(reserved=more))
        return accepted

    def expire(self, now: int) -> int:
        """Release what is past its time in every campaign, and return how many assignments that closed."""
        with self.engine.begin() as connection:
            return expire(connection, now)

    def post(self, posted: Iterable[Outcome], now: int, *, check: bool = False) -> Posting:
        """Keep outcomes and move the money they cost; each that breaks a rule is refused, the others are kept.

        Parameters
        ----------
        posted : iterable of Outcome
            In any order; all are kept in one transaction.
        check : bool
            Tell what would become of them, and keep none.
        """
        with self.engine.connect() as connection, connection.begin() as transaction:
            take(connection)
            found = post(connection, posted, now)
            beyond = overspent(connection)
            if check:
                transaction.rollback()
        return Posting(found, beyond)

    def assigned(self, campaign: str) -> list[Assignment]:
        """Return what was assigned in a campaign, by customer; those who refuse to be profiled apart."""
        return self._assignments(assignments.c.campaign == campaign)

    def assignment(self, assignment_id: str) -> Assignment | None:
        """Return one assignment by its id, None where there is none or its customer refuses to be profiled."""
        found = self._assignments(assignments.c.assignment_id == assignment_id)
        return found[0] if found else None

    def assignments(self, actions: Collection[str] | None = None, since: int | None = None) -> list[Assignment]:
        """Return what was assigned in all campaigns, by customer; those who refuse to be profiled apart.

        Parameters
        ----------
        actions : collection of str, optional
            Keep only these.
        since : int, optional
            Keep only decisions with this cutoff or a later one, microseconds UTC.
        """
        wanted = [assignments.c.cutoff >= since] if since is not None else []
        if actions is not None:
            wanted.append(assignments.c.action.in_(list(actions)))
        return self._assignments(*wanted)

    def states(self, ids: Collection[str]) -> dict[str, str]:
        """Return how assignments stand, by id; of those that there are not, nothing."""
        asked, found = list(ids), dict[str, str]()
        with self.engine.connect() as connection:
            for begin in range(0, len(asked), _CHUNK):
                some = assignments.c.assignment_id.in_(asked[begin : begin + _CHUNK])
                rows = connection.execute(select(assignments.c.assignment_id, assignments.c.state).where(some))
                found |= {row.assignment_id: row.state for row in rows}
        return found

    def heard(self, campaign: str) -> int:
        """Return how many outcomes were posted to the assignments of a campaign."""
        query = select(func.count()).select_from(outcomes.join(assignments)).where(assignments.c.campaign == campaign)
        with self.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def outcomes(self, campaign: str) -> list[Outcome]:
        """Return the outcomes posted to the assignments of a campaign, by assignment and time."""
        query = select(*(outcomes.c[field.name] for field in fields(Outcome))).join(assignments)
        query = query.where(assignments.c.campaign == campaign)
        with self.engine.connect() as connection:
            ordered = query.order_by(outcomes.c.assignment_id, outcomes.c.occurred_at, outcomes.c.kind)
            return [Outcome(*row) for row in connection.execute(ordered)]

    def _assignments(self, *wanted: ColumnElement[bool]) -> list[Assignment]:
        query = select(*(assignments.c[field.name] for field in fields(Assignment)))
        query = query.where(and_(assignments.c.arm.is_not(None), *wanted))
        query = query.order_by(assignments.c.customer_id, assignments.c.campaign)
        with self.engine.connect() as connection:
            return [Assignment(*row) for row in connection.execute(query)]


def overspent(connection: Connection) -> dict[str, int]:
    """Return by how much each campaign exceeds its budget, of those that do, millionths."""
    standing = [Campaign(*row) for row in connection.execute(_campaigns()).all()]
    return {one.name: -one.left for one in standing if one.left < 0}


def _campaigns() -> Any:  # Any: SQLAlchemy's select of four columns
    return select(*(campaigns.c[field.name] for field in fields(Campaign)))


def _campaign(connection: Connection, name: str) -> Campaign | None:
    row = connection.execute(_campaigns().where(campaigns.c.name == name)).first()
    return None if row is None else Campaign(*row)


def _known(connection: Connection, name: str) -> Campaign:
    found = _campaign(connection, name)
    if found is None:
        raise NotFoundError(f"there is no campaign `{name}` in the ledger; `churnml assign` opens it with its budget")
    return found


def _require_unheard(connection: Connection, campaign: str) -> None:
    query = select(func.count()).select_from(outcomes.join(assignments)).where(assignments.c.campaign == campaign)
    heard = int(connection.execute(query).scalar_one())
    if heard:
        raise UsageError(
            f"--anew needs a campaign of which nothing was carried out, `{campaign}` has {heard:,} outcomes; who was "
            "treated would count as left in peace. Begin another campaign with --campaign"
        )


def _chunks(reservations: Iterable[Reservation]) -> Iterator[list[Reservation]]:
    chunk: list[Reservation] = []
    for one in reservations:
        chunk.append(one)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _checked(one: Reservation) -> Reservation:
    if one.arm in _ARMS and 0 <= one.propensity <= 1 and one.max_cost >= 0:
        return one
    raise InvalidTableError(
        "a reservation needs the arm treated or control, a propensity between 0 and 1 and a `max_cost` of at least 0, "
        f"got {one.arm}, {one.propensity:g} and {units(one.max_cost):,.2f} for customer {one.customer_id!r}; pass what "
        "the policy decided"
    )


def _row(campaign: str, run_id: str, cutoff: int, one: Reservation, now: int) -> dict[str, Any]:  # Any: SQL values
    treated = one.arm == "treated"
    return {
        **{name: value for name, value in vars(one).items() if name != "claim"},
        "assignment_id": assignment_id(campaign, one.customer_id),
        "campaign": campaign,
        "run_id": run_id,
        "cutoff": cutoff,
        "assigned_at": now,
        "state": "open" if treated else "withheld",
        "reserved": one.max_cost if treated else 0,
        "cost": 0,
    }
