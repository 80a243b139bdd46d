"""The saved model: a folder of plain data named by its own hash, checked before a byte of it is parsed.

`manifest.json` names every other file with its SHA-256, and the folder is named by the SHA-256 of the manifest; so
one comparison covers everything. LightGBM's text parser can kill the process that reads damaged bytes, therefore the
digests come first, and a new bundle is parsed once in a child process with a deadline before it is promoted. There is
no pickle: a bundle cannot run code.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from churnml import __version__
from churnml.errors import ModelRefusedError
from churnml.modeling.bounds import bounds, conversion_bounds
from churnml.modeling.btyd import BGNBD
from churnml.modeling.calibration import Calibration
from churnml.modeling.churn import ChurnModel
from churnml.modeling.clv import ValueModel
from churnml.modeling.contentment import Contentment
from churnml.modeling.conversion import ConversionModel
from churnml.modeling.design import Design
from churnml.modeling.hazard import Hazard
from churnml.modeling.learners import Linear
from churnml.modeling.model import Model
from churnml.modeling.next_category import NextCategory
from churnml.modeling.own_learner import OwnLearner, TaughtOwn, own_learners, restored
from churnml.modeling.posterior import Rhythms
from churnml.modeling.recency import RecencyRule
from churnml.modeling.renewal import DrawnRenewals, Pace, Renewals
from churnml.modeling.rhythm import Silent
from churnml.modeling.scaling import Scaling
from churnml.modeling.season import Season
from churnml.modeling.spend import Spend
from churnml.modeling.spread import Spread

Json = dict[str, Any]  # Any: JSON

FORMAT = 8
KEY_VARIABLE = "CHURNML_BUNDLE_KEY"
_CATEGORIES = "categories.json"
_MANIFEST, _SIGNATURE = "manifest.json", "signature.txt"
_OF_MONEY = ("value-tweedie", "value-change", "stayers-tweedie", "stayers-change")
_SMOKE_ROWS = 200
_DEADLINE_SECONDS = 180


def save_bundle(model: Model, facts: Mapping[str, Any], models: Path) -> str:
    """Write a model as `models/<hash>/` and return the hash; the same model and facts give the same hash.

    Parameters
    ----------
    facts : mapping
        What the manifest tells beside the model: cutoffs, data digest, metrics. No clock, no path.
    models : Path
        The folder of bundles.
    """
    return write_bundle(_files(model), {"inputs": list(model.design.columns), **facts}, models)


def write_bundle(files: Mapping[str, bytes], facts: Mapping[str, Any], models: Path) -> str:
    """Write the files of a model, of whatever kind, under a manifest and return the hash; all at once or nothing."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    manifest = canonical({"format": FORMAT, "code_version": __version__, "files": digests, **facts})
    name = hashlib.sha256(manifest).hexdigest()
    draft, old = (models / f".{kind}-{uuid.uuid4().hex}" for kind in ("draft", "old"))
    draft.mkdir(parents=True)
    try:
        for file, content in ({**files, _MANIFEST: manifest} | _signature(manifest)).items():
            (draft / file).write_bytes(content)
        with contextlib.suppress(FileNotFoundError):
            (models / name).rename(old)  # a damaged one, or a link in its place, makes room too
        draft.rename(models / name)
    finally:
        for left in (draft, old):
            shutil.rmtree(left, ignore_errors=True)
    return name


def load_bundle(folder: Path, learners: Iterable[Path] = ()) -> tuple[Model, Json]:
    """Return the model in `folder`, and its manifest.

    Parameters
    ----------
    learners : iterable of Path
        Files that declare learners of one's own; they are run only if the bundle asks for one.

    Raises
    ------
    ModelRefusedError
        If anything in the folder is missing, added or changed, if its signature does not match the key in the
        environment variable CHURNML_BUNDLE_KEY, if it was written in a format this version does not read, or if it asks
        for a learner of one's own that no file declares as it was.
    """
    try:
        manifest, files = read_bundle(folder)
        require_kind(manifest, None, folder)
        content = json.loads(files["model.json"])
        names = ["churn"] * content["churn"]["trees"] + list(_OF_MONEY) * (content["value"] is not None)
        names += [f"sooner-{day}" for day, held in content["sooner"].items() if held["trees"]]
        names += ["conversion"] * (content["conversion"] is not None and content["conversion"]["blend"]["trees"])
        trees = {name: lightgbm.Booster(model_str=files[f"{name}.txt"].decode()) for name in names}
        blends = (content["churn"], *content["sooner"].values())
        known = own_learners(learners) if any(one["own"] for one in blends) else ()
        model = _model(content, trees, known, folder.name)
        if _CATEGORIES in files:
            model = replace(model, next_category=NextCategory.from_dict(json.loads(files[_CATEGORIES])))
    except (LookupError, TypeError, ValueError, lightgbm.basic.LightGBMError) as error:
        raise ModelRefusedError(f"bundle {folder.name[:12]} holds no model of ours ({error!r}); train again") from error
    _require(list(model.design.columns) == manifest["inputs"], folder, "its columns stand as in training")
    return model, manifest


