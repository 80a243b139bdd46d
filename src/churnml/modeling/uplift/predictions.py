"""Predictions that can be written down: each is plain numbers, trees, or other predictions put together.

Asked with features of shape (n_customers, n_features), each answers with shape (n_customers,). What a learner found is
one of these and no closure, so that a bundle can hold it as text and numbers and run none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from churnml.modeling.learners import Linear, predicted, sigmoid
from churnml.modeling.scaling import Scaling

Json = dict[str, Any]  # Any: JSON
Matrix = npt.NDArray[np.float64]
Predict = Callable[[Matrix], Matrix]


@dataclass(frozen=True)
class Level:
    """The same for everybody."""

    value: float

    def __call__(self, rows: Matrix) -> Matrix:
        """Return the value for each row."""
        return np.full(len(rows), self.value)


@dataclass(frozen=True)
class Share:
    """The same share of what is expected of each, of those of whom more than nothing is."""

    expected: Predict
    share: float

    def __call__(self, rows: Matrix) -> Matrix:
        """Return the share of each row's expectation."""
        return self.share * np.maximum(self.expected(rows), 0.0)


@dataclass(frozen=True)
class Trees:
    """What boosted trees say; `raw` is before their link, a logit where they were taught a probability."""

    booster: lightgbm.Booster
    raw: bool = False

    def __call__(self, rows: Matrix) -> Matrix:
        """Return what the trees predict."""
        return predicted(self.booster, rows, raw_score=self.raw)


@dataclass(frozen=True)
class Line:
    """A line on scaled columns."""

    scaling: Scaling
    linear: Linear

    def __call__(self, rows: Matrix) -> Matrix:
        """Return the line's height."""
        return self.linear.predict(self.scaling(rows))


@dataclass(frozen=True)
class Chance:
    """The probability of a logit."""

    logit: Predict

    def __call__(self, rows: Matrix) -> Matrix:
        """Return probabilities."""
        return sigmoid(self.logit(rows))


@dataclass(frozen=True)
class Mean:
    """The mean of several predictions."""

    parts: tuple[Predict, ...]

    def __call__(self, rows: Matrix) -> Matrix:
        """Return the mean."""
        return np.asarray(np.mean([one(rows) for one in self.parts], axis=0))


@dataclass(frozen=True)
class Difference:
    """The outcome with the arm less that without: the T-learner."""

    control: Predict
    treated: Predict

    def __call__(self, rows: Matrix) -> Matrix:
        """Return the difference."""
        return self.treated(rows) - self.control(rows)


@dataclass(frozen=True)
class Switched:
    """What switching the arm changes in one response: the S-learner; `crossed` as in `with_arm`."""

    response: Predict
    crossed: bool

    def __call__(self, rows: Matrix) -> Matrix:
        """Return the response with the arm less that without."""
        both = (with_arm(rows, np.full(len(rows), side), crossed=self.crossed) for side in (True, False))
        return np.subtract(*(self.response(one) for one in both))


@dataclass(frozen=True)
class Crossed:
    """Two regressions of imputed effects, weighted by who is plentiful: the X-learner; `share` is that of the arm."""

    of_treated: Predict
    of_control: Predict
    share: float

    def __call__(self, rows: Matrix) -> Matrix:
        """Return the weighted effect."""
        return self.share * self.of_control(rows) + (1 - self.share) * self.of_treated(rows)


@dataclass(frozen=True)
class Shifted:
    """The effect of one shift of the logit for all, about a logit that was learned whatever the arm."""

    marginal: Predict
    level: float
    shift: float
    share: float

    def __call__(self, rows: Matrix) -> Matrix:
        """Return the change of the probability."""
        logit = self.marginal(rows) + self.level
        return sigmoid(logit + (1 - self.share) * self.shift) - sigmoid(logit - self.share * self.shift)


def with_arm(features: Matrix, treated: npt.NDArray[np.bool_], *, crossed: bool) -> Matrix:
    """Return the features beside the arm; `crossed`, for lines that cannot bend, adds each feature times the arm."""
    arm = treated[:, None].astype(np.float64)
    return np.hstack([features, arm, features * arm] if crossed else [features, arm])


_KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (Level, Share, Trees, Line, Chance, Mean, Difference, Switched, Crossed, Shifted, Scaling, Linear)
}
_BOOSTER = "booster"


def to_plain(found: object, texts: list[str]) -> Any:  # Any: JSON
    """Return a prediction as plain data; the text of its trees is added to `texts`, the same text once.

    Raises
    ------
    TypeError
        If it is none of those declared here, such as a closure.
    """
    if isinstance(found, lightgbm.Booster):
        text = found.model_to_string()
        if text not in texts:
            texts.append(text)
        return {"kind": _BOOSTER, "text": texts.index(text)}
    if type(found) in _KINDS.values():
        named = {field.name: to_plain(getattr(found, field.name), texts) for field in fields(found)}  # type: ignore[arg-type]  # all of them are dataclasses
        return {"kind": type(found).__name__} | named
    if isinstance(found, tuple):
        return [to_plain(one, texts) for one in found]
    if isinstance(found, str | bool | int | float):
        return found
    raise TypeError(f"a prediction that is saved must be declared in {__name__}, got {found!r}")


def from_plain(held: Any, boosters: Sequence[lightgbm.Booster]) -> Any:  # Any: JSON, and what it stands for
    """Return what `to_plain` wrote.

    Raises
    ------
    LookupError, TypeError
        If it holds something else.
    """
    if isinstance(held, list):
        return tuple(from_plain(one, boosters) for one in held)
    if not isinstance(held, dict):
        return held
    if held["kind"] == _BOOSTER:
        return boosters[held["text"]]
    named = {name: from_plain(value, boosters) for name, value in held.items() if name != "kind"}
    return _KINDS[held["kind"]](**named)
