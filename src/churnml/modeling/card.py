"""The model card: what a model is for, what it learned from, how well it did, and what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from churnml.events.clock import moment
from churnml.modeling.conversion_standing import Conversion
from churnml.modeling.gates import Gate
from churnml.modeling.judgement import MEASURES, Contest, Figure, Judgement, Target
from churnml.modeling.ladder import Step
from churnml.modeling.train import Trained

_BY_CONTRACTS = "Churn: the end of a contract in the horizon that none continued"
_TOLD: Mapping[Target, str] = {
    "churn": "Churn: no order event in the horizon",
    "value": "Value: margin in the horizon",
    "conversion": "Conversion: a first order, or a first contract that is paid for, in the horizon",
}


def model_card(
    version: str,
    trained: Trained,
    judged: Judgement | None,
    asked: Sequence[Gate],
    time_zone: str,
    currency: str,
    not_judged: str = "",
    step: Step | None = None,
    conversion: Conversion | None = None,
) -> str:
    """Return the card of a model as Markdown.

    Parameters
    ----------
    version : str
        The hash of its bundle.
    asked : sequence of Gate
        What was asked of it before it could be promoted.
    not_judged : str
        Why it was not judged out of time, where it was not.
    step : Step, optional
        Why it stands on its rung, where that is not what its own training found.
    conversion : Conversion, optional
        What became of the model of who has not paid for anything yet.

    References
    ----------
    Mitchell et al. (2019), Model Cards for Model Reporting, FAT* '19: the questions a card answers.
    """
    parts = [f"# Model {version[:12]}", _purpose(trained, time_zone, currency), "## What it learned from"]
    parts += [_lessons(trained, step or trained.step, time_zone), "## How well it did, out of time"]
    parts += [_test(judged) if judged else f"**It was not judged out of time:** {not_judged}."]
    for target, contest in (judged.contests if judged else {}).items():
        by_contracts = target == "churn" and trained.model.by == "contracts"
        parts += [f"### {_BY_CONTRACTS if by_contracts else _TOLD[target]}", _table(contest)]
    parts += _conversion(conversion) if conversion else []
    parts += ["## What was asked before promotion", "\n".join(map(_answer, asked)), "## What it is not for", _NOT_FOR]
    return "\n\n".join(parts) + "\n"


_NOT_FOR = (
    "It does not say what an action would change; that takes an experiment. It is no ground to set a price, to refuse "
    "a service or a contract, nor to judge anyone's credit. Gender, age and whatever is marked personal are no "
    "features. Beyond its horizon and outside its population it has not been judged."
)


def _purpose(trained: Trained, time_zone: str, currency: str) -> str:
    model = trained.model
    who, what = f"ordered in the {model.population_days} days before a cutoff", "they place no order"
    if model.by == "contracts":
        who, what = "holds a contract that is paid for at a cutoff", "it ends without another that continues it"
    return (
        f"For use at {_day(trained.now, time_zone)}. It says of each customer who {who} how probable it is that {what} "
        f"in the {model.horizon_days} days after it, and what margin to expect, in {currency}; under business as "
        "usual, that is with the actions that were usual when it was taught."
    )


def _lessons(trained: Trained, step: Step, time_zone: str) -> str:
    rung = f"It stands on the rung *{step.rung}*"
    told = f"{rung}, because {step.because}; the next takes {step.next_needs}." if step.because else f"{rung}."
    if not len(trained.snapshots.table):
        known = len(trained.snapshots.base_at_now)
        return f"What {known:,} customers bought before {_day(trained.now, time_zone)}, without any label. {told}"
    return f"{_snapshots(trained, time_zone)} {told}"


def _snapshots(trained: Trained, time_zone: str) -> str:
    taught, first, last = trained.snapshots, min(trained.cutoffs), max(trained.cutoffs)
    return (
        f"{len(taught.table):,} snapshots of customers at {len(trained.cutoffs)} cutoffs from {_day(first, time_zone)} "
        f"to {_day(last, time_zone)}, each with a label that was final by its use; {len(trained.model.design.columns)} "
        f"columns. Of the snapshots {taught.churned.mean():.1%} were followed by churn."
    )


def _test(judged: Judgement) -> str:
    return (
        f"The same settings, taught with what was final then and asked of {judged.customers:,} customers at "
        f"{judged.cutoff}; 95 % intervals by bootstrap over customers."
    )


def _answer(gate: Gate) -> str:
    said = "not asked" if not gate.asked else "passed" if gate.passed else "**refused**"
    return f"- {said}: {gate.rule}; found: {gate.found}"


def _conversion(found: Conversion) -> list[str]:
    """Return how well it tells who becomes a customer, or why it does not."""
    parts = [f"### {_TOLD['conversion']}"]
    if found.model is None:
        parts.append(f"No probability of conversion is given: {found.because}.")
    else:
        because = f", because {found.because}" if found.because else ""
        parts.append(
            f"Taught with {found.taught:,} snapshots of prospects and trials, {found.converted:,} of which were "
            f"followed by a conversion. It stands on the rung *{found.rung}*{because}."
        )
    if found.tried is None:
        return [*parts, f"**It was not judged out of time:** {found.not_judged}."] if found.not_judged else parts
    judged = found.tried.judged
    told = f"Asked of {judged.customers:,} prospects at {judged.cutoff}, on the rung *{found.tried.rung}*."
    return [*parts, told, _table(judged.contests["conversion"]), "\n".join(map(_answer, found.gates))]


def _day(instant: int, time_zone: str) -> str:
    return moment(instant, time_zone).date().isoformat()


def _table(contest: Contest) -> str:
    measures = MEASURES[contest.target]
    lines = [
        f"| | {' | '.join(one.label for one in measures.values())} |",
        f"|---|{'---|' * len(measures)}",
    ]
    for method in contest.methods:
        cells = [_shown(method.figures[name], measure.digits) for name, measure in measures.items()]
        lines.append(f"| {method.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(figure: Figure, digits: int) -> str:
    return f"{figure.value:.{digits}f} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"
