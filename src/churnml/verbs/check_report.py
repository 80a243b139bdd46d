"""What a check found, in words and tables for a terminal, and as a page that holds all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table as Grid

if TYPE_CHECKING:
    from churnml.modeling.alone import Alone
    from churnml.modeling.delays import Delays
    from churnml.modeling.leakage import Leakage, Planted
    from churnml.scoring.skew import Skew

SHOWN, SAID = 8, 3
"""Features in the table for people, and findings and questions that are told in full; reports hold all."""


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
