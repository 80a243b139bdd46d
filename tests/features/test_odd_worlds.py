"""Odd customers and odd cutoffs give a defined row: a value, or a missing one that the feature has a meaning for."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import worlds
from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, Workspace, open_engine
from churnml.events import Store, ingest
from churnml.events.clock import DAY, microseconds
from churnml.events.simulation import Market, write_new
from churnml.events.sources.mapping import sources_of
from churnml.features import build, catalogue

MANY = 50_000
MARKET = Market(150, 400, 11)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return the store of a small market, in which every table has landed."""
    folder = tmp_path_factory.mktemp("odd")
    write_new(MARKET, folder / "market")
    workspace = Workspace.open(folder / "workspace", create=True)
    database = Catalogue(open_engine(workspace.database))
    now = microseconds(datetime(2026, 1, 1, tzinfo=UTC))
    ingest(workspace, database, sources_of(folder / "market" / "sources.yaml", "UTC"), WorkspaceConfig(), now)
    found = Store.open(workspace, database, "UTC")
    database.engine.dispose()
    return found


def undefined(table, features):
    """Return the features that are infinite somewhere, or missing without a word for it."""
    numbers = {feature.name: table.column(feature.name) for feature in features.numeric}
    nameless = {feature.name for feature in features.numeric if not feature.missing}
    infinite = {name for name, column in numbers.items() if np.isinf(column).any()}
    return infinite | {name for name in nameless if np.isnan(numbers[name]).any()}


@pytest.mark.parametrize("day", [-800, 1, 30, 200, 399.5, 400, 3_000])
def test_a_value_is_missing_only_where_the_feature_says_what_that_means(store, day):
    features = catalogue(store.tables)
    cutoff = microseconds(datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=day))
    table = build(store, features, [cutoff], 90)
    assert undefined(table, features) == set()
    assert len(table) == 0 or day > -800


def test_before_anybody_was_met_there_is_no_row(store):
    assert len(build(store, catalogue(store.tables), [store.span[0] - 3_000 * DAY], 90)) == 0


def odd(tiny, orders):
    tiny.land(customers="customer_id occurred_at\na 2019-12-01\nb 2019-12-01", orders=orders)
    features = catalogue(tiny.store.tables)
    table = build(tiny.store, features, [worlds.instant(31)], 90)
    assert undefined(table, features) == set()
    row = table.take(table.customer_ids == "a")
    return {name: float(row.column(name)[0]) for name in row.names}


HEAD = "customer_id occurred_at order_id amount\n"


def test_of_one_order_there_is_no_gap_and_every_count_is_one(tiny):
    found = odd(tiny, HEAD + "a 2020-01-20 o 5")
    assert (found["orders_all"], found["spend_all"], found["recency_days"]) == (1, 5, 12)
    assert np.isnan([found["gap_mean_days"], found["overdue_ratio"]]).all()


def test_orders_on_one_instant_are_one_order_day(tiny):
    rows = "".join(f"a 2020-01-20T10:00 o{n} 5\n" for n in range(50))
    found = odd(tiny, HEAD + rows)
    assert (found["orders_all"], found["spend_all"], found["orders_per_order_day"]) == (1, 250, 50)


def test_more_sent_back_than_bought_is_no_order_day_and_spend_below_zero(tiny):
    found = odd(tiny, HEAD + "a 2020-01-20 o1 5\na 2020-01-20 o2 -9")
    assert (found["orders_all"], found["spend_all"]) == (0, -4)
    assert np.isnan(found["recency_days"])


def test_a_customer_without_any_order_has_counts_of_zero(tiny):
    found = odd(tiny, HEAD + "b 2020-01-20 o 5")
    assert (found["orders_all"], found["spend_all"], found["items_all"]) == (0, 0, 0)


def test_fifty_thousand_orders_of_one_customer_add_up_to_the_cent(tiny):
    start = datetime(2020, 1, 1, tzinfo=UTC)
    rows = "".join(f"a {(start + timedelta(seconds=9 * n)):%Y-%m-%dT%H:%M:%S} o{n} 0.01\n" for n in range(MANY))
    found = odd(tiny, HEAD + rows)
    assert found["spend_all"] == MANY / 100
    assert found["orders_all"] == 6
