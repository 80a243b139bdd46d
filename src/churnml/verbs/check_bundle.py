"""`churnml check bundle`: whether a saved model is whole, signed, ours, and sane whatever it is asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from churnml.config import TrainConfig
from churnml.errors import ModelRefusedError, NotFoundError, UsageError
from churnml.verbs.promote import CHAMPION
from churnml.verbs.session import Session

Json = dict[str, Any]  # Any: JSON

_SHOWN = 12


def check_bundle(session: Session, model: str | None = None, rows: int | None = None) -> Json:
    """Check a bundle from the outside in, and return what it is.

    Its digests and its signature are checked before a byte of it is parsed; it is parsed first by a process that may
    die of it; then it is asked of random rows.

    Parameters
    ----------
    model : str, optional
        The first characters of its version; the champion by default.
    rows : int, optional
        Random rows to ask; by default `bounds_rows` of `configs/train.yaml`.

    Raises
    ------
    NotFoundError
        If there is no such bundle.
    UsageError
        If several begin so.
    ModelRefusedError
        If it is damaged, cannot score, or gives an impossible answer.
    """
    from churnml.modeling.bundle import KEY_VARIABLE, read_bundle, try_bundle  # noqa: PLC0415  # LightGBM takes seconds
    from churnml.modeling.tabular_bundle import KIND, try_tabular  # noqa: PLC0415
    from churnml.modeling.uplift.saved import KIND as UPLIFT  # noqa: PLC0415
    from churnml.modeling.uplift.saved import try_uplift  # noqa: PLC0415

    folder = _folder(session, model)
    with session.step("Comparing every digest, parsing nothing"):
        manifest, files = read_bundle(folder)
    kind = manifest.get("kind")
    with session.step("Parsing it in a process of its own, and scoring"):
        if kind == KIND:
            try_tabular(folder)
        elif kind == UPLIFT:
            try_uplift(folder)
        else:
            try_bundle(folder, learners=session.own_learners)
    asked = 0 if kind in {KIND, UPLIFT} else _ask(session, folder, rows)
    return {
        "model_version": folder.name,
        "kind": kind or "landed tables",
        "format": manifest["format"],
        "code_version": manifest["code_version"],
        "cutoff": manifest.get("cutoff"),
        "columns": len(manifest["inputs"]),
        "bytes": {name: len(content) for name, content in files.items()},
        "signed": f"with the key in {KEY_VARIABLE}" if os.environ.get(KEY_VARIABLE) else "not checked: no key is set",
        "random_rows": asked,
    }


def _folder(session: Session, model: str | None) -> Path:
    models = session.workspace.models
    if model is None:
        champion = session.catalogue.alias(CHAMPION)
        if champion is None:
            raise NotFoundError("no bundle to check: there is no champion; name one, or run `churnml train` first")
        return models / champion
    known = sorted(path.name for path in models.iterdir() if not path.name.startswith(".")) if models.is_dir() else []
    named = [name for name in known if name.startswith(model)]
    if not named:
        listed = ", ".join(name[:_SHOWN] for name in known) or "none"
        raise NotFoundError(f"no bundle `{model}` in {models} (there are: {listed})")
    if len(named) > 1:
        several = ", ".join(name[:_SHOWN] for name in named)
        raise UsageError(f"`{model}` must name one bundle, found {several}; give more characters")
    return models / named[0]


def _ask(session: Session, folder: Path, rows: int | None) -> int:
    from churnml.modeling.bounds import bounds  # noqa: PLC0415  # compiles the kernel
    from churnml.modeling.bundle import load_bundle  # noqa: PLC0415

    config = session.load("train", TrainConfig)
    model, _ = load_bundle(folder, session.own_learners)
    with session.step("Asking it of random rows") as tick:
        found = bounds(model, rows or config.bounds_rows, config.seed, tick)
    if found.broken:
        raise ModelRefusedError(
            f"bundle {folder.name[:_SHOWN]} gives impossible answers: {'; '.join(found.broken)}; train again"
        )
    return found.rows


def told(found: Json) -> str:
    """Return what a bundle is, in words for people."""
    size = sum(found["bytes"].values()) / 1e6
    rows = f", and every answer to {found['random_rows']:,} random rows is possible" if found["random_rows"] else ""
    return (
        f"bundle {found['model_version'][:_SHOWN]} is whole: {len(found['bytes'])} files, {size:.1f} MB, "
        f"{found['columns']} columns, format {found['format']}, written by churnml {found['code_version']}; signature "
        f"{found['signed']}; it scores{rows}"
    )
