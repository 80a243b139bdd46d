"""What a customer's contracts say: since when, at what price, how it changed, when they renew, which have lapsed."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from churnml.features.declare import CUTOFF_DAY, Aggregate, Feature, Values, as_money, days_since, scaled
from churnml.wording import Text

Integers = npt.NDArray[np.int64]

_OF = partial(Aggregate, "contracts", "last")

feature = partial(Feature, family="subscription", table="subscriptions", group="contract")


def _price(amount: Integers, held: Integers) -> Values:
    return np.where(held > 0, as_money(amount), np.nan)


def _price_change(amount: Integers, first: Integers) -> Values:
    """Return by what share the price of running contracts lies above their first, NaN where that was free."""
    out = np.full(amount.shape, np.nan)
    return np.asarray(np.divide(amount - first, first, out=out, where=first > 0))


FEATURES: list[Feature] = [
    feature(
        name="contracts_held",
        unit="count",
        needs=(_OF("held"),),
        meaning=Text("contracts that run", "有效合同数"),
        sentence=Text("Contracts that run: {value}", "有 {value} 份有效合同"),
    ),
    feature(
        name="contract_days",
        unit="days",
        needs=(CUTOFF_DAY, _OF("begun_day")),
        derive=days_since,
        missing="no contract runs",
        meaning=Text("days since the oldest running contract began", "最早有效合同的已生效天数"),
        sentence=Text("Under contract for {value}", "签约已有 {value}"),
    ),
    feature(
        name="paid_contract_days",
        unit="days",
        needs=(CUTOFF_DAY, _OF("paid_day")),
        derive=days_since,
        missing="no contract was paid for",
        meaning=Text("days since a contract was first known to be paid for", "首次得知付费合同以来的天数"),
        sentence=Text("First paid for a contract {value} ago", "{value}前首次为合同付费"),
    ),
    feature(
        name="contract_price",
        unit="currency",
        needs=(_OF("amount"), _OF("held")),
        derive=_price,
        missing="no contract runs",
        meaning=Text("price of a period of all running contracts", "有效合同每期价格合计"),
        sentence=Text("Pays {value} a period", "每期支付 {value}"),
    ),
    feature(
        name="contract_price_change",
        unit="share",
        needs=(_OF("amount"), _OF("first_amount")),
        derive=_price_change,
        missing="no contract that was paid for runs",
        meaning=Text("price of running contracts above their first, as a share of it", "有效合同价格相对最初的涨幅"),
        sentence=Text("The price has changed by {value} since the start", "价格自签约以来变化 {value}"),
    ),
    feature(
        name="contract_price_rises",
        unit="count",
        needs=(_OF("price_rises"),),
        meaning=Text("times the price of running contracts rose", "有效合同涨价次数"),
        sentence=Text("Price rises of running contracts: {value}", "有效合同涨价 {value} 次"),
    ),
    feature(
        name="contract_plan_changes",
        unit="count",
        needs=(_OF("plan_changes"),),
        meaning=Text("times the plan of running contracts changed", "有效合同更换套餐次数"),
        sentence=Text("Changes of plan: {value}", "更换套餐 {value} 次"),
    ),
    feature(
        name="days_to_renewal",
        unit="days",
        needs=(_OF("renews_in"),),
        derive=partial(scaled, scale=1.0),
        missing="no renewal is known",
        meaning=Text("days until the next renewal", "距下次续约的天数"),
        sentence=Text("Renews in {value}", "{value}后续约"),
    ),
    feature(
        name="days_to_last_renewal",
        unit="days",
        needs=(_OF("renews_last"),),
        derive=partial(scaled, scale=1.0),
        missing="no renewal is known",
        meaning=Text("days until the last of the running contracts renews", "距最后一份有效合同续约的天数"),
        sentence=Text("The last contract renews in {value}", "最后一份合同在{value}后续约"),
    ),
    feature(
        name="renewal_every_days",
        unit="days",
        needs=(_OF("every"),),
        derive=partial(scaled, scale=1.0),
        missing="no contract runs that is paid for",
        meaning=Text("days between two renewals", "两次续约之间的天数"),
        sentence=Text("Renews every {value}", "每 {value}续约一次"),
    ),
    feature(
        name="contract_fee_30d",
        unit="currency",
        needs=(_OF("fee"), _OF("held")),
        derive=_price,
        missing="no contract runs",
        meaning=Text("price of 30 days of all running contracts", "有效合同每 30 天价格合计"),
        sentence=Text("Pays {value} for 30 days", "每 30 天支付 {value}"),
    ),
    feature(
        name="contracts_lapsed",
        unit="count",
        needs=(_OF("lapsed"),),
        meaning=Text("contracts that have ended", "已终止的合同数"),
        sentence=Text("Contracts that ended before: {value}", "此前有 {value} 份合同终止"),
    ),
]
