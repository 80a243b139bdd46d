r"""How long an experiment takes: how many customers tell an effect from chance, and what a base can show at all.

Numbers in, plans out. Everywhere :math:`n` customers are drawn into two arms, a share :math:`w_0` as controls and
:math:`w_1 = 1 - w_0` treated; :math:`z_\alpha` and :math:`z_\beta` are the normal quantiles of the two-sided level and
of the power. All formulas are the basic equation of Lachin (1981), :math:`|\delta| = (z_\alpha + z_\beta)\, \Sigma`,
with the standard error :math:`\Sigma` of a difference whose arms each have their own variance.

References
----------
Lachin, J. M. (1981). Introduction to sample size determination and power analysis for clinical trials. Controlled
Clinical Trials 2, 93-113.

Deng, A., Xu, Y., Kohavi, R. and Walker, T. (2013). Improving the sensitivity of online controlled experiments by
utilizing pre-experiment data. WSDM, 123-132. (CUPED)

Cochran, W. G. (1977). Sampling Techniques, 3rd edition, section 5.5. (Allocation where units cost differently.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from churnml.errors import InvalidTableError, UsageError

_NORMAL = NormalDist()
_HALVINGS = 60


@dataclass(frozen=True)
class Experiment:
    """How an effect is looked for.

    Parameters
    ----------
    control_share : float
        Share of the customers from whom the action is withheld, between 0 and 1.
    power : float
        Probability of telling the effect if it is there.
    level : float
        Two-sided probability of telling one that is not.
    """

    control_share: float
    power: float = 0.8
    level: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what is no share, or would never be told."""
        for name in ("control_share", "power", "level"):
            if not 0 < getattr(self, name) < 1:
                raise UsageError(f"`{name}` must lie between 0 and 1, got {getattr(self, name):g}; the usual is shown")
        if self.power <= self.level:
            raise UsageError(f"`power` must exceed the level {self.level:g}, got {self.power:g}; 0.8 is usual")

    @property
    def z_level(self) -> float:
        """The quantile that a difference must exceed, in standard errors."""
        return _NORMAL.inv_cdf(1 - self.level / 2)

    @property
    def z_power(self) -> float:
        """How much further off the effect must lie to exceed it with this power, in standard errors."""
        return _NORMAL.inv_cdf(self.power)

    @property
    def arms(self) -> float:
        r""":math:`1/w_1 + 1/w_0`: the variance of a difference of means of unit variance, times :math:`n`."""
        return 1 / self.control_share + 1 / (1 - self.control_share)


@dataclass(frozen=True)
class Spread:
    """How an amount varies between customers, and how much of that the time before tells.

    Parameters
    ----------
    sd : float
        Standard deviation between customers, in currency units.
    correlation : float
        Of the amount with that of a stretch of the same length before, in [-1, 1].
    """

    sd: float
    correlation: float

    @property
    def adjusted(self) -> float:
        r"""Standard deviation that CUPED leaves, :math:`\sigma\sqrt{1 - \rho^2}` (Deng et al. 2013, section 3)."""
        return self.sd * math.sqrt(max(1 - self.correlation**2, 0.0))


@dataclass(frozen=True)
class Plan:
    """What it takes to tell one effect from chance.

    Parameters
    ----------
    effect : float
        The effect that is looked for: a change of a share, or of an amount in currency units.
    needed : int or None
        Customers of both arms together; None if no number would do, for there is nothing to tell.
    treated, control : int
        Of them, by arm; 0 if there is no number.
    reachable : int
        Customers that can be drawn in all.
    weeks : int or None
        Until the last outcome is in; None if it never is.
    detectable : float or None
        The smallest effect that all who can be reached would show; None if not even the greatest there is.
    """

    effect: float
    needed: int | None
    treated: int
    control: int
    reachable: int
    weeks: int | None
    detectable: float | None

    @property
    def conclusive(self) -> bool:
        """Whether the effect would be told with the power asked for."""
        return self.weeks is not None


