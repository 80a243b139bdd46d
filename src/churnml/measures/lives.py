"""What all measures of lifecycle are counted from: everybody's stages, their parts, and what is told of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from churnml.events.books import Books
from churnml.events.clock import moment
from churnml.measures.lifecycle import STAGES
from churnml.measures.lifecycle_history import StageHistory
from churnml.measures.measure import About
from churnml.measures.parts import UNKNOWN, UNKNOWN_WORD, parts
from churnml.wording import Text

ALL = "all"
STAGE_WORDS: dict[str, Text] = {str(stage): text for stage, text in STAGES.items()}
POPULATION = Text(
    "everybody known at the end who does not refuse to be profiled", "期末已知且未拒绝画像的所有客户（含潜在客户）"
)
PART = About(Text("Part", "分组"), "word", words=UNKNOWN_WORD)
_TABLES = ("customers", "orders", "subscriptions", "interactions")


@dataclass(frozen=True)
class Lives:
    """Everybody's stages with the part each belongs to.

    Parameters
    ----------
    history : StageHistory
        Its last cutoff is the end of what is asked.
    whole : int
        How many steps from cutoff to cutoff are whole periods; the first ones, for what is left over comes last.
    part : ndarray of shape (n_customers,)
        Places in `names`.
    names : tuple of str
        The parts, in order.
    by : str or None
        What parts the customers; None if nothing does.
    smallest : int
        Shares and times of fewer customers are not told.
    time_zone : str
    sources : tuple of str
        The tables that stages are told by.
    """

    history: StageHistory
    whole: int
    part: npt.NDArray[np.intp]
    names: tuple[str, ...]
    by: str | None
    smallest: int
    time_zone: str
    sources: tuple[str, ...]

    @property
    def days(self) -> tuple[str, ...]:
        """The last local day before each cutoff, ISO 8601: a stage at a month's end is told of the month's last day."""
        return tuple(self._last_day(cutoff) for cutoff in self.history.cutoffs)

    @property
    def span(self) -> tuple[str, str]:
        """The first local day and the one after the last, ISO 8601."""
        first, last = (
            moment(one, self.time_zone).date() for one in (self.history.cutoffs[0], self.history.cutoffs[-1])
        )
        return first.isoformat(), last.isoformat()

    def _last_day(self, cutoff: int) -> str:
        return moment(cutoff - 1, self.time_zone).date().isoformat()

    def columns(self, **columns: About) -> dict[str, About]:
        """Return the columns of a measure, with `part` before them where customers are parted."""
        return ({} if self.by is None else {"part": PART}) | columns


def lives(books: Books, history: StageHistory, whole: int, by: str | None, smallest: int) -> Lives:
    """Return everybody's stages with the part each belongs to.

    Parameters
    ----------
    books : Books
        Opened at the last cutoff of `history`.
    by : str or None
        See `measures.parts`.

    Raises
    ------
    UsageError
        If nobody has the attribute.
    """
    sources = tuple(name for name in _TABLES if name in books.tables)
    if "subscriptions" not in sources:
        sources = tuple(name for name in sources if name != "interactions")  # how a contract is used tells of no other
    part, names = _parts(books, history, by)
    return Lives(history, whole, part, names, by, smallest, books.time_zone, sources)


def _parts(books: Books, history: StageHistory, by: str | None) -> tuple[npt.NDArray[np.intp], tuple[str, ...]]:
    if by is None:
        return np.zeros(len(history.customer_ids), dtype=np.intp), (ALL,)
    table = books.frame(f"SELECT customer_id, part FROM {parts(books, by)}")
    mine = table.set_index("customer_id")["part"].reindex(history.customer_ids).fillna(UNKNOWN)
    names, part = np.unique(mine.to_numpy(dtype=str), return_inverse=True)
    return part, tuple(str(name) for name in names)


def remarks(told: Lives, data_begin: int, population_days: int) -> tuple[Text, ...]:
    """Return what is to be known of every measure of lifecycle.

    Parameters
    ----------
    data_begin : int
        When the first row that landed happened, microseconds UTC.
    population_days : int
        For so long after the data begin, who was a customer before looks like a new one.
    """
    found = []
    if told.history.refused:
        refused = f"{told.history.refused:,}"
        found.append(
            Text(
                f"{refused} more refuse to be profiled and are in no figure.",
                f"另有 {refused} 人拒绝画像，不计入任何数字。",
            )
        )
    begins = moment(data_begin, told.time_zone)
    if moment(told.history.cutoffs[0], told.time_zone) < begins + timedelta(days=population_days):
        day = begins.date().isoformat()
        found.append(
            Text(
                f"The data begin on {day}: who was a customer before is taken for a new one in the months after.",
                f"数据始于 {day}：此前已有的客户在其后数月会被当作新客户。",
            )
        )
    if told.whole < len(told.history.cutoffs) - 1:
        day = told.days[-1]
        found.append(
            Text(
                f"The stretch up to {day} is no whole period: it counts in stages and flow, not in moves and times.",
                f"截至 {day} 的最后一段不足一个完整周期：计入阶段与流量，不计入迁移与停留时间。",
            )
        )
    return tuple(found)
