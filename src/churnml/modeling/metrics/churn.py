"""Churn forecasts: whether the order is right, the scale is right, and acting on them pays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression
from scipy.special import betainc
from scipy.stats import rankdata
from sklearn import metrics as sk

from churnml.modeling.metrics.columns import FloatArray, columns, probabilities, two_classes


def auroc(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Return the chance that a churner is ranked above a stayer; a tie counts half.

    Parameters
    ----------
    y : array of shape (n_customers,)
        1 for churners, 0 for stayers.
    p : array of shape (n_customers,)
        Scores on any scale, higher for churners.

    Raises
    ------
    InvalidTableError
        If a value is missing, lengths differ, or all customers are of one class.

    Examples
    --------
    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    truth, score = two_classes(y, p)
    left = truth.sum()
    above = rankdata(score) @ truth - left * (left + 1) / 2  # Mann and Whitney: pairs in the right order
    return float(above / (left * (truth.size - left)))


def auprc(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Return the average precision, the area under the precision-recall curve without interpolation.

    Its floor is the churn rate. Parameters and errors as in `auroc`.
    """
    truth, score = two_classes(y, p)
    order = np.argsort(-score, kind="stable")
    tied_end = np.append(np.diff(score[order]) != 0, True)
    found = np.cumsum(truth[order])[tied_end]
    precision = found / (np.flatnonzero(tied_end) + 1)
    return float(np.diff(found, prepend=0.0) @ precision / found[-1])


def lift(y: npt.ArrayLike, p: npt.ArrayLike, share: float) -> float:
    """Return how many times more churners the top `share` of the list holds than as many customers at random.

    Customers tied at the edge of the list count in proportion, as if drawn at random. Errors as in `auroc`.

    Parameters
    ----------
    share : float
        Of all customers, in (0, 1]; the list holds at least one.

    Examples
    --------
    >>> lift([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.5)
    1.0
    """
    truth, score = two_classes(y, p)
    most = max(1, round(share * truth.size))
    edge = np.partition(score, truth.size - most)[truth.size - most]
    above, tied = score > edge, score == edge
    found = truth[above].sum() + (most - above.sum()) * truth[tied].mean()
    return float(found / most / truth.mean())


