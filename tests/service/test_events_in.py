"""Rows posted by a CRM system: stored before they are acknowledged, landed as a file is, once each, whatever dies."""

import contextlib
import time
from multiprocessing import get_context

import httpx
import pyarrow.parquet as pq
import pytest
from sample_run import a_key, ask

from churnml.config import ServeConfig, WorkspaceConfig
from churnml.database import Catalogue, Workspace, open_engine
from churnml.database.arrivals import Arrivals
from churnml.errors import DataRefusedError
from churnml.service.champion import Scorer, Terms
from churnml.service.landing import Lander
from new_database import new_workspace

NOW = 1_632_000_000_000_000
SELDOM = ServeConfig(land_every_seconds=3600)
ANN = {"customer_id": "ann", "occurred_at": "2021-01-01"}
ORDER = {"customer_id": "ann", "order_id": "o-1", "occurred_at": "2021-09-01T10:00:00Z", "amount": 12.5}


@pytest.fixture
def empty(tmp_path):
    return new_workspace(tmp_path / "work space")


@pytest.fixture
def client(empty):
    """A client of a service that lands nothing by itself."""
    with ask(empty, settings=SELDOM) as opened:
        opened.app.state.now = lambda: NOW
        yield opened


def lander(workspace, engine):
    return Lander(workspace, engine, Scorer(workspace, engine, Terms(WorkspaceConfig())), lambda: NOW + 2_000_000)


@pytest.fixture
def land(empty):
    """Return what lands what waits."""
    engine = open_engine(empty.database)
    yield lander(empty, engine).land
    engine.dispose()


def post(client, table, *rows, **headers):
    told = client.post("/v1/events", json={"table": table, "rows": list(rows)}, headers=headers)
    assert told.status_code == 200, told.text
    return told.json()


def landed(workspace, table):
    """Return every row of a table that stands."""
    engine = open_engine(workspace.database)
    parts = Catalogue(engine).parts(table)
    engine.dispose()
    return [row for part in parts for row in pq.read_table(workspace.root / part.path).to_pylist()]


def test_what_is_acknowledged_is_stored(client, empty):
    told = post(client, "orders", ORDER)
    assert [one["status"] for one in told["results"]] == ["kept"]
    assert client.get(f"/v1/events/{told['batch']}").json()["waiting"] == 1


def test_a_row_that_breaks_a_rule_is_named_and_the_others_are_kept(client):
    told = post(client, "orders", ORDER, ORDER | {"amount": "twelve"}, ORDER | {"colour": "red"})
    assert [one["status"] for one in told["results"]] == ["kept", "refused", "refused"]
    first, second = (one["problem"] for one in told["results"][1:])
    assert (first["code"], first["detail"][:44]) == ("broken_row", "row 1 of `orders`: `amount` must be an amoun")
    assert "`colour` is no column of the table" in second["detail"]


def test_the_value_of_a_broken_row_is_not_told_back(client):
    told = post(client, "customers", ANN | {"birth_year": "secret"})
    assert "secret" not in told["results"][0]["problem"]["detail"]


def test_a_table_that_there_is_not_is_named_with_those_there_are(client):
    told = client.post("/v1/events", json={"table": "order", "rows": [ORDER]})
    assert (told.status_code, told.json()["code"]) == (422, "invalid_request")
    assert "did you mean `orders`?" in told.json()["detail"]


def test_rows_land_as_learned_when_they_came(client, empty, land):
    post(client, "customers", ANN)
    post(client, "orders", ORDER)
    assert land() == 2
    assert [(row["order_id"], row["amount"], row["ingested_at"]) for row in landed(empty, "orders")] == [
        ("o-1", 125_000, NOW)
    ]


def test_the_same_row_twice_stands_once(client, empty, land):
    post(client, "customers", ANN, ANN)
    post(client, "orders", ORDER, ORDER)
    land()
    post(client, "orders", ORDER)
    land()
    assert len(landed(empty, "orders")) == 1
    assert len(landed(empty, "customers")) == 1


def test_a_row_whose_landing_is_refused_as_a_whole_holds_up_no_other_and_is_given_up_after_some_tries(
    client, empty, land, monkeypatch
):
    told = post_with_one_that_is_refused(client, land, monkeypatch)
    assert [land(), land(), land(), land()] == [4, 0, 1, 0]
    kept = client.get(f"/v1/events/{told['batch']}").json()
    assert (kept["landed"], kept["refused"]) == (4, 1)
    assert "must be read as a table: post it again" in kept["rows"][3]["problem"]["detail"]


def test_a_process_that_begins_anew_tries_such_a_row_again_and_gives_it_up_as_well(client, empty, land, monkeypatch):
    told = post_with_one_that_is_refused(client, land, monkeypatch)
    assert [land(), land()] == [4, 0]
    engine = open_engine(empty.database)
    anew = lander(empty, engine).land
    more = post(client, "customers", ANN | {"customer_id": "bob"})
    assert [anew(), anew(), anew(), anew()] == [1, 0, 1, 0]
    engine.dispose()
    assert client.get(f"/v1/events/{more['batch']}").json()["landed"] == 1
    assert client.get(f"/v1/events/{told['batch']}").json()["refused"] == 1


