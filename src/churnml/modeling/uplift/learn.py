"""The one door: everybody who was contacted or not goes in; what the experiment among them taught comes out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from churnml.modeling.uplift.estimate import Uplift, fit_uplift
from churnml.modeling.uplift.evidence import NoEvidence, no_evidence, randomisation
from churnml.modeling.uplift.randomised import Matrix, Randomised, recorded


def learn_uplift(
    features: Matrix,
    arm: npt.NDArray[np.intp],
    propensities: Matrix,
    outcome: Matrix,
    arms: tuple[str, ...],
    *,
    costs: Sequence[float] | None = None,
    seed: int = 0,
    experiments: int = 1,
) -> Uplift | NoEvidence:
    """Return effects learned from those drawn by chance, or why there is no evidence of any.

    Parameters
    ----------
    features : ndarray of shape (n_customers, n_features)
        What was known before the contact.
    arm : ndarray of int, shape (n_customers,)
        What each customer got, a position in `arms`.
    propensities : ndarray of shape (n_customers, n_arms)
        Probability of each arm as recorded; missing, 0 or 1 where it was not drawn by chance.
    outcome : ndarray of shape (n_customers,)
        What came of it: 0 or 1, or an amount. More is better.
    arms : tuple of str
        Names of the arms, the control first.
    costs : sequence of float, optional
        Cost of each arm but the control, in units of the outcome; by default nothing.
    seed : int, default 0
    experiments : int, default 1
        How many are looked at together; the error of all claims is shared among them.

    Returns
    -------
    Uplift or NoEvidence

    Raises
    ------
    InvalidTableError, NotEnoughDataError
        As in `Randomised`, or if an arm holds too few customers for any difference.
    """
    kept = recorded(propensities)
    if not kept.any():
        return no_evidence(None, arms, arm, propensities, outcome)
    data = Randomised(features[kept], arm[kept], propensities[kept], outcome[kept], arms)
    found = randomisation(data, seed)
    if not found.passed:
        return no_evidence(found, arms, arm, propensities, outcome)
    return fit_uplift(data, costs=costs, seed=seed, experiments=experiments)
