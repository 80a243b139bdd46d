"""Workspaces with and without a finished run, and clients of their services."""

import shutil
import tempfile
import threading
from functools import cache
from pathlib import Path

import pytest
import uvicorn
from sample_run import ask, bodies, fill

from callers import bearing
from churnml.service import create_app
from churnml.service.server import listen
from new_database import new_workspace

_FOLDER = tempfile.TemporaryDirectory(prefix="churnml filled ")


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    """A workspace with one finished run."""
    made = new_workspace(tmp_path_factory.mktemp("service") / "work space")
    fill(made, bodies())
    return made


@pytest.fixture(scope="session")
def client(workspace):
    """A client of a service that has records."""
    with ask(workspace) as opened:
        yield opened


@pytest.fixture(scope="session")
def newcomer(tmp_path_factory):
    """A client of a service whose workspace has no run yet."""
    with ask(new_workspace(tmp_path_factory.mktemp("empty"))) as opened:
        yield opened


@pytest.fixture
def address(own_workspace):
    """The address of a service that listens for real."""
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(own_workspace), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def signed(own_workspace):
    """The headers of one who may do everything in the service of a workspace that a test may change."""
    return bearing(own_workspace)


@pytest.fixture
def own_workspace(tmp_path):
    """A workspace with one finished run that a test may change."""
    made = new_workspace(tmp_path)
    if made.server is None:
        shutil.copyfile(_filled().file, made.file)
    else:
        fill(made, bodies())
    return made


@cache
def _filled():
    """Return a workspace with one finished run, written once a process."""
    made = new_workspace(Path(_FOLDER.name) / "work space")
    fill(made, bodies())  # whoever closes last brings the write-ahead log into the file
    return made
