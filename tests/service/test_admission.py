"""A bounded number of requests is in progress, a few wait for a moment, the rest are told when to ask again."""

import asyncio
import time

import pytest
from sample_run import ask

from churnml.config import LoadLimits, ServeConfig
from churnml.errors import TooManyRequestsError
from churnml.service.admission import Admission, Places, Rates, kind_of


def scope(path="/v1/at-risk", method="GET", query=b""):
    return {"type": "http", "method": method, "path": path, "query_string": query, "headers": [], "state": {}}


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        (("/healthz",), None),
        (("/readyz",), None),
        (("/metrics",), None),
        (("/static/churnml.css",), None),
        (("/v1/at-risk",), "light"),
        (("/v1/scores", "POST"), "light"),
        (("/v1/outcomes", "POST"), "heavy"),
        (("/v1/cases/7", "PATCH"), "heavy"),
        (("/v1/scores/from-history", "POST"), "heavy"),
        (("/v1/at-risk", "GET", b"band=high&format=csv"), "files"),
        (("/v1/handoff/hubspot",), "files"),
    ],
)
def test_each_request_is_of_the_kind_that_it_costs(asked, kind):
    assert kind_of(scope(*asked)) == kind


class Door:
    """An application that answers once it is let; it counts how many it has inside."""

    def __init__(self):
        self.inside = self.most = 0
        self.open = asyncio.Event()

    async def __call__(self, _scope, _receive, send):
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self.open.wait()
        self.inside -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def asked(app, path="/v1/at-risk"):
    """Ask and return the status and the headers of the answer."""
    told = []

    async def send(message):
        told.append(message)

    await app(scope(path), None, send)
    return told[0]["status"], dict(told[0]["headers"])


def test_no_more_are_in_progress_than_there_are_places_and_the_rest_are_told_when_to_ask_again():
    async def crowd():
        door = Door()
        app = Admission(door, LoadLimits(light=2, waiting=3, wait_seconds=5))
        tasks = [asyncio.create_task(asked(app)) for _ in range(9)]
        await asyncio.sleep(0.05)
        refused = [task.result() for task in tasks if task.done()]
        door.open.set()
        return door.most, refused, [(await task)[0] for task in tasks]

    most, refused, statuses = asyncio.run(crowd())
    assert most == 2
    assert [(status, headers[b"retry-after"]) for status, headers in refused] == [(503, b"1")] * 4
    assert statuses == [200] * 5 + [503] * 4


def test_who_waits_too_long_is_refused_and_health_is_answered_all_the_while():
    async def crowd():
        door = Door()
        app = Admission(door, LoadLimits(light=1, waiting=5, wait_seconds=0.05))
        first = asyncio.create_task(asked(app))
        await asyncio.sleep(0)
        late = await asked(app)
        health = asyncio.create_task(asked(app, "/healthz"))
        await asyncio.sleep(0)
        inside = door.inside
        door.open.set()
        return late[0], inside, (await first)[0], (await health)[0]

    assert asyncio.run(crowd()) == (503, 2, 200, 200)


def test_a_place_is_never_lost_to_those_who_go_while_they_wait():
    async def crowd():
        places = Places(1, 50, 0.02)
        assert await places.enter()
        waiting = [asyncio.create_task(places.enter()) for _ in range(20)]
        await asyncio.sleep(0.01)
        for task in waiting[::2]:
            task.cancel()
        places.leave()
        got = await asyncio.gather(*waiting, return_exceptions=True)
        for one in got:
            if one is True:
                places.leave()
        return {type(one) for one in got}, [await places.enter(), await places.enter()]

    assert asyncio.run(crowd()) == ({asyncio.CancelledError, bool}, [True, False])


def test_one_caller_may_ask_so_often_on_average_and_so_often_at_once():
    rates = Rates(per_second=2.0, burst=3)
    for _ in range(3):
        rates.take("crm", 10.0)
    rates.take("other", 10.0)
    with pytest.raises(TooManyRequestsError, match="2 times a second, and 3 times at once; ask again in 1 s"):
        rates.take("crm", 10.0)
    rates.take("crm", 10.5)
    with pytest.raises(TooManyRequestsError):
        rates.take("crm", 10.6)


def test_a_caller_who_asks_too_often_gets_a_429_and_another_key_does_not(own_workspace):
    settings = ServeConfig(limits=LoadLimits(per_key_per_second=0.1, per_key_burst=2))
    with ask(own_workspace, settings=settings) as client:
        told = [client.get("/v1/at-risk?limit=1") for _ in range(3)]
        assert [one.status_code for one in told] == [200, 200, 429]
        assert (told[2].json()["code"], told[2].headers["retry-after"]) == ("too_many_requests", "10")
        assert client.get("/healthz").status_code == 200


def test_a_refusal_costs_little():
    async def refuse(times):
        app = Admission(Door(), LoadLimits(light=1, waiting=0))
        held = asyncio.create_task(asked(app))
        await asyncio.sleep(0)
        began = time.process_time()
        for _ in range(times):
            await asked(app)
        held.cancel()
        return (time.process_time() - began) / times

    assert asyncio.run(refuse(200)) < 0.002
