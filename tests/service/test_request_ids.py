import pytest
import structlog

from churnml.service.request_ids import RequestIds


def test_a_request_keeps_the_id_its_caller_gave_it_in_answer_and_problem(client):
    told = client.get("/v1/customers/nobody", headers={"X-Request-Id": "crm-7:a_b.c"})
    assert told.headers["x-request-id"] == told.json()["request_id"] == "crm-7:a_b.c"


@pytest.mark.parametrize("given", [None, "", "x" * 129, "a b", "a\tb", "é".encode("latin-1"), "<b>"])
def test_a_request_without_a_sound_id_gets_one_of_its_own(client, given):
    told = [client.get("/healthz", headers={} if given is None else {"X-Request-Id": given}) for _ in range(2)]
    assert [len(one.headers["x-request-id"]) for one in told] == [32, 32]
    assert told[0].headers["x-request-id"] != told[1].headers["x-request-id"]


@pytest.mark.parametrize("path, host", [("/v1/nowhere", "localhost"), ("/healthz", "evil.example"), ("/", "localhost")])
def test_every_answer_names_its_request(client, path, host):
    assert client.get(path, headers={"X-Request-Id": "r1", "host": host}).headers["x-request-id"] == "r1"


def test_the_answer_to_a_bug_names_its_request_too(client, monkeypatch):
    monkeypatch.setattr("churnml.service.readings.Readings.run", lambda _: 1 / 0)
    told = client.get("/readyz", headers={"X-Request-Id": "r2"})
    assert (told.status_code, told.headers["x-request-id"], told.json()["request_id"]) == (500, "r2", "r2")


async def _nothing(*_):
    return None


@pytest.mark.parametrize("given, bound", [(b"r3", True), (b"a\nb", False)])
def test_what_is_logged_bears_the_id_and_nothing_else_of_the_callers_making(given, bound):
    import asyncio

    async def app(*_):
        seen.append(structlog.contextvars.get_contextvars()["request_id"])

    seen = []
    scope = {"type": "http", "headers": [(b"x-request-id", given)]}
    asyncio.run(RequestIds(app)(scope, _nothing, _nothing))
    assert (seen == [given.decode()]) == bound
