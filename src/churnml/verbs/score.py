"""`churnml score`: a decision record for every customer at a cutoff, from the champion."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.config import FunnelRules, MeasureConfig, ScoreConfig
from churnml.database import Part, source_digest
from churnml.database.retention import VACUUMED
from churnml.database.turnover import turnover
from churnml.database.workspace import sweep_drafts
from churnml.errors import NotEnoughDataError, NotFoundError
from churnml.modeling.no_conversion import Untold, plain
from churnml.verbs.actor import note
from churnml.verbs.features import of_session
from churnml.verbs.grouping import check_own
from churnml.verbs.session import Session, clock

if TYPE_CHECKING:
    from churnml.events import Store
    from churnml.measures.funnel_stages import FunnelStage
    from churnml.modeling.model import Model

Summary = dict[str, Any]  # Any: JSON


def score(session: Session, *, cutoff: str | None = None) -> Summary:
    """Score everyone at a cutoff and return the run's summary; a run with the same inputs is not repeated.

    Raises
    ------
    NotFoundError
        If no model was trained yet.
    ModelRefusedError
        If the champion's bundle is damaged, or needs a feature that is off.
    NotEnoughDataError
        If nobody is in the population at the cutoff.
    BroughtBackError
        If customers who were erased are back after a restore.
    """
    from churnml.modeling.bundle import check_bundle  # noqa: PLC0415  # LightGBM takes seconds to import

    session.require_nobody_back()
    champion = session.catalogue.alias("champion")
    if champion is None:
        raise NotFoundError(_why_no_champion(session))
    check_bundle(session.workspace.models / champion)
    config, when = session.load("score", ScoreConfig), session.cutoff(cutoff)
    rules = session.load("measure", MeasureConfig)
    check_own(session)
    inputs = session.inputs(config, rules.lifecycle, rules.funnel, bundle=champion, cutoff=when)
    done = session.catalogue.last_run("score")  # an older run with these inputs is no longer the one served
    if done is not None and done.inputs == inputs:
        return done.summary
    return _run(session, champion, config, when, inputs)


def _why_no_champion(session: Session) -> str:
    trained = session.catalogue.last_run("train")
    if trained is None:
        return "no model yet: there is no champion in this workspace; run `churnml train` first"
    why = "; ".join(trained.summary["not_promoted_because"])
    return (
        f"no model to score with: the last one trained was not promoted ({why}); bring more data, train with other "
        'settings, or, if you know better, `churnml promote --despite "…"`'
    )


def _run(session: Session, champion: str, config: ScoreConfig, when: int, inputs: str) -> Summary:
    from churnml.events.clock import moment  # noqa: PLC0415
    from churnml.features import build  # noqa: PLC0415  # compiles the kernel
    from churnml.scoring.champion import open_champion, score_table  # noqa: PLC0415

    rules = session.load("measure", MeasureConfig)
    asked = (session.settings, config, rules.lifecycle, session.own_features, session.own_learners)
    opened = open_champion(session.workspace.models / champion, lambda: of_session(session), *asked)
    model, manifest, features = opened.model, opened.manifest, opened.features
    zone, currency = session.settings.time_zone, session.settings.currency
    with session.running("score", inputs) as run_id:
        with session.step("Scoring every customer") as tick:
            table = build(session.store, features, [when], model.population_days, tick, model.by)
            _require_anyone(session, int(table.modelled.sum()), model, when)
            scored = score_table(opened, table, session.store, when)
            made = scored.records(run_id, funnel_stages(session.store, rules.funnel, when))
            session.records.write(run_id, made)
        scores, next_up, converting = scored.of_population, scored.offers, scored.converting
        bands = Counter(str(band) for band in scores.band)
        summary: Summary = {
            "cutoff": moment(when, zone).isoformat(),
            "time_zone": zone,
            "currency": currency,
            "horizon_days": model.horizon_days,
            "churn_by": model.by,
            "customers": len(table),
            "population": len(scores.band),
            "bands": {band: bands.get(band, 0) for band in ("high", "medium", "low")},
            "expected_churners": float(scores.churn_probability.sum()),
            "value_at_risk": float(scores.value_at_risk.sum()),
            "prospects": int(table.undecided.sum()),
            "expected_conversions": converting.expected if converting else _none_expected(model),
            "conversion_rung": model.conversion and model.conversion.rung,
            "no_conversion": None if model.conversion else _no_conversion(manifest.get("conversion", {})),
            "categories": next_up and next_up.counts | _basis(model),
            "model_version": champion,
            "rung": model.rung,
            "not_judged_because": manifest.get("not_judged_because", ""),
            "families_on": sorted(features.families),
            "families_off": dict(features.off),
            "turnover": _turnover(session, run_id, when, model.horizon_days),
            "made_from": made_from(session, config, rules),
        }
        session.catalogue.finish(run_id, clock(), summary, bundle=champion)
    return summary


def _turnover(session: Session, run_id: str, when: int, horizon_days: int) -> Summary | None:
    """Return what became of the band of high risk since the scores before, or None where these are the first.

    Those before are of the latest cutoff that lies earlier, as they were scored last, and look as far ahead.
    """
    runs = session.catalogue.runs("score")
    kept = [run for run in runs if VACUUMED not in run.summary and run.summary.get("horizon_days") == horizon_days]
    earlier = [(cutoff, run) for run in kept if (cutoff := _instant(run.summary["cutoff"])) < when]
    if not earlier:
        return None
    cutoff, before = max(earlier, key=lambda one: (one[0], one[1].finished_at or 0))
    with session.catalogue.engine.connect() as connection:
        found = turnover(connection, run_id, before.run_id, cutoff)
    names = ("cutoff", "value_at_risk", "bands", "model_version")
    return {"before": {"run_id": before.run_id} | {name: before.summary[name] for name in names}} | asdict(found)


def _instant(told: str) -> int:
    from churnml.events.clock import microseconds  # noqa: PLC0415

    return microseconds(datetime.fromisoformat(told))


def made_from(session: Session, config: ScoreConfig, rules: MeasureConfig) -> Summary:
    """Return what a run was made from beside its model, so that it can be made again: see `churnml replay`."""
    parts = session.store.parts
    return {
        "workspace": session.settings.model_dump(mode="json"),
        "score": config.model_dump(mode="json"),
        "lifecycle": rules.lifecycle.model_dump(mode="json"),
        "funnel": rules.funnel.model_dump(mode="json"),
        "last_batch": max(part.batch_id for part in parts),
        "parts": digest_of_parts(parts),
        "code": source_digest(),
    }


def digest_of_parts(parts: Iterable[Part]) -> str:
    """Return one digest of some landed parts."""
    told = sorted((part.table_name, part.batch_id, part.digest) for part in parts)
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def funnel_stages(store: Store, rules: FunnelRules, when: int) -> dict[str, FunnelStage]:
    """Return the stage of the funnel of each customer, as known at the cutoff; of nobody where there is no funnel."""
    from churnml.events.books import open_books  # noqa: PLC0415  # DuckDB
    from churnml.measures.funnel import funnel_stage_of_each  # noqa: PLC0415  # pandas

    with open_books(store, when) as books:
        try:
            return funnel_stage_of_each(books, rules)
        except NotEnoughDataError:  # one stage is no funnel, and a record says so by naming none
            return {}


def _basis(model: Model) -> Summary:
    """Return what tells each kind of category."""
    found = model.next_category
    return {} if found is None else {"basis": {"cross_sell": found.cross_sell, "replenish": found.replenish}}


def _none_expected(model: Model) -> float | None:
    """Return how many conversions are expected where there is no prospect; None where nothing could tell it."""
    return None if model.conversion is None else 0.0


def _no_conversion(told: Summary) -> Summary:
    """Return why nothing is said of prospects, of what a manifest tells of conversion; older ones tell no kind."""
    found: Summary = told.get("no_model") or plain(Untold(told.get("because", "")))
    return found


def _require_anyone(session: Session, customers: int, model: Model, when: int) -> None:
    from churnml.events.clock import moment  # noqa: PLC0415

    zone, last = session.settings.time_zone, session.store.span[1]
    day, last_day = moment(when, zone).date(), moment(last, zone).date()
    if customers:
        return
    if model.by == "contracts":
        raise NotEnoughDataError(
            f"scoring needs a customer who holds a contract that is paid for on {day}, found none: the last contract "
            f"was heard of on {last_day}; choose another --cutoff or ingest more"
        )
    raise NotEnoughDataError(
        f"scoring needs a customer who ordered in the {model.population_days} days before {day}, found none: the last "
        f"order is of {last_day}; choose another --cutoff or ingest more"
    )


def told(summary: Summary) -> str:
    """Return the summary in one sentence for people."""
    bands = summary["bands"]
    rung = "" if summary["rung"] == "blend" else f" (rung `{summary['rung']}`: each score has its interval)"
    return (
        f"{summary['population']:,} customers scored of {summary['customers']:,} known: "
        f"{bands['high']:,} at high risk, {bands['medium']:,} at medium; "
        f"{summary['value_at_risk']:,.0f} {summary['currency']} at risk{rung}{_conversion_told(summary)}"
    )


def _conversion_told(summary: Summary) -> str:
    """Return what is expected of prospects, or why nothing is said of them; nothing where there are none."""
    if not summary["prospects"]:
        return ""
    if summary["expected_conversions"] is None:
        return f"; of {summary['prospects']:,} prospects nothing is said, because {summary['no_conversion']['detail']}"
    expected = f"about {summary['expected_conversions']:,.0f} are expected to become customers"
    return f"; of {summary['prospects']:,} prospects {expected} in {summary['horizon_days']} days"


def write_records(session: Session, out: Path) -> None:
    """Write the latest scores as JSON lines, actions still open.

    Raises
    ------
    ConflictError
        If customers were erased meanwhile; nothing is written then.
    """
    began, run = clock(), session.catalogue.last_run("score")
    target = out.resolve()
    with session.workspace.locked("out"):
        sweep_drafts(target)
        with session.workspace.atomically(target) as draft, draft.open("w", encoding="utf-8") as handle:
            for record in session.records.of_run(run.run_id if run else ""):
                handle.write(json.dumps(record, ensure_ascii=False) + "\n")
            session.require_nobody_erased_since(began)
    note(session, "records.exported", {"format": "jsonl", "run": run.run_id if run else ""})
