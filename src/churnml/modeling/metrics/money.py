"""What a retention campaign would have earned, by how many are contacted: the money behind a ranking.

The campaign is that of `empc`: whoever is contacted is offered an incentive; who would have left accepts with some
probability and stays; who would have stayed takes the incentive all the same.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from churnml.modeling.metrics.columns import FloatArray, labels
from churnml.modeling.paying import paying_probability, profit_at


def profit_curve(
    y: npt.ArrayLike,
    p: npt.ArrayLike,
    shares: npt.ArrayLike,
    *,
    accepts: float = 0.3,
    clv: float = 200.0,
    incentive: float = 10.0,
    contact: float = 1.0,
    weights: npt.ArrayLike | None = None,
) -> FloatArray:
    """Return the expected profit per customer of the base if the top share of the list is contacted.

    Customers tied at the edge of the list count in proportion, as if drawn at random.

    Parameters
    ----------
    y, p : arrays of shape (n_customers,)
        What happened (0 or 1), and scores on any scale, higher for churners.
    shares : array of shape (n_shares,)
        Of all customers, in [0, 1].
    accepts : float, default 0.3
        Probability that a churner accepts; the mean of the Beta of `empc`.
    clv, incentive, contact : float
        As in `empc`, in money.
    weights : array of shape (n_customers,), optional
        How many times each row counts.

    Returns
    -------
    ndarray of shape (n_shares,)
        Money per customer of the whole base, contacted or not.

    Raises
    ------
    InvalidTableError
        If a value is missing, `y` is not 0 or 1, or lengths differ.

    References
    ----------
    Verbraken, T., Verbeke, W. and Baesens, B. (2013). A novel profit maximizing metric for measuring classification
    performance of customer churn prediction models. IEEE TKDE 25(5), 961-973, equation 1 at a fixed gamma.

    Examples
    --------
    >>> profit_curve([1, 0], [0.9, 0.1], [0.0, 0.5, 1.0]).round(6).tolist()
    [0.0, 28.0, 22.5]
    """
    truth, score = labels(y, p)
    times = np.ones(truth.size) if weights is None else np.asarray(weights, dtype=np.float64)
    gain = np.where(truth == 1, accepts * (clv - incentive) - contact, -incentive - contact)
    order = np.argsort(-score, kind="stable")
    tied_end = np.append(np.diff(score[order]) != 0, True)
    contacted = np.cumsum(times[order])[tied_end] / times.sum()
    earned = np.cumsum((times * gain)[order])[tied_end] / times.sum()
    profit = np.interp(np.asarray(shares, dtype=np.float64), np.append(0.0, contacted), np.append(0.0, earned))
    return np.asarray(profit, dtype=np.float64)


__all__ = ["paying_probability", "profit_at", "profit_curve"]
