"""Judge a model out of time: on a cutoff whose horizon lies behind us, taught only by what was final before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.config import Protocol, TrainConfig
from churnml.errors import ConfigError, NoMaximumError, NotEnoughDataError, nearest
from churnml.events import By, Outcome, Store
from churnml.events.clock import DAY, days_later, midnight, moment
from churnml.features import Catalogue, FeatureTable
from churnml.labels import Outcomes, churned, history_needed_days, margin
from churnml.modeling.baselines import baselines_for
from churnml.modeling.coverage import Told, coverage
from churnml.modeling.cutoffs import cutoffs_before, lag_of
from churnml.modeling.judgement import MEASURES, OURS, Judgement, Target, contest
from churnml.modeling.ladder import Rung
from churnml.modeling.learners import sigmoid
from churnml.modeling.model import Model
from churnml.modeling.rhythm import silence_logits
from churnml.modeling.timing import in_time
from churnml.modeling.train import Trained, train

Matrix = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

_FEWEST = 5
_OF_RHYTHM = "BG/NBD"


def judge(
    trained: Trained,
    store: Store,
    *,
    targets: tuple[Target, ...] = ("churn", "value"),
    name: str = "out of time",
    goal: Mapping[str, float] | None = None,
    bootstrap: int = 300,
    seed: int = 0,
) -> Judgement:
    """Compare what the model and the baselines say at `trained.now` of the population with what came.

    Parameters
    ----------
    trained : Trained
        From cutoffs whose labels were final by `trained.now`.
    store : Store
        With data at least until the end of the horizon.
    targets : tuple of {'churn', 'value'}
        What is judged.
    goal : mapping of str to float, optional
        Figures to compare ours with, by metric.
    bootstrap : int, default 300
        Redraws of customers behind each interval.

    Raises
    ------
    NotEnoughDataError
        If the horizon is not over by the end of the data, or too few left or stayed.
    """
    horizon, zone = trained.model.horizon_days, store.time_zone
    _require_final(store, trained.now, horizon)
    base = trained.snapshots.base_at_now
    table = base.take(base.modelled)
    model = trained.model
    outcome = outcome_of(store, table, model)
    require_both(outcome, horizon, model.by)
    # one thread adds up floats in one order, so the report has the same bits every time
    with threadpool_limits(limits=1, user_api="blas"):
        contests = {
            target: contest(
                target,
                truth_of(target, outcome, model.margin_rate, model.by),
                forecasts_of(target, trained, table),
                bootstrap=bootstrap,
                seed=seed,
            )
            for target in targets
        }
    intervals = coverage([told_of_value(trained, table, contests["value"].truth)]) if "value" in contests else None
    return Judgement(name, _day(trained.now, zone).isoformat(), horizon, len(table), contests, goal or {}, intervals)


def run_protocol(
    store: Store,
    catalogue: Catalogue,
    name: str,
    protocol: Protocol,
    config: TrainConfig,
    *,
    margin_rate: float = 1.0,
    bootstrap: int = 300,
    progress: Progress = lambda _done, _total: None,
) -> Judgement:
    """Train on the cutoffs of a protocol and judge at its test cutoff.

    Parameters
    ----------
    name : str
        Of the protocol, for reports and errors.
    config : TrainConfig
        Rounds, folds and seed; the protocol decides the rest.
    margin_rate : float, default 1
        Margin per unit of revenue; published figures are of spend, so 1.

    Raises
    ------
    ConfigError
        If the protocol teaches with labels that its test cutoff could not have known, or has an unknown metric.
    NotEnoughDataError
        As `train` and `judge`.
    """
    _check_protocol(name, protocol)
    now = midnight(protocol.test_cutoff, store.time_zone)
    _require_final(store, now, protocol.horizon_days)
    ours = config.model_copy(
        update={"horizon_days": protocol.horizon_days, "population_days": protocol.population_days}
    )
    cutoffs = [midnight(day, store.time_zone) for day in _days(protocol)]
    trained = train(store, catalogue, cutoffs, now, ours, margin_rate, progress)
    return judge(
        trained,
        store,
        targets=(protocol.target,),
        name=name,
        goal=protocol.goal,
        bootstrap=bootstrap,
        seed=config.seed,
    )


def judge_last_origin(
    store: Store,
    catalogue: Catalogue,
    now: int,
    config: TrainConfig,
    margin_rate: float,
    *,
    bootstrap: int = 300,
    progress: Progress = lambda _done, _total: None,
    rung: Rung = "blend",
    also: Callable[[Trained], None] = lambda _trained: None,
) -> Judgement:
    """Judge a configuration at the last cutoff whose horizon is over by `now`, as if it had been trained then.

    Parameters
    ----------
    now : int
        The cutoff that the model to be deployed is meant for; microseconds UTC.
    rung : {'blend', 'logistic', 'rhythm', 'recency'}, default 'blend'
        On which that model stands.
    also : callable
        Given what was trained then, before it is judged: what else there is to judge of it.

    Raises
    ------
    NotEnoughDataError
        If history does not reach for two training cutoffs before that one, or as `train` and `judge`.
    """
    blend = rung == "blend"
    _require_history(store, now, config if blend else config.model_copy(update={"step_days": 0}))
    test = last_origin(store, now, config)
    _require_final(store, test, config.horizon_days)
    at = cutoffs_before(store, test, config, fewest=2 if blend else 1)
    trained = train(store, catalogue, at, test, config, margin_rate, progress, rung=rung)
    also(trained)
    if not blend:
        _require_both_taught(trained)
    return judge(trained, store, name="last origin", bootstrap=bootstrap, seed=config.seed)


def last_origin(store: Store, now: int, config: TrainConfig) -> int:
    """Return the last cutoff whose horizon is over by `now`, and whose label is final; microseconds UTC."""
    lag = lag_of(store, config)
    return days_later(now, -(config.horizon_days + lag), store.time_zone)


def require_current(store: Store, now: int, config: TrainConfig) -> None:
    """Refuse a cutoff so long after the data that silence may be theirs and not the customers'.

    Raises
    ------
    NotEnoughDataError
        If the last label that should be final looks beyond the last order.
    """
    _require_final(store, last_origin(store, now, config), config.horizon_days)


def _require_both_taught(trained: Trained) -> None:
    """Refuse a test whose baselines have nothing to learn from."""
    found = trained.snapshots.lessons
    if min(found.left, found.stayed) < _FEWEST:
        raise NotEnoughDataError(
            f"the baselines it would be compared with need {_FEWEST} customers who left and {_FEWEST} who stayed "
            f"before the test, found {found.left} and {found.stayed}; bring more history"
        )


def judge_within(
    store: Store,
    catalogue: Catalogue,
    now: int,
    days: int,
    config: TrainConfig,
    margin_rate: float,
    *,
    bootstrap: int = 300,
    progress: Progress = lambda _done, _total: None,
) -> Judgement:
    """Judge what the model of one horizon says of another, beside a model that was taught the other.

    Parameters
    ----------
    now : int
        The cutoff that the model to be deployed is meant for; microseconds UTC. The test is the last cutoff at which
        both horizons are over by then.
    days : int
        The other horizon; that of the model is `config.horizon_days`.

    Raises
    ------
    NotEnoughDataError
        If history does not reach for two training cutoffs of the longer of the two before that test, or as `train`.
    """
    longest = config.model_copy(update={"horizon_days": max(days, config.horizon_days)})
    _require_history(store, now, longest)
    test = days_later(now, -(longest.horizon_days + lag_of(store, config)), store.time_zone)
    _require_final(store, test, longest.horizon_days)

    def taught(horizon_days: int, *, curve: bool) -> Trained:
        own = config.model_copy(update={"horizon_days": horizon_days})
        at = cutoffs_before(store, test, own)
        return train(store, catalogue, at, test, own, margin_rate, progress, curve=curve)

    ours = taught(config.horizon_days, curve=True)
    base = ours.snapshots.base_at_now
    table = base.take(base.modelled)
    read = Outcomes.read(store, [test], days, grace_days=config.grace_days)
    outcome = read.at(table.customer_ids, table.cutoffs)
    require_both(outcome, days, config.by)
    own = taught(days, curve=False).model
    with threadpool_limits(limits=1, user_api="blas"):
        told = ours.model.forecast(table, days, [days])
        by_rhythm = sigmoid(silence_logits(ours.model.rhythm, table, [days])[:, 0])
        found = contest(
            "churn",
            truth_of("churn", outcome, margin_rate, config.by),
            {
                OURS: told.churn_within[:, 0],
                f"a model of {days} days": own.forecast(table, days).churn_probability,
                "renewals" if config.by == "contracts" else _OF_RHYTHM: by_rhythm,
            },
            bootstrap=bootstrap,
            seed=config.seed,
        )
    name = f"a model of {config.horizon_days} days asked of {days}"
    timing = () if told.next_order is None else in_time(told.next_order, outcome.first_order_day, days)
    day = _day(test, store.time_zone).isoformat()
    return Judgement(name, day, days, len(table), {"churn": found}, {}, timing=timing)


def _require_history(store: Store, now: int, config: TrainConfig) -> None:
    lag = lag_of(store, config)
    need = history_needed_days(config.horizon_days, config.min_history_days, config.step_days, lag)
    have = max(now - store.span[0], 0) // DAY
    if have < need:
        raise NotEnoughDataError(
            f"training with a horizon of {config.horizon_days} days needs {need} days of history (two horizons, one to "
            f"learn from and one to be judged on, after {config.min_history_days + config.step_days} days of past), "
            f"found {have}; bring more, or shorten `horizon_days` or `min_history_days` in configs/train.yaml"
        )


def outcome_of(store: Store, table: FeatureTable, model: Model) -> Outcome:
    """Return what came in a model's horizon after each row of a table; arrays of shape (n_rows,)."""
    cutoffs = np.unique(table.cutoffs).tolist()
    read = Outcomes.read(store, cutoffs, model.horizon_days, grace_days=model.grace_days)
    return read.at(table.customer_ids, table.cutoffs)


