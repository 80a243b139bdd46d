"""`churnml check`: the proofs a user can run on their own data, and what came of them in words."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table as Grid

from churnml.config import ScoreConfig, TrainConfig
from churnml.errors import ModelRefusedError, NotEnoughDataError, NotFoundError, UsageError, nearest
from churnml.verbs.features import of_session
from churnml.verbs.session import Session

if TYPE_CHECKING:
    from churnml.features import Catalogue
    from churnml.modeling.alone import Alone
    from churnml.modeling.delays import Delays
    from churnml.modeling.leakage import Leakage, Planted
    from churnml.scoring.skew import Compared, ScoreSkew, Skew

FOUND = 4
"""The exit code of a check that found something."""

SHOWN, SAID = 8, 3
"""Features in the table for people, and findings and questions that are told in full; reports hold all."""

_REPORTS = (".json", ".md")


def check_report(report: Path | None) -> None:
    """Refuse a report of a kind that is not written, before the work.

    Raises
    ------
    UsageError
        If its name ends neither in .json nor in .md.
    """
    if report is not None and report.suffix not in _REPORTS:
        raise UsageError(f"--report must end in {' or '.join(_REPORTS)}, got {report.name}")


def leakage(
    session: Session,
    *,
    cutoff: str | None = None,
    horizon_days: int | None = None,
    keep: Collection[str] = (),
    report: Path | None = None,
) -> Leakage:
    """Check the landed data for leakage, tell people, and return what was found.

    Parameters
    ----------
    cutoff : str, optional
        A date whose horizon is over; the latest whose label is final by default.
    horizon_days : int, optional
        In place of the one in `configs/train.yaml`.
    keep : collection of str
        Features that raise no alarm whatever they tell alone.
    report : Path, optional
        Where to write everything as well: .json or .md.

    Raises
    ------
    UsageError
        If the cutoff is no date, the report is of another kind, or a feature to keep is not on.
    NotEnoughDataError
        If no orders have landed, the horizon is not over, or too few left or stayed.
    BrokenCheckError
        If a planted leak is not found.
    """
    from churnml.labels import check_taught_by  # noqa: PLC0415
    from churnml.modeling.leakage import check_leakage, judged_at  # noqa: PLC0415  # compiles the kernel

    check_report(report)
    config = session.load("train", TrainConfig, horizon_days=horizon_days)
    check_taught_by(session.store)
    features = of_session(session)
    _require_features(features, keep)
    asked = None if cutoff is None else session.cutoff(cutoff)
    when = judged_at(session.store, session.cutoff(None), config, asked)
    with session.scratch() as folder:
        found = check_leakage(session.store, features, when, config, folder, keep, session.step)
    if not session.as_json:
        _show(session, told_leakage(found))
    _write(session, report, found.to_json(), lambda: leakage_page(found))
    return found


def skew(session: Session, *, customers: int, cutoff: str | None = None, report: Path | None = None) -> Skew:
    """Check that batch, training and online agree, tell people, and return what was found.

    Parameters
    ----------
    customers : int
        How many are drawn, at random by the seed in `configs/train.yaml`.
    cutoff : str, optional
        A date; the midnight after the last order by default.
    report : Path, optional
        As `leakage`.

    Raises
    ------
    UsageError
        If the cutoff is no date, or the report is of another kind.
    NotEnoughDataError
        If nobody is known at the cutoff.
    """
    from churnml.events.clock import moment  # noqa: PLC0415
    from churnml.scoring.skew import Skew, compare_features  # noqa: PLC0415  # compiles the kernel

    check_report(report)
    config, store, features = session.load("train", TrainConfig), session.store, of_session(session)
    cutoffs = _training_stack(session, config, session.cutoff(cutoff))
    days, seed = config.population_days, config.seed
    compared = compare_features(store, features, cutoffs, days, customers, seed=seed, steps=session.step)
    day = moment(cutoffs[-1], session.settings.time_zone).date().isoformat()
    if not len(compared.batch):
        raise NotEnoughDataError(f"a comparison needs a customer known by {day}, found none; choose a later --cutoff")
    counts = len(compared.batch), compared.base, len(features.features), len(cutoffs)
    scores = _scores(session, compared)
    found = Skew(day, *counts, compared.in_training, compared.online, scores)
    if not session.as_json:
        _show(session, told_skew(found))
    _write(session, report, found.to_json(), lambda: "\n\n".join(["# Skew", *told_skew(found)]) + "\n")
    return found


def _require_features(features: Catalogue, keep: Collection[str]) -> None:
    known = [feature.name for feature in features.features]
    for name in keep:
        if name not in known:
            raise UsageError(f"--keep: no feature `{name}` is on in this workspace{nearest(name, known)}")


def _training_stack(session: Session, config: TrainConfig, now: int) -> list[int]:
    """Return cutoffs as a training stacks them, ascending, the last the present one."""
    from churnml.events.clock import days_later  # noqa: PLC0415

    first, _ = session.store.span
    back = (days_later(now, -config.step_days * k, session.settings.time_zone) for k in range(config.max_cutoffs + 1))
    return sorted(cutoff for cutoff in back if cutoff > first or cutoff == now)


def _scores(session: Session, compared: Compared) -> ScoreSkew | str:
    from churnml.modeling.bundle import load_bundle  # noqa: PLC0415  # LightGBM takes seconds to import
    from churnml.scoring.skew import compare_scores  # noqa: PLC0415

    champion = session.catalogue.alias("champion")
    table = compared.batch.take(compared.batch.modelled)
    if champion is None:
        return "there is no champion yet; `churnml train` makes one"
    if not len(table):
        return "none of these customers is in the population"
    value_days = session.load("score", ScoreConfig).value_days
    try:
        model, _ = load_bundle(session.workspace.models / champion)
        with session.step("Scores: the champion in one batch, and row by row") as tick:
            return compare_scores(table, model, champion, value_days, tick)
    except (ModelRefusedError, NotFoundError) as error:
        return str(error)


# Words for people


def _show(session: Session, told: Sequence[str | Grid]) -> None:
    for one in told:
        session.console.print(one, markup=not isinstance(one, str))


def _write(session: Session, report: Path | None, body: dict[str, Any], page: Any) -> None:  # Any: JSON; a function
    if report is None:
        return
    text = page() if report.suffix == ".md" else json.dumps(body, ensure_ascii=False, indent=1) + "\n"
    with session.workspace.atomically(report.resolve()) as draft:
        draft.write_text(text, encoding="utf-8")


def told_leakage(found: Leakage) -> list[str | Grid]:
    """Return what was found, as a person reads it: the three proofs, the alarm, the verdict."""
    doubted = [one for one in found.alone if one.alarm]
    shown = [*doubted, *(one for one in found.alone if not one.alarm)][:SHOWN]
    title = (
        f"What each feature tells alone of churn in {found.horizon_days} days, {found.customers:,} customers, "
        f"{found.churners:,} left: {len(shown)} of {len(found.alone)}"
    )
    told: list[str | Grid] = [_of_wall(found), _grid(title, _TERSE, [_terse(_alone_row(one)) for one in shown])]
    if isinstance(found.delays, str):
        told.append(f"Delays were not measured: {found.delays}")
    else:
        told.append(_grid(_of_delays(found.delays), _DELAYS, _delay_rows(found.delays)))
    return [*told, *_verdict(found)]


_ALONE = ("feature", "AUROC", "95 %", "who has more", "missing", "AUROC of that", "alarm")
_DELAYS = ("table", "a day", "95 %", "a week", "95 %", "alarm")


def _terse(row: list[str]) -> list[str]:
    """Return a row without the cell that a terminal has no room for."""
    return [*row[:-2], row[-1]]


_TERSE = _terse([*_ALONE])


def _of_wall(found: Leakage) -> str:
    wall = found.wall
    ahead, late, answers = (
        sum(getattr(one, name) for one in wall.hidden.values()) for name in ("ahead", "late", "answers")
    )
    second = (
        f"{late:,} were learned only after it"
        if late
        else "and none was learned late: every row counts as known when it happened, which is your word for it"
    )
    emptied = f", and {answers:,} answers came later than their rows" if answers else ""
    return (
        f"The wall at {found.day}: {ahead:,} rows lie after it, {second}{emptied}. Of {wall.features:,} features of "
        f"{wall.rows:,} customers, computed with these rows and without, {len(wall.differences)} differ."
    )


def _alone_row(one: Alone) -> list[str]:
    area = "" if one.auroc is None else f"{one.auroc:.3f}"
    interval = "" if one.low is None else f"{one.low:.3f} to {one.high:.3f}"
    gap = [f"{one.missing:.0%}", f"{one.auroc_missing:.3f}"] if one.missing else ["", ""]
    return [one.name, area, interval, one.higher and f"{one.higher}s", *gap, one.alarm]


def _of_delays(delays: Delays) -> str:
    who = f"{delays.customers:,} customers" + (" drawn at random" if delays.sampled else "")
    return (
        f"What it costs if a table comes a day late, and a week: change of the AUROC {delays.auroc:.3f} "
        f"({delays.low:.3f} to {delays.high:.3f}) of a ridge regression, out of time, {who}"
    )


def _delay_rows(delays: Delays) -> list[list[str]]:
    tables = dict.fromkeys(one.table for one in delays.costs)
    rows = []
    for table in tables:
        mine = [one for one in delays.costs if one.table == table]
        cells = [cell for one in mine for cell in (_signed(one.change), f"{_signed(one.low)} to {_signed(one.high)}")]
        rows.append([table, *cells, "question" if any(one.questionable for one in mine) else ""])
    return rows


def _signed(change: float) -> str:
    return f"{change:+.3f}".replace("0.", ".") if abs(change) >= 0.0005 else "0"


def _verdict(found: Leakage, most: int | None = SAID) -> list[str]:
    rang = "; ".join(f"orders of the next {one.days} days: {_noticed(one)}" for one in found.planted)
    told = [f"The alarm was tested with planted columns that read the future: {rang}."]
    told += [*_several("question", found.questions, most), *_several("FOUND", found.findings, most)]
    if any(one.alarm for one in found.alone):
        told.append("What was known before the cutoff for all that, --keep FEATURE vouches for.")
    return [*told, "Leakage was found." if found.findings else "No leakage was found."]


def _several(word: str, sentences: Sequence[str], most: int | None) -> list[str]:
    """Return the first few in full, and of the others what they are about: one cause has many effects."""
    told = [f"{word}: {one}" for one in sentences[:most]]
    others = sentences[len(told) :]
    if others:
        told.append(f"{word}, {len(others)} more: {', '.join(one.partition(':')[0] for one in others)}")
    return told


def _noticed(planted: Planted) -> str:
    """Return who found a planted column; with few customers a short look ahead tells no more than honest features."""
    by = [who for who, found in (("the wall", planted.rows), ("alone", planted.alone.alarm == "red")) if found]
    return f"rang ({' and '.join(by)})" if by else "silent"


def _grid(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Grid:
    grid = Grid(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    quiet = not any(row[-1] for row in rows)
    for place, column in enumerate(columns[:-1] if quiet else columns):
        grid.add_column(
            column, justify="right" if 0 < place < len(columns) - 1 else "left", width=_width(column, rows, place)
        )
    for row in rows:
        loud = "bold red" if row[-1] == "red" else "yellow" if row[-1] else ""
        grid.add_row(*(row[:-1] if quiet else row), style=loud)
    return grid


def _width(heading: str, rows: Sequence[Sequence[str]], place: int) -> int:
    """Return the width in which no cell is broken; a heading may be, between its words."""
    return max(len(text) for text in (*heading.split(), *(row[place] for row in rows)))


def leakage_page(found: Leakage) -> str:
    """Return all of it as a page of Markdown, every feature included."""
    hidden = [
        [name, *(f"{value:,}" for value in (one.rows, one.ahead, one.late, one.answers))]
        for name, one in found.wall.hidden.items()
    ]
    delays = found.delays
    costs = [f"Not measured: {delays}"] if isinstance(delays, str) else [
        f"{_of_delays(delays)}.", _markdown(_DELAYS, _delay_rows(delays))
    ]  # fmt: skip
    parts = [
        f"# Leakage at {found.day}, {found.horizon_days} days ahead",
        f"{found.customers:,} customers in the population, {found.churners:,} of them left.",
        "\n".join(f"- {line}" for line in _verdict(found, None)),
        "## The wall",
        _of_wall(found),
        _markdown(("table", "rows", "after the cutoff", "learned after it", "answers emptied"), hidden),
        "## Each feature alone",
        _markdown(_ALONE, [_alone_row(one) for one in found.alone]),
        "## A day later",
        *costs,
    ]
    return "\n\n".join(parts) + "\n"


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def told_skew(found: Skew) -> list[str]:
    """Return what was found, as a person reads it."""
    told = [
        (
            f"{found.features:,} features of {found.customers:,} customers of {found.base:,} at {found.day}, bit for "
            f"bit. Batch against training ({found.cutoffs} cutoffs in one pass): {len(found.in_training)} differ. "
            f"Batch against online (a block of one each): {len(found.online)} differ."
        )
    ]
    if isinstance(found.scores, str):
        told.append(f"Scores were not compared: {found.scores}")
    else:
        scores = found.scores
        worst = max(scores.worst.values())
        told.append(
            f"Champion {scores.model_version[:12]}: {scores.batch:,} customers scored in one batch, {scores.alone:,} "
            f"of them one by one as well; the greatest distance of {', '.join(scores.worst)} is {worst:.1g}."
        )
    told += [f"FOUND: {one}" for one in found.findings]
    return [*told, "Skew was found." if found.findings else "Batch, training and online agree."]
