"""Pictures of a training run, for MLflow: is it calibrated, whom does it find, what counted, how long is silence."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from churnml.labels import Horizon

Matrix = npt.NDArray[np.float64]
_BINS = 10


def calibration_plot(churned: Matrix, probability: Matrix) -> Figure:
    """Return predicted against observed churn in ten bins of equal size."""
    order = np.array_split(np.argsort(probability, kind="stable"), _BINS)
    figure, axes = _figure("Calibration, out of time", "mean predicted churn", "observed churn")
    predicted = [probability[rows].mean() for rows in order]
    observed = [churned[rows].mean() for rows in order]
    top = max(*predicted, *observed)
    axes.plot([0, top], [0, top], color="0.7", linewidth=1)
    axes.plot(predicted, observed, marker="o", color="C0")
    return figure


def gain_plot(churned: Matrix, probability: Matrix) -> Figure:
    """Return the share of churners found by the share of customers contacted, riskiest first."""
    found = np.concatenate(([0.0], np.cumsum(churned[np.argsort(-probability, kind="stable")]) / churned.sum()))
    figure, axes = _figure("Gain, out of time", "share of customers contacted", "share of churners found")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axes.plot(np.linspace(0, 1, len(found)), found, color="C0")
    return figure


def importance_plot(columns: tuple[str, ...], gain: Matrix, most: int = 20) -> Figure:
    """Return the columns that the trees gained most from."""
    top = np.argsort(-gain, kind="stable")[:most][::-1]
    figure, axes = _figure("What the trees used", "share of gain", "")
    axes.barh([columns[place] for place in top], gain[top] / max(gain.sum(), 1e-12), color="C0")
    figure.set_size_inches(7, 6)
    figure.subplots_adjust(left=0.35)
    return figure


def gap_plot(horizon: Horizon, horizon_days: int) -> Figure:
    """Return the share of gaps between orders that are longer than so many days, and the horizons on it."""
    longest = min(len(horizon.still_open), 3 * max(horizon.days, horizon_days))
    figure, axes = _figure("Gaps between orders", "days since the last order", "share still without another")
    axes.step(np.arange(longest), horizon.still_open[:longest], where="post", color="C0")
    for days, words, style in ((horizon_days, "horizon", "-"), (horizon.days, "read off the data", "--")):
        axes.axvline(days, color="0.4", linewidth=1, linestyle=style, label=f"{words}: {days} days")
    axes.set_ylim(0.0, 1.0)
    axes.legend()
    return figure


def _figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5, 4))
    axes = figure.add_subplot(title=title, xlabel=x, ylabel=y)
    return figure, axes
