"""A request that comes again is not done again, whoever races, repeats, or dies on the way."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, Request
from sample_run import TestClient
from sqlalchemy import insert, select, text

from callers import FAR_AHEAD, TESTER, a_key
from churnml.database import open_engine
from churnml.database.keys import rotate_key
from churnml.database.requests import KEPT, forget, purge
from churnml.database.tables import moves
from churnml.errors import UsageError
from churnml.service import create_app
from churnml.service.access import Caller, requires
from churnml.service.idempotency import once, raw_body
from new_database import new_workspace

HERE = Path(__file__).parent
WRITER = Annotated[Caller, Depends(requires("write"))]
DEED = {"name": "deed", "bundle": "", "back": False, "why": "", "moved_at": 1}


def serving(workspace, before_end=lambda: None):
    """Return the service with one more route, whose deed is a row that can be counted."""
    app = create_app(workspace)

    @app.post("/v1/deeds")
    def deed(request: Request, caller: WRITER, body: Annotated[bytes, Depends(raw_body)]):
        def make(connection):
            done = connection.execute(insert(moves), DEED).inserted_primary_key[0]
            before_end()
            return 200, {"done": done, "customer_id": body.decode()}

        return once(request, caller, body, make)

    return app


def deeds(workspace):
    """Count what was done."""
    engine = open_engine(workspace.database)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT count(*) FROM moves")).scalar_one()
    engine.dispose()
    return found


@pytest.fixture
def place(tmp_path):
    return new_workspace(tmp_path)


def client_of(workspace, app, name="crm"):
    """Return a client of the service with a key of its own."""
    headers = {"authorization": f"Bearer {a_key(workspace, 'write', name=name)}"}
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False, headers=headers)


@pytest.fixture
def asking(place):
    with client_of(place, serving(place)) as opened:
        opened.post("/v1/deeds", headers={"Idempotency-Key": ""})  # FastAPI readies a route when it is first asked
        yield opened


def ask(client, body="c1", key="k1"):
    return client.post("/v1/deeds", content=body, headers={"Idempotency-Key": key} if key else {})


def test_what_comes_again_gets_the_same_answer_to_the_byte_and_is_not_done_again(asking, place):
    first, again = ask(asking), ask(asking)
    assert (first.content, first.status_code) == (again.content, again.status_code)
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert deeds(place) == 1


def test_without_a_key_it_is_done_each_time(asking, place):
    assert ask(asking, key=None).json() != ask(asking, key=None).json()
    assert deeds(place) == 2


def test_another_body_under_the_same_key_is_refused_and_not_done(asking, place):
    ask(asking)
    told = ask(asking, "c2")
    assert (told.status_code, told.json()["code"]) == (422, "idempotency_mismatch")
    assert deeds(place) == 1


def test_another_address_under_the_same_key_is_refused(asking):
    ask(asking)
    assert asking.post("/v1/deeds?x=1", content="c1", headers={"Idempotency-Key": "k1"}).status_code == 422


def test_keys_of_two_callers_never_meet(asking, place):
    ask(asking)
    assert "idempotency-replayed" not in ask(client_of(place, asking.app, "another")).headers
    assert deeds(place) == 2


def test_a_key_and_the_one_that_took_its_place_are_one_caller_and_two_of_a_name_are_two(asking, place):
    first = ask(asking)
    engine = open_engine(place.database)
    with engine.begin() as connection:
        _, turned, _ = rotate_key(connection, TESTER, "crm", at=2, expires_at=FAR_AHEAD, overlap=FAR_AHEAD)
    engine.dispose()
    again = ask(TestClient(asking.app, base_url="http://localhost", headers={"authorization": f"Bearer {turned}"}))
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert "idempotency-replayed" not in ask(client_of(place, asking.app, "crm")).headers
    assert deeds(place) == 2


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "\xfc"])
def test_a_key_that_is_none_is_told(asking, key):
    told = asking.post("/v1/deeds", content="c1", headers={"Idempotency-Key": key.encode("latin-1")})
    assert (told.status_code, told.json()["code"]) == (400, "usage")
    assert "`Idempotency-Key` must be" in told.json()["detail"]


def test_twenty_that_race_under_one_key_do_it_once_and_are_answered_alike(asking, place):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: ask(asking), range(20)))
    done = {answer.content for answer in answers if answer.status_code == 200}
    assert len(done) == 1
    # on a busy machine the database may be held for longer than anybody waits: told so, and nothing was done
    assert {answer.status_code for answer in answers} <= {200, 409, 503}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in_progress"}
    assert ask(asking).content in done
    assert deeds(place) == 1


def test_services_that_share_a_database_and_no_memory_do_it_once(place):
    clients = [client_of(place, serving(place)) for _ in range(4)]
    for client in clients:
        client.headers = clients[0].headers
    for client in clients:
        ask(client, key=None)  # FastAPI readies a route when it is first asked
    before = deeds(place)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, clients))
    assert len({answer.content for answer in answers}) == deeds(place) - before == 1


def test_while_it_is_done_the_same_is_told_to_come_again(place):
    inner = []

    def meanwhile():
        if not inner:
            inner.append(None)
            inner[0] = ask(client)

    with client_of(place, serving(place, meanwhile)) as client:
        assert ask(client).status_code == 200
    assert (inner[0].status_code, inner[0].json()["code"], inner[0].headers["retry-after"]) == (409, "in_progress", "1")


def test_what_fails_is_not_kept_and_may_be_tried_again(place):
    fails = [UsageError("not now")]
    app = serving(place, lambda: (_ for _ in ()).throw(fails.pop()) if fails else None)
    with client_of(place, app) as client:
        assert (ask(client).status_code, deeds(place)) == (400, 0)
        assert (ask(client).status_code, deeds(place)) == (200, 1)


KILLED = """
import os, signal, sys
from pathlib import Path
from test_idempotency import ask, client_of, serving
from churnml.database import Workspace
place = Workspace.open(Path(sys.argv[1]))
ask(client_of(place, serving(place, lambda: os.kill(os.getpid(), signal.SIGKILL))))
"""


def test_who_is_killed_before_the_answer_leaves_neither_deed_nor_answer(asking, place):
    folders = {"PYTHONPATH": ":".join([str(HERE), str(HERE.parent), *sys.path])}
    died = subprocess.run([sys.executable, "-c", KILLED, place.root], env=folders, check=False)
    assert died.returncode == -signal.SIGKILL
    assert deeds(place) == 0
    assert "idempotency-replayed" not in ask(asking).headers
    assert deeds(place) == 1


def test_a_day_later_the_key_is_free_again(asking, place):
    ask(asking)
    later = asking.app.state.now() + KEPT + 1_000_000
    asking.app.state.now = lambda: later
    assert "idempotency-replayed" not in ask(asking, "c2").headers
    assert deeds(place) == 2


def test_what_is_purged_is_gone(asking):
    ask(asking)
    with asking.app.state.engine.begin() as connection:
        assert (purge(connection, 0), purge(connection, asking.app.state.now() + 1)) == (0, 1)
        assert connection.execute(select(text("count(*)")).select_from(text("requests"))).scalar_one() == 0


def test_an_answer_that_names_an_erased_customer_is_blanked_and_the_deed_not_done_again(asking, place):
    ask(asking, "c1", "k1")
    ask(asking, "c10", "k2")
    with asking.app.state.engine.begin() as connection:
        assert forget(connection, "c1") == 1
    told = ask(asking, "c1", "k1")
    assert (told.status_code, told.json()["code"]) == (410, "gone")
    assert ask(asking, "c10", "k2").headers["idempotency-replayed"] == "true"
    assert deeds(place) == 2
