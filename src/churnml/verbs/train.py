"""`churnml train`: features, labels, models, an honest out-of-time report, a bundle, and the champion."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from churnml.config import TrainConfig
from churnml.errors import ModelRefusedError
from churnml.events.clock import DAY
from churnml.verbs.features import of_session
from churnml.verbs.horizon import told as told_horizon
from churnml.verbs.horizon import train_config
from churnml.verbs.session import Session, clock
from churnml.verbs.tracked import champion_told, tracked

if TYPE_CHECKING:
    from churnml.labels import Horizon
    from churnml.modeling.judgement import Judgement
    from churnml.modeling.tracking import Entry
    from churnml.modeling.train import Trained

Json = dict[str, Any]  # Any: JSON


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
        If no orders have landed, or history, customers or churners are too few; the message says what would suffice.
    ModelRefusedError
        If the new bundle cannot score in a process of its own.
    """
    from churnml.labels import check_taught_by  # noqa: PLC0415

    check_taught_by(session.store)
    now = session.cutoff(cutoff)
    config, suggested = train_config(session, now, **(overrides or {}))
    inputs = session.inputs(config, cutoff=now)
    done = session.catalogue.last_run("train")
    if done is not None and done.inputs == inputs and done.bundle and _is_whole(session, done.bundle):
        return done.summary
    return _run(session, config, suggested, now, inputs)


def _is_whole(session: Session, bundle: str) -> bool:
    from churnml.modeling.bundle import check_bundle  # noqa: PLC0415  # LightGBM takes seconds to import

    try:
        check_bundle(session.workspace.models / bundle)
    except ModelRefusedError:
        return False
    return True


def _run(session: Session, config: TrainConfig, suggested: Horizon | None, now: int, inputs: str) -> Json:
    from churnml.events.clock import moment  # noqa: PLC0415
    from churnml.modeling.backtest import judge_last_origin  # noqa: PLC0415  # LightGBM takes seconds to import
    from churnml.modeling.bundle import save_bundle, try_bundle  # noqa: PLC0415
    from churnml.modeling.card import model_card  # noqa: PLC0415
    from churnml.modeling.churn import LEARNERS  # noqa: PLC0415
    from churnml.modeling.cutoffs import cutoffs_before  # noqa: PLC0415
    from churnml.modeling.gates import gates, refusals  # noqa: PLC0415
    from churnml.modeling.train import train as fit  # noqa: PLC0415

    features, rate, zone = of_session(session), session.settings.margin_rate, session.settings.time_zone
    with session.running("train", inputs) as run_id:
        with session.step("Judging out of time, beside the baselines"):
            judged = judge_last_origin(session.store, features, now, config, rate, bootstrap=config.bootstrap)
        with session.step("Training on every cutoff whose label is final") as tick:
            at = cutoffs_before(session.store, now, config)
            trained = fit(session.store, features, at, now, config, rate, tick, curve=True)
        facts = {
            "cutoffs": [moment(one, zone).isoformat() for one in trained.cutoffs],
            "cutoff": moment(now, zone).isoformat(),
            "inputs_digest": inputs,
            "own_features": {file.name: digest for file, digest in session.own_features.items()},
            "config": config.model_dump(mode="json"),
            "judged": judged.to_json(),
        }
        bundle = save_bundle(trained.model, facts, session.workspace.models)
        with session.step("Trying the bundle in a process of its own"):
            try_bundle(session.workspace.models / bundle)
        with session.step("Putting it to the gates"):
            asked = gates(judged, trained, config)
        summary: Json = {
            "model_version": bundle,
            "inputs": inputs,
            "cutoff": facts["cutoff"],
            "horizon_days": config.horizon_days,
            "horizon": None
            if suggested is None
            else {"says": told_horizon(config, suggested), "suggested": suggested.to_json()},
            "training_cutoffs": len(trained.cutoffs),
            "snapshots": len(trained.snapshots.table),
            "weights": dict(zip(LEARNERS, trained.model.churn.weights, strict=True)),
            "gates": [gate.to_json() for gate in asked],
            "not_promoted_because": refusals(asked),
            "judged": judged.to_json(),
        }
        card = model_card(bundle, trained, judged, asked, zone, session.settings.currency)
        summary["not_tracked_because"] = tracked(
            session, lambda: _entry(session, config, suggested, trained, summary, judged, card)
        )
        session.catalogue.finish(run_id, clock(), summary, bundle=bundle)
    if not summary["not_promoted_because"]:
        session.catalogue.move_alias("champion", bundle, clock())
        if not summary["not_tracked_because"]:  # a server that is away was told of already
            champion_told(session, bundle)
    return summary


def _entry(
    session: Session,
    config: TrainConfig,
    suggested: Horizon | None,
    trained: Trained,
    summary: Json,
    judged: Judgement,
    card: str,
) -> Entry:
    from churnml.modeling.plots import calibration_plot, gain_plot, gap_plot, importance_plot  # noqa: PLC0415
    from churnml.modeling.tracking import Entry, Taught  # noqa: PLC0415  # MLflow takes seconds to import

    bundle, trees = summary["model_version"], trained.model.churn.trees
    plots = {
        "calibration.png": calibration_plot(judged.churned, judged.probability),
        "gain.png": gain_plot(judged.churned, judged.probability),
        "importance.png": importance_plot(trained.model.design.columns, trees.feature_importance("gain")),
    }
    rows: Counter[str] = Counter()
    for part in session.catalogue.parts():
        rows[part.table_name] += part.rows
    return Entry(
        bundle[:12],
        params=config.model_dump(),
        metrics=judged.metrics(),
        tags={
            "bundle": bundle,
            "cutoff": summary["cutoff"],
            "judged_at": judged.cutoff,
            "gates": "; ".join(summary["not_promoted_because"]) or "passed",
        },
        curves=_by_cutoff(trained),
        plots=plots if suggested is None else {**plots, "gaps.png": gap_plot(suggested, config.horizon_days)},
        texts={"MODEL_CARD.md": card},
        parts=[Entry(name, metrics=figures, tags={"kind": "baseline"}) for name, figures in judged.baselines()],
        taught=Taught(summary["inputs"], rows),
        bundle=session.workspace.models / bundle,
    )


def _by_cutoff(trained: Trained) -> dict[str, list[tuple[int, float]]]:
    """Return how many were in the population at each training cutoff, and what share of them left."""
    at, churned = trained.snapshots.table.cutoffs, trained.snapshots.churned
    days = [(cutoff // DAY, at == cutoff) for cutoff in trained.cutoffs]
    return {
        "population_at_cutoff": [(day, float(rows.sum())) for day, rows in days],
        "churn_rate_at_cutoff": [(day, float(churned[rows].mean())) for day, rows in days],
    }


def told(summary: Json) -> str:
    """Return the summary in words for people."""
    judged = summary["judged"]["churn"]
    refused = summary["not_promoted_because"]
    fate = "promoted to champion" if not refused else f"not promoted: {'; '.join(refused)}"
    horizon = f"{summary['horizon']['says']}\n" if summary["horizon"] else ""
    return (
        f"{horizon}model {summary['model_version'][:12]} from {summary['training_cutoffs']} cutoffs, {fate}\n"
        f"out of time on {judged['test']}: AUROC {judged['auroc']:.3f}, of the riskiest tenth "
        f"{judged['riskiest_tenth']:.0%} left against {judged['base_rate']:.0%} of all"
    )
