"""What a customer takes back holds from the answer on, before the row has landed; what they give, from its landing."""

import pytest
from sample_run import ask, fill, record
from sqlalchemy import select

from churnml.database import Catalogue, Records, open_engine
from churnml.database.arrivals import Arrivals
from churnml.database.tables import assignments
from ledgers import A_CALL, CUTOFF, NOW, balances, begun, some

AT = "1972-09-28T10:00:00Z"
LATER = "1972-09-28T11:00:00Z"


def offered(ledger, customer):
    (one,) = [one for one in ledger.assigned("spring") if one.customer_id == customer]
    return record(customer, 3, arm=one.arm, campaign="spring", assignment_id=one.assignment_id, action="call",
                  no_action_because=None)  # fmt: skip


@pytest.fixture
def ledger(own_workspace):
    engine = open_engine(own_workspace.database)
    made, run = begun(engine)
    made.reserve("spring", run, CUTOFF, some(3, like=A_CALL, controls={2}), CUTOFF + 1)
    fill(own_workspace, [offered(made, one) for one in ("c0", "c1", "c2")], now=9)
    yield made
    engine.dispose()


@pytest.fixture
def client(own_workspace, ledger):
    with ask(own_workspace) as opened:
        opened.app.state.now = lambda: NOW + 86_400_000_000
        yield opened


def says(customer="c0", purpose="marketing", *, granted=False, at=AT, **more):
    return {"customer_id": customer, "purpose": purpose, "granted": granted, "occurred_at": at} | more


def tell(client, *rows):
    told = client.post("/v1/consents", json={"consents": list(rows)})
    assert told.status_code == 200, told.text
    return [one["status"] for one in told.json()["results"]]


def shown(client, customer="c0"):
    told = client.get(f"/v1/customers/{customer}").json()
    return told["rung"], told["action"], told["arm"], told["no_action_because"]


def test_who_refuses_profiling_is_blank_from_the_answer_on(client, ledger):
    assert tell(client, says(purpose="profiling")) == ["kept"]
    assert shown(client) == ("no_profiling", None, None, None)
    assert shown(client, "c1")[0] == "blend"
    assert Catalogue(ledger.engine).refusing() == {"c0"}
    assert (Catalogue(ledger.engine).refuses("c0"), Catalogue(ledger.engine).refuses("c1")) == (True, False)
    assert balances(ledger.engine)


def test_a_run_that_was_under_way_shows_nothing_of_who_refused_meanwhile(client, ledger):
    catalogue = Catalogue(ledger.engine)
    run_id = catalogue.start("assign", "", NOW)
    Records(ledger.engine).write(run_id, [offered(ledger, one) | {"run_id": run_id} for one in ("c0", "c1")])
    tell(client, says(purpose="profiling"), says("c1", channel="phone"))
    catalogue.finish(run_id, NOW + 2 * 86_400_000_000, {}, bundle="b")
    assert shown(client) == ("no_profiling", None, None, None)
    assert shown(client, "c1") == ("blend", None, "treated", "no_consent")


def test_who_is_not_to_be_called_is_not_shown_with_a_call_and_the_reserve_is_free(client, ledger):
    before = ledger.left("spring")
    tell(client, says(channel=" Phone "))
    assert shown(client) == ("blend", None, "treated", "no_consent")
    assert ledger.left("spring") == before + A_CALL.max_cost
    assert balances(ledger.engine)


def test_another_channel_than_the_action_takes_leaves_the_action(client):
    tell(client, says(channel="email"))
    assert shown(client)[1] == "call"


def test_no_channel_means_every_channel(client):
    tell(client, says())
    assert shown(client) == ("blend", None, "treated", "no_consent")


def test_a_control_stays_a_control(client, ledger):
    tell(client, says("c2"))
    assert shown(client, "c2") == ("blend", None, "control", "no_consent")
    with ledger.engine.connect() as connection:
        query = select(assignments.c.state).where(assignments.c.customer_id == "c2")
        assert connection.execute(query).scalar() == "withheld"


def test_who_says_later_that_they_agree_does_not_refuse(client, ledger):
    tell(client, says(purpose="profiling"), says(purpose="profiling", granted=True, at=LATER))
    assert Catalogue(ledger.engine).refusing() == frozenset()
    tell(client, says(channel="email"), says(channel="email", granted=True, at=LATER))
    assert Catalogue(ledger.engine).withdrawn() == {}


def test_once_it_has_landed_what_stands_speaks_for_itself(client, ledger):
    tell(client, says(purpose="profiling"), says("c1"))
    assert Catalogue(ledger.engine).withdrawn() == {"": {"c1"}}
    waits = Arrivals(ledger.engine)
    waits.settle([one.arrival_id for one in waits.waiting(10)], {}, None, NOW)
    assert (Catalogue(ledger.engine).refusing(), Catalogue(ledger.engine).withdrawn()) == (frozenset(), {})


def test_a_row_that_breaks_the_contract_is_refused_and_the_others_hold(client, ledger):
    assert tell(client, says(purpose="parties"), says(granted=None), says("c1"), {}) == [
        "refused",
        "refused",
        "kept",
        "refused",
    ]
    assert shown(client, "c1")[3] == "no_consent"
    assert [one.table for one in Arrivals(ledger.engine).waiting(10)] == ["consents"]


def test_what_is_taken_back_at_an_unreadable_time_holds_all_the_same(client):
    assert tell(client, says(at="yesterday")) == ["kept"]
    assert shown(client)[3] == "no_consent"


def test_who_says_on_the_phone_not_to_be_called_is_not_called_any_more(client):
    client.patch("/v1/cases/c0", json={"owner": "li", "call_result": "do_not_call"})
    assert shown(client) == ("blend", None, "treated", "no_consent")
    client.patch("/v1/cases/c1", json={"owner": "li", "call_result": "reached"})
    assert shown(client, "c1")[1] == "call"
