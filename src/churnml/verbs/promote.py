"""`churnml promote` and `churnml rollback`: which model is asked from now on, and the way back."""

from __future__ import annotations

from typing import Any

from churnml.database import Run
from churnml.errors import ModelRefusedError, NotFoundError, UsageError
from churnml.verbs.feature_table import ALIAS as TABLE_CHAMPION
from churnml.verbs.feature_table import TRAIN as TRAIN_TABLE
from churnml.verbs.session import Session, clock
from churnml.verbs.tracked import champion_told

Json = dict[str, Any]  # Any: JSON

CHAMPION, TRAIN = "champion", "train"
_ALIASES = {TRAIN: CHAMPION, TRAIN_TABLE: TABLE_CHAMPION}
_SHOWN = 12


def promote(session: Session, model: str | None = None, *, despite: str | None = None) -> Json:
    """Make a trained model the champion of its kind, if it has passed every gate, and return what moved.

    Parameters
    ----------
    model : str, optional
        Its version, or the first characters of it; the latest trained by default.
    despite : str, optional
        Why it is promoted though a gate refuses it; kept beside the move.

    Raises
    ------
    NotFoundError
        If no such model was trained here.
    UsageError
        If more than one begins so.
    ModelRefusedError
        If a gate refuses it, or its bundle is damaged or cannot score.
    """
    run = _found(session, model)
    version, alias = _version(run), _ALIASES[run.verb]
    refused = run.summary["not_promoted_because"]
    if refused and not despite:
        raise ModelRefusedError(
            f"model {version[:_SHOWN]} must pass every gate, and did not: {'; '.join(refused)}. Bring more data or "
            'train with other settings; if you know better, say why: --despite "…"'
        )
    return _move(session, run.verb, alias, version, why=despite or "passed every gate", back=False)


def rollback(session: Session, *, of_tables: bool = False) -> Json:
    """Make the champion what it was before it moved last, and return what moved; again, and it goes one further back.

    Parameters
    ----------
    of_tables : bool, default False
        Whether the champion of ready feature tables goes back.

    Raises
    ------
    NotFoundError
        If there was none before.
    ModelRefusedError
        If the bundle it goes back to is damaged or cannot score.
    """
    verb = TRAIN_TABLE if of_tables else TRAIN
    alias = _ALIASES[verb]
    before = session.catalogue.before(alias)
    if before is None:
        raise NotFoundError(
            f"the {alias} can go back to a model it was before, found none; name one with `churnml promote MODEL`"
        )
    return _move(session, verb, alias, before, why="rolled back", back=True)


def _move(session: Session, verb: str, alias: str, version: str, *, why: str, back: bool) -> Json:
    before = session.catalogue.alias(alias)
    _check(session, version)
    if before != version:
        with session.step("Trying the bundle in a process of its own"):
            _try(session, verb, version)
    session.catalogue.move_alias(alias, version, clock(), why, back=back)
    if verb == TRAIN and before != version:
        champion_told(session, version)
    return {"alias": alias, "model_version": version, "before": before, "why": why, "moved": before != version}


def _check(session: Session, version: str) -> None:
    from churnml.modeling.bundle import check_bundle  # noqa: PLC0415  # LightGBM takes seconds to import

    check_bundle(session.workspace.models / version)


def _try(session: Session, verb: str, version: str) -> None:
    from churnml.modeling.bundle import try_bundle  # noqa: PLC0415  # LightGBM takes seconds to import
    from churnml.modeling.tabular_bundle import try_tabular  # noqa: PLC0415

    folder = session.workspace.models / version
    if verb == TRAIN:
        try_bundle(folder, learners=session.own_learners)
    else:
        try_tabular(folder)


def _found(session: Session, model: str | None) -> Run:
    trained = [run for verb in _ALIASES for run in session.catalogue.runs(verb) if run.bundle]
    if model is None:
        if not trained:
            raise NotFoundError("no model to promote: none was trained in this workspace; run `churnml train` first")
        return max(trained, key=lambda run: run.finished_at or 0)
    named = {_version(run): run for run in reversed(trained) if _version(run).startswith(model)}
    if not named:
        known = ", ".join(dict.fromkeys(_version(run)[:_SHOWN] for run in trained)) or "none"
        raise NotFoundError(f"no model `{model}` was trained in this workspace (known, latest first: {known})")
    if len(named) > 1:
        several = ", ".join(version[:_SHOWN] for version in named)
        raise UsageError(f"`{model}` must name one model, found {several}; give more characters")
    return next(iter(named.values()))


def _version(run: Run) -> str:
    return run.bundle or ""


def told(moved: Json) -> str:
    """Return what moved, in words for people."""
    if not moved["moved"]:
        return f"model {moved['model_version'][:_SHOWN]} is the {moved['alias']} already"
    was = f", was {moved['before'][:_SHOWN]}" if moved["before"] else ""
    after = "" if moved["alias"] == TABLE_CHAMPION else "; `churnml score` makes new records with it"
    return f"{moved['alias']}: model {moved['model_version'][:_SHOWN]}{was} ({moved['why']}){after}"
