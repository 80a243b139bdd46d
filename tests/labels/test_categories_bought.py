"""Which categories were bought in the horizon: half open, paid for, known when the label is final."""

import pytest

from churnml.events.clock import DAY
from churnml.labels import categories_bought

JAN_10 = 18_271 * DAY  # 2020-01-10, midnight UTC
CUSTOMERS = "customer_id occurred_at\n" + "\n".join(f"{who} 2020-01-01" for who in "abcdefg")
ORDERS = "order_id customer_id occurred_at amount\n" + "\n".join(f"{who} {who} 2020-01-10 9" for who in "abcdefg")
LINES = """
order_id line customer_id occurred_at category amount ingested_at
a 1 a 2020-01-10 tea 3 2020-01-10
b 1 b 2020-01-19T23:59:59 tea 3 2020-01-20
c 1 c 2020-01-20 tea 3 2020-01-20
d 1 d 2020-01-09T23:59:59 tea 3 2020-01-10
e 1 e 2020-01-12 tea -3 2020-01-12
f 1 f 2020-01-12 tea 3 2020-01-23
g 1 g 2020-01-12 milk 3 2020-01-12
"""


@pytest.mark.parametrize(
    ("lag", "who"),
    [
        pytest.param(0, {"a", "b"}, id="learned after the horizon"),
        pytest.param(3, {"a", "b", "f"}, id="within the lag"),
    ],
)
def test_a_category_counts_from_the_cutoff_to_before_the_end_paid_for_and_known_when_final(tiny, lag, who):
    tiny.land(customers=CUSTOMERS, orders=ORDERS, order_lines=LINES)
    flags = categories_bought(tiny.store, 0, [JAN_10], 10, {"tea": 0}, lag)[0]
    ids = sorted("abcdefg", key=lambda one: _places(tiny.store)[one])
    assert {ids[row] for row in flags.nonzero()[0]} == who


def _places(store):
    from churnml.events import history

    return {one: place for place, one in enumerate(history(store, 0, [JAN_10], {}).customer_ids)}


def test_nothing_of_who_refuses_to_be_profiled_is_a_label(tiny):
    consents = "customer_id occurred_at purpose channel granted\na 2020-01-05 profiling - false"
    tiny.land(customers=CUSTOMERS, orders=ORDERS, order_lines=LINES, consents=consents)
    assert categories_bought(tiny.store, 0, [JAN_10], 10, {"tea": 0})[0].sum() == 1


def test_where_no_lines_have_landed_nothing_was_bought(tiny):
    tiny.land(customers=CUSTOMERS, orders=ORDERS)
    assert categories_bought(tiny.store, 0, [JAN_10], 10, {"tea": 0})[0].sum() == 0
