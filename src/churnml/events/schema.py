"""The contract: which tables there are, and what each column means, in which unit and range.

Every table also carries `customer_id` (text), `occurred_at` (when it happened) and `ingested_at` (when we learned of
it), both instants in UTC. Ingest checks against these declarations, and `docs/data.md` is written from them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["text", "instant", "integer", "number", "money", "boolean", "json"]

MONEY_SCALE = 10_000
"""Money is kept as integers of 1/10,000 unit, so that sums are exact in any order."""

CALL_RESULTS = ("reached", "no_answer", "refused", "accepted", "wrong_number", "do_not_call")
"""What can come of a call; the same words as of a case."""

FROM_LANDING = "its landing"
"""What says when a column came to be known of which the rows do not say it: an export tells how it stands on that day.
"""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    kind : {'text', 'instant', 'integer', 'number', 'money', 'boolean', 'json'}
        What a value must be; `money` is kept in 1/10,000 unit, `instant` in microseconds UTC.
    required : bool
        Whether the column must be there and each row must fill it.
    unit : str
        The unit as a reader meets it in a source file.
    at_least, at_most : int, optional
        Bounds, in the source's unit.
    among : tuple of str
        The only values there may be; empty allows any.
    personal : bool
        Never a feature, a log field or a tracked value.
    known_from : str
        For a later fact, the column that says when it came to be: itself, where it is a time. No cutoff at or before
        that time sees it. `FROM_LANDING` where no column says so: it is known from the row's own `ingested_at`, but in
        a row without one from its landing on, even if the row is backfill.
    reference : str
        The table that must know the value.
    may_change : bool
        Whether a row that comes again may tell it otherwise and be the same row; the first telling stays.
    ahead : bool
        Whether a later fact may lie ahead of the landing without a warning.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    unit: str = ""
    at_least: int | None = None
    at_most: int | None = None
    among: tuple[str, ...] = ()
    personal: bool = False
    known_from: str = ""
    reference: str = ""
    may_change: bool = False
    ahead: bool = False

    @property
    def sql_type(self) -> str:
        """What DuckDB calls the type in which it is kept."""
        return {"text": "VARCHAR", "json": "VARCHAR", "number": "DOUBLE", "boolean": "BOOLEAN"}.get(self.kind, "BIGINT")


@dataclass(frozen=True)
class Table:
    """One table of the contract: what a row is, what names it, and its columns.

    Parameters
    ----------
    name : str
        What it is called.
    row : str
        What one row is, in words.
    key : tuple of str
        The columns that name a row.
    columns : tuple of Column
        In the order of documents and templates.
    occurred : str
        What `occurred_at` means in this table.
    versioned : bool
        Whether a row may come again otherwise: a newer version, known from its own `ingested_at`.
    """

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    occurred: str
    versioned: bool = False

    def column(self, name: str) -> Column:
        """Return the column called `name`."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def priced(self) -> bool:
        """Whether it has amounts of money, whose rows may say their `CURRENCY`."""
        return any(column.kind == "money" for column in self.columns)

    @property
    def later(self) -> dict[str, tuple[str, ...]]:
        """The later facts: for each column that dates some, the columns it dates, itself first."""
        dated = [column for column in self.columns if column.known_from not in {"", FROM_LANDING}]
        by = dict.fromkeys(column.known_from for column in dated)
        return {time: tuple(column.name for column in dated if column.known_from == time) for time in by}

    @property
    def from_landing(self) -> tuple[str, ...]:
        """The later facts that no column dates: known from `ingested_at` or from the landing, never by backfill."""
        return tuple(column.name for column in self.columns if column.known_from == FROM_LANDING)

    @property
    def first_facts(self) -> tuple[str, ...]:
        """The columns that are known with the row itself, clocks and later facts apart."""
        clocks = {"customer_id", "occurred_at", "ingested_at"}
        return tuple(c.name for c in self.columns if not c.known_from and c.name not in clocks)


