"""A customer's path: in which stage they were seen from when to when, kept in the workspace and read by customer.

A measure of some months carries on what was kept of the months before, if both were told by the same terms. So the
history grows from month to month though each measure looks at twelve of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churnml.config import LifecycleRules
from churnml.database import Catalogue, Workspace
from churnml.events import By, keeping
from churnml.events.clock import DAY, HOUR, moment
from churnml.measures.lifecycle import STAGES
from churnml.measures.spells import spells

if TYPE_CHECKING:  # the kernel takes a second to import, and a path is read without it
    from churnml.measures.lifecycle_history import StageHistory

Json = dict[str, Any]  # Any: JSON
_MONTH = 31 * DAY + HOUR  # one in which clocks go back
_NAME, _TERMS = "lifecycle", b"churnml"


@dataclass(frozen=True)
class Stay:
    """An unbroken stay in a stage.

    Parameters
    ----------
    stage : str
        A key of `STAGES`.
    first, last : str
        The first and the last local day, ISO 8601, at whose end they were seen in it: the last day of a month, or of
        what was looked at.
    periods : int
        At how many such ends.
    """

    stage: str
    first: str
    last: str
    periods: int


def keep_paths(
    workspace: Workspace,
    catalogue: Catalogue,
    history: StageHistory,
    time_zone: str,
    population_days: int,
    rules: LifecycleRules,
    by: By,
    landed_until: int,
) -> bool:
    """Keep everybody's path, and return whether it was: one that looks less far ahead than what is kept is not.

    What is kept of days of which nothing has landed is no path, and is replaced.

    Parameters
    ----------
    history : StageHistory
        At the ends of months.
    landed_until : int
        The midnight after the last landed row, microseconds UTC.
    """
    terms = _terms(time_zone, population_days, rules, by)
    rows, cutoffs = _rows(history), list(history.cutoffs)
    path = keeping.file_of(workspace, _NAME)
    if path.exists():
        known = _told(pq.read_schema(path))
        if cutoffs[-1] < known["cutoffs"][-1] <= landed_until and known["terms"] == terms:
            return False
        before = [one for one in known["cutoffs"] if one < cutoffs[0]]
        if before and known["terms"] == terms:
            rows = _carried_on(pq.read_table(path), before[-1], rows, cutoffs[0])
            cutoffs = before + cutoffs
    told = {"cutoffs": cutoffs, "terms": terms, "time_zone": time_zone}
    keeping.keep(workspace, catalogue, _NAME, rows.replace_schema_metadata({_TERMS: json.dumps(told)}))
    return True


def read_path(workspace: Workspace, catalogue: Catalogue, customer_id: str) -> tuple[Stay, ...] | None:
    """Return the path of one customer, the first stay first, in milliseconds.

    Returns
    -------
    tuple of Stay or None
        Empty of who was not known yet, is none of the customers, or refuses to be profiled; None where nobody's path
        is kept.
    """
    rows = keeping.of_customer(workspace, catalogue, _NAME, customer_id)
    if rows is None:
        return None
    return _stays(rows.sort_by("first").to_pylist(), _told(rows.schema))


def all_paths(workspace: Workspace) -> Iterator[tuple[str, tuple[Stay, ...]]]:
    """Give every customer of whom a path is kept, in the order of their ids, with it: as `read_path` tells it."""
    path = keeping.file_of(workspace, _NAME)
    if not path.exists():
        return
    with pq.ParquetFile(path) as file:
        told = _told(file.schema_arrow)
        rows = (row for batch in file.iter_batches() for row in batch.to_pylist())
        for customer_id, theirs in groupby(rows, key=itemgetter("customer_id")):
            yield customer_id, _stays(sorted(theirs, key=itemgetter("first")), told)


def version_of_paths(workspace: Workspace) -> str:
    """Return a word that is another one once other paths are kept."""
    try:
        found = keeping.file_of(workspace, _NAME).stat()
    except FileNotFoundError:
        return "none"
    return f"{found.st_ino:x}.{found.st_size:x}.{found.st_mtime_ns:x}"


def _stays(rows: Sequence[Json], told: Json) -> tuple[Stay, ...]:
    cutoffs, zone = np.array(told["cutoffs"]), told["time_zone"]
    return tuple(
        Stay(
            row["stage"],
            moment(row["first"] - 1, zone).date().isoformat(),
            moment(row["last"] - 1, zone).date().isoformat(),
            int(((cutoffs >= row["first"]) & (cutoffs <= row["last"])).sum()),
        )
        for row in rows
    )


def _terms(*terms: object) -> str:
    """Return a digest of what stages are told by: paths told by two kinds of terms are no path."""
    plain = [one.model_dump() if isinstance(one, LifecycleRules) else one for one in terms]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _told(schema: pa.Schema) -> Json:
    found: Json = json.loads(schema.metadata[_TERMS])
    return found


def _rows(history: StageHistory) -> pa.Table:
    found, cutoffs = spells(history), np.array(history.cutoffs, dtype=np.int64)
    return pa.table(
        {
            "customer_id": pa.array(history.customer_ids, pa.string()).take(pa.array(found.customer)),
            "stage": pa.array(list(STAGES)).take(pa.array(found.stage)),
            "first": cutoffs[found.first],
            "last": cutoffs[found.last],
        }
    )


def _carried_on(old: pa.Table, until: int, new: pa.Table, since: int) -> pa.Table:
    """Return what was kept up to `until`, carried on by what was found from `since` on, of those of whom it was."""
    still = pc.is_in(old.column("customer_id"), value_set=pc.unique(new.column("customer_id")))
    old = old.filter(pc.and_(pc.less_equal(old.column("first"), until), still))
    old = old.set_column(3, "last", pc.min_element_wise(old.column("last"), pa.scalar(until)))
    both = pa.concat_tables([old.replace_schema_metadata(None), new]).sort_by(
        [("customer_id", "ascending"), ("first", "ascending")]
    )
    if len(both) < 2:  # nothing that could be carried on
        return both
    ends, begins = both.slice(0, len(both) - 1), both.slice(1)
    same = [pc.equal(ends.column(name), begins.column(name)) for name in ("customer_id", "stage")]
    goes_on = np.array(pc.and_(*same)) & (np.array(ends["last"]) == until) & (np.array(begins["first"]) == since)
    goes_on &= since - until <= _MONTH  # of what lies between nothing is known otherwise
    last = both["last"].to_numpy().copy()
    last[:-1][goes_on] = last[1:][goes_on]
    return both.set_column(3, "last", pa.array(last)).filter(pa.array(np.append(True, ~goes_on)))