def truth_of(target: Target, outcome: Outcome, margin_rate: float, by: By = "orders") -> Matrix:
    """Return 1 for who left and 0 for who stayed, or the margin that came; shape (n_customers,)."""
    return churned(outcome, by).astype(np.float64) if target == "churn" else margin(outcome, margin_rate)


def forecasts_of(target: Target, trained: Trained, table: FeatureTable) -> dict[str, Matrix]:
    """Return what each method says of the rows: ours, for churn ours without each learner of one's own, baselines."""
    forecast = trained.model.forecast(table, trained.model.horizon_days)
    ours = forecast.churn_probability if target == "churn" else forecast.expected_margin
    found = {OURS: ours}
    if target == "churn":
        without = trained.churn_fit.without_own(trained.snapshots.churned, forecast.logits, forecast.season)
        found |= {f"{OURS} without {name}": said for name, said in without.items()}
    for name, baseline in baselines_for(target, trained.model.by).items():
        if trained.model.rung == "blend":
            found[name] = baseline(trained, table)
        elif trained.model.rung != "recency" or not name.startswith(_OF_RHYTHM):
            with suppress(NotEnoughDataError, NoMaximumError):  # what so few cannot teach is no rival
                found[name] = baseline(trained, table)
    return found


def told_of_value(trained: Trained, table: FeatureTable, truth: Matrix) -> Told:
    """Return what the model says of the margin of the rows, with its range, beside what came."""
    forecast = trained.model.forecast(table, trained.model.horizon_days)
    return Told(forecast.expected_margin, forecast.margin_range, truth)