@dataclass(frozen=True)
class Supply:
    """Where the customers come from.

    Parameters
    ----------
    reachable : int
        How many can be drawn in all.
    per_week : float
        How many of them a week.
    window_days : int
        Days until the outcome of one who was drawn is final.
    """

    reachable: int
    per_week: float
    window_days: int


def plan_share(untreated: float, treated: float, experiment: Experiment, supply: Supply) -> Plan:
    """Return what it takes to tell that a share, such as of those who leave, is another when treated.

    Parameters
    ----------
    untreated, treated : float
        The share without the action and with it, in [0, 1].
    """
    needed = needed_for_share(untreated, treated, experiment)
    return _plan(
        treated - untreated, needed, experiment, supply, detectable_share(untreated, supply.reachable, experiment)
    )


def plan_amount(effect: float, spread: Spread, experiment: Experiment, supply: Supply) -> Plan:
    """Return what it takes to tell that an amount, such as margin, changes by `effect` currency units."""
    needed = needed_for_amount(effect, spread, experiment)
    return _plan(effect, needed, experiment, supply, detectable_amount(supply.reachable, spread, experiment))


def needed_for_share(untreated: float, treated: float, experiment: Experiment) -> float:
    r"""Return how many customers tell two shares apart; infinite if they are the same.

    .. math:: n = (z_\alpha + z_\beta)^2 \left(p_1 (1 - p_1)/w_1 + p_0 (1 - p_0)/w_0\right) / (p_1 - p_0)^2

    Examples
    --------
    >>> round(needed_for_share(0.30, 0.25, Experiment(0.5)))  # 1,248 in each arm
    2496
    """
    error = _error_of_share(untreated, treated, experiment)
    if untreated == treated:
        return math.inf
    return ((experiment.z_level + experiment.z_power) * error / (treated - untreated)) ** 2


def needed_for_amount(effect: float, spread: Spread, experiment: Experiment) -> float:
    r"""Return how many customers tell a change of a mean from chance; infinite if there is none.

    .. math:: n = (z_\alpha + z_\beta)^2\, \sigma^2 (1 - \rho^2)\, (1/w_1 + 1/w_0) / \delta^2

    Examples
    --------
    >>> round(needed_for_amount(2.0, Spread(20.0, 0.0), Experiment(0.5)))  # 785 in each arm, as in the textbooks
    3140
    """
    if effect == 0:
        return math.inf
    return (experiment.z_level + experiment.z_power) ** 2 * spread.adjusted**2 * experiment.arms / effect**2


def power_for_share(untreated: float, treated: float, customers: float, experiment: Experiment) -> float:
    """Return the probability that so many customers tell the two shares apart, in the right direction."""
    error = _error_of_share(untreated, treated, experiment)
    if error == 0:
        return 1.0 if untreated != treated and customers > 0 else 0.0
    return _NORMAL.cdf(abs(treated - untreated) * math.sqrt(customers) / error - experiment.z_level)


def power_for_amount(effect: float, spread: Spread, customers: float, experiment: Experiment) -> float:
    """Return the probability that so many customers tell a change of the mean, in the right direction."""
    if spread.adjusted == 0:
        return 1.0 if effect and customers > 0 else 0.0
    error = spread.adjusted * math.sqrt(experiment.arms)
    return _NORMAL.cdf(abs(effect) * math.sqrt(customers) / error - experiment.z_level)


def detectable_share(untreated: float, customers: float, experiment: Experiment) -> float | None:
    """Return the smallest fall of a share that so many customers show; None if not even a fall to nothing."""
    if power_for_share(untreated, 0.0, customers, experiment) < experiment.power:
        return None
    low, high = 0.0, untreated
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        told = power_for_share(untreated, untreated - middle, customers, experiment) >= experiment.power
        low, high = (low, middle) if told else (middle, high)
    return high


def detectable_amount(customers: float, spread: Spread, experiment: Experiment) -> float | None:
    """Return the smallest change of a mean that so many customers show, in currency units; None of nobody."""
    if customers <= 0:
        return None
    return (experiment.z_level + experiment.z_power) * spread.adjusted * math.sqrt(experiment.arms / customers)


