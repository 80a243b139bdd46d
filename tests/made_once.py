"""What takes long to make is made once a run, by the worker that asks first; each worker has a copy to read."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder of this worker's own with what `make` writes into an empty one.

    Whoever comes while another makes it waits. What fails is made anew by the next, who sees the same error.
    """
    base = factory.getbasetemp()
    everyones = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    whole, done = everyones / f"first {name}", everyones / f"{name}.done"
    with (everyones / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(whole, ignore_errors=True)
            whole.mkdir()
            make(whole)
            done.touch()
    return Path(shutil.copytree(whole, factory.mktemp(name), dirs_exist_ok=True))
