"""Truth and forecasts, checked at the door of every metric."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError

FloatArray = npt.NDArray[np.float64]


def columns(y: npt.ArrayLike, *forecasts: npt.ArrayLike) -> list[FloatArray]:
    """Return truth and forecasts as float arrays of one length, without missing values.

    Raises
    ------
    InvalidTableError
        If there are no rows, lengths differ, or a value is missing or infinite.
    """
    arrays = [np.asarray(column, dtype=np.float64) for column in (y, *forecasts)]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 1 or arrays[0].size == 0:
        found = ", ".join(str(array.shape) for array in arrays)
        raise InvalidTableError(
            f"truth and forecasts must be flat, not empty and of one length, got {found}; pass one value per customer"
        )
    for name, array in zip(("y", *["p"] * len(forecasts)), arrays, strict=True):
        if not np.isfinite(array).all():
            row = int(np.argmin(np.isfinite(array)))
            raise InvalidTableError(f"`{name}` must be a number, got {array[row]} in row {row}; leave out the row")
    return arrays


def labels(y: npt.ArrayLike, p: npt.ArrayLike) -> list[FloatArray]:
    """Return `columns(y, p)` where every `y` is 0 or 1.

    Raises
    ------
    InvalidTableError
        As in `columns`, or if `y` holds anything else.
    """
    truth, score = columns(y, p)
    wrong = (truth != 0) & (truth != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidTableError(f"`y` must be 1 (churned) or 0 (stayed), got {truth[row]:g} in row {row}; recode it")
    return [truth, score]


def two_classes(y: npt.ArrayLike, p: npt.ArrayLike) -> list[FloatArray]:
    """Return `labels(y, p)` where some churned and some stayed, without whom no ranking can be judged.

    Raises
    ------
    InvalidTableError
        As in `labels`, or if all are of one class.
    """
    truth, score = labels(y, p)
    churners = int(truth.sum())
    if churners in {0, truth.size}:
        raise InvalidTableError(
            f"`y` must hold churners and stayers, got {churners} churners among {truth.size} customers; "
            "take a longer horizon or a larger population"
        )
    return [truth, score]


def probabilities(y: npt.ArrayLike, p: npt.ArrayLike) -> list[FloatArray]:
    """Return `labels(y, p)` where every `p` is a probability.

    Raises
    ------
    InvalidTableError
        As in `labels`, or if a `p` is outside [0, 1].
    """
    truth, probability = labels(y, p)
    wrong = (probability < 0) | (probability > 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InvalidTableError(f"`p` must be in [0, 1], got {probability[row]:g} in row {row}; pass probabilities")
    return [truth, probability]


def varied(y: npt.ArrayLike, p: npt.ArrayLike) -> list[FloatArray]:
    """Return `columns(y, p)` where the true values are not all equal, so that there is an order to find.

    Raises
    ------
    InvalidTableError
        As in `columns`, or if all true values are equal.
    """
    truth, forecast = columns(y, p)
    if np.ptp(truth) == 0:
        raise InvalidTableError(
            f"`y` must differ between customers to be ranked, got {truth[0]:g} for all {truth.size}; "
            "take a longer horizon or a larger population"
        )
    return [truth, forecast]
