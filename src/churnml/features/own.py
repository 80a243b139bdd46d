"""Features that a user wrote in a file of their own, named in `configs/features.yaml`; see docs/own-features.md."""

from __future__ import annotations

import importlib.util
import re
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import numpy as np

from churnml.errors import ConfigError, nearest
from churnml.events import TABLES
from churnml.features.declare import MISSING, Aggregate, Feature, Unit
from churnml.features.given import GIVEN, GIVEN_COLUMNS
from churnml.features.kernel import FOLDS
from churnml.features.rows import ROW_SETS, columns_of

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST = 36_500
_ABSENT = {"min", "max", "last", "first"}


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
    found = getattr(run_file(file), "FEATURES", None)
    if not isinstance(found, list) or not all(isinstance(one, Feature) for one in found):
        raise ConfigError(
            f"{file.name} must define FEATURES, a list of churnml.features.Feature; see docs/own-features.md"
        )
    for feature in found:
        _check(file, feature)
    return found


def run_file(file: Path, named_in: str = "files") -> object:
    """Return the module that a Python file of the user's makes.

    Parameters
    ----------
    named_in : str
        The setting that names the file.

    Raises
    ------
    ConfigError
        If it is no Python file, or cannot be run; the message names the line.
    """
    spec = importlib.util.spec_from_file_location(f"own_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{file.name} must be a Python file that ends in .py; rename it")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever a file may raise, its own name and line are what helps
        line = line_in(error, file)
        where = f"{file.name}, line {line}" if line else file.name
        raise ConfigError(
            f"{where}: {type(error).__name__}: {error}; correct the file, or take it out of `{named_in}`"
        ) from error
    return module


def line_in(error: BaseException, file: Path) -> int | None:
    """Return the line of a file at which an error came up, None where it was elsewhere."""
    lines = [entry.lineno for entry in traceback.extract_tb(error.__traceback__) if Path(entry.filename) == file]
    line: int | None = getattr(error, "lineno", None) or (lines[-1] if lines else None)
    return line


def _check(file: Path, feature: Feature) -> None:
    """Check that a feature can be computed and told."""
    said = f"{file.name}: feature `{feature.name}`"
    if not _NAME.fullmatch(feature.name):
        raise ConfigError(f"{said} must be named in small letters, digits and underscores, such as tea_share_90d")
    if feature.attribute or not feature.needs:
        raise ConfigError(f"{said} must say in `needs` which aggregates it is made of")
    if feature.table not in TABLES:
        raise ConfigError(f"{said}: `table` must be one of {', '.join(TABLES)}, got {feature.table!r}")
    if feature.unit not in get_args(Unit):
        raise ConfigError(f"{said}: `unit` must be one of {', '.join(get_args(Unit))}, got {feature.unit!r}")
    for need in feature.needs:
        _check_aggregate(said, need)
    _try(said, feature)


def _try(said: str, feature: Feature) -> None:
    """Derive a feature of two customers, of whom one has done nothing, and of whom the other has done one thing."""
    shape = (1, 2)
    given = [np.array([[MISSING if need.how in _ABSENT else 0, 1]]) for need in feature.needs]
    try:
        found = np.asarray(feature.derive(*given))
    except Exception as error:
        raise ConfigError(f"{said}: `derive` ended with {type(error).__name__}: {error}; correct it") from error
    if found.shape != shape or found.dtype.kind not in "fiub":
        raise ConfigError(
            f"{said}: `derive` must give numbers of the shape of what it is given, {shape}, got {found.dtype} of shape "
            f"{found.shape}"
        )


def _check_aggregate(said: str, need: Aggregate) -> None:
    if need.rows in GIVEN:
        known = GIVEN_COLUMNS[need.rows]
        if need.column not in known:
            near = nearest(need.column, known)
            raise ConfigError(f"{said}: the columns of `{need.rows}` are {', '.join(known)}, got {need.column!r}{near}")
        return
    if need.rows not in ROW_SETS:
        raise ConfigError(
            f"{said}: `rows` must be one of {', '.join(ROW_SETS)}, got {need.rows!r}{nearest(need.rows, ROW_SETS)}"
        )
    if not 0 <= need.lag <= _LONGEST or (need.days is not None and not 1 <= need.days <= _LONGEST):
        raise ConfigError(
            f"{said}: a window ends at the cutoff or before it and has between one and {_LONGEST:,} days, got "
            f"days={need.days}, lag={need.lag}; what lies after the cutoff is not known at it"
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
    if need.column in texts and need.how not in {"count", "distinct"}:
        raise ConfigError(
            f"{said}: `{need.column}` holds words, of which the different ones can be counted: set `how` to 'distinct' "
            "or name the words in `where`"
        )
    plain = [name for name, _ in need.filters if name not in texts]
    if plain:
        raise ConfigError(f"{said}: `where` filters by texts, of `{need.rows}` by {', '.join(texts)}, got {plain[0]!r}")
