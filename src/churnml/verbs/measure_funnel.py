"""`churnml measure funnel`: how many go from stage to stage, how long it takes them, and where most are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churnml.config import MeasureConfig

if TYPE_CHECKING:
    from churnml.events.books import Books
    from churnml.measures.measure import Asked, Measure
    from churnml.verbs.session import Session


def figures(session: Session, books: Books, asked: Asked) -> list[Measure]:
    """Return the funnel of those who came in these days, by the stages of `configs/measure.yaml`."""
    from churnml.measures.funnel_measures import funnel_measures  # noqa: PLC0415  # pandas

    return funnel_measures(books, session.load("measure", MeasureConfig).funnel, asked)
