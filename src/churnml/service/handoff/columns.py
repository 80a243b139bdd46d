"""What of a record is handed over, and what the tool calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from churnml.errors import ConfigError, nearest
from churnml.service.handoff.shapes import Naming, Shape
from churnml.service.handoff.sorting_out import barred_because
from churnml.service.readings import Record
from churnml.wording import Language, Text

Value = str | float | bool | None
_HALF = 0.5


@dataclass(frozen=True)
class Field:
    """A field that can be handed over.

    Parameters
    ----------
    kind : {'text', 'money', 'probability', 'truth', 'day'}
        How it is written: money to two places, probabilities to four, days as ISO 8601.
    title : Text
        What people call it.
    value : callable
        Takes a record, a language and the e-mail address, and returns the value.
    """

    kind: Literal["text", "money", "probability", "truth", "day"]
    title: Text
    value: Callable[[Record, Language, str | None], Value]


@dataclass(frozen=True)
class Chosen:
    """A column of the file: which field, and what the tool calls it."""

    name: str
    field: Field
    header: str


def _told(name: str) -> Callable[[Record, Language, str | None], Value]:
    return lambda record, _language, _mail: record.get(name)


def _day(name: str) -> Callable[[Record, Language, str | None], Value]:
    return lambda record, _language, _mail: (record.get(name) or "")[:10] or None


def _next_order(record: Record, _language: Language, _mail: str | None) -> Value:
    return next((one["date"] for one in record.get("next_order") or [] if one["quantile"] == _HALF), None)


def _reason(record: Record, language: Language, _mail: str | None) -> Value:
    reasons = record.get("reasons") or []
    return reasons[0]["sentence"][language] if reasons else None


FIELDS: Mapping[str, Field] = {
    "customer_id": Field("text", Text("Customer Id", "客户编号"), _told("customer_id")),
    "email": Field("text", Text("Email Address", "邮箱"), lambda _record, _language, mail: mail),
    "churn_probability": Field("probability", Text("Churn Probability", "流失概率"), _told("churn_probability")),
    "risk_band": Field("text", Text("Risk Band", "风险等级"), _told("risk_band")),
    "value_at_risk": Field("money", Text("Value At Risk", "风险价值"), _told("value_at_risk")),
    "clv": Field("money", Text("Clv", "客户终身价值"), _told("clv")),
    "currency": Field("text", Text("Currency Code", "币种"), _told("currency")),
    "lifecycle_stage": Field("text", Text("Churn Lifecycle Stage", "生命周期阶段"), _told("lifecycle_stage")),
    "segment": Field("text", Text("Churn Segment", "客户分群"), _told("segment")),
    "reason": Field("text", Text("Churn Reason", "流失原因"), _reason),
    "action": Field("text", Text("Suggested Action", "建议动作"), _told("action")),
    "action_label": Field(
        "text",
        Text("Suggested Action Label", "建议动作名称"),
        lambda record, language, _mail: (record.get("action_label") or {}).get(language),
    ),
    "expected_net_value": Field("money", Text("Expected Net Value", "预期净值"), _told("expected_net_value")),
    "campaign": Field("text", Text("Retention Campaign", "挽留活动"), _told("campaign")),
    "assignment_id": Field("text", Text("Assignment Id", "分配编号"), _told("assignment_id")),
    "next_order_on": Field("day", Text("Next Order On", "预计下单日期"), _next_order),
    "renews_on": Field("day", Text("Renews On", "续约日期"), _day("renews_on")),
    "do_not_approach": Field(
        "truth",
        Text("Do Not Approach", "请勿联系"),
        lambda record, _language, _mail: barred_because(record) is not None,
    ),
    "do_not_approach_because": Field(
        "text",
        Text("Do Not Approach Because", "请勿联系的原因"),
        lambda record, _language, _mail: barred_because(record),
    ),
    "scored_on": Field("day", Text("Scored On", "评分日期"), _day("cutoff")),
    "run_id": Field("text", Text("Run Id", "运行编号"), _told("run_id")),
}
"""What can be handed over, by the name that configs/handoff.yaml uses."""

_ONLY_MAILCHIMP = "email"


def chosen_columns(target: str, shape: Shape, named: Mapping[str, str]) -> list[Chosen]:
    """Return the columns of a file.

    Parameters
    ----------
    target : str
        Its name, for errors.
    named : mapping of str to str
        Our field, and what the tool calls it, as configs/handoff.yaml says; all fields under usual names if empty.

    Raises
    ------
    ConfigError
        If there is no such field, two have one name, or the field by which the tool finds its records is missing.
    """
    for name in named:
        if name not in FIELDS:
            raise ConfigError(f"`{target}.columns` has no field `{name}` to hand over{nearest(name, FIELDS)}")
    if named and shape.key not in named:
        raise ConfigError(f"`{target}.columns` must name `{shape.key}`, by which {shape.title} finds its records")
    if len(set(named.values())) < len(named):
        raise ConfigError(f"`{target}.columns` must give each field a name of its own, found one twice")
    usual = {name: _name(name, field, shape.naming) for name, field in FIELDS.items()}
    if shape.key != _ONLY_MAILCHIMP:
        usual.pop(_ONLY_MAILCHIMP)
    wanted = dict(named) or usual
    order = sorted(wanted, key=lambda name: name != shape.key)  # the key first, the others as they are
    return [Chosen(name, FIELDS[name], wanted[name]) for name in order]


def _name(name: str, field: Field, naming: Naming) -> str:
    words = field.title.en.split()
    match naming:
        case "custom_field":
            return "_".join(words) + "__c"
        case "api_name":
            return "_".join(words)
        case "camel":
            return words[0].lower() + "".join(words[1:])
        case "label":
            return field.title.en
        case "chinese":
            return field.title.zh
        case "snake":
            return name
