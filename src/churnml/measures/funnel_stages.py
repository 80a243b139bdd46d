"""The stages that customers go through: presets by kind of business, stages of one's own, and when each was reached.

A stage is reached by the first row that says so, or by the third where it takes three. Rows say it by table, column and
value, so any event that has landed can make a stage. Orders count by days with an order (ADR 5), contracts from the day
on which they are paid for, contacts only if they were carried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2s

from churnml.config import FunnelPreset, FunnelRules
from churnml.errors import ConfigError, nearest
from churnml.events.books import Books
from churnml.events.clock import DAY
from churnml.events.schema import TABLES
from churnml.wording import Text

Wanted = bool | int | str | tuple[str, ...]

_COUNT, _HELD = "at_least", "held_days"
_PAID = "paid"
_FITS: dict[str, tuple[tuple[type, ...], str]] = {
    "text": ((str, tuple), "a text or a list of texts (in quotes, where YAML takes it for something else)"),
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
}
"""What a column can be compared with, by its kind."""

_NOT_ASKED = {"customer_id"}


@dataclass(frozen=True)
class Sign:
    """What rows of one table have to say for a stage to be reached.

    Parameters
    ----------
    table : str
    where : mapping of str to bool, int, str or tuple of str
        By column, the value, or any of several.
    at_least : int
        So many such rows; of orders, days with an order.
    held_days : int
        Of contracts: so many days held since they were paid for.
    """

    table: str
    where: Mapping[str, Wanted] = field(default_factory=dict)
    at_least: int = 1
    held_days: int = 0


@dataclass(frozen=True)
class FunnelStage:
    """A stage: what it is called, and the signs of which any one will do."""

    name: str
    label: Text
    signs: tuple[Sign, ...]


def _kinds(*kinds: str) -> Sign:
    return Sign("interactions", {"kind": kinds})


_PAID_FOR = Sign("subscriptions", {_PAID: True})
_PROSPECT = FunnelStage("prospect", Text("Prospect", "潜在客户"), (Sign("customers"),))
_KNOWN = FunnelStage("known", Text("Known", "已知客户"), (Sign("customers"),))
_DEMO = FunnelStage("demo", Text("Demo", "演示"), (_kinds("demo"),))
_TRIAL = FunnelStage("trial", Text("Trial", "试用"), (_kinds("trial"), Sign("subscriptions", {_PAID: False})))
_PAYING = FunnelStage("paying", Text("Paying", "付费"), (Sign("orders"), _PAID_FOR))
_LOYAL = FunnelStage("loyal", Text("Loyal", "忠诚"), (Sign("orders", at_least=3), Sign("subscriptions", held_days=180)))
_FIRST = FunnelStage("first_order", Text("First order", "首次下单"), (Sign("orders"), _PAID_FOR))
_SECOND = FunnelStage("second_order", Text("Second order", "再次下单"), (Sign("orders", at_least=2),))
_REGULAR = FunnelStage("regular", Text("Regular (5 orders)", "常客（5 次下单）"), (Sign("orders", at_least=5),))

PRESETS: dict[FunnelPreset, tuple[FunnelStage, ...]] = {
    "default": (_PROSPECT, _DEMO, _TRIAL, _PAYING, _LOYAL),
    "short": (_PROSPECT, _PAYING, _LOYAL),
    "retail": (_KNOWN, _FIRST, _SECOND, _REGULAR),
    "ecommerce": (
        FunnelStage("visitor", Text("Visitor", "访客"), (Sign("customers"),)),
        FunnelStage("browsing", Text("Looked at products", "浏览商品"), (_kinds("view", "search"),)),
        FunnelStage("cart", Text("Filled a cart", "加入购物车"), (_kinds("cart"),)),
        _FIRST,
        _SECOND,
        _REGULAR,
    ),
    "finance": (
        _PROSPECT,
        FunnelStage("enquiry", Text("Enquiry", "咨询"), (_kinds("visit", "view", "search", "demo"), Sign("tickets"))),
        FunnelStage("first_product", Text("First product", "首个产品"), (_PAID_FOR, Sign("orders"))),
        FunnelStage("active", Text("In use (3 payments)", "活跃使用（3 笔支付）"), (
            Sign("interactions", {"kind": "payment"}, at_least=3), Sign("orders", at_least=3),
        )),
        FunnelStage("second_product", Text("Second product", "第二个产品"), (
            Sign("subscriptions", {_PAID: True}, at_least=2),
        )),
        FunnelStage("loyal", Text("Held for a year", "持有满一年"), (Sign("subscriptions", held_days=365),)),
    ),
    "b2b": (
        FunnelStage("lead", Text("Lead", "线索"), (Sign("customers"),)),
        FunnelStage("engaged", Text("Engaged", "有互动"), (_kinds("visit", "view", "email_click", "login"),)),
        _DEMO,
        _TRIAL,
        FunnelStage("customer", Text("Customer", "签约客户"), (_PAID_FOR, Sign("orders"))),
        FunnelStage("expanded", Text("Bought more", "增购或续约"), (
            Sign("subscriptions", {_PAID: True}, at_least=2), Sign("orders", at_least=2),
            Sign("subscriptions", held_days=365),
        )),
    ),
}  # fmt: skip
"""The stages of each kind of business, in order; those of which nothing has landed are left out."""

PRESET_NAMES: dict[FunnelPreset, Text] = {
    "default": Text("prospect to loyal", "从潜在客户到忠诚客户"),
    "short": Text("three stages", "三阶段"),
    "retail": Text("retail", "零售"),
    "ecommerce": Text("e-commerce", "电商"),
    "finance": Text("finance", "金融"),
    "b2b": Text("business to business", "企业客户"),
}


def chosen_stages(books: Books, rules: FunnelRules) -> tuple[tuple[FunnelStage, ...], FunnelPreset | None]:
    """Return the stages to count by, and whose preset they are; None of one's own.

    `auto` takes `default` where demonstrations or trials have landed, `ecommerce` where products looked at or carts
    have, else `retail` where there are orders, else `short`.

    Raises
    ------
    ConfigError
        If a stage names a table or column that the contract does not have.
    """
    if rules.stages:
        return own_stages(rules), None
    preset = _by_what_landed(books) if rules.preset == "auto" else rules.preset
    return PRESETS[preset], preset


def _by_what_landed(books: Books) -> FunnelPreset:
    trials = carts = False
    if "interactions" in books.tables:
        query = """
            SELECT coalesce(bool_or(kind IN ('demo', 'trial')), false) AS trials,
                   coalesce(bool_or(kind IN ('cart', 'view')), false) AS carts
            FROM interactions
        """
        trials, carts = (bool(one) for one in books.frame(query).iloc[0])
    if trials:
        return "default"
    if "orders" not in books.tables:
        return "short"
    return "ecommerce" if carts else "retail"


def own_stages(rules: FunnelRules, where: str = "measure.yaml") -> tuple[FunnelStage, ...]:
    """Return the stages of one's own, none where there are none.

    Parameters
    ----------
    where : str
        The file that they stand in.

    Raises
    ------
    ConfigError
        If a stage names a table or column that the contract does not have.
    """
    return tuple(_own(where, stage.name, Text(stage.label.en, stage.label.zh), stage.when) for stage in rules.stages)


def _own(where: str, name: str, label: Text, when: Mapping[str, Mapping[str, Wanted]]) -> FunnelStage:
    said = f"{where}: stage `{name}` of the funnel"
    return FunnelStage(name, label, tuple(_sign(said, table, wanted) for table, wanted in when.items()))


def _sign(where: str, table: str, wanted: Mapping[str, Wanted]) -> Sign:
    """Return a sign as it was written, checked against the contract."""
    if table not in TABLES:
        raise ConfigError(f"{where} must name a table, got `{table}`{nearest(table, TABLES)} (known: {_all(TABLES)})")
    known = [column.name for column in TABLES[table].columns if column.kind in _FITS and not column.personal]
    known = [name for name in known if name not in _NOT_ASKED]
    known += [_PAID, _HELD] if table == "subscriptions" else []
    for column in wanted:
        if column not in (*known, _COUNT):
            raise ConfigError(
                f"{where} must ask for columns of `{table}` with words or numbers, got `{column}`"
                f"{nearest(column, known)} (known: {_all([*known, _COUNT])})"
            )
    counts = {name: _whole(where, name, wanted[name]) for name in (_COUNT, _HELD) if name in wanted}
    columns = {name: value for name, value in wanted.items() if name not in counts}
    for name, value in columns.items():
        kind = "boolean" if name == _PAID else TABLES[table].column(name).kind
        fitting, words = _FITS[kind]
        if not isinstance(value, fitting) or (kind == "integer" and isinstance(value, bool)):
            raise ConfigError(f"{where}: `{name}` of `{table}` must be compared with {words}, got {value!r}")
    return Sign(table, columns, counts.get(_COUNT, 1), counts.get(_HELD, 0))


def _whole(where: str, name: str, value: Wanted) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{where}: `{name}` must be a whole number of at least 1, got {value!r}")
    return value


def _all(names: Iterable[str]) -> str:
    return ", ".join(names)


def keep_times(books: Books, stages: tuple[FunnelStage, ...]) -> str:
    """Keep a table of when each stage was first seen of each customer of the base, and return its name.

    Each table that signs name is read once, whatever number of stages it speaks for.

    Returns
    -------
    str
        Of a table with `customer_id` and `own_0`, `own_1`, …, microseconds UTC, NULL where never; a row per customer.
    """
    asked = [(place, sign) for place, stage in enumerate(stages) for sign in stage.signs if sign.table in books.tables]
    sources: dict[str, list[tuple[str, str]]] = {}
    given: dict[str, Wanted | list[str]] = {}
    for number, (place, sign) in enumerate(asked):
        rows, condition = _rows_of(sign, number, given)
        first = f"min(seen_at) FILTER (WHERE {condition})"
        if sign.at_least > 1:
            first = f"(min(seen_at, {sign.at_least}) FILTER (WHERE {condition}))[{sign.at_least}]"
        sources.setdefault(rows, []).append((f"own_{place}", first))
    joined, own = [], {f"own_{place}": list[str]() for place in range(len(stages))}
    for number, (rows, firsts) in enumerate(sources.items()):
        columns = ", ".join(f"{first} AS at_{turn}" for turn, (_, first) in enumerate(firsts))
        joined.append(f"LEFT JOIN (SELECT customer_id, {columns} FROM {rows} GROUP BY ALL) AS s{number} "
                      f"USING (customer_id)")  # fmt: skip
        for turn, (stage, _) in enumerate(firsts):
            own[stage].append(f"s{number}.at_{turn}")
    if any(sign.table == "orders" and not sign.where for _, sign in asked):
        _ = books.order_days
    told = ", ".join(f"least({', '.join([*found, 'NULL::BIGINT'])}) AS {name}" for name, found in own.items())
    digest = blake2s(repr(stages).encode(), digest_size=4).hexdigest()
    return books.keep(f"funnel_times_{digest}", f"SELECT customer_id, {told} FROM customers {' '.join(joined)}", given)


def _rows_of(sign: Sign, number: int, given: dict[str, Wanted | list[str]]) -> tuple[str, str]:
    """Return the rows that a sign looks at, with their time as `at`, and the condition that they meet."""
    conditions = []
    for turn, (column, wanted) in enumerate(sign.where.items()):
        if sign.table == "subscriptions" and column == _PAID:
            continue
        name = f"wanted_{number}_{turn}"
        given[name] = list(wanted) if isinstance(wanted, tuple) else wanted
        conditions.append(f"list_contains(${name}, {column})" if isinstance(wanted, tuple) else f"{column} = ${name}")
    matching = " AND ".join(conditions) or "true"
    if sign.table == "orders":
        return (_order_days(matching) if sign.where else _ORDER_DAYS), "true"
    if sign.table == "subscriptions":
        return _contracts(sign), matching
    if sign.table == "contacts":
        matching += " AND arm IS DISTINCT FROM 'control'"
    return f"(SELECT *, occurred_at AS seen_at FROM {sign.table})", matching


_ORDER_DAYS = "(SELECT customer_id, first_at AS seen_at FROM order_days WHERE ordered)"


def _order_days(matching: str) -> str:
    return (
        "(SELECT customer_id, min(occurred_at) FILTER (amount > 0) AS seen_at FROM orders "
        f"WHERE {matching} GROUP BY customer_id, local_time(occurred_at)::DATE HAVING sum(amount) > 0)"
    )


def _contracts(sign: Sign) -> str:
    """Return contracts with the time that counts: from when they are paid for, held, or tried without payment."""
    if sign.held_days:
        held = f"paid_from + {sign.held_days * DAY}"
        return (
            f"(SELECT *, {held} AS seen_at FROM subscriptions WHERE {held} < opened_at() "
            f"AND (ended_at IS NULL OR ended_at >= {held}))"
        )
    if sign.where.get(_PAID) is False:
        return "(SELECT *, started_at AS seen_at FROM subscriptions WHERE paid_from IS NULL OR paid_from > started_at)"
    if sign.where.get(_PAID) is True:
        return "(SELECT *, paid_from AS seen_at FROM subscriptions WHERE paid_from IS NOT NULL)"
    return "(SELECT *, started_at AS seen_at FROM subscriptions)"
