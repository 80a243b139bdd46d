"""Value: the margin of what was ordered in the horizon."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.events import Outcome
from churnml.events.schema import MONEY_SCALE


def margin(outcome: Outcome, margin_rate: float) -> npt.NDArray[np.float64]:
    """Return margin in the currency: revenue less cost where the cost is known, revenue times the rate elsewhere.

    Money that went back is taken off at the rate of what was kept: goods returned are sold again.

    Parameters
    ----------
    margin_rate : float
        Margin per unit of revenue for orders without a cost; 1 gives revenue itself.
    """
    without_cost = outcome.revenue - outcome.costed_revenue
    known = outcome.costed_revenue - outcome.cost
    margin = known + margin_rate * without_cost
    rate = np.divide(margin, outcome.revenue, out=np.full(margin.shape, margin_rate), where=outcome.revenue > 0)
    return np.asarray((margin - rate * outcome.returned) / MONEY_SCALE, dtype=np.float64)
