"""Contacts that were made come in; who was to be left in peace and was not is told as a breach."""

import pytest
from sample_run import CUTOFF as _RUN_CUTOFF
from sample_run import ask, fill, record
from sqlalchemy import select

from churnml.database import open_engine
from churnml.database.arrivals import Arrivals
from churnml.database.scopes import ROLES
from churnml.database.tables import assignments
from ledgers import A_CALL, CUTOFF, NOW, balances, begun, some

AT = "1972-09-28T10:00:00Z"


@pytest.fixture
def ledger(own_workspace):
    engine = open_engine(own_workspace.database)
    made, run = begun(engine)
    made.reserve("spring", run, CUTOFF, some(3, like=A_CALL, controls={2}), CUTOFF + 1)
    held_out = record("h1", 3, action=None, arm="none", no_action_because="held_out", cutoff=_RUN_CUTOFF)
    fill(own_workspace, [held_out], now=9)
    yield made
    engine.dispose()


def asking(workspace, *scopes):
    opened = ask(workspace, *scopes)
    opened.app.state.now = lambda: NOW + 86_400_000_000
    return opened


def row(customer="c0", **changes):
    return {"customer_id": customer, "occurred_at": AT, "action": "call", "channel": "phone"} | changes


def post(client, *rows):
    told = client.post("/v1/contacts", json={"contacts": list(rows)})
    assert told.status_code == 200, told.text
    return told.json()["results"]


def state_of(ledger, customer):
    query = select(assignments.c.state, assignments.c.arm, assignments.c.cost)
    with ledger.engine.connect() as connection:
        return tuple(connection.execute(query.where(assignments.c.customer_id == customer)).one())


def test_a_contact_that_is_acknowledged_waits_to_be_landed(own_workspace, ledger):
    (told,) = post(asking(own_workspace, "write"), row(cost=3.5))
    (waits,) = Arrivals(ledger.engine).waiting(10)
    assert (told["status"], told["flags"]) == ("kept", [])
    assert (waits.table, waits.row["customer_id"], len(waits.row["contact_id"])) == ("contacts", "c0", 32)


def test_a_contact_without_a_name_gets_the_same_whenever_it_is_told(own_workspace, ledger):
    client = asking(own_workspace, "write")
    post(client, row())
    post(client, row(), row(channel="email"))
    names = [one.row["contact_id"] for one in Arrivals(ledger.engine).waiting(10)]
    assert (names[0] == names[1], names[0] == names[2]) == (True, False)


def test_a_row_that_breaks_the_contract_is_told_and_the_others_are_kept(own_workspace, ledger):
    told = post(
        asking(own_workspace, "write"), row(), row(occurred_at="soon"), row(price=3), row(occurred_at="2030-01-01")
    )
    assert [one["status"] for one in told] == ["kept", "refused", "refused", "refused"]
    assert "contact 2: `price` is no column of the table" in told[2]["problem"]["detail"]
    assert len(Arrivals(ledger.engine).waiting(10)) == 1


@pytest.mark.parametrize("customer", ["c2", "h1"])
def test_who_is_held_out_is_not_approached_without_a_manager(own_workspace, ledger, customer):
    (told,) = post(asking(own_workspace, "write"), row(customer))
    assert (told["status"], told["problem"]["status"], told["problem"]["code"]) == ("refused", 403, "held_out")
    assert "answer if they write, do not approach" in told["problem"]["detail"]
    assert Arrivals(ledger.engine).waiting(10) == []


def test_a_manager_tells_it_as_a_breach_and_the_control_stays_a_control(own_workspace, ledger):
    client = asking(own_workspace, "write", "operate")
    told = post(client, row("c2", cost=2), row("h1"))
    assert [one["flags"] for one in told] == [["breach"], ["breach"]]
    assert state_of(ledger, "c2") == ("breach", "control", 2_000_000)
    assert balances(ledger.engine)
    post(client, row("c2", cost=2))
    assert state_of(ledger, "c2") == ("breach", "control", 2_000_000)


def test_what_was_withheld_approached_nobody(own_workspace, ledger):
    (told,) = post(asking(own_workspace, "write"), row("c2", arm="control"))
    assert (told["status"], told["flags"], state_of(ledger, "c2")[0]) == ("kept", [], "withheld")


def test_a_contact_after_consent_was_taken_back_is_kept_and_told(own_workspace, ledger):
    client = asking(own_workspace, "write")
    said = {"customer_id": "c1", "occurred_at": AT, "purpose": "marketing", "channel": "Phone", "granted": False}
    client.post("/v1/consents", json={"consents": [said]})
    told = post(client, row("c1"), row("c1", channel="email"), row("c0"))
    assert [one["flags"] for one in told] == [["no_consent"], [], []]


def test_who_runs_campaigns_may_report_a_contact_with_somebody_held_out_and_an_agent_may_not():
    assert {role for role, scopes in ROLES.items() if {"write", "operate"} <= scopes} == {"analyst", "admin"}
