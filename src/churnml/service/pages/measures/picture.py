"""What every picture of a measure is: a chart, what it shows, and the words of the columns that it is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from markupsafe import Markup

from churnml.service.pages.measures.figures import OF_PART, Figures


@dataclass(frozen=True)
class Picture:
    """A chart and what it shows; `small` ones stand side by side."""

    caption: str
    svg: Markup
    small: bool = False


Draw = Callable[[Figures], Iterator[Picture]]


def picture(figures: Figures, part: str, svg: str, caption: str | None = None, *, small: bool = False) -> Picture:
    """Return a chart under a caption with the name of its part; without a caption under the title of the measure."""
    named = figures.title if caption is None else caption
    if part and caption is not None:
        named = OF_PART.to(figures.language).format(title=caption, part=part)
    return Picture(named, Markup(svg), small)  # noqa: S704  # charts escape what they are given


def worded(figures: Figures, name: str, *, unmet: bool = False) -> dict[str, str]:
    """Return how the values of a column are worded, in the order in which they are declared, else met.

    With those that are declared and not met, each keeps its place in every picture.
    """
    declared = figures.measure["columns"][name]["words"] or {}
    met = {str(row[name]): figures.say(row, name) for row in figures.rows if row[name] is not None}
    known = {key: text[figures.language] for key, text in declared.items() if unmet or key in met}
    return known | {key: label for key, label in met.items() if key not in known}
