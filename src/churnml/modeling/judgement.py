"""What a test out of time found: each method's figures with intervals, ours less each baseline, and the verdicts.

Every method meets the same redraws of customers, so the differences are paired: the luck they share cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.modeling import metrics
from churnml.modeling.coverage import Coverage
from churnml.modeling.timing import InTime

Matrix = npt.NDArray[np.float64]
Json = dict[str, Any]  # Any: JSON
Target = Literal["churn", "value", "conversion"]

OURS = "churnml"
_WHOM: Mapping[Target, str] = {"conversion": "prospects"}
_TENTH = 10


@dataclass(frozen=True)
class Measure:
    """One metric: its name for people, its function of truth and forecast, and which way is better.

    Parameters
    ----------
    better : {'higher', 'lower', 'near 0'}
        Figures that should be near 0 are compared by their distance from it.
    digits : int
        Decimals that mean something.
    """

    label: str
    of: Callable[[Matrix, Matrix], float]
    better: Literal["higher", "lower", "near 0"]
    digits: int

    def lead(self, ours: Matrix, other: Matrix) -> Matrix:
        """Return by how much ours is better, in the unit of the metric; negative where it is worse."""
        if self.better == "near 0":
            return np.asarray(np.abs(other) - np.abs(ours))
        return ours - other if self.better == "higher" else other - ours


MEASURES: Mapping[Target, Mapping[str, Measure]] = {
    "churn": {
        "auroc": Measure("AUROC", metrics.auroc, "higher", 3),
        "auprc": Measure("AUPRC", metrics.auprc, "higher", 3),
        "brier": Measure("Brier", metrics.brier, "lower", 4),
        "ece": Measure("ECE", metrics.ece, "lower", 3),
        "empc": Measure("EMPC", metrics.empc, "higher", 2),
    },
    "conversion": {
        "auroc": Measure("AUROC", metrics.auroc, "higher", 3),
        "auprc": Measure("AUPRC", metrics.auprc, "higher", 3),
        "brier": Measure("Brier", metrics.brier, "lower", 4),
        "log_loss": Measure("log loss", metrics.log_loss, "lower", 4),
        "ece": Measure("ECE", metrics.ece, "lower", 3),
    },
    "value": {
        "mae": Measure("MAE", metrics.mae, "lower", 1),
        "rmse": Measure("RMSE", metrics.rmse, "lower", 1),
        "spearman": Measure("Spearman", metrics.spearman, "higher", 3),
        "gini": Measure("nGini", metrics.gini_normalised, "higher", 3),
        "bias": Measure("bias", metrics.bias, "near 0", 3),
    },
}
"""What is measured for each target, in the order of the reports."""

GATES: Mapping[Target, tuple[str, ...]] = {
    "churn": ("auroc", "brier"),
    "value": ("rmse", "gini"),
    "conversion": ("auroc", "brier"),
}
"""Where no baseline may be better beyond noise if a model is to be promoted: one ranking, one scale for each."""


@dataclass(frozen=True)
class Figure:
    """A number and its 95 % bootstrap interval over customers."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Method:
    """One method's figures by metric, and by how much ours is better, which for ours itself is empty."""

    name: str
    figures: Mapping[str, Figure]
    lead_of_ours: Mapping[str, Figure]


