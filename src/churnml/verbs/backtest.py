"""`churnml backtest`: the protocols of configs/backtest.yaml, ours beside the baselines, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table as Grid

from churnml.config import LONGEST_DAYS, BacktestConfig, Protocol
from churnml.errors import ConfigError, NotEnoughDataError, NotFoundError, UsageError, nearest
from churnml.verbs.features import of_session
from churnml.verbs.horizon import train_config
from churnml.verbs.session import Session, require_places

if TYPE_CHECKING:
    from churnml.modeling.coverage import Coverage
    from churnml.modeling.judgement import Contest, Figure, Judgement, Method
    from churnml.modeling.timing import InTime

Json = dict[str, Any]  # Any: JSON

_MOST_ORIGINS = 50


def backtest(session: Session, protocols: Sequence[str] = (), *, reports: Sequence[Path] = ()) -> Json:
    """Run the named protocols, or all, show a table of each, and return what they found as plain data.

    Parameters
    ----------
    reports : sequence of Path
        Where to write the same tables as Markdown.

    Raises
    ------
    UsageError
        If a report is to be no Markdown.
    ConfigError
        If `configs/backtest.yaml` holds no protocol, or one that looks past its own test.
    NotFoundError
        If a protocol is asked for that is not there.
    NotEnoughDataError
        If the data end before the horizon of a test does.
    """
    from churnml.modeling.backtest import run_protocol  # noqa: PLC0415  # LightGBM takes seconds to import

    check_reports(reports)
    settings, config = session.load("backtest", BacktestConfig), session.train_settings()
    features, found = of_session(session), []
    for name, protocol in chosen(settings, protocols).items():
        with session.step(f"{name}: training and judging, with {settings.bootstrap} redraws") as tick:
            judgement = run_protocol(
                session.store, features, name, protocol, config, bootstrap=settings.bootstrap, progress=tick
            )
        found.append(judgement)
        if not session.as_json:
            session.console.print(*tables(judgement))
    for report in reports:
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(page(found, settings.bootstrap), encoding="utf-8")
    return {"protocols": [judgement.to_json() for judgement in found]}


def backtest_within(session: Session, days: Sequence[int], *, reports: Sequence[Path] = ()) -> Json:
    """Judge what the model of `horizon_days` says of other horizons, and return what was found as plain data.

    Parameters
    ----------
    days : sequence of int
        The other horizons.
    reports : sequence of Path
        Where to write the same tables as Markdown.

    Raises
    ------
    UsageError
        If a number of days is none, or a report is to be no Markdown.
    NotEnoughDataError
        If history is too short for one of them.
    """
    from churnml.modeling.backtest import judge_within  # noqa: PLC0415  # LightGBM takes seconds to import

    check_reports(reports)
    for one in days:
        if not 1 <= one <= LONGEST_DAYS:
            raise UsageError(f"--within must be a number of days from 1 to {LONGEST_DAYS:,}, got {one}")
    settings, now = session.load("backtest", BacktestConfig), session.cutoff(None)
    (config, _), features, found = train_config(session, now), of_session(session), []
    for one in days:
        with session.step(f"{one} days: training twice and judging, with {settings.bootstrap} redraws") as tick:
            judgement = judge_within(
                session.store,
                features,
                now,
                one,
                config,
                session.settings.margin_rate,
                bootstrap=settings.bootstrap,
                progress=tick,
            )
        found.append(judgement)
        if not session.as_json:
            session.console.print(*tables(judgement))
    for report in reports:
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(page(found, settings.bootstrap, _PAGE_WITHIN), encoding="utf-8")
    return {"within": [judgement.to_json() for judgement in found]}


def backtest_conversion(session: Session, origins: int, *, reports: Sequence[Path] = ()) -> Json:
    """Judge at several cutoffs which prospects and trials became customers, and return what was found as plain data.

    Parameters
    ----------
    origins : int
        Cutoffs at most, a horizon apart, the last whose horizon is over first.
    reports : sequence of Path
        Where to write the same tables as Markdown.

    Raises
    ------
    UsageError
        If the number is none, or a report is to be no Markdown.
    NotEnoughDataError
        If it can be judged at no cutoff; the message says why.
    """
    from churnml.modeling.conversion_standing import judge_origins  # noqa: PLC0415  # LightGBM takes seconds to import

    check_reports(reports)
    check_origins("--conversion", origins)
    settings, now = session.load("backtest", BacktestConfig), session.cutoff(None)
    (config, _), features = train_config(session, now), of_session(session)
    with session.step(f"Conversion: training and judging, with {settings.bootstrap} redraws") as tick:
        found, why = judge_origins(
            session.store, features, now, config, origins, bootstrap=settings.bootstrap, progress=tick
        )
    if not found:
        raise NotEnoughDataError(f"conversion cannot be judged: {why}; bring prospects from their first contact on")
    judged = [one.judged for one in found]
    if not session.as_json:
        for one in found:
            session.console.print(*tables(one.judged), f"  rung {one.rung}\n")
    for report in reports:
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(page(judged, settings.bootstrap, _PAGE_CONVERSION), encoding="utf-8")
    told = [one.judged.to_json() | {"rung": one.rung, "gates": [gate.to_json() for gate in one.gates]} for one in found]
    return {"conversion": told, "no_more_because": why}


def check_origins(option: str, origins: int) -> None:
    """Refuse a number of cutoffs that is none, or more than anybody waits for.

    Raises
    ------
    UsageError
        If it is.
    """
    if not 1 <= origins <= _MOST_ORIGINS:
        raise UsageError(f"{option} must be a number of cutoffs from 1 to {_MOST_ORIGINS}, got {origins}")


def check_reports(reports: Sequence[Path]) -> None:
    """Refuse a report whose name promises another kind than Markdown, before anything is trained.

    Raises
    ------
    UsageError
        If one does.
    DependencyError
        If one cannot be written.
    """
    for report in reports:
        if report.suffix in {".html", ".json"}:
            raise UsageError(
                f"--report is written as Markdown without --origins, got {report.name}; name it .md, or take --json"
            )
    require_places(reports)


def chosen(settings: BacktestConfig, names: Sequence[str]) -> Mapping[str, Protocol]:
    """Return the named protocols in the order asked, or all of them.

    Raises
    ------
    ConfigError, NotFoundError
        As `backtest`.
    """
    known = settings.protocols
    if not known:
        raise ConfigError("configs/backtest.yaml must hold at least one protocol, found none")
    for name in names:
        if name not in known:
            raise NotFoundError(f"no protocol `{name}`{nearest(name, known)} (known: {', '.join(known)})")
    return {name: known[name] for name in names or known}


def tables(judgement: Judgement) -> list[Grid]:
    """Return a table for people of each target judged: ours, its intervals, the baselines, the goal, the verdicts."""
    return [_table(judgement, contest) for contest in judgement.contests.values()]


def _table(judgement: Judgement, contest: Contest) -> Grid:
    from churnml.modeling.judgement import MEASURES  # noqa: PLC0415

    measures = MEASURES[contest.target]
    title, caption = _title(judgement, contest), _caption(judgement, contest)
    grid = Grid(title=title, caption=caption, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)
    grid.add_column("method", no_wrap=True)
    for measure in measures.values():
        grid.add_column(f"{measure.label}\n[dim]{measure.better}[/]", justify="right", no_wrap=True)
    ours = contest.ours.figures
    grid.add_row(contest.ours.name, *(f"{ours[m].value:.{d.digits}f} " for m, d in measures.items()), style="bold")
    grid.add_row("  95 % from", *(f"{ours[m].low:.{d.digits}f} " for m, d in measures.items()), style="dim")
    grid.add_row("       to", *(f"{ours[m].high:.{d.digits}f} " for m, d in measures.items()), style="dim")
    grid.add_section()
    for method in contest.methods[1:]:
        grid.add_row(method.name, *(_cell(method, m, d.digits) for m, d in measures.items()))
    if judgement.goal:
        grid.add_section()
        goal = judgement.goal
        figures = (f"{goal[m]:.{d.digits}f} " if m in goal else "" for m, d in measures.items())
        grid.add_row("goal", *figures)
        verdicts = (contest.verdict(m, goal[m]) if m in goal else "" for m in measures)
        grid.add_row("churnml is", *verdicts, style="bold")
    return grid


def _cell(method: Method, metric: str, digits: int) -> str:
    lead: Figure = method.lead_of_ours[metric]
    mark = "*" if lead.low > 0 else "!" if lead.high < 0 else " "
    return f"{method.figures[metric].value:.{digits}f}{mark}"


def _title(judgement: Judgement, contest: Contest) -> str:
    mean = float(contest.truth.mean())
    known = {"churn": f"{mean:.1%} left", "conversion": f"{mean:.1%} converted", "value": f"mean {mean:,.0f}"}
    whom = "prospects" if contest.target == "conversion" else "customers"
    return (
        f"{judgement.name}: {contest.target} in {judgement.horizon_days} days at {judgement.cutoff}, "
        f"{judgement.customers:,} {whom}, {known[contest.target]}"
    )


def _caption(judgement: Judgement, contest: Contest) -> str:
    noise = "* ours is better beyond noise, ! the baseline is (paired, 95 %)"
    return "\n".join([noise, *_below(judgement, contest), *_verdict(judgement, contest)])


def _below(judgement: Judgement, contest: Contest) -> list[str]:
    """Return what stands below the table of a target: how well calibrated a perfect model is, what intervals held."""
    told = []
    if contest.ece_perfect_95 is not None:
        told.append(f"a perfect model's ECE stays below {contest.ece_perfect_95:.3f} 19 times in 20")
    if contest.target == "value" and judgement.intervals is not None:
        told.append(_intervals(judgement.intervals))
    if contest.target == "churn":
        told += [_in_time(one) for one in judgement.timing]
    return told


def _in_time(found: InTime) -> str:
    """Return in a sentence how often the next order came by a quantile of its date."""
    return (
        f"the next order came by its {found.quantile:.0%} date for {found.came:.1%} of {found.customers:,} customers "
        f"whose date was over [{found.low:.1%}, {found.high:.1%}]; {found.said:.1%} was said, as a date is a whole day"
        f"{'' if found.kept else ' (not kept)'}"
    )


def _intervals(found: Coverage) -> str:
    """Return in a sentence how far the medians were off, and what the intervals for nine of ten covered."""
    fifths = ", ".join(f"{one.covered:.1%}{'' if one.kept else ' (not kept)'}" for one in found.fifths)
    return (
        f"the median forecast is off by {found.median_mae:.1f} on average (MAE); intervals for 90 % cover "
        f"{found.covered:.1%}, by fifths of the forecast {fifths}"
    )


def _verdict(judgement: Judgement, contest: Contest) -> list[str]:
    """Return the one line that says whether the goal is kept; none where there is no goal."""
    worse = [name for name, goal in judgement.goal.items() if contest.verdict(name, goal) == "worse"]
    if not judgement.goal:
        return []
    return [
        f"worse than the goal beyond noise on {', '.join(worse)}" if worse else "no worse than the goal on any metric"
    ]


_PAGE = """# Accuracy out of time

