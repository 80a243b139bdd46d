"""A whole market, lived block by block of customers and written as it goes: tables for anyone, the truth apart.

Customers do not see each other, so a block of them can be lived from the first day to the last while the memory holds
one block. The bytes depend on seed, size, days and variant, not on the size of a block.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from churnml.errors import UsageError, nearest
from churnml.events.schema import TABLES
from churnml.events.simulation import equations as eq
from churnml.events.simulation.contacting import Decisions, carry_out, decide
from churnml.events.simulation.customers import Traits, draw_traits
from churnml.events.simulation.lives import Happened, Places, State, first_state, step
from churnml.events.simulation.recording import Recorder
from churnml.events.simulation.truth import TruthWriter

VERSION = 1
"""Of the equations; markets of two versions differ for the same seed."""

Progress = Callable[[int, int], None]

MOST_CUSTOMERS, MOST_DAYS, FEWEST_DAYS = 10_000_000, 3_650, 2
_AT_ONCE = 10_000


@dataclass(frozen=True)
class Market:
    """What a market is made from.

    Parameters
    ----------
    customers : int
        How many there are in the end; two in five are there on the first day.
    days : int
        Its length.
    seed : int
        Of everything random.
    variant : str
        One of `equations.VARIANTS`.

    Raises
    ------
    UsageError
        If there is no such market.
    """

    customers: int = 20_000
    days: int = 730
    seed: int = 0
    variant: str = "plain"
    version: int = VERSION

    def __post_init__(self) -> None:
        for name, least, most in (
            ("customers", 1, MOST_CUSTOMERS),
            ("days", FEWEST_DAYS, MOST_DAYS),
            ("seed", 0, 2**63 - 1),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise UsageError(f"--{name} must be between {least:,} and {most:,}, got {value:,}")
        if self.variant == "drift" and self.days <= eq.PRICE_RISE_DAY:
            raise UsageError(
                f"--variant drift needs --days above {eq.PRICE_RISE_DAY}, the day on which prices rise, got {self.days}"
            )
        if self.variant not in eq.VARIANTS:
            near = nearest(self.variant, eq.VARIANTS)
            known = "; ".join(f"{name}: {variant.says}" for name, variant in eq.VARIANTS.items())
            raise UsageError(f"--variant must be one of {', '.join(eq.VARIANTS)}, got {self.variant!r}{near} ({known})")

    @property
    def equations(self) -> eq.Variant:
        """The equations that hold in it."""
        return eq.VARIANTS[self.variant]

    @property
    def ends(self) -> date:
        """The day after the last."""
        return eq.day_of(self.days)

    @property
    def saved_days(self) -> tuple[int, ...]:
        """The mornings whose state is saved, every 90 days back from the end, the last 90 days before it."""
        return tuple(sorted(day for day in range(self.days - 90, 0, -90)))

    @property
    def mornings(self) -> dict[date, int]:
        """The days whose state is saved on their morning, by date."""
        return {eq.day_of(day): day for day in self.saved_days}

    def traits(self) -> Traits:
        """Return everyone, drawn anew: the same as when the market was lived."""
        return draw_traits(self.seed, self.customers, self.days, self.equations)


@dataclass(frozen=True)
class Day:
    """A day as it was lived.

    Parameters
    ----------
    happened : Happened
        What a table may record of it.
    state : State
        As the day ended; the same object every day, changed by the next.
    decided : Decisions or None
        Whom the company wrote to or called that morning, or chose not to.
    withdrew : ndarray of intp
        Who took their permission back when contacted.
    morning : State or None
        How everybody stood before anything was decided, on the days whose state is saved.
    """

    happened: Happened
    state: State
    decided: Decisions | None
    withdrew: Places
    morning: State | None


def live(market: Market, traits: Traits, *, seen: bool = True) -> Iterator[Day]:
    """Live the days of a market with its own contacts, for some or all of its customers; see `lives.step`."""
    variant, saved, everyone = market.equations, set(market.saved_days), np.arange(len(traits))
    state = first_state(traits, variant)
    for day in range(market.days):
        morning = state.take(everyone) if day in saved else None
        decided = decide(traits, state, variant, day)
        withdrew = everyone[:0] if decided is None else carry_out(traits, state, variant, day, decided)
        happened = step(traits, state, variant, day, seen=seen)
        yield Day(happened, state, decided, withdrew, morning)


def write_new(market: Market, folder: Path, progress: Progress = lambda _done, _of: None) -> dict[str, int]:
    """Write a market into a folder that does not exist yet, all at once, and return how many rows each table has.

    A folder that holds this very market is left as it is.

    Parameters
    ----------
    progress : callable
        Told how many customer-days are done, of how many.

    Raises
    ------
    UsageError
        If the folder holds anything else.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        _require_same(market, folder)
        return {name: _rows(folder, name) for name in TABLES}
    draft = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(draft, ignore_errors=True)
    _write(market, draft, progress)
    (draft / "market.json").write_text(_said(market), encoding="utf-8")
    _take_its_place(draft, folder)
    return {name: _rows(folder, name) for name in TABLES}


