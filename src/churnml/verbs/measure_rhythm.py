"""When customers order, from what has landed: weekday, hour, season, every day, and which were unusual."""

from __future__ import annotations

from churnml.config import MeasureConfig
from churnml.events.books import Books
from churnml.measures.measure import Asked, Measure
from churnml.measures.rhythm import rhythm
from churnml.verbs.session import Session


def figures(session: Session, books: Books, asked: Asked) -> list[Measure]:
    """Return the rhythm of all customers; see `churnml.measures.rhythm`."""
    return rhythm(books, asked, session.load("measure", MeasureConfig).rhythm)
