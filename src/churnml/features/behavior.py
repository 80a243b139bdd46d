"""What a customer does with us between orders: visits, looks, searches, carts; and what of it ends in an order."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from churnml.features.declare import (
    CUTOFF_DAY,
    Aggregate,
    Feature,
    Values,
    count_of,
    days_since,
    difference,
    share,
    since_last,
)
from churnml.wording import Text

Integers = npt.NDArray[np.int64]

_ACTS = partial(Aggregate, "acts", "sum")
_SESSIONS = partial(Aggregate, "sessions", "sum")
_ORDER_DAYS = partial(Aggregate, "purchase_days", "sum", "event")
_FIRST = Aggregate("acts", "first", "day")

feature = partial(Feature, family="behavior", table="interactions")

_KINDS = {
    "visit": ("visits", "activity", "Visits", "访问", (7, 30, 90, None)),
    "view": ("views", "activity", "Products or pages looked at", "浏览", (30, 90)),
    "search": ("searches", "search", "Searches", "搜索", (30, 90)),
    "cart": ("carts", "cart", "Times something went into the cart", "加入购物车", (30, 90)),
    "wishlist": ("wishes", "cart", "Times something went on the wish list", "加入心愿单", (90,)),
    "login": ("logins", "activity", "Log-ins", "登录", (30, 90)),
    "demo": ("demos", "trial", "Demonstrations", "演示", (None,)),
    "trial": ("trials", "trial", "Trials", "试用", (30, None)),
    "referral": ("referrals", "loyalty", "Times they recommended or shared us", "推荐或分享", (365, None)),
}


def _counts(kind: str) -> list[Feature]:
    plural, group, en, zh, windows = _KINDS[kind]
    meaning, sentence = (
        Text(f"{en.lower()} {{when}}", f"{{when}}{zh}次数"),
        Text(f"{en} {{when}}: {{value}}", f"{{when}}{zh} {{value}} 次"),
    )
    return [
        count_of(partial(feature, group=group), plural, partial(_ACTS, kind), days, meaning, sentence)
        for days in windows
    ]


def _active_days(days: int | None) -> Feature:
    return count_of(
        partial(feature, group="activity"),
        "active_days",
        partial(_ACTS, "active_day"),
        days,
        Text("days with any activity {when}", "{when}有活动的天数"),
        Text("Days with any activity {when}: {value}", "{when}有 {value} 天有活动"),
    )


def _sessions(days: int | None) -> Feature:
    return count_of(
        partial(feature, group="activity"),
        "sessions",
        partial(_SESSIONS, "begins"),
        days,
        Text("sessions begun {when}, by their ids", "{when}开始的会话数（按会话编号）"),
        Text("Sessions {when}: {value}", "{when}有 {value} 次会话"),
    )


def _change(column: str, plural: str, en: str, zh: str, days: int) -> Feature:
    return feature(
        name=f"{plural}_change_{days}d",
        group="activity",
        unit="count",
        needs=(_ACTS(column, days), _ACTS(column, days, days)),
        derive=difference,
        meaning=Text(
            f"{en} in the last {days} days less those in the {days} before", f"近 {days} 天与之前 {days} 天{zh}之差"
        ),
        sentence=Text(
            f"{en[0].upper()}{en[1:]}, last {days} days against the {days} before: {{value}}",
            f"近 {days} 天{zh}比之前 {days} 天变化 {{value}}",
        ),
    )


def _per_30_days(active: Integers, day: Integers, first: Integers) -> Values:
    """Return active days per 30 days since the first; at least 30 days are counted, so newcomers are not extremes."""
    return np.asarray(active * 30.0 / np.maximum(days_since(day, first), 30.0), dtype=np.float64)


def _left_in_cart(carts: Integers, orders: Integers) -> Values:
    return np.asarray(np.maximum(carts - orders, 0), dtype=np.float64)


def _minutes(seconds: Integers, timed: Integers) -> Values:
    return np.asarray(share(seconds, timed) / 60.0, dtype=np.float64)


FEATURES: list[Feature] = [
    since_last(
        feature,
        "acts",
        name="days_since_activity",
        group="activity",
        missing="never active",
        meaning=Text("days since any activity", "距上次活动的天数"),
        sentence=Text("Last seen {value} ago", "上次活动在 {value}前"),
    ),
    since_last(
        feature,
        "trials",
        name="days_since_trial",
        group="trial",
        missing="never tried",
        meaning=Text("days since a trial last began or was used", "距上次试用的天数"),
        sentence=Text("Last trial {value} ago", "上次试用在 {value}前"),
    ),
    *(_active_days(days) for days in (7, 30, 90, 180, 365, None)),
    *(one for kind in _KINDS for one in _counts(kind)),
    *(_sessions(days) for days in (30, 90, None)),
    *(_change("active_day", "active_days", "active days", "活动天数", days) for days in (30, 90)),
    *(_change("visit", "visits", "visits", "访问次数", days) for days in (30, 90)),
    _change("login", "logins", "log-ins", "登录次数", 30),
    feature(
        name="active_days_per_30_days",
        group="activity",
        unit="ratio",
        needs=(_ACTS("active_day"), CUTOFF_DAY, _FIRST),
        derive=_per_30_days,
        missing="never active",
        meaning=Text("active days per 30 days since the first", "自首次活动起每 30 天的活动天数"),
        sentence=Text("Active on {value} days a month", "每月约有 {value} 天活动"),
    ),
    feature(
        name="longest_absence_365d",
        group="activity",
        unit="days",
        needs=(Aggregate("acts", "max", "gap", 365),),
        derive=lambda gap: np.where(gap >= 0, gap, np.nan).astype(np.float64),
        missing="no activity in 365 days",
        meaning=Text(
            "longest pause between two activities that ended in the last 365 days",
            "最近 365 天内结束的最长活动间隔天数",
        ),
        sentence=Text("The longest absence of the year was {value}", "一年内最长的缺席为 {value}"),
    ),
    feature(
        name="categories_seen_90d",
        group="search",
        unit="count",
        needs=(Aggregate("acts", "distinct", "category", 90),),
        meaning=Text("different categories looked at in the last 90 days", "最近 90 天浏览的不同品类数"),
        sentence=Text("Categories looked at in 90 days: {value}", "90 天内浏览了 {value} 个品类"),
    ),
    feature(
        name="act_channels_90d",
        group="activity",
        unit="count",
        needs=(Aggregate("acts", "distinct", "channel", 90),),
        meaning=Text("different channels active on in the last 90 days", "最近 90 天活动的不同渠道数"),
        sentence=Text("Channels active on in 90 days: {value}", "90 天内在 {value} 个渠道活动"),
    ),
    feature(
        name="minutes_per_visit_90d",
        group="activity",
        unit="minutes",
        needs=(_ACTS("seconds", 90), _ACTS("timed", 90)),
        derive=_minutes,
        missing="no visit of known length in 90 days",
        meaning=Text("mean length of a visit in the last 90 days", "最近 90 天平均每次访问时长"),
        sentence=Text("A visit lasts {value} on average", "平均每次访问 {value}"),
    ),
    feature(
        name="minutes_per_session_90d",
        group="activity",
        unit="minutes",
        needs=(_SESSIONS("seconds", 90), _SESSIONS("begins", 90)),
        derive=_minutes,
        missing="no session begun in 90 days",
        meaning=Text(
            "mean time from the first act of a session to its last, in the last 90 days",
            "最近 90 天每次会话从首个到最后一个动作的平均时长",
        ),
        sentence=Text(
            "From first to last click a session takes {value} on average", "每次会话从首次到最后一次点击平均 {value}"
        ),
    ),
    feature(
        name="acts_per_session_90d",
        group="activity",
        unit="ratio",
        needs=(_SESSIONS("act", 90), _SESSIONS("begins", 90)),
        derive=share,
        missing="no session begun in 90 days",
        meaning=Text("acts per session in the last 90 days", "最近 90 天平均每次会话的动作数"),
        sentence=Text("Steps taken per session in 90 days: {value}", "90 天内平均每次会话 {value} 个动作"),
    ),
    feature(
        name="views_per_visit_90d",
        group="activity",
        unit="ratio",
        needs=(_ACTS("view", 90), _ACTS("visit", 90)),
        derive=share,
        missing="no visit in 90 days",
        meaning=Text("views per visit in the last 90 days", "最近 90 天平均每次访问的浏览数"),
        sentence=Text("Things looked at per visit in 90 days: {value}", "90 天内平均每次访问浏览 {value} 项"),
    ),
    feature(
        name="orders_per_active_day_90d",
        group="conversion",
        unit="ratio",
        table="orders",
        needs=(_ORDER_DAYS(90), _ACTS("active_day", 90)),
        derive=share,
        missing="no activity in 90 days",
        meaning=Text("order days per active day in the last 90 days", "最近 90 天平均每个活动日的下单天数"),
        sentence=Text("Orders per day of activity in 90 days: {value}", "90 天内平均每个活动日下单 {value} 次"),
    ),
    feature(
        name="searches_per_order_90d",
        group="search",
        unit="ratio",
        table="orders",
        needs=(_ACTS("search", 90), _ORDER_DAYS(90)),
        derive=share,
        missing="no order in 90 days",
        meaning=Text("searches per order day in the last 90 days", "最近 90 天平均每个下单日的搜索次数"),
        sentence=Text("Searches per order in 90 days: {value}", "90 天内平均每次下单搜索 {value} 次"),
    ),
    feature(
        name="carts_left_30d",
        group="cart",
        unit="count",
        table="orders",
        needs=(_ACTS("cart", 30), _ORDER_DAYS(30)),
        derive=_left_in_cart,
        meaning=Text(
            "times something went into the cart in 30 days beyond the days with an order",
            "最近 30 天加购次数超出下单天数的部分",
        ),
        sentence=Text("Carts left without an order in 30 days: {value}", "30 天内有 {value} 次加购未下单"),
    ),
    *(
        count_of(
            partial(feature, group="payment"),
            "failed_payments",
            partial(Aggregate, "failed_payments", "count", ""),
            days,
            Text("payments that failed {when}", "{when}支付失败次数"),
            Text("Payments that failed {when}: {value}", "{when}支付失败 {value} 次"),
        )
        for days in (90, None)
    ),
]
