"""`churnml replay`: decision records of a run made anew, from the rows that it read, and held against what is kept."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from churnml.config import FunnelRules, LifecycleRules, ScoreConfig, WorkspaceConfig
from churnml.database import Ledger, Run, source_digest
from churnml.database.fresh import FRESH, originals
from churnml.database.retention import VACUUMED
from churnml.errors import NotFoundError, UsageError
from churnml.verbs.features import features_under
from churnml.verbs.score import digest_of_parts, funnel_stages
from churnml.verbs.session import Session

if TYPE_CHECKING:
    from churnml.events import Store
    from churnml.scoring.replay import Differing

Json = dict[str, Any]  # Any: JSON
DIFFERS = 1
"""The exit code where a record is not what it was."""
_SHOWN = 20
_IN_LEDGER = ("action", "arm", "propensity", "drawn_by", "campaign")


@dataclass(frozen=True)
class Made:
    """What a run was made from.

    Parameters
    ----------
    run : Run
        The one asked about.
    scored : Run
        The one that scored its customers: itself, or that on which an assignment rests.
    told : dict
        Settings and data of the latter, see `score.made_from`.
    """

    run: Run
    scored: Run
    told: Json

    @property
    def settings(self) -> WorkspaceConfig:
        """The workspace's settings as they were."""
        return WorkspaceConfig.model_validate(self.told["workspace"])


def replay(session: Session, run: str | None = None, *, sample: int = 1_000) -> Json:
    """Make records of a run anew, hold them against those that are kept, and return what was found.

    Everybody is scored as in the run itself, for a sum over other rows may end in other digits; then a sample of the
    records is compared. What `assign` decided is held against the ledger: the choice rests on the budget as it stood.

    Parameters
    ----------
    run : str, optional
        The first characters of its id; the run that is served by default.
    sample : int, default 1000
        How many customers, drawn at random by the run's id; everybody if there are fewer.

    Raises
    ------
    NotFoundError
        If there is no such run, or it does not say what it was made from, or its model is gone.
    UsageError
        If more than one run begins so.
    ModelRefusedError
        If its model is damaged, or was taught with files of the user's own that have changed.
    """
    made = _made(session, run)
    with session.catalogue.engine.connect() as connection:
        aside = originals(connection, made.run.run_id)
    standing = sorted(session.records.fields(made.run.run_id, ["rung", FRESH]))
    rungs = [(customer, rung) for customer, rung, fresh in standing if not fresh or customer in aside]
    customers = [customer for customer, rung in rungs if rung != "no_profiling"]
    drawn = random.Random(made.run.run_id).sample(customers, min(sample, len(customers)))  # noqa: S311  # no secret
    kept = session.records.some_of_run(made.run.run_id, sorted(drawn))
    kept |= {customer: aside[customer] for customer in kept if customer in aside}  # what the run itself had said
    store = _store(session, made)
    with session.step("Making every record anew") as tick:
        anew = {}
        for record in _records(session, made, store):
            if record["customer_id"] in kept:
                anew[record["customer_id"]] = json.loads(json.dumps(record, allow_nan=False))
                tick(len(anew), len(kept))
    found = {customer: _differing(session, made, kept[customer], anew.get(customer)) for customer in sorted(kept)}
    return _said(made, len(rungs) - len(customers), found, store)


def told(said: Json) -> str:
    """Return what was found, in words for people."""
    lines = [
        f"{said['equal']:,} of {said['compared']:,} records are what they were, bit for bit (run {said['run_id']})"
    ]
    for one in said["differing"]:
        fields = "; ".join(f"{it['field']}: kept {it['kept']!r}, anew {it['anew']!r}" for it in one["fields"])
        lines.append(f"  {one['customer_id']}: {fields}")
    lines += [f"{count:,} cannot be made anew: {why}" for why, count in said["cannot"].items()]
    return "\n".join([*lines, *said["notes"]])


def _made(session: Session, named: str | None) -> Made:
    run = _found(session, named)
    if VACUUMED in run.summary:
        raise NotFoundError(
            f"the records of run {run.run_id} were vacuumed; restore them by a backup, or name another run"
        )
    before = run.summary.get("scored_by", run.run_id)
    scored = next((one for one in session.catalogue.runs("score") if one.run_id == before), None)
    if scored is None or "made_from" not in scored.summary:
        raise NotFoundError(
            f"run {run.run_id} must say what it was made from, and does not: it is of an earlier version; "
            "run `churnml score` again, and replay that"
        )
    return Made(run, scored, scored.summary["made_from"])


