"""Jobs: real commands in processes of their own, watched, stopped, found again, and never done twice at once."""

import fcntl
import json
import os
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from processes import serving, wait_for
from sample_run import a_key, ask

from churnml.config import ServeConfig
from churnml.database import Catalogue, open_engine
from churnml.database import jobs as store
from churnml.database.audit import entries
from churnml.database.jobs import LOST
from churnml.database.progress import read
from churnml.service.api.job_shapes import JobList, JobTold
from churnml.service.jobs import Jobs, paths
from churnml.verbs.session import clock
from command import churnml
from new_database import new_workspace

VACUUM = {"verb": "vacuum"}


@pytest.fixture
def empty(tmp_path):
    return new_workspace(tmp_path / "work space")


@pytest.fixture
def client(empty):
    """A client of a service whose jobs are looked at when the test says so."""
    with ask(empty, settings=ServeConfig(jobs_queued=2)) as opened:
        opened.app.state.jobs.stop()
        yield opened


@pytest.fixture
def watcher(empty):
    """A process's jobs, as one has them that began just now and knows of no child."""
    engine = open_engine(empty.database)
    yield Jobs(empty, engine, Path("configs"), clock, grace_seconds=0.2)
    engine.dispose()


def post(client, status=202, headers=None, **asked):
    told = client.post("/v1/jobs", json=asked, headers=headers)
    assert told.status_code == status, told.text
    assert told.headers["location"] == f"/v1/jobs/{told.json()['job_id']}"
    return told.json()["job_id"]


def seen(client, job_id):
    return JobTold.model_validate(client.get(f"/v1/jobs/{job_id}").json())


def until(client, job_id, holds, jobs=None):
    """Look at the jobs until something holds of one of them, and return it."""
    for _ in range(1200):
        (jobs or client.app.state.jobs).look()
        if holds(seen(client, job_id)):
            return seen(client, job_id)
        time.sleep(0.05)
    raise AssertionError(f"still {seen(client, job_id)}")


def ended(job):
    return job.finished_at is not None


def begun(client, workspace, job_id):
    """Look at the jobs until the process of one has begun, and return its number."""
    until(client, job_id, lambda _: read(paths(workspace, job_id)[1]) is not None)
    return read(paths(workspace, job_id)[1]).pid


def test_a_job_waits_for_its_turn(client):
    told = seen(client, post(client, **VACUUM))
    assert (told.state, told.started_at, told.stopping) == ("queued", None, False)


def test_what_waits_or_runs_already_is_not_done_twice_at_once(client):
    first = post(client, verb="score", options={"cutoff": "2018-01-01"})
    assert post(client, 200, verb="score", options={"cutoff": "2018-01-01"}) == first
    assert post(client, verb="score", options={"cutoff": "2018-01-02"}) != first


def test_more_than_may_wait_are_told_to_come_back(client):
    post(client, verb="score")
    post(client, verb="train")
    told = client.post("/v1/jobs", json=VACUUM)
    assert (told.status_code, told.json()["code"], told.headers["retry-after"]) == (429, "too_many_jobs", "60")
    assert len(client.get("/v1/jobs").json()["items"]) == 2


def test_a_request_that_comes_again_under_its_key_is_one_job(client):
    first, again = (post(client, headers={"Idempotency-Key": "k"}, **VACUUM) for _ in range(2))
    assert first == again


@pytest.mark.parametrize(
    "wanted",
    [
        {"verb": "score", "options": {"out": "/etc/passwd"}},
        {"verb": "serve"},
        {"verb": "measure", "options": {"what": "outcomes"}},
        {"verb": "promote", "options": {"model": "--despite=x"}},
        {"verb": "promote", "options": {"model": "9b1d", "despite": "I say so"}},
        {"verb": "backtest", "options": {"origins": 3, "conversion": 3}},
        {"verb": "train", "options": {"horizon_days": 0}},
    ],
)
def test_nothing_is_asked_for_but_what_a_job_can_be(client, wanted):
    told = client.post("/v1/jobs", json=wanted)
    assert (told.status_code, told.json()["code"]) == (422, "invalid_request")


