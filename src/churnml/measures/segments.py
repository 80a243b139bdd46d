"""Which segment a customer belongs to: what they are worth, against how likely they leave.

Both sides are cut where a model was trained, and the cuts are kept in its bundle: the risk where approaching begins to
pay, the value at its thirds. So a customer's segment does not change because others were scored, or were not.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from churnml.wording import Text

Tier = Literal["low", "mid", "high"]
TIERS: tuple[Tier, ...] = get_args(Tier)
"""Thirds of the value of those a model was trained for, the least first."""

Segment = Literal[
    "high_value_high_risk",
    "high_value_medium_risk",
    "high_value_low_risk",
    "mid_value_high_risk",
    "mid_value_medium_risk",
    "mid_value_low_risk",
    "low_value_high_risk",
    "low_value_medium_risk",
    "low_value_low_risk",
]
"""The cells of the grid of value and risk."""

SEGMENTS: dict[Segment, Text] = {
    "high_value_high_risk": Text("High value, high risk", "高价值、高风险"),
    "high_value_medium_risk": Text("High value, medium risk", "高价值、中风险"),
    "high_value_low_risk": Text("High value, low risk", "高价值、低风险"),
    "mid_value_high_risk": Text("Medium value, high risk", "中价值、高风险"),
    "mid_value_medium_risk": Text("Medium value, medium risk", "中价值、中风险"),
    "mid_value_low_risk": Text("Medium value, low risk", "中价值、低风险"),
    "low_value_high_risk": Text("Low value, high risk", "低价值、高风险"),
    "low_value_medium_risk": Text("Low value, medium risk", "低价值、中风险"),
    "low_value_low_risk": Text("Low value, low risk", "低价值、低风险"),
}
"""How each is worded."""


def value_tiers(values: ArrayLike, cuts: tuple[float, float]) -> npt.NDArray[np.object_]:
    """Return in which third a value lies.

    Parameters
    ----------
    values : array-like of shape (n_customers,)
        In the currency.
    cuts : tuple of float
        Where the middle third begins and ends; both belong to it. Where everyone is worth the same, as with one price
        for all, all are in the middle.

    Returns
    -------
    ndarray of str, shape (n_customers,)
        Of `TIERS`.

    Examples
    --------
    >>> value_tiers([1.0, 5.0, 9.0], (3.0, 6.0)).tolist()
    ['low', 'mid', 'high']
    >>> value_tiers([5.0, 5.0], (5.0, 5.0)).tolist()
    ['mid', 'mid']
    """
    worth = np.asarray(values, dtype=np.float64)
    place = (worth >= cuts[0]).astype(np.intp) + (worth > cuts[1])
    return np.array(TIERS, dtype=np.object_)[place]


def segments(tiers: ArrayLike, bands: ArrayLike) -> npt.NDArray[np.object_]:
    """Return the segment of each customer, by the third of their value and the band of their risk.

    Parameters
    ----------
    tiers, bands : array-like of str, shape (n_customers,)
        Of `TIERS`; `low`, `medium` or `high`.

    Returns
    -------
    ndarray of str, shape (n_customers,)
        Keys of `SEGMENTS`.

    Examples
    --------
    >>> segments(["high"], ["medium"]).tolist()
    ['high_value_medium_risk']
    """
    pairs = zip(np.asarray(tiers, dtype=np.object_), np.asarray(bands, dtype=np.object_), strict=True)
    return np.array([f"{tier}_value_{band}_risk" for tier, band in pairs], dtype=np.object_)
