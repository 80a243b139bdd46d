"""What an action did: differences between those who were treated by chance and those who by chance were not.

Arrays in, figures out. Three estimates of one effect: the plain difference, the difference less what the past explains
(CUPED), and the doubly robust one, which takes off what everything known before the draw explains. All three are of
those assigned, whatever was done in the end (intention to treat). A customer who was drawn more than once is one
customer: what is uncertain is summed within each before it is squared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from churnml.errors import InvalidTableError
from churnml.policy.adjusting import expected

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

LEVEL: Final = 0.95


@dataclass(frozen=True)
class Trial:
    """An action's treated and controls, and what came of each; arrays of n_cases rows.

    Parameters
    ----------
    treated : ndarray of bool, shape (n_cases,)
    propensity : ndarray of shape (n_cases,)
        Probability of being treated, within (0, 1).
    outcomes : ndarray of shape (n_cases, n_outcomes)
        What came of it, one column for each thing that is measured.
    customer : ndarray of int, shape (n_cases,)
        Number of the customer; a customer may come more than once.
    covariates : ndarray of shape (n_cases, n_covariates)
        What was known before the draw, finite, on scales alike.
    before : ndarray of shape (n_cases, n_outcomes)
        What stands for each outcome in the time before the draw.

    Raises
    ------
    InvalidTableError
        If shapes differ, a propensity lies outside (0, 1) or a value is missing.
    """

    treated: Bools
    propensity: Floats
    outcomes: Floats
    customer: Indices
    covariates: Floats
    before: Floats

    def __post_init__(self) -> None:
        n = len(self.treated)
        shapes = (self.propensity.shape, self.customer.shape, self.outcomes.shape[:1], self.covariates.shape[:1])
        if shapes != ((n,),) * 4 or self.outcomes.ndim != 2 or self.before.shape != self.outcomes.shape:
            raise InvalidTableError(
                f"a trial needs one row per case in every array, got {n} arms, propensities {self.propensity.shape}, "
                f"customers {self.customer.shape}, outcomes {self.outcomes.shape}, before {self.before.shape} and "
                f"covariates {self.covariates.shape}"
            )
        outside = np.flatnonzero(~((self.propensity > 0) & (self.propensity < 1)))
        if outside.size:
            raise InvalidTableError(
                f"a propensity must lie between 0 and 1, both excluded, got {self.propensity[outside[0]]:g} in row "
                f"{outside[0]}; who was not drawn by chance is no part of a trial"
            )
        for name in ("outcomes", "covariates", "before"):
            if not np.isfinite(getattr(self, name)).all():
                raise InvalidTableError(f"`{name}` must be finite numbers; leave out cases whose window is still open")

    def __len__(self) -> int:
        return len(self.treated)

    @property
    def smaller_arm(self) -> int:
        """Customers in the smaller of the two arms."""
        return min(len(np.unique(self.customer[self.treated == arm])) for arm in (True, False))

    def take(self, rows: Bools | Indices) -> Trial:
        """Return some of the cases."""
        return Trial(
            self.treated[rows],
            self.propensity[rows],
            self.outcomes[rows],
            self.customer[rows],
            self.covariates[rows],
            self.before[rows],
        )


@dataclass(frozen=True)
class Estimate:
    """An effect per case, and how far it may be off.

    Parameters
    ----------
    value : float
        In units of the outcome.
    error : float
        Its standard error, robust to customers who come more than once.
    n : int
        Cases behind it.
    """

    value: float
    error: float
    n: int

    @property
    def spread(self) -> float:
        """Standard deviation that one case contributes: `error` times the root of `n`."""
        return self.error * float(np.sqrt(self.n))

    def fixed(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the interval that holds if it is looked at once, at an end fixed beforehand."""
        half = float(norm.ppf((1 + level) / 2)) * self.error
        return self.value - half, self.value + half

    @property
    def p(self) -> float:
        """The two-sided p-value of no effect, if it is looked at once."""
        return float(2 * norm.sf(abs(self.value) / self.error)) if self.error > 0 else float(self.value == 0)


@dataclass(frozen=True)
class Scores:
    """Numbers per case whose means are the mean outcome with the action and without; shape (n_cases, n_outcomes).

    Cases are adjusted once, with everybody; `effect` of some of them reads off the effect among these.
    """

    treated: Floats
    control: Floats
    customer: Indices

    def effect(self, outcome: int = 0, rows: Bools | Indices | None = None) -> Estimate:
        """Return the effect on one outcome, among all or some of the cases."""
        chosen = slice(None) if rows is None else rows
        difference = (self.treated[:, outcome] - self.control[:, outcome])[chosen]
        return estimate(difference, self.customer[chosen])

    def take(self, rows: Bools | Indices) -> Scores:
        """Return some of the cases."""
        return Scores(self.treated[rows], self.control[rows], self.customer[rows])


