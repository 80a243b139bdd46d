"""A service under five times the load it can carry: what it answers, what it refuses, and how soon it is well again.

    python -m benchmarks.measure_load KEY [--url http://127.0.0.1:8000] [--path /v1/at-risk?limit=50] [--seconds 10]

`churnml serve` runs already, with its limits; KEY has the scope `read`. First the most that it answers is found, with
as many clients as it has places. Then five times as many requests arrive, at a steady rate, whether answered or not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

_TIMES = 5
_CLIENTS = 4
_WELL_SECONDS, _PATIENCE_SECONDS = 5.0, 30.0
_OK = 200
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class Seen:
    """What became of requests: how many of each status, and how long the good ones took, seconds."""

    statuses: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    silent: int = 0
    seconds: float = 0.0

    def note(self, status: int, seconds: float, *, refusal_says_when: bool) -> None:
        """Note an answer; a refusal has to say when to ask again."""
        self.statuses[str(status)] += 1
        if status == _OK:
            self.took.append(seconds)
        elif not refusal_says_when:
            self.silent += 1

    @property
    def good_per_second(self) -> float:
        """How many good answers came a second."""
        return len(self.took) / self.seconds

    def told(self) -> dict[str, object]:
        """Return it as plain data."""
        took = sorted(self.took) or [float("nan")]
        return {
            "good_per_second": round(self.good_per_second, 1),
            "p50_ms": round(1000 * took[len(took) // 2], 1),
            "p99_ms": round(1000 * took[int(0.99 * (len(took) - 1))], 1),
            "latest_ms": round(1000 * took[-1], 1),
            "statuses": dict(self.statuses),
            "refused_without_retry_after": self.silent,
        }


class Wire(asyncio.Protocol):
    """A connection that is kept open: a library would take longer to ask than the service to answer."""

    def __init__(self) -> None:
        self._got, self._answer, self.lost = b"", asyncio.get_running_loop().create_future(), False
        self._to: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note where to write."""
        self._to = cast("asyncio.Transport", transport)

    def ask(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        """Ask, and return status and head of the answer once it is whole."""
        self._got, self._answer = b"", asyncio.get_running_loop().create_future()
        if self._to is None or self.lost:
            self._answer.set_exception(ConnectionResetError("the connection was closed"))
        else:
            self._to.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Take a part of the answer."""
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and len(body) >= (int(length[1]) if length else 0) and not self._answer.done():
            self.lost = b"connection: close" in head.lower()
            self._answer.set_result((int(head[9:12]), head.lower()))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        self.lost = True
        if not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the connection was closed"))


class Caller:
    """Asks one thing on as many connections as it takes, each kept for the next request.

    Parameters
    ----------
    url : str
        Of the service.
    path : str
        What is asked for.
    key : str
        Of whom.
    """

    def __init__(self, url: str, path: str, key: str) -> None:
        parts = urlsplit(url)
        self._where = parts.hostname or "", parts.port or 80
        self._request = f"GET {path} HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: Bearer {key}\r\n\r\n".encode()
        self._idle: list[Wire] = []

    async def ask(self, seen: Seen, due: float | None = None) -> None:
        """Ask once; an answer is as late as it comes after the request was due."""
        began = time.perf_counter() if due is None else due
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                wire = await self._wire()
                status, head = await wire.ask(self._request)
        except (OSError, TimeoutError) as error:
            seen.statuses[type(error).__name__] += 1
            return
        self._idle.append(wire)
        seen.note(status, time.perf_counter() - began, refusal_says_when=b"retry-after:" in head)

    async def _wire(self) -> Wire:
        while self._idle:
            wire = self._idle.pop()  # the one used last: of those that are idle long the service may let go
            if not wire.lost:
                return wire
        _, made = await asyncio.get_running_loop().create_connection(Wire, *self._where)
        return made


async def closed(caller: Caller, clients: int, seconds: float) -> Seen:
    """Ask again and again, each client once its last answer has come."""
    seen, end = Seen(), time.perf_counter() + seconds

    async def one() -> None:
        while time.perf_counter() < end:
            await caller.ask(seen)

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    seen.seconds = time.perf_counter() - began
    return seen


async def opened(caller: Caller, per_second: float, seconds: float) -> Seen:
    """Ask at a steady rate, whether or not answers come."""
    seen, began = Seen(), time.perf_counter()
    tasks: set[asyncio.Task[None]] = set()
    sent = 0
    while (now := time.perf_counter() - began) < seconds:
        while sent < now * per_second:
            tasks.add(asyncio.create_task(caller.ask(seen, began + sent / per_second)))
            sent += 1
        await asyncio.sleep(0.005)
    await asyncio.wait(tasks)
    seen.seconds = time.perf_counter() - began  # answers that came late count, and so does the time they took
    return seen


async def measure(url: str, key: str, path: str, seconds: float) -> dict[str, object]:
    """Return what was seen at the peak, at five times of it, and after."""
    caller, probe = Caller(url, path, key), Caller(url, "/healthz", key)
    await closed(caller, 2, 2)  # warm
    peak = await closed(caller, _CLIENTS, seconds)
    rate = peak.good_per_second
    spent = time.process_time()
    over = await opened(caller, _TIMES * rate, seconds)
    ended, spent = time.perf_counter(), (time.process_time() - spent) / over.seconds
    healthy = Seen()
    await probe.ask(healthy)
    well = Seen()
    while not well.took and time.perf_counter() - ended < 60:
        await caller.ask(well)
    recovered = time.perf_counter() - ended
    after = await closed(caller, _CLIENTS, seconds)
    goodput = over.good_per_second
    return {
        "path": path,
        "peak": peak.told(),
        "offered_per_second": round(_TIMES * rate, 1),
        "client_busy": round(spent, 3),
        "at_five_times": over.told(),
        "goodput_of_peak": round(goodput / rate, 3),
        "health_after": dict(healthy.statuses),
        "seconds_until_well": round(recovered, 3),
        "after": after.told(),
        "after_of_peak": round(after.good_per_second / rate, 3),
        "met": goodput >= 0.8 * rate and recovered <= _WELL_SECONDS and not over.silent,
    }


def main() -> None:
    """Print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("key")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--path", default="/v1/at-risk?limit=50")
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    found = asyncio.run(measure(given.url, given.key, given.path, given.seconds))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
