"""The day's queue: whom an agent calls today, and all that follows from a call."""

from dataclasses import replace

import pytest
from sample_run import ask, fill, record, visit
from sqlalchemy import select

from callers import signed_in
from churnml.database import assignment_id, open_engine
from churnml.database.arrivals import Arrivals
from churnml.database.cases import CALL_RESULTS
from churnml.database.consents import pending_withdrawals
from churnml.database.tables import assignments
from churnml.events.schema import CALL_RESULTS as IN_THE_CONTRACT
from ledgers import A_CALL, DAY, balances, begun, some
from new_database import new_workspace

CUTOFF = 1_514_764_800_000_000  # 2018-01-01
NOW = CUTOFF + 11 * DAY + DAY // 2
TODAY = "2018-01-12"
ACTIONS = [
    {"name": "call", "label": {"en": "Call", "zh": "电话"}, "channel": "phone", "treated": 6},
    {"name": "coupon", "label": {"en": "Coupon", "zh": "优惠券"}, "channel": "email", "treated": 1},
]


def called(customer, net, **changes):
    told = {"action": "call", "arm": "treated", "expected_net_value": net, "campaign": "spring"}
    told["assignment_id"] = assignment_id("spring", customer)
    return record(customer, 3, **(told | changes))


@pytest.fixture
def workspace(own_workspace):
    """Six to be called, the most gained first, one control among them, one who gets a letter, and a ledger of them."""
    engine = open_engine(own_workspace.database)
    ledger, run = begun(engine)
    a_call = replace(A_CALL, expires_at=NOW + 30 * DAY)
    ledger.reserve("spring", run, CUTOFF, some(7, like=a_call, controls={3}), CUTOFF + 1)
    engine.dispose()
    whom = [called(f"c{number}", 9.0 - number) for number in range(6) if number != 3]
    whom += [called("c3", 6.0, arm="control"), called("c6", 50.0, action="coupon")]
    fill(own_workspace, whom, now=9, report={"actions": ACTIONS})
    return own_workspace


def agent(workspace, name="ann", role="agent", at=NOW):
    opened = visit(workspace, headers=signed_in(workspace, name, role, at))
    opened.app.state.now = lambda: at
    return opened


def ids(entries):
    return [one["customer_id"] for one in entries]


def call(client, customer, result, **told):
    return client.post("/v1/calls", json={"customer_id": customer, "result": result} | told)


def kept(workspace, question):
    engine = open_engine(workspace.database)
    try:
        return question(engine)
    finally:
        engine.dispose()


def state_of(workspace, customer):
    query = select(assignments.c.state).where(assignments.c.customer_id == customer)

    def asked(engine):
        with engine.connect() as connection:
            return connection.execute(query).scalar_one(), balances(engine)

    return kept(workspace, asked)


def test_who_comes_next_is_treated_by_telephone_and_nobodys_what_gains_most_first(workspace):
    told = agent(workspace).get("/v1/queue").json()
    assert ids(told["next"]) == ["c0", "c1", "c2", "c4", "c5"]
    assert (told["day"], told["owner"], told["room"], told["due"], told["claimed"]) == (TODAY, "ann", 30, [], [])


def test_two_agents_who_claim_the_next_ones_never_hold_the_same(workspace):
    ann, li = agent(workspace), agent(workspace, "li")
    assert ann.post("/v1/queue", json={"count": 2}).json() == {"claimed": ["c0", "c1"]}
    assert li.post("/v1/queue", json={"count": 9}).json() == {"claimed": ["c2", "c4", "c5"]}
    assert ids(ann.get("/v1/queue").json()["claimed"]) == ["c0", "c1"]
    assert ann.post("/v1/queue", json={"count": 1}).json() == {"claimed": []}


def test_a_customer_is_due_on_the_day_that_was_promised_and_not_before(workspace):
    ann = agent(workspace)
    assert call(ann, "c0", "reached", follow_up_on="2018-01-14").json()["status"] == "waiting"
    told = ann.get("/v1/queue").json()
    assert (told["due"], told["later"], told["made"], told["room"]) == ([], 1, {"reached": 1}, 29)
    on_the_day = agent(workspace, at=NOW + 2 * DAY).get("/v1/queue").json()
    assert (ids(on_the_day["due"]), on_the_day["later"], on_the_day["made"]) == (["c0"], 0, {})
    assert on_the_day["due"][0]["record"]["action"] == "call"


def test_where_nobody_answered_it_is_tried_again_the_day_after(workspace):
    told = call(agent(workspace), "c0", "no_answer").json()
    assert (told["status"], told["owner"], told["follow_up_on"]) == ("waiting", "ann", "2018-01-13")


