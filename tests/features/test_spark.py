"""Spark computes the same file, byte for byte; where it is missing, what is missing is told. It runs in `test-long`."""

import importlib.util
import io
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from churnml.errors import DependencyError
from churnml.features.spark import _last_words, _told, check_installed, tasks
from command import churnml

YEAR = {"journey": 2017, "market": 2023}


def java(folder, said):
    """Make a Java that says this of itself, and return its home."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\n")
    (folder / "bin" / "java").chmod(0o755)
    return str(folder)


@pytest.fixture
def with_pyspark(monkeypatch):
    """Let PySpark be found, whether it is there or not."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)


def test_without_pyspark_the_command_says_what_to_install_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    said = churnml("features", "export", tmp_path / "f.parquet", "--engine", "spark", "-w", tmp_path / "none")
    assert (said.code, said.out) == (5, "")
    assert said.err == "error: --engine spark needs PySpark, found it not installed; pip install 'churnml[spark]'"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("said", "found"), [
    ('openjdk version "11.0.22" 2024-01-16', "found Java 11 at"),
    ('java version "1.8.0_392"', "found Java 8 at"),
    ("Unable to locate a Java Runtime.", "which says 'Unable to locate a Java Runtime.'"),
])  # fmt: skip
def test_a_java_that_will_not_do_is_named(tmp_path, monkeypatch, with_pyspark, said, found):
    monkeypatch.setenv("JAVA_HOME", java(tmp_path / "jdk", said))
    with pytest.raises(DependencyError, match="needs Java 17 or later, ") as told:
        check_installed()
    assert found in str(told.value)
    assert str(tmp_path / "jdk" / "bin" / "java") in str(told.value)


def test_no_java_at_all_is_told(tmp_path, monkeypatch, with_pyspark):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyError, match="found no `java` on the PATH and JAVA_HOME not set; install one"):
        check_installed()


@pytest.mark.parametrize("version", ["17", "17.0.15", "21.0.2", "26-ea"])
def test_a_java_new_enough_is_accepted(tmp_path, monkeypatch, with_pyspark, version):
    monkeypatch.setenv("JAVA_HOME", java(tmp_path / "jdk", f'openjdk version "{version}" 2024-01-16'))
    check_installed()


@pytest.mark.parametrize(("words", "told"), [
    (["--engine", "sprak"], "--engine must be one of local, spark, got 'sprak'; did you mean `spark`?"),
    (["--spark-master", "local"], "--spark-master belongs to a call with --engine spark; leave it out"),
])  # fmt: skip
def test_an_engine_that_there_is_none_is_an_error_of_usage(tmp_path, words, told):
    said = churnml("features", "export", tmp_path / "f.parquet", *words)
    assert (said.code, said.err) == (2, f"error: {told}")


@pytest.mark.parametrize(("last", "told"), [
    ("ModuleNotFoundError: No module named 'churnml'", "a Spark worker must have churnml and what it needs"),
    ("FileNotFoundError: [Errno 2] No such file: 'x'", "a Spark worker must see the workspace at /shared/workspace"),
    ("churnml.errors.DependencyError: a worker must run the same churnml", "a worker must run the same churnml"),
])  # fmt: skip
def test_what_a_worker_lacks_is_told_in_words(last, told):
    work = SimpleNamespace(store=SimpleNamespace(root="/shared/workspace"))
    error = _told(RuntimeError(f"An exception was thrown from the Python worker:\nTraceback\n  File x\n{last}"), work)
    assert isinstance(error, DependencyError)
    assert told in str(error)


def test_a_worker_that_meets_a_bug_keeps_its_traceback():
    bug = RuntimeError("Traceback\n  File x\nIndexError: out of bounds")
    assert _told(bug, None) is bug


@pytest.mark.parametrize(("log", "java", "told"), [
    (b"ERROR: killed. Reason: All masters are unresponsive!\nmore", "stopped", "All masters are unresponsive!"),
    (b"WARN x", "SparkException: no such\n  at y", "SparkException: no such"),
    (b"WARN x\nError: could not find main class\n", None, "Error: could not find main class"),
])  # fmt: skip
def test_of_a_start_that_failed_the_line_is_told_that_says_why(log, java, told):
    error = RuntimeError("Java gateway process exited")
    if java:
        error.java_exception = SimpleNamespace(toString=lambda: java)
    said = _last_words(error, io.BytesIO(log))
    assert said.startswith(told)
    assert "\n" not in said


@pytest.mark.parametrize(("blocks", "cores", "handed_out"), [(1, 8, 1), (32, 2, 4), (32, 64, 32), (1024, 2, 128)])
def test_a_task_has_one_to_eight_blocks(blocks, cores, handed_out):
    assert tasks(blocks, cores) == handed_out


def export(of, out, *words):
    """Export in a process of its own, as Spark leaves a Java behind that lives as long as the process."""
    at = ["--workspace", of.workspace.root, "--configs", of.configs]
    command = [sys.executable, "-m", "churnml.cli", "features", "export", out, *words, *at]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


def missing():
    """Return what Spark needs and is not here."""
    try:
        check_installed()
    except DependencyError as error:
        return str(error)
    return None


@pytest.fixture(scope="module", params=["journey", "market"])
def exported(request, tmp_path_factory):
    """Return the tables of both engines, each from a process of its own, and what the second one said."""
    if missing():
        pytest.skip(missing())
    of, folder = request.getfixturevalue(request.param), tmp_path_factory.mktemp("exported")
    days = [f"--cutoff={YEAR[request.param]}-{day}" for day in ("03-01", "06-01")]
    said = {engine: export(of, folder / engine, *days, "--json", "--engine", engine) for engine in ("local", "spark")}
    assert [one.returncode for one in said.values()] == [0, 0], said["spark"].stderr
    return folder / "local", folder / "spark", said["spark"]


@pytest.mark.long
def test_spark_writes_the_same_file_byte_for_byte(exported):
    here, spark, _ = exported
    assert here.read_bytes() == spark.read_bytes()


@pytest.mark.long
def test_every_value_of_the_two_tables_is_the_same_bit_for_bit(exported):
    here, spark = (pq.read_table(path) for path in exported[:2])
    assert (here.num_rows > 0, here.schema) == (True, spark.schema)
    for name in here.column_names:
        one, other = (table.column(name).to_numpy() for table in (here, spark))
        same = one.tolist() == other.tolist() if one.dtype == np.object_ else one.tobytes() == other.tobytes()
        assert same, name
    assert np.isnan(here.column("gap_mean_days").to_numpy()).any()
    assert set(here.column("in_population").to_pylist()) == {True, False}
    assert None in here.column("income_band").to_pylist()


@pytest.mark.long
def test_spark_leaves_standard_output_to_the_result_and_is_silent_itself(exported):
    said = exported[2]
    assert said.stdout.startswith("{")
    assert [line[0] for line in said.stderr.splitlines()] == ["✓", "✓"], said.stderr


@pytest.mark.long
def test_a_master_that_does_not_exist_is_an_error_of_the_dependency(journey, tmp_path):
    if missing():
        pytest.skip(missing())
    said = export(journey, tmp_path / "f.parquet", "--engine", "spark", "--spark-master", "nowhere")
    assert said.returncode == 5
    assert "error: Spark did not start on nowhere; it said: " in said.stderr
    assert "Traceback" not in said.stderr