def _days(protocol: Protocol) -> list[date]:
    steps = (protocol.last_cutoff - protocol.first_cutoff).days // protocol.step_days
    return [protocol.first_cutoff + timedelta(days=protocol.step_days * k) for k in range(steps + 1)]


def _day(instant: int, time_zone: str) -> date:
    return moment(instant, time_zone).date()


def _check_protocol(name: str, protocol: Protocol) -> None:
    closes = protocol.last_cutoff + timedelta(days=protocol.horizon_days)
    if protocol.first_cutoff > protocol.last_cutoff or closes > protocol.test_cutoff:
        raise ConfigError(
            f"protocol `{name}`: `first_cutoff` <= `last_cutoff` and `last_cutoff` + {protocol.horizon_days} days <= "
            f"`test_cutoff` must hold, so that no label looks past the test, found {protocol.first_cutoff}, "
            f"{protocol.last_cutoff} and {protocol.test_cutoff}; move them in configs/backtest.yaml"
        )
    known = MEASURES[protocol.target]
    for metric in protocol.goal:
        if metric not in known:
            raise ConfigError(
                f"protocol `{name}`: unknown metric `{metric}` in `goal`{nearest(metric, known)} "
                f"(known for {protocol.target}: {', '.join(known)})"
            )


def _require_final(store: Store, cutoff: int, horizon_days: int) -> None:
    """Refuse a test whose horizon outlasts the data; the last day with an order counts as complete."""
    zone, last = store.time_zone, store.span[1]
    closes = days_later(cutoff, horizon_days, zone)
    if closes > midnight(_day(last, zone) + timedelta(days=1), zone):
        raise NotEnoughDataError(
            f"a test at {_day(cutoff, zone)} needs orders for {horizon_days} days, until {_day(closes, zone)}, found "
            f"the last on {_day(last, zone)}; take an earlier cutoff or a shorter `horizon_days`, or ingest what is new"
        )


def require_both(outcome: Outcome, horizon_days: int, by: By = "orders") -> None:
    """Refuse a test in which nearly all left, or nearly all stayed.

    Raises
    ------
    NotEnoughDataError
        If fewer than 5 left or fewer than 5 stayed.
    """
    left = int(churned(outcome, by).sum())
    stayed = len(outcome.orders) - left
    if min(left, stayed) < _FEWEST:
        raise NotEnoughDataError(
            f"a test needs {_FEWEST} customers who left and {_FEWEST} who stayed within {horizon_days} days, found "
            f"{left} and {stayed}; bring more customers, or change `horizon_days`"
        )
