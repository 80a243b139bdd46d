"""Learners that a user wrote in a file of their own, named in `configs/train.yaml`; see docs/own-learner.md.

The bundle holds what such a learner was taught, as plain JSON, and the digest of the file that can read it. It holds no
code: who scores brings the file, and one that is absent or another is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from churnml.config import LEARNERS
from churnml.database.workspace import digest_of_file
from churnml.errors import ChurnmlError, ConfigError, ModelRefusedError
from churnml.features.own import line_in, run_file
from churnml.wording import Text

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Json = dict[str, Any]  # Any: JSON
Answer = TypeVar("Answer")

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MOST = 40.0
"""Beyond such a logit nobody is told apart."""
_TRIED, _REFERRED, _SAME = 200, 2_000, 1e-9
_SHOWN = 12


class Fitted(Protocol):
    """What one's own `fit` and `from_json` return; it may have `contributions` too."""

    def logit(self, matrix: Matrix, /) -> Matrix:
        """Return the logit of churn of each row; shape (n_rows,)."""

    def to_json(self) -> Json:
        """Return what `from_json` needs, as plain JSON."""


class Declared(Protocol):
    """What a class in `LEARNERS` of such a file has; `fit` and `from_json` are methods of the class."""

    name: str
    text: Text

    def fit(self, matrix: Matrix, churned: Flags, *, columns: Sequence[str], seed: int) -> Fitted:
        """Return a taught learner; a missing value in `matrix` of shape (n_rows, n_columns) is NaN."""

    def from_json(self, state: Json, /) -> Fitted:
        """Return what `to_json` was asked of."""


