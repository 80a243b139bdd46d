"""`churnml measure effect`: what the actions did, over closed windows alone, and whether it paid."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.config import AssignConfig, MeasureConfig
from churnml.errors import NotEnoughDataError, UsageError
from churnml.verbs.session import Session, clock, require_places
from churnml.wording import Language

if TYPE_CHECKING:
    from churnml.events import By
    from churnml.events.treatments import Treatments
    from churnml.modeling.uplift.cases import Cases, Window
    from churnml.policy.learned import MeasuredEffect
    from churnml.policy.plans import Plan
    from churnml.verbs.effect_log import Log

Json = dict[str, Any]  # Any: JSON

KIND = "effect"
"""What marks a run of `measure` as one of effects."""

_KINDS = (".html", ".json")
_OUTCOMES = ("orders", "posted")


def measure_effect(
    session: Session,
    *,
    campaign: str | None = None,
    by: str | None = None,
    outcome: str = "orders",
    reports: Sequence[Path] = (),
    language: Language = "en",
) -> Json:
    """Measure the effect of every action, keep it for the next assignment, and return it.

    Parameters
    ----------
    campaign : str, optional
        Only this one; by default all that were ever run.
    by : str, optional
        An attribute of customers, `campaign`, or what decision records say at their assignment (`segment`,
        `lifecycle_stage`, `risk_band`), whose values are the segments.
    outcome : {'orders', 'posted'}
        The margin of orders that have landed, or the values that were posted to assignments, which alone count then.
    reports : sequence of Path
        Where to write everything as well: a page (`.html`) or JSON (`.json`).
    language : {"en", "zh"}
        Of the page.

    Raises
    ------
    UsageError
        If there is no such campaign, attribute or outcome, a report is of another kind, or the plan of the campaign, or
        of all there are, looks at another stretch of time.
    NotEnoughDataError
        If there are no treatments, the windows of none have closed, or values were posted of one arm alone.
    """
    from churnml.policy.effects import measure  # noqa: PLC0415  # SciPy is not needed by `--help`
    from churnml.verbs.effect_log import log_of  # noqa: PLC0415
    from churnml.verbs.effect_summary import body_of, left_out_told, unlabelled_told  # noqa: PLC0415
    from churnml.verbs.effect_trials import drawn_in, trials  # noqa: PLC0415  # LightGBM takes seconds to import

    _check_reports(reports)
    _check_outcome(outcome)
    settings, now = session.load("measure", MeasureConfig), session.cutoff(None)
    inputs = session.inputs(
        settings, session.load("assign", AssignConfig), now=now, campaign=campaign, by=by, of=outcome
    )
    with session.running("measure", inputs) as run_id:
        with session.step("Reading what was done to whom"):
            window, known = window_of(session, now), _known_plans(session)
            log, others = _of_one_horizon(log_of(session, now, campaign), known, window, campaign)
        found = closed_cases(session, log.treatments, window)
        _require_closed(session, found, log.treatments, window)
        found = found if outcome == "orders" else _by_posted(session, found, window)
        plans = _plans(session, settings, log.treatments, known, window)
        planned = _planned(session, plans, window, campaign)
        ends = {name: plan.ends(drawn_in(log.treatments, name)) for name, plan in plans.items()}
        labels = _labels(session, found, by)
        with session.step("Comparing treated and controls"):
            made = trials(found, planned, ends, labels, settings.seed)
            ended = _ended(session, plans, ends, window)
            weeks, one_end = settings.longest_weeks, len(plans) <= 1
            effects = measure(made.experiments, ended=ended, longest_weeks=weeks, seed=settings.seed, ends=one_end)
        more = [*left_out_told(others, window.horizon_days), *unlabelled_told(found, labels, by)]
        body = body_of(session, found, log, made, effects, plans, ends, window, weeks, campaign, by, more)
        body |= {"outcome": outcome, "planned": planned}
        session.catalogue.finish(run_id, clock(), body)
    for report in reports:
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(_written(body, report.suffix, language), encoding="utf-8")
    return body


def measured_effects(session: Session) -> dict[str, MeasuredEffect]:
    """Return what the latest measurement of all campaigns says of each action, or before one, that of a campaign.

    Actions that were blocked, or of which too few were treated, are not among them: their priors are kept.
    """
    from churnml.policy.learned import MeasuredEffect  # noqa: PLC0415  # SciPy is not needed by `--help`

    done = _done(session)
    chosen = next((one for one in done if one["campaign"] is None), done[0] if done else None)
    if chosen is None:
        return {}
    told = {name: one["measured"] for name, one in chosen["actions"].items()}
    return {name: MeasuredEffect.from_json(one) for name, one in told.items() if one is not None}


def _check_reports(reports: Sequence[Path]) -> None:
    for report in reports:
        if report.suffix not in _KINDS:
            raise UsageError(f"--report must end in {' or '.join(_KINDS)}, got {report.name!r}")
    require_places(reports)


def _check_outcome(outcome: str) -> None:
    if outcome not in _OUTCOMES:
        raise UsageError(f"--outcome must be {' or '.join(_OUTCOMES)}, got {outcome!r}")


def _by_posted(session: Session, found: Cases, window: Window) -> Cases:
    """Return the assignments with the values posted of them as outcomes; what was before stays the margin."""
    import numpy as np  # noqa: PLC0415

    from churnml.events.clock import days_later  # noqa: PLC0415
    from churnml.verbs.effect_log import posted_values  # noqa: PLC0415

    zone = session.settings.time_zone
    values = posted_values(session, found.treatments, lambda one: days_later(one, window.horizon_days, zone))
    return replace(found, outcome=values).take(~np.isnan(values))


def window_of(session: Session, now: int) -> Window:
    """Return the window of outcomes, with the label lag and the meaning of leaving that training has."""
    from churnml.labels import label_lag  # noqa: PLC0415
    from churnml.modeling.uplift.cases import Window  # noqa: PLC0415  # compiles the kernel
    from churnml.verbs.horizon import train_settings  # noqa: PLC0415

    config = train_settings(session, now)
    by: By = "contracts" if config.churn == "contracts" else "orders"
    lag = label_lag(session.store, config.return_window_days, config.grace_days if by == "contracts" else None)
    days = session.load("assign", AssignConfig).effect_horizon_days
    return Window(days, now, lag, session.settings.margin_rate, by, config.grace_days)


def closed_cases(session: Session, log: Treatments, window: Window) -> Cases:
    """Return the treatments whose windows have closed, with what was known before and what came of them."""
    from churnml.modeling.uplift.cases import cases  # noqa: PLC0415
    from churnml.verbs.features import of_session  # noqa: PLC0415

    days = session.train_settings().population_days
    with session.step("What was known before, and what came of it") as tick:
        return cases(session.store, of_session(session), log, window, population_days=days, progress=tick)


def _labels(session: Session, found: Cases, by: str | None) -> Any:  # Any: an array of texts, or None
    """Return the segment of each case; None where nobody asked."""
    from churnml.verbs.effect_log import RECORDED, recorded  # noqa: PLC0415
    from churnml.verbs.effect_trials import labels_by  # noqa: PLC0415

    if by is None:
        return None
    labels = labels_by(found, by, RECORDED)
    return recorded(session, found.treatments, by) if labels is None else labels


def _require_closed(session: Session, found: Cases, log: Treatments, window: Window) -> None:
    from churnml.events.clock import moment  # noqa: PLC0415

    if len(found):
        return
    if found.still_open:
        zone = session.settings.time_zone
        first = moment(window.closes(int(log.cutoffs.min()), zone), zone).date()
        raise NotEnoughDataError(
            f"an effect needs treatments whose window of {window.horizon_days} days has closed and whose outcome is "
            f"final, found none of {len(log):,}; the first closes on {first}. Ingest what has come since, or shorten "
            "`effect_horizon_days` in configs/assign.yaml"
        )
    raise NotEnoughDataError(
        f"an effect needs treatments of customers who were known before, found none of {len(log):,}: the customers of "
        f"{found.unknown:,} were not; ingest the table `customers` first"
    )


def _of_one_horizon(
    log: Log, known: Mapping[str, Plan], window: Window, campaign: str | None
) -> tuple[Log, dict[str, int]]:
    """Return a log less the campaigns whose plans look at another stretch of time, and over how many days they do.

    A campaign that was asked for by name stays, and so do all where no other is left: they are refused by their plans.
    """
    import numpy as np  # noqa: PLC0415

    there = log.treatments.campaign.tolist()
    others = {
        name: plan.horizon_days
        for name, plan in known.items()
        if name in there and plan.horizon_days != window.horizon_days
    }
    kept = np.array([one not in others for one in there], dtype=np.bool_)
    if campaign is not None or not kept.any():
        return log, {}
    return replace(log, treatments=log.treatments.take(kept)), others


def _plans(
    session: Session, settings: MeasureConfig, log: Treatments, known: Mapping[str, Plan], window: Window
) -> dict[str, Plan]:
    """Return the plan of each campaign of which a case has closed: as written down at the first look, or now if new."""
    import numpy as np  # noqa: PLC0415

    from churnml.policy.plans import completed, written  # noqa: PLC0415
    from churnml.verbs.effect_log import EVERYTHING  # noqa: PLC0415
    from churnml.verbs.effect_trials import begun, drawn_in  # noqa: PLC0415  # LightGBM takes seconds to import

    zone, plans = session.settings.time_zone, {}
    for name, cutoffs in begun(log).items():
        if name in known:
            plans[name] = completed(known[name], cutoffs, window.horizon_days)
            continue
        every = np.concatenate(list(cutoffs.values()))
        closed = every[window.closed(every, zone)]
        if not len(closed):
            continue
        plans[name] = written(
            name,
            cutoffs,
            int(closed.max()),
            window.now,
            planned_days=settings.planned_days,
            planned_customers=settings.planned_customers,
            horizon_days=window.horizon_days,
            drawn=len(drawn_in(log, name)),
            whole=(EVERYTHING,),
        )
    return plans


def _known_plans(session: Session) -> dict[str, Plan]:
    """Return the plans that were written down, the first of each campaign, with the actions that came since."""
    from churnml.policy.plans import Plan  # noqa: PLC0415

    plans: dict[str, Plan] = {}
    for done in _done(session):  # the latest first, which holds what came since as well
        for name, told in done["plans"].items():
            plans.setdefault(name, Plan.from_json(told))
    return plans


def _planned(session: Session, plans: Mapping[str, Plan], window: Window, campaign: str | None) -> dict[str, int]:
    """Return at how many cases of each action the always-valid interval is narrowest.

    Of one campaign it is as its plan says. Of all together it is the sum over the plans there were when an action was
    first measured so, and stays that sum: campaigns that come later do not move it, for it must not be chosen after a
    look.
    """
    planned: dict[str, int] = {}
    for plan in plans.values():
        for action, cases in plan.cases.items():
            planned[action] = planned.get(action, 0) + cases
    if campaign is not None:
        return planned
    alike = (one for one in _done(session) if one["campaign"] is None)
    settled = (one.get("planned", {}) for one in alike if one["effect_horizon_days"] == window.horizon_days)
    return planned | next(settled, {})


def _done(session: Session) -> list[Json]:
    """Return what was measured before, the latest first."""
    return [run.summary for run in session.catalogue.runs("measure") if run.summary.get("of") == KIND]


def _ended(session: Session, plans: Mapping[str, Plan], ends: Mapping[str, int | None], window: Window) -> bool:
    """Return whether the planned end has come: of one campaign, for several have no end in common."""
    import numpy as np  # noqa: PLC0415

    if len(plans) != 1:
        return False
    (end,) = ends.values()
    return end is not None and bool(window.closed(np.array([end - 1]), session.settings.time_zone)[0])


def _written(body: Json, kind: str, language: Language) -> str:
    if kind == ".json":
        return json.dumps(body, ensure_ascii=False, indent=1) + "\n"
    from churnml.service.pages.reports.effect import effect_page  # noqa: PLC0415  # Jinja is not needed otherwise

    return effect_page(body, language)


def told(body: Json, language: Language = "en") -> str:
    """Return what was found in sentences, one for each action."""
    lines = [one["said"][language] for one in body["actions"].values()]
    lines += [one["said"][language] for one in body["proposed_for_stopping"]]
    return "\n".join([*lines, *(one[language] for one in body["remarks"])])
