"""Which features are circumstances of leaving and which are its symptoms, and what their groups are called.

Leaving is no order, or the end of a contract. Whatever counts orders, visits or answers to mail must fall before it: it
shows that someone is leaving and never why. What happened to a customer, what they were charged and how they were
answered can be a reason. Who they are and how they came is neither: nobody changes it. The three stand in tables of
their own, so that symptoms, which are always stronger, do not crowd out what could be done something about.
"""

from __future__ import annotations

from typing import Literal

from churnml.features import Feature
from churnml.wording import Text

Kind = Literal["circumstance", "symptom", "trait", "matched"]

MATCHED: dict[str, Text] = {
    "tenure_days": Text("tenure", "客户龄"),
    "orders_90d": Text("orders in 90 days", "90 天内下单次数"),
    "recency_days": Text("days since the last order", "距上次下单天数"),
    "orders_365d": Text("orders in a year", "一年内下单次数"),
    "contract_days": Text("days of the contract", "合同天数"),
    "days_to_renewal": Text("days to the renewal", "距续约天数"),
}
"""What rows are matched on and what is taken off besides, by the feature that tells it."""

GROUPS: dict[str, Text] = {
    "rhythm": Text("Rhythm of orders", "下单节奏"),
    "frequency": Text("Number of orders", "下单次数"),
    "spend": Text("Spend", "消费金额"),
    "basket": Text("Basket", "客单构成"),
    "trend": Text("Trend of orders", "下单趋势"),
    "margin": Text("Margin", "毛利"),
    "season": Text("Same season a year ago", "去年同期"),
    "channel": Text("Channels", "购买渠道"),
    "breadth": Text("Range of categories", "品类广度"),
    "timing": Text("Time of orders", "下单时段"),
    "activity": Text("Visits and activity", "访问与活跃"),
    "trial": Text("Trials", "试用"),
    "search": Text("Searches", "搜索"),
    "cart": Text("Carts", "购物车"),
    "conversion": Text("Orders per visit", "访问转化"),
    "response": Text("Response to contact", "触达响应"),
    "redemptions": Text("Coupons redeemed", "优惠券核销"),
    "tenure": Text("Tenure", "客户龄"),
    "satisfaction": Text("Satisfaction", "满意度"),
    "complaints": Text("Complaints", "投诉"),
    "service": Text("Service and waiting", "客服与等待"),
    "returns": Text("Returns", "退货"),
    "price": Text("Prices", "价格"),
    "discount": Text("Discounts", "折扣"),
    "payment": Text("Failed payments", "支付失败"),
    "contacts": Text("Contacts from us", "我方触达"),
    "contract": Text("Contract", "合同"),
    "loyalty": Text("Recommending", "推荐分享"),
    "profile": Text("Profile", "客户画像"),
}
"""What each group is called; one of a user's own goes by its own name."""

FAMILIES: dict[str, Text] = {
    "purchase": Text("purchase", "购买"),
    "behavior": Text("behavior", "行为"),
    "satisfaction": Text("satisfaction", "满意度"),
    "engagement": Text("engagement", "互动"),
    "subscription": Text("subscription", "订阅"),
    "profile": Text("profile", "画像"),
}

_SYMPTOMS = frozenset(
    [
        "rhythm",
        "frequency",
        "spend",
        "basket",
        "trend",
        "margin",
        "season",
        "channel",
        "breadth",
        "timing",
        "activity",
        "trial",
        "search",
        "cart",
        "conversion",
        "response",
        "redemptions",
    ]
)
_MATCHED = frozenset({"tenure_days", "known_days", "contract_days", "paid_contract_days"})
_ELSEWHERE: dict[str, tuple[str, Kind]] = {
    "unit_price_change_90d": ("price", "circumstance"),
    "surveys_asked_365d": ("response", "symptom"),  # one is asked after an order
    "days_since_ticket": ("activity", "symptom"),  # who asks is still there
    "days_since_complaint": ("activity", "symptom"),
    "days_since_return": ("activity", "symptom"),
    "answer_rate_365d": ("response", "symptom"),
    "days_since_answer": ("response", "symptom"),
    "redemptions_per_contact": ("redemptions", "symptom"),
    "contracts_held": ("contract", "symptom"),
    "contracts_lapsed": ("contract", "symptom"),
    "days_to_renewal": ("contract", "symptom"),
    "days_to_last_renewal": ("contract", "symptom"),
    "renewal_every_days": ("contract", "symptom"),
}
"""Features that tell another story here than the group in which a reason is given."""


def place_of(feature: Feature) -> tuple[str, Kind]:
    """Return the group that a feature is told in, and of which kind it is; what rows are matched on is of none.

    Examples
    --------
    >>> from churnml.features import catalogue
    >>> features = {feature.name: feature for feature in catalogue(["customers", "orders", "tickets"]).features}
    >>> place_of(features["recency_days"]), place_of(features["complaints_90d"])
    (('rhythm', 'symptom'), ('complaints', 'circumstance'))
    """
    if feature.name in _MATCHED:
        return feature.group, "matched"
    if feature.name in _ELSEWHERE:
        return _ELSEWHERE[feature.name]
    if feature.family == "profile":
        return feature.group, "trait"
    return feature.group, "symptom" if feature.group in _SYMPTOMS else "circumstance"


def nobody_beside(fewest: int, left: int, stayed: int) -> Text:
    """Say that none of who left lies in a stratum with enough of those who stayed."""
    return Text(
        f"drivers need who left beside at least {fewest} who stayed of the same month start and alike in tenure and "
        f"activity, found none among {left} rows of who left and {stayed} of who stayed; give an earlier --from or a "
        "later --to, or land more customers",
        f"流失因素需将流失者与同一月初、客户龄及活跃程度相近的至少 {fewest} 位留存者对照；"
        f"在 {left} 行流失者与 {stayed} 行留存者中没有可对照者；请选择更早的 --from 或更晚的 --to，或导入更多客户",
    )
