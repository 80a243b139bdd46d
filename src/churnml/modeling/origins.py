"""Judge a configuration at several cutoffs in a row, each time taught only by what was final before it.

One cutoff may be lucky. The figure to go by is the mean over the earlier origins; the last origin is told apart, since
whoever looks at it and then changes the model has used it up. Customers come back at every origin and are not
independent of themselves, so a redraw takes a customer with all rows, and every method meets the same redraws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.config import TrainConfig
from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.events import Store
from churnml.events.clock import days_later, midnight, moment
from churnml.features import Catalogue
from churnml.modeling import metrics
from churnml.modeling.backtest import forecasts_of, outcome_of, require_both, told_of_value, truth_of
from churnml.modeling.coverage import Told, coverage
from churnml.modeling.cutoffs import cutoffs_before, lag_of
from churnml.modeling.cuts import segments_of
from churnml.modeling.judgement import MEASURES, Figure, Json, Matrix, Measure, Method, Target, figure_of
from churnml.modeling.satisfaction_trial import Trial, tried_at
from churnml.modeling.train import train

Progress = Callable[[int, int], None]
_TARGETS: tuple[Target, ...] = ("churn", "value")


def _lift(share: float) -> Measure:
    return Measure(f"lift {share:.0%}", lambda y, p: metrics.lift(y, p, share), "higher", 2)


MEASURED: Mapping[Target, Mapping[str, Measure]] = {
    "churn": {
        **MEASURES["churn"],
        "log_loss": Measure("log loss", metrics.log_loss, "lower", 4),
        "lift_5": _lift(0.05),
        "lift_10": _lift(0.10),
        "lift_20": _lift(0.20),
    },
    "value": MEASURES["value"],
}
"""What is measured at every origin: what a single test measures, and for churn how the top of the list does."""


@dataclass(frozen=True)
class Origin:
    """One cutoff: who was judged, what each method had said of them, what came.

    Parameters
    ----------
    cutoff : str
        As a date.
    taught_by : int
        How many training cutoffs had final labels before it.
    customer_ids : ndarray of shape (n_customers,)
    truth : mapping of target to ndarray of shape (n_customers,)
    forecasts : mapping of target and method to ndarray of shape (n_customers,)
        Ours first.
    segments : mapping of str to ndarray of shape (n_customers,)
        By each way of cutting the customers up, the segment each is in, as a text; empty where it is not known.
    weights : mapping of str to float
        Of the learners of the blend.
    past_rate : float
        The churn rate over the cutoffs that taught: what history had said before.
    value : Told
        What was said of the margin with its range, and what came.
    satisfaction : mapping of {'estimate', 'answers'} to Trial, or None
        How satisfaction did with the answers that came, where enough did; None where no surveys have landed.
    """

    cutoff: str
    taught_by: int
    customer_ids: npt.NDArray[np.object_] = field(repr=False)
    truth: Mapping[Target, Matrix] = field(repr=False)
    forecasts: Mapping[Target, Mapping[str, Matrix]] = field(repr=False)
    segments: Mapping[str, npt.NDArray[np.object_]] = field(default_factory=dict, repr=False)
    weights: Mapping[str, float] = field(default_factory=dict)
    past_rate: float = field(kw_only=True)
    value: Told = field(kw_only=True, repr=False)
    satisfaction: Mapping[str, Trial] | None = field(default=None, kw_only=True)

    def figures(self, target: Target) -> dict[str, dict[str, float]]:
        """Return each method's figures by metric."""
        y = self.truth[target]
        return {
            name: {metric: measure.of(y, p) for metric, measure in MEASURED[target].items()}
            for name, p in self.forecasts[target].items()
        }


