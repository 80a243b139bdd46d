"""What a campaign earns by whom it contacts, and above which risk a contact pays: two formulas, quick to import."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def profit_at(
    caught: npt.ArrayLike, contacted: npt.ArrayLike, *, accepts: float, clv: float, incentive: float, contact: float
) -> FloatArray:
    """Return the expected profit per customer of the base of a campaign that caught so many; it rises with them.

    Parameters
    ----------
    caught, contacted : arrays of one shape
        Who was contacted and was about to leave, and who was contacted, as shares of all customers.
    accepts, clv, incentive, contact : float
        As in `profit_curve`, whose figures these are, taken apart.

    References
    ----------
    Verbraken, Verbeke and Baesens (2013), equation 1 at a fixed gamma, as in `profit_curve`.

    Examples
    --------
    >>> profit_at([0.5, 0.5], [0.5, 1.0], accepts=0.3, clv=200.0, incentive=10.0, contact=1.0).round(6).tolist()
    [28.0, 22.5]
    """
    left, all_of = np.asarray(caught, dtype=np.float64), np.asarray(contacted, dtype=np.float64)
    return np.asarray(left * (accepts * (clv - incentive) + incentive) - all_of * (incentive + contact))


def paying_probability(
    *, accepts: float = 0.3, clv: float = 200.0, incentive: float = 10.0, contact: float = 1.0
) -> float:
    """Return the churn probability above which a contact pays, if probabilities mean what they say.

    A contact pays where ``(accepts * (clv - incentive) - contact) * p > (incentive + contact) * (1 - p)``; the costs
    alone decide, no data do. Above 1 no contact ever pays. Parameters as in `profit_curve`.

    Examples
    --------
    >>> round(paying_probability(), 3)
    0.164
    """
    return (incentive + contact) / (accepts * (clv - incentive) + incentive)
