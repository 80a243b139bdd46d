"""Which figures of the business there are: each with its name, its definition, its unit and what it is counted from.

What needs a window after something that happened is counted in the period in which that window closes, so that a
figure never changes for what comes after its period (docs/adr/0034). `docs/kpis.md` is written from this list.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from churnml.measures.measure import Unit
from churnml.wording import Text

How = Literal["count", "quotient", "share", "ratio", "median"]
"""What a figure is: a count or sum of everybody and a quotient of two, which are no estimates; a share, a ratio of two
sums over customers, and a median, which are."""

Family = Literal["growth", "retention", "buying", "satisfaction", "service", "loyalty", "money"]

FAMILIES: dict[Family, Text] = {
    "growth": Text("Growth", "增长"),
    "retention": Text("Retention", "留存"),
    "buying": Text("Buying", "购买"),
    "satisfaction": Text("Satisfaction", "满意度"),
    "service": Text("Service", "服务"),
    "loyalty": Text("Loyalty", "忠诚度"),
    "money": Text("Money", "价值与成本"),
}


@dataclass(frozen=True)
class Windows:
    """How many days the definitions look back or wait; each from `configs/kpis.yaml` or `configs/train.yaml`.

    Parameters
    ----------
    horizon_days, population_days, grace_days, return_days : int
        As a model counts: silence that is churn, who is active, what still continues a contract, when goods come back.
    conversion_days, repeat_days, answer_days : int
        In which a prospect converts, a first order is followed by a second, a survey is answered.
    category_days : int
        History that must lie before a period for a category to be called new in it.
    price_days : int
        Days before a period with which unit prices are compared.
    price_rise : float
        Rise of a customer's unit price that counts.
    """

    horizon_days: int = 60
    population_days: int = 90
    grace_days: int = 30
    return_days: int = 30
    conversion_days: int = 30
    repeat_days: int = 90
    answer_days: int = 14
    category_days: int = 180
    price_days: int = 90
    price_rise: float = 0.1


@dataclass(frozen=True)
class Kpi:
    """One figure of the business.

    Parameters
    ----------
    name : str
        What programs and `configs/kpis.yaml` call it.
    family : str
        Which question it belongs to.
    title, definition : Text
        Its heading; how it is counted, with windows in braces.
    unit : str
        How it is read.
    how : str
        Which kind of figure, and so which interval it has.
    better : {'more', 'less', ''}
        Which direction is good; empty where that is not said of the figure alone.
    sources : tuple of str
        The tables it needs, and where only some columns of one matter, these as `table.column`; `a|b` needs one of two.
    looks_back : tuple of str
        The windows whose days must lie between the beginning of the history and that of a period.
    comparable : bool
        Whether a change between periods can be good or bad. It cannot where a figure moves by itself as the history
        grows, as a sum of everything so far does.
    """

    name: str
    family: Family
    title: Text
    definition: Text
    unit: Unit
    how: How
    better: Literal["more", "less", ""]
    sources: tuple[str, ...]
    looks_back: tuple[str, ...] = ()
    comparable: bool = True

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables it needs, those of which one will do as `a|b`."""
        return tuple(dict.fromkeys(source.partition(".")[0] for source in self.sources))

    def defined(self, windows: Windows) -> Text:
        """Return its definition with the days that are set."""
        days = asdict(windows) | {"price_rise": f"{windows.price_rise:.0%}"}
        return Text(self.definition.en.format(**days), self.definition.zh.format(**days))

    def days_back(self, windows: Windows) -> int:
        """Return how many days of history it needs before a period begins."""
        days = asdict(windows)
        return sum(int(days[name]) for name in self.looks_back)


_EITHER = "orders|subscriptions"

