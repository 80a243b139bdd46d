"""`churnml backtest --categories N`: tables out of time beside popularity, and what is refused."""

from pathlib import Path

import pytest

from command import churnml
from shopping import landed
from small import Tiny

SETTINGS = "{min_history_days: 60, bootstrap: 50}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    tiny = landed(Tiny.make(folder), 3, customers=400)
    tiny.catalogue.engine.dispose()
    (folder / "configs").mkdir()
    (folder / "configs" / "train.yaml").write_text(SETTINGS)
    return folder


def backtest(folder, *words):
    return churnml("backtest", "-w", folder / "workspace", "--configs", folder / "configs", *words)


@pytest.fixture(scope="module")
def said(shop):
    page = shop / "next.md"
    page.write_text("# Ours\n\nKept.\n\n## Out of time\n\nOld.\n")
    return backtest(shop, "--categories", 2, "--report", page, "--json"), page.read_text()


def test_each_kind_is_judged_beside_popularity_at_the_cutoffs_asked_for(said):
    found = said[0].body["categories"]
    assert len(found["cutoffs"]) == 2
    assert set(found["judged"]) == {"cross_sell", "replenish"}
    assert "most bought, of what they have not" in found["judged"]["cross_sell"]["methods"]


def test_the_page_keeps_what_stands_before_its_tables(said):
    assert said[1].startswith("# Ours\n\nKept.\n\n## Out of time\n\nWritten by `churnml backtest --categories`")
    assert "Old." not in said[1]
    assert "| **churnml** |" in said[1]


def test_two_kinds_of_backtest_at_once_are_refused(shop):
    told = backtest(shop, "--categories", 2, "--conversion", 2)
    assert (told.code, "five kinds of backtest; give one" in told.err) == (2, True)


def test_a_number_of_cutoffs_that_is_none_is_refused(shop):
    told = backtest(shop, "--categories", 0)
    assert "--categories must be a number of cutoffs from 1 to 50, got 0" in told.err


def test_without_order_lines_it_says_what_to_ingest(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        orders="order_id customer_id occurred_at amount\n1 a 2020-03-02 9",
    )
    told = churnml("backtest", "-w", tiny.workspace.root, "--configs", Path("nowhere"), "--categories", 1)
    assert told.code == 3
    assert "categories are read from the table `order_lines`, found none landed; ingest it" in told.err
