"""Forgetting: after it no file of the workspace holds the customer, and nobody else has lost a row."""

import json
import random

import pytest

from churnml.database import Catalogue, Records, open_engine
from churnml.errors import DependencyError
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
    """Return every file of the workspace that holds the mark, as it lies on the disk while the database is open.

    Parquet texts stand there as they are.
    """
    return [p.name for p in tiny.workspace.root.rglob("*") if p.is_file() and MARK.encode() in p.read_bytes()]


def test_before_it_the_mark_is_in_tables_quarantine_and_reports(shop):
    assert len(holding(shop)) >= 5


def test_no_file_holds_a_forgotten_customer_those_of_the_database_included(shop):
    gone = forget(shop.workspace, shop.catalogue, [MARK, f"stranger{MARK}"])
    assert gone.rows == {"customers": 1, "orders": 2}
    assert (gone.quarantined, gone.reports) == (2, 2)
    assert holding(shop) == []


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


def test_records_and_refusals_of_a_forgotten_customer_are_gone_to_the_last_byte(shop):
    ids = [*(f"c{number}" for number in range(2_000)), *(f"{MARK}{number}" for number in range(50))]
    records, draw = Records(shop.catalogue.engine), random.Random(1)  # noqa: S311 an order, not a key
    for now in (1, 2):  # in an order that splits pages, which leaves copies of rows behind
        run_id = shop.catalogue.start("score", "inputs", now)
        draw.shuffle(ids)
        records.write(run_id, ({"customer_id": one, "note": f"{one} {'x' * draw.choice((50, 3_000))}"} for one in ids))
        shop.catalogue.finish(run_id, now, {})
    shop.land(NOW + 2, consents=f"customer_id occurred_at purpose granted\n{MARK}1 2021-09-01 profiling false")
    gone = forget(shop.workspace, shop.catalogue, [MARK, f"stranger{MARK}", *(f"{MARK}{n}" for n in range(50))])
    assert (gone.records, shop.catalogue.refusing(), holding(shop)) == (100, frozenset(), [])
    assert len(records.of_run(records.current_run())) == 2_000


@pytest.mark.parametrize("step", ["quarantine.forget", "Catalogue.rewrite", "Catalogue.settle"])
def test_an_erasure_that_is_killed_before_a_step_is_finished_by_the_next(shop, monkeypatch, step):
    def killed(*_, **__):
        raise KeyboardInterrupt

    whom = [MARK, f"stranger{MARK}"]
    with monkeypatch.context() as patch:
        patch.setattr(f"churnml.events.forgetting.{step}", killed)
        with pytest.raises(KeyboardInterrupt):
            forget(shop.workspace, shop.catalogue, whom)
    forget(shop.workspace, shop.catalogue, whom)
    assert holding(shop) == []


def test_who_reads_for_too_long_is_named_and_the_erasure_is_to_be_repeated(shop):
    hasty = open_engine(shop.workspace.database, patience_seconds=0)
    with shop.catalogue.engine.connect() as reader:
        reader.exec_driver_sql("BEGIN")
        reader.exec_driver_sql("SELECT * FROM batches")
        with pytest.raises(DependencyError, match=r"another process that reads it; .* do the same again"):
            forget(shop.workspace, Catalogue(hasty), [MARK])
    hasty.dispose()


@pytest.mark.parametrize("folder", [".spill-1", ".features-1", ".measures-1"])
def test_intermediate_files_of_one_that_was_killed_are_swept(shop, folder):
    left = shop.workspace.root / folder / "duckdb"
    left.mkdir(parents=True)
    (left / "rows").write_text(MARK)
    forget(shop.workspace, shop.catalogue, ["nobody"])
    assert not left.parent.exists()


def test_what_an_erasure_left_that_was_killed_is_swept_by_the_next(shop):
    left = shop.workspace.tables / "orders" / "000001-7.parquet"
    left.write_bytes(MARK.encode())
    forget(shop.workspace, shop.catalogue, ["nobody"])
    assert not left.exists()


def test_quarantine_is_kept_for_thirty_days(shop):
    assert len(list(shop.workspace.quarantine.iterdir())) == 2
    shop.land(NOW + 2 + KEPT_DAYS * DAY, customers="customer_id occurred_at\ncy 2020-01-01")
    assert list(shop.workspace.quarantine.iterdir()) == []


def test_reports_show_rows_for_thirty_days_and_count_them_ever_after(shop):
    shop.land(NOW + 1 + KEPT_DAYS * DAY, customers="customer_id occurred_at\ncy 2020-01-01")
    assert [MARK in json.dumps(report) for report in shop.catalogue.reports().values()] == [False, True, False]
    finding = shop.catalogue.reports()[1]["tables"][1]["findings"][0]
    assert (finding["count"], finding["examples"]) == (1, [])


def test_a_row_set_aside_for_a_blank_in_its_id_is_forgotten_with_the_customer(tiny):
    tiny.land(**SHOP)
    tiny.ingest("customers", tiny.file("blank.csv", f"customer_id,occurred_at\n{MARK} ,2020-01-01\nbob,2020-01-01\n"))
    forget(tiny.workspace, tiny.catalogue, [MARK])
    assert holding(tiny) == []


def test_forgetting_a_short_id_takes_nobody_elses_rows(tiny):
    tiny.land(**SHOP)
    tiny.ingest("orders", tiny.file("ragged.csv", f"{ORDER.replace(' ', ',')}\nann,2021-08-01,o1\nann,soon,o19,5\n"))
    assert forget(tiny.workspace, tiny.catalogue, ["1"]).quarantined == 0


def test_rows_set_aside_of_a_feature_table_are_forgotten_as_well(shop):
    file = shop.workspace.quarantine / "features-0123456789ab.jsonl"
    file.write_text(f'{{"row": 1, "column": "customer_id", "value": "{MARK}", "rule": "r", "remedy": "m"}}\n', "utf-8")
    forget(shop.workspace, shop.catalogue, [MARK])
    assert file.read_text("utf-8") == ""