KPIS: tuple[Kpi, ...] = (
    Kpi(
        "customers",
        "growth",
        Text("Known customers", "已知客户数"),
        Text("Everyone known by the end of the period, buyers and prospects.", "期末已知的全部客户，含潜在客户。"),
        "number",
        "count",
        "more",
        ("customers",),
    ),
    Kpi(
        "active_customers",
        "growth",
        Text("Active customers", "活跃客户数"),
        Text(
            "Who ordered in the {population_days} days before the end of the period, or holds a contract at it that "
            "is paid for.",
            "期末前 {population_days} 天内有订单，或期末持有付费合同的客户。",
        ),
        "number",
        "count",
        "more",
        (_EITHER,),
        ("population_days",),
    ),
    Kpi(
        "new_customers",
        "growth",
        Text("New customers", "新客户数"),
        Text(
            "Whose first order, or first contract that is paid for, is of the period.",
            "首笔订单或首份付费合同发生在本期的客户。",
        ),
        "number",
        "count",
        "more",
        (_EITHER,),
        ("population_days",),
    ),
    Kpi(
        "net_growth",
        "growth",
        Text("Net growth", "净增客户数"),
        Text(
            "Active customers at the end of the period less those at its beginning: new and won back less lost.",
            "期末活跃客户数减期初活跃客户数，即新增与赢回减去流失。",
        ),
        "number",
        "count",
        "more",
        (_EITHER,),
        ("population_days",),
    ),
    Kpi(
        "growth_rate",
        "growth",
        Text("Growth rate", "客户增长率"),
        Text("Net growth over the active customers at the beginning.", "净增客户数除以期初活跃客户数。"),
        "share",
        "quotient",
        "more",
        (_EITHER,),
        ("population_days",),
    ),
    Kpi(
        "conversion_rate",
        "growth",
        Text("Conversion rate", "转化率"),
        Text(
            "Of prospects, those who ordered or began to pay for a contract within {conversion_days} days after the "
            "day they became known; of those for whom these days ended in the period. Who bought on the day they "
            "became known was no prospect.",
            "潜在客户自获知之日起 {conversion_days} 天内下单或开始付费的比例，只计该期限在本期届满者；"
            "获知当日即购买者不算潜在客户。",
        ),
        "share",
        "share",
        "more",
        ("customers", _EITHER),
        ("conversion_days",),
    ),
    Kpi(
        "churn_rate",
        "retention",
        Text("Churn rate (orders)", "流失率（订单）"),
        Text(
            "Of those who had ordered in the {population_days} days before, the share without an order in the "
            "{horizon_days} days that end with the period.",
            "此前 {population_days} 天内有订单的客户中，在截至期末的 {horizon_days} 天内没有订单的比例。",
        ),
        "share",
        "share",
        "less",
        ("orders",),
        ("population_days", "horizon_days"),
    ),
    Kpi(
        "retention_rate",
        "retention",
        Text("Retention rate (orders)", "留存率（订单）"),
        Text(
            "Of those who had ordered in the {population_days} days before, the share who ordered again in the "
            "{horizon_days} days that end with the period.",
            "此前 {population_days} 天内有订单的客户中，在截至期末的 {horizon_days} 天内再次下单的比例。",
        ),
        "share",
        "share",
        "more",
        ("orders",),
        ("population_days", "horizon_days"),
    ),
    Kpi(
        "contract_churn_rate",
        "retention",
        Text("Churn rate (contracts)", "流失率（合同）"),
        Text(
            "Of those who held a contract that is paid for, the share whose contract ended and was not continued by "
            "another within {grace_days} days; for ends whose {grace_days} days were over in the period.",
            "持有付费合同的客户中，合同终止且 {grace_days} 天内无其他合同接续的比例；只计宽限期在本期届满的终止。",
        ),
        "share",
        "share",
        "less",
        ("subscriptions",),
        ("grace_days",),
    ),
    Kpi(
        "contract_retention_rate",
        "retention",
        Text("Retention rate (contracts)", "留存率（合同）"),
        Text(
            "Of those who held a contract that is paid for, the share who did not leave as the churn rate of contracts "
            "counts it.",
            "持有付费合同的客户中，未按合同流失率口径流失的比例。",
        ),
        "share",
        "share",
        "more",
        ("subscriptions",),
        ("grace_days",),
    ),
    Kpi(
        "revenue",
        "buying",
        Text("Revenue", "销售额"),
        Text(
            "What was paid for orders of the period, net of discounts; where there are no orders, what contracts cost, "
            "day by day.",
            "本期订单实付金额，已扣折扣；无订单表时，按日计的合同费用。",
        ),
        "money",
        "count",
        "more",
        (_EITHER,),
    ),
    Kpi(
        "order_frequency",
        "buying",
        Text("Order frequency", "购买频次"),
        Text("Days with an order in the period, per customer who had one.", "本期有订单的客户人均下单日数。"),
        "ratio",
        "ratio",
        "more",
        ("orders",),
    ),
    Kpi(
        "basket",
        "buying",
        Text("Basket", "客单价"),
        Text("Revenue per order that was paid.", "每笔已付订单的销售额。"),
        "money",
        "ratio",
        "more",
        ("orders",),
    ),
    Kpi(
        "repeat_rate",
        "buying",
        Text("Repeat purchase rate", "复购率"),
        Text(
            "Of first orders, the share followed by another day with an order within {repeat_days} days; of those for "
            "whom these days ended in the period.",
            "首单后 {repeat_days} 天内再次下单的客户比例；只计该期限在本期届满者。",
        ),
        "share",
        "share",
        "more",
        ("orders",),
        ("population_days", "repeat_days"),
    ),
    Kpi(
        "return_rate",
        "buying",
        Text("Return rate (orders)", "退货率（订单）"),
        Text(
            "Of orders, the share of which something came back within {return_days} days; of those for which these "
            "days ended in the period.",
            "下单后 {return_days} 天内发生退货的订单比例；只计该期限在本期届满的订单。",
        ),
        "share",
        "share",
        "less",
        ("orders", "returns"),
        ("return_days",),
    ),
    Kpi(
        "return_rate_money",
        "buying",
        Text("Return rate (money)", "退货率（金额）"),
        Text(
            "Money paid back within {return_days} days over the revenue of the same orders.",
            "同一批订单 {return_days} 天内退款金额除以其销售额。",
        ),
        "share",
        "ratio",
        "less",
        ("orders", "returns"),
        ("return_days",),
    ),
    Kpi(
        "cross_sell_rate",
        "buying",
        Text("Cross-sell rate", "交叉销售率"),
        Text(
            "Of the period's buyers who had bought before it, the share who bought a category they had never bought.",
            "本期购买的老客户中，购买了此前从未买过的品类的比例。",
        ),
        "share",
        "share",
        "more",
        ("orders", "order_lines.category"),
        ("category_days",),
        comparable=False,
    ),
    Kpi(
        "up_sell_rate",
        "buying",
        Text("Up-sell rate (unit price)", "升级销售率（单价）"),
        Text(
            "Of who bought in the period and in the {price_days} days before, the share whose mean price per unit rose "
            "by more than {price_rise}. Chance raises some prices as well: watch how it moves.",
            "本期及此前 {price_days} 天内均有购买的客户中，平均单价上升超过 {price_rise} 的比例。"
            "偶然波动也会抬高部分单价，应关注其变化。",
        ),
        "share",
        "share",
        "more",
        ("orders.quantity",),
        ("price_days",),
    ),
    Kpi(
        "plan_up_rate",
        "buying",
        Text("Up-sell rate (contracts)", "升级销售率（合同）"),
        Text(
            "Of who held a contract that is paid for at both ends of the period, the share who pay more per month at "
            "its end, be it for a dearer plan, a further contract or a raised price.",
            "期初与期末均持有付费合同的客户中，期末每月支付更多的比例，含升级方案、新增合同与涨价。",
        ),
        "share",
        "share",
        "more",
        ("subscriptions",),
    ),
    Kpi(
        "csat",
        "satisfaction",
        Text("CSAT", "客户满意度（CSAT）"),
        Text(
            "Of answers to satisfaction surveys in the period, the share in the best quarter of the scale: 4 and 5 "
            "of 5.",
            "本期满意度问卷的回答中，得分位于量表最高四分之一的比例，即五分制的 4 分和 5 分。",
        ),
        "share",
        "share",
        "more",
        ("surveys",),
    ),
    Kpi(
        "nps",
        "satisfaction",
        Text("NPS", "净推荐值（NPS）"),
        Text(
            "Share of promoters (9 and 10 of 10) less that of detractors (6 and below), times 100, among the answers "
            "of the period: -100 to 100. Other scales are stretched to 0 to 10.",
            "本期回答中推荐者（9–10 分）比例减贬损者（0–6 分）比例，再乘以 100，取值 −100 至 100；"
            "其他量表按 0–10 换算。",
        ),
        "score",
        "ratio",
        "more",
        ("surveys",),
    ),
    Kpi(
        "ces",
        "satisfaction",
        Text("CES", "客户费力度（CES）"),
        Text(
            "Mean answer of the period to how easy it was, from 0, the worst end of the scale, to 100, the best.",
            "本期关于办事是否轻松的平均回答，0 为量表最差端，100 为最好端。",
        ),
        "score",
        "ratio",
        "more",
        ("surveys",),
    ),
    Kpi(
        "review",
        "satisfaction",
        Text("Reviews", "评价星级"),
        Text("Mean stars of the period's reviews, one to five.", "本期评价的平均星级，一至五星。"),
        "score",
        "ratio",
        "more",
        ("surveys",),
    ),
    Kpi(
        "answer_rate",
        "satisfaction",
        Text("Answer rate", "问卷回答率"),
        Text(
            "Of surveys sent, the share answered within {answer_days} days; of those for which these days ended in the "
            "period.",
            "发出问卷中 {answer_days} 天内得到回答的比例；只计该期限在本期届满的问卷。",
        ),
        "share",
        "share",
        "more",
        ("surveys",),
        ("answer_days",),
    ),
    Kpi(
        "feedback_rate",
        "satisfaction",
        Text("Feedback rate", "反馈率"),
        Text(
            "Of customers with an order or a running contract in the period, the share who answered any survey in it.",
            "本期有订单或有效合同的客户中，回答过任一问卷的比例。",
        ),
        "share",
        "share",
        "more",
        ("surveys", _EITHER),
    ),
    Kpi(
        "complaints_per_100_orders",
        "service",
        Text("Complaints per 100 orders", "每百单投诉数"),
        Text("Complaints opened in the period per 100 orders of it.", "本期新增投诉数除以本期订单数，再乘以 100。"),
        "ratio",
        "ratio",
        "less",
        ("orders", "tickets"),
    ),
    Kpi(
        "complaint_rate",
        "service",
        Text("Complaint rate", "投诉率"),
        Text(
            "Of customers with an order or a running contract in the period, the share who complained in it.",
            "本期有订单或有效合同的客户中，在本期投诉过的比例。",
        ),
        "share",
        "share",
        "less",
        ("tickets", _EITHER),
    ),
    Kpi(
        "first_response_hours",
        "service",
        Text("First response", "首次响应时长"),
        Text(
            "Hours until half of the tickets opened in the period were answered; those still unanswered count as open "
            "(Kaplan-Meier).",
            "本期工单中半数得到首次响应所需小时数；尚未响应的按删失处理（Kaplan–Meier 法）。",
        ),
        "hours",
        "median",
        "less",
        ("tickets",),
    ),
    Kpi(
        "resolution_hours",
        "service",
        Text("Resolution", "解决时长"),
        Text(
            "Hours until half of the tickets opened in the period were resolved; those unresolved count as open "
            "(Kaplan-Meier).",
            "本期工单中半数得到解决所需小时数；尚未解决的按删失处理（Kaplan–Meier 法）。",
        ),
        "hours",
        "median",
        "less",
        ("tickets",),
    ),
    Kpi(
        "returning_rate",
        "loyalty",
        Text("Returning buyers", "老客购买占比"),
        Text("Of the period's buyers, the share who had bought before it.", "本期购买客户中此前购买过的比例。"),
        "share",
        "share",
        "more",
        ("orders",),
        ("population_days",),
    ),
    Kpi(
        "referral_rate",
        "loyalty",
        Text("Referral rate", "推荐率"),
        Text(
            "Of customers with an order or a running contract in the period, the share who referred or shared in it.",
            "本期有订单或有效合同的客户中，在本期推荐或分享过的比例。",
        ),
        "share",
        "share",
        "more",
        ("interactions", _EITHER),
    ),
    Kpi(
        "clv_historic",
        "money",
        Text("Historic CLV", "历史客户价值"),
        Text(
            "Margin up to the end of the period per customer who ever ordered or paid for a contract: revenue less "
            "cost where the cost is known, revenue times `margin_rate` elsewhere, less what went back.",
            "截至期末，曾下单或付费的客户的人均累计毛利：成本已知时为销售额减成本，否则为销售额乘毛利率"
            "（margin_rate），并扣除退货。",
        ),
        "money",
        "ratio",
        "more",
        (_EITHER,),
        comparable=False,
    ),
    Kpi(
        "clv_predicted",
        "money",
        Text("Predicted CLV", "预测客户价值"),
        Text(
            "Mean `clv` of the customers the model in service scored last: margin still to come; of the last period "
            "alone.",
            "当前模型最近一次评分中客户 clv 的均值，即未来毛利；只列于最后一期。",
        ),
        "money",
        "ratio",
        "more",
        ("records",),
    ),
    Kpi(
        "cac",
        "money",
        Text("CAC", "获客成本（CAC）"),
        Text(
            "Mean acquisition cost of the period's new customers for whom it is known.",
            "本期新客户中已知获客成本者的平均获客成本。",
        ),
        "money",
        "ratio",
        "less",
        ("customers.acquisition_cost", _EITHER),
        ("population_days",),
    ),
    Kpi(
        "clv_to_cac",
        "money",
        Text("Historic CLV : CAC", "历史客户价值与获客成本之比"),
        Text(
            "Margin so far over acquisition cost, both of customers who ever bought and whose acquisition cost is "
            "known.",
            "曾购买且获客成本已知的客户，其累计毛利与获客成本之比。",
        ),
        "ratio",
        "ratio",
        "more",
        ("customers.acquisition_cost", _EITHER),
        comparable=False,
    ),
    Kpi(
        "clv_total_to_cac",
        "money",
        Text("CLV : CAC", "客户价值与获客成本之比"),
        Text(
            "Margin so far and predicted CLV over acquisition cost, of customers scored last whose acquisition cost "
            "is known; of the last period alone.",
            "最近评分且获客成本已知的客户，其累计毛利与预测价值之和除以获客成本；只列于最后一期。",
        ),
        "ratio",
        "ratio",
        "more",
        ("records", "customers.acquisition_cost", _EITHER),
    ),
    Kpi(
        "cost_to_retain",
        "money",
        Text("Cost to retain", "留存成本"),
        Text(
            "Cost of the contacts carried out with those of whom the churn rate tells, in its {horizon_days} days, per "
            "customer who stayed. It does not say that they stayed for it.",
            "流失率所计客户在其 {horizon_days} 天内已执行触达的成本，除以留存客户数；并不说明其因触达而留存。",
        ),
        "money",
        "ratio",
        "less",
        ("contacts.cost", "orders"),
        ("population_days", "horizon_days"),
    ),
    Kpi(
        "cost_per_conversion",
        "money",
        Text("Marketing cost per conversion", "单次转化营销成本"),
        Text(
            "Acquisition cost of the prospects of whom the conversion rate tells, and of contacts in the first "
            "{conversion_days} days from the day they became known, before the day they converted, per one who "
            "converted; of those whose acquisition cost is known.",
            "转化率所计潜在客户的获客成本，加上自获知当日起 {conversion_days} 天内、转化当日之前的触达成本，"
            "除以转化人数；只计获客成本已知者。",
        ),
        "money",
        "ratio",
        "less",
        ("customers.acquisition_cost", _EITHER),
        ("conversion_days",),
    ),
)
"""Every figure there is, in the order in which they are shown."""

BY_NAME = {kpi.name: kpi for kpi in KPIS}
