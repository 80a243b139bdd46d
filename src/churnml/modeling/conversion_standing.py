"""A model of conversion on trial: judged out of time beside its baselines, put to gates, and told why it is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.config import TrainConfig
from churnml.errors import ChurnmlError, InvalidTableError, NotEnoughDataError
from churnml.events import Store
from churnml.events.clock import days_later, moment
from churnml.features import Catalogue
from churnml.labels import Outcomes, converted, origins
from churnml.modeling.alone import alone
from churnml.modeling.backtest import last_origin
from churnml.modeling.bounds import conversion_bounds
from churnml.modeling.check_finding import Finding
from churnml.modeling.conversion import (
    CONVERSION_RUNGS,
    ConversionModel,
    ConversionRung,
    Rolling,
    fit_conversion,
    nothing_to_learn,
    reached,
)
from churnml.modeling.conversion_baselines import baselines_of
from churnml.modeling.cutoffs import cutoffs_before, lag_of
from churnml.modeling.gates import Gate, beside_baselines, calibrated, refusals
from churnml.modeling.judgement import OURS, Judgement, contest
from churnml.modeling.no_conversion import NotLookedFor, NotTaught, Refused, plain
from churnml.modeling.prospects import Prospects
from churnml.modeling.snapshots import snapshots
from churnml.modeling.train import Trained

Matrix = npt.NDArray[np.float64]
Json = dict[str, Any]  # Any: JSON

_FEWEST = 5


@dataclass(frozen=True)
class Tried:
    """A rung that was judged at an earlier cutoff.

    Parameters
    ----------
    rung : {'blend', 'logistic', 'rate'}
    judged : Judgement
        Of conversion, beside its baselines.
    gates : tuple of Gate
        What it answered; where one refuses, the rung is not to be stood on.
    """

    rung: ConversionRung
    judged: Judgement
    gates: tuple[Gate, ...]


@dataclass(frozen=True)
class Conversion:
    """What became of conversion in a training.

    Parameters
    ----------
    model : ConversionModel or None
        What is deployed; None where `because` says why there is none.
    rung : {'blend', 'logistic', 'rate'} or None
        Of the model.
    because : str
        Why there is no model, or why it stands no higher, in words; empty on the highest rung.
    no_model : Finding or None
        Why there is none, as data; None where there is one.
    tried : Tried or None
        How its rung did out of time, or the highest that was refused.
    not_judged : str
        Why it was not judged, in words; empty where it was.
    gates : tuple of Gate
        Answers of the rung that is deployed, or of the highest that was refused.
    prospects, taught, converted : int
        People who are prospects now; rows that taught; and how many of these rows became customers.
    """

    model: ConversionModel | None
    rung: ConversionRung | None
    because: str
    no_model: Finding | None = None
    tried: Tried | None = None
    not_judged: str = ""
    gates: tuple[Gate, ...] = ()
    prospects: int = 0
    taught: int = 0
    converted: int = 0

    def to_json(self) -> Json:
        """Return plain data, without a row of anyone."""
        told = {name: getattr(self, name) for name in ("rung", "because", "prospects", "taught", "converted")}
        weights = (
            None if self.model is None else dict(zip(("trees", "ridge", "age"), self.model.blend.weights, strict=True))
        )
        told |= {
            "no_model": self.no_model and plain(self.no_model),
            "weights": weights,
            "not_judged_because": self.not_judged,
            "gates": [asdict(gate) for gate in self.gates],
        }
        return told | {"judged": self.tried and self.tried.judged.to_json()["conversion"]}

    def metrics(self) -> dict[str, float]:
        """Return its figures out of time under flat names, for tracking."""
        return {} if self.tried is None else self.tried.judged.metrics()

    def baselines(self) -> list[tuple[str, dict[str, float]]]:
        """Return those of each baseline, for tracking."""
        return [] if self.tried is None else self.tried.judged.baselines()


@dataclass
class Tries:
    """Trials of conversion at an earlier cutoff: what is trained there for churn has the prospects of then beside it.

    Parameters
    ----------
    at_origin : callable
        Given what was trained there; only the first counts, for the prospects are the same on every rung of churn.
    found : tuple of Tried
        The rungs tried, the highest first; only the last may have passed.
    why : str
        Why there are none, in words.
    """

    at_origin: Callable[[Trained], None]
    found: tuple[Tried, ...] = ()
    why: str = ""


def tries(store: Store, config: TrainConfig) -> Tries:
    """Return trials that are yet to be made."""

    def at_origin(trained: Trained) -> None:
        if not made.found and not made.why:
            prospects = trained.snapshots.prospects
            if prospects is not None:
                made.found, made.why = try_conversion(
                    prospects, trained.cutoffs, trained.now, store, config, bootstrap=config.bootstrap
                )

    made = Tries(at_origin)
    return made


def try_conversion(
    prospects: Prospects,
    cutoffs: Sequence[int],
    now: int,
    store: Store,
    config: TrainConfig,
    *,
    bootstrap: int = 300,
    name: str = "last origin",
) -> tuple[tuple[Tried, ...], str]:
    """Judge conversion at a cutoff whose horizon is over: the highest rung, and lower ones until one passes.

    Parameters
    ----------
    prospects : Prospects
        Stacked for use at that cutoff, with labels that were final by then.
    cutoffs : sequence of int
        That taught.
    now : int
        The cutoff; microseconds UTC.
    bootstrap : int
        Redraws of prospects behind each interval.
    name : str
        Of the test, for reports.

    Returns
    -------
    tuple of Tried, str
        None and why, in words, where it cannot be judged.
    """
    rung, why = reached(prospects)
    if rung is None:
        return (), f"at the test {why}"
    asked = prospects.at_now
    if not prospects.converted.any() or prospects.converted.all():
        return (), "before the test nobody had become a customer within a horizon, or everyone had"
    outcome = Outcomes.read(store, [now], config.horizon_days).at(asked.customer_ids, asked.cutoffs)
    came = converted(outcome)
    if min(int(came.sum()), int((~came).sum())) < _FEWEST:
        return (), (
            f"a test needs {_FEWEST} prospects who became customers and {_FEWEST} who did not within "
            f"{config.horizon_days} days, found {int(came.sum())} and {int((~came).sum())}"
        )
    found: list[Tried] = []
    for one in CONVERSION_RUNGS[CONVERSION_RUNGS.index(rung) :]:
        try:
            found.append(_try(one, prospects, came, _rolling(cutoffs, store, config), config, bootstrap))
        except (NotEnoughDataError, InvalidTableError) as error:
            return tuple(found), "" if found else str(error)
        day = moment(now, store.time_zone).date().isoformat()
        found[-1] = replace(found[-1], judged=replace(found[-1].judged, name=name, cutoff=day))
        if not refusals(found[-1].gates):
            break
    return tuple(found), ""


def _try(
    rung: ConversionRung,
    prospects: Prospects,
    came: npt.NDArray[np.bool_],
    rolling: Rolling,
    config: TrainConfig,
    bootstrap: int,
) -> Tried:
    model = fit_conversion(prospects, rung, config, rolling)
    # one thread adds up floats in one order, so the report has the same bits every time
    with threadpool_limits(limits=1, user_api="blas"):
        forecasts = {OURS: model.forecast(prospects.at_now).probability} | baselines_of(prospects, prospects.at_now)
        found = contest("conversion", came.astype(np.float64), forecasts, bootstrap=bootstrap, seed=config.seed)
    judged = Judgement("", "", config.horizon_days, len(came), {"conversion": found}, {})
    asked = (beside_baselines(judged, "conversion"), calibrated(judged, config, "conversion"))
    return Tried(rung, judged, asked)


def stand(trained: Trained, tests: Tries, store: Store, config: TrainConfig, otherwise: str = "") -> Conversion:
    """Return the model of conversion to deploy beside a trained one, or none and why; it never raises for want of data.

    It stands on the highest rung that its prospects reach and that passed its gates out of time. A rung that could not
    be judged is stood on only below the blend, where each probability has its interval.

    Parameters
    ----------
    trained : Trained
        For use now.
    tests : Tries
        At the last cutoff whose horizon is over.
    otherwise : str
        Why none were made, in words, where none were.
    """
    tried, not_judged = tests.found, "" if tests.found else tests.why or otherwise
    prospects = trained.snapshots.prospects
    if prospects is None:
        return _without(NotLookedFor(), Conversion(None, None, ""))
    rung, why = reached(prospects)
    known = Conversion(
        None,
        None,
        why,
        prospects=len(prospects.at_now),
        taught=len(prospects.table),
        converted=int(prospects.converted.sum()),
    )
    nothing = nothing_to_learn(prospects)
    if nothing is not None or rung is None:
        return replace(known, no_model=nothing)
    passing = next((one for one in tried if not refusals(one.gates)), None)
    if tried and passing is None:
        return _without(_refused(tried[0].gates), replace(known, tried=tried[0], gates=tried[0].gates))
    if passing is None and rung == "blend":
        rung, why = "logistic", f"a blend must be judged out of time, and it cannot be: {not_judged}"
    if passing is not None and CONVERSION_RUNGS.index(passing.rung) > CONVERSION_RUNGS.index(rung):
        refused = "; ".join(refusals(tried[0].gates)) or f"its last test could teach the rung `{passing.rung}`"
        rung, why = passing.rung, f"of a higher rung {refused}"
    try:
        model = fit_conversion(prospects, rung, config, _rolling(trained.cutoffs, store, config))
    except (ChurnmlError, np.linalg.LinAlgError) as error:
        return _without(NotTaught(str(error)), replace(known, tried=passing, not_judged=not_judged))
    asked = (*(passing.gates if passing else ()), _suspects(prospects, model, config), _bounds(model, config))
    found = replace(known, because=why, tried=passing, not_judged=not_judged, gates=asked)
    if refusals(asked):
        return _without(_refused(asked), found)
    return replace(found, model=model, rung=rung)


def _without(reason: Finding, known: Conversion) -> Conversion:
    return replace(known, because=reason.said(), no_model=reason)


def _refused(asked: Sequence[Gate]) -> Refused:
    return Refused(tuple(gate.name for gate in asked if not gate.passed), "; ".join(refusals(asked)))


def _rolling(cutoffs: Sequence[int], store: Store, config: TrainConfig) -> Rolling:
    lag = lag_of(store, config)
    return origins(sorted(cutoffs), config.horizon_days, config.folds, store.time_zone, lag)


def _suspects(prospects: Prospects, model: ConversionModel, config: TrainConfig) -> Gate:
    rule = "no feature by itself almost equals conversion, but for those of `known_in_time` in configs/train.yaml"
    if model.rung == "rate":
        return Gate("suspects", passed=True, rule=rule, found="not asked, for it goes by age alone", asked=False)
    last = prospects.table.cutoffs == prospects.table.cutoffs.max()
    if not 0 < prospects.converted[last].sum() < last.sum():
        return Gate("suspects", passed=True, rule=rule, found="all or none converted at the last cutoff that taught")
    one_by_one = alone(prospects.table.take(last), prospects.converted[last], config.known_in_time)
    red = [one.name for one in one_by_one if one.alarm == "red" and one.name in _used(model)]
    found = "; ".join(f"`{name}` does" for name in red) or "none does"
    return Gate("suspects", not red, rule, found)


def _used(model: ConversionModel) -> set[str]:
    return {*model.design.numeric, *model.design.categories}


def _bounds(model: ConversionModel, config: TrainConfig) -> Gate:
    broken = conversion_bounds(model, config.bounds_rows, config.seed)
    rule = "every probability of conversion of a random row is possible"
    return Gate("bounds", not broken, rule, "; ".join(broken) or f"it is, of {config.bounds_rows:,} rows")


def judge_origins(
    store: Store,
    catalogue: Catalogue,
    now: int,
    config: TrainConfig,
    most: int,
    *,
    bootstrap: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[list[Tried], str]:
    """Judge conversion at several cutoffs a horizon apart, each as if it had been trained then, the latest first.

    Parameters
    ----------
    now : int
        The cutoff that a model to be deployed is meant for; microseconds UTC.
    most : int
        Cutoffs at most; fewer where history ends.

    Returns
    -------
    list of Tried, str
        The rung of each cutoff that would have been deployed, or the highest that was refused; and why there are no
        more, in words, empty where there are as many as asked for.
    """
    found: list[Tried] = []
    test = last_origin(store, now, config)
    for _ in range(most):
        try:
            at = cutoffs_before(store, test, config, fewest=1)
            stack = snapshots(store, catalogue, at, test, config, 1.0, progress, rung="recency")
        except NotEnoughDataError as error:
            return found, str(error)
        if stack.prospects is None:
            return found, "no prospects were looked for"
        name = f"conversion at {moment(test, store.time_zone).date()}"
        tried, why = try_conversion(stack.prospects, at, test, store, config, bootstrap=bootstrap, name=name)
        if not tried:
            return found, why
        found.append(next((one for one in tried if not refusals(one.gates)), tried[0]))
        test = days_later(test, -config.horizon_days, store.time_zone)
    return found, ""


__all__ = ["Conversion", "Tried", "Tries", "judge_origins", "stand", "tries", "try_conversion"]