def _found(session: Session, named: str | None) -> Run:
    known = [run for verb in ("assign", "score") for run in session.catalogue.runs(verb)]
    wanted = session.records.current_run() if named is None else named
    found = [run for run in known if wanted and run.run_id.startswith(wanted)]
    if not found:
        raise NotFoundError(
            f"no run `{named}` of `score` or `assign` in this workspace; `churnml score --json` tells the id of one"
            if named
            else "nothing to replay: nothing is scored yet in this workspace; run `churnml score` first"
        )
    if len(found) > 1:
        raise UsageError(f"`{named}` must name one run, found {len(found)}; give more characters")
    return found[0]


def _store(session: Session, made: Made) -> Store:
    """Return the landed rows as the run had them: what landed since is not read."""
    from churnml.events.point_in_time import Store  # noqa: PLC0415

    store, last = Store.open(session.workspace, session.catalogue, made.settings.time_zone), made.told["last_batch"]
    landings = {batch: at for batch, at in store.landings.items() if batch <= last}
    return replace(store, parts=tuple(part for part in store.parts if part.batch_id <= last), landings=landings)


def _records(session: Session, made: Made, store: Store) -> Iterator[Json]:
    """Yield the record of everybody, as the run made it."""
    from churnml.events.clock import microseconds  # noqa: PLC0415
    from churnml.features import build  # noqa: PLC0415  # compiles the kernel
    from churnml.scoring.champion import open_champion, score_table  # noqa: PLC0415

    settings, when = made.settings, microseconds(datetime.fromisoformat(made.scored.summary["cutoff"]))
    config = ScoreConfig.model_validate(made.told["score"])
    lifecycle = LifecycleRules.model_validate(made.told["lifecycle"])
    funnel = FunnelRules.model_validate(made.told["funnel"])
    folder = session.workspace.models / (made.scored.bundle or "")
    if not made.scored.bundle or not folder.is_dir():
        raise NotFoundError(
            f"the model {made.scored.bundle} of run {made.scored.run_id} is gone; restore it by a backup"
        )
    own, learners = session.own_features, session.own_learners
    champion = open_champion(
        folder, lambda: features_under(settings, store, own), settings, config, lifecycle, own, learners
    )
    model = champion.model
    table = build(store, champion.features, [when], model.population_days, lambda _done, _total: None, model.by)
    scored = score_table(champion, table, store, when)
    yield from scored.records(made.run.run_id, funnel_stages(store, funnel, when))


def _differing(session: Session, made: Made, kept: Json, anew: Json | None) -> list[Differing]:
    """Return what differs; of an assignment the decision is held against the ledger."""
    from churnml.scoring.records import UNDECIDED  # noqa: PLC0415
    from churnml.scoring.replay import Differing, differing  # noqa: PLC0415

    if anew is None:
        return [Differing("customer_id", kept["customer_id"], None)]
    if made.run is made.scored:
        return differing(kept, anew)
    found = differing(kept, anew, UNDECIDED)
    if kept["assignment_id"] is None:
        return found
    ledger = Ledger(session.catalogue.engine).assignment(kept["assignment_id"])
    stands = {name: getattr(ledger, name) for name in _IN_LEDGER} if ledger else {}
    return found + differing({name: kept[name] for name in _IN_LEDGER}, stands)


def _said(made: Made, blank: int, found: dict[str, list[Differing]], store: Store) -> Json:
    differ = {customer: fields for customer, fields in found.items() if fields}
    shown = list(differ.items())[:_SHOWN]
    notes = []
    if made.told["code"] != source_digest():
        notes.append("the program is another than the one that made this run; a difference may come from that")
    if made.told["parts"] != digest_of_parts(store.parts):
        notes.append("rows that this run read were rewritten since, as an erasure does")
    return {
        "run_id": made.run.run_id,
        "verb": made.run.verb,
        "cutoff": made.scored.summary["cutoff"],
        "model_version": made.scored.bundle,
        "compared": len(found),
        "equal": len(found) - len(differ),
        "differ": len(differ),
        "differing": [{"customer_id": one, "fields": [asdict(field) for field in fields]} for one, fields in shown],
        "cannot": {"they refuse to be profiled, or did then, so their records are blank": blank} if blank else {},
        "decisions": "remade" if made.run is made.scored else "held against the ledger",
        "notes": notes,
    }
