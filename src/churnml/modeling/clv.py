"""Value: the margin a customer will bring in the horizon, and over longer by the tail of their buying rhythm.

Four learners are averaged: boosted trees with a Tweedie loss, boosted trees on the change against the recent past,
and ridge regressions on the plain and on the square-root scale. They err in different places; none is best on every
measure, and equal weights need no data.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import lightgbm
import numpy as np
import numpy.typing as npt

from churnml.config import ValueSettings
from churnml.features import FEE_DAYS, FeatureTable
from churnml.modeling.btyd import Rfm, daily_discount
from churnml.modeling.learners import Linear, fit_ridge, fit_trees, predicted
from churnml.modeling.rhythm import Silent
from churnml.modeling.scaling import Scaling, fit_scaling

Matrix = npt.NDArray[np.float64]

_VALUE = ValueSettings()


@dataclass(frozen=True)
class ValueModel:
    """A fitted value model; money is divided by `scale` inside it, so that penalties mean the same everywhere.

    Parameters
    ----------
    scale : float
        Mean margin of the training rows, in the currency.
    tweedie, change : lightgbm.Booster
        Trees on the margin, and on the margin less the anchor.
    plain, root : Linear
        Ridge regressions; `root` predicts the square root.
    smear : float
        Mean square residual of `root`, which turns its square into a mean (Duan 1983, for the square root).
    plain_scaling, root_scaling : Scaling
        Of the two.
    """

    scale: float
    tweedie: lightgbm.Booster
    change: lightgbm.Booster
    plain: Linear
    root: Linear
    smear: float
    plain_scaling: Scaling
    root_scaling: Scaling

    def predict(self, matrix: Matrix, anchor: Matrix) -> Matrix:
        """Return the expected margin in the horizon, in the currency, never negative; shape (n_rows,).

        Parameters
        ----------
        anchor : ndarray of shape (n_rows,)
            The margin that the last 90 days would bring if they went on, see `anchor_of`.
        """
        root = np.maximum(self.root.predict(self.root_scaling(matrix)), 0.0)
        forecasts = (
            predicted(self.tweedie, matrix),
            predicted(self.change, matrix) + anchor / self.scale,
            self.plain.predict(self.plain_scaling(matrix)),
            root**2 + self.smear,
        )
        return np.asarray(np.maximum(np.mean(forecasts, axis=0), 0.0) * self.scale)


def anchor_of(spend_90d: Matrix, horizon_days: int, margin_rate: float) -> Matrix:
    """Return the margin of the last 90 days, stretched to the horizon."""
    return np.asarray(spend_90d * margin_rate * horizon_days / 90)


def anchor(table: FeatureTable, horizon_days: int, margin_rate: float) -> Matrix:
    """Return the margin of the horizon had nothing changed: of lately, or where nobody orders, of running contracts."""
    if "spend_90d" in table.names:
        return anchor_of(np.nan_to_num(table.column("spend_90d")), horizon_days, margin_rate)
    return contract_anchor(table, horizon_days, margin_rate)


def contract_anchor(table: FeatureTable, horizon_days: int, margin_rate: float) -> Matrix:
    """Return the margin that running contracts bring in the horizon if they last."""
    return np.nan_to_num(table.column("contract_fee_30d")) * margin_rate * horizon_days / FEE_DAYS


def fit_value(
    matrix: Matrix, margin: Matrix, anchor: Matrix, *, seed: int, settings: ValueSettings = _VALUE
) -> ValueModel:
    """Fit the four learners.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)
        Of the population at each training cutoff.
    margin, anchor : ndarray of shape (n_rows,)
        What came, and what would have come had nothing changed; in the currency.
    """
    scale = max(float(margin.mean()), 1e-9)
    target, held = margin / scale, np.maximum(margin / scale, 0.0)
    plain, root = fit_scaling(matrix, "plain"), fit_scaling(matrix, "root")

    def grown(aim: Matrix, objective: str, **more: float) -> lightgbm.Booster:
        rounds, trees = settings.rounds, settings.trees
        return fit_trees(matrix, aim, objective=objective, rounds=rounds, seed=seed, settings=trees, **more)

    jobs: dict[str, Callable[[], lightgbm.Booster]] = {
        "tweedie": lambda: grown(held, "tweedie", tweedie_variance_power=settings.tweedie_power),
        "change": lambda: grown(target - anchor / scale, "regression"),
    }
    with ThreadPoolExecutor(max_workers=2) as pool:
        trees = {name: pool.submit(job) for name, job in jobs.items()}
        by_plain = fit_ridge(plain(matrix), target, settings.penalty)
        by_root = fit_ridge(root(matrix), np.sqrt(held), settings.penalty)
        smear = float(np.mean((np.sqrt(held) - by_root.predict(root(matrix))) ** 2))
        tweedie, change = trees["tweedie"].result(), trees["change"].result()
    return ValueModel(scale, tweedie, change, by_plain, by_root, smear, plain, root)


def tails(
    rhythm: Silent, value_days: int, horizon_days: int, rfm: Rfm, discount_rate: float = 0.0
) -> tuple[Matrix, Matrix]:
    """Return the orders of `value_days`, over those expected of one who stays in the horizon, for stayer and silent.

    Who is silent for the horizon may still come back: their further orders are those that the rhythm expects of the
    same customer, a horizon older and no order richer. With N orders expected over `value_days`, n over the horizon, a
    probability q of silence in it and N' orders expected after a silent horizon, a stayer places
    ``(N - q N') / (1 - q)`` in all, of which ``n / (1 - q)`` in the horizon.

    Discounted, N and N' count each order by what its money is worth at the cutoff, while n counts heads: the tail turns
    the margin of the horizon, which is not discounted, into money of the cutoff.

    Parameters
    ----------
    discount_rate : float, default 0
        Per year. At 0 every order counts in full.

    Returns
    -------
    staying, silent : ndarray of shape (n_customers,)
        At least 1, or what discounting leaves of the horizon's orders; and between 0 and `staying`.
    """
    near, rate = rhythm.expected_orders(rfm, horizon_days), daily_discount(discount_rate)
    some, least = near > 0, np.ones_like(near)
    if rate > 0:
        worth = np.minimum(rhythm.discounted_orders(rfm, rate, horizon_days), near)
        least = np.divide(worth, near, out=least, where=some)
    if value_days <= horizon_days:
        return least, np.zeros_like(near)
    silence = rhythm.p_no_order(rfm, horizon_days)
    far = _orders(rhythm, rfm, value_days, rate)
    after = _orders(rhythm, rfm.after_silence(horizon_days), value_days - horizon_days, rate)
    after *= np.exp(-rate * horizon_days)
    staying = np.divide(far - silence * after, near, out=np.ones_like(near), where=some)
    silent = np.divide((1 - silence) * after, near, out=np.zeros_like(near), where=some)
    staying = np.maximum(staying, least)
    return staying, np.clip(silent, 0.0, staying)


def _orders(rhythm: Silent, rfm: Rfm, days: float, rate: float) -> Matrix:
    """Return expected orders, each worth less the later it is expected; at a rate of 0 exactly their number."""
    return rhythm.discounted_orders(rfm, rate, days) if rate > 0 else rhythm.expected_orders(rfm, days)


def orders_if_staying(rhythm: Silent, horizon_days: int, rfm: Rfm) -> Matrix:
    """Return the order days in the horizon of one who has any, at least 1; shape (n_customers,)."""
    some = 1.0 - rhythm.p_no_order(rfm, horizon_days)
    near = rhythm.expected_orders(rfm, horizon_days)
    return np.maximum(np.divide(near, some, out=np.ones_like(near), where=some > 0), 1.0)


def days_worth(days: float, discount_rate: float) -> float:
    """Return how many days of today so many days ahead are worth, what comes later counting less."""
    rate = daily_discount(discount_rate)
    return -float(np.expm1(-rate * days)) / rate if rate > 0 else float(days)
