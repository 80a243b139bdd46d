"""`churnml train`: features, labels, models, an honest out-of-time report, a bundle, and the champion."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from churnml.config import BacktestConfig, TrainConfig, flat
from churnml.errors import NotEnoughDataError
from churnml.events.clock import DAY
from churnml.verbs.features import of_session
from churnml.verbs.horizon import told as told_horizon
from churnml.verbs.horizon import train_config
from churnml.verbs.session import Session, clock
from churnml.verbs.tracked import champion_told, tracked

if TYPE_CHECKING:
    from churnml.features import Catalogue
    from churnml.labels import Horizon
    from churnml.modeling.conversion_standing import Conversion
    from churnml.modeling.judgement import Judgement
    from churnml.modeling.tracking import Entry
    from churnml.modeling.train import Trained

Json = dict[str, Any]  # Any: JSON

_FEWEST_DAYS = 14
"""The shortest horizon that is ever suggested."""


def train(session: Session, *, cutoff: str | None = None, overrides: dict[str, Any] | None = None) -> Json:
    """Train for use at a cutoff and return the run's summary; a run with the same inputs is not repeated.

    Parameters
    ----------
    cutoff : str, optional
        A date; the midnight after the last order by default. Nothing after it is read.
    overrides : dict, optional
        Fields of `configs/train.yaml` that the command line sets.

    Raises
    ------
    NotEnoughDataError
        If no orders have landed, nobody ordered lately, or history is shorter than a fortnight; the message says what
        would suffice. What few customers can teach is learned from few, see `modeling.ladder`.
    ModelRefusedError
        If the new bundle cannot score in a process of its own.
    """
    from churnml.labels import check_taught_by  # noqa: PLC0415

    now = session.cutoff(cutoff)
    config, suggested = train_config(session, now, **(overrides or {}))
    check_taught_by(session.store, config.by)
    _require_history(session, now)
    inputs = session.inputs(config, cutoff=now)
    done = session.catalogue.last_run("train")
    if done is not None and done.inputs == inputs and done.bundle and session.has_whole(done.bundle):
        return done.summary
    return _run(session, config, suggested, now, inputs)


def _require_history(session: Session, now: int) -> None:
    have = max(now - session.store.span[0], 0) // DAY
    if have < _FEWEST_DAYS:
        raise NotEnoughDataError(
            f"training needs {_FEWEST_DAYS} days of history to tell a silence from a pause, found {have} before the "
            "cutoff; ingest older orders, or wait"
        )


def answers_by_blend(session: Session) -> bool:
    """Tell whether the champion is a blend; then one that is refused gives way to no lower rung."""
    champion = session.catalogue.alias("champion")
    return any(run.bundle == champion and run.summary.get("rung") == "blend" for run in session.catalogue.runs("train"))


def _run(session: Session, config: TrainConfig, suggested: Horizon | None, now: int, inputs: str) -> Json:
    from churnml.events.clock import moment  # noqa: PLC0415
    from churnml.modeling.bundle import save_bundle, try_bundle  # noqa: PLC0415
    from churnml.modeling.calibration_words import calibration_json, calibration_told  # noqa: PLC0415
    from churnml.modeling.card import model_card  # noqa: PLC0415
    from churnml.modeling.climb import climb  # noqa: PLC0415  # LightGBM takes seconds to import
    from churnml.modeling.conversion_standing import stand, tries  # noqa: PLC0415
    from churnml.modeling.gates import refusals  # noqa: PLC0415
    from churnml.modeling.next_category import next_category  # noqa: PLC0415
    from churnml.modeling.next_category.words import next_category_told  # noqa: PLC0415
    from churnml.modeling.satisfaction import satisfaction  # noqa: PLC0415
    from churnml.modeling.satisfaction_words import satisfaction_told  # noqa: PLC0415

    zone, campaign = session.settings.time_zone, session.load("backtest", BacktestConfig).campaign
    with session.running("train", inputs) as run_id:
        tried, features, rate = tries(session.store, config), of_session(session), session.settings.margin_rate
        keep = answers_by_blend(session)
        stood = climb(session.store, features, now, config, rate, session.step, tried.at_origin, keep_blend=keep)
        trained, judged, asked, step = stood.trained, stood.judged, stood.gates, stood.step
        with session.step("Learning who becomes a customer"):
            conversion = stand(trained, tried, session.store, config, stood.not_judged)
        trained = replace(trained, model=replace(trained.model, conversion=conversion.model))
        with session.step("Learning satisfaction from those who answered, and trying it out of time"):
            content = satisfaction(session.store, of_session(session), trained.snapshots.table, now, config)
        trained = replace(trained, model=replace(trained.model, contentment=content.contentment))
        with session.step("Learning which category comes next, and trying it out of time"):
            category = next_category(session.store, now, config)
        trained = replace(trained, model=replace(trained.model, next_category=category.model))
        facts = {
            "cutoffs": [moment(one, zone).isoformat() for one in trained.cutoffs],
            "cutoff": moment(now, zone).isoformat(),
            "inputs_digest": inputs,
            "own_features": {file.name: digest for file, digest in session.own_features.items()},
            "config": config.model_dump(mode="json"),
            "rung": step.rung,
            "not_judged_because": stood.not_judged,
            "judged": judged and judged.to_json(),
            "calibration": calibration_json(trained),
            "conversion": conversion.to_json(),
            "satisfaction": content.to_json(),
            "next_category": category.to_json(),
        }
        bundle = save_bundle(trained.model, facts, session.workspace.models)
        with session.step("Trying the bundle in a process of its own"):
            try_bundle(session.workspace.models / bundle, learners=session.own_learners)
        summary: Json = {
            "model_version": bundle,
            "inputs": inputs,
            "cutoff": facts["cutoff"],
            "horizon_days": config.horizon_days,
            "churn_by": config.by,
            "horizon": None
            if suggested is None
            else {"says": told_horizon(config, suggested), "suggested": suggested.to_json()},
            "rung": step.rung,
            "rung_because": step.because,
            "next_rung_needs": step.next_needs,
            "training_cutoffs": len(trained.cutoffs),
            "snapshots": len(trained.snapshots.table),
            "weights": dict(zip(trained.model.churn.learners, trained.model.churn.weights, strict=True)),
            "calibration": facts["calibration"],
            "gates": [gate.to_json() for gate in asked],
            "not_promoted_because": refusals(asked),
            "not_judged_because": stood.not_judged,
            "judged": judged and judged.to_json(),
            "conversion": conversion.to_json(),
            "satisfaction": content.to_json(),
            "next_category": category.to_json(),
            "curves": stood.curves,
            "campaign": campaign.model_dump(),
            "weighs": _weighs(trained, features),
        }
        currency = session.settings.currency
        card = model_card(bundle, trained, judged, asked, zone, currency, stood.not_judged, step, conversion)
        card += calibration_told(trained) + satisfaction_told(content) + next_category_told(category)
        more = conversion.metrics() | content.metrics() | category.metrics()
        summary["not_tracked_because"] = tracked(
            session, lambda: _entry(session, config, suggested, trained, summary, judged, card, conversion, more)
        )
        summary["card"] = card
        session.catalogue.finish(run_id, clock(), summary, bundle=bundle)
    if not summary["not_promoted_because"]:
        session.catalogue.move_alias("champion", bundle, clock())
        if not summary["not_tracked_because"]:  # a server that is away was told of already
            champion_told(session, bundle)
    return summary


def _weighs(trained: Trained, features: Catalogue) -> list[Json]:
    """Return which features weigh most; none where few customers taught and none is learned from."""
    from churnml.scoring.weights import weights  # noqa: PLC0415

    base = trained.snapshots.base_at_now
    return weights(trained.model, base.take(base.modelled), features)


def _entry(
    session: Session,
    config: TrainConfig,
    suggested: Horizon | None,
    trained: Trained,
    summary: Json,
    judged: Judgement | None,
    card: str,
    conversion: Conversion,
    more: dict[str, float],
) -> Entry:
    from churnml.modeling.calibration_words import calibration_metrics  # noqa: PLC0415
    from churnml.modeling.plots import calibration_plot, gain_plot, gap_plot, importance_plot  # noqa: PLC0415
    from churnml.modeling.tracking import Entry, Taught  # noqa: PLC0415  # MLflow takes seconds to import

    bundle, trees = summary["model_version"], trained.model.churn.trees
    plots = {}
    if judged is not None:
        plots["calibration.png"] = calibration_plot(judged.churned, judged.probability)
        plots["gain.png"] = gain_plot(judged.churned, judged.probability)
    if trees is not None:
        plots["importance.png"] = importance_plot(trained.model.design.columns, trees.feature_importance("gain"))
    rows: Counter[str] = Counter()
    for part in session.catalogue.parts():
        rows[part.table_name] += part.rows
    return Entry(
        bundle[:12],
        params=flat(config.model_dump())
        | {
            "calibration_taken": summary["calibration"]["taken"],
            "calibration_because": summary["calibration"]["because"],
        },
        metrics={**(judged.metrics() if judged else {}), **calibration_metrics(trained.churn_fit.choice), **more},
        tags={
            "bundle": bundle,
            "cutoff": summary["cutoff"],
            "rung": summary["rung"],
            "conversion_rung": summary["conversion"]["rung"] or "none",
            "judged_at": judged.cutoff if judged else "not judged",
            "gates": "; ".join(summary["not_promoted_because"]) or "passed",
        },
        curves=_by_cutoff(trained),
        plots=plots if suggested is None else {**plots, "gaps.png": gap_plot(suggested, config.horizon_days)},
        texts={"MODEL_CARD.md": card},
        parts=[
            Entry(name, metrics=figures, tags={"kind": "baseline"})
            for name, figures in [*(judged.baselines() if judged else []), *conversion.baselines()]
        ],
        taught=Taught(summary["inputs"], rows),
        bundle=session.workspace.models / bundle,
    )


def _by_cutoff(trained: Trained) -> dict[str, list[tuple[int, float]]]:
    """Return how many were in the population at each training cutoff, and what share of them left."""
    at, churned = trained.snapshots.table.cutoffs, trained.snapshots.churned
    days = [(cutoff // DAY, at == cutoff) for cutoff in trained.cutoffs if (at == cutoff).any()]
    return {
        "population_at_cutoff": [(day, float(rows.sum())) for day, rows in days],
        "churn_rate_at_cutoff": [(day, float(churned[rows].mean())) for day, rows in days],
    }


_BY_CONTRACTS = "leaving is the end of a contract that none continued (`churn` in configs/train.yaml)\n"


def told(summary: Json) -> str:
    """Return the summary in words for people."""
    refused = summary["not_promoted_because"]
    fate = "promoted to champion" if not refused else f"not promoted: {'; '.join(refused)}"
    horizon = f"{summary['horizon']['says']}\n" if summary["horizon"] else ""
    cutoffs = summary["training_cutoffs"]
    horizon += _BY_CONTRACTS if summary["churn_by"] == "contracts" else ""
    return (
        f"{horizon}model {summary['model_version'][:12]} from {cutoffs} cutoff{'s' * (cutoffs != 1)}, {fate}\n"
        f"{_rung_told(summary)}{_judged_told(summary)}{_calibration_told(summary)}{_satisfaction_told(summary)}{_next_told(summary)}\n"
        f"{_conversion_told(summary['conversion'])}"
    )


def _rung_told(summary: Json) -> str:
    if not summary["rung_because"]:
        return ""
    return (
        f"rung `{summary['rung']}`, because {summary['rung_because']}; the next takes {summary['next_rung_needs']}. "
        "Each score has its interval\n"
    )


def _calibration_told(summary: Json) -> str:
    found = summary.get("calibration")
    return f"\ncalibration `{found['taken']}`, for {found['because']}" if found else ""


def _satisfaction_told(summary: Json) -> str:
    """Return how satisfaction did; nothing where no survey was ever sent, which is no news."""
    from churnml.modeling.satisfaction_words import told_of  # noqa: PLC0415

    found = summary.get("satisfaction")
    return f"\n{told_of(found)}" if found and found["asked"] else ""


def _next_told(summary: Json) -> str:
    """Return how the next category did; nothing where no order lines name categories, which is no news."""
    from churnml.modeling.next_category.words import told_of  # noqa: PLC0415

    found = summary.get("next_category")
    return f"\n{told_of(found)}" if found and found["categories"] else ""


def _judged_told(summary: Json) -> str:
    if summary["judged"] is None:
        return f"not judged out of time, because {summary['not_judged_because']}"
    judged = summary["judged"]["churn"]
    return (
        f"out of time on {judged['test']}: AUROC {judged['auroc']:.3f}, of the riskiest tenth "
        f"{judged['riskiest_tenth']:.0%} left against {judged['base_rate']:.0%} of all"
    )


def _conversion_told(found: Json) -> str:
    if found["rung"] is None:
        return f"no probability of conversion, because {found['because']}"
    rung = "" if found["rung"] == "blend" else f" (rung `{found['rung']}`, because {found['because']})"
    if found["judged"] is None:
        return f"conversion of {found['prospects']:,} prospects is told{rung}, not judged out of time"
    judged = found["judged"]
    return (
        f"conversion out of time on {judged['test']}: AUROC {judged['auroc']:.3f}, of the likeliest tenth "
        f"{judged['likeliest_tenth']:.0%} became customers against {judged['base_rate']:.0%} of all{rung}"
    )
