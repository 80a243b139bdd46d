"""Raw history in a request, asked of a service that has a champion: scored, or refused by its row and column."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_json import ANY, JSON, odd
from sample_run import TestClient, bearing

from churnml.config import ServeConfig, WorkspaceConfig, load_config
from churnml.service import create_app
from journeys import copied

CUTOFF = "2018-01-01T00:00:00Z"
RIGHT = {
    "customers": {"customer_id": "a", "occurred_at": "2017-01-20"},
    "orders": {"customer_id": "a", "order_id": "a1", "occurred_at": "2017-11-02T10:15:00Z", "amount": 31.5},
    "interactions": {"customer_id": "a", "occurred_at": "2017-11-03", "kind": "visit"},
    "subscriptions": {"customer_id": "a", "subscription_id": "s1", "occurred_at": "2017-02-01", "amount": 9},
    "surveys": {"customer_id": "a", "occurred_at": "2017-11-05", "survey_id": "q1", "instrument": "csat",
                "scale_min": 1, "scale_max": 5, "answered_at": "2017-11-06", "score": 4},
}  # fmt: skip


@pytest.fixture(scope="module")
def client(journey, tmp_path_factory):
    own = copied(journey, tmp_path_factory.mktemp("from history"))
    company = load_config(own.configs / "workspace.yaml", WorkspaceConfig)
    app = create_app(own.workspace, ServeConfig(land_every_seconds=3600), company)
    app.state.scorer.ready()  # loaded before anybody asks: no request waits for it
    with TestClient(app, "http://localhost", raise_server_exceptions=False, headers=bearing(own.workspace)) as opened:
        yield opened


def asked(client, tables, **more):
    body = {"cutoff": CUTOFF, "tables": tables, **more}
    return client.post("/v1/scores/from-history", content=json.dumps(body).encode(), headers=JSON)


def test_a_right_history_of_every_table_is_scored(client):
    told = asked(client, {name: [row] for name, row in RIGHT.items()})
    assert told.status_code == 200, told.text
    assert [one["customer_id"] for one in told.json()["records"]] == ["a"]


@pytest.mark.parametrize(
    "table, changes, says",
    [
        ("orders", {"amount": "twelve"}, "row 1 of `orders`: `amount` must be an amount"),
        ("orders", {"occurred_at": "soon"}, "row 1 of `orders`: `occurred_at` must"),
        ("orders", {"order_id": None}, "row 1 of `orders`: `order_id` must be filled"),
        ("orders", {"order_id": "a1", "amount": 7}, "row 1 of `orders`: `amount` must not contradict"),
        ("orders", {"colour": "red"}, "row 1 of `orders`: `colour` is no column"),
        ("orders", {"customer_id": "b"}, "`orders`: `customer_id` must be a customer of the table `customers`"),
        ("customers", {"customer_id": " "}, "row 1 of `customers`: `customer_id` must"),
        ("subscriptions", {"amount": -1e30}, "row 1 of `subscriptions`: `amount` must"),
        ("surveys", {"score": 9}, "row 1 of `surveys`: "),
        ("surveys", {"answered_at": "2199-01-01"}, "row 1 of `surveys`: `answered_at` must"),
    ],
)
def test_a_broken_row_is_refused_by_its_number_and_column(client, table, changes, says):
    tables = {name: [copy.deepcopy(row)] for name, row in RIGHT.items()}
    tables[table].append(RIGHT[table] | ({"order_id": "a2"} if table == "orders" else {}) | changes)
    told = asked(client, tables)
    assert (told.status_code, told.json()["code"]) == (422, "broken_row")
    assert says in told.json()["detail"]


@pytest.mark.parametrize(
    "more, says",
    [
        ({"cutoff": "2199-01-01T00:00:00Z"}, "`cutoff` must not lie in the future"),
        ({"cutoff": "2018-01-01"}, "`cutoff`"),
        ({"cutoff": "0001-01-01T00:00:00+14:00"}, "`cutoff` must lie between 1900-01-01 and 2200-01-01"),
        ({"learned_at": "9999-12-31T23:59:59-12:00"}, "`learned_at` must lie between 1900-01-01 and 2200-01-01"),
        ({"learned_at": "soon"}, "`learned_at`"),
        ({"tables": {"order": []}}, "did you mean `orders`?"),
        ({"tables": {}}, "`tables` must hold a row of `customers`"),
    ],
)
def test_what_is_wrong_beside_the_rows_is_named_too(client, more, says):
    body = {"cutoff": CUTOFF, "tables": {"customers": [RIGHT["customers"]]}} | more
    told = client.post("/v1/scores/from-history", json=body)
    assert told.status_code == 422
    assert says in told.json()["detail"]


INSTANTS = st.sampled_from([
    CUTOFF, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00",
    "2017-11-02T10:15:00Z", None,
])  # fmt: skip


@settings(max_examples=30, deadline=None, database=None)
@given(st.fixed_dictionaries({}, optional={name: st.lists(st.one_of(st.just(row), odd(row)), max_size=2)
                                           for name, row in RIGHT.items()}), INSTANTS, INSTANTS, ANY)  # fmt: skip
def test_any_history_is_scored_or_refused(client, tables, cutoff, learned_at, beside):
    told = asked(client, {"customers": [RIGHT["customers"]]} | tables, cutoff=cutoff, learned_at=learned_at)
    assert told.status_code in {200, 422}, told.text
    assert asked(client, beside).status_code == 422