@pytest.mark.parametrize(
    ("result", "status", "state"),
    [
        ("reached", "done", "carried_out"),
        ("accepted", "done", "carried_out"),
        ("refused", "done", "carried_out"),
        ("no_answer", "waiting", "open"),
        ("wrong_number", "dropped", "not_delivered"),
        ("do_not_call", "dropped", "not_delivered"),
    ],
)
def test_the_result_of_a_call_ends_the_case_and_is_told_to_the_ledger(workspace, result, status, state):
    told = call(agent(workspace), "c0", result).json()
    assert (told["call_result"], told["status"]) == (result, status)
    assert state_of(workspace, "c0") == (state, True)


def test_each_call_is_a_contact_that_waits_to_be_landed(workspace):
    ann = agent(workspace)
    call(ann, "c0", "no_answer")
    ann = agent(workspace, at=NOW + DAY)
    call(ann, "c0", "accepted", note="Likes tea.")
    told = [one.row for one in kept(workspace, lambda engine: Arrivals(engine).waiting(10))]
    assert [(one["result"], one["channel"], one["action"], one["campaign"]) for one in told] == [
        ("no_answer", "phone", "call", "spring"),
        ("accepted", "phone", "call", "spring"),
    ]
    assert told[0]["contact_id"] != told[1]["contact_id"]
    notes = ann.get("/v1/case-notes?customer_id=c0").json()["items"]
    assert [one["text"] for one in notes] == ["Likes tea."]


def test_who_does_not_want_to_be_called_has_taken_back_consent_at_once(workspace):
    call(agent(workspace), "c0", "do_not_call")

    def withdrawn(engine):
        with engine.connect() as connection:
            return [(one.customer_id, one.channel) for one in pending_withdrawals(connection)]

    assert kept(workspace, withdrawn) == [("c0", "phone")]


def test_a_control_is_not_called_and_nothing_of_the_call_is_kept(workspace):
    ann = agent(workspace)
    told = call(ann, "c3", "reached", note="Called all the same.")
    assert (told.status_code, told.json()["code"]) == (403, "forbidden")
    assert "answer if they write, do not approach" in told.json()["detail"]
    assert ann.get("/v1/cases/c3").status_code == 404
    assert kept(workspace, lambda engine: Arrivals(engine).waiting(10)) == []


def test_a_manager_who_reports_such_a_call_reports_a_breach(workspace):
    assert call(agent(workspace, "mei", "analyst"), "c3", "reached").status_code == 200
    assert state_of(workspace, "c3") == ("breach", True)


def test_a_customer_of_somebody_else_is_not_called_by_an_agent(workspace):
    agent(workspace, "li").post("/v1/queue", json={"count": 1})
    told = call(agent(workspace), "c0", "reached")
    assert (told.status_code, told.json()["code"]) == (409, "taken")
    assert state_of(workspace, "c0") == ("open", True)


def test_what_was_told_of_an_assignment_before_stays(workspace):
    call(agent(workspace), "c0", "reached")
    assert call(agent(workspace, at=NOW + DAY), "c0", "wrong_number").json()["status"] == "dropped"
    assert state_of(workspace, "c0") == ("carried_out", True)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"result": "reached", "follow_up_on": "2018-01-11"}, "`follow_up_on` must be today or later"),
        ({"result": "do_not_call", "follow_up_on": "2018-02-01"}, "nobody is to call again"),
    ],
)
def test_a_promise_that_nobody_can_keep_is_refused(workspace, told, words):
    answer = agent(workspace).post("/v1/calls", json={"customer_id": "c0"} | told)
    assert (answer.status_code, answer.json()["code"]) == (400, "usage")
    assert words in answer.json()["detail"]


def test_where_no_run_chose_actions_whoever_has_most_at_risk_comes_first(tmp_path):
    scored = new_workspace(tmp_path)
    fill(scored, [record(f"r{rank}", rank, action=None, arm=None) for rank in range(4)], "score", budget=None)
    with ask(scored) as client:
        told = client.get("/v1/queue?owner=li").json()
    assert ids(told["next"])[:2] == ["r0", "r1"]


def test_a_key_says_whose_queue_it_wants(workspace):
    told = ask(workspace).get("/v1/queue")
    assert (told.status_code, told.json()["code"]) == (400, "usage")


def test_the_contract_knows_the_results_that_a_case_knows():
    assert IN_THE_CONTRACT == CALL_RESULTS