def post_with_one_that_is_refused(client, land, monkeypatch):
    """Post five orders, one of which has whatever it is landed with refused."""
    post(client, "customers", ANN)
    land()
    through = Lander._through_the_door

    def refusing(self, waiting):
        if any(one.row.get("order_id") == "o-3" for one in waiting):
            raise DataRefusedError("arrivals: `orders` must be read as a table")
        return through(self, waiting)

    monkeypatch.setattr(Lander, "_through_the_door", refusing)
    return post(client, "orders", *({**ORDER, "order_id": f"o-{number}"} for number in range(5)))


def test_of_two_versions_in_one_request_the_later_is_the_newer(client, empty, land):
    post(client, "customers", ANN | {"region": "north"}, ANN | {"region": "south"})
    land()
    rows = sorted(landed(empty, "customers"), key=lambda row: row["ingested_at"])
    assert [row["region"] for row in rows] == ["north", "south"]


def test_a_row_that_contradicts_what_stands_is_set_aside_and_told(client, empty, land):
    post(client, "customers", ANN)
    post(client, "orders", ORDER)
    land()
    told = post(client, "orders", ORDER | {"amount": 99}, ORDER | {"order_id": "o-2"})
    land()
    became = client.get(f"/v1/events/{told['batch']}").json()
    assert [row["status"] for row in became["rows"]] == ["refused", "landed"]
    assert "must not contradict the row that stands" in became["rows"][0]["problem"]["detail"]
    assert [row["amount"] for row in landed(empty, "orders")] == [125_000, 125_000]


def test_a_request_that_comes_again_under_its_key_is_kept_once(client, empty):
    first, second = (post(client, "orders", ORDER, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert first == second
    assert client.get(f"/v1/events/{first['batch']}").json()["waiting"] == 1


def test_nobody_knows_a_batch_that_was_never_posted(client):
    assert client.get("/v1/events/nobody").json()["code"] == "not_found"


_PROCESSES = get_context("spawn")


def _halt_before_marking(root, line):
    """Land what waits, and halt when it stands and is not marked yet."""
    workspace = Workspace.open(root)

    def halt(*_):
        line.send("landed")
        line.recv()

    Arrivals.settle = halt
    lander(workspace, open_engine(workspace.database)).land()


def test_what_was_landed_by_one_who_was_killed_before_marking_it_is_not_landed_again(client, empty, land):
    told = [post(client, "customers", ANN), post(client, "orders", ORDER)]
    here, there = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_halt_before_marking, args=(empty.root, there))
    process.start()
    assert here.recv() == "landed"
    assert land() == 0  # one at a time
    process.kill()
    process.join()
    assert land() == 2
    assert len(landed(empty, "orders")) == 1
    assert [client.get(f"/v1/events/{one['batch']}").json()["landed"] for one in told] == [1, 1]


@contextlib.contextmanager
def serving(journey, every_seconds):
    """Serve a trained workspace for real, from a process of its own."""
    import subprocess
    import sys

    (journey.configs / "serve.yaml").write_text(f"port: 0\nland_every_seconds: {every_seconds}\n")
    command = [sys.executable, "-c", "from churnml.cli import main; main()", "serve"]
    where = ["--workspace", str(journey.workspace.root), "--configs", str(journey.configs)]
    process = subprocess.Popen([*command, *where], stderr=subprocess.PIPE, text=True)
    try:
        line = next(line for line in process.stderr if "Serving on " in line)
        yield line.split("Serving on ")[1].split()[0]
    finally:
        process.terminate()
        process.communicate()


def test_the_record_of_a_customer_follows_within_seconds(own_journey):
    headers = {"authorization": f"Bearer {a_key(own_journey.workspace)}"}
    with serving(own_journey, 0.2) as url, httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        before = client.get("/v1/customers/1").json()
        warm = {"tables": {"customers": [{"customer_id": "x", "occurred_at": "2017-01-01"}]}}
        assert client.post("/v1/scores/from-history", json=warm).status_code == 200  # the model is loaded by now
        order = {"customer_id": "1", "order_id": "new", "occurred_at": "2026-01-01T10:00:00Z", "amount": 12.5}
        posted, told = time.monotonic(), post(client, "orders", order)
        while client.get(f"/v1/events/{told['batch']}").json()["waiting"] and time.monotonic() < posted + 60:
            time.sleep(0.05)
        after, took = client.get("/v1/customers/1").json(), time.monotonic() - posted
    assert (after["fresh"], after["run_id"], after["order_days"]) == (True, before["run_id"], before["order_days"] + 1)
    kept = ("action", "arm", "campaign", "assignment_id", "propensity")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert took < 10
