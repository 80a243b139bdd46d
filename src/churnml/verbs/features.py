"""`churnml features`: the catalogue, and the matrix at given cutoffs."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.table import Table as Grid

from churnml.config import TrainConfig, WorkspaceConfig
from churnml.errors import UsageError, nearest
from churnml.events import TABLES, Store
from churnml.events.clock import midnight, moment
from churnml.features import Catalogue, FeatureTable, catalogue, own_features
from churnml.verbs.actor import note
from churnml.verbs.session import Session

ENGINES = ("local", "spark")
"""Who computes the blocks: the cores of this machine, or the workers of Spark."""


def of_session(session: Session) -> Catalogue:
    """Return the features that the landed tables of a workspace switch on, and the user's own."""
    return features_under(session.settings, session.store, session.own_features)


def features_under(settings: WorkspaceConfig, store: Store, own: Mapping[Path, str]) -> Catalogue:
    """Return the features that the tables of a store switch on under some settings, and the user's own."""
    return catalogue(store.tables, _attributes(settings), own_features(own))


def _attributes(settings: WorkspaceConfig) -> dict[str, tuple[str, str]]:
    return {name: (label.en, label.zh) for name, label in settings.attributes.items()}


def list_features(session: Session | None) -> list[dict[str, str]]:
    """Return every declared feature; with a session only those that are on."""
    found = of_session(session) if session else catalogue(TABLES)
    return [
        {
            "name": feature.name,
            "family": feature.family,
            "group": feature.group,
            "unit": feature.unit,
            "table": feature.table,
            "en": feature.meaning.en,
            "zh": feature.meaning.zh,
            "missing": feature.missing,
        }
        for feature in found.features
    ]


def listing(features: Sequence[dict[str, str]]) -> Grid:
    """Return the catalogue as a table for people."""
    grid = Grid("name", "family", "unit", "meaning", "含义", box=None, header_style="bold")
    for feature in features:
        grid.add_row(*(feature[name] for name in ("name", "family", "unit", "en", "zh")))
    return grid


def check_engine(engine: str, spark_master: str | None) -> None:
    """Refuse an engine that there is none, or that is not installed, before anything is done.

    Raises
    ------
    UsageError
        If the engine is not known, or a master is named for the engine that has none.
    DependencyError
        If Spark is asked for and PySpark or Java is missing.
    """
    if engine not in ENGINES:
        raise UsageError(f"--engine must be one of {', '.join(ENGINES)}, got {engine!r}{nearest(engine, ENGINES)}")
    if engine == "spark":
        from churnml.features.spark import check_installed  # noqa: PLC0415  # compiles the kernel

        check_installed()
    elif spark_master is not None:
        raise UsageError("--spark-master belongs to a call with --engine spark; leave it out")


def export(
    session: Session, cutoffs: Sequence[str], out: Path, engine: str = "local", spark_master: str | None = None
) -> int:
    """Write the feature table at some cutoffs to Parquet, and return how many rows there were.

    Parameters
    ----------
    engine : {'local', 'spark'}
        Who computes the blocks; the file is the same, byte for byte.
    spark_master : str, optional
        Where Spark runs; by default what Spark's own configuration says, or else this machine.

    Raises
    ------
    UsageError
        If a cutoff is no date, lies before the first order or beyond what has landed, or the file is no Parquet file.
    """
    if out.suffix != ".parquet":
        raise UsageError(f"the features are written as Parquet, to a file that ends in .parquet, got {out.name!r}")
    instants = sorted({known_cutoff(session, day) for day in cutoffs} or {session.cutoff(None)})
    days = session.load("train", TrainConfig).population_days
    table = _local(session, instants, days) if engine == "local" else _on_spark(session, instants, days, spark_master)
    table = table.take(np.lexsort((table.customer_ids.astype(str), table.cutoffs)))
    columns = {
        "customer_id": pa.array(table.customer_ids, pa.string()),
        "cutoff": pa.array(table.cutoffs, pa.timestamp("us", "UTC")),
        "in_population": pa.array(table.in_population),
        **{name: pa.array(table.column(name)) for name in table.names},
        **{name: pa.array(values, pa.string()) for name, values in table.categories.items()},
    }
    with session.workspace.atomically(out.resolve()) as draft:
        pq.write_table(pa.table(columns), draft)
    note(session, "features.exported", {"format": "parquet", "rows": len(table)})
    return len(table)


def known_cutoff(session: Session, day: str) -> int:
    """Return a cutoff up to which something has landed: beyond it everyone would seem to have fallen silent."""
    cutoff, zone = session.cutoff(day), session.settings.time_zone
    last = moment(max(part.last_at for part in session.store.parts), zone).date()
    latest = max(midnight(last + timedelta(days=1), zone), session.cutoff(None))
    if cutoff > latest:
        raise UsageError(
            f"--cutoff must not lie beyond what has landed, which ends on {last}, got {day}; choose "
            f"{moment(latest, zone).date()} or an earlier day, or ingest what is new"
        )
    return cutoff


def _local(session: Session, cutoffs: Sequence[int], population_days: int) -> FeatureTable:
    from churnml.features import build  # noqa: PLC0415  # compiles the kernel

    with session.step("Computing features") as tick:
        return build(session.store, of_session(session), cutoffs, population_days, tick)


def _on_spark(session: Session, cutoffs: Sequence[int], population_days: int, master: str | None) -> FeatureTable:
    from churnml.features.blocks import Work  # noqa: PLC0415  # compiles the kernel
    from churnml.features.spark import build_on_spark, started  # noqa: PLC0415

    own = {str(file): digest for file, digest in session.own_features.items()}
    work = Work(session.store, _attributes(session.settings), cutoffs, population_days, own)
    with contextlib.ExitStack() as running:
        with session.step("Starting Spark"):
            spark = running.enter_context(started(master))
        with session.step(f"Computing features on {spark.sparkContext.master}"):
            return build_on_spark(spark, work)
