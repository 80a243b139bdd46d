"""Forgetting: after it no file of the workspace's events holds the customer, and nobody else has lost a row."""

import pytest

from churnml.events import forget, history
from churnml.events.clock import DAY
from churnml.events.quarantine import KEPT_DAYS
from small import NOW

ORDER = "customer_id occurred_at order_id amount"
MARK = "zx-marked-7731"
SHOP = {
    "customers": f"customer_id occurred_at email\nann 2020-01-01 a\n{MARK} 2020-01-01 {MARK}@example.org",
    "orders": f"{ORDER}\nann 2021-08-01 o1 10\n{MARK} 2021-08-01 o2 20\n{MARK} soon o3 4",
}


@pytest.fixture
def shop(tiny):
    """A workspace in which the marked customer stands in tables, quarantine and reports."""
    tiny.land(**SHOP)
    tiny.land(
        NOW + 1,
        orders=f"customer_id occurred_at order_id amount\n{MARK} 2021-08-03 o4 1\nstranger{MARK} 2021-08-04 o5 1",
    )
    return tiny


def holding(tiny):
    """Return every file of the workspace that holds the mark; Parquet texts stand there as they are."""
    tiny.catalogue.engine.dispose()
    return [p.name for p in tiny.workspace.root.rglob("*") if p.is_file() and MARK.encode() in p.read_bytes()]


def test_before_it_the_mark_is_in_tables_quarantine_and_reports(shop):
    assert len(holding(shop)) >= 5


def test_no_file_of_tables_and_quarantine_holds_a_forgotten_customer(shop):
    gone = forget(shop.workspace, shop.catalogue, [MARK, f"stranger{MARK}"])
    assert gone.rows == {"customers": 1, "orders": 2}
    assert (gone.quarantined, gone.reports) == (2, 2)
    assert [name for name in holding(shop) if not name.startswith("churnml.db")] == []
    assert all(MARK not in str(report) for report in shop.catalogue.reports().values())


def test_nobody_else_loses_a_row(shop):
    forget(shop.workspace, shop.catalogue, [MARK])
    block = history(shop.store, 0, [NOW], {"orders": ("amount",)})
    assert block.customer_ids.tolist() == ["ann"]
    assert block.facts["orders"].columns["amount"].tolist() == [100_000]


def test_forgetting_twice_changes_nothing(shop):
    forget(shop.workspace, shop.catalogue, [MARK])
    parts = shop.catalogue.parts()
    assert forget(shop.workspace, shop.catalogue, [MARK]).rows == {}
    assert shop.catalogue.parts() == parts


def test_what_an_erasure_left_that_was_killed_is_swept_by_the_next(shop):
    left = shop.workspace.tables / "orders" / "000001-7.parquet"
    left.write_bytes(MARK.encode())
    forget(shop.workspace, shop.catalogue, ["nobody"])
    assert not left.exists()


def test_quarantine_is_kept_for_thirty_days(shop):
    assert len(list(shop.workspace.quarantine.iterdir())) == 2
    shop.land(NOW + 2 + KEPT_DAYS * DAY, customers="customer_id occurred_at\ncy 2020-01-01")
    assert list(shop.workspace.quarantine.iterdir()) == []


def test_a_row_set_aside_for_a_blank_in_its_id_is_forgotten_with_the_customer(tiny):
    tiny.land(**SHOP)
    tiny.ingest("customers", tiny.file("blank.csv", f"customer_id,occurred_at\n{MARK} ,2020-01-01\nbob,2020-01-01\n"))
    forget(tiny.workspace, tiny.catalogue, [MARK])
    assert [name for name in holding(tiny) if name.endswith(".jsonl")] == []


def test_forgetting_a_short_id_takes_nobody_elses_rows(tiny):
    tiny.land(**SHOP)
    tiny.ingest("orders", tiny.file("ragged.csv", f"{ORDER.replace(' ', ',')}\nann,2021-08-01,o1\nann,soon,o19,5\n"))
    assert forget(tiny.workspace, tiny.catalogue, ["1"]).quarantined == 0


def test_rows_set_aside_of_a_feature_table_are_forgotten_as_well(shop):
    file = shop.workspace.quarantine / "features-0123456789ab.jsonl"
    file.write_text(f'{{"row": 1, "column": "customer_id", "value": "{MARK}", "rule": "r", "remedy": "m"}}\n', "utf-8")
    forget(shop.workspace, shop.catalogue, [MARK])
    assert file.read_text("utf-8") == ""
