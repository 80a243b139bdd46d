"""`churnml assign`, and `churnml measure` of actions: whom to reach, what it takes to tell, and what it did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from churnml.verbs.commands.call import Call, on_workspace
from churnml.verbs.commands.options import (
    ActionsOption,
    CutoffOption,
    LanguageOption,
    MeasureReportOption,
    SpokenOption,
)
from churnml.wording import language_named


@on_workspace
def assign(
    *,
    budget: Annotated[float | None, typer.Option(help="Most that the campaign may cost, in the currency.")] = None,
    campaign: Annotated[
        str | None, typer.Option(help="Whose budget it is; each customer is assigned once in it.")
    ] = None,
    actions: ActionsOption = None,
    call: Call,
    anew: Annotated[bool, typer.Option("--anew", help="First take back what has no outcome yet.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be done, and what other budgets would bring.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="With --dry-run: keep it as the plan that the page of campaigns shows.")
    ] = False,
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Write what is chosen, and who gets nothing and why, to this .html or .json; repeatable."),
    ] = None,
    language: LanguageOption = "en",
) -> None:
    """Choose an action for each customer within the budget, and keep a control group."""
    from churnml.verbs import assign as verb

    session, spoken = call.open(), language_named(language)
    summary = verb.assign(
        session,
        budget=budget,
        campaign=campaign,
        actions=actions,
        anew=anew,
        dry_run=dry_run,
        keep=keep,
        reports=report or (),
        language=spoken,
    )
    session.tell(summary, verb.told)


@on_workspace
def uplift(
    *,
    cutoff: CutoffOption = None,
    call: Call,
    report: Annotated[
        list[Path] | None, typer.Option(help="Write it here as well: a page (.html) or JSON (.json).")
    ] = None,
    language: SpokenOption = "en",
) -> None:
    """Learn from contacts drawn by chance whom each action helps, and whom it harms."""
    from churnml.verbs import measure_uplift as verb

    spoken = language_named(language)
    session = call.open()
    found = verb.measure_uplift(session, cutoff=cutoff, reports=report or [], language=spoken)
    session.tell(found, verb.told, spoken)


@on_workspace
def effect(
    *,
    campaign: Annotated[str | None, typer.Option(help="Only this campaign. Default: all that were ever run.")] = None,
    by: Annotated[
        str | None, typer.Option(help="Also by: an attribute such as region, campaign, segment, lifecycle_stage.")
    ] = None,
    call: Call,
    outcome: Annotated[
        str, typer.Option(help="orders: margin of landed orders; posted: values posted to assignments.")
    ] = "orders",
    report: MeasureReportOption = None,
    language: LanguageOption = "en",
) -> None:
    """Say what actions did, by those who by chance got them or not, and whether it paid."""
    from churnml.verbs import measure_effect as verb

    session, spoken = call.open(), language_named(language)
    body = verb.measure_effect(
        session, campaign=campaign, by=by, outcome=outcome, reports=report or (), language=spoken
    )
    session.tell(body, verb.told, spoken)


@on_workspace
def policy(
    *,
    actions: Annotated[Path | None, typer.Option(help="The catalogue of actions to judge, YAML.")] = None,
    call: Call,
    language: LanguageOption = "en",
) -> None:
    """Say what choosing by a catalogue would have been worth on past lots, before it is run."""
    from churnml.verbs import measure_policy as verb

    session, spoken = call.open(), language_named(language)
    session.tell(verb.measure_policy(session, actions=actions), verb.told, spoken)


@on_workspace
def outcomes(
    *,
    file: Annotated[Path, typer.Argument(help="A CSV, Parquet, Excel or JSON lines file of outcomes.", readable=False)],
    call: Call,
    results_of: Annotated[
        str | None,
        typer.Option(
            metavar="TOOL", help="salesforce: the file is what it answered to a hand-off; see docs/handoff.md."
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Check and report, keep nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write the report with every refused row to this .json file as well.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of what is told of --results-of: en or zh.")] = "en",
) -> None:
    """Post what came of the actions: carried out, redeemed, not delivered, what it cost and brought."""
    from churnml.verbs import handoff_results
    from churnml.verbs import outcomes as verb

    spoken = language_named(language)
    session = call.open()
    if results_of is not None:
        answered = handoff_results.handoff_results(session, results_of, file, check=check, report=report)
        session.tell(answered, handoff_results.told, spoken)
        return
    session.tell(verb.outcomes(session, file, check=check, report=report), verb.told, session.settings.currency)


@on_workspace
def plan(
    *,
    call: Call,
    churn_effect: Annotated[
        float | None, typer.Option(help="A fall of the churn probability to look for, such as 0.02. Default: assumed.")
    ] = None,
    margin_effect: Annotated[
        float | None, typer.Option(help="A gain of margin per customer to look for. Default: what the action costs.")
    ] = None,
    per_week: Annotated[
        int | None, typer.Option(help="Customers a week it can be chosen for. Default: who is open today, once.")
    ] = None,
    budget: Annotated[float | None, typer.Option(help="Most that a campaign may cost, in the currency.")] = None,
    control_share: Annotated[float | None, typer.Option(help="Share from whom the action is withheld.")] = None,
    power: Annotated[float, typer.Option(help="Probability of telling the effect if it is there.")] = 0.8,
    level: Annotated[float, typer.Option(help="Two-sided probability of telling one that is not.")] = 0.05,
    actions: ActionsOption = None,
    language: LanguageOption = "en",
) -> None:
    """Say how many customers and weeks it takes to tell each action's effect, or that this base never will."""
    from churnml.verbs import measure_plan as verb

    spoken = language_named(language)
    session = call.open()
    asked = verb.Asked(churn_effect, margin_effect, per_week, power, level)
    body = verb.plan(session, asked, budget=budget, control_share=control_share, actions=actions)
    session.tell(body, verb.told, spoken)
