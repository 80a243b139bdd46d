"""When customers order: by weekday, by hour, by month of the year, day by day, and which days were unusual.

It is told of all customers together, from the orders that were paid. What is usual is learned from all that was known
at the end that is asked about, so that a year can be held against those before it; docs/rhythm.md has the method.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from churnml.config import RhythmRules
from churnml.errors import NotEnoughDataError
from churnml.events.books import Books
from churnml.measures.intervals import around_ratio
from churnml.measures.measure import About, Asked, Measure
from churnml.measures.rhythm_days import AMOUNT, FEWEST_DAYS, ORDERS, day_by_day, filled, measure_of, suppressed
from churnml.measures.rhythm_series import Series, customers_up_to, series
from churnml.measures.unusual_days import Found, unusual
from churnml.measures.usual_days import SEASON_YEARS, WEEK, YEAR, Values, month_of
from churnml.measures.withholding import withheld, withheld_remark
from churnml.wording import Text

_WEEKDAYS = {
    "1": Text("Monday", "星期一"), "2": Text("Tuesday", "星期二"), "3": Text("Wednesday", "星期三"),
    "4": Text("Thursday", "星期四"), "5": Text("Friday", "星期五"), "6": Text("Saturday", "星期六"),
    "7": Text("Sunday", "星期日"),
}  # fmt: skip
_MONTHS = {
    "1": Text("January", "一月"), "2": Text("February", "二月"), "3": Text("March", "三月"), "4": Text("April", "四月"),
    "5": Text("May", "五月"), "6": Text("June", "六月"), "7": Text("July", "七月"), "8": Text("August", "八月"),
    "9": Text("September", "九月"), "10": Text("October", "十月"), "11": Text("November", "十一月"),
    "12": Text("December", "十二月"),
}  # fmt: skip

_LOW, _HIGH = About(Text("Low", "下限"), "ratio"), About(Text("High", "上限"), "ratio")
_FEW_WEEKS = 8


def rhythm(books: Books, asked: Asked, rules: RhythmRules | None = None) -> list[Measure]:
    """Return how orders are spread over weekdays, hours, months and days, and which days were unusual.

    Parameters
    ----------
    books : Books
        As they were known at ``asked.end``.
    asked : Asked
        `every` and `by` have no bearing here.
    rules : RhythmRules, optional
        Which days are unusual.

    Returns
    -------
    list of Measure
        `rhythm_weekday`, `rhythm_hour`, `rhythm_season`, `rhythm_days` and `rhythm_unusual`; a measure that cannot be
        told is left out, and a remark of the first says why.

    Raises
    ------
    NotEnoughDataError
        If no orders have landed, or none of the days asked about.
    """
    rules = rules or RhythmRules()
    if "orders" not in books.tables:
        raise NotEnoughDataError(_NO_ORDERS)
    told = series(books, asked.begin, asked.end)
    if told is None:
        raise NotEnoughDataError(_NO_ORDERS_THEN)
    remarks = [_BY] if asked.by else []
    if customers_up_to(books, asked.begin, asked.smallest) < asked.smallest:
        return [suppressed(told, asked)]
    found = _found(told, rules)
    year = _season(told, found)
    measures = [
        *([_weekday(told, asked.smallest)] if _weeks(told) else []),
        *([_hour(told)] if _weeks(told) and not told.timeless else []),
        *([year] if year is not None else []),
        *day_by_day(told, found, books, rules, asked.smallest),
    ]
    remarks += [] if _weeks(told) else [_NO_WEEK]
    remarks += [_TIMELESS] if told.timeless else []
    remarks += [] if year is not None else [_NO_SEASON]
    return [replace(measures[0], remarks=(*measures[0].remarks, *remarks)), *measures[1:]]


_NO_ORDERS = Text(
    "the rhythm is read from the table `orders`, found none landed; `churnml ingest` it",
    "节律由 `orders` 表得出，目前尚未导入；请运行 `churnml ingest`",
)
_NO_ORDERS_THEN = Text(
    "the rhythm needs days with orders that were paid, found none between --from and --to; ask for other days",
    "节律需要有已付款订单的日子，--from 与 --to 之间没有；请选择其他日期",
)
_BY = Text("The rhythm is told of all together; --by has no bearing on it.", "节律按全体计算，--by 不起作用。")
_NO_WEEK = Text(
    "Weekdays and hours are told from whole weeks, and there is none.", "星期与小时需要完整的周，目前没有。"
)
_TIMELESS = Text(
    "Hours are left out: nine of ten orders bear the same minute, so their times say nothing. They can be told once "
    "orders land with the time at which they were placed.",
    "未列出小时：九成订单的时间为同一分钟，因此时刻没有意义。订单带有真实下单时间后即可列出。",
)
_NO_SEASON = Text(
    "The season is left out: a trend cannot be told from it before two whole years of orders are known.",
    "未列出季节：不足两整年的订单无法区分季节与趋势。",
)
_UNCLEAR_SEASON = Text(
    "Doubtful: days do not stray less from what would be usual with this season than without, so it has no part in it. "
    "Where a company grew in bends, what the years share may be the bends.",
    "存疑：加入该季节后，各日与平常水平的偏离并未减小，因此平常水平不含季节。若公司增长曲折，各年的共同之处可能只是这种曲折。",
)
_FEW = Text(
    "No interval: it takes {weeks} whole weeks.",
    "没有区间：需要 {weeks} 个完整的周。",
)


def _found(told: Series, rules: RhythmRules) -> Found | None:
    if len(told.days) < FEWEST_DAYS:
        return None
    months = told.months if len(told.days) >= SEASON_YEARS * YEAR else None
    return unusual(told.orders, told.days[0].weekday(), months, rules.error, rules.longest_days)


def _weeks(told: Series) -> int:
    return (len(told.days) - told.begins) // WEEK


def _by_week(told: Series, values: Values) -> Values:
    """Return the whole weeks that are asked about, counted back from the end; shape (n_weeks, 7, …)."""
    weeks = _weeks(told)
    return values[len(values) - weeks * WEEK :].reshape(weeks, WEEK, *values.shape[1:])


def _index(kinds: Values, all_of_week: Values) -> dict[str, Values]:
    """Return the index of each kind, times what an average one has, with weeks as what was drawn.

    Parameters
    ----------
    kinds : ndarray of shape (n_weeks, n_kinds)
        Orders of each week by kind.
    all_of_week : ndarray of shape (n_weeks,)
        What one kind would have, were all alike.
    """
    found = [
        around_ratio(np.array([y.sum(), x.sum(), (y * y).sum(), (x * x).sum(), (x * y).sum()]))
        for y, x in ((kind, all_of_week) for kind in kinds.T)
    ]
    index, low, high = (np.array(column) for column in zip(*found, strict=True))
    known = len(kinds) >= _FEW_WEEKS
    return {
        "index": index,
        "low": np.maximum(low, 0) if known else low * np.nan,
        "high": high if known else high * np.nan,
    }


def _weekday(told: Series, smallest: int) -> Measure:
    orders, amount = _by_week(told, told.orders), _by_week(told, told.amount)
    order = (np.arange(WEEK) - told.days[len(told.days) - orders.size].weekday()) % WEEK
    hidden = withheld(told.by_weekday, smallest)
    frame = pd.DataFrame(
        {
            "weekday": list(_WEEKDAYS),
            "orders": orders.sum(axis=0)[order],
            "amount": np.where(hidden, np.nan, amount.sum(axis=0)[order]),
            **_index(orders[:, order], orders.sum(axis=1) / WEEK),
        }
    )
    columns = {"weekday": About(Text("Weekday", "星期"), "word", words=_WEEKDAYS), "orders": ORDERS, "amount": AMOUNT}
    return measure_of(
        "rhythm_weekday",
        Text("By weekday", "按星期"),
        Text(
            "Orders of whole weeks by weekday. The index holds them against an average day, which has 1; its 95% "
            "interval takes weeks as what varies.",
            "完整各周的订单按星期统计。指数以平均一天为 1；95% 区间以周为变动单位。",
        ),
        frame,
        columns | {"index": About(Text("Index", "指数"), "ratio"), "low": _LOW, "high": _HIGH},
        told,
        remarks=(*_few(told), *(withheld_remark(int(hidden.sum()), smallest) if hidden.any() else ())),
    )


def _hour(told: Series) -> Measure:
    by_hour = _by_week(told, told.hours).sum(axis=1)
    frame = pd.DataFrame(
        {
            "hour": [str(hour) for hour in range(24)],
            "orders": by_hour.sum(axis=0),
            **_index(by_hour, by_hour.sum(axis=1) / 24),
        }
    )
    hours = {str(hour): Text(f"{hour:02}:00", f"{hour:02}:00") for hour in range(24)}
    return measure_of(
        "rhythm_hour",
        Text("By hour", "按小时"),
        Text(
            "Orders of whole weeks by the hour that the company's clocks showed. The index holds them against an "
            "average hour, which has 1; its 95% interval takes weeks as what varies.",
            "完整各周的订单按公司时钟的小时统计。指数以平均一小时为 1；95% 区间以周为变动单位。",
        ),
        frame,
        {
            "hour": About(Text("Hour", "小时"), "word", words=hours),
            "orders": ORDERS,
            "index": About(Text("Index", "指数"), "ratio"),
            "low": _LOW,
            "high": _HIGH,
        },
        told,
        remarks=_few(told),
    )


def _few(told: Series) -> tuple[Text, ...]:
    return () if _weeks(told) >= _FEW_WEEKS else (filled(_FEW, weeks=_FEW_WEEKS),)


def _season(told: Series, found: Found | None) -> Measure | None:
    """Return the month of the year against trend and weekday; None of fewer than two years."""
    if found is None or found.seasonal is None or found.seasonal.seasonless is None:
        return None
    month, counted = month_of(told.months), np.ones(len(told.days), dtype=np.bool_)
    for one in found.stretches:
        counted[one.first : one.last] = False
    week = np.arange(len(told.days)) // WEEK
    rows = []
    for number in range(12):
        of_it = counted & (month == number)
        y = np.bincount(week[of_it], weights=told.orders[of_it])
        x = np.bincount(week[of_it], weights=found.seasonal.seasonless[of_it])
        sums = np.array([y.sum(), x.sum(), (y * y).sum(), (x * x).sum(), (x * y).sum()])
        rows.append((str(number + 1), *around_ratio(sums)))
    frame = pd.DataFrame(rows, columns=["month", "index", "low", "high"])
    scale = float(frame["index"].mean())
    frame[["index", "low", "high"]] /= scale
    return measure_of(
        "rhythm_season",
        Text("By month of the year", "按月份"),
        Text(
            "Orders of each month of the year against what the trend over years and the weekday alone would bring, on "
            "all days known by then but unusual ones. An average month has 1. The 95% interval takes weeks as what "
            "varies; that another year may be otherwise is not in it.",
            "各月订单与仅由多年趋势和星期所能带来的订单之比，基于当时已知的全部日期（异常日除外）。平均月份为 1。"
            "95% 区间以周为变动单位，不含年与年之间的差异。",
        ),
        frame,
        {
            "month": About(Text("Month", "月份"), "word", words=_MONTHS),
            "index": About(Text("Index", "指数"), "ratio"),
            "low": _LOW,
            "high": _HIGH,
        },
        told,
        remarks=() if found.usual.season is not None else (_UNCLEAR_SEASON,),
        begin=0,
    )
