"""A run that is killed at any instant leaves nothing lost, doubled or half seen, in a file and on a server alike."""

import os
import random
import time
from multiprocessing import get_context

import pytest

from churnml.database import Catalogue, Records, open_engine
from churnml.database.server import VARIABLE
from churnml.verbs.session import Session

CUSTOMERS, TIMES, SEED = 2_000, 50, 20_261_128
_PROCESSES = get_context("forkserver")


def bodies(run_id):
    """Yield what a run writes; each record names its run, as real ones do."""
    for number in range(CUSTOMERS):
        yield {"customer_id": f"C{number:05}", "run_id": run_id, "value_at_risk": float(number % 97)}


def run_again(folder, inputs):
    """Do as `score` does: what is done already is not repeated; otherwise all of it is."""
    session = Session.open(folder / "workspace", folder / "configs", create=True)
    done = session.catalogue.last_run("score", inputs)
    if done is None:
        with session.running("score", inputs) as run_id:
            session.records.write(run_id, bodies(run_id))
            session.catalogue.finish(run_id, 1, {})
    session.close()


def work(folder, inputs, where, line):
    """Run in a process of its own, which says when it begins."""
    os.environ[VARIABLE] = where  # the server that forks remembers the environment in which it began
    line.send("begins")
    run_again(folder, inputs)
    line.send("done")


def killed_after(folder, inputs, seconds):
    """Start a run in a process of its own, and kill it after so long."""
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=work, args=(folder, inputs, os.environ.get(VARIABLE, ""), theirs), daemon=True)
    process.start()
    theirs.close()
    assert ours.recv() == "begins"
    time.sleep(seconds)
    process.kill()  # or it has ended before
    process.join()


def seen(engine):
    """Return what whoever asks is shown: the run that is served and its customers."""
    kept = Records(engine)
    run_id = kept.current_run()
    return run_id, [one["customer_id"] for one in kept.of_run(run_id or "")]


@pytest.mark.parametrize("times", [TIMES // 10, pytest.param(TIMES, marks=pytest.mark.long)])
def test_whenever_a_run_is_killed_the_list_is_whole_and_the_same_run_again_ends_it(either, tmp_path, times):
    _PROCESSES.set_forkserver_preload(["churnml.verbs.session"])
    draw, whole = random.Random(SEED), [f"C{number:05}" for number in range(CUSTOMERS)]  # noqa: S311
    run_again(tmp_path, "first")
    session = Session.open(tmp_path / "workspace", tmp_path / "configs")
    began = time.monotonic()
    run_again(tmp_path, "second")
    lasting = time.monotonic() - began
    engine = open_engine(session.workspace.database)
    for turn in range(times):
        before = seen(engine)
        killed_after(tmp_path, f"turn {turn}", draw.uniform(0, 1.2 * lasting))
        run_id, customers = seen(engine)
        assert customers == whole, f"half a list is seen; seed {SEED}, turn {turn}"
        assert run_id == before[0] or Catalogue(engine).last_run("score", f"turn {turn}")
        run_again(tmp_path, f"turn {turn}")
        assert seen(engine)[1] == whole
        assert len([run for run in Catalogue(engine).runs("score") if run.inputs == f"turn {turn}"]) == 1
        assert Catalogue(engine).running() == []
    engine.dispose()


def test_who_writes_into_a_run_that_is_served_would_be_found_out(tiny):
    catalogue, kept = tiny.catalogue, Records(tiny.catalogue.engine)
    run_id = catalogue.start("score", "x", 1)
    catalogue.finish(run_id, 2, {})  # the planted fault: shown before it is written
    stream = bodies(run_id)
    kept.write(run_id, (next(stream) for _ in range(10)))
    assert len(seen(catalogue.engine)[1]) == 10
