"""What the tables record of the lives: the eleven tables of the contract, with both clocks, as columns of Arrow.

Orders are booked at once, one in a hundred a day late. Tickets, surveys and contracts come with the export of the
following night, and again once a ticket was solved, a survey answered, a contract renewed. Sessions are recorded of
those only who allowed it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from churnml.events.schema import TABLES
from churnml.events.simulation import equations as eq
from churnml.events.simulation.chance import Counts, Values, normal, uniform
from churnml.events.simulation.contacting import NOTHING, Decisions
from churnml.events.simulation.customers import REGIONS, Traits, seen_profile
from churnml.events.simulation.lives import Happened, Orders, Places, State, Surveys, Tickets
from churnml.events.simulation.rollouts import cost_of

Array = npt.NDArray[np.generic]

_SECOND = 1_000_000
_HOUR, _DAY = 3_600 * _SECOND, 86_400 * _SECOND
_START = int(datetime(eq.BEGINS.year, eq.BEGINS.month, eq.BEGINS.day, tzinfo=UTC).timestamp()) * _SECOND
_EXPORT = 2 * _HOUR
_LATE_BOOKED = 0.01
_MOVES_PER_DAY = 0.0001

CATEGORIES = ("garden", "kitchen", "living", "office", "outdoor", "toys")
_PLANS = {9.9: "basic", 19.9: "plus", 39.9: "premium"}
_CHANNEL_COST = {"referral": 5.0, "search": 22.0, "social": 18.0, "affiliate": 14.0, "shop": 8.0}
_SESSION_CHANNELS = ("web", "app")
_ORDER_CHANNELS = ("web", "app", "shop")
_TICKET_CHANNELS = ("email", "phone", "chat")
_EMPTY_SEARCH, _SEARCHES, _HELP = 0.1, 0.3, 0.02


class Recorder:
    """Gathers, day by day, what the tables record of some customers; `tables` gives them.

    Parameters
    ----------
    traits : Traits
        The customers.
    variant : Variant
        Of the market.
    days : int
        Where the market ends; what would be learned later is in no table.
    """

    def __init__(self, traits: Traits, variant: eq.Variant, days: int) -> None:
        self._traits, self._variant, self._end = traits, variant, _START + days * _DAY
        self._rows: dict[str, list[dict[str, object]]] = defaultdict(list)
        self._profiles()

    def tables(self) -> dict[str, pa.Table]:
        """Return every table, its rows in the order in which they were learned of within each customer's block."""
        return {name: self._table(name) for name in TABLES}

    def day(self, state: State, decided: Decisions | None, happened: Happened, withdrew: Places) -> None:
        """Record a day, after it was lived; `withdrew` are those who took back their permission when contacted."""
        day = happened.day
        if decided is not None:
            self._contacts(day, decided)
        self._orders(day, happened.orders)
        self._tickets(day, happened.tickets)
        if happened.surveys is not None:
            self._surveys(day, happened.surveys)
        if happened.sessions is not None:
            self._sessions(day, state, happened.sessions)
        self._contracts(day, happened)
        withdrew = np.concatenate([withdrew, happened.withdrew])
        self._consent(withdrew, self._at(day, withdrew, "withdrew"), "marketing", "email", granted=False)
        self._moves(day)

    # who they are

    def _profiles(self) -> None:
        traits = self._traits
        everyone = np.arange(len(traits))
        met = self._met(everyone)
        seen = seen_profile(traits)
        cost = np.array([_CHANNEL_COST[name] for name in seen["acquisition_channel"].tolist()])
        cost = np.round(cost * np.exp(0.3 * normal(traits.keys, "acquisition cost", 0)), 2)
        self._add("customers", everyone, met, met, **seen, acquisition_cost=cost)
        self._consent(everyone, met, "marketing", "email", granted=traits.mail_allowed)
        self._consent(everyone, met, "marketing", "phone", granted=traits.call_allowed)
        self._consent(everyone, met, "profiling", "", granted=traits.profiled)
        members = np.flatnonzero(traits.member)
        renews = met[members] + eq.PERIOD_DAYS * _DAY
        told = _exported(met[members])
        self._add("subscriptions", members, met[members], told, **self._contract(members), renews_at=renews)

    def _met(self, place: Places) -> Counts:
        """Return when each customer was met: in the hour before a day's business, so that nothing comes before it."""
        born = self._traits.born[place]
        return np.asarray(_START + born * _DAY + 6 * _HOUR + (self._uniform(place, "met", 0) * _HOUR).astype(np.int64))

    def _contract(self, members: Places) -> dict[str, object]:
        prices = self._traits.price[members]
        return {
            "subscription_id": _numbered("S", self._traits.number[members]),
            "plan": np.array([_PLANS[price] for price in prices.tolist()]),
            "amount": prices,
            "period": "month",
            "started_at": self._met(members),
        }

    def _consent(self, place: Places, at: Counts, purpose: str, channel: str, *, granted: object) -> None:
        self._add("consents", place, at, at, purpose=purpose, channel=channel or None, granted=granted)

    def _moves(self, day: int) -> None:
        moves = np.flatnonzero((uniform(self._traits.keys, "moves", day) < _MOVES_PER_DAY) & (self._traits.born < day))
        to = self._one_of(REGIONS, moves, "moves to", day)
        at = self._at(day, moves, "moves at")
        self._add("profile_changes", moves, at, at + 2 * _DAY, attribute="region", value=to)

    # what they did

    def _orders(self, day: int, orders: Orders) -> None:
        place, traits = orders.place, self._traits
        at = self._at(day, place, "orders at")
        booked = at + _DAY * (self._uniform(place, "booked late", day) < _LATE_BOOKED)
        number = _daily("O", traits.number[place], day)
        quantity = 1 + np.minimum(orders.amount // 15, 9).astype(np.int64)
        channel = self._one_of(_ORDER_CHANNELS, place, "order channel", day)
        cost = cost_of(traits, orders)
        self._add(
            "orders", place, at, booked, order_id=number, amount=orders.amount, discount=orders.discount, cost=cost,
            quantity=quantity, channel=channel,
        )  # fmt: skip
        self._lines(day, orders, at, booked, quantity)
        back = np.flatnonzero(orders.back_after > 0)
        back_at = at[back] + orders.back_after[back] * _DAY
        self._add(
            "returns", place[back], back_at, back_at, order_id=number.take(back), return_id=number.take(back),
            amount=np.maximum(np.round(orders.amount * orders.back_share, 2), 0.01)[back],
            reason=np.where(orders.defect[back], "defect", "not wanted"),
        )  # fmt: skip
        used = (orders.discount > 0) | orders.shipped_free
        item = np.where(orders.shipped_free, eq.ACTIONS[eq.SHIPPING], eq.ACTIONS[eq.COUPON])
        self._acts(place[used], at[used], kind="redeem", item=item[used], channel=channel[used])

    def _lines(self, day: int, orders: Orders, at: Counts, booked: Counts, quantity: Counts) -> None:
        """Deal an order to its lines: one or two, three in the largest; what rounding leaves goes to the first."""
        place = orders.place
        lines = np.minimum(1 + (self._uniform(place, "lines", day) * 2.6).astype(np.int64), quantity)
        left = {"amount": orders.amount, "discount": orders.discount, "quantity": quantity.astype(np.float64)}
        left = {name: values.copy() for name, values in left.items()}
        for line in (3, 2, 1):
            has = np.flatnonzero(lines >= line)
            steps = {"amount": 0.01, "discount": 0.01, "quantity": 1.0}
            part = {
                name: values[has] if line == 1 else _part(values[has], line, steps[name])
                for name, values in left.items()
            }
            for name, values in part.items():
                left[name][has] -= values
            keys = self._traits.keys[place[has]]
            liked = (uniform(keys, "likes", 0) * len(CATEGORIES)).astype(np.int64)
            other = (uniform(keys, f"category {line}", day) * len(CATEGORIES)).astype(np.int64)
            category = np.where(uniform(keys, f"likes {line}", day) < 0.5, liked, other)
            product = category * 100 + (uniform(keys, f"product {line}", day) ** 2 * 40).astype(np.int64)
            self._add(
                "order_lines", place[has], at[has], booked[has], order_id=_daily("O", self._numbers(place[has]), day),
                line=np.full(len(has), line), product_id=_numbered("P", product, 4),
                category=np.array(CATEGORIES)[category], quantity=part["quantity"].astype(np.int64),
                amount=np.round(part["amount"], 2), discount=np.round(part["discount"], 2),
            )  # fmt: skip

    def _sessions(self, day: int, state: State, sessions: Counts) -> None:
        place = np.repeat(np.arange(len(sessions)), sessions * self._traits.tracked)
        nth = np.arange(len(place)) - np.searchsorted(place, place)
        keys = self._traits.keys[place] + nth.astype(np.uint64)
        at = _START + day * _DAY + _hour(uniform(keys, "visits at", day))
        session = _daily("V", self._numbers(place), day, nth)
        channel = np.array(_SESSION_CHANNELS)[(uniform(keys, "visit channel", day) < 0.4).astype(int)]
        pages = np.ceil(-np.log(uniform(keys, "pages", day)) * 4 * np.exp(0.3 * normal(keys, "reader", day)))
        seconds = (20 + pages * 35 * uniform(keys, "dwells", day)).astype(np.int64)
        common = {"session_id": session, "channel": channel}
        self._acts(place, at, kind="visit", duration_seconds=seconds, **common)
        category = np.array(CATEGORIES)[(uniform(keys, "looks at", day) * len(CATEGORIES)).astype(int)]
        mood = state.mood[place]

        def some(chosen: npt.NDArray[np.bool_], after_seconds: int, **more: object) -> None:
            rows = np.flatnonzero(chosen)
            taken = {name: _taken(values, rows) for name, values in (common | more).items()}
            self._acts(place[rows], at[rows] + after_seconds * _SECOND, **taken)

        searches = uniform(keys, "searches", day) < _SEARCHES
        empty = searches & (uniform(keys, "finds nothing", day) < _EMPTY_SEARCH * (1 + (mood < -0.5)))
        some(pages > 1, 10, kind="view", category=category)
        some(searches & ~empty, 5, kind="search", query=category)
        some(empty, 5, kind="search_without_result", query="gift")
        some(uniform(keys, "needs help", day) < _HELP * np.exp(-mood), 15, kind="help")

    def _contracts(self, day: int, happened: Happened) -> None:
        paid, failed, ended = happened.paid, happened.payment_failed, happened.contract_ended
        paid_at = self._at(day, paid, "pays")
        self._acts(paid, paid_at, kind="payment")
        renews = paid_at + eq.PERIOD_DAYS * _DAY
        self._add("subscriptions", paid, paid_at, _exported(paid_at), **self._contract(paid), renews_at=renews)
        self._acts(failed, self._at(day, failed, "pays"), kind="payment_failed")
        at = self._at(day, ended, "pays")
        reason = np.where(np.isin(ended, failed), "payment failed", "cancelled")
        end = {"ended_at": at, "end_reason": reason}
        self._add("subscriptions", ended, at, _exported(at), **self._contract(ended), **end)

    # what was asked and said

    def _tickets(self, day: int, tickets: Tickets) -> None:
        place = tickets.place
        at = self._at(day, place, "orders at") + _HOUR  # a complaint follows the order of that day
        facts: dict[str, object] = {
            "ticket_id": _daily("T", self._numbers(place), day),
            "kind": np.where(tickets.complaint, "complaint", "question"),
            "channel": self._one_of(_TICKET_CHANNELS, place, "ticket channel", day),
            "priority": np.where(tickets.complaint, "high", "normal"),
        }
        answered = at + (tickets.hours * _HOUR).astype(np.int64)
        solved = answered + (_HOUR * (1 + 20 * self._uniform(place, "solved after", day))).astype(np.int64)
        self._add("tickets", place, at, _exported(at), **facts)
        told = np.where(tickets.resolved, solved, answered)
        resolved = pa.array(solved, mask=~tickets.resolved)
        self._add("tickets", place, at, _exported(told), **facts, first_response_at=answered, resolved_at=resolved)

    def _surveys(self, day: int, surveys: Surveys) -> None:
        place = surveys.place
        at = self._at(day + 1, place, "asked at")
        facts: dict[str, object] = {
            "survey_id": _daily("N", self._numbers(place), day), "instrument": "nps", "scale_min": 0.0,
            "scale_max": 10.0,
        }  # fmt: skip
        self._add("surveys", place, at, _exported(at), **facts)
        rows = np.flatnonzero(surveys.answered)
        answered = at[rows] + (surveys.after_hours[rows] * _HOUR).astype(np.int64)
        taken = {name: _taken(values, rows) for name, values in facts.items()}
        score = surveys.score[rows]
        self._add("surveys", place[rows], at[rows], _exported(answered), **taken, answered_at=answered, score=score)

    def _contacts(self, day: int, decided: Decisions) -> None:
        place, action = decided.place, decided.action
        at = np.full(len(place), _START + day * _DAY + 6 * _HOUR)
        drawn = ~np.isnan(decided.propensity)
        names = np.array((*eq.ACTIONS, "do_nothing"))  # NOTHING is -1, the last
        treated = decided.treated
        self._add(
            "contacts", place, at, at, contact_id=_daily("K", self._numbers(place), day), action=names[action],
            campaign=np.where(drawn, "by chance", "by rule"), channel=np.where(action == eq.CALL, "phone", "email"),
            cost=np.array((*eq.COST, 0.0))[action] * treated, arm=np.where(treated, "treated", "control"),
            propensity=pa.array(decided.propensity, mask=~drawn),
        )  # fmt: skip
        mailed = place[treated & (action != NOTHING) & (action != eq.CALL)]
        opened = mailed[self._uniform(mailed, "opens", day) < self._traits.opens[mailed]]
        clicked = opened[self._uniform(opened, "clicks", day) < 0.2]
        for who, kind, hours in ((opened, "email_open", 3), (clicked, "email_click", 3.05)):
            self._acts(who, np.full(len(who), _START + day * _DAY + int((6 + hours) * _HOUR)), kind=kind)

    # rows

    def _acts(self, place: Places, at: Counts, **columns: object) -> None:
        self._add("interactions", place, at, at, **columns)

    def _add(self, table: str, place: Places, occurred_at: Counts, ingested_at: Counts, **columns: object) -> None:
        """Keep some rows of a table; a column is an array, or one value for all. What comes too late is left out."""
        rows = np.flatnonzero(ingested_at < self._end)
        if len(rows):
            clocks = {"place": place[rows], "occurred_at": occurred_at[rows], "ingested_at": ingested_at[rows]}
            self._rows[table].append(clocks | {name: _taken(values, rows) for name, values in columns.items()})

    def _table(self, name: str) -> pa.Table:
        arrays, pieces = [], self._rows.pop(name, [])
        for column in TABLES[name].columns:
            kind = _ARROW[column.kind]
            if column.name == "customer_id":
                number = [_numbered("C", self._numbers(piece["place"])) for piece in pieces]  # type: ignore[arg-type]
                arrays.append(pa.chunked_array(number, pa.string()))
            else:
                arrays.append(pa.chunked_array([_arrow(piece, column.name, kind) for piece in pieces], kind))
        return pa.table(arrays, names=TABLES[name].names).combine_chunks()

    # chance

    def _numbers(self, place: Places) -> Counts:
        return self._traits.number[place]

    def _uniform(self, place: Places, process: str, day: int) -> Values:
        return uniform(self._traits.keys[place], process, day)

    def _one_of(self, names: Iterable[str], place: Places, process: str, day: int) -> Array:
        choices = np.array(names)
        chosen = (self._uniform(place, process, day) * len(choices)).astype(np.int64)
        return np.asarray(choices[chosen])

    def _at(self, day: int | Counts, place: Places, process: str) -> Counts:
        """Return a moment of a day for each customer, from seven in the morning to eleven at night."""
        when = day if isinstance(day, int) else 0
        return _START + np.asarray(day) * _DAY + _hour(self._uniform(place, process, when))


_ARROW = {
    "text": pa.string(), "json": pa.string(), "integer": pa.int64(), "number": pa.float64(), "money": pa.float64(),
    "boolean": pa.bool_(), "instant": pa.timestamp("us", "UTC"),
}  # fmt: skip


def _hour(chance: Values) -> Counts:
    return np.asarray((7 + 16 * chance) * _HOUR, dtype=np.int64)


def _exported(at: Counts) -> Counts:
    """Return when the export of the following night brings what came to be."""
    return np.asarray((at // _DAY + 1) * _DAY + _EXPORT, dtype=np.int64)


def _part(values: Values, lines: int, step: float) -> Values:
    """Return what a line gets of an order that has so many left: an even share, rounded down to whole steps."""
    return np.asarray(np.floor(values / lines / step + 1e-9) * step)


def _taken(values: object, rows: Places) -> object:
    """Return some rows of a column; what is one value for all stays so."""
    if isinstance(values, pa.Array):
        return values.take(pa.array(rows))
    return values[rows] if isinstance(values, np.ndarray) else values


def _arrow(piece: dict[str, object], name: str, kind: pa.DataType) -> pa.Array:
    values, rows = piece.get(name), len(piece["place"])  # type: ignore[arg-type]
    if isinstance(values, pa.Array):
        return values.cast(kind)
    if isinstance(values, np.ndarray):
        array = pa.array(values.tolist() if values.dtype.kind == "U" else values)
        array = array if kind != pa.string() else pc.if_else(pc.equal(array, ""), None, array)
        return array.cast(kind)
    return pa.nulls(rows, kind) if values is None else pa.repeat(pa.scalar(values, kind), rows)


def _numbered(letter: str, numbers: Counts, digits: int = 7) -> pa.Array:
    """Return identifiers such as C0000017."""
    padded = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), digits, "0")
    return pc.binary_join_element_wise(letter, padded, "")


def _daily(letter: str, numbers: Counts, day: int, nth: Counts | None = None) -> pa.Array:
    """Return identifiers of what a customer does on a day, such as O0000017-412."""
    named = pc.binary_join_element_wise(_numbered(letter, numbers), str(day), "-")
    return named if nth is None else pc.binary_join_element_wise(named, pa.array(nth).cast(pa.string()), "-")
