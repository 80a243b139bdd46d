"""`churnml check`, `backtest`, `monitor` and `replay`: whether what the models say is to be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from churnml.errors import UsageError
from churnml.verbs.commands.call import Call, on_workspace
from churnml.verbs.commands.options import CutoffOption, LanguageOption, ReportOption
from churnml.wording import language_named

check = typer.Typer(help="Proofs on your own data: exit code 4 if one finds something.", no_args_is_help=True)


@check.command("leakage")
@on_workspace
def check_leakage(
    *,
    cutoff: Annotated[
        str | None, typer.Option(help="A date whose horizon is over. Default: the latest whose label is final.")
    ] = None,
    horizon_days: Annotated[int | None, typer.Option(help="Days ahead in which silence is churn.")] = None,
    call: Call,
    keep: Annotated[
        list[str] | None, typer.Option(help="This feature was known in time, whatever it tells alone.")
    ] = None,
    report: ReportOption = None,
    language: LanguageOption = "en",
) -> None:
    """Look for what was known only afterwards: the wall, each feature alone, each table a day later."""
    from churnml.verbs import check as verb

    session, told = call.open(), language_named(language)
    found = verb.leakage(
        session, cutoff=cutoff, horizon_days=horizon_days, keep=keep or (), reports=report or (), language=told
    )
    if call.as_json:
        session.print_json(found.to_json())
    if found.findings:
        raise typer.Exit(verb.FOUND)


@check.command("skew")
@on_workspace
def check_skew(
    *,
    customers: Annotated[int, typer.Option(min=1, help="How many customers are drawn at random.")] = 10_000,
    cutoff: CutoffOption = None,
    call: Call,
    report: ReportOption = None,
    language: LanguageOption = "en",
) -> None:
    """Compute the same customers in the batch, in training and online, and compare bit for bit."""
    from churnml.verbs import check as verb

    session, told = call.open(), language_named(language)
    found = verb.skew(session, customers=customers, cutoff=cutoff, reports=report or (), language=told)
    if call.as_json:
        session.print_json(found.to_json())
    if found.findings:
        raise typer.Exit(verb.FOUND)


@check.command("truth")
@on_workspace
def check_truth(
    *,
    cutoff: Annotated[
        str | None,
        typer.Option(help="A date whose morning the market saved. Default: the last, 90 days before its end."),
    ] = None,
    customers: Annotated[int, typer.Option(min=100, help="Of how many the truth is asked, drawn at random.")] = 5_000,
    redraws: Annotated[int, typer.Option(min=2, help="Futures of each, whose mean is the truth.")] = 50,
    call: Call,
    report: Annotated[
        list[Path] | None, typer.Option(help="Write everything to this file as well: .md or .json; repeatable.")
    ] = None,
) -> None:
    """Train on a simulated market and hold probabilities and values against its truth."""
    from churnml.verbs import check_truth as verb
    from churnml.verbs.check import FOUND

    session = call.open()
    found = verb.truth(session, cutoff=cutoff, customers=customers, redraws=redraws, reports=report or ())
    if call.as_json:
        session.print_json(found.to_json())
    if found.findings:
        raise typer.Exit(FOUND)


@check.command("bundle")
@on_workspace
def check_bundle(
    *,
    model: Annotated[
        str | None, typer.Argument(help="The first characters of its version. Default: the champion.")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Random rows to ask it of.")] = None,
    call: Call,
) -> None:
    """Check that a saved model is whole, signed, ours, and gives no impossible answer."""
    from churnml.verbs import check_bundle as verb

    session = call.open()
    session.tell(verb.check_bundle(session, model, rows), verb.told)


@on_workspace
def monitor(*, cutoff: CutoffOption = None, call: Call) -> None:
    """Say whether the champion is still to be trusted: drift, labels that closed, freshness, a challenger."""
    from churnml.verbs import monitor as verb
    from churnml.verbs.verdict import told

    session = call.open()
    found = verb.monitor(session, cutoff=cutoff)
    session.tell(found, told)
    if found["verdict"] != "fine":
        raise typer.Exit(verb.FOUND)


@on_workspace
def backtest(
    *,
    protocol: Annotated[list[str] | None, typer.Option(help="Run only this one; may be given more than once.")] = None,
    call: Call,
    origins: Annotated[
        int | None, typer.Option(help="Judge configs/train.yaml at so many cutoffs in a row instead, the last apart.")
    ] = None,
    within: Annotated[
        list[int] | None,
        typer.Option(help="Judge what the model says of another horizon of so many days instead; repeatable."),
    ] = None,
    conversion: Annotated[
        int | None,
        typer.Option(help="Judge who became a customer instead, at so many cutoffs a horizon apart."),
    ] = None,
    categories: Annotated[
        int | None,
        typer.Option(help="Judge which category customers bought next instead, at so many cutoffs a horizon apart."),
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Write it to this Markdown file as well; with --origins also .html or .json; repeatable."),
    ] = None,
    language: LanguageOption = "en",
) -> None:
    """Run the out-of-time protocols of configs/backtest.yaml, beside the baselines, with intervals."""
    from churnml.verbs import backtest as verb
    from churnml.verbs.backtest_categories import backtest_categories
    from churnml.verbs.origins import backtest_origins

    numbers = (origins, conversion, categories)
    if sum(map(bool, (protocol, within, *(one is not None for one in numbers)))) > 1:
        raise UsageError(
            "--origins, --protocol, --within, --conversion and --categories are five kinds of backtest; give one"
        )
    session, reports = call.open(), report or ()
    if within:
        body = verb.backtest_within(session, within, reports=reports)
    elif conversion is not None:
        body = verb.backtest_conversion(session, conversion, reports=reports)
    elif categories is not None:
        body = backtest_categories(session, categories, reports=reports)
    elif origins is not None:
        body = backtest_origins(session, origins, reports=reports, language=language_named(language))
    else:
        body = verb.backtest(session, protocol or [], reports=reports)
    if call.as_json:
        session.print_json(body)


@on_workspace
def replay(
    *,
    run: Annotated[
        str | None, typer.Argument(help="The first characters of its id. Default: the run that is served.")
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="How many records are compared, drawn at random.")] = 1_000,
    call: Call,
) -> None:
    """Make decision records of a run anew and compare them bit for bit: exit code 1 if one is not what it was."""
    from churnml.verbs import replay as verb

    session = call.open()
    said = verb.replay(session, run, sample=sample)
    session.tell(said, verb.told)
    if said["differ"]:
        raise typer.Exit(verb.DIFFERS)
