"""A feature table whose blocks are computed elsewhere: what a worker is told, what it sends back, how that is joined.

A worker needs no database and no rows from anyone: it is told which files count, who refuses and what is asked, reads
the rows of its block through the wall, calls `build_block` as everyone does, and sends back Arrow. Nothing here knows
who hands out the blocks; `spark.py` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from churnml.database import source_digest
from churnml.database.workspace import digest_of_file
from churnml.errors import DependencyError
from churnml.events import Store, history
from churnml.features.catalogue import Catalogue, catalogue
from churnml.features.own import own_features
from churnml.features.table import FeatureTable, build_block, reads

PIECE_ROWS = 50_000
"""So many rows travel at once: about 40 MB before compression. A block may have more than the 2 GB of one message."""

_COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")


@dataclass(frozen=True)
class Work:
    """What is asked of all blocks, complete, and all of it plain data.

    Parameters
    ----------
    store : Store
        Which files count; its root must lead to them wherever the work is done.
    attributes : mapping of str to (str, str)
        Free customer attributes to show as features, with their names in English and in Chinese.
    cutoffs : sequence of int
        Microseconds UTC.
    population_days : int
        How far back the last order of a member of the population may lie.
    own : mapping of str to str
        Files of features of the user's own, and the digest of each; a worker opens them under the same path.
    code : str
        Digest of the code that asks; another code's answers would not be the same to the last bit.
    """

    store: Store
    attributes: Mapping[str, tuple[str, str]]
    cutoffs: Sequence[int]
    population_days: int
    own: Mapping[str, str] = field(default_factory=dict)
    code: str = field(default_factory=source_digest)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The features that are asked for."""
        return catalogue(self.store.tables, self.attributes, own_features(map(Path, self.own)))

    def table(self, number: int) -> FeatureTable:
        """Return the feature table of one block, its rows read through the wall."""
        block = history(self.store, number, self.cutoffs, reads(self.catalogue))
        return build_block(block, self.catalogue, self.cutoffs, self.population_days, self.store.time_zone)

    def described(self) -> str:
        """Return the work as JSON, from which `of_description` makes the same elsewhere."""
        told = {
            "store": self.store.described(),
            "attributes": dict(self.attributes),
            "cutoffs": [int(cutoff) for cutoff in self.cutoffs],
            "population_days": self.population_days,
            "own": dict(self.own),
            "code": self.code,
        }
        return json.dumps(told)

    @classmethod
    def of_description(cls, text: str) -> Work:
        """Return the work that `described` told of."""
        told = json.loads(text)
        attributes = {name: (en, zh) for name, (en, zh) in told["attributes"].items()}
        store = Store.of_description(told["store"])
        return cls(store, attributes, tuple(told["cutoffs"]), told["population_days"], told["own"], told["code"])


def computed(text: str, number: int) -> Iterator[bytes]:
    """Yield the table of one block of described work, in pieces: all that a worker does.

    Raises
    ------
    DependencyError
        If the worker's churnml, or a file of the user's own features, is not that of who asks.
    """
    work = _work(text)
    if work.code != source_digest():
        raise DependencyError(
            "a worker must run the same churnml as the command, found other code there; install this version on every "
            "machine"
        )
    changed = [file for file, digest in work.own.items() if digest_of_file(Path(file)) != digest]
    if changed:
        raise DependencyError(f"a worker must see {changed[0]} as the command does, found another file there; copy it")
    return packed(work.table(number))


@lru_cache(maxsize=1)
def _work(text: str) -> Work:
    """Read a description once for all blocks of a worker; with many who refuse it is long."""
    return Work.of_description(text)


def packed(table: FeatureTable) -> Iterator[bytes]:
    """Yield a feature table as Arrow streams of at most `PIECE_ROWS` rows; an empty table as one without rows."""
    numbers = [pa.array(table.column(name)) for name in table.names]
    texts = [pa.array(column, pa.string()) for column in table.categories.values()]
    keys = [pa.array(table.customer_ids, pa.string()), pa.array(table.cutoffs), pa.array(table.standing)]
    names = ["customer_id", "cutoff", "standing", *table.names, *table.categories]
    rows = pa.record_batch([*keys, *numbers, *texts], names)
    for start in range(0, max(len(table), 1), PIECE_ROWS):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema, options=_COMPRESSED) as writer:
            writer.write_batch(rows.slice(start, PIECE_ROWS))
        yield sink.getvalue().to_pybytes()


def unpacked(piece: bytes | pa.Buffer) -> FeatureTable:
    """Return the rows of one piece that `packed` yielded, bit for bit."""
    (rows,) = pa.ipc.open_stream(piece)
    ids, cutoffs, standing, *columns = (column.to_numpy(zero_copy_only=False) for column in rows.columns)
    is_number = [pa.types.is_floating(field.type) for field in rows.schema][3:]
    names = rows.schema.names[3:]
    numbers = [(name, column) for name, column, yes in zip(names, columns, is_number, strict=True) if yes]
    values = np.array([column for _, column in numbers], dtype=np.float64).reshape(len(numbers), len(ids)).T
    texts = {name: column for name, column, yes in zip(names, columns, is_number, strict=True) if not yes}
    return FeatureTable(ids, cutoffs, standing, tuple(name for name, _ in numbers), values, texts)


def joined(pieces: Iterable[FeatureTable]) -> FeatureTable:
    """Return one table of the pieces of all blocks, given in the order of the blocks, as `build` would have it.

    Within a cutoff `build` has the customers in the order of the blocks, so a sort by cutoff that leaves equals where
    they are is all it takes.
    """
    tables = list(pieces)
    cutoffs = np.concatenate([table.cutoffs for table in tables])
    order = np.argsort(cutoffs, kind="stable")
    names, categories = tables[0].names, tables[0].categories
    values = np.empty((len(names), len(cutoffs)))
    for place in range(len(names)):
        values[place] = np.concatenate([table.values[:, place] for table in tables])[order]
    return FeatureTable(
        np.concatenate([table.customer_ids for table in tables])[order],
        cutoffs[order],
        np.concatenate([table.standing for table in tables])[order],
        names,
        values.T,
        {name: np.concatenate([table.categories[name] for table in tables])[order] for name in categories},
        tables[0].by,
    )
