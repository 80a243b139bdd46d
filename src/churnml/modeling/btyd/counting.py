"""When customers buy and whether they still do: what BG/NBD, MBG/NBD and Pareto/NBD answer in the same way.

Each model tells three things of its own: the likelihood of a history, the chance that its customer is still one, and
how fast a living customer is expected to buy some days ahead. All answers follow from these three.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.special import roots_legendre

from churnml.errors import UsageError
from churnml.modeling.btyd.distinct import Histories, for_distinct, histories
from churnml.modeling.btyd.estimator import Estimator, weights_of
from churnml.modeling.btyd.fitting import Derivatives, dominance, maximise, one_thread, require_customers
from churnml.modeling.btyd.rfm import FloatArray, Rfm

_Answer = Callable[[FloatArray, FloatArray, FloatArray, float], FloatArray]
Days = float | Sequence[float] | npt.NDArray[np.float64]

# Time is scaled so that the mean age is 10, and the scale of the rates of order 1.
_MEAN_AGE = 10.0
_NODES, _NODE_WEIGHTS = roots_legendre(64)
_SPENT = 45.0
_AT_ONCE = 200
_YEAR = 365.0


def daily_discount(annual_rate: float) -> float:
    """Return the continuous discount per day that makes money of next year worth ``1 / (1 + annual_rate)`` of today's.

    Parameters
    ----------
    annual_rate : float
        Per year of 365 days; 0.15 is fifteen per cent.

    Raises
    ------
    UsageError
        If the rate is negative or no number.

    Examples
    --------
    >>> round(daily_discount(0.15), 7)
    0.0003829
    """
    if not (np.isfinite(annual_rate) and annual_rate >= 0):
        raise UsageError(f"an annual discount rate must be a number of at least 0, got {annual_rate}; 0.1 is 10 %")
    return float(np.log1p(annual_rate) / _YEAR)


class CountModel(Estimator):
    """A model of purchase counts; see `Estimator` for its parameters and fitted attributes."""

    title: ClassVar[str]
    starts: ClassVar[tuple[tuple[float, ...], ...]]
    bounds: ClassVar[tuple[tuple[float, float], ...]]
    times: ClassVar[tuple[bool, ...]]

    @one_thread
    def fit(self, rfm: Rfm, y: None = None, *, sample_weight: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002  # scikit-learn's manners
        """Find the parameters under which the customers' histories are most likely.

        Parameters
        ----------
        rfm : Rfm
            Customers at one cutoff, those who never came back included.
        y : None
            Unused.
        sample_weight : array of shape (n_customers,), optional
            How many customers each row stands for; 1 by default.

        Raises
        ------
        NotEnoughDataError
            If there are fewer than 10 customers, or none of them came back.
        NoMaximumError
            If the likelihood has no maximum that can be reached; the message tells what is odd about the data.
        """
        weights = weights_of(rfm, sample_weight)
        require_customers(weights, rfm.frequency > 0, at_least=1, model=self.title)
        n_customers = float(weights.sum())
        scale = float(weights @ rfm.T / n_customers) / _MEAN_AGE
        whole = histories(weights, rfm.frequency, rfm.recency, rfm.T, scale)
        maximum = maximise(
            [partial(self.derivatives, rows=rows) for rows in whole.ladder()],
            starts=self.starts,
            bounds=self.bounds,
            names=self.names,
            n_customers=n_customers,
            restarts=self.restarts,
            seed=self.seed,
            notes=dominance(weights, rfm.frequency),
        )
        # The density of purchase times has the unit of time to the power of minus their number.
        unit = n_customers * float(whole.share @ whole.x) * np.log(scale)
        scales = tuple(scale if is_time else 1.0 for is_time in self.times)
        self._keep_fit(maximum, scales, maximum.value - unit, n_customers)
        return self

    def log_likelihood(self, rfm: Rfm, *, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return the log-likelihood of customers, who need not be those of the fit."""
        weights = weights_of(rfm, sample_weight)
        rows = histories(weights, rfm.frequency, rfm.recency, rfm.T, 1.0)
        value, _, _ = self.derivatives(np.array(list(self.parameters_.values())), rows)
        return float(value * weights.sum())

    def p_alive(self, rfm: Rfm) -> FloatArray:
        """Return the probability that each customer has not left for good; shape (n_customers,), in [0, 1]."""
        return self._alive(rfm.frequency, rfm.recency, rfm.T)

    def p_no_order(self, rfm: Rfm, days: Days) -> FloatArray:
        """Return the probability that each customer buys nothing in the days after the cutoff.

        It is a ratio of two likelihoods: that of the same history with so many more days of silence, over that of the
        history as it is. In no model does it need a sum over purchase counts.

        Parameters
        ----------
        days : float or list of float
            Days ahead, at least 0.

        Returns
        -------
        ndarray of shape (n_customers,), or (n_customers, n_days) for a list
            In [0, 1], falling with the days.
        """
        return self._table(rfm, days, self._silent)

    def p_no_order_by(self, rfm: Rfm, days: FloatArray) -> FloatArray:
        """Return `p_no_order`, each customer asked of days of their own.

        Parameters
        ----------
        days : ndarray of shape (n_customers,) or (n_questions, n_customers)
            Days ahead, at least 0.

        Returns
        -------
        ndarray of the shape of `days`

        Raises
        ------
        UsageError
            If days are not one for each customer, or negative.
        """
        if days.shape[-1:] != (len(rfm),) or not (days >= 0).all():
            raise UsageError(f"`days` must be {len(rfm)} numbers of at least 0, one a customer, got shape {days.shape}")
        x, tx, T = (np.broadcast_to(one, days.shape).ravel() for one in (rfm.frequency, rfm.recency, rfm.T))
        return self._silent(x, tx, T, days.ravel()).reshape(days.shape)

    def expected_orders(self, rfm: Rfm, days: Days) -> FloatArray:
        """Return the expected number of purchase days of each customer in the days after the cutoff.

        Parameters
        ----------
        days : float or list of float
            Days ahead, at least 0.

        Returns
        -------
        ndarray of shape (n_customers,), or (n_customers, n_days) for a list
            At least 0, rising with the days.
        """
        if np.isinf(days).any():
            raise UsageError("`days` must be finite, got infinity: orders without end add up; see `discounted_orders`")

        def expected(x: FloatArray, tx: FloatArray, T: FloatArray, h: float) -> FloatArray:
            return self._alive(x, tx, T) * np.maximum(self._orders_if_alive(x, T, h), 0.0)  # rounding may fall below 0

        return self._table(rfm, days, expected)

    def discounted_orders(self, rfm: Rfm, discount: float, days: Days = np.inf) -> FloatArray:
        """Return the expected purchase days to come, each discounted to the cutoff by when it is expected.

        Times a margin per order it is the residual value of a customer. For a horizon without end it is the *DERT* of
        the literature.

        Parameters
        ----------
        discount : float
            Continuous discount per day, see `daily_discount`; above 0 where a horizon is endless.
        days : float or list of float, default infinity
            Days ahead, at least 0.

        Returns
        -------
        ndarray of shape (n_customers,), or (n_customers, n_days) for a list
            At least 0, at most `expected_orders`.

        Raises
        ------
        UsageError
            If the discount is negative, or 0 on a horizon without end.
        """
        if not (np.isfinite(discount) and discount >= 0):
            raise UsageError(f"`discount` must be a number of at least 0 per day, got {discount}; see `daily_discount`")
        if discount == 0 and np.isinf(days).any():
            raise UsageError("`discount` must be above 0 on a horizon without end, got 0; or name a number of days")

        def discounted(x: FloatArray, tx: FloatArray, T: FloatArray, h: float) -> FloatArray:
            sums = for_distinct(lambda x, T: self._discounted_if_alive(x, T, h, discount), x, T)
            return self._alive(x, tx, T) * sums

        return self._table(rfm, days, discounted)

    @abstractmethod
    def derivatives(self, parameters: FloatArray, rows: Histories) -> Derivatives:
        """Return the mean log-likelihood of histories, its gradient and its Hessian in the natural parameters."""

    @abstractmethod
    def _alive(self, x: FloatArray, tx: FloatArray, T: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _silent(self, x: FloatArray, tx: FloatArray, T: FloatArray, h: float | FloatArray) -> FloatArray: ...

    @abstractmethod
    def _orders_if_alive(self, x: FloatArray, T: FloatArray, h: float) -> FloatArray: ...

    @abstractmethod
    def _rate_if_alive(self, x: FloatArray, T: FloatArray, t: FloatArray) -> FloatArray:
        """Return orders expected per day at `t` days ahead of who is alive at the cutoff, and may leave before."""

    @abstractmethod
    def _memory(self, T: FloatArray) -> FloatArray:
        """Return the time over which the rate to come falls by a power."""

    def _discounted_if_alive(self, x: FloatArray, T: FloatArray, h: float, discount: float) -> FloatArray:
        """Return the integral of the discounted rate by Gauss-Legendre, on an axis where a power law is smooth."""
        end = min(h, _SPENT / discount) if discount > 0 else h
        memory = self._memory(T)
        length = np.log1p(end / memory)
        total = np.zeros_like(T)
        for first in range(0, len(x), _AT_ONCE):  # all nodes at once: one customer costs no more calls than many
            some = slice(first, first + _AT_ONCE)
            t = memory[some] * np.expm1(np.multiply.outer((_NODES + 1) / 2, length[some]))
            buying, ages = (np.tile(one[some], len(_NODES)) for one in (x, T))
            rates = self._rate_if_alive(buying, ages, t.ravel()).reshape(t.shape)
            rates *= (memory[some] + t) * np.exp(-discount * t)
            for weight, part in zip(_NODE_WEIGHTS, rates, strict=True):  # in one order, for the same bits alone
                total[some] += weight / 2 * length[some] * part
        return total

    def _table(self, rfm: Rfm, days: Days, answer: _Answer) -> FloatArray:
        horizons = np.atleast_1d(np.asarray(days, dtype=np.float64))
        if horizons.ndim != 1 or not (horizons >= 0).all():
            raise UsageError(f"`days` must be a number of at least 0, or a list of such, got {days}")
        columns = [answer(rfm.frequency, rfm.recency, rfm.T, float(h)) for h in horizons]
        return np.column_stack(columns) if np.ndim(days) else columns[0]
