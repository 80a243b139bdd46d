"""`churnml measure segments`: who customers are, by rules, attributes, what they do, and conditions of one's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from churnml.config import MeasureConfig
from churnml.verbs.found_groups import groups_of
from churnml.verbs.grouping import lay_portrait, lay_scores, scored_by
from churnml.verbs.session import Session

if TYPE_CHECKING:
    from churnml.database import Run
    from churnml.events.books import Books
    from churnml.measures.measure import Asked, Measure


def figures(session: Session, books: Books, asked: Asked) -> list[Measure]:
    """Return every segmentation of the base, RFM first, and how customers moved between segments.

    Raises
    ------
    ConfigError
        If a segment of one's own is no condition over a customer.
    """
    from churnml.measures.groups import described  # noqa: PLC0415  # pandas
    from churnml.measures.habits import SIDES  # noqa: PLC0415
    from churnml.measures.segmentations import (  # noqa: PLC0415
        attribute_groupings,
        own_grouping,
        rfm_grouping,
        unknown_attributes,
        value_risk_grouping,
    )
    from churnml.measures.told_groups import apart, found_grouping, no_groups  # noqa: PLC0415

    settings = session.load("measure", MeasureConfig)
    lay_portrait(session, books, asked, stages=any("stage" in one.query.lower() for one in settings.segments))
    found = {side: groups_of(session, books, asked, side) for side in SIDES}
    groupings = [
        *([rfm_grouping(settings.rfm_days)] if "orders" in books.tables else []),
        *([value_risk_grouping()] if books.columns("scored") else []),
        *attribute_groupings(books, settings.largest_groups),
        *(found_grouping(books, kept, asked, settings.groups) for kept in found.values() if kept and kept.ids),
        *(own_grouping(books, one, str(session.configs / "measure.yaml")) for one in settings.segments),
    ]
    missing = [no_groups(side, kept, settings.groups) for side, kept in found.items() if not (kept and kept.ids)]
    groupings[:1] = [replace(one, remarks=(*unknown_attributes(books), *missing)) for one in groupings[:1]]
    run = scored_by(session, asked.end)
    return [
        *(described(books, one, asked, _day(run)) for one in groupings),
        *(apart(books, kept, asked) for kept in found.values() if kept and kept.ids),
        *_migrations(session, books, asked, settings.rfm_days),
    ]


def _migrations(session: Session, books: Books, asked: Asked, window_days: int) -> list[Measure]:
    """Return who moved between segments of RFM, and of value and risk."""
    from churnml.measures.migration import rfm_migration, value_risk_migration  # noqa: PLC0415

    first, last = (scored_by(session, at) for at in (asked.begin, asked.end))
    both = (_day(first) or "", _day(last) or "") if first and last and first.run_id != last.run_id else None
    before = lay_scores(session, books, first, "scored_before") if first and both else None
    rfm = [rfm_migration(books, asked, window_days)] if "orders" in books.tables else []
    return [*rfm, value_risk_migration(books, asked, before, both)]


def _day(run: Run | None) -> str | None:
    """Return the cutoff of a run as a day."""
    return str(run.summary["cutoff"])[:10] if run else None
