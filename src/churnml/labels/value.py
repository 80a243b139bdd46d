"""Value: the margin of what was ordered in the horizon."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.events import Outcome
from churnml.events.schema import MONEY_SCALE


def margin(outcome: Outcome, margin_rate: float) -> npt.NDArray[np.float64]:
    """Return margin in the currency: revenue less cost where the cost is known, revenue times the rate elsewhere.

    Parameters
    ----------
    margin_rate : float
        Margin per unit of revenue for orders without a cost; 1 gives revenue itself.
    """
    without_cost = outcome.revenue - outcome.costed_revenue
    known = outcome.costed_revenue - outcome.cost
    return np.asarray((known + margin_rate * without_cost) / MONEY_SCALE, dtype=np.float64)
