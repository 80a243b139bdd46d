"""The saved model of a ready feature table: a bundle like any other, of a kind of its own, checked before it is parsed.

Its manifest says which columns a file must hold and as what, so that scoring reads them as training did.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from churnml.errors import ModelRefusedError
from churnml.modeling.bundle import canonical, read_bundle, require_kind, try_bundle, write_bundle
from churnml.modeling.tabular import TabularModel, from_plain, to_plain

Json = dict[str, Any]  # Any: JSON

KIND = "feature table"
_TREES, _MODEL = "churn.txt", "model.json"


def save_tabular(model: TabularModel, facts: Mapping[str, Any], models: Path) -> str:
    """Write a model as `models/<hash>/` and return the hash; the same model and facts give the same hash.

    Parameters
    ----------
    facts : mapping
        What the manifest tells beside the model: the columns' roles, the judgement. No clock, no path.
    models : Path
        The folder of bundles.
    """
    files = {_TREES: model.trees.model_to_string().encode(), _MODEL: canonical(to_plain(model))}
    inputs = [asdict(column) for column in model.design.columns]
    return write_bundle(files, {"kind": KIND, "inputs": inputs, **facts}, models)


def load_tabular(folder: Path) -> tuple[TabularModel, Json]:
    """Return the model in `folder`, and its manifest.

    Raises
    ------
    ModelRefusedError
        If anything in the folder is missing, added or changed, if its signature does not match, or if it holds
        another kind of model.
    """
    try:
        manifest, files = read_bundle(folder)
        require_kind(manifest, KIND, folder)
        model = from_plain(json.loads(files[_MODEL]), lightgbm.Booster(model_str=files[_TREES].decode()))
        same = [asdict(column) for column in model.design.columns] == manifest["inputs"]
    except (LookupError, TypeError, ValueError, lightgbm.basic.LightGBMError) as error:
        raise ModelRefusedError(f"bundle {folder.name[:12]} holds no model of ours ({error!r}); train again") from error
    sizes = {len(model.ridge.coefficients), len(model.design.parts), model.trees.num_feature()}
    if not same or len(sizes) > 1:
        raise ModelRefusedError(f"bundle {folder.name[:12]}: its columns do not stand as in training; train again")
    return model, manifest


def try_tabular(folder: Path) -> None:
    """Load the bundle and score a few rows with it in a child process, so that a fatal fault dies there and not here.

    Raises
    ------
    ModelRefusedError
        If the child fails, dies or exceeds a minute.
    """
    try_bundle(folder, __name__)


def _smoke(folder: Path) -> None:
    """Score empty, zero and large rows, and require probabilities."""
    model, _ = load_tabular(folder)
    matrix = np.full((3, len(model.design.parts)), np.nan)
    matrix[1], matrix[2] = 0.0, 1e6
    probability = model.probability(matrix)
    if not ((probability >= 0) & (probability <= 1)).all():
        raise ModelRefusedError(f"bundle {folder.name[:12]} gives scores that are not probabilities")


if __name__ == "__main__":
    _smoke(Path(sys.argv[1]))
