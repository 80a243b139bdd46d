"""What may be done for whom: consent first, then whether the action suits the customer's risk and reason."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import InvalidTableError
from churnml.policy.actions import Band, Catalogue

Rule = Literal["no_consent", "risk_band", "reason"]
Exclusions = Mapping[Rule, int]
"""How many (customer, action) pairs each rule closed, each pair counted once under the first rule that closed it."""


def eligible(
    catalogue: Catalogue, bands: ArrayLike, reasons: ArrayLike, consented: ArrayLike | None = None
) -> NDArray[np.bool_]:
    """Return which actions are open to which customers.

    Parameters
    ----------
    catalogue : Catalogue
        The actions.
    bands : array-like of str, shape (n_customers,)
        Risk bands: `low`, `medium` or `high`.
    reasons : array-like of str, shape (n_customers,)
        Group of each customer's top reason; empty or None if there is none.
    consented : array-like of bool, shape (n_customers,) or (n_customers, n_actions), optional
        Who agreed to be approached, by each action's channel where that was said; None where consent is assumed.

    Returns
    -------
    ndarray of bool, shape (n_customers, n_actions)
        `do_nothing`, the first column, is open to everyone.

    Raises
    ------
    InvalidTableError
        If the lengths differ or a band is not one of the three.
    """
    no_consent, risk_band, reason = _closed(catalogue, bands, reasons, consented).values()
    return ~(no_consent | risk_band | reason)


def exclusions(
    catalogue: Catalogue, bands: ArrayLike, reasons: ArrayLike, consented: ArrayLike | None = None
) -> Exclusions:
    """Return how many (customer, action) pairs each rule closed.

    A pair closed by two rules counts under the first of consent, risk band and reason, so these counts and the
    pairs still open add up to all pairs. Parameters and errors are those of `eligible`.
    """
    counts: dict[Rule, int] = {}
    before: NDArray[np.bool_] | np.bool_ = np.False_
    for rule, closed in _closed(catalogue, bands, reasons, consented).items():
        counts[rule] = int(np.count_nonzero(closed & ~before))
        before = before | closed
    return MappingProxyType(counts)


def _closed(
    catalogue: Catalogue, bands: ArrayLike, reasons: ArrayLike, consented: ArrayLike | None
) -> dict[Rule, NDArray[np.bool_]]:
    """Return for each rule the (n_customers, n_actions) pairs it closes."""
    band, reason = np.asarray(bands, dtype=str), np.asarray(reasons, dtype=object)
    consent = np.ones(len(band), bool) if consented is None else np.asarray(consented, dtype=bool)
    _check(band, reason, consent)
    by_action = consent if consent.ndim == 2 else np.repeat(consent[:, None], len(catalogue.actions), axis=1)
    contacts = np.array([action.channel != "none" for action in catalogue.actions])
    suits_band = [np.isin(band, action.bands) for action in catalogue.actions]
    suits_reason = [_suits(action.reasons, reason) for action in catalogue.actions]
    return {
        "no_consent": ~by_action & contacts,
        "risk_band": ~np.stack(suits_band, axis=1),
        "reason": ~np.stack(suits_reason, axis=1),
    }


def _suits(wanted: tuple[str, ...], reason: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Return whose reason is among those wanted; wanting none in particular suits everyone."""
    return np.fromiter((not wanted or each in wanted for each in reason), dtype=bool, count=len(reason))


def _check(band: NDArray[np.str_], reason: NDArray[np.object_], consent: NDArray[np.bool_]) -> None:
    if not len(band) == len(reason) == len(consent):
        raise InvalidTableError(
            "bands, reasons and consent need one entry per customer, "
            f"got {len(band)}, {len(reason)} and {len(consent)}; pass arrays of one length"
        )
    unknown = set(np.unique(band).tolist()) - set(get_args(Band))
    if unknown:
        raise InvalidTableError(f"a risk band must be low, medium or high, got `{min(unknown)}`")
