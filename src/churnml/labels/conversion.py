"""Conversion of who has not bought yet: a first order event, or a first paid contract, in ``[t, t + horizon)``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.events import Outcome


def converted(outcome: Outcome) -> npt.NDArray[np.bool_]:
    """Return who became a paying customer in the horizon; shape as the outcome's.

    Parameters
    ----------
    outcome : Outcome
        Of prospects: those who had never ordered nor paid for a contract by the cutoff. Whatever they order or begin
        to pay for in the horizon is then their first.
    """
    return np.asarray((outcome.orders > 0) | (outcome.contracts_begun > 0))
