"""Who is measured: a raw scan, churnml, Polars and DuckDB, each a function of the landed store and the cutoffs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import duckdb_features, polars_features
from churnml.events import Store
from churnml.features import Catalogue, FeatureTable, build, catalogue
from churnml.features.table import reads

POPULATION_DAYS = 90
TOLERANCE = 1e-9


def features(store: Store) -> Catalogue:
    """Return the catalogue of the numeric features that Polars computes too; attributes would measure nothing."""
    both = [one for one in catalogue(store.tables).numeric if one.name in polars_features.FEATURES]
    return Catalogue(tuple(both), {})


def scan(store: Store, cutoffs: Sequence[int]) -> int:
    """Decode the columns the features are made of, row group by row group, and return how many rows there were.

    Texts are left as the dictionary codes they are on disk, which is the fastest way to read them.
    """
    del cutoffs
    pa.set_memory_pool(pa.system_memory_pool())  # as churnml does: the floor is to be as low as it can be
    rows, asked = 0, dict[str, dict[str, None]]()
    for facts, names in reads(features(store)).items():
        asked.setdefault(facts.partition(".")[0], {}).update(dict.fromkeys(names))
    for part in store.parts:
        columns = ["customer_id", "occurred_at", *asked.get(part.table_name, {})]
        schema = pq.read_schema(store.root / part.path)
        texts = [name for name in columns if pa.types.is_string(schema.field(name).type)]
        with pq.ParquetFile(store.root / part.path, read_dictionary=texts) as file:
            for group in range(file.num_row_groups):
                rows += file.read_row_group(group, columns=columns, use_threads=False).num_rows
    return rows


def churnml(store: Store, cutoffs: Sequence[int]) -> FeatureTable:
    """Return the features as churnml builds them."""
    return build(store, features(store), cutoffs, POPULATION_DAYS)


def polars(store: Store, cutoffs: Sequence[int]) -> pl.DataFrame:
    """Return the same features from Polars, each cutoff on its own."""
    return polars_features.build(_paths(store), cutoffs, _names(store))


def polars_tuned(store: Store, cutoffs: Sequence[int]) -> pl.DataFrame:
    """Return the same features from Polars, with all that several cutoffs can share."""
    return polars_features.build_tuned(_paths(store), cutoffs, _names(store))


def duckdb(store: Store, cutoffs: Sequence[int]) -> pa.Table:
    """Return the same features from DuckDB, a query for each cutoff."""
    return duckdb_features.build(_paths(store), cutoffs, _names(store))


def agreement(store: Store, cutoff: int) -> tuple[int, dict[str, list[str]]]:
    """Return how many features are computed by all, and the names of those that differ from churnml, by contender.

    Equal means within 1e-9 of each other, relative or absolute, for every customer, and missing for the same ones.
    """
    ours = churnml(store, [cutoff])
    ours = ours.take(np.argsort(ours.customer_ids.astype(str)))
    others = {"Polars": polars(store, [cutoff]), "DuckDB": pl.DataFrame(duckdb(store, [cutoff]))}
    return len(ours.names), {name: _differing(ours, other.sort("customer_id")) for name, other in others.items()}


def _differing(ours: FeatureTable, theirs: pl.DataFrame) -> list[str]:
    if theirs["customer_id"].to_list() != ours.customer_ids.tolist():
        return ["customer_id"]
    return [name for name in ours.names if not _close(ours.column(name), theirs[name])]


def _paths(store: Store) -> dict[str, Path]:
    return {part.table_name: store.root / part.path for part in store.parts}


def _names(store: Store) -> list[str]:
    return [feature.name for feature in features(store).numeric]


def _close(ours: npt.NDArray[np.float64], theirs: pl.Series) -> bool:
    other = theirs.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return bool(np.allclose(ours, other, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))


CONTENDERS: dict[str, Callable[[Store, Sequence[int]], object]] = {
    "scan": scan,
    "churnml": churnml,
    "polars": polars,
    "polars_tuned": polars_tuned,
    "duckdb": duckdb,
}