def brier(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Return the mean squared distance of probabilities from what happened; 0 is perfect.

    Raises
    ------
    InvalidTableError
        If a value is missing, `y` is not 0 or 1, `p` is outside [0, 1], or lengths differ.
    """
    truth, probability = probabilities(y, p)
    return float(np.mean((probability - truth) ** 2))


def log_loss(y: npt.ArrayLike, p: npt.ArrayLike) -> float:
    """Return the mean negative log-likelihood of what happened, in nats.

    A certain forecast that was wrong would cost infinity; probabilities are clipped at the machine's precision.
    Errors as in `brier`.
    """
    return float(sk.log_loss(*probabilities(y, p), labels=[0, 1]))


def ece(y: npt.ArrayLike, p: npt.ArrayLike, n_bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal mass.

    The mean over customers of the distance between forecast and observed churn rate of their bin. Bins end at
    quantiles of `p`, so that equal forecasts share a bin and the order of rows does not matter.

    Parameters
    ----------
    y, p : arrays of shape (n_customers,)
        What happened (0 or 1) and its forecast probability.
    n_bins : int, default 10
        Number of bins; fewer remain where forecasts are tied.

    Raises
    ------
    InvalidTableError
        As in `brier`.

    Examples
    --------
    >>> round(ece([0, 1, 1, 1], [0.2, 0.2, 0.9, 0.9], n_bins=2), 3)
    0.2
    """
    truth, probability = probabilities(y, p)
    bins = _equal_mass_bins(probability, n_bins)
    return _calibration_error(bins, probability, truth)


def ece_perfect_95(p: npt.ArrayLike, n_bins: int = 10, n_draws: int = 500, seed: int = 0) -> float:
    """Return the 95th percentile of the calibration error a perfect model with these forecasts would show.

    Even a perfect model has an error above 0, by the luck of who churned; an `ece` below this figure is no evidence
    of miscalibration.

    Parameters
    ----------
    p : array of shape (n_customers,)
        Forecast probabilities, taken as true.
    n_bins : int, default 10
        As in `ece`.
    n_draws : int, default 500
        Outcomes drawn for all customers.
    seed : int, default 0
        Seed of the draws.

    Raises
    ------
    InvalidTableError
        If a probability is missing or outside [0, 1].
    """
    _, probability = probabilities(np.zeros(np.shape(p)), p)
    bins = _equal_mass_bins(probability, n_bins)
    rng = np.random.default_rng(seed)
    errors = [_calibration_error(bins, probability, rng.random(bins.size) < probability) for _ in range(n_draws)]
    return float(np.percentile(errors, 95))


def ece_of_chances(q: npt.ArrayLike, p: npt.ArrayLike, n_bins: int = 10) -> float:
    """Return the calibration error against true probabilities, which only a simulation knows; bins as of `ece`.

    Parameters
    ----------
    q, p : arrays of shape (n_customers,)
        The true probability of each, and its forecast.

    Raises
    ------
    InvalidTableError
        If a probability is missing or outside [0, 1], or lengths differ.

    Examples
    --------
    >>> round(ece_of_chances([0.1, 0.3, 0.8, 0.8], [0.2, 0.2, 0.9, 0.9], n_bins=2), 3)
    0.05
    """
    _, forecast = probabilities(np.zeros(np.shape(p)), p)
    _, truth = probabilities(np.zeros(np.shape(q)), q)
    truth, forecast = columns(truth, forecast)
    return _calibration_error(_equal_mass_bins(forecast, n_bins), forecast, truth)


def ece_of_chances_perfect_95(
    q: npt.ArrayLike, p: npt.ArrayLike, n_bins: int = 10, n_draws: int = 500, seed: int = 0
) -> float:
    """Return the 95th percentile of `ece_of_chances` of a model whose every bin is right, by which customers it met.

    True probabilities differ within a bin, so that of some customers its mean is not that of all. Their deviations from
    the mean of their bin are drawn again, with replacement. Parameters and errors as in `ece_of_chances`.

    Parameters
    ----------
    n_draws, seed : int
        Draws of customers, and their seed.
    """
    ece_of_chances(q, p, n_bins)
    forecast = np.asarray(p, dtype=np.float64)
    off, bins = forecast - np.asarray(q, dtype=np.float64), _equal_mass_bins(forecast, n_bins)
    groups = [off[bins == one] for one in np.unique(bins)]
    rng = np.random.default_rng(seed)
    missed = np.zeros(n_draws)
    for group in groups:
        drawn = rng.choice(group - group.mean(), size=(n_draws, group.size))
        missed += np.abs(drawn.sum(axis=1))
    return float(np.percentile(missed / forecast.size, 95))


def empc(
    y: npt.ArrayLike,
    p: npt.ArrayLike,
    *,
    alpha: float = 6.0,
    beta: float = 14.0,
    clv: float = 200.0,
    incentive: float = 10.0,
    contact: float = 1.0,
) -> float:
    """Return the Expected Maximum Profit of a retention campaign, in money per customer.

    Whoever scores above a threshold is contacted and offered an incentive. A churner accepts with probability gamma
    and is kept; a stayer always takes the incentive. The threshold is the best for each gamma, and gamma, which
    nobody knows, is Beta(alpha, beta).

    The best thresholds are the corners of the convex hull of the ROC curve, and its edges are the blocks of the
    isotonic regression of churn on score (Fawcett and Niculescu-Mizil 2007). A block with churn rate m is contacted
    if and only if that pays, ``(gamma * (clv - incentive) - contact) * m > (incentive + contact) * (1 - m)``, so the
    sum over hull corners in the paper becomes a sum over blocks, each an integral of that gain in closed form.

    Parameters
    ----------
    y : array of shape (n_customers,)
        1 for churners, 0 for stayers.
    p : array of shape (n_customers,)
        Scores on any scale, higher for churners.
    alpha, beta : float, default 6 and 14
        Shape of the acceptance probability; its mean is .3.
    clv : float, default 200
        Value of a customer kept, in money; above `incentive`.
    incentive : float, default 10
        Cost of the incentive, in money, paid when accepted.
    contact : float, default 1
        Cost of the contact, in money, always paid.

    Raises
    ------
    InvalidTableError
        As in `auroc`.

    References
    ----------
    Verbraken, T., Verbeke, W. and Baesens, B. (2013). A novel profit maximizing metric for measuring classification
    performance of customer churn prediction models. IEEE TKDE 25(5), 961-973.
    Fawcett, T. and Niculescu-Mizil, A. (2007). PAV and the ROC convex hull. Machine Learning 68, 97-106.
    """
    share, rate = _roc_hull(*two_classes(y, p))
    if_kept = (clv - incentive) * rate
    cost = contact * rate + (incentive + contact) * (1 - rate)
    pays_above = np.minimum(np.divide(cost, if_kept, out=np.ones_like(cost), where=if_kept > 0), 1.0)
    mean = alpha / (alpha + beta)
    gain = if_kept * mean * (1 - betainc(alpha + 1, beta, pays_above)) - cost * (1 - betainc(alpha, beta, pays_above))
    return float(share @ gain)


def _equal_mass_bins(p: FloatArray, n_bins: int) -> npt.NDArray[np.intp]:
    return np.searchsorted(np.quantile(p, np.arange(1, n_bins) / n_bins), p, side="right")


def _calibration_error(bins: npt.NDArray[np.intp], p: FloatArray, y: FloatArray | npt.NDArray[np.bool_]) -> float:
    return float(np.abs(np.bincount(bins, p - y)).sum() / p.size)


def _roc_hull(y: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return, for each distinct score, its share of the customers and the churn rate of its block."""
    _, score, customers = np.unique(p, return_inverse=True, return_counts=True)
    rate = np.bincount(score, y) / customers
    return customers / y.size, np.asarray(isotonic_regression(rate, weights=customers).x, dtype=np.float64)
