"""The search itself: Optuna proposes settings, tuning judges them. Import this only where `churnml[tune]` is installed.

The settings that were there are the first trial. Trials are kept in a journal of text as they end, so a search that was
stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from churnml.config import TrainConfig
from churnml.modeling.tuning import Deadline, Ground, Range, Teaching, judged_at, searched, settings_of, with_settings

Json = dict[str, Any]  # Any: JSON

optuna.logging.set_verbosity(optuna.logging.ERROR)

_FIRST_AT_RANDOM, _FEWEST_TO_PRUNE = 8, 4
_NAME = "churn"
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Trial:
    """Settings that were tried.

    Parameters
    ----------
    number : int
        The first, 0, are the settings that were there.
    settings : dict of str to float
        By key of `configs/train.yaml`.
    origins : tuple of dict
        The figures at each origin; fewer than there are where it was given up.
    """

    number: int
    settings: Mapping[str, float]
    origins: tuple[Mapping[str, float], ...]
    whole: bool

    @property
    def means(self) -> dict[str, float]:
        """Each figure, mean over the origins it was judged at."""
        return {name: float(np.mean([one[name] for one in self.origins])) for name in self.origins[0]}

    def to_json(self) -> Json:
        """Return plain data."""
        told = {"trial": self.number, "settings": dict(self.settings), "judged_at_all_origins": self.whole}
        return told | {"by_origin": [dict(one) for one in self.origins], "mean": self.means}


@dataclass(frozen=True)
class Searched:
    """What a search tried.

    Parameters
    ----------
    trials : tuple of Trial
    best : Trial
        Of the least log loss; the first where nothing was better.
    stopped : str
        Why it ended before the number of trials that was asked for; empty where it did not.
    """

    trials: tuple[Trial, ...]
    best: Trial
    stopped: str


def search(
    ground: Ground,
    config: TrainConfig,
    *,
    trials: int,
    minutes: float | None,
    journal: Path,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Searched | None:
    """Try settings until there are so many trials, time is up, or someone interrupts.

    Parameters
    ----------
    trials : int
        In all, those that the journal holds included.
    minutes : float or None
        After so many no trial is begun, and one that runs is given up.
    journal : Path
        Where trials are kept, made where it is not there.

    Returns
    -------
    Searched or None
        None where not even the settings that were there could be judged before it was stopped.
    """
    ranges, deadline = searched(config), Deadline(minutes)
    study = _study(journal, config, ranges)
    stopped = ""
    for done in range(_ended(study), trials):
        progress(done, trials)
        if deadline.passed:
            break
        try:
            study.optimize(lambda trial: _tried(trial, ground, config, ranges, deadline), n_trials=1)
        except KeyboardInterrupt:
            stopped = "it was interrupted"
            break
    progress(trials, trials)
    found = tuple(map(_trial, (one for one in study.trials if one.state in _ENDED and one.user_attrs.get("origins"))))
    whole = [one for one in found if one.whole]
    if not whole:
        return None
    if not stopped and len(found) < trials:
        stopped = f"its {minutes:g} minutes were over" if minutes is not None else "it was given up"
    return Searched(found, min(whole, key=lambda one: (one.means["log_loss"], one.number)), stopped)


def _study(journal: Path, config: TrainConfig, ranges: Mapping[str, Range]) -> optuna.Study:
    journal.parent.mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.create_study(
        storage=storage, study_name=_NAME, load_if_exists=True, pruner=MedianPruner(_FEWEST_TO_PRUNE)
    )
    # a sampler that begins anew would propose what the one before it did
    study.sampler = TPESampler(n_startup_trials=_FIRST_AT_RANDOM, seed=config.seed + len(study.trials))
    if not any(trial.state == TrialState.COMPLETE for trial in study.trials):
        study.enqueue_trial(settings_of(config, [*ranges]))
    return study


def _ended(study: optuna.Study) -> int:
    return sum(trial.state in _ENDED for trial in study.trials)


def _tried(
    trial: optuna.Trial, ground: Ground, config: TrainConfig, ranges: Mapping[str, Range], deadline: Deadline
) -> float:
    """Return the mean log loss over the origins, or give the trial up where the others did better."""
    settings = {name: _suggested(trial, name, one) for name, one in ranges.items()}
    teaching = Teaching(ground, with_settings(config, settings))
    figures: list[dict[str, float]] = []
    for step, origin in enumerate(ground.judged):
        figures.append(judged_at(ground, origin, teaching.at(origin)))
        trial.set_user_attr("origins", figures)
        told = float(np.mean([one["log_loss"] for one in figures]))
        trial.report(told, step)
        last = step + 1 == len(ground.judged)
        if trial.number and not last and (trial.should_prune() or deadline.passed):
            raise optuna.TrialPruned
    return told


def _suggested(trial: optuna.Trial, name: str, one: Range) -> float:
    if one.whole:
        return int(trial.suggest_int(name, int(one.low), int(one.high), log=one.by_factor))
    return float(trial.suggest_float(name, one.low, one.high, log=one.by_factor))


def _trial(one: FrozenTrial) -> Trial:
    whole = one.state == TrialState.COMPLETE
    return Trial(one.number, dict(one.params), tuple(one.user_attrs["origins"]), whole)


__all__ = ["Searched", "Trial", "search"]
