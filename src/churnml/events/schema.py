"""The contract: which tables there are, and what each column means, in which unit and range.

Every table also carries `customer_id` (text), `occurred_at` (when it happened) and `ingested_at` (when we learned of
it), both instants in UTC. Ingest checks against these declarations, and `docs/data.md` is written from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "instant", "integer", "number", "money", "json"]

MONEY_SCALE = 10_000
"""Money is kept as integers of 1/10,000 unit, so that sums are exact in any order."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    kind : {'text', 'instant', 'integer', 'number', 'money', 'json'}
        What a value must be; `money` is kept in 1/10,000 unit, `instant` in microseconds UTC.
    required : bool
        Whether the column must be there and each row must fill it.
    unit : str
        The unit as a reader meets it in a source file.
    at_least, at_most : int, optional
        Bounds, in the source's unit.
    personal : bool
        Never a feature, a log field or a tracked value.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    unit: str = ""
    at_least: int | None = None
    at_most: int | None = None
    personal: bool = False


@dataclass(frozen=True)
class Table:
    """One table of the contract: what a row is, what names it, and its columns."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    required: bool = False

    def column(self, name: str) -> Column:
        """Return the column called `name`."""
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns, in order."""
        return tuple(column.name for column in self.columns)


_CUSTOMER = Column("customer_id", "text", "who; text, so that 00123 stays 00123", required=True)
_OCCURRED = Column("occurred_at", "instant", "when it happened", required=True, unit="UTC, or the workspace's zone")
_INGESTED = Column("ingested_at", "instant", "when we learned of it; absent in a first landing, declared backfill")


def _table(name: str, row: str, key: tuple[str, ...], *columns: Column, required: bool = False) -> Table:
    return Table(name, row, key, (_CUSTOMER, _OCCURRED, _INGESTED, *columns), required)


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        _table(
            "customers",
            "a customer at first contact",
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
            required=True,
        ),
        _table(
            "orders",
            "an order",
            ("order_id",),
            Column("order_id", "text", "names the order", required=True),
            Column("amount", "money", "what was paid, net of discount", required=True, unit="currency"),
            Column("discount", "money", "what was taken off the list price", unit="currency", at_least=0),
            Column("cost", "money", "cost of the goods", unit="currency"),
            Column("quantity", "integer", "units bought", unit="units"),
            Column("channel", "text", "where it was placed: a shop, the web, …"),
            required=True,
        ),
        _table(
            "order_lines",
            "a line of an order",
            ("order_id", "line"),
            Column("order_id", "text", "the order it belongs to", required=True),
            Column("line", "integer", "its number within the order", required=True, at_least=0),
            Column("product_id", "text", "what was bought"),
            Column("category", "text", "the product's category"),
            Column("quantity", "integer", "units bought", unit="units"),
            Column("amount", "money", "what was paid, net of discount", required=True, unit="currency"),
            Column("discount", "money", "what was taken off the list price", unit="currency", at_least=0),
        ),
        _table(
            "interactions",
            "one act of behaviour",
            ("customer_id", "occurred_at", "kind", "item"),
            Column("kind", "text", "visit, view, search, cart, redeem, …", required=True),
            Column("session_id", "text", "acts of one visit share it"),
            Column("channel", "text", "web, app, shop, …"),
            Column("item", "text", "what was acted on: a product, a coupon, a page"),
            Column("category", "text", "its category"),
            Column("query", "text", "what was searched for"),
            Column("duration_seconds", "integer", "how long it took", unit="seconds", at_least=0),
        ),
        _table(
            "contacts",
            "a retention action carried out, or withheld",
            ("contact_id",),
            Column("contact_id", "text", "names the contact", required=True),
            Column("action", "text", "what was done: an offer, a call, …", required=True),
            Column("campaign", "text", "the campaign it belongs to"),
            Column("channel", "text", "mail, email, phone, app"),
            Column("cost", "money", "what it cost", unit="currency", at_least=0),
            Column("arm", "text", "treated, or control where it was withheld"),
            Column("propensity", "number", "probability with which the arm was drawn", at_least=0, at_most=1),
        ),
    )
}
