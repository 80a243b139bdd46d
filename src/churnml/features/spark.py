"""The blocks of a feature table, handed out by Spark: its workers get a block's number and read that block's files.

No row goes through Spark before it is a feature. Shuffling rows to the workers cost three to five times as much as
letting each read its own, and the answer of a block travels as bytes, which Spark has no reason to touch.

PySpark and Java are not part of an ordinary installation, so both are looked for before anything is started.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa

from churnml.errors import DependencyError
from churnml.features.blocks import Work, computed, joined, unpacked
from churnml.features.table import FeatureTable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JAVA = 17
"""The oldest Java that Spark 4 runs on."""

_ANSWER = "block bigint, piece bigint, rows binary"
_QUIET = {
    "spark.app.name": "churnml",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1",  # a piece is large; ten thousand of them are no batch
}
_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}


def check_installed() -> None:
    """Look for PySpark and Java before any work is done.

    Raises
    ------
    DependencyError
        If PySpark is not installed, or no Java is found that is new enough.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise DependencyError("--engine spark needs PySpark, found it not installed; pip install 'churnml[spark]'")
    if "PYSPARK_GATEWAY_PORT" in os.environ:  # started by spark-submit, whose Java runs already
        return
    needs = f"--engine spark needs Java {JAVA} or later"
    remedy = "install one, or let JAVA_HOME name the folder of one"
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else which("java")
    if java is None:
        raise DependencyError(f"{needs}, found no `java` on the PATH and JAVA_HOME not set; {remedy}")
    said = _said_of_itself(java)
    found = re.search(r'version "(?:1\.)?(\d+)', said)  # until Java 8 it called itself 1.8
    if found is None:
        raise DependencyError(f"{needs}, found {java}, which says {said.strip()[:200]!r}; {remedy}")
    if int(found[1]) < JAVA:
        raise DependencyError(f"{needs}, found Java {found[1]} at {java}; {remedy}")


def _said_of_itself(java: str) -> str:
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stderr + done.stdout


@contextlib.contextmanager
def started(master: str | None = None) -> Iterator[SparkSession]:
    """Start Spark, and stop it in the end.

    Parameters
    ----------
    master : str, optional
        Such as `spark://host:7077`; by default what Spark's own configuration names, or else this machine's cores.

    Raises
    ------
    DependencyError
        If it does not start; with the last that it said.
    """
    with tempfile.TemporaryFile() as log:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # PySpark doubts pandas 3; nothing here makes use of pandas
            session = _session(master, log)
        try:
            yield session
        finally:
            session.stop()


def _session(master: str | None, log: BinaryIO) -> SparkSession:
    from py4j.protocol import Py4JError  # noqa: PLC0415  # optional
    from pyspark import SparkContext  # noqa: PLC0415
    from pyspark.errors import PySparkException  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    try:
        conf, gateway = _launched(master, log)
        return SparkSession(SparkContext(conf=conf, gateway=gateway))
    except (Py4JError, PySparkException) as error:
        where = f" on {master}" if master else ""
        raise DependencyError(f"Spark did not start{where}; it said: {_last_words(error, log)}") from error


def _launched(master: str | None, log: BinaryIO) -> tuple[Any, Any]:  # Any: PySpark is optional
    """Launch Spark's Java with its words in a file of ours, for standard output belongs to the result."""
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415
    from pyspark.java_gateway import launch_gateway  # noqa: PLC0415

    # PySpark has one Java for a process and keeps it when a session stops
    gateway = SparkContext._gateway or launch_gateway(popen_kwargs={"stdout": log, "stderr": log})  # noqa: SLF001
    conf = SparkConf(_jvm=gateway.jvm)  # knows spark-defaults.conf, the options of spark-submit, and MASTER
    if master:
        conf.setMaster(master)
    local = re.match(r"local(\[|$)", conf.get("spark.master"))
    for name, value in (_QUIET | (_LOOPBACK if local else {})).items():
        conf.set(name, value)
    conf.setIfMissing("spark.driver.maxResultSize", "0")  # the table comes to the driver, however large
    if local:
        os.environ["PYSPARK_PYTHON"] = sys.executable
    else:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return conf, gateway


def _last_words(error: Exception, log: BinaryIO) -> str:
    """Return the line that says what went wrong: of a Java error its message, of a Java that died its last."""
    log.seek(0)
    logged = log.read().decode(errors="replace").strip()
    reasons = re.findall(r"Reason: (.*)", logged)  # that no master answers is told nowhere else
    java = getattr(error, "java_exception", None)
    if reasons:
        return str(reasons[-1])
    if java is not None:
        return str(java.toString()).splitlines()[0]
    return logged.splitlines()[-1] if logged else str(error)


def build_on_spark(spark: SparkSession, work: Work) -> FeatureTable:
    """Return the feature table of the whole base, as `build` does, its blocks computed by Spark's workers.

    Parameters
    ----------
    spark : pyspark.sql.SparkSession
        Its workers have the same churnml, and see the workspace's files under the same path.
    work : Work
        What is asked.

    Raises
    ------
    DependencyError
        If a worker lacks churnml, has another one, or cannot open the workspace's files.
    """
    from pyspark.errors import PySparkException  # noqa: PLC0415  # optional

    count = work.store.n_blocks
    numbers = spark.range(0, count, 1, numPartitions=tasks(count, spark.sparkContext.defaultParallelism))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # as above
        try:
            found = numbers.mapInArrow(partial(_answers, work.described()), _ANSWER).toArrow()
        except PySparkException as error:
            raise _told(error, work) from error
    found = found.sort_by([("block", "ascending"), ("piece", "ascending")])
    return joined(unpacked(piece.as_buffer()) for piece in found.column("rows"))


def tasks(blocks: int, cores: int) -> int:
    """Return how many tasks the blocks are handed out in.

    To begin a task costs Spark about as much as a block costs us, so a task has several; two for each core let the
    quick ones help out. A cluster that grows on demand shows few cores at first, so no task has more than eight.
    """
    return min(blocks, max(2 * cores, -(-blocks // 8)))


def _answers(text: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Answer with the tables of the blocks whose numbers come in; runs on a worker."""
    for batch in batches:
        for number in batch.column(0).to_pylist():
            for piece, rows in enumerate(computed(text, number)):
                yield pa.record_batch(
                    [pa.array([number]), pa.array([piece]), pa.array([rows], pa.binary())], ["block", "piece", "rows"]
                )


def _told(error: Exception, work: Work) -> Exception:
    """Return what a worker's error means to the person; a bug of ours stays what it is."""
    lines = re.findall(r"(?m)^([\w.]*(?:Error|Exception)): (.*)$", str(error))
    kind, words = lines[-1] if lines else ("", "")
    if kind in {"ModuleNotFoundError", "ImportError"}:
        return DependencyError(
            f"a Spark worker must have churnml and what it needs, found {words!r}; install churnml on every machine, "
            "and let PYSPARK_PYTHON name its Python there"
        )
    if kind in {"FileNotFoundError", "PermissionError"}:
        return DependencyError(
            f"a Spark worker must see the workspace at {work.store.root}, found {words!r}; put the workspace on "
            "storage that every machine mounts there"
        )
    if kind == "churnml.errors.DependencyError":
        return DependencyError(words)
    return error
