"""What all figures stand on: the periods as tables beside the books, and sums over customers from which intervals come.

A figure begins as a query with one row per customer and period: `y`, what is counted, and `x`, what it is divided by.
Its sums over customers, of both, their squares and their product, are all that a share, a mean or a ratio and its
interval need, and they add up: those of all are the sums of those of the parts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pandas as pd

from churnml.errors import NotEnoughDataError
from churnml.events.books import Books
from churnml.events.renewals import PERIODS
from churnml.events.schema import MONEY_SCALE
from churnml.measures.exact import EXACT, exact_sum
from churnml.measures.kpi_list import Windows
from churnml.measures.parts import EVERYBODY, parts
from churnml.measures.periods import Period
from churnml.wording import Text

SUMS = ("y", "x", "yy", "xx", "xy", "customers")
_SUMMED = {"y": "y", "x": "x", "yy": "y * y", "xx": "x * x", "xy": "x * y"}


@dataclass(frozen=True)
class Ground:
    """Books with periods and people laid beside them.

    Parameters
    ----------
    books : Books
        As known at the end of what is asked.
    key : str
        Ends the names of its tables: the same books may be asked of other periods.
    people : str
        Names a table of `customer_id`, `part`, `known` (the day they became known) and `acquisition_cost`, a number in
        the currency.
    margin_rate : float
        Margin per unit of revenue where no cost is known.
    parted : bool
        Whether people are of several parts.
    """

    books: Books
    periods: tuple[Period, ...]
    windows: Windows
    key: str
    people: str
    margin_rate: float
    parted: bool

    @classmethod
    def lay(
        cls, books: Books, periods: tuple[Period, ...], windows: Windows, by: str | None, margin_rate: float
    ) -> Ground:
        """Lay the periods and the people beside the books."""
        key = f"{periods[0].name}_{periods[-1].last}_{len(periods)}_{_word(by)}".replace("-", "")
        days = {"period": [one.first for one in periods], "last": [one.last for one in periods]}
        books.add(f"kpi_days_{key}", pd.DataFrame(days))
        books.keep(f"kpi_periods_{key}", f"SELECT period::DATE AS period, last::DATE AS last FROM kpi_days_{key}")
        people = books.keep(
            f"kpi_people_{key}",
            f"""
            SELECT customer_id, part, local_time(first_known_at)::DATE AS known,
                   acquisition_cost / {MONEY_SCALE}.0 AS acquisition_cost
            FROM customers JOIN {parts(books, by)} USING (customer_id)
            """,
        )
        return cls(books, periods, windows, key, people, margin_rate, by is not None)

    @property
    def calendar(self) -> str:
        """Name the table of periods: `period`, its first day, and `last`, the day after its last."""
        return f"kpi_periods_{self.key}"

    def days(self, shift: int = 0) -> str:
        """Name a table of `day` and `period`: the days of each period, all moved back by so many days."""
        name = f"kpi_calendar_{shift}_{self.key}"
        query = f"""
            SELECT period, unnest(generate_series(period - {shift}, last - {shift} - 1, INTERVAL 1 DAY))::DATE AS day
            FROM {self.calendar}
        """
        return self.books.keep(name, query)

    def keep(self, name: str, query: str) -> str:
        """Keep what a query finds as a table and return its name; `$horizon_days` and the like are filled in."""
        return self.books.keep(f"{name}_{self.key}", query, self._given(query))

    def sums(self, kpi: str, query: str, *, whole: bool = True) -> pd.DataFrame:
        """Return the sums of a figure by period and part.

        Parameters
        ----------
        kpi : str
            Its name.
        query : str
            Of `customer_id`, `period`, `y` and `x`, one row per customer and period.
        whole : bool, default True
            Whether `y` and `x` are whole numbers, whose sums are exact as they are; others are rounded to eight digits.

        Returns
        -------
        DataFrame
            `kpi`, `period`, `part` and the columns of `SUMS`; `customers` are those it rests on, whose x is not 0.
        """
        sums = ", ".join(f"{f'sum({what})' if whole else exact_sum(what)} AS {name}" for name, what in _SUMMED.items())
        return self.books.frame(
            f"""
            SELECT '{kpi}' AS kpi, period, part, {sums}, count(*) FILTER (x <> 0) AS customers
            FROM {self._parted(f"SELECT customer_id, period, y::DOUBLE AS y, x::DOUBLE AS x FROM ({query})")}
            GROUP BY period, part
            """,
            self._given(query),
        )

    def tallied(self, kpi: str, query: str) -> pd.DataFrame:
        """Return the sums of a figure whose customers are alike, see `sums`.

        Parameters
        ----------
        query : str
            Of `period`, `part` and `n`, how many customers there are, each with the same `y` and `x`.
        """
        return self.books.frame(
            f"""
            SELECT '{kpi}' AS kpi, period, part, sum(n * y)::DOUBLE AS y, sum(n * x)::DOUBLE AS x,
                   sum(n * y * y)::DOUBLE AS yy, sum(n * x * x)::DOUBLE AS xx, sum(n * x * y)::DOUBLE AS xy,
                   coalesce(sum(n) FILTER (x <> 0), 0)::BIGINT AS customers
            FROM ({query}) GROUP BY period, part
            """,
            self._given(query),
        )

    def running(self, kpi: str, query: str) -> pd.DataFrame:
        """Return the sums of a figure that stands until it changes, see `sums`.

        A customer has a row only where theirs begins or changes: what it adds to the sums over customers is added up
        from period to period, so that nobody is counted anew in each.

        Parameters
        ----------
        query : str
            Of `customer_id`, `period`, `y`, `before` (what y was until then, empty where it begins) and `x`, which
            stays as it is.
        """
        rows = f"SELECT customer_id, period, y::DOUBLE AS y, before::DOUBLE AS before, x::DOUBLE AS x FROM ({query})"
        return self.books.frame(
            f"""
            WITH changes AS (
                SELECT period AS since, part,
                       sum(y::{EXACT} - coalesce(before, 0)::{EXACT}) AS y,
                       sum(x::{EXACT}) FILTER (before IS NULL) AS x,
                       sum((y * y)::{EXACT} - coalesce(before * before, 0)::{EXACT}) AS yy,
                       sum((x * x)::{EXACT}) FILTER (before IS NULL) AS xx,
                       sum((x * y)::{EXACT} - coalesce(x * before, 0)::{EXACT}) AS xy,
                       count(*) FILTER (before IS NULL AND x <> 0) AS customers
                FROM {self._parted(rows)}
                GROUP BY period, part
            )
            SELECT '{kpi}' AS kpi, period, part, {", ".join(f"sum({name})::DOUBLE AS {name}" for name in SUMS[:-1])},
                   sum(customers)::BIGINT AS customers
            FROM changes JOIN {self.calendar} ON since <= period GROUP BY period, part
            """,
            self._given(query),
        )

    def _parted(self, rows: str) -> str:
        """Return rows of customers with their `part`; where all are one, nobody need be looked up for it."""
        if self.parted:
            return f"({rows}) JOIN {self.people} USING (customer_id)"
        return f"(SELECT *, '{EVERYBODY}' AS part FROM ({rows}))"

    def _given(self, query: str) -> Mapping[str, float]:
        values = asdict(self.windows) | {"margin_rate": self.margin_rate}
        return {name: values[name] for name in set(re.findall(r"\$(\w+)", query))}

    @property
    def buyers(self) -> str:
        """Name a table of what each customer bought in each period, those without an order left out.

        `days` are order events, `orders` those that were paid, `amount` is in the currency.
        """
        return self.keep(
            "kpi_buyers",
            f"""
            SELECT customer_id, period, count(*) FILTER (ordered) AS days, sum(orders) AS orders,
                   sum(amount) / {MONEY_SCALE}.0 AS amount
            FROM {self.books.order_days} JOIN {self.days()} USING (day) GROUP BY customer_id, period
            """,
        )

    @property
    def turns(self) -> str:
        """Name a table of the days with an order event: `customer_id`, `day`, and `next`, the customer's next one.

        Whose last such day before another is known without looking at all their days.
        """
        return self.keep(
            "kpi_turns",
            f"""
            SELECT customer_id, day, lead(day) OVER (PARTITION BY customer_id ORDER BY day) AS next
            FROM {self.books.order_days} WHERE ordered
            """,
        )

    @property
    def contracts(self) -> str:
        """Name a table of the contracts that were paid for: from which local day, until which, and whether continued.

        Another contract of the customer continues one if it is paid for, begins before the grace period after the end
        is over, and outlasts it: as labels count it.
        """
        return self.keep(
            "kpi_contracts",
            """
            WITH paid AS (
                SELECT customer_id, subscription_id, started_at, paid_from, ended_at FROM subscriptions
                WHERE paid AND paid_from < coalesce(ended_at, opened_at())
            ),
            continued AS (
                SELECT DISTINCT one.subscription_id, one.customer_id FROM paid AS one
                JOIN paid AS other ON one.customer_id = other.customer_id
                 AND one.subscription_id <> other.subscription_id
                 AND coalesce(other.ended_at > one.ended_at, true)
                 AND local_time(other.started_at) < local_time(one.ended_at) + to_days($grace_days::INTEGER)
                WHERE one.ended_at IS NOT NULL
            )
            SELECT customer_id, local_time(paid_from)::DATE AS day, local_time(ended_at)::DATE AS until,
                   c.subscription_id IS NOT NULL AS continued
            FROM paid LEFT JOIN continued AS c USING (customer_id, subscription_id)
            """,
        )

    @property
    def fees(self) -> str:
        """Name a table of what each version of a contract costs a day (`fee`, in the currency), from `day` to `until`.

        Which days a price is for is as its `period` says, a month where it says nothing; trials cost nothing. The first
        version tells of all days since the contract began.
        """
        cases = " ".join(f"WHEN '{word}' THEN {days}" for word, days in PERIODS.items())
        return self.keep(
            "kpi_fees",
            f"""
            WITH versions AS (
                SELECT v.*, local_time(v.occurred_at)::DATE AS day, local_time(s.started_at)::DATE AS began,
                       local_time(s.ended_at)::DATE AS ended,
                       lead(local_time(v.occurred_at)::DATE) OVER turn AS next_day, row_number() OVER turn AS number
                FROM contract_versions AS v JOIN subscriptions AS s USING (subscription_id)
                WINDOW turn AS (PARTITION BY subscription_id ORDER BY v.occurred_at)
            )
            SELECT customer_id, CASE WHEN number = 1 THEN least(day, began) ELSE day END AS day,
                   least(next_day, ended) AS until,
                   amount / {MONEY_SCALE}.0 / CASE coalesce(period, 'month') {cases} END AS fee
            FROM versions WHERE paid
            """,
        )

    @property
    def first(self) -> str:
        """Name a table of when each customer began to buy: `day`, of an order or a contract, and `ordered`, `again`.

        `ordered` and `again` are the first two days with an order event.
        """
        return self.keep(
            "kpi_first",
            f"""
            SELECT customer_id, min(day) AS day, min(ordered) AS ordered, min(again) AS again FROM ({self._begun()})
            GROUP BY customer_id
            """,
        )

    def _begun(self) -> str:
        found = []
        if "orders" in self.books.tables:
            found.append(
                f"""
                SELECT customer_id, days[1] AS day, days[1] AS ordered, days[2] AS again
                FROM (SELECT customer_id, min(day, 2) AS days FROM {self.books.order_days} WHERE ordered GROUP BY ALL)
                """
            )
        if "subscriptions" in self.books.tables:
            found.append(f"SELECT customer_id, day, NULL AS ordered, NULL AS again FROM {self.contracts}")
        return " UNION ALL ".join(found)

    @property
    def present(self) -> str:
        """Name a table of who was there in each period: with an order event in it, or a contract that is paid for."""
        found = []
        if "orders" in self.books.tables:
            found.append(f"SELECT customer_id, period FROM {self.buyers} WHERE days > 0")
        if "subscriptions" in self.books.tables:
            found.append(
                f"""
                SELECT customer_id, period FROM {self.contracts} JOIN {self.calendar}
                ON day < last AND coalesce(until >= period, true)
                """
            )
        return self.keep("kpi_present", " UNION ".join(found))

    @property
    def began(self) -> pd.Timestamp:
        """The first local day of the history: of the first order, or where there are none, of the first contract."""
        table = self.books.order_days if "orders" in self.books.tables else self.contracts
        first = self.books.frame(f"SELECT min(day) AS day FROM {table}")["day"][0]
        if pd.isna(first):
            raise NotEnoughDataError(_NOTHING_PAID)
        return pd.Timestamp(first)


_NOTHING_PAID = Text(
    "`measure kpis` needs an order or a contract that is paid for before --to, found none; ask for later days or land "
    "them",
    "`measure kpis` 需要在 --to 之前有已付款的订单或合同，目前没有；请选择更晚的日期，或导入这些数据",
)


def _word(by: str | None) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in by or "all")
