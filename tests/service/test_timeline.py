"""What happened with one customer is told as it is known: the latest first, alike acts of a day together."""

import pytest
from sample_run import ask, fill, record, visit

from callers import signed_in
from churnml.config import ServeConfig
from churnml.database import open_engine
from churnml.database.audit import entries
from new_database import new_workspace

NOW = 1_632_000_000_000_000  # 2021-09-18
SELDOM = ServeConfig(land_every_seconds=3600)
ROWS = {
    "customers": [{"occurred_at": "2021-01-01", "display_name": "Ann Li", "phone": "+1 (555) 0123"}],
    "orders": [{"occurred_at": "2021-09-01T10:00:00Z", "order_id": "o1", "amount": 23.5, "channel": "web"}],
    "interactions": [
        {"occurred_at": f"2021-09-02T1{hour}:00:00Z", "kind": "visit", "channel": "app"} for hour in range(3)
    ],
    "tickets": [{"occurred_at": "2021-09-03T09:00:00Z", "ticket_id": "t1", "kind": "complaint"}],
    "consents": [{"occurred_at": "2021-09-04T09:00:00Z", "purpose": "marketing", "channel": "email", "granted": True}],
    "contacts": [{"occurred_at": "2021-09-16T09:00:00Z", "contact_id": "k1", "action": "call", "channel": "phone",
                  "result": "reached"}],
}  # fmt: skip
SETTLED = {"occurred_at": "2021-09-03T09:00:00Z", "ticket_id": "t1", "resolved_at": "2021-09-05T12:00:00Z"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A customer of whom something of every kind has landed, the end of a ticket later than its beginning."""
    made = new_workspace(tmp_path_factory.mktemp("timeline"))
    fill(made, [record("a/b", 3), record("other", 4)])
    fill(made, [record("a/b", 1, cutoff="2018-02-01T00:00:00+00:00")], now=7)
    with ask(made, settings=SELDOM) as client:
        client.app.state.now = lambda: NOW
        for rows in (ROWS, {"tickets": [SETTLED]}):
            for table, some in rows.items():
                told = client.post(
                    "/v1/events", json={"table": table, "rows": [{"customer_id": "a/b"} | one for one in some]}
                )
                assert {one["status"] for one in told.json()["results"]} == {"kept"}, told.text
            client.app.state.worker._lander.land()
    return made


@pytest.fixture
def asked(workspace):
    with ask(workspace, settings=SELDOM) as client:
        client.app.state.now = lambda: NOW + 1_000_000
        yield client


def test_the_latest_comes_first_and_alike_acts_of_a_day_are_one_line(asked):
    told = asked.get("/v1/timeline", params={"customer_id": "a/b"}).json()["items"]
    assert [(one["table"], one["count"]) for one in told] == [
        ("contacts", 1),
        ("consents", 1),
        ("tickets", 1),
        ("interactions", 3),
        ("orders", 1),
    ]
    assert told[-1]["facts"] == {"amount": 23.5, "channel": "web"}
    assert told[3]["occurred_at"] == "2021-09-02T12:00:00+00:00"


def test_what_was_learned_later_fills_the_row_it_belongs_to(asked):
    [ticket] = [one for one in asked.get("/v1/timeline?customer_id=a/b").json()["items"] if one["table"] == "tickets"]
    assert ticket["facts"] == {"kind": "complaint", "channel": None, "resolved_at": "2021-09-05T12:00:00+00:00"}


def test_what_was_not_yet_learned_is_not_told(workspace):
    with ask(workspace, settings=SELDOM) as client:
        client.app.state.now = lambda: NOW - 1
        assert client.get("/v1/timeline?customer_id=a/b").json()["items"] == []


def test_nothing_is_told_of_others(asked):
    assert asked.get("/v1/timeline?customer_id=other").json() == {"items": []}
    assert len(asked.get("/v1/timeline?customer_id=a/b&limit=2").json()["items"]) == 2


def test_scores_are_told_by_cutoff_that_of_the_run_finished_last(asked):
    told = asked.get("/v1/score-history?customer_id=a/b").json()["items"]
    assert [(one["cutoff"][:10], one["churn_probability"]) for one in told] == [
        ("2018-01-01", 0.888),
        ("2018-02-01", 0.916),
    ]


def test_the_page_tells_all_of_it_with_the_telephone_to_dial_and_the_look_is_kept(workspace):
    with visit(workspace, headers=signed_in(workspace, "mei", "admin", NOW), settings=SELDOM) as client:
        client.app.state.now = lambda: NOW + 1_000_000
        page = client.get("/customers/a%2Fb", headers={"accept": "text/html"}).text
    for said in (
        'href="tel:+15550123"',
        "Ann Li",
        "Visit</strong> × 3",
        "complaint · settled",
        "$23.50",
        'svg class="strip"',
    ):
        assert said in " ".join(page.split()), said
    assert '<li class="given"><strong>yes</strong> by e-mail</li>' in " ".join(page.split())
    assert "1 contact in the last 7 days" in page
    engine = open_engine(workspace.database)
    with engine.connect() as connection:
        looks = [one.what for one in entries(connection)]
    engine.dispose()
    assert {"customer.viewed", "customer.contact_viewed"} <= set(looks)
