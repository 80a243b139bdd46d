"""Pictures of a measure as rows or columns, one for each figure, and as a funnel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from churnml.charts import Mark, columns, dots
from churnml.flows import Stage, funnel
from churnml.service.pages.measures.figures import Figures, Json, number
from churnml.service.pages.measures.life_pictures import kind_of
from churnml.service.pages.measures.picture import Draw, Picture, picture

MOST_ROWS = 20
"""That a picture has; the table has all."""


def listed(
    label: Sequence[str],
    value: str,
    rule: float | None = None,
    *,
    bars: bool = False,
    sort: bool = True,
    signs: bool = False,
    staged: bool = False,
) -> Draw:
    """Return what draws a row for each figure, the largest on top.

    `signs` colours what lies on either side of the rule, `staged` gives each row the colour of its stage of life.
    """

    def draw(figures: Figures) -> Iterator[Picture]:
        for part, of in figures.parts():
            told = [row for row in of.rows if row[value] is not None]
            if not told:
                continue
            kept = sorted(told, key=lambda row: -abs(float(row[value]))) if sort else told
            kinds = [_kind(row, value, rule if signs else None, staged=staged) for row in kept]
            marks = [_labelled(of, row, label, value, kind) for row, kind in zip(kept[:MOST_ROWS], kinds, strict=False)]
            ends = [end for mark in marks for end in (mark.value, mark.low, mark.high)]
            ticks = of.ticks([*ends, 0.0 if rule is None else rule], of.unit(kept[0], value))
            yield picture(of, part, dots(marks, of.title, ticks, rule, bars=bars), of.heading(value))

    return draw


def _labelled(figures: Figures, row: Json, label: Sequence[str], value: str, kind: str) -> Mark:
    words = " · ".join(figures.say(row, name) for name in label if figures.has(name))
    return figures.mark(row, words, value, kind=kind)


def _kind(row: Json, value: str, rule: float | None, *, staged: bool) -> str:
    """Return the class that gives a row its colour."""
    if staged:
        return kind_of(str(row["stage"]))
    if row.get("direction") == "unclear":
        return "other"
    return "ours" if rule is None else "raises" if float(row[value]) > rule else "lowers"


def index(label: str, letters: int | None = None) -> Draw:
    """Return what draws a column for each hour, weekday or month, from what is usual.

    English labels are cut to so many `letters` where they would touch each other.
    """

    def draw(figures: Figures) -> Iterator[Picture]:
        for part, of in figures.parts():
            kept = letters if of.language == "en" else None
            marks = [of.mark(row, of.say(row, label)[:kept], "index") for row in of.rows]
            ends = [end for mark in marks for end in (mark.value, mark.low, mark.high)]
            yield picture(of, part, columns(marks, of.title, of.ticks([*ends, 1.0], "ratio"), 1.0), of.heading("index"))

    return draw


def drawn_funnel(figures: Figures) -> Iterator[Picture]:
    """Draw the stages of a funnel below each other."""
    for part, of in figures.parts():
        stages = [_stage(of, row, first=place == 0) for place, row in enumerate(of.rows)]
        yield picture(of, part, funnel(stages, of.title))


def _stage(figures: Figures, row: Json, *, first: bool) -> Stage:
    """Return a stage of a funnel; the first, of which no share is told, is all of them."""
    reached, told = number(row, "reached_share"), number(row, "conversion") is not None
    share = 1.0 if first and reached is None and row["customers"] else reached
    said = " · ".join(figures.say(row, name) for name in ("reached_share", "customers") if row[name] is not None)
    conversion = figures.say(row, "conversion") if told and not first else ""
    return Stage(figures.say(row, "stage"), share, said, conversion, row.get("narrowest") is not None)