def check_bundle(folder: Path) -> Json:
    """Check every digest of a bundle, parsing nothing but the manifest, and that only once its own digest holds.

    Raises
    ------
    ModelRefusedError
        As `load_bundle`.
    """
    return read_bundle(folder)[0]


def require_kind(manifest: Json, kind: str | None, folder: Path) -> None:
    """Refuse a bundle of another kind of model; the manifest of one for landed tables names none.

    Raises
    ------
    ModelRefusedError
        If it is of another kind.
    """
    found = manifest.get("kind")
    if found != kind:
        raise ModelRefusedError(
            f"bundle {folder.name[:12]} holds a model of {found or 'landed tables'}, expected one of "
            f"{kind or 'landed tables'}; a feature table is scored with `churnml score --features FILE`"
        )


def read_bundle(folder: Path) -> tuple[Json, dict[str, bytes]]:
    """Return the manifest and the bytes of the files it names: what was checked is what will be parsed.

    Raises
    ------
    ModelRefusedError
        As `load_bundle`.
    """
    if not (folder / _MANIFEST).is_file():
        raise ModelRefusedError(f"no model at {folder}: a bundle holds a {_MANIFEST}; train again, or restore it")
    _require(not folder.is_symlink(), folder, "is a folder, not a link to one")
    raw = _bytes(folder, _MANIFEST)
    _require(hashlib.sha256(raw).hexdigest() == folder.name, folder, f"{_MANIFEST} has the digest in the folder's name")
    _require_signature(folder, raw)
    manifest: Json = json.loads(raw)
    if manifest["format"] != FORMAT:
        raise ModelRefusedError(f"{folder.name[:12]} has format {manifest['format']}, this version reads {FORMAT}")
    present = {path.name for path in folder.iterdir()} - {_MANIFEST, _SIGNATURE}
    _require(present == set(manifest["files"]), folder, f"holds exactly {', '.join(manifest['files'])}")
    files = {name: _bytes(folder, name) for name in manifest["files"]}
    for name, digest in manifest["files"].items():
        _require(hashlib.sha256(files[name]).hexdigest() == digest, folder, f"{name} is as written")
    return manifest, files


def _bytes(folder: Path, name: str) -> bytes:
    """Read a file of a bundle; a link could lead anywhere, and a pipe would never end."""
    path = folder / name
    _require(path.is_file() and not path.is_symlink(), folder, f"{name} is a regular file")
    return path.read_bytes()


