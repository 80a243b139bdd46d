"""The decision record: what API, page, file and webhook all show of one customer in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from churnml.config import LifecycleRules
from churnml.events import By, Standing
from churnml.events.clock import days_later, midnight, moment
from churnml.features import FeatureTable
from churnml.measures import lifecycle_stages, stage_columns
from churnml.measures.funnel_stages import FunnelStage
from churnml.modeling.contentment import Told
from churnml.modeling.curve import QUANTILES, When
from churnml.scoring.conversion import UNTOLD, Converting
from churnml.scoring.next_category import UNTOLD as NO_CATEGORY
from churnml.scoring.next_category import Offers
from churnml.scoring.reasons import Reason
from churnml.scoring.score import Scores

Record = dict[str, Any]  # Any: JSON
Day = Callable[[int], str]
"""Gives the date so many days after the cutoff."""

_RUNG = {
    Standing.POPULATION: "contract",
    Standing.NO_CONTRACT: "no_contract",
    Standing.PROSPECT: "prospect",
    Standing.GONE: "gone",
    Standing.NO_PROFILING: "no_profiling",
}
"""Why a row is not scored: of contracts that no order ever accompanied nothing is learned yet."""

_MONEY_PLACES = 4
_ORDERING = ("orders_all", "tenure_days", "recency_days")
_COST, _RENEWAL = "acquisition_cost", "days_to_renewal"
_BASKETS = ("basket_90d", "basket_all", "contract_price")
"""What the next order may come to, the best first: lately, so far, or one period of what a contract costs."""

_TOLD_OF_NOBODY = (
    "last_order_on",
    "order_days",
    "tenure_days",
    "renews_on",
    "acquisition_cost",
    "expected_basket",
    "funnel_stage",
    "funnel_stage_label",
)
"""What is not told of those who refuse to be profiled."""


@dataclass(frozen=True)
class RunFacts:
    """What every record of a run shares."""

    run_id: str
    model_version: str
    cutoff: int
    horizon_days: int
    population_days: int
    clv_days: int
    currency: str
    time_zone: str
    discount_rate: float = 0.0
    churn_by: By = "orders"


def decision_records(
    table: FeatureTable,
    scores: Scores | None,
    told: list[list[Reason]],
    run: RunFacts,
    converting: Converting | None = None,
    rules: LifecycleRules | None = None,
    offers: Offers | None = None,
    funnel: Mapping[str, FunnelStage] | None = None,
) -> Iterator[Record]:
    """Yield the record of each member of the base, scored or not.

    Parameters
    ----------
    table : FeatureTable
        The whole base at one cutoff.
    scores, told
        Of the rows that are modelled, in their order; None where none is.
    converting : Converting or None
        Of the rows that are undecided, in theirs.
    rules : LifecycleRules, optional
        When a customer is in which stage.
    offers : Offers or None
        The next categories of all rows.
    funnel : mapping of str to FunnelStage, optional
        The furthest stage of the funnel that each customer has reached, of those who reached any.
    """
    modelled, undecided, on_trial = table.modelled, table.undecided, table.on_trial
    place, turn = np.cumsum(modelled) - 1, np.cumsum(undecided) - 1
    unknown = np.full(len(table), np.nan)
    orders, tenure, recency, cost, renewal = (
        table.column(name) if name in table.names else unknown for name in (*_ORDERING, _COST, _RENEWAL)
    )
    basket = _basket(table)
    stage = lifecycle_stages(
        stage_columns(table), table.standing, run.population_days, rules or LifecycleRules(), run.churn_by
    )
    ahead = cache(partial(_ahead_of, run))
    for row, customer in enumerate(table.customer_ids):
        record: Record = {
            "customer_id": customer,
            "cutoff": moment(run.cutoff, run.time_zone).isoformat(),
            "run_id": run.run_id,
            "model_version": run.model_version,
            "rung": scores.forecast.rung
            if scores and modelled[row]
            else _why_not(table, row, on_trial=bool(on_trial[row])),
            "churn_by": run.churn_by,
            "horizon_days": run.horizon_days,
            "population_days": run.population_days,
            "clv_days": run.clv_days,
            "discount_rate": run.discount_rate,
            "currency": run.currency,
            "lifecycle_stage": stage[row],
            **_funnel_stage((funnel or {}).get(customer)),
            "last_order_on": _day(run, recency[row]),
            "order_days": int(np.nan_to_num(orders[row])),
            "tenure_days": None if np.isnan(tenure[row]) else int(tenure[row]),
            "renews_on": None if np.isnan(renewal[row]) else _ahead_of(run, int(renewal[row])),
            "acquisition_cost": None if np.isnan(cost[row]) else round(float(cost[row]), _MONEY_PLACES),
            "expected_basket": None if np.isnan(basket[row]) else round(float(basket[row]), _MONEY_PLACES),
        }
        if table.standing[row] == Standing.NO_PROFILING:
            record |= dict.fromkeys(_TOLD_OF_NOBODY)
        found = _scored(scores, told, int(place[row]), run, ahead) if scores and modelled[row] else _UNSCORED
        found = found | (converting.record(int(turn[row])) if undecided[row] and converting else UNTOLD)
        found = found | (NO_CATEGORY if offers is None else offers.record(row))
        yield record | found | {"clv_to_cac": _ratio(found["clv"], record["acquisition_cost"])} | UNDECIDED


def _funnel_stage(reached: FunnelStage | None) -> Record:
    """Return the stage and its name in both languages, for a company may set stages of its own."""
    label = None if reached is None else asdict(reached.label)
    return {"funnel_stage": None if reached is None else reached.name, "funnel_stage_label": label}


def _basket(table: FeatureTable) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return what the next order of each customer may come to; NaN where nothing tells it."""
    found = np.full(len(table), np.nan)
    for name in reversed(_BASKETS):
        if name in table.names:
            told = table.column(name)
            found = np.where(np.isnan(told), found, told)
    return found


