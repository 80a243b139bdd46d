"""Whatever a request does ends in time, and what is told not to have been done was not done."""

import asyncio
import time

import pytest
from sample_run import ask
from sqlalchemy import text

from churnml.config import LoadLimits, ServeConfig
from churnml.database import open_engine
from churnml.database.deadlines import Deadline, within
from churnml.errors import DeadlineError
from churnml.service.deadlines import Deadlines

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def engine(tmp_path):
    made = open_engine(tmp_path / "churnml.db")
    yield made
    made.dispose()


def test_a_statement_of_a_file_that_runs_over_its_deadline_is_broken_off(engine):
    began = time.monotonic()
    with within(Deadline(0.2)), engine.connect() as connection, pytest.raises(DeadlineError, match=r"within 0\.2 s"):
        connection.execute(text(ENDLESS))
    assert time.monotonic() - began < 1
    with engine.connect() as connection:  # and the connection is as good as before
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_a_statement_of_a_server_that_runs_over_its_deadline_is_broken_off(on_server):
    engine = open_engine(on_server[0], patience_seconds=2)
    began = time.monotonic()
    with within(Deadline(0.3)), engine.connect() as connection, pytest.raises(DeadlineError, match=r"within 0\.3 s"):
        connection.execute(text("SELECT pg_sleep(5)"))
    assert time.monotonic() - began < 1.5
    engine.dispose()


def test_what_would_be_committed_after_the_deadline_is_taken_back(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE deeds (what TEXT)"))

    def late():
        with within(Deadline(0.2)), engine.begin() as connection:
            connection.execute(text("INSERT INTO deeds VALUES ('late')"))
            time.sleep(0.25)

    with pytest.raises(DeadlineError):
        late()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM deeds")).scalar() == 0


def test_what_was_given_up_does_not_commit_and_what_commits_is_not_given_up():
    given_up, done = Deadline(60), Deadline(60)
    assert given_up.give_up()
    with pytest.raises(DeadlineError):
        given_up.commit()
    done.commit()
    assert not done.give_up()
    assert not done.over


async def asked(app, path="/v1/at-risk"):
    told = []

    async def send(message):
        told.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "state": {}}
    await app(scope, None, send)
    return told


def test_what_asks_no_database_is_answered_for_and_keeps_its_place_until_it_has_ended():
    ended = []

    async def slow(_scope, _receive, send):
        await asyncio.sleep(0.6)
        ended.append(True)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    told = asyncio.run(asked(Deadlines(slow, LoadLimits(request_seconds=0.1))))
    assert (told[0]["status"], dict(told[0]["headers"])[b"retry-after"]) == (503, b"2")
    assert b'"code":"deadline"' in told[1]["body"]
    assert (len(told), ended) == (2, [True])


def test_an_answer_that_is_not_sent_in_time_is_cut_off():
    async def endless(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0.01)

    told = asyncio.run(asked(Deadlines(endless, LoadLimits(request_seconds=0.1))))
    assert told[-1]["more_body"] is True


def test_a_request_that_is_too_slow_gets_a_503_and_its_deed_was_not_done(own_workspace, monkeypatch):
    settings = ServeConfig(limits=LoadLimits(request_seconds=0.3))
    told = {"customer_id": "1296", "purpose": "marketing", "granted": False, "occurred_at": "2018-02-01T00:00:00Z"}
    with ask(own_workspace, settings=settings) as client:
        keyed = {"json": {"consents": [told]}, "headers": {"Idempotency-Key": "k1"}}
        with monkeypatch.context() as slow:
            slow.setattr("churnml.service.idempotency.finish", lambda *_: time.sleep(0.4))
            late = client.post("/v1/consents", **keyed)
        assert (late.status_code, late.json()["code"], late.headers["retry-after"]) == (503, "deadline", "2")
        with client.app.state.engine.connect() as connection:
            counted = [
                connection.execute(text(f"SELECT count(*) FROM {one}")).scalar()
                for one in ("requests", "told_consents")
            ]
        assert counted == [0, 0]
        assert client.post("/v1/consents", **keyed).json()["results"][0]["status"] == "kept"
