"""The points of the plots of a backtest: calibration, gain, and the error of value by tenths."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.modeling.pool import Pool

Json = dict[str, Any]  # Any: JSON
Matrix = npt.NDArray[np.float64]
_TENTHS = 10
_GAIN_AT = np.linspace(0.0, 1.0, 21)


def curves(pool: Pool, *, bootstrap: int, seed: int) -> Json:
    """Return the points of each plot of ours, as plain data, with 95 % intervals over redrawn customers.

    Returns
    -------
    dict
        `calibration`: in tenths by probability, mean predicted and observed churn with interval. `gain`: the share of
        those who left that the top of the list holds. `value_tenths`: in tenths by predicted value, mean predicted
        and observed value with interval, and the mean absolute error.
    """
    churn, value = next(iter(pool.churn.values())), next(iter(pool.values.values()))
    by_risk, by_value = tenths(churn), tenths(value)
    times = list(pool.redraws(bootstrap, seed))
    return {
        "calibration": _compared(by_risk, churn, pool.churned, times),
        "gain": [
            {"share": float(share), "found": float(found)}
            for share, found in zip(_GAIN_AT, gain(pool.churned, churn, _GAIN_AT), strict=True)
        ],
        "value_tenths": _compared(by_value, value, pool.value, times),
    }


def tenths(forecast: Matrix) -> npt.NDArray[np.intp]:
    """Return the tenth of each row, 0 for the least; of nearly equal size, ties in the order of the rows."""
    return (np.argsort(np.argsort(forecast, kind="stable"), kind="stable") * _TENTHS) // len(forecast)


def gain(left: Matrix, p: Matrix, shares: Matrix) -> Matrix:
    """Return which share of those who left the top of the list holds, for each share of customers."""
    found = np.append(0.0, np.cumsum(left[np.argsort(-p, kind="stable")]) / left.sum())
    return np.asarray(np.interp(shares, np.linspace(0.0, 1.0, len(found)), found), dtype=np.float64)


def _compared(
    groups: npt.NDArray[np.intp], forecast: Matrix, truth: Matrix, times: list[npt.NDArray[np.intp]]
) -> list[Json]:
    """Return what was predicted and what came in each group; the interval is of what came."""
    rows = np.bincount(groups, minlength=_TENTHS)
    sums = np.array([np.bincount(groups, truth * t, _TENTHS) for t in times])
    weights = np.array([np.bincount(groups, t, _TENTHS) for t in times])
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = np.nanpercentile(sums / weights, [2.5, 97.5], axis=0)
    error = np.bincount(groups, np.abs(forecast - truth), _TENTHS)
    return [
        {
            "rows": int(rows[k]),
            "predicted": float(forecast[groups == k].mean()),
            "observed": [float(truth[groups == k].mean()), float(low[k]), float(high[k])],
            "mae": float(error[k] / rows[k]),
        }
        for k in range(_TENTHS)
        if rows[k]
    ]
