"""Which pictures a measure has: chosen by its name, drawn from its JSON, told in the language of the page.

A measure without an entry here, or of whose columns some are missing, has none; its table says everything anyway.
"""

from __future__ import annotations

from collections.abc import Iterator

from churnml.service.pages.measures import grid_pictures as grids
from churnml.service.pages.measures import life_pictures as life
from churnml.service.pages.measures import row_pictures as rows
from churnml.service.pages.measures import time_pictures as time
from churnml.service.pages.measures.figures import Figures, Json
from churnml.service.pages.measures.picture import Draw, Picture
from churnml.wording import Language


def pictures(measure: Json, currency: str, language: Language) -> list[Picture]:
    """Return the pictures of a measure, in the order in which they are to be seen.

    Parameters
    ----------
    measure : dict
        From `Measure.to_json`.
    currency : str
        ISO 4217.
    language : {"en", "zh"}
        Of all words.
    """
    wanted, draw = _drawn(measure["name"])
    figures = Figures(measure, currency, language)
    if not measure["rows"] or not figures.has(*wanted):
        return []
    return list(draw(figures))


def _drawn(name: str) -> tuple[tuple[str, ...], Draw]:
    """Return which columns a measure's pictures need and what draws them: by its name, else by how that begins."""
    kind = next((kind for kind in _KINDS if name.startswith(kind)), None)
    return _DRAWN.get(name) or (_KINDS[kind] if kind else ((), _nothing))


def _nothing(_figures: Figures) -> Iterator[Picture]:
    yield from ()


_DRAWN: dict[str, tuple[tuple[str, ...], Draw]] = {
    "lifecycle_stages": (("month", "stage", "customers"), life.stages),
    "lifecycle_transitions": (("from_stage", "to_stage", "customers", "share"), life.transitions),
    "lifecycle_flow": (("stage", "net"), rows.listed(("stage",), "net", 0.0, bars=True, sort=False, staged=True)),
    "lifecycle_time": (("stage", "median_days"), rows.listed(("stage",), "median_days", sort=False, staged=True)),
    "funnel": (("stage", "customers", "reached_share", "conversion"), rows.drawn_funnel),
    "funnel_eventual": (("stage", "eventual_share"), rows.listed(("stage",), "eventual_share", sort=False)),
    "funnel_standing": (("stage", "share"), rows.listed(("stage",), "share", bars=True, sort=False)),
    "funnel_compared": (("stage", "difference"), rows.listed(("stage",), "difference", 0.0, sort=False)),
    "segments_value_risk": (("segment", "share", "customers"), grids.value_risk),
    "kpis": (("kpi", "period", "value", "low", "high"), time.kpis),
    "stated_reasons": (("reason", "share"), rows.listed(("reason", "source"), "share", bars=True)),
    "last_days": (("measure", "weeks_before", "left", "stayed", "low", "high"), time.last_days),
    "rhythm_weekday": (("weekday", "index"), rows.index("weekday")),
    "rhythm_hour": (("hour", "index"), rows.index("hour")),
    "rhythm_season": (("month", "index"), rows.index("month", letters=3)),
    "rhythm_days": (("day", "orders", "expected", "low", "high", "unusual"), time.days),
    "strategy": (
        ("stage", "segment", "value_at_risk"),
        rows.listed(("stage", "segment"), "value_at_risk", bars=True, staged=True),
    ),
}
"""By the name of a measure: the columns that its pictures need, and what draws them."""

_KINDS: dict[str, tuple[tuple[str, ...], Draw]] = {
    "segments_migration": (
        ("from_segment", "to_segment", "share"),
        grids.matrix("from_segment", "to_segment", "share"),
    ),
    "segments_": (("segment", "share"), rows.listed(("segment",), "share", bars=True, sort=False)),
    "drivers": (("feature", "effect"), rows.listed(("feature",), "effect", 0.0, signs=True)),
}
"""The same of measures that are several of a kind, by how their names begin."""
