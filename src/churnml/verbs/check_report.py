"""What a check found, in words and tables for a terminal, and as a page that holds all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table as Grid

from churnml.modeling import leakage_words
from churnml.scoring import skew_words

if TYPE_CHECKING:
    from churnml.modeling.alone import Alone
    from churnml.modeling.check_finding import Finding
    from churnml.modeling.delays import Delays
    from churnml.modeling.leakage import Leakage
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
    told: list[str | Grid] = [
        leakage_words.of_wall(found),
        _grid(title, _TERSE, [_terse(_alone_row(one)) for one in shown]),
    ]
    if found.measured:
        told.append(_grid(leakage_words.of_delays(found.measured), _DELAYS, _delay_rows(found.measured)))
    if found.unmeasured:
        told.append(leakage_words.not_measured(found.unmeasured.said()))
    return [*told, *_verdict(found)]


_ALONE = ("feature", "AUROC", "95 %", "who has more", "missing", "AUROC of that", "alarm")
_DELAYS = ("table", "a day", "95 %", "a week", "95 %", "alarm")


def _terse(row: list[str]) -> list[str]:
    """Return a row without the cell that a terminal has no room for."""
    return [*row[:-2], row[-1]]


_TERSE = _terse([*_ALONE])


def _alone_row(one: Alone) -> list[str]:
    area = "" if one.auroc is None else f"{one.auroc:.3f}"
    interval = "" if one.low is None else f"{one.low:.3f} to {one.high:.3f}"
    gap = [f"{one.missing:.0%}", f"{one.auroc_missing:.3f}"] if one.missing else ["", ""]
    return [one.name, area, interval, one.higher and f"{one.higher}s", *gap, one.alarm]


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

    told = [leakage_words.of_alarm(found)]
    told += [*_several("question", found.questions, most), *_several("FOUND", found.findings, most)]
    if any(one.alarm for one in found.alone):
        told.append("What was known before the cutoff for all that, --keep FEATURE vouches for.")
    return [*told, leakage_words.verdict(found)]


def _several(word: str, findings: Sequence[Finding], most: int | None) -> list[str]:
    """Return the first few in full, and of the others what they are about: one cause has many effects."""
    told = [f"{word}: {one.said()}" for one in findings[:most]]
    others = findings[len(told) :]
    if others:
        told.append(f"{word}, {len(others)} more: {', '.join(one.about for one in others)}")
    return told


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
    costs = [leakage_words.not_measured(found.unmeasured.said())] if found.unmeasured else []
    if found.measured:
        costs = [leakage_words.of_delays(found.measured), _markdown(_DELAYS, _delay_rows(found.measured))]
    parts = [
        f"# Leakage at {found.day}, {found.horizon_days} days ahead",
        f"{found.customers:,} customers in the population, {found.churners:,} of them left.",
        "\n".join(f"- {_harmless(line)}" for line in _verdict(found, None)),
        "## The wall",
        leakage_words.of_wall(found),
        _markdown(("table", "rows", "after the cutoff", "learned after it", "answers emptied"), hidden),
        "## Each feature alone",
        _markdown(_ALONE, [_alone_row(one) for one in found.alone]),
        "## A day later",
        *costs,
    ]
    return "\n\n".join(parts) + "\n"


def skew_page(found: Skew) -> str:
    """Return all of it as a page of Markdown."""
    return "\n\n".join(["# Skew", *map(_harmless, told_skew(found))]) + "\n"


def _harmless(sentence: str) -> str:
    """Return a sentence that may hold an id from the data as Markdown in which no tag of it is one."""
    return sentence.replace("<", "&lt;")


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def told_skew(found: Skew) -> list[str]:
    """Return what was found, as a person reads it."""
    told = [skew_words.of_features(found)]
    if found.scored:
        told.append(skew_words.of_scores(found.scored))
    if found.unscored:
        told.append(skew_words.not_scored(found.unscored.said()))
    return [*told, *(f"FOUND: {one.said()}" for one in found.findings), skew_words.verdict(found)]
