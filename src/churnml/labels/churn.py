"""Churn without a contract: no order event in ``[t, t + horizon)``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.events import Outcome


def churned(outcome: Outcome) -> npt.NDArray[np.bool_]:
    """Return who has no order event in the horizon; shape as the outcome's."""
    return np.asarray(outcome.orders == 0)
