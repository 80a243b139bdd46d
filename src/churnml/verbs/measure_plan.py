"""`churnml measure plan`: how long it takes until each action's effect can be told, or that this base never will."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.config import AssignConfig
from churnml.database import Ledger
from churnml.errors import NotFoundError, UsageError
from churnml.events import By, outcome
from churnml.events.clock import days_later, microseconds
from churnml.events.point_in_time import history
from churnml.events.population import Standing, standing
from churnml.labels import margin
from churnml.policy import Catalogue, Facts, Limits, eligibility, load_actions, prior_effect
from churnml.policy.planner import Experiment, Plan, Spread, Supply, best_split, plan_amount, plan_share, spread
from churnml.policy.planner_words import Because, Limit, Measured, Question, advised, said
from churnml.verbs.deciding import facts_of, sector_of
from churnml.verbs.known_effects import measured_catalogue
from churnml.verbs.session import Session
from churnml.wording import Language, Text, format_money

Json = dict[str, Any]  # Any: JSON
Floats = npt.NDArray[np.float64]
_WEEKS = 104
_FEWEST = 30


@dataclass(frozen=True)
class Asked:
    """What a plan was asked for beside the settings: sizes of effects, customers a week, power and level."""

    churn_effect: float | None = None
    margin_effect: float | None = None
    per_week: int | None = None
    power: float = 0.8
    level: float = 0.05


@dataclass(frozen=True)
class _Base:
    """The customers who were scored last, and what is known of each and of each action."""

    session: Session
    config: AssignConfig
    catalogue: Catalogue
    facts: Facts
    record: Json
    is_open: npt.NDArray[np.bool_]

    @property
    def currency(self) -> str:
        return self.session.settings.currency

    @cached_property
    def costs(self) -> Floats:
        basket = self.facts.basket
        unknown = np.full(len(self.facts.customer_ids), np.nan)
        return self.catalogue.costs(unknown if basket is None else basket)

    @cached_property
    def spread(self) -> Spread | None:
        """How the margin of the population varied lately; None where history holds no two stretches of customers."""
        return _spread(self.session, self.record, self.config.effect_horizon_days)


def plan(
    session: Session,
    asked: Asked,
    *,
    budget: float | None = None,
    control_share: float | None = None,
    actions: Path | None = None,
) -> Json:
    """Return for each action how many customers and weeks its effect takes to be told, as plain data with words.

    Raises
    ------
    NotFoundError
        If nothing was scored yet.
    UsageError
        If an option is out of its range.
    """
    config = session.load("assign", AssignConfig, budget=budget, control_share=control_share)
    experiment = Experiment(config.control_share, asked.power, asked.level)
    _check(asked)
    base = _base(session, config, actions)
    return {
        "customers": len(base.facts.customer_ids),
        "budget": config.budget,
        "control_share": config.control_share,
        "power": asked.power,
        "level": asked.level,
        "currency": base.currency,
        "effect_horizon_days": config.effect_horizon_days,
        "spread": None if base.spread is None else asdict(base.spread),
        "actions": [_of_action(base, place, experiment, asked) for place in range(1, len(base.catalogue.actions))],
    }


def _check(asked: Asked) -> None:
    if asked.per_week is not None and asked.per_week < 1:
        raise UsageError(
            f"--per-week must be at least 1, got {asked.per_week}; leave it out to count who is open today"
        )
    if asked.churn_effect is not None and not 0 < asked.churn_effect < 1:
        raise UsageError(f"--churn-effect is a fall of a share, between 0 and 1, got {asked.churn_effect:g}; try 0.02")
    if asked.margin_effect is not None and not 0 < asked.margin_effect < math.inf:
        raise UsageError(
            f"--margin-effect is an amount above 0, got {asked.margin_effect:g}; try what the action costs"
        )


def _base(session: Session, config: AssignConfig, actions: Path | None) -> _Base:
    own = session.configs / "actions.yaml"
    catalogue = load_actions(actions or (own if own.exists() else None))
    scored = session.catalogue.last_run("score")
    if scored is None:
        raise NotFoundError("nothing is scored yet in this workspace; run `churnml score` first")
    population = [one for one in session.records.of_run(scored.run_id) if one["churn_probability"] is not None]
    facts = facts_of(session, population, catalogue, config, Ledger(session.catalogue.engine), "", ())
    # who waits for a pause to end is open again before the experiment is over
    facts = replace(facts, contacts=None, assigned_contacts=None, days_since=None)
    allowed = eligibility(catalogue, facts, Limits(sector_of(config, population), config.contacts_per_week))
    return _Base(
        session,
        config,
        measured_catalogue(session, catalogue),
        facts,
        population[0] if population else {},
        allowed.is_open,
    )


def _of_action(base: _Base, place: int, experiment: Experiment, asked: Asked) -> Json:
    action, who = base.catalogue.actions[place], base.is_open[:, place]
    body: Json = {"action": action.name, "label": action.label.model_dump(), "open": int(who.sum())}
    if not who.any():
        return body | {"reachable": 0, "limited_by": "open", "plans": [], "advice": None}
    cost = float(base.costs[who, place].mean())
    reachable, limit = _reachable(base, int(who.sum()), cost, experiment, asked)
    per_week = asked.per_week or min(reachable, action.capacity or reachable)
    plans = list(_plans(base, place, experiment, asked, _Reach(cost, reachable, per_week, limit)))
    advice = _advice(base, place, cost)
    return body | {"reachable": reachable, "limited_by": limit, "plans": plans, "advice": advice}


@dataclass(frozen=True)
class _Reach:
    """What one treated costs on average, and how many customers of both arms there can be."""

    cost: float
    customers: int
    per_week: float
    limit: Limit

    def supply(self, days: int) -> Supply:
        return Supply(self.customers, self.per_week, days)


def _reachable(base: _Base, is_open: int, cost: float, experiment: Experiment, asked: Asked) -> tuple[int, Limit]:
    """Return how many customers of both arms there can be, and by what; controls cost nothing."""
    coming: tuple[int, Limit] = (is_open, "open") if asked.per_week is None else (asked.per_week * _WEEKS, "asked")
    treated = base.config.budget / cost if cost > 0 else math.inf
    affordable = treated / (1 - experiment.control_share)
    return (int(affordable), "budget") if affordable < coming[0] else coming


def _plans(base: _Base, place: int, experiment: Experiment, asked: Asked, reach: _Reach) -> Iterator[Json]:
    who = base.is_open[:, place]
    churn, value = (np.asarray(column)[who] for column in (base.facts.churn_probability, base.facts.value_if_retained))
    untreated, days = float(churn.mean()), int(base.record["horizon_days"])
    for because, fall in _falls(base, place, untreated, float(value.mean()), reach.cost, asked):
        found = plan_share(untreated, untreated - fall, experiment, reach.supply(days))
        yield _told(base, found, "churn", because, days, reach) | {"untreated": untreated}
    gain = reach.cost if asked.margin_effect is None else asked.margin_effect
    if base.spread is not None and gain > 0:
        reason: Because = "pays" if asked.margin_effect is None else "given"
        horizon = base.config.effect_horizon_days
        found = plan_amount(gain, base.spread, experiment, reach.supply(horizon))
        yield _told(base, found, "margin", reason, horizon, reach)


def _falls(
    base: _Base, place: int, untreated: float, value: float, cost: float, asked: Asked
) -> Iterator[tuple[Because, float]]:
    """Yield by how much the share of leavers may fall: as asked; or as assumed, and so that it pays its cost."""
    if asked.churn_effect is not None:
        yield "given", min(asked.churn_effect, untreated)
        return
    facts, who = base.facts, base.is_open[:, place]
    effect = prior_effect(base.catalogue, facts.churn_probability, facts.value_if_retained, facts.expected_margin)
    yield "prior", min(-float(effect.churn_change[who, place].mean()), untreated)
    if value > 0 and 0 < cost / value < untreated:
        yield "pays", cost / value


def _told(base: _Base, found: Plan, measured: Measured, because: Because, days: int, reach: _Reach) -> Json:
    question = Question(measured, because, days, base.currency, reach.limit, _WEEKS)
    return {
        "measured": measured,
        "because": because,
        "days": days,
        **asdict(found),
        "conclusive": found.conclusive,
        "says": asdict(said(found, question)),
    }


def _advice(base: _Base, place: int, cost: float) -> Json | None:
    """Return which share of controls tells most for the budget; a control costs what its action would have brought."""
    facts, who = base.facts, base.is_open[:, place]
    effect = prior_effect(base.catalogue, facts.churn_probability, facts.value_if_retained, facts.expected_margin)
    forgone = max(float(effect.margin_change[who, place].mean()) - cost, 0.0)
    split = best_split(base.config.budget, cost, forgone, float(who.sum()))
    if split is None:
        return None
    words = advised(split, base.config.control_share, base.config.budget, base.currency)
    return {
        "control_share": split.control_share,
        "treated": split.treated,
        "control": split.control,
        "says": asdict(words),
    }


def _spread(session: Session, record: Json, days: int) -> Spread | None:
    """Return how the margin of the last stretch before the scores varies, and goes with that of the one before."""
    store = session.store
    if not record:
        return None
    cutoff, zone = microseconds(datetime.fromisoformat(record["cutoff"])), store.time_zone
    begins = [days_later(cutoff, -2 * days, zone), days_later(cutoff, -days, zone)]
    if begins[0] < store.span[0]:
        return None
    by: By = record.get("churn_by") or "orders"
    wanted = {"orders": ("amount",)} if "orders" in store.tables else {}
    stretches: list[Floats] = []
    for number in range(store.n_blocks):
        block = history(store, number, begins[1:], wanted)
        inside = standing(block, begins[1:], int(record["population_days"]), zone, by)[0] == Standing.POPULATION
        came = outcome(store, number, begins, days, known_by=cutoff)
        stretches.append(margin(came, session.settings.margin_rate)[:, inside])
    both = np.concatenate(stretches, axis=1)
    return spread(*both) if both.shape[1] >= _FEWEST else None


def told(body: Json, language: Language) -> str:
    """Return the plans in words, action by action."""
    head = Text(
        "{n} customers; {share:.0%} controls, {power:.0%} power, {level:.0%} two-sided. Each action is planned as if "
        "the campaign's budget of {budget:,.0f} {currency} were its alone.",
        "共 {n} 位客户；对照比例 {share:.0%}，检验功效 {power:.0%}，双侧水平 {level:.0%}。"
        "每个动作均按独占本期预算 {budget:,.0f} {currency} 规划。",
    )
    lines = [
        head.to(language).format(
            n=f"{body['customers']:,}",
            share=body["control_share"],
            power=body["power"],
            level=body["level"],
            budget=body["budget"],
            currency=body["currency"],
        )
    ]
    lines.append(_spread_told(body, language))
    for action in body["actions"]:
        if action["open"]:
            lines += ["", action["label"][language], *(f"  {line[language]}" for line in _lines(action))]
    closed = [action["label"][language] for action in body["actions"] if not action["open"]]
    if closed:
        nobody = Text("Open to nobody today: {names}.", "目前没有可用客户的动作：{names}。")
        lines += ["", nobody.to(language).format(names=("、" if language == "zh" else ", ").join(closed))]
    return "\n".join(lines)


def _spread_told(body: Json, language: Language) -> str:
    found = body["spread"]
    if found is None:
        short = Text(
            "Margin is not planned: history holds no two effect horizons of at least {fewest} customers.",
            "未规划毛利：历史数据不足两个效果窗口，或客户少于 {fewest} 位。",
        )
        return short.to(language).format(fewest=_FEWEST)
    varies = Text(
        "Margin of {days} days varies by {sd} between customers; {share:.0%} of that variance was told by the {days} "
        "days before, and need not be averaged away.",
        "{days} 天毛利在客户间的标准差为 {sd}；其中 {share:.0%} 的方差可由此前 {days} 天解释，无需靠样本量抵消。",
    )
    sd = format_money(found["sd"], body["currency"], language)
    return varies.to(language).format(days=body["effect_horizon_days"], sd=sd, share=found["correlation"] ** 2)


def _lines(action: Json) -> Sequence[dict[str, str]]:
    said = [one["says"] for one in action["plans"]]
    return [*said, action["advice"]["says"]] if action["advice"] else said
