"""A table learned later: its rows are seen so many days after they were, and no other table's are."""

import pytest

from churnml.events import current, history
from churnml.events.delaying import delayed
from churnml.features import catalogue
from churnml.features.table import reads
from small import Tiny
from worlds import instant

CUTOFFS = [instant(31), instant(32), instant(41)]  # 1, 2 and 11 February 2020
TABLES = {
    "customers": """customer_id occurred_at ingested_at          region
                    a           2020-01-01  2020-01-01           north
                    a           2020-01-01  2020-01-31T12:00:00  south""",
    "orders": """customer_id occurred_at         order_id amount
                 a           2020-01-05          o1       1
                 a           2020-01-31T12:00:00 o2       1""",
    "tickets": """customer_id occurred_at         ticket_id kind      resolved_at
                  a           2020-01-05          t1        complaint 2020-01-31T12:00:00
                  a           2020-01-31T12:00:00 t2        complaint -""",
    "subscriptions": """customer_id occurred_at subscription_id amount started_at ended_at
                        a           2020-01-05  s1              1      2020-01-05 2020-01-31T12:00:00""",
}


@pytest.fixture(scope="module")
def block(tmp_path_factory):
    """Return the block of one customer of whom something new was learned on the eve of the first cutoff."""
    tiny = Tiny.make(tmp_path_factory.mktemp("eve"))
    tiny.land(**TABLES)
    yield history(tiny.store, 0, CUTOFFS, reads(catalogue(tiny.store.tables)))
    tiny.catalogue.engine.dispose()


def seen(block, name):
    return [int(block.facts[name].seen(cutoff).sum()) for cutoff in CUTOFFS]


@pytest.mark.parametrize(
    ("name", "in_time", "a_day_later", "a_week_later"),
    [("orders", [2, 2, 2], [1, 2, 2], [1, 1, 2]), ("tickets.resolved_at", [1, 1, 1], [0, 1, 1], [0, 0, 1])],
)
def test_a_row_is_seen_as_many_days_later(block, name, in_time, a_day_later, a_week_later):
    table = name.partition(".")[0]
    assert seen(block, name) == in_time
    assert seen(delayed(block, table, 1), name) == a_day_later
    assert seen(delayed(block, table, 7), name) == a_week_later


def test_no_other_table_is_late(block):
    late = delayed(block, "orders", 7)
    assert seen(late, "tickets") == seen(block, "tickets") == [2, 2, 2]


def test_the_end_of_a_contract_is_learned_later(block):
    held = [delayed(block, "subscriptions", days).contracts.held(CUTOFFS)[:, 0].tolist() for days in (0, 1, 7)]
    assert held == [[False, False, False], [True, False, False], [True, True, False]]


def test_a_customer_who_changed_is_met_in_time_and_known_anew_later(block):
    late = delayed(block, "customers", 7).facts["customers"]
    assert current(block.facts["customers"], CUTOFFS)[:, 0].tolist() == [1, 1, 1]
    assert current(late, CUTOFFS)[:, 0].tolist() == [0, 0, 1]
