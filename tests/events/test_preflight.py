"""What counts as history: what lies together, and what cutoffs of its time could see."""

import numpy as np
import pytest

from churnml.events.clock import DAY
from churnml.events.point_in_time import usual_lateness_days
from churnml.events.preflight import _densest
from small import NOW

CUSTOMERS = "customer_id occurred_at\nann 2020-01-01\nbob 2020-01-01"
HEADER = "customer_id occurred_at order_id amount"


def orders(*days):
    return "\n".join([HEADER, *(f"ann {day} o{day} 1" for day in days)])


AUGUST = [f"2021-08-{day:02}" for day in range(1, 20)]


def test_an_order_of_1900_makes_no_history_of_a_century(tiny):
    found = tiny.land(customers=CUSTOMERS, orders=orders("1900-01-01", *AUGUST)).preflight
    assert found["span_days"] == 19
    words = "1 of 20 rows of `orders` lie far in time from all others and are no history: correct their dates"
    assert found["cautions"][0] == words


def test_what_stands_and_what_comes_are_one_history(tiny):
    tiny.land(customers=CUSTOMERS, orders=orders("2021-07-01"))
    found = tiny.land(NOW + DAY, orders=orders("2021-09-10")).preflight
    assert (found["span_days"], found["cautions"]) == (72, [])


def test_history_that_is_learned_today_does_not_count(tiny):
    tiny.land(customers=CUSTOMERS, orders=orders(*AUGUST))
    months = [f"{year}-{month:02}-01" for year in range(2017, 2021) for month in range(1, 13)]
    found = tiny.land(NOW + DAY, orders=orders(*months)).preflight
    assert found["span_days"] == 19
    assert found["cautions"][0].startswith(
        "48 of 67 rows of `orders` were learned more than 30 days after they happened"
    )


def test_history_that_is_called_backfill_counts(tiny):
    tiny.land(customers=CUSTOMERS, orders=orders(*AUGUST))
    later = tiny.file("later.csv", orders("2021-01-01").replace(" ", ","))
    assert tiny.ingest("orders", later, NOW + DAY, backfill=True).preflight["span_days"] == 231


def test_the_lateness_foreseen_is_the_one_that_training_will_meet(tiny):
    lines = "\n".join(f"ann 2021-08-01 o{n} 1 2021-08-{n:02}" for n in range(1, 20))
    found = tiny.land(customers=CUSTOMERS, orders=f"{HEADER} ingested_at\n{lines}").preflight
    assert found["lateness_days"] == usual_lateness_days(tiny.store) == 18


def test_customers_who_come_after_their_orders_are_counted(tiny):
    customers = "customer_id occurred_at\nann 2021-09-01\nbob 2020-01-01\neve 2021-08-02"
    found = tiny.land(
        customers=customers, orders=f"{HEADER}\nann 2021-08-01 o1 1\nbob 2021-08-01 o2 1\neve 2021-08-01 o3 1"
    )
    (words,) = found.preflight["cautions"]
    assert words.startswith("1 of 3 customers come after their first order and count as customers only from then on")


@pytest.mark.parametrize(
    ("days", "rows", "span"),
    [
        ([0, 1, 2], [1, 1, 1], (0, 3)),
        ([0, 300, 600], [5, 5, 5], (0, 3)),
        ([0, 40_000, 40_001], [1, 5, 5], (1, 3)),
        ([0, 1, 500], [5, 5, 1], (0, 2)),
        ([0, 100, 101, 200], [1, 999, 999, 1], (1, 3)),
        ([0, 20, 40], [1, 9_999, 1], (0, 3)),
        ([7], [1], (0, 1)),
    ],
)
def test_the_densest_part_counts_without_its_strays(days, rows, span):
    at = np.array(days) * DAY
    assert _densest(at, at, np.array(rows)) == slice(*span)