def spread(before: ArrayLike, after: ArrayLike) -> Spread:
    """Return how an amount varies between customers, and how it goes with that of the stretch before.

    Parameters
    ----------
    before, after : array-like of shape (n_customers,)
        The amount of each customer in two stretches of the same length, currency units.

    Raises
    ------
    InvalidTableError
        If there are fewer than two customers, or a value is missing.
    """
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2 or not np.isfinite([first, second]).all():
        raise InvalidTableError(
            "a spread needs the amounts of at least two customers in both stretches, all finite, got "
            f"{first.shape} and {second.shape}; plan once more customers have a past of two horizons"
        )
    sd = float(second.std(ddof=1))
    varies = sd > 0 and float(first.std(ddof=1)) > 0
    return Spread(sd, float(np.corrcoef(first, second)[0, 1]) if varies else 0.0)


@dataclass(frozen=True)
class Split:
    """How many to treat and to withhold so that a budget tells most."""

    treated: float
    control: float

    @property
    def control_share(self) -> float:
        """Share of controls."""
        return self.control / (self.treated + self.control)


def best_split(budget: float, cost_treated: float, cost_control: float, reachable: float) -> Split | None:
    r"""Return the split into arms whose difference has the least variance for the money; None if none is affordable.

    Where money alone binds it is the square-root rule, :math:`n_0 / n_1 = \sqrt{c_1 / c_0}` (Cochran 1977, 5.5). Where
    customers do, it is the affordable split next to one half.

    Parameters
    ----------
    budget : float
        What both arms together may cost, currency units.
    cost_treated, cost_control : float
        What one of each costs; of a control, what withholding forgoes.
    reachable : float
        The most customers there can be.
    """
    if budget < 0 or cost_treated < 0 or cost_control < 0:
        raise UsageError(f"budget and costs must be at least 0, got {budget:g}, {cost_treated:g} and {cost_control:g}")
    if cost_treated > 0 and cost_control > 0:
        ratio = math.sqrt(cost_treated / cost_control)
        treated = budget / (cost_treated + cost_control * ratio)
        if treated * (1 + ratio) <= reachable:
            return Split(treated, treated * ratio) if budget > 0 else None
    treated = _nearest_half(budget, cost_treated, cost_control, reachable)
    return Split(treated, reachable - treated) if 0 < treated < reachable else None


def _nearest_half(budget: float, cost_treated: float, cost_control: float, reachable: float) -> float:
    """Return how many of all who can be reached are treated, nearest to one half, within the budget."""
    half, more = reachable / 2, cost_treated - cost_control
    if cost_treated * half + cost_control * half <= budget:
        return half
    return (budget - cost_control * reachable) / more if more else 0.0


def _error_of_share(untreated: float, treated: float, experiment: Experiment) -> float:
    """Return the standard error of a difference of shares, times the root of the number of customers."""
    if not (0 <= untreated <= 1 and 0 <= treated <= 1):
        raise UsageError(f"a share must lie between 0 and 1, got {untreated:g} untreated and {treated:g} treated")
    control = experiment.control_share
    return math.sqrt(treated * (1 - treated) / (1 - control) + untreated * (1 - untreated) / control)


def _plan(effect: float, needed: float, experiment: Experiment, supply: Supply, detectable: float | None) -> Plan:
    if not math.isfinite(needed):
        return Plan(effect, None, 0, 0, supply.reachable, None, detectable)
    control = max(math.ceil(needed * experiment.control_share), 1)
    treated = max(math.ceil(needed * (1 - experiment.control_share)), 1)
    weeks = None
    if treated + control <= supply.reachable and supply.per_week > 0:
        weeks = math.ceil((treated + control) / supply.per_week) + math.ceil(supply.window_days / 7)
    return Plan(effect, treated + control, treated, control, supply.reachable, weeks, detectable)
