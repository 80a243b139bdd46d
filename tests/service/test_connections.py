"""A client that is slow holds nothing for long, and a crowd of idle ones keeps nobody out."""

import socket
import threading
import time

import pytest
import uvicorn

from churnml.config import LoadLimits
from churnml.service.connections import LimitedConfig
from churnml.service.server import listen

MUCH = 40_000_000
ASK = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


async def app(scope, receive, send):
    """Answer with a little, or with more than any buffer holds."""
    if scope["type"] != "http":
        return
    much = scope["path"] == "/much"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(MUCH // 100_000 if much else 0):
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture(scope="module")
def port():
    limits = LoadLimits(connections=3, header_seconds=0.3, send_seconds=0.3)
    config = LimitedConfig(app, limits, lifespan="off", log_level="critical", timeout_keep_alive=30)
    server = uvicorn.Server(config)
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def ask(client):
    """Ask, and read the answer to its end."""
    client.sendall(ASK)
    told = b""
    while not told.endswith(b"0\r\n\r\n"):
        told += client.recv(65_536)
    return told


def seconds_until_cut(client):
    began = time.monotonic()
    try:
        while client.recv(65_536):
            pass
    except ConnectionError:
        pass
    return time.monotonic() - began


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nhost: loc"])
def test_who_does_not_say_what_they_want_is_cut(port, said):
    with connect(port) as client:
        client.sendall(said)
        assert 0.1 < seconds_until_cut(client) < 2


def test_who_says_it_a_byte_at_a_time_is_cut_however_often_they_send(port):
    with connect(port) as client:
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            trickle(client)
        assert time.monotonic() - began < 2


def trickle(client):
    for _ in range(100):
        client.sendall(b"x")
        time.sleep(0.03)


def test_a_second_request_has_a_time_of_its_own(port):
    with connect(port) as client:
        ask(client)
        time.sleep(0.5)  # idle, which is no offence
        assert b"200 OK" in ask(client)
        client.sendall(b"GET /")
        assert seconds_until_cut(client) < 2


def test_who_asks_for_much_and_does_not_read_it_is_cut(port):
    with connect(port) as client:
        client.sendall(ASK.replace(b"/ ", b"/much ", 1))
        time.sleep(1)
        told = bytearray()
        while some := client.recv(1_000_000):
            told += some
    assert len(told) < MUCH
    assert not told.endswith(b"0\r\n\r\n")


def test_who_has_been_idle_longest_makes_room_for_a_new_client(port):
    with connect(port) as first, connect(port) as second, connect(port) as third:
        for client in (first, second, third):
            ask(client)
        with connect(port) as fourth:
            assert b"200 OK" in ask(fourth)
        assert first.recv(65_536) == b""


def test_where_nobody_is_idle_a_new_client_is_told_to_come_again(port):
    busy = [connect(port) for _ in range(3)]
    for client in busy:
        client.sendall(b"GET")
    time.sleep(0.05)
    with connect(port) as late:
        told = late.recv(65_536)
    for client in busy:
        client.close()
    assert told.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 1" in told
    assert b'"code":"overloaded"' in told
