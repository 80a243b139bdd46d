"""Pictures of a training run, for MLflow: is it calibrated, does it find the churners, what counted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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


def _figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5, 4))
    axes = figure.add_subplot(title=title, xlabel=x, ylabel=y)
    return figure, axes
