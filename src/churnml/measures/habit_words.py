"""How groups are called by what their customers do more, or less, than others; words of the data stay as they are."""

from __future__ import annotations

from churnml.wording import Text

_KNOWN: dict[tuple[str, str], tuple[Text, Text]] = {
    ("activity", ""): (Text("very active", "非常活跃"), Text("little active", "活跃度低")),
    ("weekend", "weekend"): (Text("at weekends", "周末活跃"), Text("on weekdays", "工作日活跃")),
    ("daypart", "night"): (Text("at night", "夜间活跃"), Text("seldom at night", "夜间少")),
    ("daypart", "morning"): (Text("in the morning", "上午活跃"), Text("seldom in the morning", "上午少")),
    ("daypart", "afternoon"): (Text("in the afternoon", "下午活跃"), Text("seldom in the afternoon", "下午少")),
    ("daypart", "evening"): (Text("in the evening", "晚间活跃"), Text("seldom in the evening", "晚间少")),
}
_SORTS: dict[tuple[str, str], Text] = {
    ("kind", "visit"): Text("visits", "访问"),
    ("kind", "view"): Text("views", "浏览"),
    ("kind", "search"): Text("searches", "搜索"),
    ("kind", "search_without_result"): Text("searches in vain", "无结果搜索"),
    ("kind", "cart"): Text("carts", "加购"),
    ("kind", "wishlist"): Text("wishes", "收藏"),
    ("kind", "login"): Text("logins", "登录"),
    ("kind", "help"): Text("calls for help", "求助"),
    ("kind", "email_open"): Text("opened e-mails", "打开邮件"),
    ("kind", "email_click"): Text("clicked e-mails", "点击邮件"),
    ("kind", "redeem"): Text("redeemed coupons", "用券"),
    ("kind", "payment"): Text("payments", "付款"),
    ("kind", "payment_failed"): Text("failed payments", "付款失败"),
    ("kind", "referral"): Text("referrals", "推荐"),
    ("kind", "share"): Text("shares", "分享"),
    ("kind", "order"): Text("orders", "下单"),
    ("kind", "answer"): Text("answered surveys", "回答问卷"),
    ("channel", "app"): Text("app", "App"),
    ("channel", "web"): Text("web", "网站"),
    ("channel", "shop"): Text("shop", "门店"),
    ("channel", "phone"): Text("phone", "电话"),
    ("channel", "email"): Text("e-mail", "邮件"),
    ("channel", "mail"): Text("mail", "信函"),
}
_FORMS: dict[str, tuple[Text, Text]] = {
    "kind": (Text("many {}", "{}多"), Text("few {}", "{}少")),
    "channel": (Text("by {}", "常用{}"), Text("seldom by {}", "少用{}")),
    "category": (Text("{}", "{}"), Text("little {}", "少{}")),
    "word": (Text("searches “{}”", "搜索“{}”"), Text("seldom searches “{}”", "少搜索“{}”")),
}


def wording(field: str, value: str, *, much: bool) -> Text:
    """Return how somebody is called who does much of one sort of acts, or little.

    Examples
    --------
    >>> wording("kind", "visit", much=False)
    Text(en='few visits', zh='访问少')
    """
    if (field, value) in _KNOWN:
        return _KNOWN[field, value][not much]
    form, sort = _FORMS[field][not much], _SORTS.get((field, value), Text(value, value))
    return Text(form.en.format(sort.en), form.zh.format(sort.zh))
