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

from churnml.modeling.btyd import BGNBD, Rfm
from churnml.modeling.learners import Linear, fit_ridge, fit_trees, predicted
from churnml.modeling.scaling import Scaling, fit_scaling

Matrix = npt.NDArray[np.float64]

_TWEEDIE_POWER = 1.3
_PENALTY = 1_000.0
_ROUNDS = 300


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


def fit_value(matrix: Matrix, margin: Matrix, anchor: Matrix, *, seed: int) -> ValueModel:
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
    jobs: dict[str, Callable[[], lightgbm.Booster]] = {
        "tweedie": lambda: fit_trees(
            matrix, held, objective="tweedie", rounds=_ROUNDS, seed=seed, tweedie_variance_power=_TWEEDIE_POWER
        ),
        "change": lambda: fit_trees(matrix, target - anchor / scale, objective="regression", rounds=_ROUNDS, seed=seed),
    }
    with ThreadPoolExecutor(max_workers=2) as pool:
        trees = {name: pool.submit(job) for name, job in jobs.items()}
        by_plain = fit_ridge(plain(matrix), target, _PENALTY)
        by_root = fit_ridge(root(matrix), np.sqrt(held), _PENALTY)
        smear = float(np.mean((np.sqrt(held) - by_root.predict(root(matrix))) ** 2))
        tweedie, change = trees["tweedie"].result(), trees["change"].result()
    return ValueModel(scale, tweedie, change, by_plain, by_root, smear, plain, root)


def tails(rhythm: BGNBD, value_days: int, horizon_days: int, rfm: Rfm) -> tuple[Matrix, Matrix]:
    """Return the orders of `value_days`, over those expected of one who stays in the horizon, for stayer and silent.

    Who is silent for the horizon may still come back: their further orders are those that the rhythm expects of the
    same customer, a horizon older and no order richer. With N orders expected over `value_days`, n over the horizon, a
    probability q of silence in it and N' orders expected after a silent horizon, a stayer places
    ``(N - q N') / (1 - q)`` in all, of which ``n / (1 - q)`` in the horizon.

    Returns
    -------
    staying, silent : ndarray of shape (n_customers,)
        At least 1, and between 0 and `staying`.
    """
    near = rhythm.expected_orders(rfm, horizon_days)
    if value_days <= horizon_days:
        return np.ones_like(near), np.zeros_like(near)
    silence = rhythm.p_no_order(rfm, horizon_days)
    far = rhythm.expected_orders(rfm, value_days)
    after = rhythm.expected_orders(rfm.after_silence(horizon_days), value_days - horizon_days)
    some = near > 0
    staying = np.divide(far - silence * after, near, out=np.ones_like(near), where=some)
    silent = np.divide((1 - silence) * after, near, out=np.zeros_like(near), where=some)
    staying = np.maximum(staying, 1.0)
    return staying, np.clip(silent, 0.0, staying)
