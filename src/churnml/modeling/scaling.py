"""How columns are scaled for the linear learners, frozen with the training rows they were fitted on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Transform = Literal["log", "root", "plain"]

_CLIP = 6.0
_CONSTANT = 1e-9


def _signed_log(values: Matrix) -> Matrix:
    """Return sign(x) log(1 + |x|): money and counts become comparable, zero stays zero."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _signed_root(values: Matrix) -> Matrix:
    return np.asarray(np.sign(values) * np.sqrt(np.abs(values)))


_TRANSFORMS: Mapping[Transform, Callable[[Matrix], Matrix]] = {
    "log": _signed_log,
    "root": _signed_root,
    "plain": lambda values: values,
}


@dataclass(frozen=True)
class Scaling:
    """A transform, then medians for what is missing, then standard scores within six spreads.

    Parameters
    ----------
    transform : {'log', 'root', 'plain'}
        Signed logarithm, signed square root, or none.
    median, mean, spread : tuple of float
        One for each column, after the transform.
    """

    transform: Transform
    median: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    def __call__(self, matrix: Matrix) -> Matrix:
        """Return the scaled columns, of the same shape, without a NaN."""
        values = _TRANSFORMS[self.transform](matrix)
        filled = np.where(np.isnan(values), np.array(self.median), values)
        return np.asarray(np.clip((filled - np.array(self.mean)) / np.array(self.spread), -_CLIP, _CLIP))

    def to_dict(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data for the bundle."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scaling:  # Any: JSON
        """Return the scaling that `to_dict` wrote."""
        return cls(data["transform"], *(tuple(data[name]) for name in ("median", "mean", "spread")))


def fit_scaling(matrix: Matrix, transform: Transform) -> Scaling:
    """Return the scaling of training rows; a column that never varies keeps a spread of 1, and so does nothing."""
    values = _TRANSFORMS[transform](matrix)
    empty = np.isnan(values).all(axis=0)
    median = np.nanmedian(np.where(empty, 0.0, values), axis=0)
    filled = np.where(np.isnan(values), median, values)
    spread = filled.std(axis=0)
    return Scaling(
        transform, _plain(median), _plain(filled.mean(axis=0)), _plain(np.where(spread < _CONSTANT, 1.0, spread))
    )


def _plain(values: Matrix) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
