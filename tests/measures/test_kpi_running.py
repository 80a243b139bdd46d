"""A figure that stands until it changes: added up from changes, it is what it would be if everybody were asked anew."""

from datetime import date

import pytest

from churnml.events.books import open_books
from churnml.events.clock import midnight
from churnml.measures.kpi_ground import SUMS, Ground
from churnml.measures.kpi_list import Windows
from churnml.measures.kpi_money import worth
from churnml.measures.periods import periods
from small import Tiny

BEGIN, END = (midnight(date(2020, month, 1), "UTC") for month in (1, 7))

CUSTOMERS = """
    customer_id  occurred_at  acquisition_cost
    ann          2019-11-01   5
    bob          2020-01-01   0
    cem          2020-01-01   2.5
    dan          2020-02-01   -
"""
EXTREMES = {  # all of it back, more back than was paid, a cost above the price, the first and the last day, a fortune
    "customers": CUSTOMERS,
    "orders": """
        customer_id  occurred_at           order_id  amount       cost
        ann          2019-11-02            a1        10           -
        ann          2020-01-01            a2        20           30
        ann          2020-06-30T23:59:59Z  a3        1            0
        bob          2020-01-31            b1        0.01         -
        bob          2020-02-01            b2        900000000.5  -
        cem          2020-03-01            c1        10           4
        dan          2020-03-01            d1        10           -
        dan          2020-05-01            d2        10           -
    """,
    "returns": """
        customer_id  occurred_at  return_id  order_id  amount
        cem          2020-03-05   r1         c1        10
        dan          2020-04-01   r2         d1        15
        bob          2020-06-01   r3         b2        900000000.5
    """,
}  # fmt: skip
CONTRACTS = {  # ended before the report, never ended, of one day, made dearer, begun on its last day
    "customers": CUSTOMERS,
    "subscriptions": """
        customer_id  occurred_at  subscription_id  plan   amount  period  started_at  ended_at
        ann          2019-11-01   s1               basic  10      month   2019-11-01  2019-12-01
        ann          2020-06-30   s2               basic  10      month   2020-06-30  -
        bob          2020-01-01   s3               basic  120     year    2020-01-01  -
        bob          2020-03-10   s3               plus   240     year    2020-01-01  -
        cem          2020-02-01   s4               basic  10      month   2020-02-01  2020-02-02
        dan          2020-02-01   s5               trial  10      month   2020-02-01  -
    """,
}  # fmt: skip
ANEW = """
    SELECT customer_id, c.period AS period, arg_max(margin, m.period) AS y, {x} AS x
    FROM kpi_margin_{key} AS m JOIN {calendar} AS c ON m.period <= c.period JOIN {people} USING (customer_id)
    {where} GROUP BY ALL
"""


@pytest.fixture(params=[EXTREMES, CONTRACTS], ids=["extremes", "contracts"])
def ground(request, tmp_path):
    tiny = Tiny.make(tmp_path)
    tiny.land(**request.param)
    with open_books(tiny.store, END) as books:
        yield Ground.lay(books, periods(BEGIN, END, "month", "UTC"), Windows(), None, 0.25)
    tiny.catalogue.engine.dispose()


@pytest.mark.parametrize(
    ("place", "x", "where"),
    [(0, "1", ""), (1, "any_value(acquisition_cost)", "WHERE acquisition_cost > 0")],
    ids=["clv_historic", "clv_to_cac"],
)
def test_what_is_added_up_from_changes_is_what_asking_everybody_anew_finds(ground, place, x, where):
    names = [*SUMS]
    added = list(worth(ground))[place].set_index("period")[names].sort_index()
    query = ANEW.format(key=ground.key, calendar=ground.calendar, people=ground.people, x=x, where=where)
    anew = ground.sums("anew", query).set_index("period")[names].sort_index()
    assert added.index.tolist() == anew.index.tolist()
    assert len(added) >= 4
    for name in names:
        assert added[name].tolist() == pytest.approx(anew[name].tolist(), rel=1e-9, abs=1e-6), name
