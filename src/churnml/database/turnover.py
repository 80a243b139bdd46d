"""How many came into the band of high risk between two runs and how many left it, and what they are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, and_, case, func, select

from churnml.database.tables import records

Came = Literal["lower", "new"]
Left = Literal["ordered", "lower", "unscored"]
_HIGH = "high"


@dataclass(frozen=True)
class Group:
    """How many customers, and the value at risk that they have, or had."""

    customers: int = 0
    value: float = 0.0


@dataclass(frozen=True)
class Turnover:
    """What became of the band of high risk.

    Parameters
    ----------
    stayed : Group
        At high risk in both runs; their value at risk is that of the later.
    came : dict of str to Group
        `lower`: at lower risk before; `new`: not scored before. With their value at risk now.
    left : dict of str to Group
        `ordered`: by an order since; `lower`: at lower risk without one; `unscored`: not scored any more, for they
        are gone, were erased or refuse it. With their value at risk before.
    """

    stayed: Group
    came: dict[Came, Group]
    left: dict[Left, Group]


def turnover(connection: Connection, run_id: str, before: str, before_cutoff: int) -> Turnover:
    """Return what became of the band of high risk from one run to another.

    It reads all that both say, so ask it where a run is written, and keep the answer. Of whom something has arrived
    since the earlier run the record stands that was made anew, as on the list that people saw.

    Parameters
    ----------
    run_id, before : str
        The later run and the earlier one.
    before_cutoff : int
        Of the earlier, microseconds UTC: an order from there on counts as one since.
    """
    now, was = records.alias("now"), records.alias("was")
    ahead = and_(was.c.run_id == before, was.c.customer_id == now.c.customer_id)
    how = case((was.c.risk_band == _HIGH, "stayed"), (was.c.risk_band.is_not(None), "lower"), else_="new").label("how")
    query = select(how, func.count(), func.sum(now.c.value_at_risk)).select_from(now.outerjoin(was, ahead))
    query = query.where(now.c.run_id == run_id, now.c.risk_band == _HIGH).group_by(how)
    came = {name: Group(int(count), float(value or 0.0)) for name, count, value in connection.execute(query)}

    behind = and_(now.c.run_id == run_id, now.c.customer_id == was.c.customer_id)
    ordered = now.c.last_order_at >= before_cutoff
    why = case((ordered, "ordered"), (now.c.risk_band.is_not(None), "lower"), else_="unscored").label("why")
    query = select(why, func.count(), func.sum(was.c.value_at_risk)).select_from(was.outerjoin(now, behind))
    query = query.where(was.c.run_id == before, was.c.risk_band == _HIGH, now.c.risk_band.is_distinct_from(_HIGH))
    left = {
        name: Group(int(count), float(value or 0.0)) for name, count, value in connection.execute(query.group_by(why))
    }
    return Turnover(
        stayed=came.get("stayed", Group()),
        came={"lower": came.get("lower", Group()), "new": came.get("new", Group())},
        left={name: left.get(name, Group()) for name in ("ordered", "lower", "unscored")},
    )
