"""A service under five times the load it can carry: what it answers, what it refuses, and how soon it is well again.

    python -m benchmarks.measure_load KEY [--url http://127.0.0.1:8000] [--path /v1/at-risk?limit=50] [--seconds 10]

`churnml serve` runs already, with its limits; KEY has the scope `read`. First the most that it answers is found, with
as many clients as it has places. Then five times as many requests arrive, at a steady rate, whether answered or not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

_TIMES = 5
_CLIENTS = 4
_WELL_SECONDS = 5.0


@dataclass
class Seen:
    """What became of requests: how many of each status, and how long the good ones took, seconds."""

    statuses: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    silent: int = 0
    seconds: float = 0.0

    def note(self, status: int, seconds: float, headers: httpx.Headers) -> None:
        """Note an answer; a refusal has to say when to ask again."""
        self.statuses[str(status)] += 1
        if status == httpx.codes.OK:
            self.took.append(seconds)
        elif "retry-after" not in headers:
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
            "statuses": dict(self.statuses),
            "refused_without_retry_after": self.silent,
        }


async def ask(client: httpx.AsyncClient, path: str, seen: Seen) -> None:
    """Ask once."""
    began = time.perf_counter()
    try:
        told = await client.get(path)
    except httpx.HTTPError as error:
        seen.statuses[type(error).__name__] += 1
        return
    seen.note(told.status_code, time.perf_counter() - began, told.headers)


async def closed(client: httpx.AsyncClient, path: str, clients: int, seconds: float) -> Seen:
    """Ask again and again, each client once its last answer has come."""
    seen, end = Seen(), time.perf_counter() + seconds

    async def one() -> None:
        while time.perf_counter() < end:
            await ask(client, path, seen)

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(clients)))
    seen.seconds = time.perf_counter() - began
    return seen


async def opened(client: httpx.AsyncClient, path: str, per_second: float, seconds: float) -> Seen:
    """Ask at a steady rate, whether or not answers come."""
    seen, began = Seen(), time.perf_counter()
    tasks: set[asyncio.Task[None]] = set()
    sent = 0
    while (now := time.perf_counter() - began) < seconds:
        while sent < now * per_second:
            tasks.add(asyncio.create_task(ask(client, path, seen)))
            sent += 1
        await asyncio.sleep(0.005)
    await asyncio.wait(tasks, timeout=30)
    seen.seconds = time.perf_counter() - began  # answers that came late count, and so does the time they took
    return seen


async def measure(url: str, key: str, path: str, seconds: float) -> dict[str, object]:
    """Return what was seen at the peak, at five times of it, and after."""
    limits = httpx.Limits(max_connections=900, max_keepalive_connections=900)
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=30) as client:
        await closed(client, path, 2, 2)  # warm
        peak = await closed(client, path, _CLIENTS, seconds)
        rate = peak.good_per_second
        over = await opened(client, path, _TIMES * rate, seconds)
        healthy = (await client.get("/healthz")).status_code
        ended = time.perf_counter()
        well = Seen()
        while not well.took and time.perf_counter() - ended < 60:
            await ask(client, path, well)
        recovered = time.perf_counter() - ended
        after = await closed(client, path, _CLIENTS, seconds)
    goodput = over.good_per_second
    return {
        "path": path,
        "peak": peak.told(),
        "offered_per_second": round(_TIMES * rate, 1),
        "at_five_times": over.told(),
        "goodput_of_peak": round(goodput / rate, 3),
        "health_after": healthy,
        "seconds_until_well": round(recovered, 3),
        "after": after.told(),
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
