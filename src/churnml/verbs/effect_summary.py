"""The effects as plain data: what a run keeps, what `--json` prints, what the page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.events.clock import moment
from churnml.modeling.uplift.cases import Cases, Window
from churnml.policy import load_actions
from churnml.policy.effect_words import Told, blocked_told, stop_told, verdict_told
from churnml.policy.effects import ActionEffect, Effect, Look
from churnml.policy.learned import propose_stop
from churnml.policy.measurement import Estimate
from churnml.policy.plans import Plan
from churnml.policy.sequences import always_valid
from churnml.verbs.effect_log import EVERYTHING, RECORDED, Log
from churnml.verbs.effect_trials import Trials
from churnml.verbs.session import Session
from churnml.wording import Text

_ALL = Text("Everything a campaign did, against the hold-out", "活动的全部行动（与长期留出组相比）")

Json = dict[str, Any]  # Any: JSON


def body_of(
    session: Session,
    found: Cases,
    log: Log,
    made: Trials,
    effects: Mapping[str, ActionEffect],
    plans: Mapping[str, Plan],
    ends: Mapping[str, int | None],
    window: Window,
    longest_weeks: int,
    campaign: str | None,
    by: str | None,
    more: Sequence[Text] = (),
) -> Json:
    """Return everything that was found about effects; `more` are remarks beside those that the figures need."""
    zone, currency = session.settings.time_zone, session.settings.currency
    closing = {name: None if end is None else _day(window.closes(end - 1, zone), zone) for name, end in ends.items()}
    ends_at = next(iter(closing.values())) if len(closing) == 1 else None
    about = Told(currency, ends_at, longest_weeks, ends=len(plans) <= 1)
    names = _names(session)
    verdicts = {name: one.overall.judged for name, one in effects.items() if one.overall and one.overall.judged}
    stops = propose_stop(verdicts)
    actions = {
        name: _action(names.get(name, Text(name, name)), one, about, window, zone)
        | {"naive": _estimate(made.naive.get(name)), "funnel": log.funnel.get(name)}
        | {"breaches": log.breaches.get(name, 0)}
        for name, one in effects.items()
    }
    return {
        "of": "effect",
        "as_of": _day(window.now, zone),
        "time_zone": zone,
        "currency": currency,
        "campaign": campaign,
        "by": by,
        "effect_horizon_days": window.horizon_days,
        "label_lag_days": window.label_lag_days,
        "churn_by": window.by,
        "cases": {"closed": len(found), "still_open": found.still_open, "customers_unknown": found.unknown},
        "plans": {name: plan.to_json() for name, plan in plans.items()},
        "planned_ends": closing,
        "ended": any(judged.ended for judged in verdicts.values()),
        "actions": actions,
        "proposed_for_stopping": [
            {"action": name, "said": _said(stop_told(names.get(name, Text(name, name))))} for name in stops
        ],
        "remarks": [_said(one) for one in [*_remarks(found, log, made, plans), *more]],
    }


def _names(session: Session) -> dict[str, Text]:
    """Return how the catalogue words the actions; a log may hold others, which keep their names."""
    file = session.configs / "actions.yaml"
    catalogue = load_actions(file if file.exists() else None)
    return {action.name: Text(action.label.en, action.label.zh) for action in catalogue.actions} | {EVERYTHING: _ALL}


def _action(name: Text, found: ActionEffect, about: Told, window: Window, zone: str) -> Json:
    overall = found.overall
    judged = overall.judged if overall else None
    said = blocked_told(name, found) if overall is None or judged is None else verdict_told(name, overall, about)
    return {
        "label": _said(name),
        "evidence": found.blocked or "randomised",
        "said": _said(said),
        "sample_ratio": {**vars(found.ratio), "holds": found.ratio.holds},
        "overall": overall and _effect(overall),
        "segments": {
            segment: _effect(one) | {"said": _said(verdict_told(_within(name, segment), one, about))}
            for segment, one in found.segments.items()
        },
        "looks": [_look(one, window, zone) for one in found.looks],
        "measured": found.measured and found.measured.to_json(),
    }


def _within(name: Text, segment: str) -> Text:
    return Text(f"{name.en}, {segment}", f"{name.zh}（{segment}）")


def _effect(one: Effect) -> Json:
    judged, margin, net = one.judged, one.margin.value, one.adjusted.value
    cost = margin - net
    return {
        "treated": one.treated,
        "controls": one.controls,
        "verdict": judged and judged.kind,
        "low": judged and judged.low,
        "high": judged and judged.high,
        "p": judged and judged.p,
        "interval": judged and ("fixed" if judged.ended else "always_valid"),
        "wait": judged and judged.wait and vars(judged.wait),
        "difference": _estimate(one.plain, one.planned),
        "cuped": _estimate(one.cuped, one.planned),
        "doubly_robust": _estimate(one.adjusted, one.planned),
        "margin": _estimate(one.margin, one.planned),
        "churn": _estimate(one.churn, one.planned),
        "churn_without": one.without,
        "churn_avoided": -one.churn.value * one.treated,
        "money": {
            "margin_per_case": margin,
            "cost_per_case": cost,
            "net_per_case": net,
            "margin": margin * one.treated,
            "cost": cost * one.treated,
            "net": net * one.treated,
            "net_low": judged and judged.low * one.treated,
            "net_high": judged and judged.high * one.treated,
            "return_on_cost": net / cost if cost > 0 else None,
        },
    }


def _estimate(found: Estimate | None, planned: int | None = None) -> Json | None:
    if found is None:
        return None
    told: Json = {"value": found.value, "error": found.error, "cases": found.n, "fixed": list(found.fixed())}
    return told if planned is None else told | {"always_valid": list(always_valid(found, planned))}


def _look(one: Look, window: Window, zone: str) -> Json:
    closed = _day(window.closes(one.begun_before - 1, zone), zone)
    return {"closed_by": closed, "value": one.value, "low": one.low, "high": one.high}


def _remarks(found: Cases, log: Log, made: Trials, plans: Mapping[str, Plan]) -> list[Text]:
    """Return what a reader must know to read the figures."""
    remarks = []
    if found.still_open:
        remarks.append(
            Text(
                f"{found.still_open:,} treatments are left out because their windows have not closed.",
                f"有 {found.still_open:,} 例因观察期未结束而未计入。",
            )
        )
    if found.unknown:
        remarks.append(
            Text(
                f"{found.unknown:,} treatments are left out because their customers were not known before.",
                f"有 {found.unknown:,} 例因当时尚无该客户的记录而未计入。",
            )
        )
    for name, count in log.breaches.items():
        remarks.append(
            Text(
                f"{name}: {count:,} controls were treated all the same; they are counted as controls, which makes the "
                "effect look smaller than it is.",
                f"{name}：有 {count:,} 名对照客户仍被触达；仍按对照计算，因此效果会显得偏小。",
            )
        )
    remarks += [
        Text(
            f"{name}: no contact says what it cost, so nothing is taken off but what orders hold of it.",
            f"{name}：没有任何触达记录成本，因此除订单中已含的部分外，未扣除成本。",
        )
        for name in sorted(made.unpriced)
    ]
    if len(plans) > 1:
        remarks.append(
            Text(
                f"{len(plans)} campaigns have no planned end in common, so intervals are those for any look; name one "
                "with --campaign for its own end.",
                f"{len(plans)} 个活动没有共同的计划终点，因此采用随时有效的区间；"
                "用 --campaign 指定一个活动可按其终点判断。",
            )
        )
    return remarks


def left_out_told(others: Mapping[str, int], horizon_days: int) -> list[Text]:
    """Return which campaigns are left out because their plans look at outcomes over other days than are set now."""
    return [
        Text(
            f"The campaign {name} is left out: its plan looks at outcomes over {days} days, and `effect_horizon_days` "
            f"is {horizon_days} now. To measure it, set that back in configs/assign.yaml.",
            f"未计入活动 {name}：其计划按 {days} 天观察结果，而 `effect_horizon_days` 现为 {horizon_days}。"
            "如需评估，请在 configs/assign.yaml 中改回。",
        )
        for name, days in others.items()
    ]


def unlabelled_told(found: Cases, labels: npt.NDArray[np.object_] | None, by: str | None) -> list[Text]:
    """Return of how many cases it is not known to which segment they belong, and why; nothing where all do."""
    if labels is None:
        return []
    # who is held against the hold-out stands among the other actions already
    own = found.treatments.action != EVERYTHING
    count, of = int((labels[own] == "").sum()), int(own.sum())
    why = Text("it is not recorded of their customers", "这些客户没有该属性的记录")
    if by in RECORDED:
        why = Text(
            "only assignments have a decision record that says it, contacts that were ingested have none",
            "只有分配的决策记录中才有，导入的触达记录中没有",
        )
    told = Text(
        f"{count:,} of {of:,} cases belong to no segment by `{by}`: {why.en}.",
        f"{of:,} 例中有 {count:,} 例不属于任何按 `{by}` 划分的分群：{why.zh}。",
    )
    return [told] if count else []


def _said(text: Text) -> dict[str, str]:
    return {"en": text.en, "zh": text.zh}


def _day(instant: int, zone: str) -> str:
    return moment(instant, zone).date().isoformat()
