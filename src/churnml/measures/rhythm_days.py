"""Every day beside what would be usual, and the periods that were not, named by what coincides with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from churnml.config import RhythmRules
from churnml.events.books import Books
from churnml.measures.measure import About, Asked, Measure
from churnml.measures.rhythm_names import named, words
from churnml.measures.rhythm_series import Series, sent_by_day
from churnml.measures.unusual_days import Found
from churnml.measures.usual_days import WEEK, Flags, usual_range
from churnml.measures.withholding import NO_TOTAL, withheld, withheld_remark
from churnml.wording import Text

FEWEST_DAYS = 56
"""Below which nothing is usual yet."""

ORDERS = About(Text("Orders", "订单数"), "number", Text("Orders that were paid.", "已付款的订单。"))
AMOUNT = About(Text("Amount", "金额"), "money", Text("What was paid for them.", "这些订单的付款金额。"))
_EXPECTED = About(Text("Usual", "平常"), "number", Text("Level, season and weekday.", "水平、季节与星期之积。"))
_SIDES = {"high": Text("more than usual", "高于平常"), "low": Text("fewer than usual", "低于平常")}
_NAME = Text("Coincides with", "同时发生")
_EVERYBODY = Text("everybody who ordered", "所有下单的客户")


_NO_USUAL = Text(
    "What is usual is not told: it takes {days} days of orders.",
    "无法给出平常水平：需要 {days} 天的订单。",
)
_NO_CONTACTS = Text(
    "Campaigns are not marked: no contacts have landed.",
    "未标出营销活动：尚无联系记录。",
)


_DAYS_TITLE = Text("Day by day", "逐日")
_DAYS_MEAN = Text(
    "Orders of each day beside what would be usual: the level of two months around the day, times season (where two "
    "years are known) and weekday, learned from all days known by then but unusual ones. Nineteen of twenty usual days "
    "lie between low and high.",
    "每日订单与平常水平的对照：平常水平为前后两个月的水平乘以季节（已知两年时）与星期，由当时已知的全部日期（异常日除外）"
    "得出。二十个平常日中有十九个位于下限与上限之间。",
)


def day_by_day(told: Series, found: Found | None, books: Books, rules: RhythmRules, smallest: int) -> list[Measure]:
    """Return each day with what would be usual, and the unusual periods, named."""
    sent = sent_by_day(books)
    frame = pd.DataFrame({"day": told.days, "orders": told.orders, "amount": told.amount})
    names: list[str] = []
    frame = frame.assign(expected=np.nan, low=np.nan, high=np.nan, unusual=None, campaign=None, name=None)
    frame[["unusual", "campaign", "name"]] = frame[["unusual", "campaign", "name"]].astype(object)
    if found is not None:
        low, high = usual_range(found.usual.expected, found.spread)
        frame = frame.assign(expected=found.usual.expected, low=low, high=high)
        names = named(found.stretches, told.days, (told.orders == 0) & (low > 0), sent)
        for one, name in zip(found.stretches, names, strict=True):
            frame.loc[one.first : one.last - 1, ["unusual", "name"]] = ["high" if one.high else "low", name]
    if sent is not None and not sent.empty:
        largest = sent.sort_values("contacts").groupby("day")["campaign"].last()
        frame["campaign"] = frame["day"].map(largest).astype(object)
    columns = {
        "day": About(Text("Day", "日期"), "day"),
        "orders": ORDERS,
        "amount": AMOUNT,
        "expected": _EXPECTED,
        "low": About(Text("Low", "下限"), "number"),
        "high": About(Text("High", "上限"), "number"),
        "unusual": About(Text("Unusual", "异常"), "word", words=_SIDES),
        "campaign": About(
            Text("Campaign", "营销活动"), "word", Text("Most contacts of the day.", "当日联系最多的活动。")
        ),
        "name": About(_NAME, "word", words=words(names)),
    }
    remarks = (*([_NO_CONTACTS] if sent is None else []),)
    if found is None:
        remarks = (*remarks, filled(_NO_USUAL, days=FEWEST_DAYS))
    sources = ("orders",) if sent is None else ("orders", "contacts")
    asked = frame.iloc[told.begins :].reset_index(drop=True)
    hidden = _amounts_withheld(told, smallest)
    asked["amount"] = asked["amount"].mask(hidden)
    remarks = (*remarks, *(withheld_remark(int(hidden.sum()), smallest) if hidden.any() else ()))
    each_day = measure_of("rhythm_days", _DAYS_TITLE, _DAYS_MEAN, asked, columns, told, remarks, sources)
    return [each_day] if found is None else [_periods(told, found, names, rules, sources), each_day]


def _amounts_withheld(told: Series, smallest: int) -> Flags:
    """Return on which days asked about what was paid is withheld; whole weeks, months and weekdays have totals."""
    days = pd.DatetimeIndex(told.days[told.begins :])
    of_whole_weeks = np.arange(len(days)) >= len(days) % WEEK  # which are counted from the end
    weekdays = np.where(of_whole_weeks, days.day_of_week, NO_TOTAL)
    weeks, months = (_whole(days, days.to_period(every)) for every in ("W", "M"))
    return withheld(told.customers[told.begins :], smallest, weeks, months, weekdays)


def _whole(days: pd.DatetimeIndex, periods: pd.PeriodIndex) -> npt.NDArray[np.int64]:
    """Return a number for the period of each day, `NO_TOTAL` where not all days of it are there."""
    lasting = (periods.start_time >= days[0]) & (periods.end_time.normalize() <= days[-1])
    return np.where(lasting, periods.asi8, NO_TOTAL)


def _periods(told: Series, found: Found, names: list[str], rules: RhythmRules, sources: tuple[str, ...]) -> Measure:
    rows = [
        {
            "begin": told.days[one.first],
            "end": told.days[one.last - 1],
            "days": one.last - one.first,
            "orders": one.orders,
            "expected": one.expected,
            "ratio": one.orders / one.expected if one.expected else np.nan,
            "name": name,
        }
        for one, name in zip(found.stretches, names, strict=True)
        if one.last > told.begins
    ]
    columns = {
        "begin": About(Text("First day", "首日"), "day"),
        "end": About(Text("Last day", "末日"), "day"),
        "days": About(Text("Days", "天数"), "number"),
        "orders": ORDERS,
        "expected": _EXPECTED,
        "ratio": About(Text("Of the usual", "与平常之比"), "ratio"),
        "name": About(
            _NAME,
            "word",
            Text("At the same time; it need not be the cause.", "时间上重合，不代表是原因。"),
            words(names),
        ),
    }
    return measure_of(
        "rhythm_unusual",
        Text("Unusual periods", "异常时段"),
        filled(
            Text(
                "Stretches of up to {days} days whose orders strayed from the usual farther than chance. Where nothing "
                "happened, a report names any with a chance of at most {error:.0%}, however many days it looks at.",
                "订单偏离平常水平且超出偶然范围的时段，最长 {days} 天。若无任何异常，无论查看多少天，"
                "报告误报的概率至多 {error:.0%}。",
            ),
            days=rules.longest_days,
            error=rules.error,
        ),
        pd.DataFrame(rows, columns=list(columns)),
        columns,
        told,
        (_NONE_FOUND,) if not rows else (),
        sources,
    )


_NONE_FOUND = Text("No period strayed farther than chance.", "没有超出偶然范围的时段。")


def suppressed(told: Series, asked: Asked) -> Measure:
    """Return what is said in place of all measures where so few ordered that they would tell of persons."""
    remark = Text(
        f"Hidden: fewer than {asked.smallest} customers ordered.", f"已隐藏：下单客户少于 {asked.smallest} 人。"
    )
    columns = {"day": About(Text("Day", "日期"), "day"), "orders": ORDERS}
    empty = pd.DataFrame(columns=list(columns))
    return measure_of("rhythm_days", _DAYS_TITLE, _DAYS_MEAN, empty, columns, told, remarks=(remark,))


def filled(text: Text, **values: object) -> Text:
    """Return a text with its places filled, in both languages."""
    return Text(text.en.format(**values), text.zh.format(**values))


def measure_of(
    name: str,
    title: Text,
    definition: Text,
    frame: pd.DataFrame,
    columns: Mapping[str, About],
    told: Series,
    remarks: tuple[Text, ...] = (),
    sources: tuple[str, ...] = ("orders",),
    begin: int | None = None,
) -> Measure:
    """Return a measure of the days asked about, or from a place in the series on."""
    first = told.days[told.begins if begin is None else begin].isoformat()
    last = (pd.Timestamp(told.days[-1]) + pd.Timedelta(days=1)).date().isoformat()
    return Measure(name, title, definition, _EVERYBODY, frame, columns, first, last, sources, remarks)
