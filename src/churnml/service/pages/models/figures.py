"""The figures of a judgement, arranged for a page: ours beside the best baseline, and beside all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from churnml.service.pages.models.sentences import Sentence, sentence
from churnml.service.pages.models.words import called, figure
from churnml.wording import Language

Json = Mapping[str, Any]  # Any: JSON
SHOWN: Mapping[str, Sequence[str]] = {
    "churn": ("auroc", "auprc", "brier", "ece", "empc"),
    "value": ("mae", "rmse", "spearman", "gini", "bias"),
    "conversion": ("auroc", "auprc", "brier", "log_loss", "ece"),
}
_OURS = "churnml"


@dataclass(frozen=True)
class Beside:
    """One figure of ours, and of the baseline that comes nearest to it or beats it."""

    metric: str
    name: str
    ours: str
    """with its 95 % interval, as all figures here"""
    baseline: str
    theirs: str
    lead: str
    """by how much ours is better, paired; negative where it is worse"""
    verdict: Literal["better", "worse", "as good"]


@dataclass(frozen=True)
class Table:
    """Every figure of every method.

    Parameters
    ----------
    methods : list of str
        Ours first.
    rows : list of (str, list of (str, str))
        Of each figure its name, and by method what it is and by how much ours leads.
    """

    methods: list[str]
    rows: list[tuple[str, list[tuple[str, str]]]]


@dataclass(frozen=True)
class Gate:
    """One question that was put to a model before promotion."""

    name: str
    outcome: Literal["passed", "refused", "not asked"]
    rule: Sentence
    found: Sentence


def beside_best(judged: Json, metrics: Sequence[str], language: Language) -> list[Beside]:
    """Return the figures of ours, each beside the baseline over which it leads least.

    Parameters
    ----------
    judged : mapping
        Of one target, as a judgement tells it.
    """
    return [_beside(judged, metric, language) for metric in metrics if metric in judged and judged["baselines"]]


def best_baseline(judged: Json, metric: str) -> str:
    """Return the name of the baseline over which ours leads least; empty where there is none."""
    baselines = judged["baselines"]
    return min(baselines, key=lambda name: baselines[name]["lead_of_ours"][metric][0], default="")


def _beside(judged: Json, metric: str, language: Language) -> Beside:
    best = best_baseline(judged, metric)
    other = judged["baselines"][best]
    lead = other["lead_of_ours"][metric]
    return Beside(
        metric,
        called(metric, language),
        figure([judged[metric], *judged["intervals"][metric]], metric),
        called(best, language),
        figure([other[metric], *other["intervals"][metric]], metric),
        figure(lead, metric),
        "better" if lead[1] > 0 else "worse" if lead[2] < 0 else "as good",
    )


def table(judged: Json, metrics: Sequence[str], language: Language) -> Table:
    """Return the figures of ours and of every baseline."""
    baselines = judged["baselines"]
    rows = []
    for metric in metrics:
        if metric in judged:
            ours = (figure([judged[metric], *judged["intervals"][metric]], metric), "")
            theirs = [
                (figure([one[metric], *one["intervals"][metric]], metric), figure(one["lead_of_ours"][metric], metric))
                for one in baselines.values()
            ]
            rows.append((called(metric, language), [ours, *theirs]))
    return Table([_OURS, *(called(name, language) for name in baselines)], rows)


def gates(told: Sequence[Json], words: Mapping[str, Any], language: Language) -> list[Gate]:  # Any: Text
    """Return what was asked before promotion, and what was found."""
    return [
        Gate(
            words[one["name"]].to(language) if one["name"] in words else one["name"],
            "not asked" if not one.get("asked", True) else "passed" if one["passed"] else "refused",
            sentence(one["rule"], language),
            sentence(one["found"], language),
        )
        for one in told
    ]
