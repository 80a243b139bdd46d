"""What coincides with an unusual period: the name it is given, which is no claim that it was the cause.

Holidays are not guessed from a calendar. A period is named by what the tables themselves say: that there was not one
order, in all of it or on a day of it, a campaign that was sent out mostly then, the same days of another year, or that
the data end there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd

from churnml.measures.unusual_days import Stretch
from churnml.measures.usual_days import Flags
from churnml.wording import Text

SILENT, PARTLY, YEARLY, AFTER, LATEST, NOTHING = (
    "silent", "partly_silent", "yearly", "after_silence", "latest", "nothing",
)  # fmt: skip
_CAMPAIGN = "campaign: "
_WORDS = {
    SILENT: Text("no order at all: closed, or rows are missing", "完全没有订单：停业或数据缺失"),
    PARTLY: Text("not one order on a day of it: closed, or rows are missing", "其中有日子没有任何订单：停业或数据缺失"),
    YEARLY: Text("the same days of another year were unusual too", "其他年份的同一时段也异常"),
    AFTER: Text("right after days without any order", "紧接在没有订单的日子之后"),
    LATEST: Text("the latest days: rows may still arrive", "最近几天：数据可能尚未到齐"),
    NOTHING: Text("no reason found", "未找到原因"),
}
_BEFORE_DAYS = 2  # how long before a period a campaign may have gone out that it is named after
_AROUND_DAYS = 4  # how far from each other days of two years may lie; Easter and Chinese New Year move farther
_LATEST_DAYS = 3


def named(stretches: Sequence[Stretch], days: Sequence[date], empty: Flags, sent: pd.DataFrame | None) -> list[str]:
    """Return the name of each unusual period, a word of `words`.

    Parameters
    ----------
    stretches : sequence of Stretch
        In order of time.
    days : sequence of date
        Of the series they are places in.
    empty : ndarray of bool, shape (n_days,)
        On which days there was no order, where a day without any is not usual.
    sent : DataFrame or None
        `day`, `campaign` and `contacts`; None where no contacts have landed.
    """
    return [_name(one, stretches, days, empty, sent) for one in stretches]


def words(names: Sequence[str]) -> dict[str, Text]:
    """Return how each name is worded; a campaign bears its own in both languages."""
    own = {name for name in names if name.startswith(_CAMPAIGN)}
    return _WORDS | {one: Text(one, f"营销活动：{one.removeprefix(_CAMPAIGN)}") for one in own}


def _name(
    one: Stretch, all_of_them: Sequence[Stretch], days: Sequence[date], empty: Flags, sent: pd.DataFrame | None
) -> str:
    if one.orders == 0 or (not one.high and empty[one.first : one.last].any()):
        return PARTLY if one.orders else SILENT
    campaign = _campaign(days[one.first], days[one.last - 1], sent) if one.high else None
    if campaign is not None:
        return f"{_CAMPAIGN}{campaign}"
    if not one.high and one.last == len(days) and one.last - one.first <= _LATEST_DAYS:
        return LATEST
    if any(_same_days(one, other, days) for other in all_of_them):
        return YEARLY
    if any(_ends_silent(other, empty) and 0 <= one.first - other.last <= 1 for other in all_of_them):
        return AFTER
    return NOTHING


def _ends_silent(one: Stretch, empty: Flags) -> bool:
    return one.orders == 0 or bool(empty[one.last - 1])


def _campaign(first: date, last: date, sent: pd.DataFrame | None) -> str | None:
    """Return the campaign most of whose contacts fell into a period or just before it; of several the largest."""
    if sent is None or sent.empty:
        return None
    by = sent.groupby("campaign")["contacts"].sum()
    within = sent[(sent["day"] >= first - timedelta(days=_BEFORE_DAYS)) & (sent["day"] <= last)]
    then = within.groupby("campaign")["contacts"].sum()
    mostly = then[then > by.loc[then.index] / 2]
    return None if mostly.empty else str(mostly.idxmax())


def _same_days(one: Stretch, other: Stretch, days: Sequence[date]) -> bool:
    if one is other or one.high != other.high or days[one.first].year == days[other.first].year:
        return False
    first, last = days[one.first], days[one.last - 1]
    years = days[other.first].year - first.year
    shift = timedelta(days=round(365.25 * years))
    around = timedelta(days=_AROUND_DAYS)
    return first + shift - around <= days[other.last - 1] and days[other.first] <= last + shift + around