def try_bundle(folder: Path, module: str = __name__, learners: Iterable[Path] = ()) -> None:
    """Load a bundle and score a few rows with it in a child process, so that a fatal fault dies there and not here.

    Parameters
    ----------
    module : str
        What the child runs: the module that loads bundles of this kind.
    learners : iterable of Path
        As of `load_bundle`.

    Raises
    ------
    ModelRefusedError
        If the child fails, dies or exceeds three minutes.
    """
    command = [
        sys.executable,
        "-P",
        "-m",
        module,
        str(folder),
        *map(str, learners),
    ]  # -P: no code from the current folder
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE_SECONDS, check=False)  # noqa: S603  # our own interpreter and module
    except subprocess.TimeoutExpired as error:
        raise ModelRefusedError(
            f"bundle {folder.name[:12]} did not score within {_DEADLINE_SECONDS} s; train again"
        ) from error
    if child.returncode != 0:
        last = (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
        raise ModelRefusedError(f"bundle {folder.name[:12]} cannot score ({last}); train again")


def _smoke(folder: Path, learners: Iterable[Path] = ()) -> None:
    """Score empty, zero and large rows, and require probabilities and money that are numbers."""
    model, _ = load_bundle(folder, learners)
    if model.rung != "blend":
        broken = bounds(model, _SMOKE_ROWS).broken
        if broken:
            raise ModelRefusedError(f"bundle {folder.name[:12]} gives impossible scores: {broken[0]}")
    broken = conversion_bounds(model.conversion, _SMOKE_ROWS) if model.conversion else ()
    if broken:
        raise ModelRefusedError(f"bundle {folder.name[:12]} gives impossible scores: {broken[0]}")
    matrix = np.full((3, len(model.design.columns)), np.nan)
    matrix[1], matrix[2] = 0.0, 1e6
    rhythm = np.array([[0.0, 1.0, 1.0], [-3.0, 0.5, 0.0], [3.0, 0.0, 9.0]])
    blends = (model.churn, *model.sooner.values())
    never = np.zeros(len(matrix), dtype=np.int64)
    probabilities = [blend.probability(blend.logits(matrix, rhythm[:, 0]), never) for blend in blends]
    values = [one.predict(matrix, np.zeros(3)) for one in (model.value, model.value_of_stayers) if one is not None]
    if not np.isfinite([*probabilities, *values]).all():
        raise ModelRefusedError(f"bundle {folder.name[:12]} gives scores that are not numbers")


def _files(model: Model) -> dict[str, bytes]:
    blends = {"churn": model.churn} | {f"sooner-{day}": blend for day, blend in model.sooner.items()}
    blends |= {} if model.conversion is None else {"conversion": model.conversion.blend}
    boosters = {name: blend.trees for name, blend in blends.items() if blend.trees is not None}
    for name, value in (("value", model.value), ("stayers", model.value_of_stayers)):
        boosters |= {} if value is None else _boosters(name, value)
    texts = {f"{name}.txt": booster.model_to_string().encode() for name, booster in boosters.items()}
    more = {} if model.next_category is None else {_CATEGORIES: _compact(model.next_category.to_dict())}
    return texts | more | {"model.json": canonical(_plain(model))}


def _boosters(name: str, value: ValueModel) -> dict[str, lightgbm.Booster]:
    return {f"{name}-tweedie": value.tweedie, f"{name}-change": value.change}


def _plain(model: Model) -> Json:
    return {
        "horizon_days": model.horizon_days,
        "population_days": model.population_days,
        "margin_rate": model.margin_rate,
        "bands": model.bands,
        "tiers": model.tiers,
        "design": model.design.to_dict(),
        "rung": model.rung,
        "by": model.by,
        "grace_days": model.grace_days,
        "value_season": None if model.value_season is None else asdict(model.value_season),
        "rhythm": _plain_rhythm(model.rhythm),
        "churn": _plain_churn(model.churn),
        "sooner": {str(day): _plain_churn(blend) for day, blend in model.sooner.items()},
        "value": None if model.value is None else _plain_value(model.value),
        "stayers": None if model.value_of_stayers is None else _plain_value(model.value_of_stayers),
        "spend": None if model.spend is None else asdict(model.spend),
        "spread": asdict(model.spread),
        "conversion": None if model.conversion is None else _plain_conversion(model.conversion),
        "contentment": None if model.contentment is None else model.contentment.to_dict(),
    }


def _plain_conversion(conversion: ConversionModel) -> Json:
    return {
        "horizon_days": conversion.horizon_days,
        "rung": conversion.rung,
        "design": conversion.design.to_dict(),
        "hazard": conversion.hazard.to_dict(),
        "blend": _plain_churn(conversion.blend),
    }


def _conversion(held: Json | None, trees: lightgbm.Booster | None) -> ConversionModel | None:
    if held is None:
        return None
    design, hazard = Design.from_dict(held["design"]), Hazard.from_dict(held["hazard"])
    return ConversionModel(held["horizon_days"], held["rung"], design, hazard, _churn(held["blend"], trees, ()))


def _plain_rhythm(rhythm: Silent | Pace) -> Json:
    if isinstance(rhythm, Renewals | DrawnRenewals):
        paces = rhythm.each if isinstance(rhythm, DrawnRenewals) else (rhythm,)
        return {"several": isinstance(rhythm, DrawnRenewals), "renewals": [asdict(one) for one in paces]}
    if isinstance(rhythm, RecencyRule):
        return {"rule": asdict(rhythm)}
    each = rhythm.each if isinstance(rhythm, Rhythms) else (rhythm,)
    return {"several": isinstance(rhythm, Rhythms), "each": [one.parameters_ for one in each if isinstance(one, BGNBD)]}


def _rhythm(held: Json) -> Silent | Pace:
    if "renewals" in held:
        paces = tuple(Renewals(**one) for one in held["renewals"])
        return DrawnRenewals(paces) if held["several"] else paces[0]
    if "rule" in held:
        return RecencyRule(**held["rule"])
    each = tuple(BGNBD.from_parameters(**one) for one in held["each"])
    return Rhythms(each) if held["several"] else each[0]


def _plain_churn(churn: ChurnModel) -> Json:
    return {
        "trees": churn.trees is not None,
        "ridge": None if churn.ridge is None else asdict(churn.ridge),
        "ridges": [asdict(one) for one in churn.ridges],
        "scaling": None if churn.scaling is None else churn.scaling.to_dict(),
        "weights": churn.weights,
        "reference": churn.reference,
        "season": None if churn.season is None else asdict(churn.season),
        "own": [one.to_json() for one in churn.own],
        "calibration": asdict(churn.calibration),
    }


def _plain_value(value: ValueModel) -> Json:
    return {
        "scale": value.scale,
        "plain": asdict(value.plain),
        "root": asdict(value.root),
        "smear": value.smear,
        "plain_scaling": value.plain_scaling.to_dict(),
        "root_scaling": value.root_scaling.to_dict(),
    }


def _model(content: Json, trees: Mapping[str, lightgbm.Booster], known: Sequence[OwnLearner], bundle: str) -> Model:
    def churn(held: Json, name: str) -> ChurnModel:
        return _churn(held, trees.get(name), tuple(restored(one, known, bundle) for one in held["own"]))

    return Model(
        content["horizon_days"],
        content["population_days"],
        content["margin_rate"],
        Design.from_dict(content["design"]),
        _rhythm(content["rhythm"]),
        churn(content["churn"], "churn"),
        {int(day): churn(held, f"sooner-{day}") for day, held in content["sooner"].items()},
        _value("value", content, trees),
        _value("stayers", content, trees),
        Spread.from_dict(content["spread"]),
        (content["bands"][0], content["bands"][1]),
        content["rung"],
        None if content["spend"] is None else Spend(**content["spend"]),
        _conversion(content["conversion"], trees.get("conversion")),
        None if content["contentment"] is None else Contentment.from_dict(content["contentment"]),
        content["by"],
        content["grace_days"],
        None if content["value_season"] is None else Season.from_dict(content["value_season"]),
        (content["tiers"][0], content["tiers"][1]),
    )


def _churn(held: Json, trees: lightgbm.Booster | None, own: tuple[TaughtOwn, ...]) -> ChurnModel:
    return ChurnModel(
        trees,
        None if held["ridge"] is None else Linear.from_dict(held["ridge"]),
        None if held["scaling"] is None else Scaling.from_dict(held["scaling"]),
        tuple(held["weights"]),
        held["reference"],
        tuple(Linear.from_dict(one) for one in held["ridges"]),
        None if held["season"] is None else Season.from_dict(held["season"]),
        own,
        Calibration.from_dict(held["calibration"]),
    )


def _value(name: str, content: Json, trees: Mapping[str, lightgbm.Booster]) -> ValueModel | None:
    held = content[name]
    if held is None:
        return None
    return ValueModel(
        held["scale"],
        trees[f"{name}-tweedie"],
        trees[f"{name}-change"],
        Linear.from_dict(held["plain"]),
        Linear.from_dict(held["root"]),
        held["smear"],
        Scaling.from_dict(held["plain_scaling"]),
        Scaling.from_dict(held["root_scaling"]),
    )


def canonical(content: Mapping[str, Any]) -> bytes:  # Any: JSON
    """Return JSON, the same for the same content.

    Keys keep the order they were written in: that of the categories is the order of the trees' columns.
    """
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False).encode()


def _compact(content: Mapping[str, Any]) -> bytes:  # Any: JSON
    """Return JSON without a space: it holds a number for every two categories."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _signature(manifest: bytes) -> dict[str, bytes]:
    key = os.environ.get(KEY_VARIABLE)
    return {_SIGNATURE: _hmac(key, manifest)} if key else {}


def _hmac(key: str, manifest: bytes) -> bytes:
    return hmac.new(key.encode(), manifest, hashlib.sha256).hexdigest().encode()


def _require_signature(folder: Path, manifest: bytes) -> None:
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        return
    signature = folder / _SIGNATURE
    found = signature.read_bytes() if signature.is_file() else b""
    _require(hmac.compare_digest(found, _hmac(key, manifest)), folder, f"is signed with the key in {KEY_VARIABLE}")


def _require(holds: bool, folder: Path, rule: str) -> None:  # noqa: FBT001  # the condition is the point of the call
    if not holds:
        raise ModelRefusedError(
            f"bundle {folder.name[:12]} is damaged or was changed; it was not opened. The rule broken: {rule}. "
            "Restore the folder from a backup, or train again"
        )


if __name__ == "__main__":
    _smoke(Path(sys.argv[1]), [*map(Path, sys.argv[2:])])
