"""What we sent a customer, and what came back: contacts carried out, offers redeemed."""

from __future__ import annotations

from functools import partial

from churnml.features.declare import CUTOFF_DAY, Aggregate, Feature, days_since, share
from churnml.wording import Text

_CONTACTS = partial(Aggregate, "contacts", "sum", "contact")
_REDEMPTIONS = partial(Aggregate, "redemptions", "sum", "redemption")

contacted = partial(Feature, family="engagement", table="contacts", group="contacts")
redeemed = partial(Feature, family="engagement", table="interactions", group="redemptions")


def _counts(days: int | None) -> list[Feature]:
    suffix, en, zh = (f"{days}d", f"in the last {days} days", f"最近 {days} 天") if days else ("all", "so far", "至今")
    return [
        contacted(
            name=f"contacts_{suffix}",
            unit="count",
            needs=(_CONTACTS(days),),
            meaning=Text(f"campaigns sent {en}", f"{zh}发送的营销活动次数"),
            sentence=Text(f"Campaigns we sent {en}: {{value}}", f"{zh}我们发送了 {{value}} 次营销活动"),
        ),
        redeemed(
            name=f"redemptions_{suffix}",
            unit="count",
            needs=(_REDEMPTIONS(days),),
            meaning=Text(f"coupons redeemed {en}", f"{zh}核销优惠券张数"),
            sentence=Text(f"Coupons redeemed {en}: {{value}}", f"{zh}核销了 {{value}} 张优惠券"),
        ),
    ]


FEATURES: list[Feature] = [
    *(one for days in (30, 90, 180, None) for one in _counts(days)),
    contacted(
        name="days_since_contact",
        unit="days",
        needs=(CUTOFF_DAY, Aggregate("contacts", "last", "day")),
        derive=days_since,
        missing="never contacted",
        meaning=Text("days since the last campaign", "距上次营销活动的天数"),
        sentence=Text("The last campaign went out {value} ago", "上次营销活动在 {value}前发出"),
    ),
    redeemed(
        name="days_since_redemption",
        unit="days",
        needs=(CUTOFF_DAY, Aggregate("redemptions", "last", "day")),
        derive=days_since,
        missing="never redeemed",
        meaning=Text("days since the last coupon was redeemed", "距上次核销优惠券的天数"),
        sentence=Text("The last coupon was redeemed {value} ago", "上次核销优惠券在 {value}前"),
    ),
    contacted(
        name="redemptions_per_contact",
        unit="ratio",
        needs=(_REDEMPTIONS(), _CONTACTS()),
        derive=share,
        missing="never contacted",
        meaning=Text("coupons redeemed per campaign sent", "平均每次营销活动核销的优惠券张数"),
        sentence=Text("Coupons redeemed per campaign: {value}", "平均每次营销活动核销 {value} 张优惠券"),
    ),
]
