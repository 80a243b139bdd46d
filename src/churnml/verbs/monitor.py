"""`churnml monitor`: is the champion still to be trusted? One verdict, with its reason."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from churnml.config import MonitorConfig
from churnml.errors import ModelRefusedError, NotFoundError, UsageError
from churnml.events.clock import DAY, midnight, moment
from churnml.verbs.features import known_cutoff, of_session
from churnml.verbs.session import Session, clock
from churnml.verbs.verdict import verdict_of

if TYPE_CHECKING:
    from churnml.modeling.model import Model
    from churnml.modeling.watch import Taught, Watched

Json = dict[str, Any]  # Any: JSON

FOUND = 6
"""The exit code where someone should look; not that of any error, so that a timer can tell them apart."""

_SAYS = {
    "fine": "nothing speaks against the champion",
    "look": "someone should look",
    "train": "train again",
}


def monitor(session: Session, *, cutoff: str | None = None) -> Json:
    """Watch the champion, and return the verdict with all it rests on.

    Parameters
    ----------
    cutoff : str, optional
        A date; the midnight after the last order by default. Nothing after it is read.

    Raises
    ------
    NotFoundError
        If there is no champion.
    UsageError
        If the cutoff lies before the one the champion was made for, or beyond the data.
    ModelRefusedError
        If its bundle is damaged.
    NotEnoughDataError
        If nobody was a customer then or is one now.
    """
    from churnml.modeling.watch import watch  # noqa: PLC0415  # LightGBM takes seconds to import

    version = session.catalogue.alias("champion")
    if version is None:
        raise NotFoundError("a model is watched once it is champion, found none; run `churnml train` first")
    now = session.cutoff(None) if cutoff is None else known_cutoff(session, cutoff)
    config = session.train_settings()
    settings = session.load("monitor", MonitorConfig)
    champion = _taught(session, version)
    if champion.made_for > now:
        zone = session.settings.time_zone
        raise UsageError(
            f"a model is watched from the cutoff it was made for, {moment(champion.made_for, zone).date()}, got "
            f"--cutoff {moment(now, zone).date()}; choose a later day"
        )
    other = _challenger(session, version, champion, now)
    with session.running("monitor", session.inputs(config, settings, cutoff=now, champion=version)) as run_id:
        with session.step("Watching the champion at every cutoff since it was made") as tick:
            seen = watch(
                session.store,
                of_session(session),
                champion,
                now,
                step_days=config.step_days,
                return_window_days=config.return_window_days,
                challenger=None if other is None else other[1],
                bootstrap=config.bootstrap,
                seed=config.seed,
                progress=tick,
            )
        body = _body(session, version, seen, settings, None if other is None else other[0])
        session.catalogue.finish(run_id, clock(), body, bundle=version)
    return body


def _taught(session: Session, version: str) -> Taught:
    from churnml.modeling.bundle import load_bundle  # noqa: PLC0415
    from churnml.modeling.watch import Taught  # noqa: PLC0415

    model, manifest = load_bundle(session.workspace.models / version, session.own_learners)
    zone = session.settings.time_zone
    judged = (manifest["judged"] or {}).get("churn") or {}
    promised = None
    if "auroc" in judged:
        promised = (judged["auroc"], *judged["intervals"]["auroc"])
    cutoffs = tuple(sorted(_instant(one, zone) for one in manifest["cutoffs"]))
    return Taught(model, _instant(manifest["cutoff"], zone), cutoffs, promised)


def _instant(told: str, zone: str) -> int:
    return midnight(datetime.fromisoformat(told).date(), zone)


def _challenger(session: Session, champion: str, made: Taught, now: int) -> tuple[str, Taught] | None:
    """Return the model trained last, if it is not the champion and answers the same question."""
    for run in session.catalogue.runs("train"):
        if not run.bundle or run.bundle == champion:
            continue
        try:
            found = _taught(session, run.bundle)
        except ModelRefusedError:
            continue  # gone or damaged; `check bundle` says which, and it is asked of nobody here
        same = _question(found.model) == _question(made.model)
        if same and made.made_for <= found.made_for <= now:
            return run.bundle, found
    return None


def _question(model: Model) -> tuple[int, int, str]:
    """Return what a model answers: leaving of which kind, within how many days, of whom."""
    return model.horizon_days, model.population_days, model.by


def _body(session: Session, version: str, seen: Watched, settings: MonitorConfig, challenger: str | None) -> Json:
    zone = session.settings.time_zone

    def day(instant: int) -> str:
        return moment(instant, zone).date().isoformat()

    fresh = _freshness(session, seen.now, settings)
    verdict, reasons = verdict_of(seen, fresh, day)
    closed = seen.kept.to_json()
    for one in closed["cutoffs"]:
        one["cutoff"] = day(one["cutoff"])
    return {
        "verdict": verdict,
        "says": _SAYS[verdict],
        "reasons": reasons,
        "model_version": version,
        "made_for": day(seen.made_for),
        "now": day(seen.now),
        "freshness": fresh,
        "drift": None if seen.drifts is None else seen.drifts.to_json(),
        "pulse": None if seen.unrest is None else seen.unrest.to_json(),
        "closed_labels": closed | {"next_closes": day(seen.next_closes)},
        "challenger": None if seen.shadow is None else {"model_version": challenger, **seen.shadow.to_json()},
    }


def _freshness(session: Session, now: int, settings: MonitorConfig) -> Json:
    zone, landed = session.settings.time_zone, session.catalogue.landed_at()
    scored = [_instant(run.summary["cutoff"], zone) for run in session.catalogue.runs("score")]
    known = [one for one in scored if one <= now]
    since = (now - max(known)) // DAY if known else None
    quiet = (clock() - max(landed.values())) // DAY if landed else None
    return {
        "days_of_data_since_the_last_scores": since,
        "scores_old": since is None or since > settings.scores_days,
        "days_since_the_last_landing": quiet,
        "data_stale": quiet is None or quiet > settings.landing_days,
    }
