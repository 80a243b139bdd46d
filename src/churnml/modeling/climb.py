"""The highest rung that a base can stand on and that stands the test: trained, judged where it can be, and asked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from churnml.config import TrainConfig
from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.events import Store
from churnml.features import Catalogue
from churnml.modeling.backtest import judge_last_origin, require_current
from churnml.modeling.cutoffs import cutoffs_before
from churnml.modeling.gates import Gate, gates, refusals
from churnml.modeling.judgement import Json, Judgement
from churnml.modeling.kept_curves import kept_curves
from churnml.modeling.ladder import Rung, Step, below
from churnml.modeling.train import Trained, train

Telling = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Takes what is done now, in words, and gives what is told how many blocks of how many are read."""


@dataclass(frozen=True)
class Stood:
    """A model on its rung.

    Parameters
    ----------
    trained : Trained
    step : Step
        The rung, why it is no higher, and what the next takes.
    judged : Judgement or None
        Of the same rung, at the last cutoff whose horizon is over; None where it could not be judged.
    not_judged : str
        Why not, in words; empty where it was.
    gates : list of Gate
        The answers to what was asked before promotion.
    curves : dict or None
        What is kept of the judgement, see `kept_curves`.
    """

    trained: Trained
    step: Step
    judged: Judgement | None
    not_judged: str
    gates: list[Gate]
    curves: Json | None = None


def climb(
    store: Store,
    catalogue: Catalogue,
    now: int,
    config: TrainConfig,
    margin_rate: float,
    telling: Telling,
    also: Callable[[Trained], None] = lambda _trained: None,
    *,
    keep_blend: bool = False,
) -> Stood:
    """Return the model of the highest rung that the data reach and that passes its gates.

    A rung that a gate refuses gives way to the next one down, and where all are refused, the highest is returned with
    its refusals. A blend that cannot be judged out of time gives way to `logistic`.

    Parameters
    ----------
    keep_blend : bool, default False
        Whether a refused blend is returned as it is: there is a blend that answers, and it does so better than a lower
        rung would.
    also : callable
        Given what was trained at the last cutoff whose horizon is over, each time one is.

    Raises
    ------
    NotEnoughDataError
        If nobody ordered lately, or if the cutoff lies so far beyond the data that silence may be theirs.
    """
    require_current(store, now, config)
    first = _stand(store, catalogue, now, config, margin_rate, telling, None, also)
    found = first
    if found.step.rung == "blend" and found.judged is None:
        because = f"a blend must be judged out of time, and it cannot be: {found.not_judged}"
        step = Step("logistic", because, "the history that its judgement takes")
        first = found = _stand(store, catalogue, now, config, margin_rate, telling, step, also)
    while refusals(found.gates) and not (keep_blend and found.step.rung == "blend"):
        lower = below(found.step.rung, config.by)
        if lower is None:
            return first
        because = f"the rung `{found.step.rung}` was refused: {'; '.join(refusals(found.gates))}"
        step = Step(lower, because, f"a model of the rung `{found.step.rung}` that passes its gates")
        found = _stand(store, catalogue, now, config, margin_rate, telling, step, also)
    return found


def _stand(
    store: Store,
    catalogue: Catalogue,
    now: int,
    config: TrainConfig,
    margin_rate: float,
    telling: Telling,
    step: Step | None,
    also: Callable[[Trained], None],
) -> Stood:
    """Train on a rung, or on the highest; judge it and put it to the gates."""
    with telling("Training on every cutoff whose label is final") as tick:
        at = cutoffs_before(store, now, config, fewest=0)
        rung = None if step is None else step.rung
        trained = train(store, catalogue, at, now, config, margin_rate, tick, curve=True, rung=rung)
    with telling("Judging out of time, beside the baselines"):
        judged, why, tested = _judged(store, catalogue, now, config, margin_rate, trained.step.rung, also)
        kept = None
        if judged is not None and tested is not None:
            kept = kept_curves(
                judged, tested, trained, time_zone=store.time_zone, bootstrap=config.bootstrap, seed=config.seed
            )
    with telling("Putting it to the gates"):
        asked = gates(judged, trained, config, why)
    return Stood(trained, step or trained.step, judged, why, asked, kept)


def _judged(
    store: Store,
    catalogue: Catalogue,
    now: int,
    config: TrainConfig,
    margin_rate: float,
    rung: Rung,
    also: Callable[[Trained], None],
) -> tuple[Judgement | None, str, Trained | None]:
    """Return how a model of the rung did, or none and why it could not be judged; and what was judged."""
    tested: list[Trained] = []

    def seen(trained: Trained) -> None:
        tested.append(trained)
        also(trained)

    try:
        judged = judge_last_origin(
            store, catalogue, now, config, margin_rate, bootstrap=config.bootstrap, rung=rung, also=seen
        )
    except (NotEnoughDataError, InvalidTableError) as error:
        return None, str(error), None
    return judged, "", tested[-1]
