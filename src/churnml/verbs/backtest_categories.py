"""`churnml backtest --categories N`: which category customers bought next, beside popularity, at N cutoffs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table as Grid

from churnml.config import BacktestConfig
from churnml.verbs.backtest import check_origins, check_reports
from churnml.verbs.session import Session

if TYPE_CHECKING:
    from churnml.modeling.judgement import Figure
    from churnml.modeling.next_category import Kind, Standing
    from churnml.modeling.next_category.trial import Contest

Json = dict[str, Any]  # Any: JSON

MARK = "## Out of time"
"""Where a page that stands already is written on: what is before it is kept."""


_HEAD = """Written by `churnml backtest --categories`: what customers bought in the {days} days after each cutoff, each
model taught with what was final by then. In brackets, 95 % intervals from {bootstrap} bootstrap redraws of customers. A
method marked \\* is worse than churnml beyond noise (paired, 95 %), one marked ! is better. Hit@k: of all rows, the
share where one of the first k was bought; recall@10 and NDCG@10 are the mean over the rows in which a candidate was."""


def backtest_categories(session: Session, origins: int, *, reports: Sequence[Path] = ()) -> Json:
    """Judge at several cutoffs which category customers bought next, and return what was found as plain data.

    Parameters
    ----------
    origins : int
        Cutoffs at most, the last whose horizon is over first.
    reports : sequence of Path
        Where to write the tables as Markdown; a page that is there is kept up to its heading *Out of time*.

    Raises
    ------
    UsageError
        If the number is none, or a report is to be no Markdown.
    NotEnoughDataError
        If it can be judged at no cutoff; the message says why.
    """
    from churnml.modeling.next_category import judge_origins  # noqa: PLC0415  # scikit-learn takes a second to import

    check_reports(reports)
    check_origins("--categories", origins)
    settings, now, config = session.load("backtest", BacktestConfig), session.cutoff(None), session.train_settings()
    with session.step(f"Categories: learning and judging, with {settings.bootstrap} redraws"):
        found = judge_origins(session.store, now, config, origins, settings.bootstrap)
    if not session.as_json:
        for kind, contest in found.judged.items():
            session.console.print(_grid(found, kind, contest, config.categories.horizon_days))
    for report in reports:
        text = _page(report, found, config.categories.horizon_days, settings.bootstrap)
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(text, encoding="utf-8")
    return {"categories": found.to_json()}


def _grid(found: Standing, kind: Kind, contest: Contest, horizon_days: int) -> Grid:
    from churnml.modeling.next_category.trial import MEASURES  # noqa: PLC0415
    from churnml.modeling.next_category.words import CALLED  # noqa: PLC0415

    caption = "\n".join(["* ours is better beyond noise, ! the other is (paired, 95 %)", _judged(found, contest)])
    title = f"{CALLED[kind]}, {horizon_days} days ahead"
    grid = Grid(title=title, caption=caption, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)
    grid.add_column("method", no_wrap=True)
    for label in MEASURES.values():
        grid.add_column(label, justify="right", no_wrap=True)
    ours = contest.methods[0]
    grid.add_row(ours.name, *(f"{ours.figures[m].value:.3f} " for m in MEASURES), style="bold")
    grid.add_row("  95 % from", *(f"{ours.figures[m].low:.3f} " for m in MEASURES), style="dim")
    grid.add_row("       to", *(f"{ours.figures[m].high:.3f} " for m in MEASURES), style="dim")
    grid.add_section()
    for one in contest.methods[1:]:
        grid.add_row(one.name, *(_cell(one.figures[m], one.lead_of_ours[m]) for m in MEASURES))
    return grid


def _cell(figure: Figure, lead: Figure) -> str:
    return f"{figure.value:.3f}{'*' if lead.low > 0 else '!' if lead.high < 0 else ' '}"


def _judged(found: Standing, contest: Contest) -> str:
    """Return in a sentence on whom it was judged, and how far the probabilities told were off."""
    at = f"{len(found.cutoffs)} cutoffs from {found.cutoffs[0]} to {found.cutoffs[-1]}"
    return (
        f"{contest.rows:,} rows of {contest.customers:,} customers at {at}, {found.categories} categories; in "
        f"{contest.buyers:,} a candidate was bought. Told on average {contest.told:.4f} of a candidate, bought "
        f"{contest.came:.4f}"
    )


def _page(report: Path, found: Standing, horizon_days: int, bootstrap: int) -> str:
    """Return the page: what stands before the heading, and the tables under it."""
    from churnml.modeling.next_category.words import CALLED, table  # noqa: PLC0415

    old = report.read_text(encoding="utf-8") if report.is_file() else "# The next category\n\n"
    head = _HEAD.format(days=horizon_days, bootstrap=bootstrap)
    parts = [f"{old.split(MARK)[0]}{MARK}", head]
    for kind, contest in found.judged.items():
        parts += [f"### {CALLED[kind]}", table(contest), _judged(found, contest) + "."]
        parts += [f"Not told by the model: {found.because[kind]}."] if kind in found.because else []
    return "\n\n".join(parts) + "\n"
