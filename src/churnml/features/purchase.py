"""What a customer buys, how often, how much, in which rhythm, and how that is changing."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from churnml.events.schema import MONEY_SCALE
from churnml.features.declare import (
    CUTOFF_DAY,
    Aggregate,
    Feature,
    Values,
    as_money,
    days_since,
    difference,
    in_window,
    present,
    share,
)
from churnml.wording import Text

WINDOWS = (7, 30, 60, 90, 180, 365)
SLICE_DAYS, SLICES = 30, 6
TREND_WINDOWS = (30, 90)

_EVENTS = partial(Aggregate, "purchase_days", "sum", "event")
_SPEND = partial(Aggregate, "orders", "sum", "amount")
_ORDERS = partial(Aggregate, "orders", "sum", "order")
_FIRST_DAY = Aggregate("purchase_days", "first", "day")
_LAST_DAY = Aggregate("purchase_days", "last", "day")
_GAPS = Aggregate("purchase_days", "sum", "has_gap")
_GAP_SUM = Aggregate("purchase_days", "sum", "gap")
_GAP_SQUARES = Aggregate("purchase_days", "sum", "gap_squared")

Integers = npt.NDArray[np.int64]
feature = partial(Feature, family="purchase", table="orders")
of_lines = partial(Feature, family="purchase", table="order_lines")


def _log_ratio(now: Integers, before: Integers) -> Values:
    """Return log((now + 1) / (before + 1)) of money: twice as much is .69, nothing against nothing is 0."""
    return np.log1p(np.maximum(as_money(now), 0)) - np.log1p(np.maximum(as_money(before), 0))


def _gap_sd(count: Integers, total: Integers, squares: Integers) -> Values:
    """Return the spread of the gaps between order days; the sums are exact, so no cancellation is hidden."""
    enough = count > 1
    n = np.maximum(count, 2).astype(np.float64)
    variance = np.maximum(squares - total / n * total, 0.0) / (n - 1)
    return np.where(enough, np.sqrt(variance), np.nan)


def _overdue(day: Integers, last: Integers, count: Integers, total: Integers) -> Values:
    return np.asarray(days_since(day, last) / share(total, count), dtype=np.float64)


def _overdue_by(day: Integers, last: Integers, count: Integers, total: Integers, squares: Integers) -> Values:
    """Return how many of their own spreads the present silence exceeds the usual gap; a spread is at least a day."""
    spread = np.maximum(_gap_sd(count, total, squares), 1.0)
    return np.asarray((days_since(day, last) - share(total, count)) / spread, dtype=np.float64)


def _gap(days: Integers) -> Values:
    """Return a gap in days, NaN at the first order, which closes none."""
    return np.where(days > 0, days, np.nan)


def _tenure(day: Integers, first: Integers) -> Values:
    return days_since(day, first)


def _rate(orders: Integers, day: Integers, first: Integers) -> Values:
    """Return order days per 30 days of tenure; a tenure is at least 30 days, so newcomers are not extremes."""
    return np.asarray(orders * 30.0 / np.maximum(days_since(day, first), 30.0), dtype=np.float64)


def _basket(total: Integers, orders: Integers) -> Values:
    return share(total, orders) / MONEY_SCALE


def _price_change(paid: Integers, units: Integers, paid_before: Integers, units_before: Integers) -> Values:
    """Return the log ratio of what a unit cost lately to what it cost before; NaN where either bought none."""
    now, before = share(paid, units), share(paid_before, units_before)
    both = (now > 0) & (before > 0)
    return np.asarray(np.log(np.divide(now, before, out=np.full(now.shape, np.nan), where=both)))


def _counts(days: int | None) -> list[Feature]:
    suffix, en, zh = in_window(days)
    return [
        feature(
            name=f"orders_{suffix}",
            group="frequency",
            unit="orders",
            needs=(_EVENTS(days),),
            meaning=Text(f"days with an order {en}", f"{zh}有订单的天数"),
            sentence=Text(f"Ordered on {{value}} {en}", f"{zh}有 {{value}}下单"),
        ),
        feature(
            name=f"spend_{suffix}",
            group="spend",
            unit="currency",
            needs=(_SPEND(days),),
            derive=as_money,
            meaning=Text(f"amount paid {en}", f"{zh}消费金额"),
            sentence=Text(f"Spent {{value}} {en}", f"{zh}消费 {{value}}"),
        ),
    ]


def _basket_features(days: int | None) -> list[Feature]:
    suffix, en, zh = in_window(days)
    none = f"no order {en}"
    return [
        feature(
            name=f"basket_{suffix}",
            group="basket",
            unit="currency",
            needs=(_SPEND(days), _ORDERS(days)),
            derive=_basket,
            missing=none,
            meaning=Text(f"mean amount of an order {en}", f"{zh}平均每单金额"),
            sentence=Text(f"An order {en} came to {{value}} on average", f"{zh}平均每单 {{value}}"),
        ),
        feature(
            name=f"items_{suffix}",
            group="basket",
            unit="units",
            needs=(Aggregate("orders", "sum", "quantity", days),),
            meaning=Text(f"units bought {en}", f"{zh}购买件数"),
            sentence=Text(f"Items bought {en}: {{value}}", f"{zh}购买商品 {{value}} 件"),
        ),
        feature(
            name=f"discount_share_{suffix}",
            group="discount",
            unit="share",
            needs=(Aggregate("orders", "sum", "discount", days), Aggregate("orders", "sum", "list_price", days)),
            derive=share,
            missing=none,
            meaning=Text(f"share of the list price taken off {en}", f"{zh}折扣占原价的比例"),
            sentence=Text(f"{{value}} of the list price was discount {en}", f"{zh}原价的 {{value}} 为折扣"),
        ),
    ]


def _trend(days: int) -> list[Feature]:
    return [
        feature(
            name=f"orders_change_{days}d",
            group="trend",
            unit="orders",
            needs=(_EVENTS(days), _EVENTS(days, days)),
            derive=difference,
            meaning=Text(
                f"order days in the last {days} days less those in the {days} before",
                f"近 {days} 天与前 {days} 天下单天数之差",
            ),
            sentence=Text(
                f"Ordered on {{orders_{days}d}} in the last {days} days, "
                f"on {{orders_{2 * days}d}} in the last {2 * days}",
                f"近 {days} 天有 {{orders_{days}d}}下单，近 {2 * days} 天有 {{orders_{2 * days}d}}",
            ),
        ),
        feature(
            name=f"spend_change_{days}d",
            group="trend",
            unit="ratio",
            needs=(_SPEND(days), _SPEND(days, days)),
            derive=_log_ratio,
            meaning=Text(
                f"log ratio of spend in the last {days} days to the {days} before",
                f"近 {days} 天与前 {days} 天消费之比的对数",
            ),
            sentence=Text(
                f"Spent {{spend_{days}d}} in the last {days} days, {{spend_{2 * days}d}} in the last {2 * days}",
                f"近 {days} 天消费 {{spend_{days}d}}，近 {2 * days} 天消费 {{spend_{2 * days}d}}",
            ),
        ),
    ]


def _slice(number: int) -> list[Feature]:
    end = number * SLICE_DAYS
    start = end + SLICE_DAYS
    return [
        feature(
            name=f"spend_slice_{number}",
            group="spend",
            unit="currency",
            needs=(_SPEND(SLICE_DAYS, end),),
            derive=as_money,
            meaning=Text(
                f"amount paid from {start} to {end} days before the cutoff", f"截止日前 {start} 至 {end} 天的消费金额"
            ),
            sentence=Text(
                f"Spent {{value}} between {start} and {end} days ago", f"{start} 至 {end} 天前消费 {{value}}"
            ),
        ),
        feature(
            name=f"orders_slice_{number}",
            group="frequency",
            unit="orders",
            needs=(_EVENTS(SLICE_DAYS, end),),
            meaning=Text(
                f"order days from {start} to {end} days before the cutoff", f"截止日前 {start} 至 {end} 天的下单天数"
            ),
            sentence=Text(
                f"Ordered on {{value}} between {start} and {end} days ago",
                f"{start} 至 {end} 天前有 {{value}}下单",
            ),
        ),
    ]


_RHYTHM = [
    feature(
        name="recency_days",
        group="rhythm",
        unit="days",
        needs=(CUTOFF_DAY, _LAST_DAY),
        derive=days_since,
        missing="never ordered",
        meaning=Text("days since the last order", "距上次下单的天数"),
        sentence=Text(
            "No order for {value}; usually every {gap_mean_days}", "已有 {value}没有下单；通常每 {gap_mean_days}一次"
        ),
    ),
    feature(
        name="gap_mean_days",
        group="rhythm",
        unit="days",
        needs=(_GAP_SUM, _GAPS),
        derive=share,
        missing="fewer than two order days",
        meaning=Text("mean days between orders", "两次下单的平均间隔天数"),
        sentence=Text("Usually orders every {value}", "通常每 {value}下单一次"),
    ),
    feature(
        name="gap_sd_days",
        group="rhythm",
        unit="days",
        needs=(_GAPS, _GAP_SUM, _GAP_SQUARES),
        derive=_gap_sd,
        missing="fewer than three order days",
        meaning=Text("spread of the days between orders", "下单间隔的波动天数"),
        sentence=Text("The gap between orders varies by {value}", "下单间隔上下浮动 {value}"),
    ),
    feature(
        name="gap_last_days",
        group="rhythm",
        unit="days",
        needs=(Aggregate("purchase_days", "last", "gap"),),
        derive=_gap,
        missing="fewer than two order days",
        meaning=Text("days between the last two orders", "最近两次下单的间隔天数"),
        sentence=Text("The last two orders were {value} apart", "最近两次下单相隔 {value}"),
    ),
    feature(
        name="gap_mean_90d",
        group="rhythm",
        unit="days",
        needs=(Aggregate("purchase_days", "sum", "gap", 90), Aggregate("purchase_days", "sum", "has_gap", 90)),
        derive=share,
        missing="no gap closed in 90 days",
        meaning=Text(
            "mean days between orders, of the gaps closed in the last 90 days", "最近 90 天内下单间隔的平均天数"
        ),
        sentence=Text("Lately orders every {value}", "近期每 {value}下单一次"),
    ),
    feature(
        name="gap_max_days",
        group="rhythm",
        unit="days",
        needs=(Aggregate("purchase_days", "max", "gap"),),
        derive=_gap,
        missing="fewer than two order days",
        meaning=Text("longest gap between two orders", "两次下单之间的最长间隔天数"),
        sentence=Text("The longest pause so far was {value}", "迄今最长的停顿为 {value}"),
    ),
    feature(
        name="overdue_ratio",
        group="rhythm",
        unit="ratio",
        needs=(CUTOFF_DAY, _LAST_DAY, _GAPS, _GAP_SUM),
        derive=_overdue,
        missing="fewer than two order days",
        meaning=Text("days since the last order over the usual gap", "距上次下单天数与通常间隔之比"),
        sentence=Text(
            "Silent for {recency_days}; usually every {gap_mean_days}",
            "已沉默 {recency_days}；通常每 {gap_mean_days}一次",
        ),
    ),
    feature(
        name="overdue_spreads",
        group="rhythm",
        unit="ratio",
        needs=(CUTOFF_DAY, _LAST_DAY, _GAPS, _GAP_SUM, _GAP_SQUARES),
        derive=_overdue_by,
        missing="fewer than three order days",
        meaning=Text("silence beyond the usual gap, in spreads of the gap", "超出通常间隔的程度（以间隔波动为单位）"),
        sentence=Text(
            "Silent for {recency_days}; usually every {gap_mean_days}, give or take {gap_sd_days}",
            "已沉默 {recency_days}；通常每 {gap_mean_days}一次，上下 {gap_sd_days}",
        ),
    ),
]

_TENURE = [
    feature(
        name="tenure_days",
        group="tenure",
        unit="days",
        needs=(CUTOFF_DAY, _FIRST_DAY),
        derive=_tenure,
        missing="never ordered",
        meaning=Text("days since the first order", "距首次下单的天数"),
        sentence=Text("A customer for {value}", "成为客户已有 {value}"),
    ),
    feature(
        name="orders_per_30_days",
        group="frequency",
        unit="orders",
        needs=(_EVENTS(), CUTOFF_DAY, _FIRST_DAY),
        derive=_rate,
        missing="never ordered",
        meaning=Text("order days per 30 days as a customer", "成为客户后每 30 天的下单天数"),
        sentence=Text("Orders on {value} a month", "每月约有 {value}下单"),
    ),
]

_BASKET = [
    feature(
        name="last_order_amount",
        group="basket",
        unit="currency",
        needs=(Aggregate("orders", "last", "amount"),),
        derive=lambda values: present(values) / MONEY_SCALE,
        missing="never ordered",
        meaning=Text("amount of the last order", "上一单金额"),
        sentence=Text("The last order came to {value}", "上一单金额为 {value}"),
    ),
    feature(
        name="basket_max_180d",
        group="basket",
        unit="currency",
        needs=(Aggregate("orders", "max", "amount", 180),),
        derive=lambda values: present(values) / MONEY_SCALE,
        missing="no order in 180 days",
        meaning=Text("greatest order in the last 180 days", "最近 180 天最大一单金额"),
        sentence=Text("The largest order in 180 days came to {value}", "180 天内最大一单为 {value}"),
    ),
    feature(
        name="orders_per_order_day",
        group="basket",
        unit="ratio",
        needs=(_ORDERS(), _EVENTS()),
        derive=share,
        missing="never ordered",
        meaning=Text("orders per day with an order", "有单日的平均订单数"),
        sentence=Text("Orders placed on a day with one: {value}", "有下单的日子平均下 {value} 单"),
    ),
]

_MARGIN = [
    feature(
        name="margin_365d",
        group="margin",
        unit="currency",
        needs=(Aggregate("orders", "sum", "margin", 365),),
        derive=as_money,
        meaning=Text("margin of orders whose cost is known, in the last 365 days", "最近 365 天已知成本订单的毛利"),
        sentence=Text("Brought {value} of margin in the year", "一年内带来毛利 {value}"),
    ),
    feature(
        name="margin_share_365d",
        group="margin",
        unit="share",
        needs=(Aggregate("orders", "sum", "margin", 365), Aggregate("orders", "sum", "costed_amount", 365)),
        derive=share,
        missing="no order of known cost in 365 days",
        meaning=Text(
            "margin over what was paid, of orders whose cost is known, 365 days", "最近 365 天已知成本订单的毛利率"
        ),
        sentence=Text("{value} of what they paid in the year was margin", "一年内消费的 {value} 为毛利"),
    ),
    feature(
        name="discounted_orders_share_180d",
        group="discount",
        unit="share",
        needs=(Aggregate("orders", "sum", "with_discount", 180), _ORDERS(180)),
        derive=share,
        missing="no order in 180 days",
        meaning=Text("share of the orders of the last 180 days with a discount", "最近 180 天有折扣的订单占比"),
        sentence=Text("{value} of the orders of 180 days had a discount", "180 天内 {value} 的订单有折扣"),
    ),
    *(
        feature(
            name=f"unit_price_{days}d",
            group="basket",
            unit="currency",
            needs=(_SPEND(days), Aggregate("orders", "sum", "quantity", days)),
            derive=_basket,
            missing=f"no units bought in {days} days",
            meaning=Text(f"mean price of a unit in the last {days} days", f"最近 {days} 天平均单件价格"),
            sentence=Text(
                f"An item bought in {days} days cost {{value}} on average", f"{days} 天内平均单件价格 {{value}}"
            ),
        )
        for days in (90, 180)
    ),
    feature(
        name="unit_price_change_90d",
        group="trend",
        unit="ratio",
        needs=(
            _SPEND(90),
            Aggregate("orders", "sum", "quantity", 90),
            _SPEND(90, 90),
            Aggregate("orders", "sum", "quantity", 90, 90),
        ),
        derive=_price_change,
        missing="no units bought in 90 days, or none in the 90 before",
        meaning=Text(
            "log ratio of the mean price of a unit in the last 90 days to the 90 before: dearer goods or cheaper",
            "近 90 天与前 90 天平均单件价格之比的对数：转向更贵或更便宜的商品",
        ),
        sentence=Text(
            "An item bought in 90 days cost {unit_price_90d}, in 180 days {unit_price_180d}",
            "90 天内所购商品平均单价 {unit_price_90d}，180 天内 {unit_price_180d}",
        ),
    ),
]

_SEASON = [
    feature(
        name="orders_same_season",
        group="season",
        unit="orders",
        needs=(_EVENTS(60, 305),),
        meaning=Text("order days in the 60 days that followed this date a year ago", "去年同日之后 60 天内的下单天数"),
        sentence=Text("Ordered on {value} in these weeks last year", "去年同期有 {value}下单"),
    ),
    feature(
        name="spend_same_season",
        group="season",
        unit="currency",
        needs=(_SPEND(60, 305),),
        derive=as_money,
        meaning=Text("amount paid in the 60 days that followed this date a year ago", "去年同日之后 60 天内的消费金额"),
        sentence=Text("Spent {value} in these weeks last year", "去年同期消费 {value}"),
    ),
]

_BREADTH = [
    feature(
        name="channels_all",
        group="channel",
        unit="count",
        needs=(Aggregate("orders", "sum", "new_channel"),),
        meaning=Text("different channels or shops ordered at so far", "迄今使用过的渠道或门店数"),
        sentence=Text("Shops or channels ordered at: {value}", "在 {value} 个渠道或门店下过单"),
    ),
    feature(
        name="channels_90d",
        group="channel",
        unit="count",
        needs=(Aggregate("orders", "distinct", "channel", 90),),
        meaning=Text("different channels or shops in the last 90 days", "最近 90 天使用的渠道或门店数"),
        sentence=Text("Shops or channels ordered at in 90 days: {value}", "90 天内在 {value} 个渠道或门店下单"),
    ),
    of_lines(
        name="categories_all",
        group="breadth",
        unit="count",
        needs=(Aggregate("order_lines", "sum", "new_category"),),
        meaning=Text("different categories bought so far", "迄今购买过的品类数"),
        sentence=Text("Categories bought from: {value}", "购买过 {value} 个品类"),
    ),
    *(
        of_lines(
            name=f"categories_{days}d",
            group="breadth",
            unit="count",
            needs=(Aggregate("order_lines", "distinct", "category", days),),
            meaning=Text(f"different categories bought in the last {days} days", f"最近 {days} 天购买的品类数"),
            sentence=Text(f"Categories bought from in {days} days: {{value}}", f"{days} 天内购买了 {{value}} 个品类"),
        )
        for days in (30, 90)
    ),
    of_lines(
        name="new_categories_90d",
        group="breadth",
        unit="count",
        needs=(Aggregate("order_lines", "sum", "new_category", 90),),
        meaning=Text("categories bought for the first time in the last 90 days", "最近 90 天首次购买的品类数"),
        sentence=Text("New categories tried in 90 days: {value}", "90 天内尝试了 {value} 个新品类"),
    ),
    of_lines(
        name="discounted_lines_share_90d",
        group="discount",
        unit="share",
        needs=(Aggregate("order_lines", "sum", "discounted", 90), Aggregate("order_lines", "sum", "line", 90)),
        derive=share,
        missing="no order line in 90 days",
        meaning=Text("share of order lines bought at a discount, 90 days", "最近 90 天折扣商品行占比"),
        sentence=Text("{value} of what was bought in 90 days was on offer", "90 天内购买的商品有 {value} 为促销商品"),
    ),
]

_TIMING = [
    feature(
        name="weekend_share",
        group="timing",
        unit="share",
        needs=(Aggregate("purchase_days", "sum", "weekend"), _EVENTS()),
        derive=share,
        missing="never ordered",
        meaning=Text("share of order days that fall on a weekend", "周末下单天数占比"),
        sentence=Text("{value} of order days fall on a weekend", "{value} 的下单日在周末"),
    ),
    feature(
        name="evening_share",
        group="timing",
        unit="share",
        needs=(Aggregate("purchase_days", "sum", "evening"), _EVENTS()),
        derive=share,
        missing="never ordered",
        meaning=Text("share of order days that open after 18:00", "18 点以后下单的天数占比"),
        sentence=Text("{value} of order days begin after 18:00", "{value} 的下单日始于 18 点以后"),
    ),
]

FEATURES: list[Feature] = [
    *_RHYTHM,
    *_TENURE,
    *(one for days in (*WINDOWS, None) for one in _counts(days)),
    *(one for days in (90, None) for one in _basket_features(days)),
    *_BASKET,
    *(one for days in TREND_WINDOWS for one in _trend(days)),
    *(one for number in range(1, SLICES) for one in _slice(number)),
    *_MARGIN,
    *_SEASON,
    *_BREADTH,
    *_TIMING,
]