def estimate(scores: Floats, customer: Indices) -> Estimate:
    """Return the mean of scores with a standard error that takes customers as independent, not cases.

    Parameters
    ----------
    scores : ndarray of shape (n_cases,)
    customer : ndarray of int, shape (n_cases,)

    Returns
    -------
    Estimate
        With an error of 0 for fewer than two customers, who say nothing of it.

    References
    ----------
    Liang, K.-Y. & Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models. Biometrika 73(1),
    13-22: the sandwich over clusters.
    """
    n, value = len(scores), float(scores.mean()) if len(scores) else 0.0
    _, place = np.unique(customer, return_inverse=True)
    sums = np.bincount(place.reshape(-1), scores - value)
    many = len(sums)
    error = float(np.sqrt((sums**2).sum() * many / (many - 1)) / n) if many > 1 else 0.0
    return Estimate(value, error, n)


def difference(trial: Trial) -> Scores:
    r"""Return scores of the plain difference of means, weighted by inverse propensity.

    With one propensity for all the weights cancel and it is the difference of the two means. Where propensities differ
    between cases, plain means would compare unlike cases (Hájek 1971).

    Each score is :math:`\mu_w + a (y - \mu_w) / \bar a` of its arm, :math:`a` being the weight: the mean is the
    weighted mean, the spread that of its linearisation.
    """
    return _hajek(trial, trial.outcomes)


def cuped(trial: Trial) -> Scores:
    r"""Return scores of the difference less what the time before explains of it (CUPED).

    The outcome is replaced by :math:`y - \theta (x - \bar x)`, where :math:`x` is the same before the draw. Deng et al.
    (2013, eq. 4) take :math:`\theta = \mathrm{cov}(x, y) / \mathrm{var}(x)`; here both are taken within the arms, each
    case by its squared weight, which is the :math:`\theta` of the least variance when arms are unequal. With one
    propensity for all the effect equals the coefficient of the arm in a regression of the outcome on the arm and
    :math:`x`, cases so weighted.

    References
    ----------
    Deng, A., Xu, Y., Kohavi, R. & Walker, T. (2013). Improving the sensitivity of online controlled experiments by
    utilizing pre-experiment data. WSDM 2013, 123-132.
    """
    weight = np.where(trial.treated, 1 / trial.propensity, 1 / (1 - trial.propensity))
    inner = np.zeros((2, trial.outcomes.shape[1]))
    for arm in (True, False):
        own = trial.treated == arm
        if own.any():
            centre = weight[own] / weight[own].sum()
            x = trial.before[own] - centre @ trial.before[own]
            y = trial.outcomes[own] - centre @ trial.outcomes[own]
            inner += (weight[own] ** 2) @ (x * y), (weight[own] ** 2) @ (x * x)
    theta = np.divide(inner[0], inner[1], out=np.zeros_like(inner[0]), where=inner[1] > 0)
    return _hajek(trial, trial.outcomes - theta * (trial.before - trial.before.mean(axis=0)))


def doubly_robust(trial: Trial, seed: int = 0) -> Scores:
    r"""Return doubly robust scores: what is expected of each case, corrected by what came, cross-fitted.

    .. math:: \psi_1 = \hat\mu_1(x) + \frac{w (y - \hat\mu_1(x))}{e}, \qquad
              \psi_0 = \hat\mu_0(x) + \frac{(1 - w) (y - \hat\mu_0(x))}{1 - e}

    The propensity :math:`e` is known by design, so the mean of :math:`\psi_1 - \psi_0` is unbiased whatever
    :math:`\hat\mu` is; a good :math:`\hat\mu` makes it less noisy. It is a ridge regression with a mean for each arm,
    taught by other customers than those it is used for.

    Parameters
    ----------
    trial : Trial
        With customers in both arms.
    seed : int, default 0
        Of the folds.

    References
    ----------
    Robins, J. M., Rotnitzky, A. & Zhao, L. P. (1994). Estimation of regression coefficients when some regressors are
    not always observed. JASA 89(427), 846-866: the scores. Chernozhukov, V. et al. (2018). Double/debiased machine
    learning for treatment and structural parameters. Econometrics Journal 21(1), C1-C68: cross-fitting.
    """
    arm, spread = trial.treated.astype(np.intp), trial.before.std(axis=0)
    past = (trial.before - trial.before.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    known = np.hstack([trial.covariates, past])
    weight = np.where(trial.treated, 1 / trial.propensity, 1 / (1 - trial.propensity))
    without, given = expected(known, trial.outcomes, arm, weight, trial.customer, 2, seed, trial.before)
    treated, share = trial.treated[:, None], trial.propensity[:, None]
    return Scores(
        given + np.where(treated, (trial.outcomes - given) / share, 0.0),
        without + np.where(treated, 0.0, (trial.outcomes - without) / (1 - share)),
        trial.customer,
    )


def _hajek(trial: Trial, outcomes: Floats) -> Scores:
    sides = []
    for arm, chance in ((True, trial.propensity), (False, 1 - trial.propensity)):
        weight = np.where(trial.treated == arm, 1 / chance, 0.0)
        weight = weight / max(float(weight.mean()), np.finfo(float).tiny)
        middle = (weight[:, None] * outcomes).mean(axis=0)
        sides.append(middle + weight[:, None] * (outcomes - middle))
    return Scores(sides[0], sides[1], trial.customer)
