"""`churnml measure uplift`: what the contacts that were drawn by chance teach of whom each action helps."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from churnml.config import AssignConfig
from churnml.errors import UsageError
from churnml.events.clock import moment
from churnml.events.treatments import NOTHING, Treatments
from churnml.policy import Catalogue, load_actions
from churnml.verbs.effect_log import everything
from churnml.verbs.features import known_cutoff, of_session
from churnml.verbs.horizon import train_settings
from churnml.verbs.session import Session, clock, require_places
from churnml.wording import Language, Text

if TYPE_CHECKING:
    from churnml.config import TrainConfig
    from churnml.modeling.uplift.cases import Cases, Window

Json = dict[str, Any]  # Any: JSON

UPLIFT: Final = "uplift"
"""The alias of the bundle whose effects `churnml assign` asks."""
VERB: Final = "measure uplift"

_KINDS = (".html", ".json")
_WORKERS = 2


def measure_uplift(
    session: Session, *, cutoff: str | None = None, reports: Sequence[Path] = (), language: Language = "en"
) -> Json:
    """Learn from the contacts whose outcome is final, save what was learned and return what was found.

    Parameters
    ----------
    cutoff : str, optional
        A date; nothing later is known. The midnight after the last order by default.
    reports : sequence of Path
        Where to write the same as a page (`.html`) or as JSON (`.json`).
    language : {'en', 'zh'}
        Of the page.

    Raises
    ------
    UsageError
        If the cutoff lies beyond what has landed, or a report is of another kind.
    ConfigError
        If `actions.yaml` or `assign.yaml` says something it cannot.
    ModelRefusedError
        If what was learned cannot be loaded again.
    """
    _check(reports)
    config = session.load("assign", AssignConfig)
    now = session.cutoff(None) if cutoff is None else known_cutoff(session, cutoff)
    settings = train_settings(session, now)
    actions = _actions(session)
    log, assigned = log_of(session, now)
    inputs = session.inputs(config, settings, cutoff=now, actions=actions.model_dump(mode="json"), assigned=assigned)
    done = session.catalogue.last_run(VERB)
    if done is None or done.inputs != inputs or not session.has_whole(done.bundle or ""):
        body = _run(session, log, now, config, settings, actions, inputs)
    else:
        body = done.summary
    for report in reports:
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(_written(body, report.suffix, language), encoding="utf-8")
    return body


def _check(reports: Sequence[Path]) -> None:
    for report in reports:
        if report.suffix not in _KINDS:
            raise UsageError(f"--report must end in {' or '.join(_KINDS)}, got {report.name}; rename it")
    require_places(reports)


def _actions(session: Session) -> Catalogue:
    file = session.configs / "actions.yaml"
    return load_actions(file if file.exists() else None)


def _run(
    session: Session,
    log: Treatments,
    now: int,
    config: AssignConfig,
    settings: TrainConfig,
    actions: Catalogue,
    inputs: str,
) -> Json:
    from churnml.modeling.uplift.lesson_json import lesson_json  # noqa: PLC0415  # LightGBM takes seconds to import
    from churnml.modeling.uplift.lessons import learn  # noqa: PLC0415
    from churnml.modeling.uplift.saved import save_uplift, try_uplift  # noqa: PLC0415

    zone, currency = session.settings.time_zone, session.settings.currency
    with session.running(VERB, inputs) as run_id:
        found, window = closed_cases(session, log, now, config, settings)
        names = _names(actions, found.treatments)
        with session.step("Learning whom each action helps") as tick:
            learned, lessons = learn(
                found,
                window,
                list(names),
                population_days=settings.population_days,
                seed=settings.seed,
                workers=_WORKERS,
                progress=tick,
            )
        told = {one.taught.action: lesson_json(one, names[one.taught.action], currency) for one in lessons}
        facts = {
            "cutoff": moment(now, zone).isoformat(),
            "inputs_digest": inputs,
            "evidence": {name: one["evidence"] for name, one in told.items()},
        }
        bundle = save_uplift(learned, facts, session.workspace.models)
        if any(one.arms for one in learned.actions):  # of nothing there is nothing to be parsed
            with session.step("Trying what was learned in a process of its own"):
                try_uplift(session.workspace.models / bundle)
        summary: Json = {
            "model_version": bundle,
            "known_by": moment(now, zone).date().isoformat(),
            "currency": currency,
            "effect_horizon_days": window.horizon_days,
            "decisions": len(found),
            "still_open": found.still_open,
            "customers_not_known": found.unknown,
            "evidence": facts["evidence"],
            "actions": told,
        }
        session.catalogue.finish(run_id, clock(), summary, bundle=bundle)
    session.catalogue.move_alias(UPLIFT, bundle, clock(), why="learned from contacts drawn by chance")
    return summary


def log_of(session: Session, now: int) -> tuple[Treatments, str]:
    """Return what was decided by an instant, and a digest of what of it stands in the ledger and in no table."""
    log, _, assignments = everything(session, now)
    told = "\n".join(f"{one.assignment_id} {one.arm}" for one in assignments)
    return log, hashlib.sha256(told.encode()).hexdigest()


def closed_cases(
    session: Session, log: Treatments, now: int, config: AssignConfig, settings: TrainConfig
) -> tuple[Cases, Window]:
    """Return the decisions whose outcome is final by an instant, with features and outcomes, and their window."""
    from churnml.labels import label_lag  # noqa: PLC0415  # compiles the kernel
    from churnml.modeling.uplift.cases import Window, cases  # noqa: PLC0415

    grace = settings.grace_days if settings.by == "contracts" else None
    window = Window(
        config.effect_horizon_days,
        now,
        label_lag(session.store, settings.return_window_days, grace),
        session.settings.margin_rate,
        settings.by,
        settings.grace_days,
    )
    with session.step("Looking up what was known before each decision and what came after") as tick:
        days = settings.population_days
        return cases(session.store, of_session(session), log, window, population_days=days, progress=tick), window


def _names(actions: Catalogue, log: Treatments) -> dict[str, Text]:
    """Return what each action is called: those of the catalogue first, then others that were tried."""
    names = {action.name: Text(action.label.en, action.label.zh) for action in actions.actions}
    names |= {name: Text(name, name) for name in log.actions if name not in names}
    del names[NOTHING]
    return names


def _written(body: Json, kind: str, language: Language) -> str:
    if kind == ".json":
        return json.dumps(body, ensure_ascii=False, indent=1) + "\n"
    from churnml.service.pages.reports.uplift import uplift_page  # noqa: PLC0415  # Jinja is not needed otherwise

    return uplift_page(body, language)


def told(body: Mapping[str, Any], language: Language = "en") -> str:  # Any: JSON
    """Return what was found, a sentence a line: actions with evidence in full, the others as one."""
    known = [one for one in body["actions"].values() if one["evidence"] != "none"]
    lines = [f"  {says[language]}" for one in known for says in one["says"]]
    lines += [f"  {one['says'][0][language]}" for one in _refused(body)]
    counted = Counter(body["evidence"].values())
    head = _HEAD.to(language).format(
        decisions=f"{body['decisions']:,}",
        days=body["effect_horizon_days"],
        open=f"{body['still_open']:,}",
        order=counted["order"],
        average=counted["average"],
        none=counted["none"],
    )
    return "\n".join([head, *lines])


def _refused(body: Mapping[str, Any]) -> list[Json]:  # Any: JSON
    """Return the actions without evidence that somebody has tried."""
    return [
        one
        for one in body["actions"].values()
        if one["evidence"] == "none" and one["treated"] + one["controls"] + one["not_by_chance"]
    ]


_HEAD = Text(
    "{decisions} decisions with a final outcome of {days} days, {open} still open. Of the actions, {order} are known "
    "by whom they help, {average} on average, {none} not at all: their effects stay assumptions, and `churnml assign` "
    "draws more by chance.",
    "{decisions} 次决定的结果（{days} 天）已确定，{open} 次尚未结束。行动中：{order} 项已知对谁更有效，"
    "{average} 项已知平均效果，{none} 项没有证据，其效果仍为假设，`churnml assign` 会增加随机分配的比例。",
)
