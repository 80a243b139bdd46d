"""Outcomes posted by a CRM system: the rules of the ledger, told row by row, and stored once acknowledged."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_run import ask

from churnml.database import assignment_id, open_engine
from ledgers import A_COUPON, CUTOFF, LATER, balances, begun, some

AT = "1972-10-01T10:00:00Z"
NOW = LATER


@pytest.fixture
def ledger(own_workspace):
    engine = open_engine(own_workspace.database)
    made, run = begun(engine, 500_000_000)
    made.reserve("spring", run, CUTOFF, some(5, like=A_COUPON, controls={4}), CUTOFF + 1)
    yield made
    engine.dispose()


@pytest.fixture
def client(own_workspace, ledger):
    with ask(own_workspace) as opened:
        opened.app.state.now = lambda: NOW
        yield opened


def row(customer="c0", kind="redeemed", **changes):
    told = {"assignment_id": assignment_id("spring", customer), "occurred_at": AT, "kind": kind}
    return told | ({"cost": 4} if kind == "redeemed" else {}) | changes


def post(client, *rows, **headers):
    told = client.post("/v1/outcomes", json={"outcomes": list(rows)}, headers=headers)
    assert told.status_code == 200, told.text
    return told.json()


def codes(told):
    return [one["problem"] and one["problem"]["code"] for one in told["results"]]


def test_an_outcome_that_is_acknowledged_is_in_the_ledger(client, ledger):
    assert post(client, row())["results"] == [{"index": 0, "status": "kept", "flags": [], "problem": None}]
    assert [(one.kind, one.cost) for one in ledger.outcomes("spring")] == [("redeemed", 4_000_000)]
    assert balances(ledger.engine)


def test_the_same_outcome_again_stands_already(client, ledger):
    assert [one["status"] for one in post(client, row(), row())["results"]] == ["kept", "stood"]
    assert [one["status"] for one in post(client, row())["results"]] == ["stood"]
    assert len(ledger.outcomes("spring")) == 1


def test_each_row_that_breaks_a_rule_is_told_and_the_others_are_kept(client, ledger):
    told = post(
        client,
        row(),
        row(cost=5),
        row("nobody"),
        row("c1", "opened"),
        row("c1", occurred_at="1969-01-01"),
        row("c1", occurred_at="1972-12-25"),
        row("c1", cost="a lot"),
        row("c1", cost=-1),
        row("c2", "value"),
        row("c3", colour="red"),
        {},
        row("c3", "carried_out", occurred_at=5),
    )
    assert codes(told) == [None, "contradicts", "unknown_assignment", *["broken_row"] * 9]
    assert (told["kept"], told["refused"]) == (1, 11)
    assert "outcome 9: `colour` is no column of the table" in told["results"][9]["problem"]["detail"]
    assert len(ledger.outcomes("spring")) == 1


def test_an_assignment_can_be_named_by_its_campaign_and_customer(client, ledger):
    named = {"campaign": "spring", "customer_id": "c1", "occurred_at": AT, "kind": "redeemed", "cost": 1}
    told = post(client, named, named | {"customer_id": "no"}, named | {"customer_id": 7}, row("c1") | {"campaign": "x"})
    assert codes(told) == [None, "unknown_assignment", "broken_row", "broken_row"]
    assert ledger.outcomes("spring")[0].assignment_id == assignment_id("spring", "c1")


def test_flags_are_told(client):
    told = post(client, row(cost=6), row("c4", "carried_out"))
    assert [one["flags"] for one in told["results"]] == [["overspent"], ["breach"]]


def test_a_campaign_beyond_its_budget_is_told(client, ledger):
    ledger.open("spring", 25_000_000, NOW)
    assert post(client, row(cost=400))["overspent"] == {"spring": pytest.approx(390.0)}


def test_what_repeats_under_one_key_is_answered_alike_though_it_would_stand_by_now(client):
    first = post(client, row(), **{"Idempotency-Key": "k"})
    assert post(client, row(), **{"Idempotency-Key": "k"}) == first


@pytest.mark.parametrize(
    "body, words",
    [
        ({"outcomes": []}, "`outcomes` must hold at least 1, got 0"),
        ({"outcomes": [{}] * 501}, "`outcomes` must hold at most 500, got 501"),
        ({"outcomes": {}}, "`outcomes` must be a list"),
        ({"outcomes": ["x"]}, "`outcomes.0` must hold `key: value` pairs"),
        ({"outcome": [{}]}, "unknown field `outcome`; did you mean `outcomes`?"),
        ([], "the body must be a JSON object"),
    ],
)
def test_a_body_of_another_form_is_refused_whole(client, body, words):
    told = client.post("/v1/outcomes", json=body)
    assert (told.status_code, told.json()["code"]) == (422, "invalid_request")
    assert words in told.json()["detail"]


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.just(10**40), st.just("\ud800"),
    st.just("\x00"),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "assignment_id": st.one_of(st.just(assignment_id("spring", "c0")), ODD),
        "occurred_at": st.one_of(st.just(AT), ODD),
        "kind": st.one_of(st.sampled_from(["redeemed", "carried_out", "value", "not_delivered"]), ODD),
        "cost": ODD, "amount": ODD, "campaign": st.one_of(st.just("spring"), ODD),
        "customer_id": st.one_of(st.just("c1"), ODD), "\ud800": ODD,
    },
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, min_size=1, max_size=4))
def test_no_body_however_odd_is_our_fault_or_leaves_the_ledger_unbalanced(client, ledger, rows):
    told = client.post(
        "/v1/outcomes", content=json.dumps({"outcomes": rows}), headers={"content-type": "application/json"}
    )
    assert told.status_code in {200, 400, 422}
    assert balances(ledger.engine)
