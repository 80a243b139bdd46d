"""What stands around the service fails: it says so within two seconds, does nothing by halves, and heals by itself."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import pytest
from sample_run import ask, bodies, fill

import postgres_server
from churnml.database import Workspace
from churnml.database.server import VARIABLE

CONSENT = {"customer_id": "1296", "purpose": "marketing", "granted": False, "occurred_at": "2018-02-01T00:00:00Z"}
READS = ("/v1/at-risk", "/v1/customers/1296", "/readyz")
KEYED = {"json": {"consents": [CONSENT]}, "headers": {"Idempotency-Key": "k1"}}


HOLDING = """
import sqlite3, sys
holder = sqlite3.connect(sys.argv[1], isolation_level=None)
holder.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def writing(path):
    """Hold an SQLite database, by the strongest lock there is, in another process and longer than anybody waits."""
    command = [sys.executable, "-c", HOLDING, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        yield
        holder.stdin.close()


def timed(call):
    began = time.monotonic()
    told = call()
    return told, time.monotonic() - began


def test_while_another_writes_without_end_reads_go_on_and_a_write_gets_a_503_in_two_seconds(own_workspace):
    with ask(own_workspace) as client:
        client.get("/v1/at-risk")
        with writing(own_workspace.database):
            assert [client.get(path).status_code for path in READS] == [200] * len(READS)
            told, seconds = timed(lambda: client.post("/v1/consents", **KEYED))
        assert (told.status_code, told.json()["code"], told.headers["retry-after"]) == (503, "dependency", "2")
        assert seconds < 2
        assert client.post("/v1/consents", **KEYED).json()["results"][0]["status"] == "kept"


def test_nobody_shuts_readers_out_of_a_database_that_the_service_has_open(own_workspace):
    with ask(own_workspace) as client, closing(sqlite3.connect(own_workspace.database, timeout=0.1)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN EXCLUSIVE")
        assert [client.get(path).status_code for path in READS] == [200] * len(READS)


def test_a_server_that_is_frozen_gets_a_503_in_two_seconds_says_so_and_heals(postgres, monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, postgres.new_database().render_as_string(hide_password=False))
    workspace = Workspace.open(tmp_path, create=True)
    fill(workspace, bodies())
    with ask(workspace) as client:
        assert client.get("/v1/at-risk").status_code == 200
        frozen = backends(postgres)
        for one in frozen:
            os.kill(one, signal.SIGSTOP)
        try:
            told, seconds = timed(lambda: client.get("/v1/at-risk"))
            ready = client.get("/readyz")
            alive = client.get("/healthz").status_code
        finally:
            for one in frozen:
                os.kill(one, signal.SIGCONT)
        assert (told.status_code, told.json()["code"], alive) == (503, "dependency", 200)
        assert seconds < 2.2
        assert (ready.status_code, "does not answer" in ready.json()["detail"]) == (503, True)
        assert client.get("/v1/at-risk").status_code == 200
        assert client.get("/readyz").status_code == 200


@pytest.mark.long
def test_a_server_that_is_stopped_gets_503s_in_two_seconds_and_is_used_again_once_it_is_back(monkeypatch, tmp_path):
    with postgres_server.running(postgres_server.binaries()[0]) as server:
        monkeypatch.setenv(VARIABLE, server.new_database().render_as_string(hide_password=False))
        workspace = Workspace.open(tmp_path, create=True)
        fill(workspace, bodies())
        with ask(workspace) as client:
            assert [client.get(path).status_code for path in READS] == [200] * len(READS)
            server.stop()
            for path in ("/v1/at-risk", "/v1/customers/1296", "/v1/cases"):
                told, seconds = timed(lambda path=path: client.get(path))
                assert (told.status_code, told.json()["code"], told.headers["retry-after"]) == (503, "dependency", "2")
                assert seconds < 2
            told, seconds = timed(lambda: client.post("/v1/consents", **KEYED))
            assert (told.status_code, told.headers["retry-after"], seconds < 2) == (503, "2", True)
            assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 503]
            server.start()
            assert [client.get(path).status_code for path in READS] == [200] * len(READS)
            assert client.post("/v1/consents", **KEYED).json()["results"][0]["status"] == "kept"


def backends(postgres):
    """Return the processes of a server: the one that lets clients in, and those that answer them."""
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postgres.pid)], capture_output=True, check=True)
    return [postgres.pid, *(int(one) for one in children.stdout.split())]


@pytest.fixture
def tiny(tmp_path):
    """A disk of eight megabytes."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", tmp_path], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("only who may mount a file system can have a disk that is really full")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


def test_on_a_full_disk_a_write_gets_a_507_nothing_of_it_is_kept_and_it_goes_on_once_there_is_room(tiny):
    workspace = Workspace.open(tiny / "workspace", create=True)
    fill(workspace, bodies()[:20])
    with ask(workspace) as client:
        assert client.get("/v1/at-risk").status_code == 200
        rows = [CONSENT | {"customer_id": f"{'x' * 200}-{number}"} for number in range(400)]
        with (tiny / "filler").open("wb", buffering=0) as filler:
            fill_up(filler)
            told = client.post("/v1/consents", json={"consents": rows}, headers={"Idempotency-Key": "k1"})
            ready = client.get("/readyz")
            read = client.get("/v1/at-risk").status_code
        (tiny / "filler").unlink()
        assert (told.status_code, told.json()["code"], read) == (507, "disk_full", 200)
        assert (ready.status_code, "make room" in ready.json()["detail"]) == (503, True)
        assert client.post("/v1/consents", **KEYED).json()["results"][0]["status"] == "kept"
        assert client.get("/v1/cases").status_code == 200


def fill_up(file):
    """Write until there is no room."""
    for size in (65_536, 4_096):
        try:
            while True:
                file.write(b"0" * size)
        except OSError:
            continue


WITHOUT_MLFLOW = """
import sys
sys.modules["mlflow"] = None
import churnml.scoring.champion, churnml.scoring.online, churnml.scoring.score, churnml.service, churnml.verbs.serve
from churnml.service.app import create_app
found = [name for name in sys.modules if name.partition(".")[0] == "mlflow" and sys.modules[name] is not None]
sys.exit(", ".join(found) or ("churnml.modeling.tracking" if "churnml.modeling.tracking" in sys.modules else 0))
"""


def test_without_mlflow_scoring_and_serving_go_on():
    done = subprocess.run([sys.executable, "-c", WITHOUT_MLFLOW], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_model_whose_files_are_gone_is_told_by_readyz(own_workspace):
    from churnml.database import Catalogue, open_engine

    engine = open_engine(own_workspace.database)
    Catalogue(engine).move_alias("champion", "ab" * 32, 3)
    engine.dispose()
    with ask(own_workspace) as client:
        told = client.get("/readyz")
        assert (told.status_code, "model in service cannot be read" in told.json()["detail"]) == (503, True)
        assert client.get("/v1/at-risk").status_code == 200
