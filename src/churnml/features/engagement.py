"""What we sent a customer, and what came back: contacts carried out, mails opened and clicked, offers redeemed."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from churnml.features.declare import CUTOFF_DAY, Aggregate, Feature, Values, days_since, in_window, share
from churnml.wording import Text

Integers = npt.NDArray[np.int64]

_CONTACTS = partial(Aggregate, "contacts", "count", "")
_REDEMPTIONS = partial(Aggregate, "redemptions", "count", "")
_OPENS = partial(Aggregate, "opens", "count", "")
_CLICKS = partial(Aggregate, "clicks", "count", "")

contacted = partial(Feature, family="engagement", table="contacts", group="contacts")
redeemed = partial(Feature, family="engagement", table="interactions", group="redemptions")
responded = partial(Feature, family="engagement", table="interactions", group="response")


def _fewer_answers(lately: Integers, sent_lately: Integers, before: Integers, sent_before: Integers) -> Values:
    """Return opens per contact of the last 90 days less those of the year before; NaN without contacts in either."""
    return share(lately, sent_lately) - share(before, sent_before)


def _counts(days: int | None) -> list[Feature]:
    suffix, en, zh = in_window(days)
    return [
        responded(
            name=f"opens_{suffix}",
            unit="count",
            needs=(_OPENS(days),),
            meaning=Text(f"mails opened {en}", f"{zh}打开邮件次数"),
            sentence=Text(f"Mails opened {en}: {{value}}", f"{zh}打开邮件 {{value}} 次"),
        ),
        responded(
            name=f"clicks_{suffix}",
            unit="count",
            needs=(_CLICKS(days),),
            meaning=Text(f"clicks in mails {en}", f"{zh}点击邮件次数"),
            sentence=Text(f"Clicks in mails {en}: {{value}}", f"{zh}点击邮件 {{value}} 次"),
        ),
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
    responded(
        name="days_since_open",
        unit="days",
        needs=(CUTOFF_DAY, Aggregate("opens", "last", "day")),
        derive=days_since,
        missing="never opened a mail",
        meaning=Text("days since a mail was opened", "距上次打开邮件的天数"),
        sentence=Text("Last opened a mail {value} ago", "上次打开邮件在 {value}前"),
    ),
    *(
        contacted(
            name=f"{name}_per_contact_{suffix}",
            group="response",
            unit="ratio",
            needs=(what(days), _CONTACTS(days)),
            derive=share,
            missing=f"not contacted {en}",
            meaning=Text(f"{words} per contact {en}", f"{zh}平均每次触达的{words_zh}次数"),
            sentence=Text(
                f"{words.capitalize()} per contact {en}: {{value}}", f"{zh}平均每次触达{words_zh} {{value}} 次"
            ),
        )
        for name, what, words, words_zh in (
            ("opens", _OPENS, "mails opened", "打开邮件"),
            ("clicks", _CLICKS, "clicks in mails", "点击邮件"),
        )
        for days in (90, None)
        for suffix, en, zh in (in_window(days),)
    ),
    contacted(
        name="response_change_90d",
        group="response",
        unit="ratio",
        needs=(_OPENS(90), _CONTACTS(90), _OPENS(275, 90), _CONTACTS(275, 90)),
        derive=_fewer_answers,
        missing="not contacted in 90 days, or not in the nine months before",
        meaning=Text(
            "mails opened per contact in the last 90 days less those in the nine months before: tired of contact",
            "最近 90 天与之前九个月每次触达打开邮件次数之差：对触达的疲劳",
        ),
        sentence=Text(
            "Mails opened per contact, 90 days against the nine months before: {value}",
            "近 90 天每次触达打开邮件比此前九个月变化 {value} 次",
        ),
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
