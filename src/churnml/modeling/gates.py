"""What a model must pass before it is promoted: five questions, each with its rule and what was found.

None of them looks at what the model is wanted for; a model that passes may still be of no use, and one that fails may
be promoted by someone who knows better and says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from churnml.config import TrainConfig
from churnml.modeling.alone import alone
from churnml.modeling.bounds import bounds
from churnml.modeling.judgement import Judgement, Target
from churnml.modeling.steadiness import steadiness
from churnml.modeling.train import Trained

Json = dict[str, Any]  # Any: JSON
Question = Literal["baselines", "calibration", "suspects", "bounds", "stability"]

_OF: Mapping[Target, str] = {"conversion": " of conversion"}


@dataclass(frozen=True)
class Gate:
    """One question to a model.

    Parameters
    ----------
    rule : str
        What must hold, in words.
    found : str
        What was found, in words.
    asked : bool
        Whether it could be asked; where not, `found` says why, and nothing was refused.
    """

    name: Question
    passed: bool
    rule: str
    found: str
    asked: bool = True

    def to_json(self) -> Json:
        """Return plain data."""
        return asdict(self)


def gates(judged: Judgement | None, trained: Trained, config: TrainConfig, not_judged: str = "") -> list[Gate]:
    """Put every question to a model that can be asked.

    Parameters
    ----------
    judged : Judgement or None
        Of the same configuration, at a cutoff whose horizon is over; None where there is none to judge it at.
    trained : Trained
        The model to be promoted, with the snapshots it was taught with.
    not_judged : str
        Why it was not judged, in words.
    """
    if judged is None:
        why = f"not asked, for it was not judged out of time: {not_judged}"
        unasked = [
            Gate("baselines", passed=True, rule=_no_better("churn"), found=why, asked=False),
            Gate("calibration", passed=True, rule="the calibration error out of time is small", found=why, asked=False),
        ]
        return [*unasked, *_of_itself(trained, config)]
    return [beside_baselines(judged), calibrated(judged, config), *_of_itself(trained, config)]


def _of_itself(trained: Trained, config: TrainConfig) -> list[Gate]:
    """Ask what takes no test of its own."""
    return [_suspects(trained, config), _bounds(trained, config), _stability(trained, config)]


def refusals(asked: Sequence[Gate]) -> list[str]:
    """Return why a model must not be promoted, a sentence a gate; empty where it may be."""
    return [f"{gate.found} (the rule: {gate.rule})" for gate in asked if not gate.passed]


def beside_baselines(judged: Judgement, target: Target = "churn") -> Gate:
    """Ask whether a baseline is better beyond noise.

    Parameters
    ----------
    target : {'churn', 'conversion'}
        Whose model was judged; that of churn is judged on value as well.
    """
    better = judged.gate()
    return Gate("baselines", not better, _no_better(target), "; ".join(better) or "none is")


def calibrated(judged: Judgement, config: TrainConfig, target: Target = "churn") -> Gate:
    """Ask whether probabilities mean what they say; an error that a perfect model may show passes whatever the rule.

    Parameters
    ----------
    target : {'churn', 'conversion'}
        Whose probabilities.
    """
    contest = judged.contests[target]
    error = contest.ours.figures["ece"]
    allowed = max(config.max_calibration_error, contest.ece_perfect_95 or 0.0)
    rule = f"the calibration error{_OF.get(target, '')} out of time (ECE) is not above {allowed:.3f} beyond noise"
    found = f"ECE {error.value:.3f}, 95 % interval {error.low:.3f} to {error.high:.3f}"
    return Gate("calibration", error.low <= allowed, rule, found)


def _no_better(target: Target) -> str:
    return f"no baseline{_OF.get(target, '')} is better out of time beyond noise"


def _suspects(trained: Trained, config: TrainConfig) -> Gate:
    """Ask of the last cutoff that taught; a feature that all but equals the label was hardly known in time."""
    taught = trained.snapshots
    if trained.model.rung in ("rhythm", "recency"):
        rule, found = "no feature by itself almost equals the label", "not asked, for no feature is learned from"
        return Gate("suspects", passed=True, rule=rule, found=found, asked=False)
    last = taught.table.cutoffs == max(trained.cutoffs)
    rule = "no feature by itself almost equals the label, but for those of `known_in_time` in configs/train.yaml"
    if not 0 < taught.churned[last].sum() < last.sum():
        return Gate("suspects", passed=True, rule=rule, found="all stayed or all left at the last cutoff that taught")
    red = [
        one for one in alone(taught.table.take(last), taught.churned[last], config.known_in_time) if one.alarm == "red"
    ]
    found = "; ".join(f"`{one.name}` {one.why}" for one in red) or "none does"
    return Gate("suspects", not red, rule, found)


def _bounds(trained: Trained, config: TrainConfig) -> Gate:
    asked = bounds(trained.model, config.bounds_rows, config.seed)
    rule = "every answer to a random row is possible"
    found = "; ".join(asked.broken) or f"it is, of {asked.rows:,} rows"
    return Gate("bounds", not asked.broken, rule, found)


def _stability(trained: Trained, config: TrainConfig) -> Gate:
    """Ask whether the blend ranks as well at the last rolling origin that taught its weights as at those before."""
    allowed = config.max_auroc_drop
    rule = f"the last rolling origin does not lose more than {allowed:.3f} of AUROC against those before, beyond noise"
    drop = steadiness(trained, config.bootstrap, config.seed)
    if isinstance(drop, str):
        return Gate("stability", passed=True, rule=rule, found=f"not asked, for {drop}", asked=False)
    return Gate("stability", drop.lost.low <= allowed, rule, drop.told())
