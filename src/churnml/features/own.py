"""Features that a user wrote in a file of their own, named in `configs/features.yaml`; see docs/own-features.md."""

from __future__ import annotations

import importlib.util
import re
import traceback
from collections.abc import Iterable
from pathlib import Path

from churnml.errors import ConfigError, nearest
from churnml.features.declare import Aggregate, Feature
from churnml.features.given import GIVEN
from churnml.features.kernel import FOLDS
from churnml.features.rows import ROW_SETS, columns_of

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def own_features(files: Iterable[Path]) -> tuple[Feature, ...]:
    """Return the features that some Python files declare in their `FEATURES`.

    Raises
    ------
    ConfigError
        If a file is not there, cannot be run, or declares what the kernel cannot compute.
    """
    return tuple(feature for file in files for feature in _of_file(file))


def _of_file(file: Path) -> list[Feature]:
    if not file.is_file():
        raise ConfigError(f"configs/features.yaml names {file}, which is no file; correct `files`")
    found = getattr(_run(file), "FEATURES", None)
    if not isinstance(found, list) or not all(isinstance(one, Feature) for one in found):
        raise ConfigError(
            f"{file.name} must define FEATURES, a list of churnml.features.Feature; see docs/own-features.md"
        )
    for feature in found:
        _check(file, feature)
    return found


def _run(file: Path) -> object:
    spec = importlib.util.spec_from_file_location(f"own_features_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{file.name} must be a Python file that ends in .py; rename it")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a stranger's file may raise, its own name and line are what helps
        lines = [entry.lineno for entry in _entries(error) if Path(entry.filename) == file]
        line = getattr(error, "lineno", None) or (lines[-1] if lines else None)
        where = f"{file.name}, line {line}" if line else file.name
        raise ConfigError(
            f"{where}: {type(error).__name__}: {error}; correct the file, or take it out of `files`"
        ) from error
    return module


def _entries(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))


def _check(file: Path, feature: Feature) -> None:
    """Check that a feature can be computed and told."""
    said = f"{file.name}: feature `{feature.name}`"
    if not _NAME.fullmatch(feature.name):
        raise ConfigError(f"{said} must be named in small letters, digits and underscores, such as tea_share_90d")
    if feature.attribute or not feature.needs:
        raise ConfigError(f"{said} must say in `needs` which aggregates it is made of")
    for need in feature.needs:
        _check_aggregate(said, need)


def _check_aggregate(said: str, need: Aggregate) -> None:
    if need.rows in GIVEN:
        return
    if need.rows not in ROW_SETS:
        raise ConfigError(
            f"{said}: `rows` must be one of {', '.join(ROW_SETS)}, got {need.rows!r}{nearest(need.rows, ROW_SETS)}"
        )
    if need.lag < 0 or (need.days is not None and need.days < 1):
        raise ConfigError(
            f"{said}: a window ends at the cutoff or before it and has a day at least, got days={need.days}, "
            f"lag={need.lag}; what lies after the cutoff is not known at it"
        )
    if need.how not in FOLDS:
        raise ConfigError(
            f"{said}: `how` must be one of {', '.join(FOLDS)}, got {need.how!r}{nearest(need.how, FOLDS)}"
        )
    columns = columns_of(need.rows)
    wrong = [name for name in (need.column, *(name for name, _ in need.filters)) if name and name not in columns]
    if wrong or not (need.column or need.how == "count"):
        name = wrong[0] if wrong else ""
        raise ConfigError(
            f"{said}: the columns of `{need.rows}` are {', '.join(columns)}, got {name!r}{nearest(name, columns)}"
        )
    texts = ROW_SETS[need.rows].text_columns
    plain = [name for name, _ in need.filters if name not in texts]
    if plain:
        raise ConfigError(f"{said}: `where` filters by texts, of `{need.rows}` by {', '.join(texts)}, got {plain[0]!r}")
