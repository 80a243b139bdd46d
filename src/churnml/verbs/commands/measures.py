"""`churnml measure` of the customer base, and `churnml report`, which writes all of it into one file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churnml.verbs.commands.call import Call, on_workspace, refuse_given, with_options_of
from churnml.verbs.commands.options import MeasureReportOption, SpokenOption
from churnml.wording import Language, language_named

if TYPE_CHECKING:
    from churnml.verbs.session import Session

SAYS = {
    "funnel": "Say how many go from stage to stage, how long it takes them, and where most are lost.",
    "segments": "Say who the customers are: by worth, risk, place, age, habit and interest, and how they moved.",
    "kpis": "Say the figures of the business by period, with intervals, targets, and what misses them.",
    "drivers": "Say how those who left differ from those who stayed; what goes with leaving, not what causes it.",
    "rhythm": "Say when customers buy: by weekday, hour and season, and which days were unusual.",
    "strategy": "Say on one page, per stage and segment, what it is worth, what is at risk and what to do.",
}
"""The measures that have the options of all and none of their own, and what their help says."""


@dataclass(frozen=True)
class Asking:
    """What all measures of the customer base are asked with."""

    session: Session
    language: Language
    reports: list[Path]
    days: dict[str, Any]  # Any: texts, of which `every` is never None
    """`begin`, `end`, `every` and `by`"""


@on_workspace
def asking(
    *,
    begin: Annotated[
        str | None, typer.Option("--from", help="First day, such as 2017-01-01. Default: the last twelve months.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="The day after the last. Default: the day after the last order.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Also by: an attribute such as region, channel, stage, segment.")
    ] = None,
    every: Annotated[str, typer.Option(help="How long a period is: week, month, quarter, year.")] = "month",
    call: Call,
    report: MeasureReportOption = None,
    language: SpokenOption = "en",
) -> Asking:
    """Declare the options that all measures of the customer base have, and return what they say."""
    days = {"begin": begin, "end": end, "every": every, "by": by}
    return Asking(call.open(), language_named(language), report or [], days)


asked_alike = with_options_of(asking, "asking")


def measure_command(name: str) -> Callable[..., None]:
    """Return the command of a measure that has no options of its own."""

    def measure(asking: Asking) -> None:
        _measure(name, asking)

    measure.__doc__ = SAYS[name]
    return asked_alike(measure)


def _measure(name: str, asking: Asking) -> None:
    from churnml.verbs.measuring import measured
    from churnml.verbs.measuring_told import told

    session = asking.session
    body = measured(session, name, **asking.days, reports=asking.reports, language=asking.language)
    session.tell(body, told, asking.language)


@asked_alike
def lifecycle(
    *,
    asking: Asking,
    customer: Annotated[
        str | None, typer.Option(help="Show the path of this customer alone, as the last call by month kept it.")
    ] = None,
) -> None:
    """Say where customers are in their life, how they moved between stages, and how long they stayed."""
    if customer is None:
        _measure("lifecycle", asking)
        return
    from churnml.verbs.lifecycle_path import path_of, path_told

    days = asking.days
    given = {"--from": days["begin"], "--to": days["end"], "--by": days["by"], "--report": asking.reports}
    refuse_given(given, "without --customer")
    asking.session.tell(path_of(asking.session, customer), path_told, asking.language)


@with_options_of(asking, "asking", without=("report",))
def report(
    *,
    asking: Asking,
    out: Annotated[
        Path | None, typer.Option(help="The .html file. Default: reports/report-DAY.html in the workspace.")
    ] = None,
) -> None:
    """Measure every side of the customer base and write one HTML file with pictures that needs nothing beside it."""
    from churnml.verbs import report as verb

    session = asking.session
    body = verb.report(session, **asking.days, out=out, language=asking.language)
    session.tell(body, verb.told, asking.language)
