"""`churnml features`: the catalogue, and the matrix at given cutoffs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.table import Table as Grid

from churnml.config import TrainConfig
from churnml.events import TABLES
from churnml.features import Catalogue, catalogue, own_features
from churnml.verbs.session import Session


def of_session(session: Session) -> Catalogue:
    """Return the features that the landed tables of a workspace switch on, and the user's own."""
    names = {name: (label.en, label.zh) for name, label in session.settings.attributes.items()}
    return catalogue(session.store.tables, names, own_features(session.own_features))


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


def export(session: Session, cutoffs: Sequence[str], out: Path) -> int:
    """Write the feature table at some cutoffs to Parquet, and return how many rows there were."""
    from churnml.features import build  # noqa: PLC0415  # compiles the kernel

    config = session.load("train", TrainConfig)
    instants = [session.cutoff(day) for day in cutoffs] or [session.cutoff(None)]
    with session.step("Computing features") as tick:
        table = build(session.store, of_session(session), sorted(set(instants)), config.population_days, tick)
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
    return len(table)
