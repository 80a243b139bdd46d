"""What we sent a customer, and what came back: contacts carried out, mails opened and clicked, offers redeemed."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from churnml.features.declare import Aggregate, Feature, Values, count_of, in_window, share, since_last
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


_COUNTS = {
    "opens": (responded, _OPENS, Text("mails opened {when}", "{when}打开邮件次数"),
              Text("Mails opened {when}: {value}", "{when}打开邮件 {value} 次")),
    "clicks": (responded, _CLICKS, Text("clicks in mails {when}", "{when}点击邮件次数"),
               Text("Clicks in mails {when}: {value}", "{when}点击邮件 {value} 次")),
    "contacts": (contacted, _CONTACTS, Text("campaigns sent {when}", "{when}发送的营销活动次数"),
                 Text("Campaigns we sent {when}: {value}", "{when}我们发送了 {value} 次营销活动")),
    "redemptions": (redeemed, _REDEMPTIONS, Text("coupons redeemed {when}", "{when}核销优惠券张数"),
                    Text("Coupons redeemed {when}: {value}", "{when}核销了 {value} 张优惠券")),
}  # fmt: skip


FEATURES: list[Feature] = [
    *(
        count_of(feature, name, what, days, meaning, sentence)
        for days in (30, 90, 180, None)
        for name, (feature, what, meaning, sentence) in _COUNTS.items()
    ),
    since_last(
        contacted,
        "contacts",
        name="days_since_contact",
        missing="never contacted",
        meaning=Text("days since the last campaign", "距上次营销活动的天数"),
        sentence=Text("The last campaign went out {value} ago", "上次营销活动在 {value}前发出"),
    ),
    since_last(
        redeemed,
        "redemptions",
        name="days_since_redemption",
        missing="never redeemed",
        meaning=Text("days since the last coupon was redeemed", "距上次核销优惠券的天数"),
        sentence=Text("The last coupon was redeemed {value} ago", "上次核销优惠券在 {value}前"),
    ),
    since_last(
        responded,
        "opens",
        name="days_since_open",
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