@dataclass(frozen=True)
class Rolled:
    """What several origins found: the mean over the earlier ones, and the last apart.

    Parameters
    ----------
    horizon_days : int
    earlier : tuple of Origin
        Ascending; the figures to choose by.
    last : Origin
        To be opened once.
    mean : mapping of target to tuple of Method
        Figures and paired leads, mean over `earlier`, 95 % intervals over customers.
    at_last : mapping of target to tuple of Method
        The same at `last` alone.
    """

    horizon_days: int
    earlier: tuple[Origin, ...]
    last: Origin
    mean: Mapping[Target, tuple[Method, ...]]
    at_last: Mapping[Target, tuple[Method, ...]]
    seed: int

    def to_json(self) -> Json:
        """Return plain data ready for JSON, without a row of any customer."""
        return {
            "horizon_days": self.horizon_days,
            "origins": [self._origin_json(one, last=one is self.last) for one in (*self.earlier, self.last)],
            "mean_over_earlier_origins": {target: _methods_json(methods) for target, methods in self.mean.items()},
            "value_intervals": {
                "earlier_origins": coverage([one.value for one in self.earlier]).to_json(),
                "last_origin": coverage([self.last.value]).to_json(),
            },
            "last_origin": {target: _methods_json(methods) for target, methods in self.at_last.items()},
        }

    def _origin_json(self, one: Origin, *, last: bool) -> Json:
        ours = next(iter(one.forecasts["churn"].values()))
        return {
            "cutoff": one.cutoff,
            "last": last,
            "taught_by": one.taught_by,
            "customers": len(one.customer_ids),
            "churn_rate": float(one.truth["churn"].mean()),
            "mean_margin": float(one.truth["value"].mean()),
            "weights": dict(one.weights),
            "ece_perfect_95": metrics.ece_perfect_95(ours, seed=self.seed),
            "satisfaction": None
            if one.satisfaction is None
            else {group: trial.to_json() for group, trial in one.satisfaction.items()},
            **{target: one.figures(target) for target in _TARGETS},
        }


def roll(
    store: Store,
    catalogue: Catalogue,
    config: TrainConfig,
    margin_rate: float,
    *,
    origins: int,
    step_days: int,
    bootstrap: int = 300,
    progress: Progress = lambda _done, _total: None,
) -> Rolled:
    """Train and judge at `origins` cutoffs, the last being the latest whose label is final by the end of the data.

    Parameters
    ----------
    origins : int
        At least 2: one to be opened once, and one or more before it.
    step_days : int
        Days between origins.
    bootstrap : int, default 300
        Redraws of customers behind each interval.
    progress : callable
        Told how many origins are done, of how many.

    Raises
    ------
    NotEnoughDataError
        If history does not reach for the first origin, or too few left or stayed at one.
    """
    cutoffs = origin_cutoffs(store, config, origins=origins, step_days=step_days)
    judged = []
    for done, cutoff in enumerate(cutoffs):
        progress(done, origins)
        judged.append(_judged(store, catalogue, config, margin_rate, cutoff, bootstrap))
    progress(origins, origins)
    *earlier, last = judged
    # one thread adds up floats in one order, so the report has the same bits every time
    with threadpool_limits(limits=1, user_api="blas"):
        mean = {target: mean_over(earlier, target, bootstrap, config.seed) for target in _TARGETS}
        at_last = {target: mean_over([last], target, bootstrap, config.seed) for target in _TARGETS}
    return Rolled(config.horizon_days, tuple(earlier), last, mean, at_last, config.seed)


def origin_cutoffs(store: Store, config: TrainConfig, *, origins: int, step_days: int) -> list[int]:
    """Return the cutoffs to judge at, ascending, microseconds UTC.

    Raises
    ------
    NotEnoughDataError
        If two training cutoffs do not fit before the first of them.
    """
    zone, (first, end) = store.time_zone, store.span
    lag = lag_of(store, config)
    over = days_later(midnight(moment(end, zone).date(), zone), 1, zone)
    have = (moment(over, zone).date() - moment(first, zone).date()).days
    one = 2 * (config.horizon_days + lag) + config.min_history_days + config.step_days
    need = one + (origins - 1) * step_days
    if have < need:
        fit = (have - one) // step_days + 1 if have >= one else 0
        remedy = f"take --origins {fit}, or bring more" if fit >= 2 else "bring more, or shorten `horizon_days`"
        raise NotEnoughDataError(
            f"{origins} origins every {step_days} days with a horizon of {config.horizon_days} days need {need} days "
            f"of history, found {have}, enough for {fit}; {remedy} or `min_history_days` in configs/train.yaml"
        )
    waits = config.horizon_days + lag
    return [days_later(over, -(waits + step_days * back), zone) for back in reversed(range(origins))]


