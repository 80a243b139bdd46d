"""Effects of each action on each customer of a population, where an order of customers was proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.features import FeatureTable
from churnml.modeling.uplift.estimate import ArmUplift
from churnml.modeling.uplift.learned import Learned, Taught
from churnml.modeling.uplift.sleeping import group_of

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_AT_ONCE = 20_000
"""Rows whose columns are put together at a time: a million customers of 200 columns would take 1.6 GB."""


@dataclass(frozen=True)
class OwnEffects:
    """One row per customer and one column per action of a catalogue.

    Attributes
    ----------
    margin_change, margin_sd : ndarray of shape (n_customers, n_actions)
        What the action adds to margin within the window, before its cost, in the currency, and the standard deviation
        of the mean effect among those whom it moves alike. NaN where no order by margin was proven.
    churn_change, churn_sd : ndarray of shape (n_customers, n_actions)
        The same of the probability to leave within the window; below zero is good. NaN where no order was proven.
    sleeping : ndarray of bool, shape (n_customers, n_actions)
        Who belongs to a group that the action harms, in margin or by driving them away.
    """

    margin_change: Matrix
    margin_sd: Matrix
    churn_change: Matrix
    churn_sd: Matrix
    sleeping: Flags

    @classmethod
    def unknown(cls, customers: int, actions: int) -> OwnEffects:
        """Return that nothing is known of anybody."""
        nan = np.full((customers, actions), np.nan)
        return cls(nan, nan.copy(), nan.copy(), nan.copy(), np.zeros(nan.shape, dtype=np.bool_))


def effects_for(learned: Learned, table: FeatureTable, names: Sequence[str]) -> OwnEffects:
    """Return each customer's own effects, as far as they were proven.

    Parameters
    ----------
    learned : Learned
        Just learned, or loaded.
    table : FeatureTable
        The population, as of the cutoff of the decision.
    names : sequence of str
        The actions of a catalogue; those that were never tried are not known.

    Returns
    -------
    OwnEffects
        Rows as in `table`, columns as in `names`.

    Raises
    ------
    ModelRefusedError
        If the table lacks a feature with which effects were learned.
    """
    found = OwnEffects.unknown(len(table), len(names))
    telling = [(names.index(one.action), one) for one in learned.telling if one.action in names]
    for first in range(0, len(table) if telling else 0, _AT_ONCE):
        rows = np.arange(first, min(first + _AT_ONCE, len(table)))
        columns = learned.design.matrix(table.take(rows), np.empty((len(rows), 0)))
        for place, taught in telling:
            _fill(found, rows, place, taught, columns)
    return found


def _fill(found: OwnEffects, rows: npt.NDArray[np.intp], place: int, taught: Taught, columns: Matrix) -> None:
    sides = (
        (taught.margin, found.margin_change, found.margin_sd, 1),
        (taught.stayed, found.churn_change, found.churn_sd, -1),  # who stays more leaves less
    )
    for uplift, change, sd, sign in sides:
        if uplift is None:
            continue
        arm = uplift.arms[0]
        found.sleeping[rows, place] |= arm.sleeping(columns)
        if arm.accepted:
            change[rows, place], sd[rows, place] = _told(arm, columns, sign)


def _told(arm: ArmUplift, columns: Matrix, sign: int) -> tuple[Matrix, Matrix]:
    effect = arm.effect(columns)
    return sign * effect, np.array([group.sd for group in arm.groups])[group_of(arm.groups, effect)]