def test_who_only_reads_may_neither_ask_for_a_job_nor_watch_one(client, empty):
    headers = {"authorization": f"Bearer {a_key(empty, 'read', 'write')}"}
    assert client.post("/v1/jobs", json=VACUUM, headers=headers).status_code == 403
    assert client.get("/v1/jobs", headers=headers).status_code == 403


def test_a_command_is_done_and_says_so(client, empty):
    told = until(client, post(client, **VACUUM), ended)
    assert (told.state, told.exit_code, told.error) == ("done", 0, None)
    assert told.step == "Giving the room back"
    log, _ = paths(empty, told.job_id)
    assert "records of 0 runs" in log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_failure_is_told_in_the_words_of_the_command_line(client, empty):
    told = until(client, post(client, verb="promote"), ended)
    said = churnml("promote", "--workspace", empty.root, "--configs", "configs")
    assert (told.state, told.exit_code) == ("failed", said.code)
    assert f"error: {told.error.message}" in said.err


def test_jobs_wait_while_another_runs_and_go_in_order(client, empty):
    with empty.locked("ingest"):
        first, second = post(client, **VACUUM), post(client, verb="promote")
        begun(client, empty, first)
        assert (seen(client, first).state, seen(client, second).state) == ("running", "queued")
    assert until(client, second, ended).started_at >= seen(client, first).finished_at


def test_who_serves_next_finds_a_job_again_and_follows_it_to_its_end(client, empty, watcher):
    with empty.locked("ingest"):
        job_id = post(client, **VACUUM)
        begun(client, empty, job_id)
        watcher.look()
        assert seen(client, job_id).state == "running"
    child = client.app.state.jobs._children.pop(job_id)  # the service that began it is gone
    assert until(client, job_id, ended, watcher).state == "done"
    child.wait()


def test_a_job_that_somebody_killed_is_lost_and_says_so(client, empty):
    with empty.locked("ingest"):
        job_id = post(client, **VACUUM)
        os.kill(begun(client, empty, job_id), signal.SIGKILL)
        told = until(client, job_id, ended)
    assert (told.state, told.exit_code, told.error.message) == ("lost", None, LOST)


def test_a_job_that_waits_is_cancelled_at_once(client):
    job_id = post(client, **VACUUM)
    assert client.post(f"/v1/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/v1/jobs/{job_id}/cancel").status_code == 202  # told twice, it stays so


def test_a_job_that_runs_is_stopped_in_order(client, empty):
    with empty.locked("ingest"):
        job_id = post(client, **VACUUM)
        begun(client, empty, job_id)
        assert client.post(f"/v1/jobs/{job_id}/cancel").json()["stopping"]
        told = until(client, job_id, ended)
    assert (told.state, told.exit_code, told.error) == ("cancelled", 128 + signal.SIGTERM, None)


def test_a_job_that_does_not_stop_is_killed(client, empty, monkeypatch):
    monkeypatch.setattr(client.app.state.jobs, "_grace", 0.2)
    with empty.locked("ingest"):
        job_id = post(client, **VACUUM)
        os.kill(begun(client, empty, job_id), signal.SIGSTOP)  # it hears nothing
        client.post(f"/v1/jobs/{job_id}/cancel")
        told = until(client, job_id, ended)
    assert (told.state, told.exit_code) == ("cancelled", None)


def test_what_has_ended_is_not_cancelled(client):
    job_id = until(client, post(client, **VACUUM), ended).job_id
    told = client.post(f"/v1/jobs/{job_id}/cancel")
    assert (told.status_code, told.json()["code"]) == (409, "conflict")


def test_a_run_that_a_killed_job_had_begun_counts_nowhere(client, empty):
    engine = open_engine(empty.database)
    catalogue = Catalogue(engine)
    with empty.locked("ingest"):
        job_id = post(client, **VACUUM)
        pid = begun(client, empty, job_id)
        run_id = catalogue.start("score", "inputs", 1)  # nobody holds its lock
        os.kill(pid, signal.SIGKILL)
        until(client, job_id, ended)
    assert run_id not in {run.run_id for run in catalogue.running()}
    engine.dispose()


