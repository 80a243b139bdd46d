"""`churnml vacuum`: what is old goes, what is served or measured by stays, and the disk has its room back."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

from churnml.config import StoreConfig
from churnml.database import Run, jobs, requests
from churnml.database.deliveries import purge as purge_messages
from churnml.database.retention import compact, drop, droppable, size_of
from churnml.events import quarantine
from churnml.events.clock import DAY
from churnml.verbs.actor import note
from churnml.verbs.session import Session, clock

Json = dict[str, Any]  # Any: JSON
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def vacuum(session: Session, *, dry_run: bool = False) -> Json:
    """Remove the decision records of old runs and what else is kept for a time only, and return what went.

    Summaries of runs, assignments, outcomes and models stay. So does every record that an effect is measured by: those
    of a campaign's first run, and of whoever was assigned something. What else goes: what was set aside long ago,
    models that nothing refers to, jobs that ended long ago with their logs, and answers kept for requests that come
    again.

    Parameters
    ----------
    dry_run : bool, default False
        Tell what would go, and remove nothing.
    """
    config, now, engine = session.load("store", StoreConfig), clock(), session.catalogue.engine
    old = old_runs(session, config, now)
    with engine.connect() as connection:
        before = size_of(connection)
    told: list[Json] = []
    aside = quarantine.old(session.workspace, session.catalogue, now)
    with session.workspace.locked("ingest"), session.step("Letting go of old records") as tick:
        for done, run in enumerate(old, start=1):
            count, size = droppable(engine, run.run_id)
            if count and not dry_run:
                drop(engine, run.run_id, now)
            if count:
                told.append(
                    {"run_id": run.run_id, "verb": run.verb, "finished_at": _day(run), "records": count, "bytes": size}
                )
            tick(done, len(old))
        if not dry_run:
            quarantine.purge(session.workspace, session.catalogue, now)
    with engine.begin() as connection:
        days = (config.keep_delivered_days, config.keep_failed_days)
        pushed = purge_messages(connection, now, *days, dry_run=dry_run)
        unused = _remove_bundles(session, config.keep_bundles, dry_run=dry_run)
    ended = _forget_requests(session, now - config.keep_jobs_days * DAY, now, dry_run=dry_run)
    if not dry_run:
        counts = {"records": sum(one["records"] for one in told), "models": len(unused), "jobs": len(ended)}
        note(session, "store.vacuumed", counts)
        with session.step("Giving the room back"):
            compact(engine)
    with engine.connect() as connection:
        after = size_of(connection)
    return {
        "dry_run": dry_run,
        "keep_runs": config.keep_runs,
        "keep_days": config.keep_days,
        "runs": told,
        "records": sum(one["records"] for one in told),
        "bytes": sum(one["bytes"] for one in told),
        "quarantined": [path.name for path in aside],
        "messages": pushed,
        "models": unused,
        "jobs": len(ended),
        "size_before": before,
        "size_after": after,
    }


def _remove_bundles(session: Session, keep: int, *, dry_run: bool) -> list[str]:
    """Remove models that no run made or used and no alias ever was, but the latest few, and return which went.

    None goes while a run goes on, which may have written its model and not said so yet.
    """
    workspace, catalogue = session.workspace, session.catalogue
    with workspace.locked("runs"):
        if any(workspace.attended(run.run_id) for run in catalogue.running()):
            return []
        known = catalogue.bundles()
        found = (path for path in workspace.models.glob("*") if path.is_dir() and not path.name.startswith("."))
        unused = sorted((path for path in found if path.name not in known), key=lambda path: path.stat().st_mtime)
        gone = unused[: max(len(unused) - keep, 0)]
        if not dry_run:
            for path in gone:
                shutil.rmtree(path)
    return [path.name for path in gone]


def _forget_requests(session: Session, before: int, now: int, *, dry_run: bool) -> list[str]:
    """Let go of jobs that ended before an instant, and of answers kept for a day; return the ids of the jobs."""
    with session.catalogue.engine.begin() as connection:
        if dry_run:
            return jobs.ended_before(connection, before)
        requests.purge(connection, now - requests.KEPT)
        ended = jobs.purge(connection, before)
    for job_id in ended:
        for path in session.workspace.jobs.glob(f"{job_id}.*"):
            path.unlink()
    return ended


def old_runs(session: Session, config: StoreConfig, now: int) -> list[Run]:
    """Return the runs whose records may go, the oldest first.

    Neither the served run nor the scores that it rests on, nor the latest of its verb, nor a young one, nor the first
    of a campaign, by which its hold-out is known.
    """
    scored, assigned = session.catalogue.runs("score"), session.catalogue.runs("assign")
    stays = {session.records.current_run()}
    stays |= {run.summary.get("scored_by") for run in assigned[: config.keep_runs]}
    stays |= {run.run_id for runs in (scored, assigned) for run in runs[: config.keep_runs]}
    first = {run.summary.get("campaign"): run.run_id for run in assigned}  # the latest come first, so the first stays
    stays |= set(first.values())
    oldest = now - config.keep_days * DAY
    gone = (*scored, *assigned)
    return sorted(
        (run for run in gone if run.run_id not in stays and (run.finished_at or 0) < oldest),
        key=lambda run: run.finished_at or 0,
    )


def told(said: Json) -> str:
    """Return what went, in words for people."""
    would = "would go" if said["dry_run"] else "went"
    went = f"{said['records']:,} records of {len(said['runs']):,} runs ({said['bytes'] / 1e6:,.1f} MB)"
    aside = f"{len(said['quarantined']):,} files of rows set aside more than {quarantine.KEPT_DAYS} days ago"
    kept = f"the last {said['keep_runs']} runs, those of {said['keep_days']} days"
    pushed = f"{said['messages']:,} messages of webhooks"
    others = f"{len(said['models']):,} models that nothing refers to, {said['jobs']:,} jobs that ended long ago"
    lines = [f"{went}, {aside}, {pushed}, {others} {would}; kept are {kept}, and all that an effect is measured by"]
    if not said["dry_run"]:
        lines.append(f"the database takes {said['size_after'] / 1e6:,.1f} MB, was {said['size_before'] / 1e6:,.1f} MB")
    return "\n".join(lines)


def _day(run: Run) -> str:
    return (_EPOCH + timedelta(microseconds=run.finished_at or 0)).isoformat()
