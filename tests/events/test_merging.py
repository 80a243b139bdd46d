"""The files of many small landings become one, and nobody sees a difference but in the time it takes."""

import numpy as np
import pytest

from churnml.events import history
from churnml.events.clock import DAY, HOUR
from churnml.events.landing import sweep
from churnml.events.merging import merge_small, still_read
from small import NOW

LANDINGS, MOST = 3, 1


@pytest.fixture
def busy(tiny):
    """A workspace in which one order after the other has landed."""
    tiny.land(customers="customer_id occurred_at\nann 2021-01-01\nbob 2021-01-02")
    for number in range(LANDINGS):
        who, day = ("ann", "bob")[number % 2], f"2021-03-{number % 28 + 1:02}"
        rows = f"order_id customer_id occurred_at amount ingested_at\no{number} {who} {day} {number + 1} 2021-09-01"
        tiny.land(now=NOW + number, orders=rows)
    return tiny


def seen(tiny):
    block = history(tiny.store, 0, [NOW + DAY], {"orders": ("amount", "order_id")})
    orders = block.facts["orders"]
    words = np.array(orders.words["order_id"])[orders.columns["order_id"]]
    return block.customer_ids.tolist(), orders.event_at.tolist(), orders.columns["amount"].tolist(), words.tolist()


def test_what_is_read_is_the_same_from_one_file(busy):
    before, rows = seen(busy), busy.store.rows("orders")
    batches = {part.batch_id for part in busy.catalogue.parts("orders")}
    assert merge_small(busy.workspace, busy.catalogue, batches, NOW, MOST) == LANDINGS - 1
    assert (seen(busy), busy.store.rows("orders")) == (before, rows)
    assert len(list(busy.catalogue.parts("orders"))) == 1


def test_files_of_other_landings_are_left_alone(busy):
    assert merge_small(busy.workspace, busy.catalogue, {2}, NOW, MOST) == 0
    assert len(list(busy.catalogue.parts("orders"))) == LANDINGS


def test_whoever_began_to_read_the_old_files_may_end_within_an_hour(busy):
    began = busy.store
    merge_small(busy.workspace, busy.catalogue, {part.batch_id for part in began.parts}, NOW, MOST)
    sweep(busy.workspace, busy.catalogue, still_read(busy.workspace, NOW + HOUR - 1))
    assert history(began, 0, [NOW + DAY], {"orders": ("amount",)}).facts["orders"].columns["amount"].sum() > 0
    sweep(busy.workspace, busy.catalogue, still_read(busy.workspace, NOW + HOUR))
    assert len(list((busy.workspace.tables / "orders").glob("*.parquet"))) == 1


def test_a_row_that_comes_again_after_the_merging_is_known(busy):
    merge_small(busy.workspace, busy.catalogue, {part.batch_id for part in busy.catalogue.parts()}, NOW, MOST)
    again = "customer_id order_id occurred_at amount ingested_at\nbob o1 2021-03-02 2 2021-09-01"
    assert busy.land(now=NOW + 2 * DAY, orders=again).tables[0].skipped == 1
