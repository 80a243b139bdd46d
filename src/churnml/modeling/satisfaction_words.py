"""How satisfaction did, in words: a line for people, and its part of the model card."""

from __future__ import annotations

from typing import Any

from churnml.modeling.contentment import LEVEL
from churnml.modeling.judgement import Figure
from churnml.modeling.satisfaction import Satisfaction
from churnml.modeling.satisfaction_trial import CALLED, GROUPS, MEAN, OURS, Trial

Json = dict[str, Any]  # Any: JSON


def told_of(found: Json) -> str:
    """Return in a line how satisfaction did, of what `Satisfaction.to_json` wrote."""
    trial = found["judged"].get("estimate")
    if "estimate" not in found["shown"] or trial is None:
        return f"no estimate of satisfaction for those {CALLED['estimate']}: {found['not_shown_because']['estimate']}"
    ours, mean = (trial["methods"][name]["rmse"][0] for name in (OURS, MEAN))
    return (
        f"satisfaction of those {CALLED['estimate']}, out of time on {trial['answers']:,} answers: error {ours:.1f} "
        f"points against {mean:.1f} by the mean of all, {trial['covered'][0]:.0%} within the interval for {LEVEL:.0%}"
    )


def satisfaction_told(found: Satisfaction) -> str:
    """Return the part of a model card that tells how satisfaction was learned and tried, as Markdown."""
    parts = ["\n## Satisfaction of those who never answered"]
    if found.answers:
        parts.append(
            f"{found.answers:,} answers of {found.customers:,} customers taught it; weighted to resemble all customers "
            f"as for the intervals, they are worth {found.effective:,.0f}. Points from 0 to 100; 95 % intervals by "
            "bootstrap over customers."
        )
    for name in GROUPS:
        trial, why = found.trials.get(name), found.because.get(name)
        parts.append(f"### Of those {CALLED[name]}")
        parts += [f"**Not shown:** {why}."] if why else []
        parts += [] if trial is None else [_trial_table(trial)]
    parts.append(
        "It cannot know what moves people to answer beyond what they do: where the content answer more readily than "
        "others who do the same, it comes out too high."
    )
    return "\n\n".join(parts) + "\n"


def _trial_table(trial: Trial) -> str:
    came = f"{trial.answers:,} answers of {trial.customers:,} customers after the last cutoffs"
    lines = [
        f"{came}; {_shown(trial.covered, 3)} lay within intervals for {LEVEL}, of {trial.width:.0f} points on average.",
        "",
        "| | error (RMSE) | rank correlation | error less by ours |",
        "|---|---|---|---|",
    ]
    for name, one in trial.methods.items():
        lead = "" if one.lead is None else _shown(one.lead, 2)
        lines.append(f"| {name} | {_shown(one.rmse, 1)} | {_shown(one.rank, 2)} | {lead} |")
    return "\n".join(lines)


def _shown(figure: Figure, digits: int) -> str:
    return f"{figure.value:.{digits}f} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"
