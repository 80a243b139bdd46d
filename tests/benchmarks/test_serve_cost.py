"""What an answer costs is told beside a bare one of the same turn, however busy the machine was in that turn."""

import os
import threading

import pytest
import uvicorn
from benchmarks.serve_load import Asked, Line, cpu_of, one_round
from benchmarks.serve_report import cpu_ratios, goals, peers, quantile, section, table
from benchmarks.serve_servers import bare

from churnml.service.server import listen

TURNS = {"bare": (100e-6, 0.001), "record": (140e-6, 0.0012), "500 records": (2_500e-6, 0.004)}


def found(start=4.0, busy=(1, 3, 1)):
    """Return three turns, the second on a machine that was busy."""
    rounds = {
        name: [{"cpu": cpu * times, "latencies": [wait * times] * 10} for times in busy]
        for name, (cpu, wait) in TURNS.items()
    }
    return {"records": 1_000, "bytes": 2_600, "ids": 500, "start": start, "rounds": rounds}


def test_a_busy_turn_is_held_against_itself():
    assert cpu_ratios(found(), "record") == pytest.approx([1.4, 1.4, 1.4])


def test_each_goal_stands_beside_what_was_found():
    told = goals(found(start=6.0))
    assert "| CPU of one record / bare | ≤ 1.5 | 1.40 | met |" in told
    assert "| p99 of one record / bare | ≤ 1.5 | 1.20 | met |" in told
    assert "| CPU of 500 records / bare | ≤ 30 | 25.00 | met |" in told
    assert "| seconds from start to the first answer | ≤ 5 | 6.00 | not met |" in told


def test_the_table_tells_cpu_spread_and_latencies():
    assert "| one record by id | 140 µs | 1.40 | 1.40 to 1.40 | 1.20 ms | 3.60 ms |" in table(found())


def test_the_section_says_which_peers_are_not_there():
    assert peers() in section(found())


@pytest.mark.parametrize(("share", "value"), [(0.5, 6), (0.99, 10), (0.0, 1)])
def test_a_quantile_is_one_of_the_values(share, value):
    assert quantile(range(1, 11), share) == value


@pytest.fixture
def address():
    """The address of a bare server that listens for real."""
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(bare(b"x" * 100_000), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.mark.parametrize("asked", [Asked("GET", "/v1/customers/1", {}), Asked("POST", "/v1/scores", {}, b"{}" * 9)])
def test_the_load_reads_whole_answers_on_one_connection(address, asked):
    line = Line(address)
    assert [line.ask(asked.bytes(line.host)) for _ in range(2)] == [(200, b"x" * 100_000)] * 2
    one = one_round(line, asked, 3, os.getpid())
    assert (len(one.latencies), 0 < one.cpu < 3) == (3, True)
    line.close()


def test_an_answer_of_another_status_is_not_measured(address):
    line = Line(address)
    with pytest.raises(RuntimeError, match="must be answered by 200, got 400"):
        one_round(line, Asked("GET", "no path", {}), 1, os.getpid())
    line.close()


def test_the_processor_time_of_a_process_only_grows():
    before = cpu_of(os.getpid())
    sum(range(1_000_000))
    assert cpu_of(os.getpid()) > before > 0
