"""The truth of a market: what its customers are and feel, and their state on saved mornings, in a folder of its own.

No part of the product reads it back but this module, for tests and `churnml check truth`; tests/test_architecture.py
says so.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from churnml.errors import UsageError
from churnml.events.simulation.customers import Traits
from churnml.events.simulation.lives import GONE, State

MODES = ("unborn", "active", "dormant", "gone")
_MONDAY = 1
_TOLD = (
    "rate", "basket", "minds_price", "averse", "redeems", "opens", "regular", "margin", "content", "visits",
    "held_out", "randomised", "member",
)  # fmt: skip


class TruthWriter:
    """Writes the truth of a market, block by block of customers.

    `customers.parquet` has the traits and the day they left for good, `moods.parquet` mood and mode of everybody on
    every Monday night, `states/DAY.parquet` all of `lives.State` on a morning.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "states").mkdir(parents=True)
        self._writers: dict[Path, pq.ParquetWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def begin(self, traits: Traits) -> None:
        """Begin with some customers."""
        self._traits = traits
        self._left = np.full(len(traits), -1, dtype=np.int64)
        self._moods: list[pa.Table] = []

    def day(self, day: int, state: State, morning: State | None) -> None:
        """Take down how a day ended, and the morning of it if it is to be saved."""
        self._left[(state.mode == GONE) & (self._left < 0)] = day
        if day % 7 == _MONDAY:
            # a copy, for Arrow would look at the very bytes that the next day changes
            mode = pa.DictionaryArray.from_arrays(pa.array(state.mode.copy()), pa.array(MODES))
            told = {"number": self._traits.number, "day": np.full(len(state.mode), day, dtype=np.int32)}
            self._moods.append(pa.table(told | {"mood": state.mood.astype(np.float32), "mode": mode}))
        if morning is not None:
            columns = {one.name: getattr(morning, one.name) for one in fields(State) if one.name != "shocks"}
            shocks = pa.FixedSizeListArray.from_arrays(pa.array(morning.shocks.T.ravel()), len(morning.shocks))
            table = pa.table({"number": self._traits.number, **columns, "shocks": shocks})
            self._write(self._folder / "states" / f"{day:04}.parquet", table)

    def end(self) -> None:
        """Write what was taken down of these customers."""
        traits = self._traits
        left = pa.array(self._left, mask=self._left < 0)
        told = {"number": traits.number, "met_day": traits.born, "left_day": left}
        self._write(
            self._folder / "customers.parquet", pa.table(told | {name: getattr(traits, name) for name in _TOLD})
        )
        if self._moods:
            self._write(self._folder / "moods.parquet", pa.concat_tables(self._moods))

    def _write(self, path: Path, table: pa.Table) -> None:
        if path not in self._writers:
            self._writers[path] = pq.ParquetWriter(path, table.schema, compression="zstd")
        self._writers[path].write_table(table)


def saved_state(folder: Path, day: int) -> State:
    """Return the state of everybody on a saved morning.

    Raises
    ------
    UsageError
        If that morning was not saved.
    """
    path = folder / "states" / f"{day:04}.parquet"
    if not path.exists():
        saved = ", ".join(str(int(file.stem)) for file in sorted((folder / "states").glob("*.parquet")))
        raise UsageError(f"the state of day {day} was not saved; there are those of days {saved or 'none'}")
    table = pq.read_table(path).combine_chunks()
    columns = {one.name: table[one.name].to_numpy().copy() for one in fields(State) if one.name != "shocks"}
    shocks = table["shocks"].combine_chunks()
    flat = shocks.flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1)
    return State(**columns, shocks=np.ascontiguousarray(flat.T))