Written by `make backtest`: each protocol of `configs/backtest.yaml` teaches on earlier cutoffs and is judged on a later
one. The settings of the churn learners were chosen on origins before these tests; the four value learners were chosen
on three origins of which CJCLV is the last, so its figures may flatter a little. In brackets, 95 % intervals from
{bootstrap} bootstrap redraws of customers. A baseline marked \\* is worse than churnml beyond noise (paired, 95 %), one
marked ! is better. *Goal* holds the figures of the prototype that churnml grew from, on the same customers.
"""


_PAGE_WITHIN = """# Churn by other horizons

Written by `churnml backtest --within DAYS`: the model of `horizon_days` is asked of other horizons, by the curve of
docs/adr/0010, beside a model taught that very horizon and the buying rhythm alone, on customers of a later cutoff. In
brackets, 95 % intervals from {bootstrap} bootstrap redraws of customers. A method marked \\* is worse than the curve
beyond noise (paired, 95 %), one marked ! is better. Below each table: how often the next order came by the
dates that the same curve tells, of customers whose date lay within the days asked of, beside what was said.
"""


_PAGE_CONVERSION = """# Conversion

Written by `churnml backtest --conversion`: which prospects and trials became customers within the horizon, at cutoffs a
horizon apart, each taught with what was final then. In brackets, 95 % intervals from {bootstrap} bootstrap redraws of
prospects. A baseline marked \\* is worse than churnml beyond noise (paired, 95 %), one marked ! is better.
"""


def page(judgements: Sequence[Judgement], bootstrap: int, head: str = _PAGE) -> str:
    """Return the tables as a page of Markdown, under a head that says what they are."""
    parts = [head.format(bootstrap=bootstrap)]
    for judgement in judgements:
        parts += [_section(judgement, contest) for contest in judgement.contests.values()]
    return "\n".join(parts)


def _section(judgement: Judgement, contest: Contest) -> str:
    from churnml.modeling.judgement import MEASURES  # noqa: PLC0415

    measures, goal, ours = MEASURES[contest.target], judgement.goal, contest.ours.figures
    told = (_with_interval(ours[m], d.digits) for m, d in measures.items())
    rows = [
        ["method", *(f"{measure.label} ({measure.better})" for measure in measures.values())],
        ["---", *(["---:"] * len(measures))],
        [f"**{contest.ours.name}**", *told],
        *(
            [method.name, *(_cell(method, m, d.digits).strip().replace("*", "\\*") for m, d in measures.items())]
            for method in contest.methods[1:]
        ),
    ]
    if goal:
        rows.append(["goal", *(f"{goal[m]:.{d.digits}f}" if m in goal else "" for m, d in measures.items())])
        rows.append(["churnml is", *(contest.verdict(m, goal[m]) if m in goal else "" for m in measures)])
    table = [f"| {' | '.join(row)} |" for row in rows]
    below = [f"{line[0].upper()}{line[1:]}." for line in _below(judgement, contest)]
    return "\n".join([f"## {_title(judgement, contest)}\n", *table, "", *below, ""])


def _with_interval(figure: Figure, digits: int) -> str:
    return f"**{figure.value:.{digits}f}** [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"
