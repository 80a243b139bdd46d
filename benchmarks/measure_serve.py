"""What an answer of the service costs beside a bare one: `python -m benchmarks.measure_serve RECORDS ROUNDS FOLDER`.

Servers are processes of their own on 127.0.0.1 and take turns, a few tenths of a second each, so that a busy minute
hits them all. With a fourth argument, a workspace that is trained and scored, one customer from raw history is measured
as well. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import IO

from benchmarks.measure_online import body_of, median_customers
from benchmarks.serve_load import Asked, Line, Round, one_round
from benchmarks.store_records import records as made
from churnml.database import Catalogue, Records, Workspace, open_engine
from churnml.database.keys import create_key
from churnml.events import Store

IDS = 500
_SECONDS = 0.4
"""How long a turn should take."""
_LEAST, _MOST = 5, 2_000
_CLI = "from churnml.cli import main; main()"
_ASIDE = SimpleNamespace(kind="command", name="benchmark")


@dataclass(frozen=True)
class Server:
    """A server that listens."""

    url: str
    pid: int
    seconds: float
    """from its start to its first answer"""


def workspace_of(root: Path, count: int) -> Workspace:
    """Return a workspace with one finished run of so many records."""
    workspace = Workspace.open(root, create=True)
    engine = open_engine(workspace.database)
    catalogue = Catalogue(engine)
    run_id = catalogue.start("assign", "benchmark", 1)
    Records(engine).write(run_id, (one | {"run_id": run_id} for one in made(count)))
    catalogue.finish(run_id, 2, {"cutoff": "2026-01-01T00:00:00+00:00"})
    engine.dispose()
    return workspace


def key_of(workspace: Workspace) -> dict[str, str]:
    """Return the headers of one who may read."""
    now = time.time_ns() // 1_000
    engine = open_engine(workspace.database)
    with engine.begin() as connection:
        _, key = create_key(connection, _ASIDE, "benchmark", ["read"], at=now, expires_at=now + 3_600_000_000)
    engine.dispose()
    return {"authorization": f"Bearer {key}"}


@contextmanager
def running(*program: str) -> Iterator[Server]:
    """Start a server, and end it afterwards; it says where it listens, and its log goes to a file as it would for real.

    Raises
    ------
    RuntimeError
        If it ends before it listens.
    """
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, *program], stdout=said, stderr=subprocess.STDOUT, env=_surroundings()
        )
        try:
            url = _address(process, said)
            first = Line(url)
            first.ask(Asked("GET", "/healthz", {}).bytes(first.host))
            first.close()
            yield Server(url, process.pid, time.perf_counter() - began)
        finally:
            process.terminate()
            process.wait()


def _surroundings() -> dict[str, str]:
    """Return the environment of a server: compiled modules are kept, as every installation has them."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
        "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "churnml-benchmark-modules")
    }


def _address(process: subprocess.Popen[bytes], said: IO[str]) -> str:
    while process.poll() is None:
        time.sleep(0.02)
        told = os.pread(said.fileno(), 10_000, 0).decode()
        if found := re.search(r"http://[\d.:]+(?=\s)", told):
            return found.group()
    last = os.pread(said.fileno(), 10_000, 0).decode()
    raise RuntimeError(f"a server must listen to be measured, it ended and said: {last}")


def ready(server: Server, request: Asked, hot: Path) -> bytes:
    """Return the answer to a request, once the service has made its snapshot, which it does when it is first asked."""
    line = Line(server.url)
    status, body = line.ask(request.bytes(line.host))
    for _ in range(600):
        if list(hot.glob("*.records")):
            break
        time.sleep(0.1)
    time.sleep(1)  # until it is opened as well
    line.close()
    if status != 200:
        raise RuntimeError(f"{request.path} must be answered by 200, got {status}: {body.decode()}")
    return body


