"""The service as processes: told to stop it ends what it began, and several answer at one address."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest
from processes import PATIENCE, serving, wait_for


def test_told_to_stop_it_says_so_at_once_ends_what_it_began_and_exits_with_0(own_workspace, tmp_path):
    settings = "limits: {drain_seconds: 0.6, grace_seconds: 10}\n"
    with serving(own_workspace, tmp_path / "configs", settings) as (process, client):
        told = {}
        body = slowly(b'{"customer_ids": ["1296"]}', 1.2)
        asking = threading.Thread(
            target=lambda: told.update(slow=client.post("/v1/scores", content=body, headers=JSON))
        )
        asking.start()
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.15)
        with httpx.Client(base_url=client.base_url) as other:
            told["ready"] = other.get("/readyz")
            told["alive"] = other.get("/healthz").status_code
        asking.join()
        assert process.wait(10) == 0
        with pytest.raises(httpx.ConnectError):
            client.get("/healthz")
    assert (told["ready"].status_code, "is stopping" in told["ready"].json()["detail"]) == (503, True)
    assert (told["alive"], told["slow"].status_code) == (200, 200)


JSON = {"content-type": "application/json"}


def slowly(body, seconds):
    """Give a body in two pieces, the second after a while."""
    yield body[:5]
    time.sleep(seconds)
    yield body[5:]


@pytest.mark.long
def test_several_processes_share_address_keys_and_metrics_and_one_that_dies_is_replaced(own_workspace, tmp_path):
    settings = "workers: 2\nlimits: {drain_seconds: 0}\n"
    with serving(own_workspace, tmp_path / "configs", settings) as (process, client):
        wait_for(lambda: len(workers(process)) == 2)
        first = workers(process)
        ask_often(client)
        wait_for(lambda: counted(client) == 12)  # a request is counted after its answer
        os.kill(first[0], signal.SIGKILL)
        wait_for(lambda: len(workers(process)) == 2 and workers(process) != first)
        ask_often(client)
        wait_for(lambda: counted(client) == 24)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert not workers(process)


def ask_often(client):
    assert [get(client, "/v1/at-risk?limit=1").status_code for _ in range(12)] == [200] * 12


def counted(client):
    """Return how many lists all processes together say they have given out."""
    found = re.search(r'seconds_count\{method="GET",route="/v1/at-risk",status="200"\} (\S+)', get(client).text)
    return found and float(found.group(1))


def get(client, path="/metrics"):
    """Ask over a connection of its own, so that either process may take it; one that was killed asks for patience."""
    with httpx.Client(
        base_url=client.base_url, headers=client.headers, transport=httpx.HTTPTransport(retries=3), timeout=60
    ) as own:
        return own.get(path)


def workers(process):
    """Return the processes that answer, by number."""
    told = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
    )
    return sorted(int(line.split()[0]) for line in told.stdout.splitlines() if "spawn_main" in line)


@pytest.mark.long
def test_a_service_starts_without_what_it_may_never_need():
    heavy = ("lightgbm", "matplotlib", "mlflow", "pandas", "scipy", "sklearn", "xlsxwriter")
    program = f"import sys, churnml.service.server; print([one for one in {heavy} if one in sys.modules])"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
