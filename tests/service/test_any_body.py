"""Any JSON is answered, never by an error of ours: a row of it is kept or refused by its number, or nothing is done."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_json import ANY, JSON, odd
from sample_run import ask, bodies, fill
from sqlalchemy import func, select

from churnml.config import ServeConfig
from churnml.database import assignment_id, open_engine
from churnml.database.tables import metadata
from ledgers import A_COUPON, CUTOFF, LATER, begun, some
from new_database import new_workspace

RIGHT = {
    "contacts": {"contact_id": "x1", "customer_id": "c0", "occurred_at": "1972-09-28", "action": "call", "cost": 3.5},
    "outcomes": {"assignment_id": assignment_id("spring", "c0"), "occurred_at": "1972-10-01", "kind": "carried_out"},
    "consents": {"customer_id": "c1", "occurred_at": "1972-09-28", "purpose": "marketing", "channel": "phone",
                 "granted": True},
    "rows": {"customer_id": "c0", "order_id": "o1", "occurred_at": "1972-09-28", "amount": 3, "quantity": 1},
    "case": {"status": "claimed", "owner": "li", "expected_owner": None, "follow_up_on": "2190-01-01"},
}  # fmt: skip


def rows(name):
    return st.lists(st.one_of(odd(RIGHT[name]), odd(RIGHT[name]), ANY), max_size=4)


POSTS = {
    "contacts": st.fixed_dictionaries({"contacts": rows("contacts")}),
    "outcomes": st.fixed_dictionaries({"outcomes": rows("outcomes")}),
    "consents": st.fixed_dictionaries({"consents": rows("consents")}),
    "events": st.fixed_dictionaries({"table": st.just("orders"), "rows": rows("rows")}),
    "cases": odd({"customer_ids": ["1296", "客户 7", "nobody"], "owner": "li"}),
    "case-notes": odd({"customer_id": "1296", "text": "Asked us to call back."}),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    workspace = new_workspace(tmp_path_factory.mktemp("any body"))
    fill(workspace, bodies())
    engine = open_engine(workspace.database)
    ledger, run = begun(engine, 500_000_000)
    ledger.reserve("spring", run, CUTOFF, some(5, like=A_COUPON, controls={4}), CUTOFF + 1)
    engine.dispose()
    with ask(workspace, settings=ServeConfig(land_every_seconds=3600)) as opened:
        opened.app.state.now = lambda: LATER
        yield opened


def counts(client):
    """Return how many rows each table holds."""
    with client.app.state.engine.connect() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }


def sent(client, method, path, body):
    """Send a body, hold that nothing of it is done by halves; return the answer and how many rows it added."""
    before = counts(client)
    answer = client.request(method, path, content=json.dumps(body).encode(), headers=JSON)
    added = {name: more for name, count in counts(client).items() if (more := count - before[name])}
    if answer.status_code >= 300:
        assert answer.headers["content-type"] == "application/problem+json"
        assert 400 <= answer.status_code < 500, answer.text
        assert (added, answer.json()["status"]) == ({}, answer.status_code)
        return None, added
    return answer.json(), added


@pytest.mark.parametrize("name", POSTS)
def test_each_row_of_any_body_is_kept_or_refused_and_one_that_makes_no_sense_leaves_nothing(client, name):
    @settings(max_examples=30, deadline=None, database=None)
    @given(st.one_of(POSTS[name], POSTS[name], ANY))
    def hold(body):
        told, added = sent(client, "POST", f"/v1/{name}", body)
        if told is None or name == "case-notes":
            assert told is None or (added["case_notes"], added["audit_entries"]) == (1, 1)
            return
        wanted = next(one for one in body.values() if isinstance(one, list))
        ended = [one["status"] for one in told["results"]]
        assert [one["index"] for one in told["results"]] == [*range(len(wanted))]
        assert [one["problem"] is not None for one in told["results"]] == [one == "refused" for one in ended]
        assert {name: ended.count(name) for name in ("kept", "refused")} == {n: told[n] for n in ("kept", "refused")}
        where = {"outcomes": "outcomes", "cases": "cases"}.get(name, "arrivals")
        assert added.get(where, 0) == told["kept"] or (name == "cases" and added.get(where, 0) < told["kept"])
        assert told["kept"] == 0 or added["audit_entries"] >= 1

    hold()


def test_a_case_is_changed_as_a_whole_or_not_at_all(client):
    @settings(max_examples=40, deadline=None, database=None)
    @given(st.one_of(odd(RIGHT["case"]), ANY))
    def hold(body):
        before = client.get("/v1/cases/1296")
        told, added = sent(client, "PATCH", "/v1/cases/1296", body)
        after = client.get("/v1/cases/1296")
        assert told == after.json() if told is not None else before.content == after.content
        assert added.get("case_changes", 0) == added.get("audit_entries", 0) - added.get("told_consents", 0)

    hold()
