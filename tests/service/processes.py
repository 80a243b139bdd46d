"""`churnml serve` in a process of its own, for tests that kill it or have several of them."""

import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx

from callers import bearing

COMMAND = "from churnml.cli import main; main()"
PATIENCE = 300
"""Seconds: two processes that load a model while others have the machine may take a minute to answer."""


@contextmanager
def serving(workspace, configs, settings):
    """Run `churnml serve` in a process of its own; give the process and a client of it."""
    configs.mkdir(exist_ok=True)
    (configs / "serve.yaml").write_text(f"port: 0\nlog_format: json\n{settings}")
    command = [sys.executable, "-c", COMMAND, "serve", "--workspace", workspace.root, "--configs", configs]
    log = configs / "log"  # a pipe that nobody reads would fill up, and stop the service at its next line
    with log.open("w") as told, subprocess.Popen(command, stderr=told) as process:
        try:
            wait_for(lambda: process.poll() is not None or "http://" in log.read_text(encoding="utf-8"))
            url = re.search(r"http://\S+", log.read_text(encoding="utf-8")).group()
            with httpx.Client(base_url=url, headers=bearing(workspace), timeout=PATIENCE) as client:
                wait_for(lambda: client.get("/healthz").status_code == 200)
                yield process, client
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


def wait_for(true):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
