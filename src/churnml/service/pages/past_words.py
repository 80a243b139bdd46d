"""What stands in rows about one customer, in the words of people: kinds of acts, channels, states of an assignment.

The tables take any word there; one that is not known here is shown as it came.
"""

from __future__ import annotations

from collections.abc import Mapping

from churnml.wording import Language, Text

_ACTS: Mapping[str, Text] = {
    "visit": Text("Visit", "访问"),
    "view": Text("View", "浏览"),
    "search": Text("Search", "搜索"),
    "cart": Text("Cart", "加入购物车"),
    "wishlist": Text("Wish list", "收藏"),
    "login": Text("Login", "登录"),
    "help": Text("Help page", "查看帮助"),
    "cancel": Text("Cancellation begun", "开始取消"),
    "referral": Text("Referral", "推荐好友"),
    "share": Text("Share", "分享"),
    "demo": Text("Demo", "演示"),
    "trial": Text("Trial", "试用"),
    "email_open": Text("E-mail opened", "打开邮件"),
    "email_click": Text("E-mail clicked", "点击邮件"),
    "redeem": Text("Coupon redeemed", "使用优惠券"),
    "payment": Text("Payment", "付款"),
    "payment_failed": Text("Payment failed", "付款失败"),
}
_CHANNELS: Mapping[str, Text] = {
    "none": Text("none needed", "无需触达"),
    "mail": Text("by post", "邮寄"),
    "email": Text("by e-mail", "电子邮件"),
    "phone": Text("by telephone", "电话"),
    "app": Text("in the app", "应用内"),
    "web": Text("on the web", "网站"),
    "shop": Text("in the shop", "门店"),
    "chat": Text("by chat", "在线客服"),
}
_STATES: Mapping[str, Text] = {
    "open": Text("Not told yet", "尚未反馈"),
    "carried_out": Text("Carried out", "已执行"),
    "redeemed": Text("Redeemed", "已兑现"),
    "not_delivered": Text("Not delivered", "未送达"),
    "expired": Text("Expired", "已过期"),
    "withheld": Text("Withheld: control", "未执行：对照组"),
    "breach": Text("Approached though a control", "对照组被误触达"),
    "refused": Text("Refuses to be profiled", "拒绝画像"),
}


def act_name(kind: str, language: Language) -> str:
    """Return the kind of an act in words."""
    return _said(_ACTS, kind, language)


def channel_name(channel: str, language: Language) -> str:
    """Return a channel in words."""
    return _said(_CHANNELS, channel, language)


def state_name(state: str, language: Language) -> str:
    """Return the state of an assignment in words."""
    return _said(_STATES, state, language)


def _said(words: Mapping[str, Text], word: str, language: Language) -> str:
    known = words.get(word.strip().casefold())
    return word if known is None else known.to(language)
