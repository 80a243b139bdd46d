"""Fifty race for one budget and never exceed it; whoever is killed on the way leaves nothing half."""

import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from churnml.database import Ledger, open_engine
from churnml.database.server import VARIABLE, named_server
from ledgers import A_CALL, CUTOFF, LATER, NOW, balances, begun, outcome, some

BUDGET, CUSTOMERS, WORKERS = 500_000_000, 300, 50
TESTS = Path(__file__).parents[1]


def address(where):
    """Return where a database is as one word, for another process."""
    return str(where) if isinstance(where, Path) else where.render_as_string(hide_password=False)


def opened(word):
    """Return an engine on the database that a word names."""
    return open_engine(named_server({VARIABLE: word}) if "://" in word else Path(word))


def wanted_by(worker):
    """Return what one worker wants: all customers in an order of its own, each fourth a control for everybody."""
    wanted = some(CUSTOMERS, controls=set(range(0, CUSTOMERS, 4)))
    random.Random(worker).shuffle(wanted)  # noqa: S311
    return wanted


def race(engine, worker, run):
    """Reserve and tell outcomes by turns, twenty customers at a time, and return who was accepted."""
    ledger, wanted, won = Ledger(engine), wanted_by(worker), []
    for start in range(0, CUSTOMERS, 20):
        accepted = ledger.reserve("spring", run, CUTOFF, wanted[start : start + 20], NOW)
        won += sorted(accepted)
        treated = [one.customer_id for one in wanted[start : start + 20] if one.arm == "treated"]
        ledger.post([outcome(who, "carried_out", 4_000_000) for who in treated if who in accepted], LATER)
        assert ledger.left("spring") >= 0
    return won


def assert_kept(ledger, won):
    """Check what must hold after a race: the budget, once each, controls untouched, and that the money was used."""
    spring, assigned = ledger.campaign("spring"), ledger.assigned("spring")
    assert len(won) == len(set(won)) == len(assigned)
    assert 0 <= spring.left < 5_000_000
    assert {one.state for one in assigned if one.arm == "control"} == {"withheld"}
    assert spring.spent == 4_000_000 * sum(one.arm == "treated" for one in assigned)
    assert balances(ledger.engine)


@pytest.mark.parametrize("workers", [WORKERS // 10, pytest.param(WORKERS, marks=pytest.mark.long)])
def test_who_races_for_one_budget_never_exceeds_it_and_gets_each_customer_once(tiny, workers):
    ledger, run = begun(tiny.catalogue.engine, BUDGET)
    engines = [open_engine(tiny.workspace.database) for _ in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        won = list(pool.map(race, engines, range(workers), [run] * workers))
    for engine in engines:
        engine.dispose()
    assert_kept(ledger, [customer for each in won for customer in each])


PROGRAM = """
import sys
from test_ledger_races import opened, race
engine = opened(sys.argv[1])
print("\\n".join(race(engine, int(sys.argv[2]), sys.argv[3])))
"""


def _python(program, *words):
    folders = {"PYTHONPATH": ":".join([str(TESTS), str(TESTS / "database"), *sys.path])}
    command = [sys.executable, "-c", program, *map(str, words)]
    return subprocess.Popen(command, env=folders, stdout=subprocess.PIPE, text=True)


@pytest.mark.long
def test_fifty_processes_race_for_one_budget_and_never_exceed_it(tiny):
    ledger, run = begun(tiny.catalogue.engine, BUDGET)
    racing = [_python(PROGRAM, address(tiny.workspace.database), worker, run) for worker in range(WORKERS)]
    won = [process.communicate()[0].split() for process in racing]
    assert {process.returncode for process in racing} == {0}
    assert_kept(ledger, [customer for each in won for customer in each])


KILLED = """
import os, signal, sys
from churnml.database import Ledger
from ledgers import CUTOFF, NOW, some
from test_ledger_races import opened

def wanted(last):
    yield from some(last)
    os.kill(os.getpid(), signal.SIGKILL)

engine = opened(sys.argv[1])
Ledger(engine).reserve("spring", sys.argv[2], CUTOFF, wanted(int(sys.argv[3])), NOW)
"""
SOON, FAR = 3, 6_000  # before anything is written, and behind a chunk


@pytest.mark.parametrize("rows", [FAR, pytest.param(SOON, marks=pytest.mark.long)])
def test_who_is_killed_in_the_middle_of_reserving_leaves_nothing_half(tiny, rows):
    ledger, run = begun(tiny.catalogue.engine, 10**12)
    process = _python(KILLED, address(tiny.workspace.database), run, rows)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert (ledger.assigned("spring"), ledger.left("spring")) == ([], 10**12)
    assert len(ledger.reserve("spring", run, CUTOFF, some(5), NOW)) == 5


def test_an_error_in_the_middle_of_reserving_leaves_nothing_half(tiny):
    ledger, run = begun(tiny.catalogue.engine, 10**12)

    def wanted():
        yield from some(6_000)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.reserve("spring", run, CUTOFF, wanted(), NOW)
    assert (ledger.assigned("spring"), ledger.left("spring")) == ([], 10**12)


def test_what_is_over_or_stopped_is_released(tiny):
    ledger, run = begun(tiny.catalogue.engine)
    ledger.reserve("spring", run, CUTOFF, some(2), NOW)
    other = tiny.catalogue.start("assign", "", NOW)
    ledger.reserve("spring", other, CUTOFF, [replace(A_CALL, customer_id="x")], NOW)
    tiny.catalogue.interrupt(other, NOW)
    assert ledger.campaign("spring").reserved == 10_000_000
    assert ledger.expire(LATER) == 2
    assert (ledger.left("spring"), balances(tiny.catalogue.engine)) == (20_000_000, True)
