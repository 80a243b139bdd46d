"""How to reach a customer: as learned last, for who may know it, about their own customers, and each look is kept."""

import pytest
from sample_run import ask, fill, record, visit

from callers import TESTER
from churnml.config import ServeConfig
from churnml.database import open_engine
from churnml.database.audit import entries
from churnml.database.people import add_person
from churnml.database.sessions import open_session
from new_database import new_workspace

NOW = 1_632_000_000_000_000
SELDOM = ServeConfig(land_every_seconds=3600)
ANN = {"customer_id": "a/b", "occurred_at": "2021-01-01", "display_name": "Ann Li", "phone": "+1 555", "owner": "tom"}
PATH = "/v1/contact-details"
WHOM = {"customer_id": "a/b"}


@pytest.fixture
def told(tmp_path):
    """The workspace of a service in which two versions of a customer have landed, and an engine on it."""
    workspace = new_workspace(tmp_path / "work space")
    fill(workspace, [record("a/b", 3)])
    with ask(workspace, settings=SELDOM) as client:
        for minute, row in enumerate([ANN, ANN | {"phone": "+1 666", "email": "ann@example.com"}]):
            client.app.state.now = lambda minute=minute: NOW + minute * 60_000_000
            answer = client.post("/v1/events", json={"table": "customers", "rows": [row]})
            assert answer.json()["results"][0]["status"] == "kept"
            client.app.state.worker._lander.land()
    engine = open_engine(workspace.database)
    yield workspace, engine
    engine.dispose()


def person(engine, name, role="agent"):
    """Return the cookie of a person who has signed in."""
    with engine.begin() as connection:
        add_person(connection, TESTER, name, role, "no hash", at=1)
        return {"cookie": f"churnml_session={open_session(connection, name, at=NOW, expires_at=NOW + 10**10)}"}


def asked(workspace, headers):
    with visit(workspace, headers=headers, settings=SELDOM) as client:
        client.app.state.now = lambda: NOW + 3_600_000_000
        return client.get(PATH, params=WHOM)


def test_the_version_learned_last_is_told_and_the_look_is_kept(told):
    workspace, engine = told
    with ask(workspace, "contact", settings=SELDOM) as client:
        answer = client.get(PATH, params=WHOM)
    assert answer.json() == {"customer_id": "a/b", "display_name": "Ann Li", "phone": "+1 666",
                             "email": "ann@example.com", "owner": "tom"}  # fmt: skip
    with engine.connect() as connection:
        last = list(entries(connection))[-1]
    assert last.what == "customer.contact_viewed"
    assert "a/b" not in str(last)


def test_a_version_that_was_not_learned_yet_is_not_told(told):
    workspace, _ = told
    with ask(workspace, settings=SELDOM) as client:
        client.app.state.now = lambda: NOW + 1_000_000
        assert client.get(PATH, params=WHOM).json()["phone"] == "+1 555"


def test_without_the_scope_nothing_is_told(told):
    with ask(told[0], "read", "write", "operate", "admin", settings=SELDOM) as client:
        assert client.get(PATH, params=WHOM).status_code == 403


def test_nobody_is_told_of_who_never_landed(told):
    with ask(told[0], settings=SELDOM) as client:
        answer = client.get(PATH, params={"customer_id": "nobody"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_agent_sees_their_own_customers_and_the_case_counts_before_the_table(told):
    workspace, engine = told
    tom, eve = person(engine, "tom"), person(engine, "eve")
    assert [asked(workspace, who).status_code for who in (tom, eve)] == [200, 403]
    with ask(workspace, settings=SELDOM) as client:
        assert client.patch("/v1/cases/a%2Fb", json={"owner": "eve"}).status_code == 200
    assert [asked(workspace, who).status_code for who in (tom, eve)] == [403, 200]


def test_an_agent_does_not_learn_who_is_there(told):
    workspace, engine = told
    eve = person(engine, "eve")
    with visit(workspace, headers=eve, settings=SELDOM) as client:
        client.app.state.now = lambda: NOW + 3_600_000_000
        assert client.get(PATH, params={"customer_id": "nobody"}).status_code == 403