@dataclass(frozen=True)
class Contest:
    """Our model beside the baselines on one target.

    Parameters
    ----------
    truth, forecast : ndarray of shape (n_customers,)
        What happened (1 for who left, or the margin), and what ours had said.
    methods : tuple of Method
        Ours first.
    ece_perfect_95 : float or None
        For churn and conversion: the calibration error that a perfect model stays below 19 times in 20.
    forecasts : mapping of str to ndarray of shape (n_customers,)
        What each method had said, ours first.
    """

    target: Target
    truth: Matrix = field(repr=False)
    forecast: Matrix = field(repr=False)
    methods: tuple[Method, ...]
    ece_perfect_95: float | None
    forecasts: Mapping[str, Matrix] = field(default_factory=dict, repr=False)

    @property
    def ours(self) -> Method:
        """Our own figures."""
        return self.methods[0]

    @property
    def riskiest_tenth(self) -> float:
        """The mean truth of the tenth of customers with the highest forecast."""
        most = -(-len(self.truth) // _TENTH)
        return float(self.truth[np.argsort(-self.forecast, kind="stable")[:most]].mean())

    def verdict(self, metric: str, goal: float) -> Literal["better", "as good", "worse"]:
        """Return how our figure stands to a goal: different beyond noise only where its interval leaves the goal out.

        A calibration error that a perfect model might show is never called worse.
        """
        measure, ours = MEASURES[self.target][metric], self.ours.figures[metric]
        if metric == "ece" and self.ece_perfect_95 is not None and ours.value <= self.ece_perfect_95:
            return "as good"
        if ours.low <= goal <= ours.high:
            return "as good"
        return "better" if measure.lead(np.array(ours.value), np.array(goal)) >= 0 else "worse"


@dataclass(frozen=True)
class Judgement:
    """A test out of time.

    Parameters
    ----------
    name : str
        Of the protocol.
    cutoff : str
        The day of the test, as a date.
    horizon_days, customers : int
        How far ahead, and how many were judged.
    contests : mapping of target to Contest
        Churn, value, or both.
    goal : mapping of str to float
        Figures to be no worse than, by metric; empty where none are set.
    intervals : Coverage or None
        How the intervals of value did, where value was judged.
    timing : tuple of InTime
        How often the next order came by the dates told, where they were judged.
    """

    name: str
    cutoff: str
    horizon_days: int
    customers: int
    contests: Mapping[Target, Contest]
    goal: Mapping[str, float]
    intervals: Coverage | None = None
    timing: tuple[InTime, ...] = ()

    @property
    def churned(self) -> Matrix:
        """Who left, 1 or 0, of shape (customers,)."""
        return self.contests["churn"].truth

    @property
    def probability(self) -> Matrix:
        """The churn probability we had given, of shape (customers,)."""
        return self.contests["churn"].forecast

    def gate(self) -> list[str]:
        """Return why the model must not be promoted: each baseline that is better beyond noise, in words."""
        return [
            f"{method.name} has a better {MEASURES[target][metric].label} for {target} beyond noise "
            f"({_shown(method.figures[metric].value)} against {_shown(contest.ours.figures[metric].value)})"
            for target, contest in self.contests.items()
            for method in contest.methods[1:]
            for metric in GATES[target]
            if method.lead_of_ours[metric].high < 0
        ]

    def metrics(self) -> dict[str, float]:
        """Return our own figures under flat names, for tracking."""
        found: dict[str, float] = {}
        for target, contest in self.contests.items():
            found |= {f"{target}_{name}": figure.value for name, figure in contest.ours.figures.items()}
        return found

    def baselines(self) -> list[tuple[str, dict[str, float]]]:
        """Return the figures of each baseline under the same names, for tracking."""
        return [
            (method.name, {f"{target}_{name}": figure.value for name, figure in method.figures.items()})
            for target, contest in self.contests.items()
            for method in contest.methods[1:]
        ]

    def to_json(self) -> Json:
        """Return plain data ready for JSON: one object for each target, without a row of any customer."""
        told = {"name": self.name, "cutoff": self.cutoff, "horizon_days": self.horizon_days}
        told |= {"customers": self.customers, "goal": dict(self.goal)}
        return told | {target: self._contest_json(contest) for target, contest in self.contests.items()}

    def _contest_json(self, contest: Contest) -> Json:
        more: Json = {"mean_margin": float(contest.truth.mean())}
        if self.intervals is not None:
            more["intervals_of_customers"] = self.intervals.to_json()
        if contest.target == "conversion":
            more = {"base_rate": float(contest.truth.mean()), "likeliest_tenth": contest.riskiest_tenth}
            more |= {"ece_perfect_95": contest.ece_perfect_95}
        if contest.target == "churn":
            more = {"base_rate": float(contest.truth.mean()), "riskiest_tenth": contest.riskiest_tenth}
            more |= {"ece_perfect_95": contest.ece_perfect_95}
            if self.timing:
                more["next_order"] = [asdict(one) | {"kept": one.kept} for one in self.timing]
        return {
            "test": f"{self.customers:,} {_WHOM.get(contest.target, 'customers')} as of {self.cutoff}",
            **more,
            **{name: figure.value for name, figure in contest.ours.figures.items()},
            "intervals": _intervals(contest.ours.figures),
            "baselines": {
                method.name: {
                    **{name: figure.value for name, figure in method.figures.items()},
                    "intervals": _intervals(method.figures),
                    "lead_of_ours": {
                        name: [lead.value, lead.low, lead.high] for name, lead in method.lead_of_ours.items()
                    },
                }
                for method in contest.methods[1:]
            },
            "verdicts": {
                name: contest.verdict(name, goal) for name, goal in self.goal.items() if name in contest.ours.figures
            },
        }


def contest(target: Target, truth: Matrix, forecasts: Mapping[str, Matrix], *, bootstrap: int, seed: int) -> Contest:
    """Measure every method on the same customers and the same redraws of them.

    Parameters
    ----------
    truth : ndarray of shape (n_customers,)
        1 for who left, or the margin that came.
    forecasts : mapping of str to ndarray of shape (n_customers,)
        By method, ours first.
    bootstrap, seed : int
        Number of redraws, and their seed.

    Raises
    ------
    InvalidTableError
        If a metric does not exist: all left, all stayed, or all brought the same.
    NotEnoughDataError
        If a metric exists in fewer than half of the redraws.
    """
    measures = MEASURES[target]
    drawn = {name: _redrawn(measures, truth, forecast, bootstrap, seed) for name, forecast in forecasts.items()}
    values = {name: {m: np.array(one.of(truth, p)) for m, one in measures.items()} for name, p in forecasts.items()}
    first, *others = forecasts

    def figures(name: str) -> dict[str, Figure]:
        return {m: figure_of(values[name][m], drawn[name][m]) for m in measures}

    def leads(name: str) -> dict[str, Figure]:
        return {
            m: figure_of(one.lead(values[first][m], values[name][m]), one.lead(drawn[first][m], drawn[name][m]))
            for m, one in measures.items()
        }

    methods = (Method(first, figures(first), {}), *(Method(name, figures(name), leads(name)) for name in others))
    perfect = metrics.ece_perfect_95(forecasts[first], seed=seed) if target != "value" else None
    return Contest(target, truth, forecasts[first], methods, perfect, forecasts)


def _redrawn(
    measures: Mapping[str, Measure], truth: Matrix, forecast: Matrix, bootstrap: int, seed: int
) -> dict[str, Matrix]:
    """Return each metric over redrawn customers, of shape (bootstrap,), NaN where it does not exist."""
    rng = np.random.default_rng(seed)
    values = {name: np.full(bootstrap, np.nan) for name in measures}
    for draw in range(bootstrap):
        rows = rng.integers(len(truth), size=len(truth))
        y, p = truth[rows], forecast[rows]
        for name, measure in measures.items():
            try:
                values[name][draw] = measure.of(y, p)
            except InvalidTableError:
                continue
    return values


def figure_of(value: Matrix, drawn: Matrix) -> Figure:
    """Return a value with the 95 % interval of its redraws, those in which it does not exist left out.

    Raises
    ------
    NotEnoughDataError
        If it exists in fewer than half of them.
    """
    found = drawn[np.isfinite(drawn)]
    if 2 * len(found) < len(drawn):
        raise NotEnoughDataError(
            f"a metric must exist in half of {len(drawn)} bootstrap draws, it did in {len(found)}; "
            "judge it on more customers, or on a longer horizon"
        )
    low, high = np.percentile(found, [2.5, 97.5])
    return Figure(float(value), float(low), float(high))


def _intervals(figures: Mapping[str, Figure]) -> dict[str, list[float]]:
    return {name: [figure.low, figure.high] for name, figure in figures.items()}


def _shown(value: float) -> str:
    return f"{value:.4g}"
