"""How content a customer is, as far as they said or showed: surveys, complaints, waiting, goods sent back.

Scores are put on one scale, from 0 for the worst answer to 100 for the best, whatever the survey asked with.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from churnml.features.declare import (
    Aggregate,
    Feature,
    Values,
    as_money,
    count_of,
    in_window,
    present,
    scaled,
    share,
    since_last,
)
from churnml.wording import Text

Integers = npt.NDArray[np.int64]

_PER_POINT = 10.0
_ASKED = partial(Aggregate, "surveys", "count", "")
_TICKETS = partial(Aggregate, "tickets", "count", "")
_COMPLAINTS = partial(Aggregate, "complaints", "count", "")
_RETURNS = partial(Aggregate, "returns", "count", "")
_ORDER_DAYS = partial(Aggregate, "purchase_days", "sum", "event")

of_surveys = partial(Feature, family="satisfaction", table="surveys", group="satisfaction")
of_tickets = partial(Feature, family="satisfaction", table="tickets", group="service")
complaining = partial(of_tickets, group="complaints")
of_returns = partial(Feature, family="satisfaction", table="returns", group="returns")

_INSTRUMENTS = {
    "nps": ("willingness to recommend (NPS)", "推荐意愿（NPS）"),
    "csat": ("satisfaction (CSAT)", "满意度（CSAT）"),
    "ces": ("ease (CES)", "省力度（CES）"),
    "review": ("review", "评价"),
}
_WAITS = {
    "response": ("responses", "first answer", "首次回复"),
    "resolution": ("resolutions", "solution", "解决"),
}


def _mean_points(total: Integers, count: Integers) -> Values:
    return np.asarray(share(total, count) / _PER_POINT, dtype=np.float64)


def _points_change(last: Integers, total: Integers, count: Integers) -> Values:
    """Return the last answer less the mean of those before it; NaN with fewer than two."""
    before = np.full(last.shape, np.nan)
    np.divide(total - np.where(count > 0, last, 0), count - 1, out=before, where=count > 1)
    return np.asarray((present(last) - before) / _PER_POINT)


def _open(opened: Integers, closed: Integers) -> Values:
    return np.asarray(np.maximum(opened - closed, 0), dtype=np.float64)


def _of_instrument(name: str) -> list[Feature]:
    en, zh = _INSTRUMENTS[name]
    rows = f"{name}_answers"
    return [
        of_surveys(
            name=f"{name}_last",
            unit="points",
            needs=(Aggregate(rows, "last", "points"),),
            derive=partial(scaled, scale=_PER_POINT),
            missing="never answered",
            meaning=Text(f"last {en}, from 0 worst to 100 best", f"最近一次{zh}，0 最差，100 最好"),
            sentence=Text(f"Last {en}: {{value}} of 100", f"最近一次{zh}：{{value}}（满分 100）"),
        ),
        of_surveys(
            name=f"{name}_mean_365d",
            unit="points",
            needs=(Aggregate(rows, "sum", "points", 365), Aggregate(rows, "count", days=365)),
            derive=_mean_points,
            missing="no answer in 365 days",
            meaning=Text(
                f"mean {en} of the last 365 days, from 0 worst to 100 best", f"最近 365 天平均{zh}，0 最差，100 最好"
            ),
            sentence=Text(f"Mean {en} of the year: {{value}} of 100", f"一年平均{zh}：{{value}}（满分 100）"),
        ),
    ]


_SURVEYS = [
    of_surveys(
        name="satisfaction_last",
        unit="points",
        needs=(Aggregate("answers", "last", "points"),),
        derive=partial(scaled, scale=_PER_POINT),
        missing="never answered",
        meaning=Text("last answer to any survey, from 0 worst to 100 best", "最近一次问卷得分，0 最差，100 最好"),
        sentence=Text("The last survey was answered with {value} of 100", "最近一次问卷得分 {value}（满分 100）"),
    ),
    *(
        of_surveys(
            name=f"satisfaction_mean_{suffix}",
            unit="points",
            needs=(Aggregate("answers", "sum", "points", days), Aggregate("answers", "count", days=days)),
            derive=_mean_points,
            missing=f"no answer {en}",
            meaning=Text(
                f"mean answer to surveys {en}, from 0 worst to 100 best", f"{zh}问卷平均得分，0 最差，100 最好"
            ),
            sentence=Text(
                f"Surveys {en} were answered with {{value}} of 100", f"{zh}问卷平均得分 {{value}}（满分 100）"
            ),
        )
        for days in (90, 365, None)
        for suffix, en, zh in (in_window(days),)
    ),
    of_surveys(
        name="satisfaction_worst_365d",
        unit="points",
        needs=(Aggregate("answers", "min", "points", 365),),
        derive=partial(scaled, scale=_PER_POINT),
        missing="no answer in 365 days",
        meaning=Text(
            "worst answer of the last 365 days, from 0 worst to 100 best", "最近 365 天最低问卷得分，0 最差，100 最好"
        ),
        sentence=Text("The worst answer of the year was {value} of 100", "一年内最低问卷得分 {value}（满分 100）"),
    ),
    of_surveys(
        name="satisfaction_change",
        unit="points",
        needs=(
            Aggregate("answers", "last", "points"),
            Aggregate("answers", "sum", "points"),
            Aggregate("answers", "count"),
        ),
        derive=_points_change,
        missing="fewer than two answers",
        meaning=Text("last answer less the mean of those before", "最近一次得分与此前平均之差"),
        sentence=Text(
            "The last answer against the mean of those before, of 100: {value}",
            "最近一次得分比此前平均变化 {value}（满分 100）",
        ),
    ),
    of_surveys(
        name="low_answers_365d",
        unit="count",
        needs=(Aggregate("answers", "sum", "low", 365),),
        meaning=Text(
            "answers in the lower half of their scale in the last 365 days", "最近 365 天低于量表一半的答卷数"
        ),
        sentence=Text("Poor answers in the year: {value}", "一年内有 {value} 次低分答卷"),
    ),
    of_surveys(
        name="surveys_asked_365d",
        unit="count",
        needs=(_ASKED(365),),
        meaning=Text("surveys sent in the last 365 days", "最近 365 天发送的问卷数"),
        sentence=Text("Surveys sent in the year: {value}", "一年内发送 {value} 份问卷"),
    ),
    of_surveys(
        name="answer_rate_365d",
        unit="share",
        needs=(Aggregate("answers", "count", days=365), _ASKED(365)),
        derive=share,
        missing="not asked in 365 days",
        meaning=Text("share of the surveys of the last 365 days that were answered", "最近 365 天问卷回答率"),
        sentence=Text("Answered {value} of the surveys of the year", "一年内回答了 {value} 的问卷"),
    ),
    since_last(
        of_surveys,
        "answers",
        name="days_since_answer",
        missing="never answered",
        meaning=Text("days since the last survey that was answered", "距上次回答问卷的天数"),
        sentence=Text("The last survey they answered was sent {value} ago", "上次回答的问卷发送于 {value}前"),
    ),
    *(one for name in _INSTRUMENTS for one in _of_instrument(name)),
]


def _ticket_counts(days: int | None) -> list[Feature]:
    return [
        count_of(
            of_tickets,
            "tickets",
            _TICKETS,
            days,
            Text("questions and complaints {when}", "{when}咨询和投诉次数"),
            Text("Questions and complaints {when}: {value}", "{when}咨询和投诉 {value} 次"),
        ),
        count_of(
            complaining,
            "complaints",
            _COMPLAINTS,
            days,
            Text("complaints {when}", "{when}投诉次数"),
            Text("Complaints {when}: {value}", "{when}投诉 {value} 次"),
        ),
    ]


def _waiting(what: str) -> list[Feature]:
    rows, en, zh = _WAITS[what]
    return [
        of_tickets(
            name=f"hours_to_{what}_mean_365d",
            unit="hours",
            needs=(Aggregate(rows, "sum", "hours", 365), Aggregate(rows, "count", days=365)),
            derive=share,
            missing=f"no {what} in 365 days",
            meaning=Text(f"mean hours to the {en} in the last 365 days", f"最近 365 天平均{zh}时长（小时）"),
            sentence=Text(f"Waited {{value}} for a {en} on average", f"平均等待{zh} {{value}}"),
        ),
        of_tickets(
            name=f"hours_to_{what}_worst_365d",
            unit="hours",
            needs=(Aggregate(rows, "max", "hours", 365),),
            derive=partial(scaled, scale=1.0),
            missing=f"no {what} in 365 days",
            meaning=Text(f"most hours to the {en} in the last 365 days", f"最近 365 天最长{zh}时长（小时）"),
            sentence=Text(f"Once waited {{value}} for a {en}", f"最长一次等待{zh} {{value}}"),
        ),
        of_tickets(
            name=f"hours_to_{what}_last",
            unit="hours",
            needs=(Aggregate(rows, "last", "hours"),),
            derive=partial(scaled, scale=1.0),
            missing=f"no {what} yet",
            meaning=Text(f"hours to the {en} of the last ticket that had one", f"最近一次{zh}时长（小时）"),
            sentence=Text(f"Their last wait for a {en}: {{value}}", f"最近一次等待{zh} {{value}}"),
        ),
    ]


_SERVICE = [
    *(one for days in (30, 90, 365, None) for one in _ticket_counts(days)),
    since_last(
        of_tickets,
        "tickets",
        name="days_since_ticket",
        missing="never asked",
        meaning=Text("days since the last question or complaint", "距上次咨询或投诉的天数"),
        sentence=Text("The last question or complaint was {value} ago", "上次咨询或投诉在 {value}前"),
    ),
    since_last(
        complaining,
        "complaints",
        name="days_since_complaint",
        missing="never complained",
        meaning=Text("days since the last complaint", "距上次投诉的天数"),
        sentence=Text("Complained {value} ago", "{value}前投诉过"),
    ),
    complaining(
        name="complaints_per_order",
        unit="ratio",
        needs=(_COMPLAINTS(), _ORDER_DAYS()),
        derive=share,
        missing="never ordered",
        meaning=Text("complaints per day with an order", "平均每个下单日的投诉次数"),
        sentence=Text("Complaints per order so far: {value}", "迄今平均每次下单投诉 {value} 次"),
    ),
    *(
        of_tickets(
            name=f"open_tickets_{suffix}",
            unit="count",
            needs=(_TICKETS(days), Aggregate("resolutions", "count", days=days)),
            derive=_open,
            meaning=Text(f"questions and complaints {en} that are not resolved yet", f"{zh}尚未解决的咨询和投诉数"),
            sentence=Text(
                f"Not resolved yet, of what they raised {en}: {{value}}", f"{zh}提出的问题中有 {{value}} 个尚未解决"
            ),
        )
        for days in (30, 365)
        for suffix, en, zh in (in_window(days),)
    ),
    *(one for what in _WAITS for one in _waiting(what)),
    of_tickets(
        name="reopened_365d",
        unit="count",
        needs=(Aggregate("reopenings", "count", days=365),),
        meaning=Text("tickets of the last 365 days that had to be opened again", "最近 365 天被重新打开的工单数"),
        sentence=Text("Tickets opened again in the year: {value}", "一年内有 {value} 个工单被重新打开"),
    ),
]

_BACK = [
    *(
        one
        for days in (90, 365, None)
        for suffix, en, zh in (in_window(days),)
        for one in (
            count_of(
                of_returns,
                "returns",
                _RETURNS,
                days,
                Text("returns {when}", "{when}退货次数"),
                Text("Returns {when}: {value}", "{when}退货 {value} 次"),
            ),
            of_returns(
                name=f"returned_{suffix}",
                unit="currency",
                needs=(Aggregate("returns", "sum", "amount", days),),
                derive=as_money,
                meaning=Text(f"money that went back for returns {en}", f"{zh}退款金额"),
                sentence=Text(f"Sent back {{value}} {en}", f"{zh}退款 {{value}}"),
            ),
        )
    ),
    of_returns(
        name="return_share_all",
        unit="share",
        needs=(Aggregate("returns", "sum", "amount"), Aggregate("orders", "sum", "amount")),
        derive=share,
        missing="nothing paid so far",
        meaning=Text("share of all that was paid that went back", "退款占累计消费的比例"),
        sentence=Text("Sent back {value} of all they bought", "退回了累计消费的 {value}"),
    ),
    of_returns(
        name="returns_per_order",
        unit="ratio",
        needs=(_RETURNS(), _ORDER_DAYS()),
        derive=share,
        missing="never ordered",
        meaning=Text("returns per day with an order", "平均每个下单日的退货次数"),
        sentence=Text("Returns per order so far: {value}", "迄今平均每次下单退货 {value} 次"),
    ),
    since_last(
        of_returns,
        "returns",
        name="days_since_return",
        missing="never sent anything back",
        meaning=Text("days since the last return", "距上次退货的天数"),
        sentence=Text("Sent something back {value} ago", "{value}前退过货"),
    ),
]

FEATURES: list[Feature] = [*_SURVEYS, *_SERVICE, *_BACK]