def from_history(root: Path) -> Asked:
    """Return the request of one customer of a trained workspace, with a median number of rows."""
    workspace = Workspace.open(root)
    engine = open_engine(workspace.database)
    catalogue, run_id = Catalogue(engine), Records(engine).current_run()
    store = Store.open(workspace, catalogue, "UTC")
    (record,) = Records(engine).some_of_run(run_id or "", median_customers(store)[:1]).values()
    cutoff = int(datetime.fromisoformat(record["cutoff"]).timestamp() * 1_000_000)
    body = body_of(store, record["customer_id"], cutoff)
    engine.dispose()
    return Asked("POST", "/v1/scores/from-history", key_of(workspace) | {"content-type": "application/json"}, body)


def measure(
    workspace: Workspace, count: int, rounds: int, folder: Path, trained: Path | None = None
) -> dict[str, object]:
    """Return the rounds of each case, and how long the service took to start."""
    headers = key_of(workspace)
    one = Asked("GET", f"/v1/customers/C{count // 2 + 1:09}", headers)
    ids = [f"C{number:09}" for number in range(1, count, max(count // IDS, 1))][:IDS]
    many = Asked(
        "POST", "/v1/scores", headers | {"content-type": "application/json"}, json.dumps({"customer_ids": ids}).encode()
    )
    page = Asked("GET", "/v1/at-risk?limit=50", headers)
    with ExitStack() as stack:
        root = str(workspace.root)
        with running("-c", _CLI, "serve", "--workspace", root, "--port", "0"):
            pass  # so that modules are compiled and files are at hand when the start is measured
        product = stack.enter_context(running("-c", _CLI, "serve", "--workspace", root, "--port", "0"))
        body = ready(product, one, workspace.hot)
        (folder / "record.json").write_bytes(body)
        bare = stack.enter_context(running("-m", "benchmarks.serve_servers", "bare", str(folder / "record.json")))
        slow = stack.enter_context(running("-m", "benchmarks.serve_servers", "routes", root))
        cases = {
            "bare": (bare, one),
            "record": (product, one),
            "record by the route": (slow, one),
            "500 records": (product, many),
            "500 records by the route": (slow, many),
            "page of 50": (product, page),
        }
        if trained is not None:
            server = running("-c", _CLI, "serve", "--workspace", str(trained), "--port", "0")
            cases["from history"] = (stack.enter_context(server), from_history(trained))
        found = _in_turns(cases, rounds)
    return {
        "records": count,
        "bytes": len(body),
        "ids": len(ids),
        "start": product.seconds,
        "rounds": {name: [asdict(one) for one in ones] for name, ones in found.items()},
    }


def _in_turns(cases: dict[str, tuple[Server, Asked]], rounds: int) -> dict[str, list[Round]]:
    lines = {name: Line(server.url) for name, (server, _) in cases.items()}
    times = {name: _times(lines[name], *case) for name, case in cases.items()}
    found: dict[str, list[Round]] = {name: [] for name in cases}
    for turn in range(1, rounds + 1):
        print(f"turn {turn} of {rounds}", file=sys.stderr, flush=True)
        for name, (server, request) in cases.items():
            found[name].append(one_round(lines[name], request, times[name], server.pid))
    for line in lines.values():
        line.close()
    return found


def _times(line: Line, server: Server, request: Asked) -> int:
    """Return how often a request can be asked in a turn."""
    took = sum(one_round(line, request, _LEAST, server.pid).latencies) / _LEAST
    return min(max(round(_SECONDS / took), _LEAST), _MOST)


def main(arguments: Sequence[str] = tuple(sys.argv[1:])) -> None:
    """Measure in a folder that goes afterwards."""
    count, rounds, folder, *trained = arguments
    with tempfile.TemporaryDirectory(dir=folder) as place:
        workspace = workspace_of(Path(place) / "workspace", int(count))
        print(json.dumps(measure(workspace, int(count), int(rounds), Path(place), *map(Path, trained))))


if __name__ == "__main__":
    main()
