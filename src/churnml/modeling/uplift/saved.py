"""The saved uplift: a bundle like any other, of a kind of its own, checked before it is parsed.

`uplift.json` holds numbers and which trees stand where, the other files the trees as LightGBM writes them. Nothing of a
single customer is in it: the rows that judged it are told in the report of the run and are gone with it.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from churnml.errors import ModelRefusedError
from churnml.modeling.bundle import canonical, read_bundle, require_kind, try_bundle, write_bundle
from churnml.modeling.design import Design
from churnml.modeling.uplift.estimate import ArmUplift, Uplift
from churnml.modeling.uplift.learned import Learned, Taught
from churnml.modeling.uplift.learners import Fitted
from churnml.modeling.uplift.order import Measured
from churnml.modeling.uplift.predictions import from_plain, to_plain
from churnml.modeling.uplift.sleeping import Group

Json = dict[str, Any]  # Any: JSON

KIND = "uplift"
_NUMBERS = "uplift.json"
_MEASURED = ("average", "order", "gain", "proof")
_PREDICTIONS = ("constant", "control", "treated")


def save_uplift(learned: Learned, facts: Mapping[str, Any], models: Path) -> str:
    """Write what was learned as `models/<hash>/` and return the hash; the same of the same gives the same hash.

    Parameters
    ----------
    facts : mapping
        What the manifest tells beside it: until when treatments were known, what was found. No clock, no path.
    models : Path
        The folder of bundles.
    """
    texts: list[str] = []
    numbers = {
        "design": learned.design.to_dict(),
        "horizon_days": learned.horizon_days,
        "population_days": learned.population_days,
        "by": learned.by,
        "actions": [_plain_taught(one, texts) for one in learned.actions],
    }
    files = {_name(number): text.encode() for number, text in enumerate(texts)} | {_NUMBERS: canonical(numbers)}
    return write_bundle(files, {"kind": KIND, "inputs": list(learned.design.columns), **facts}, models)


def load_uplift(folder: Path) -> tuple[Learned, Json]:
    """Return what was saved in `folder`, and its manifest; its effects are those that were saved, bit by bit.

    Raises
    ------
    ModelRefusedError
        If anything in the folder is missing, added or changed, if its signature does not match, or if it holds
        another kind of model.
    """
    try:
        manifest, files = read_bundle(folder)
        require_kind(manifest, KIND, folder)
        held = json.loads(files[_NUMBERS])
        texts = [files[_name(number)].decode() for number in range(len(files) - 1)]
        boosters = [lightgbm.Booster(model_str=text) for text in texts]
        learned = Learned(
            Design.from_dict(held["design"]),
            held["horizon_days"],
            held["population_days"],
            held["by"],
            tuple(_taught(one, boosters) for one in held["actions"]),
        )
    except (LookupError, TypeError, ValueError, lightgbm.basic.LightGBMError) as error:
        raise ModelRefusedError(
            f"bundle {folder.name[:12]} holds no uplift of ours ({error!r}); run `churnml measure uplift` again"
        ) from error
    if list(learned.design.columns) != manifest["inputs"]:
        raise ModelRefusedError(
            f"bundle {folder.name[:12]}: its columns do not stand as they were learned; run `churnml measure uplift` "
            "again"
        )
    return learned, manifest


def try_uplift(folder: Path) -> None:
    """Load the bundle and ask it of a few rows in a child process, so that a fatal fault dies there and not here.

    Raises
    ------
    ModelRefusedError
        If the child fails, dies or exceeds its deadline.
    """
    try_bundle(folder, __name__)


def _smoke(folder: Path) -> None:
    """Ask empty, zero and large rows, and require effects that are numbers."""
    learned, _ = load_uplift(folder)
    matrix = np.full((3, len(learned.design.columns)), np.nan)
    matrix[1], matrix[2] = 0.0, 1e6
    for taught in learned.actions:
        if not all(np.isfinite(arm.effect(matrix)).all() for arm in taught.arms):
            raise ModelRefusedError(f"bundle {folder.name[:12]} gives effects of `{taught.action}` that are no numbers")


def _name(number: int) -> str:
    return f"trees-{number:03d}.txt"


def _plain_taught(taught: Taught, texts: list[str]) -> Json:
    outcomes = {"margin": taught.margin, "stayed": taught.stayed}
    plain = {name: None if found is None else _plain(found, texts) for name, found in outcomes.items()}
    return {"action": taught.action, **plain}


def _taught(held: Json, boosters: Sequence[lightgbm.Booster]) -> Taught:
    margin, stayed = (None if held[one] is None else _uplift(held[one], boosters) for one in ("margin", "stayed"))
    return Taught(held["action"], margin, stayed)


def _plain(found: Uplift, texts: list[str]) -> Json:
    return {
        "arms": [_plain_arm(arm, texts) for arm in found.arms],
        "costs": found.costs.tolist(),
        "best": found.best,
        "gain": asdict(found.gain),
    }


def _uplift(held: Json, boosters: Sequence[lightgbm.Booster]) -> Uplift:
    none = np.empty((0, len(held["costs"])))
    arms = tuple(_arm(arm, boosters) for arm in held["arms"])
    return Uplift(arms, np.array(held["costs"]), held["best"], Measured(**held["gain"]), none, none)


def _plain_arm(arm: ArmUplift, texts: list[str]) -> Json:
    fitted = {name: to_plain(getattr(arm.fitted, name), texts) for name in _PREDICTIONS}
    fitted["effects"] = {name: to_plain(effect, texts) for name, effect in arm.fitted.effects.items()}
    return {
        "name": arm.name,
        "accepted": arm.accepted,
        **{name: asdict(getattr(arm, name)) for name in _MEASURED},
        "groups": [_plain_group(group) for group in arm.groups],
        "weights": arm.weights.tolist(),
        "fitted": fitted,
    }


def _arm(held: Json, boosters: Sequence[lightgbm.Booster]) -> ArmUplift:
    fitted = held["fitted"]
    effects = {name: from_plain(effect, boosters) for name, effect in fitted["effects"].items()}
    return ArmUplift(
        name=held["name"],
        **{name: Measured(**held[name]) for name in _MEASURED},
        accepted=held["accepted"],
        groups=tuple(_group(group) for group in held["groups"]),
        weights=np.array(held["weights"]),
        fitted=Fitted(effects, *(from_plain(fitted[name], boosters) for name in _PREDICTIONS)),
    )


def _plain_group(group: Group) -> Json:
    lowest = math.isinf(group.above)  # JSON knows no infinity
    return asdict(group) | {"above": None if lowest else group.above}


def _group(held: Json) -> Group:
    above = -math.inf if held["above"] is None else held["above"]
    return Group(Measured(**held["effect"]), above, held["customers"], held["sd"])


if __name__ == "__main__":
    _smoke(Path(sys.argv[1]))