def _judged(
    store: Store, catalogue: Catalogue, config: TrainConfig, margin_rate: float, cutoff: int, bootstrap: int
) -> Origin:
    taught = cutoffs_before(store, cutoff, config)
    trained = train(store, catalogue, taught, cutoff, config, margin_rate)
    base = trained.snapshots.base_at_now
    table = base.take(base.modelled)
    outcome = outcome_of(store, table, trained.model)
    require_both(outcome, config.horizon_days, config.by)
    with threadpool_limits(limits=1, user_api="blas"):
        forecasts = {target: forecasts_of(target, trained, table) for target in _TARGETS}
    truth = {target: truth_of(target, outcome, margin_rate, config.by) for target in _TARGETS}
    day = moment(cutoff, store.time_zone).date().isoformat()
    values = next(iter(forecasts["value"].values()))
    past = float(trained.snapshots.churned.mean())
    with threadpool_limits(limits=1, user_api="blas"):
        value = told_of_value(trained, table, truth["value"])
    cuts = segments_of(table, values)
    weights = dict(zip(trained.model.churn.learners, trained.model.churn.weights, strict=True))
    content = None
    if "surveys" in store.tables:
        redrawn = config.model_copy(update={"bootstrap": bootstrap})
        content = tried_at(store, catalogue, trained.snapshots.table, table, cutoff, redrawn)
    who = table.customer_ids
    return Origin(
        day, len(taught), who, truth, forecasts, cuts, weights, past_rate=past, value=value, satisfaction=content
    )


def mean_over(origins: Sequence[Origin], target: Target, bootstrap: int, seed: int) -> tuple[Method, ...]:
    """Return each method's figures, mean over the origins, and by how much ours leads; ours first.

    Parameters
    ----------
    bootstrap, seed : int
        Redraws of customers, each with all rows of all origins, and their seed.

    Raises
    ------
    NotEnoughDataError
        If a metric exists in fewer than half of the redraws.
    """
    measures, names = MEASURED[target], list(origins[0].forecasts[target])
    rows = [np.arange(len(one.customer_ids)) for one in origins]
    values = _means(origins, rows, target)
    drawn = [_means(origins, rows, target) for rows in _redrawn(origins, bootstrap, seed)]
    spread = {name: {m: np.array([one[name][m] for one in drawn]) for m in measures} for name in names}

    def method(name: str) -> Method:
        figures = {m: figure_of(np.array(values[name][m]), spread[name][m]) for m in measures}
        return Method(name, figures, {} if name == names[0] else leads(name))

    def leads(name: str) -> dict[str, Figure]:
        ours = names[0]
        return {
            m: figure_of(
                np.array(_lead_in(one, values[ours][m], values[name][m])),
                np.array([_lead_in(one, a[ours][m], a[name][m]) for a in drawn]),
            )
            for m, one in measures.items()
        }

    return tuple(method(name) for name in names)


def _lead_in(measure: Measure, ours: float, other: float) -> float:
    return float(measure.lead(np.array(ours), np.array(other)))


def _means(
    origins: Sequence[Origin], rows: Sequence[npt.NDArray[np.intp]], target: Target
) -> dict[str, dict[str, float]]:
    """Return each method's metrics, mean over the origins; NaN where one does not exist at an origin."""
    return {
        name: {
            metric: float(
                np.mean(
                    [
                        _or_nan(measure, one.truth[target][at], one.forecasts[target][name][at])
                        for one, at in zip(origins, rows, strict=True)
                    ]
                )
            )
            for metric, measure in MEASURED[target].items()
        }
        for name in origins[0].forecasts[target]
    }


def _or_nan(measure: Measure, truth: Matrix, forecast: Matrix) -> float:
    try:
        return measure.of(truth, forecast)
    except InvalidTableError:
        return float("nan")


def _redrawn(origins: Sequence[Origin], bootstrap: int, seed: int) -> list[list[npt.NDArray[np.intp]]]:
    """Return the rows of each origin in each redraw of the customers of all origins."""
    rng = np.random.default_rng(seed)
    everyone = np.unique(np.concatenate([one.customer_ids for one in origins]))
    places = [np.searchsorted(everyone, one.customer_ids) for one in origins]
    draws = []
    for _ in range(bootstrap):
        times = np.bincount(rng.integers(len(everyone), size=len(everyone)), minlength=len(everyone))
        draws.append([np.repeat(np.arange(len(at)), times[at]) for at in places])
    return draws


def _methods_json(methods: tuple[Method, ...]) -> Json:
    return {
        method.name: {
            "figures": {m: [one.value, one.low, one.high] for m, one in method.figures.items()},
            "lead_of_ours": {m: [one.value, one.low, one.high] for m, one in method.lead_of_ours.items()},
        }
        for method in methods
    }