CURRENCY = Column("currency", "text", "the currency of the amounts, ISO 4217; compared with the workspace's, not kept")
"""A column that any table with amounts may have beside those of the contract."""

_CUSTOMER = Column("customer_id", "text", "who; text, so that 00123 stays 00123", required=True)
_INGESTED = Column("ingested_at", "instant", "when we learned of it; absent in a first landing, declared backfill")


def _table(
    name: str, row: str, occurred: str, key: tuple[str, ...], *columns: Column, versioned: bool = False
) -> Table:
    when = Column("occurred_at", "instant", f"when {occurred}", required=True, unit="time")
    who = _CUSTOMER if name == "customers" else replace(_CUSTOMER, reference="customers")
    return Table(name, row, key, (who, when, _INGESTED, *columns), occurred, versioned)


def _later(name: str, kind: Kind, meaning: str, known_from: str = "", **more: Any) -> Column:  # Any: fields of Column
    return Column(name, kind, meaning, known_from=known_from or name, **more)


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        _table(
            "customers",
            "a customer at first contact",
            "the company first knew of them",
            ("customer_id",),
            Column("birth_year", "integer", "year of birth; for measures only", at_least=1900, at_most=2100),
            Column("gender", "text", "as the customer states it; for measures only"),
            Column("region", "text", "where they live, coarse"),
            Column("city", "text", "where they live, fine"),
            Column("income_band", "text", "household income, in bands"),
            Column("acquisition_channel", "text", "how they came"),
            Column("acquisition_cost", "money", "what winning them cost", unit="currency", at_least=0),
            Column("attributes", "json", "free attributes: one JSON object of texts"),
            Column("display_name", "text", "how to address them", personal=True),
            Column("phone", "text", "telephone", personal=True),
            Column("email", "text", "e-mail", personal=True),
            Column("owner", "text", "who looks after them", personal=True),
            versioned=True,
        ),
        _table(
            "profile_changes",
            "an attribute that changed",
            "it changed",
            ("customer_id", "occurred_at", "attribute"),
            Column("attribute", "text", "what changed: region, city, income_band, or a free attribute", required=True),
            Column("value", "text", "what it is from then on; empty if it no longer holds"),
        ),
        _table(
            "consents",
            "a permission given or withdrawn",
            "the customer said so",
            # with the word itself: where one moment holds both, both land, and the refusal holds
            ("customer_id", "occurred_at", "purpose", "channel", "granted"),
            Column("purpose", "text", "what for", required=True, among=("marketing", "profiling")),
            Column("channel", "text", "by which channel; empty means all: mail, email, phone, app, …"),
            Column("granted", "boolean", "true where given, false where withdrawn", required=True),
        ),
        _table(
            "orders",
            "an order",
            "it was placed",
            ("order_id",),
            Column("order_id", "text", "names the order", required=True),
            Column("amount", "money", "what was paid, net of discount", required=True, unit="currency"),
            Column("discount", "money", "what was taken off the list price", unit="currency", at_least=0),
            Column("cost", "money", "cost of the goods", unit="currency"),
            Column("quantity", "integer", "units bought", unit="units"),
            Column("channel", "text", "where it was placed: a shop, the web, …"),
        ),
        _table(
            "order_lines",
            "a line of an order",
            "the order was placed",
            ("order_id", "line"),
            Column("order_id", "text", "the order it belongs to", required=True, reference="orders"),
            Column("line", "integer", "its number within the order", required=True, at_least=0),
            Column("product_id", "text", "what was bought"),
            Column("category", "text", "the product's category"),
            Column("quantity", "integer", "units bought", unit="units"),
            Column("amount", "money", "what was paid, net of discount", required=True, unit="currency"),
            Column("discount", "money", "what was taken off the list price", unit="currency", at_least=0),
        ),
        _table(
            "returns",
            "goods or money going back",
            "it went back",
            ("order_id", "occurred_at", "return_id"),
            Column("order_id", "text", "the order it belongs to", required=True, reference="orders"),
            Column("return_id", "text", "names the return, where an order has several at one time"),
            Column("amount", "money", "what was paid back", required=True, unit="currency", at_least=0),
            Column("reason", "text", "why"),
        ),
        _table(
            "interactions",
            "one act of behaviour",
            "they acted",
            ("customer_id", "occurred_at", "kind", "session_id", "item", "query", "interaction_id"),
            Column(
                "kind",
                "text",
                "visit, view, search, cart, wishlist, login, help, cancel, referral, share, demo, trial, email_open, "
                "email_click, redeem, payment, payment_failed, …",
                required=True,
            ),
            Column("interaction_id", "text", "names the act, where several that are otherwise alike share a time"),
            Column("session_id", "text", "acts of one visit share it"),
            Column("channel", "text", "web, app, shop, …"),
            Column("item", "text", "what was acted on: a product, a coupon, a page"),
            Column("category", "text", "its category"),
            Column("query", "text", "what was searched for"),
            Column("duration_seconds", "integer", "how long it took", unit="seconds", at_least=0),
        ),
        _table(
            "tickets",
            "a question or complaint",
            "it was opened",
            ("ticket_id",),
            Column("ticket_id", "text", "names the ticket", required=True),
            Column("kind", "text", "question, complaint, …; as first told", may_change=True),
            Column("channel", "text", "email, phone, chat, …; as first told", may_change=True),
            Column("priority", "text", "low, normal, high, urgent, …; as first told", may_change=True),
            _later("first_response_at", "instant", "when it was first answered"),
            _later("resolved_at", "instant", "when it was first resolved"),
            _later("reopened_at", "instant", "when it was first opened again"),
        ),
        _table(
            "surveys",
            "a survey sent",
            "it was sent",
            ("survey_id",),
            Column("survey_id", "text", "names this survey to this customer", required=True),
            Column("instrument", "text", "what it measures", required=True, among=("csat", "nps", "ces", "review")),
            Column("scale_min", "number", "the worst score there is"),
            Column("scale_max", "number", "the best score there is"),
            _later("answered_at", "instant", "when it was answered"),
            _later("score", "number", "what was answered", "answered_at"),
            _later("comment", "text", "what was written", "answered_at"),
        ),
        _table(
            "subscriptions",
            "a version of a contract (plan, amount, renewal)",
            "this version began",
            ("subscription_id",),
            Column("subscription_id", "text", "names the contract", required=True),
            Column("plan", "text", "what is subscribed to"),
            Column("amount", "money", "price of one period", required=True, unit="currency", at_least=0),
            Column("period", "text", "how often it is paid", among=("day", "week", "month", "quarter", "year")),
            Column("started_at", "instant", "when the contract began"),
            _later("renews_at", "instant", "when it renews next, by this version; may lie ahead", FROM_LANDING),
            _later("ended_at", "instant", "when it ended; may lie ahead, and is then not seen before", ahead=True),
            _later("end_reason", "text", "why it ended, as the customer said", "ended_at"),
            versioned=True,
        ),
        _table(
            "contacts",
            "a retention action carried out, or withheld",
            "it was due",
            ("contact_id",),
            Column("contact_id", "text", "names the contact", required=True),
            Column("action", "text", "what was done: an offer, a call, …", required=True),
            Column("campaign", "text", "the campaign it belongs to"),
            Column("channel", "text", "mail, email, phone, app"),
            Column("cost", "money", "what it cost", unit="currency", at_least=0),
            Column("result", "text", "what came of it, of a call", among=CALL_RESULTS),
            Column("arm", "text", "control where it was withheld", among=("treated", "control")),
            Column("propensity", "number", "probability with which the arm was drawn", at_least=0, at_most=1),
        ),
    )
}

REQUIRED = ("customers",)
"""The tables nothing goes without."""

ONE_OF = ("orders", "subscriptions")
"""Of these at least one must be there."""