def _take_its_place(draft: Path, folder: Path) -> None:
    """Move a draft to where it belongs; into a folder that stands there empty, which may be the one we are in."""
    if not folder.exists():
        draft.replace(folder)
        return
    whole = "market.json"  # says that all is there, and so comes last
    for name in sorted((path.name for path in draft.iterdir()), key=lambda name: name == whole):
        (draft / name).replace(folder / name)
    draft.rmdir()


def same(market: Market, folder: Path) -> bool:
    """Tell whether a folder holds this very market, whole."""
    file = folder / "market.json"
    return file.is_file() and file.read_text(encoding="utf-8") == _said(market)


def _said(market: Market) -> str:
    return json.dumps(asdict(market), indent=1) + "\n"


def _require_same(market: Market, folder: Path) -> None:
    if not same(market, folder):
        holds = "another market" if (folder / "market.json").is_file() else "something that is no market"
        raise UsageError(f"{folder} must be new or empty, found {holds}; name another folder. Nothing was written")


def _rows(folder: Path, name: str) -> int:
    path = folder / "tables" / f"{name}.parquet"
    return int(pq.read_metadata(path).num_rows) if path.exists() else 0


def _write(market: Market, folder: Path, progress: Progress) -> None:
    """Live a market block by block, and write its tables, what names them as sources, and its truth."""
    files = {name: folder / "tables" / f"{name}.parquet" for name in TABLES}
    files["customers"].parent.mkdir(parents=True)
    writers: dict[str, pq.ParquetWriter] = {}
    everyone, days = market.traits(), market.days
    with TruthWriter(folder / "truth") as truth:
        for first in range(0, market.customers, _AT_ONCE):
            block = everyone.take(np.arange(first, min(first + _AT_ONCE, market.customers)))
            recorder = Recorder(block, market.equations, days)
            truth.begin(block)
            for day in live(market, block):
                recorder.day(day.state, day.decided, day.happened, day.withdrew)
                truth.day(day.happened.day, day.state, day.morning)
                if day.happened.day % 10 == 0:
                    progress(first * days + len(block) * day.happened.day, market.customers * days)
            truth.end()
            for name, table in recorder.tables().items():
                _append(writers, files[name], name, table)
    for writer in writers.values():
        writer.close()
    progress(market.customers * days, market.customers * days)
    (folder / "sources.yaml").write_text(_sources(writers), encoding="utf-8")


def _append(writers: dict[str, pq.ParquetWriter], file: Path, name: str, table: pa.Table) -> None:
    if len(table):
        if name not in writers:
            writers[name] = pq.ParquetWriter(file, table.schema, compression="zstd")
        writers[name].write_table(table)


def _sources(names: Iterable[str]) -> str:
    entries = [f"  - {{table: {name}, file: tables/{name}.parquet}}" for name in TABLES if name in set(names)]
    return "\n".join(["# A simulated market; ingest lands it like anyone's data.", "sources:", *entries, ""])