def _ratio(clv: float | None, cost: float | None) -> float | None:
    """Return the value to come for each unit of what winning the customer cost; None where either is not known."""
    return round(clv / cost, _MONEY_PLACES) if clv is not None and cost else None


def _why_not(table: FeatureTable, row: int, *, on_trial: bool) -> str:
    return "trial" if on_trial else _RUNG[Standing(int(table.standing[row]))]


def _day(run: RunFacts, days_before: float) -> str | None:
    """Return the local midnight of the day so many days before that of the cutoff."""
    if np.isnan(days_before):
        return None
    day = moment(days_later(run.cutoff, -int(days_before), run.time_zone), run.time_zone).date()
    return moment(midnight(day, run.time_zone), run.time_zone).isoformat()


def _ahead_of(run: RunFacts, days: int) -> str:
    """Return the date so many days after the cutoff."""
    return moment(days_later(run.cutoff, days, run.time_zone), run.time_zone).date().isoformat()


_MARGIN = ("expected_margin", "margin_low", "margin_median", "margin_high")
_SCORED = ("churn_probability", *_MARGIN, "clv", "cost_to_serve", "value_if_retained", "value_at_risk")
_BETWEEN = ("churn_probability_low", "churn_probability_high")
_SATISFACTION = {"satisfaction": "estimate", "satisfaction_low": "low", "satisfaction_high": "high"}
_POINT_PLACES = 1
_UNSCORED: Record = {
    **dict.fromkeys((*_SCORED, *_BETWEEN, "risk_band", "segment", "p_alive", *_SATISFACTION)),
    "satisfaction_from": "none",
    "next_order": [],
    "no_order_within": [],
    "contract_over_within": [],
    "remaining_life": [],
    "reasons": [],
}

UNDECIDED: Record = dict.fromkeys(
    (
        "action",
        "action_label",
        "action_script",
        "arm",
        "propensity",
        "drawn_by",
        "campaign",
        "assignment_id",
        "action_cost",
        "expected_net_value",
        "effect_source",
        "no_action_because",
    )
)
"""The fields that `assign` fills."""


def _scored(scores: Scores, told: list[list[Reason]], place: int, run: RunFacts, ahead: Day) -> Record:
    numbers = {name: float(getattr(scores, name)[place]) for name in _SCORED}
    money = {name: round(number, _MONEY_PLACES) for name, number in numbers.items() if name != "churn_probability"}
    low, high = scores.forecast.churn_low, scores.forecast.churn_high
    return {
        **numbers,
        **money,
        "churn_probability_low": None if low is None else float(low[place]),
        "churn_probability_high": None if high is None else float(high[place]),
        "risk_band": scores.band[place],
        "segment": scores.segment[place],
        "p_alive": float(scores.forecast.p_alive[place]),
        **_satisfaction(scores.forecast.satisfaction, place),
        "next_order": _when(scores.forecast.next_order, place, ahead),
        "no_order_within": [],
        "contract_over_within": [],
        "no_order_within" if run.churn_by == "orders" else "contract_over_within": [
            {"days": int(days), "probability": float(told), "extrapolated": bool(days > run.horizon_days)}
            for days, told in zip(scores.forecast.days, scores.forecast.churn_within[place], strict=True)
        ],
        "remaining_life": _when(scores.forecast.life, place, ahead),
        "reasons": [asdict(reason) for reason in told[place]],
    }


def _when(found: When | None, place: int, ahead: Day) -> list[Record]:
    """Return by which date something comes with each probability; of a day that has passed, the cutoff's."""
    if found is None:
        return []
    return [
        {"quantile": quantile, "date": None if np.isnan(days) else ahead(max(int(days) - 1, 0))}
        for quantile, days in zip(QUANTILES, found.days[place], strict=True)
    ]


def _satisfaction(told: Told | None, place: int) -> Record:
    if told is None or told.source[place] == "none":
        return {**dict.fromkeys(_SATISFACTION), "satisfaction_from": "none"}
    points = {name: round(float(getattr(told, end)[place]), _POINT_PLACES) for name, end in _SATISFACTION.items()}
    return {**points, "satisfaction_from": str(told.source[place])}
