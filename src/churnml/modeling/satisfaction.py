"""Satisfaction for those who never answer: learned at a cutoff, tried out of time, and shown only if it helps.

Each of the last cutoffs says, taught by what was known then, how customers would answer; the answers that came decide.
What is no better than everyone's mean is not shown, and the reason is told; a training never stops for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from threadpoolctl import threadpool_limits

from churnml.config import TrainConfig
from churnml.events import Store
from churnml.features import Catalogue, FeatureTable
from churnml.modeling.answers import Lesson, paired, read_answers
from churnml.modeling.contentment import FEWEST, Contentment, Source, behaviour_of, fit_contentment
from churnml.modeling.satisfaction_trial import CALLED, FEWEST_JUDGED, GROUPS, MEAN, OURS, Trial, tried

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True)
class Satisfaction:
    """What came of it.

    Parameters
    ----------
    contentment : Contentment or None
        For the bundle; None where nothing may be shown.
    because : mapping of {'estimate', 'answers'} to str
        Why a part is not shown; empty where both are.
    customers : int
        Different ones whose answers taught.
    effective : float
        What their answers are worth, weighted to resemble the population; 0 if nothing was learned.
    answers : int
        How many taught.
    trials : mapping of {'estimate', 'answers'} to Trial
        Of those who had never answered, and of those who had.
    asked : bool
        Whether surveys have landed at all.
    """

    contentment: Contentment | None
    because: Mapping[str, str]
    customers: int = 0
    answers: int = 0
    effective: float = 0.0
    trials: Mapping[str, Trial] = field(default_factory=dict)
    asked: bool = True

    def to_json(self) -> Json:
        """Return plain data ready for JSON, without a row of any customer."""
        return {
            "asked": self.asked,
            "shown": list(self.contentment.shows) if self.contentment else [],
            "not_shown_because": dict(self.because),
            "customers": self.customers,
            "answers": self.answers,
            "effective_answers": self.effective,
            "judged": {name: trial.to_json() for name, trial in self.trials.items()},
        }

    def metrics(self) -> dict[str, float]:
        """Return our own figures under flat names, for tracking."""
        found: dict[str, float] = {}
        for name, trial in self.trials.items():
            ours = trial.methods[OURS]
            told = {"rmse": ours.rmse.value, "spearman": ours.rank.value, "covered": trial.covered.value}
            found |= {f"satisfaction_{name}_{figure}": value for figure, value in told.items()}
        return found


def satisfaction(
    store: Store,
    catalogue: Catalogue,
    table: FeatureTable,
    now: int,
    config: TrainConfig,
) -> Satisfaction:
    """Learn satisfaction at a cutoff, try it at those before, and keep what is worth being shown.

    Parameters
    ----------
    table : FeatureTable
        Snapshots of the population at the training cutoffs, none after `now`.
    now : int
        No answer that was learned after it counts; microseconds UTC.
    """
    if "surveys" not in store.tables:
        nothing = _nothing("no surveys have landed; ingest `surveys`, and what customers answer is learned from")
        return replace(nothing, asked=False)
    lesson = paired(read_answers(store, now), table, config.horizon_days, store.time_zone)
    if lesson.customers < FEWEST:
        return replace(_nothing(_too_few(lesson)), customers=lesson.customers, answers=len(lesson))
    with threadpool_limits(limits=1, user_api="blas"):  # one thread adds up in one order, so the bits are the same
        names = behaviour_of(catalogue)
        learned = fit_contentment(table, lesson, names, config.seed)
        trials = tried(table, lesson, names, config)
    because: dict[str, str] = {name: why for name in GROUPS if (why := _why_not(name, trials))}
    shows = tuple(name for name in GROUPS if name not in because)
    kept = replace(learned.contentment, shows=shows) if shows else None
    return Satisfaction(kept, because, learned.customers, len(lesson), learned.effective, trials or {})


def _nothing(why: str) -> Satisfaction:
    because: dict[str, str] = dict.fromkeys(GROUPS, why)
    return Satisfaction(None, because)


def _too_few(lesson: Lesson) -> str:
    return (
        f"{lesson.customers:,} customers answered a survey within a horizon after a training cutoff, and {FEWEST} are "
        "needed to tell a tenth of what they differ by from chance; ask more customers, or wait for their answers"
    )


def _why_not(name: Source, trials: Mapping[str, Trial] | None) -> str:
    """Return why a part is not shown, in words; empty where it is."""
    if trials is None:
        return f"it could not be tried out of time: no earlier cutoff had {FEWEST} customers' answers to learn from"
    who, trial = CALLED[name], trials.get(name)
    if trial is None:
        return f"fewer than {FEWEST_JUDGED} customers {who} answered after the cutoffs it was tried at"
    if trial.better:
        return ""
    ours, mean = (trial.methods[one].rmse.value for one in (OURS, MEAN))
    return (
        f"for {trial.answers:,} answers by customers {who} it was no nearer than the mean of all beyond noise (error "
        f"{ours:.1f} points against {mean:.1f})"
    )
