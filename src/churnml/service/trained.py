"""The models that were trained here, and what points at them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from churnml.database import Catalogue, Run, history
from churnml.errors import NotFoundError, UsageError
from churnml.measures.intervals import wilson
from churnml.service.readings import instant_told

Told = dict[str, Any]  # Any: JSON; `api/models.py` says what stands in it
_MORE = (
    "judged",
    "card",
    "rung_because",
    "next_rung_needs",
    "training_cutoffs",
    "snapshots",
    "weights",
    "calibration",
    "weighs",
    "curves",
    "campaign",
    "conversion",
    "satisfaction",
    "next_category",
)
"""What one model tells beside what each in the list does; a model of an earlier version tells less."""
_ALIASES = {"train": "champion", "train features": "feature table champion"}
"""What each verb that trains moves, where its model passes its gates."""


def models(catalogue: Catalogue) -> list[Told]:
    """Return every model that was trained here, as it was trained last, the latest first."""
    pointing: dict[str, list[str]] = {}
    for alias in _ALIASES.values():
        bundle = catalogue.alias(alias)
        if bundle is not None:
            pointing.setdefault(bundle, []).append(alias)
    trained = [run for verb in _ALIASES for run in catalogue.runs(verb) if run.bundle]
    trained.sort(key=lambda run: run.finished_at or 0, reverse=True)
    latest = {run.bundle: run for run in reversed(trained)}
    return [_model(run, pointing.get(run.bundle or "", [])) for run in trained if latest[run.bundle] is run]


def model(catalogue: Catalogue, version: str) -> Told:
    """Return one model by the first characters of its version.

    Raises
    ------
    NotFoundError
        If none begins so.
    UsageError
        If more than one does.
    """
    found = [one for one in models(catalogue) if one["model_version"].startswith(version)]
    if not found:
        raise NotFoundError(f"no model `{version}` was trained in this workspace; /v1/models lists them")
    if len(found) > 1:
        raise UsageError(f"`{version}` must name one model, found {len(found)}; give more characters")
    return found[0]


def watched(connection: Connection, version: str) -> Told | None:
    """Return what `churnml monitor` found of a model last, and when; None where nobody looked.

    Each cutoff whose labels have closed has Wilson's 95 % interval of the share who left.
    """
    run = history.last_run_of(connection, "monitor", version)
    if run is None:
        return None
    found = {"run_id": run.run_id, "at": instant_told(run.finished_at or 0), **run.summary}
    closed = found.get("closed_labels") or {"cutoffs": []}
    for one in closed["cutoffs"]:
        low, high = wilson([one["observed"] * one["customers"]], [one["customers"]])
        one["observed_interval"] = [float(low[0]), float(high[0])]
    return found


def before(catalogue: Catalogue) -> str | None:
    """Return the version that a rollback of the champion would go back to, or None."""
    return catalogue.before(_ALIASES["train"])


def moves(catalogue: Catalogue) -> list[Told]:
    """Return how aliases moved, the latest move first."""
    found = [move for alias in _ALIASES.values() for move in catalogue.moves(alias)]
    found.sort(key=lambda move: move.moved_at, reverse=True)
    return [
        {
            "alias": move.name,
            "model_version": move.bundle,
            "back": move.back,
            "why": move.why,
            "moved_at": instant_told(move.moved_at),
        }
        for move in found
    ]


def _model(run: Run, aliases: list[str]) -> Told:
    """Return a model as its training told it; a ready feature table tells less, and one refusal as a text."""
    told = run.summary
    refused = told.get("not_promoted_because") or []
    return {
        "model_version": run.bundle,
        "kind": told.get("kind", "events"),
        "trained_at": instant_told(run.finished_at or 0),
        "run_id": run.run_id,
        **{name: told.get(name) for name in ("cutoff", "horizon_days", "churn_by", "rung", *_MORE)},
        "gates": told.get("gates", []),
        "refused_because": [refused] if isinstance(refused, str) else list(refused),
        "not_judged_because": told.get("not_judged_because", ""),
        "aliases": aliases,
        "auroc": _auroc(told.get("judged")),
    }


def _auroc(judged: Told | None) -> list[float] | None:
    """Return the AUROC out of time with its interval; None where it was not judged."""
    churn = (judged or {}).get("churn", judged) or {}
    return [churn["auroc"], *churn["intervals"]["auroc"]] if "auroc" in churn and "intervals" in churn else None