@dataclass(frozen=True)
class OwnLearner:
    """A learner that a file declares.

    Parameters
    ----------
    kind : Declared
        The class.
    file : Path
    digest : str
        SHA-256 of the file.
    """

    kind: Declared
    file: Path
    digest: str

    @property
    def name(self) -> str:
        """By which weights and reasons call it."""
        return self.kind.name

    def teach(self, matrix: Matrix, churned: Flags, columns: Sequence[str], seed: int) -> TaughtOwn:
        """Return it taught, as the bundle will give it back.

        Raises
        ------
        ConfigError
            If it fails, if what it learned is no plain JSON or says something else once read back, if a logit is no
            number, or if contributions do not add up to it.
        """
        rows = matrix[np.unique(np.linspace(0, len(matrix) - 1, _REFERRED).astype(np.intp))]
        fitted = self._tried("fit", lambda: self.kind.fit(_kept(matrix), churned.copy(), columns=columns, seed=seed))
        state = self._tried("to_json", lambda: _plain(fitted.to_json()))
        taught = TaughtOwn(self, state, 0.0, self._tried("from_json", lambda: self.kind.from_json(_plain(state))))
        said = self._tried("logit", lambda: taught.logit(rows))
        if not np.isfinite(said).all():
            raise self._wrong(
                "`logit` must give numbers, also where values are missing (NaN), and gave some that are none"
            )
        before = self._tried("logit", lambda: _shaped(fitted.logit(_kept(rows[:_TRIED])), len(rows[:_TRIED])))
        if not np.allclose(np.clip(before, -_MOST, _MOST), said[: len(before)], rtol=0, atol=_SAME):
            raise self._wrong("`from_json` must give back what `to_json` was asked of, and its logits are others")
        told = self._tried("contributions", lambda: taught.contributions(rows[:_TRIED], said[:_TRIED]))
        if told is not None and np.abs(told.rest).max() > 0:
            raise self._wrong("`contributions` and their base must add up to the logit within 1e-9, and do not")
        return TaughtOwn(self, state, float(said.mean()), taught.fitted)

    def _tried(self, method: str, call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except ChurnmlError:
            raise
        except Exception as error:  # whatever code of one's own may raise, its name and line are what helps
            raise self._wrong(f"`{method}` ended with {type(error).__name__}: {error}", error) from error

    def _wrong(self, words: str, error: Exception | None = None) -> ConfigError:
        line = None if error is None else line_in(error, self.file)
        where = f"{self.file.name}, line {line}" if line else self.file.name
        return ConfigError(
            f"{where}: learner `{self.name}`: {words}; correct the file, or take it out of `learners.files` in "
            "configs/train.yaml"
        )


@dataclass(frozen=True)
class Parts:
    """What each column added to a learner's logit.

    Parameters
    ----------
    by_column : ndarray of shape (n_rows, n_columns)
    base : float
        What no column adds to.
    rest : ndarray of shape (n_rows,)
        What of the logit they leave unexplained; 0 for a sound learner.
    """

    by_column: Matrix
    base: float
    rest: Matrix


@dataclass(frozen=True)
class TaughtOwn:
    """One's own learner, taught.

    Parameters
    ----------
    declared : OwnLearner
    state : dict
        What it learned, as plain JSON.
    reference : float
        Its mean logit of rows that taught it; reasons count from there where it tells no contributions.
    fitted : Fitted
        What the state makes.
    """

    declared: OwnLearner
    state: Json
    reference: float
    fitted: Fitted

    def logit(self, matrix: Matrix) -> Matrix:
        """Return the logit of each row, kept within 40 either way; shape (n_rows,)."""
        if not len(matrix):
            return np.zeros(0)
        return np.clip(_shaped(self.fitted.logit(_kept(matrix)), len(matrix)), -_MOST, _MOST)

    def contributions(self, matrix: Matrix, logit: Matrix) -> Parts | None:
        """Return what each column added, None where the learner does not tell."""
        tell = getattr(self.fitted, "contributions", None)
        if tell is None or not len(matrix):
            return None
        by_column, base = tell(_kept(matrix))
        found = np.asarray(by_column, dtype=np.float64)
        if found.shape != matrix.shape:
            raise ValueError(
                f"contributions must have a value for each value of the matrix, {matrix.shape}, got {found.shape}"
            )
        rest = logit - found.sum(axis=1) - float(base)
        return Parts(found, float(base), np.where(np.abs(rest) <= _SAME, 0.0, rest))

    def to_json(self) -> Json:
        """Return plain data for the bundle."""
        told = {"name": self.declared.name, "file": self.declared.file.name, "digest": self.declared.digest}
        return told | {"reference": self.reference, "state": self.state}


def own_learners(files: Iterable[Path]) -> tuple[OwnLearner, ...]:
    """Return the learners that some Python files declare in their `LEARNERS`.

    Raises
    ------
    ConfigError
        If a file is not there, cannot be run, or declares what is no learner.
    """
    found = [learner for file in files for learner in _of_file(file)]
    names = [one.name for one in found]
    twice = next((one for one in found if names.count(one.name) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice.file.name}: two learners are called `{twice.name}`; rename one")
    return tuple(found)


def restored(held: Json, known: Sequence[OwnLearner], bundle: str) -> TaughtOwn:
    """Return the learner whose state a bundle holds, by the file that declares it.

    Parameters
    ----------
    known : sequence of OwnLearner
        What there is now.
    bundle : str
        What messages call it.

    Raises
    ------
    ModelRefusedError
        If no file of the digest declares it, or it cannot read its own state.
    """
    name, file, digest = held["name"], held["file"], held["digest"]
    same = [one for one in known if one.name == name]
    if not same or same[0].digest != digest:
        fate = f"has changed since (SHA-256 {same[0].digest[:_SHOWN]})" if same else "is not among `learners.files`"
        raise ModelRefusedError(
            f"bundle {bundle[:_SHOWN]} asks the learner `{name}` of {file} as it was when it was trained (SHA-256 "
            f"{digest[:_SHOWN]}), and that file {fate} in configs/train.yaml; bring it back, or train again"
        )
    try:
        return TaughtOwn(same[0], held["state"], held["reference"], same[0].kind.from_json(_plain(held["state"])))
    except Exception as error:
        raise ModelRefusedError(
            f"bundle {bundle[:_SHOWN]}: the learner `{name}` of {file} could not read what it was taught "
            f"({type(error).__name__}: {error}); train again"
        ) from error


def _of_file(file: Path) -> list[OwnLearner]:
    if not file.is_file():
        raise ConfigError(f"configs/train.yaml names {file}, which is no file; correct `learners.files`")
    found = getattr(run_file(file, "learners.files"), "LEARNERS", None)
    if not isinstance(found, list) or not found:
        raise ConfigError(f"{file.name} must define LEARNERS, a list of classes; see docs/own-learner.md")
    digest = digest_of_file(file)
    for kind in found:
        _check(file, kind)
    return [OwnLearner(kind, file, digest) for kind in found]


def _check(file: Path, kind: Any) -> None:  # Any: whatever stands in the list
    said = f"{file.name}: learner `{getattr(kind, 'name', kind)}`"
    name, text = getattr(kind, "name", None), getattr(kind, "text", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in LEARNERS:
        raise ConfigError(
            f"{said} must have a `name` in small letters, digits and underscores that is none of {', '.join(LEARNERS)}"
        )
    if not isinstance(text, Text):
        raise ConfigError(
            f"{said} must have a `text`, such as Text('the neighbours', '近邻'), by which reasons call it"
        )
    for method in ("fit", "from_json", "logit", "to_json"):
        if not callable(getattr(kind, method, None)):
            raise ConfigError(f"{said} must have a method `{method}`; see docs/own-learner.md")


def _kept(matrix: Matrix) -> Matrix:
    """Return the same numbers, which the learner cannot change for those who come after it."""
    seen = matrix.view()
    seen.flags.writeable = False
    return seen


def _shaped(said: Any, rows: int) -> Matrix:  # Any: whatever the learner gives
    found = np.asarray(said, dtype=np.float64)
    if found.shape != (rows,):
        raise ValueError(f"logits must have the shape ({rows},), got {found.shape}")
    return found


def _plain(state: Any) -> Json:  # Any: whatever the learner gives
    found = json.loads(json.dumps(state, allow_nan=False))
    if not isinstance(found, dict):
        raise TypeError(f"the state must be a dictionary of plain JSON, got {type(found).__name__}")
    return found


__all__ = ["Declared", "Fitted", "OwnLearner", "Parts", "TaughtOwn", "own_learners", "restored"]
