"""A job that goes on keeps its log; whoever is erased is blanked in it where they stand."""

import os
import subprocess
import sys

import pytest

from churnml.events import job_logs

JOB = "job_1"
WRITER = """
import sys
with open(sys.argv[1], "ab", buffering=0) as log:
    log.write(b"reading ann\\nreading ben and bob\\n")
    print("begun", flush=True)
    sys.stdin.readline()
    log.write(b"done with ben\\n")
"""


@pytest.fixture
def log(tiny):
    tiny.workspace.jobs.mkdir()
    return tiny.workspace.jobs / f"{JOB}.log"


def test_lines_that_name_somebody_are_overwritten_and_nothing_moves(tiny, log):
    log.write_text("reading ann\nreading ben and bob\nbenefit\n")
    before = log.stat()
    assert job_logs.forget(tiny.workspace, ["ben"]) == {"job_lines": 1}
    assert log.read_text() == "reading ann\n" + "*" * len("reading ben and bob") + "\nbenefit\n"
    assert (log.stat().st_ino, log.stat().st_size) == (before.st_ino, before.st_size)


def test_a_job_that_goes_on_writes_behind_what_was_blanked(tiny, log):
    command = [sys.executable, "-c", WRITER, str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout.readline() == "begun\n"
        assert job_logs.forget_in(tiny.workspace, JOB, ["ben"]) == 1
        job.stdin.write("\n")
        job.stdin.close()
        assert job.wait(20) == 0
    first, second, third = log.read_text().splitlines()
    assert (first, set(second), third) == ("reading ann", {"*"}, "done with ben")
    assert job_logs.forget(tiny.workspace, ["ben"]) == {"job_lines": 1}
    assert "ben" not in log.read_text()


def test_what_a_job_told_of_itself_is_struck_out(tiny, log):
    log.write_text("")
    told = tiny.workspace.jobs / f"{JOB}.json"
    told.write_text('{"step": "scoring ben", "share": 0.5}')
    job_logs.forget(tiny.workspace, ["ben"])
    assert "ben" not in told.read_text()
    assert "0.5" in told.read_text()


def test_the_words_of_a_log_are_what_may_be_ids(tiny, log):
    log.write_text('customer "ben" (row 3): `ann`, bob.\n')
    assert {"ben", "ann", "bob"} <= job_logs.words_of(tiny.workspace, JOB)


def test_a_log_that_names_nobody_is_left_as_it_is(tiny, log):
    log.write_bytes(b"reading ann\nno line break at the end")
    os.utime(log, ns=(1, 1))
    assert job_logs.forget(tiny.workspace, ["ben"]) == {}
    assert log.stat().st_mtime_ns == 1