def test_the_audit_log_says_who_had_a_job_done_and_who_stopped_it(client, empty):
    job_id = post(client, **VACUUM)
    client.post(f"/v1/jobs/{job_id}/cancel")
    with client.app.state.engine.connect() as connection:
        told = [(one.what, one.about) for one in entries(connection)][-2:]
    about = f'{{"job":"{job_id}","verb":"vacuum"}}'
    assert told == [("job.started", about), ("job.cancelled", about)]


def test_jobs_are_listed_the_latest_first_each_once(client):
    ids = [post(client, verb="score"), post(client, **VACUUM)]
    seen_ids, cursor = [], None
    while cursor is not None or not seen_ids:
        page = client.get("/v1/jobs?limit=1" + (f"&cursor={cursor}" if cursor else "")).json()
        seen_ids += [one.job_id for one in JobList.model_validate(page).items]
        cursor = page["next_cursor"]
    assert seen_ids == ids[::-1]


def test_jobs_are_kept_by_verb_and_state(client):
    job_id = post(client, verb="score")
    client.post(f"/v1/jobs/{post(client, **VACUUM)}/cancel")
    found = [client.get(f"/v1/jobs?{query}").json()["items"] for query in ("verb=score", "state=queued")]
    assert [[one["job_id"] for one in some] for some in found] == [[job_id], [job_id]]


def test_nobody_knows_a_job_that_was_never_asked_for(client):
    assert client.get("/v1/jobs/5f0c").json()["code"] == "not_found"


def test_what_ended_long_ago_is_let_go_of(client):
    job_id = post(client, **VACUUM)
    client.post(f"/v1/jobs/{job_id}/cancel")
    with client.app.state.engine.begin() as connection:
        assert store.purge(connection, clock()) == [job_id]
    assert client.get(f"/v1/jobs/{job_id}").status_code == 404


@pytest.mark.long
def test_a_score_is_done_and_names_its_run(own_journey):
    with ask(own_journey.workspace, configs=own_journey.configs) as client:
        client.app.state.jobs.stop()
        told = until(client, post(client, verb="score", options={"cutoff": "2017-12-31"}), ended)
        run = client.get(f"/v1/runs/{told.run_id}").json()
    assert (told.state, run["verb"], run["state"]) == ("done", "score", "done")


def test_workers_that_outlive_their_job_are_killed(client, empty):
    job_id = post(client, **VACUUM)
    with client.app.state.engine.begin() as connection:
        store.start(connection, job_id, clock())
    log, told = paths(empty, job_id)
    log.parent.mkdir()
    with log.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        worker = subprocess.Popen(["/bin/sleep", "600"], stdout=handle, start_new_session=True)
    try:
        told.write_text(json.dumps({"pid": worker.pid, "exit_code": 0}))
        os.utime(told, (1, 1))  # it said so long ago
        client.app.state.jobs.look()
        assert worker.wait(60) == -signal.SIGKILL
    finally:
        worker.kill()
        worker.wait()
    assert until(client, job_id, ended).state == "done"


@pytest.mark.long
def test_a_job_outlives_a_service_that_is_killed_and_the_next_finds_it_again_or_says_it_is_lost(
    own_workspace, tmp_path
):
    with ExitStack() as waiting:
        waiting.enter_context(own_workspace.locked("ingest"))
        with serving(own_workspace, tmp_path / "first", "") as (process, client):
            job_id, _ = going_on(client, own_workspace)
            process.kill()
        with serving(own_workspace, tmp_path / "second", "") as (process, client):
            assert seen(client, job_id).state == "running"
            waiting.close()
            wait_for(lambda: seen(client, job_id).state == "done")
            waiting.enter_context(own_workspace.locked("ingest"))
            job_id, pid = going_on(client, own_workspace)
            process.kill()
        os.kill(pid, signal.SIGKILL)
        with serving(own_workspace, tmp_path / "third", "") as (_, client):
            wait_for(lambda: ended(seen(client, job_id)))
            told = seen(client, job_id)
    assert (told.state, told.exit_code, told.error.message) == ("lost", None, LOST)


def going_on(client, workspace):
    """Ask for a job, wait until its process has begun, and return its id and the process's number."""
    job_id = post(client, **VACUUM)
    _, told = paths(workspace, job_id)
    wait_for(lambda: read(told) is not None and seen(client, job_id).state == "running")
    return job_id, read(told).pid
