"""The overview, put together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from churnml.database import Catalogue
from churnml.database.arrivals import Arrivals
from churnml.events.clock import DAY, microseconds
from churnml.service.data_health import Watched, table_health, watched
from churnml.service.overview.figures import Figures, figures_of
from churnml.service.overview.news import Calls, Landed, ModelMoved, calls_of, landed_since, models_moved
from churnml.service.overview.saved import Saved, saved_of
from churnml.service.overview.scores import Scores, scores_of
from churnml.service.overview.steps import Step, nobodys, steps_of
from churnml.service.readings import CurrentRun, Readings, instant_told

_WEEK = 7 * DAY


@dataclass(frozen=True)
class Overview:
    """What a manager sees first.

    Parameters
    ----------
    at : str
        When it was asked for, ISO 8601.
    scores : Scores
        What is at risk now and was before.
    landed, models, watched, calls
        What has come to pass since.
    figures : Figures or None
        Those of the business; None before they were measured.
    saved : Saved
        What campaigns cost and brought.
    next : list of Step
        What to do next, the most pressing first.
    """

    at: str
    scores: Scores
    landed: Landed
    models: list[ModelMoved]
    watched: Watched | None
    calls: Calls
    figures: Figures | None
    saved: Saved
    next: list[Step]


def overview_of(engine: Engine, reader: Readings, run: CurrentRun, time_zone: str, now: int) -> Overview:
    """Return the overview of a workspace.

    Parameters
    ----------
    run : CurrentRun
        The run whose list people work from.
    time_zone : str
        IANA zone in which days begin and end.
    now : int
        Microseconds UTC.
    """
    catalogue, arrivals = Catalogue(engine), Arrivals(engine)
    measured, watch = reader.find_measured("kpis"), watched(catalogue)
    figures = None if measured is None else figures_of(measured)
    with engine.connect() as connection:
        scores = scores_of(connection, run)
        since = _since(scores, now)
        landed, calls = landed_since(connection, arrivals, since), calls_of(connection, time_zone, now)
        saved, tables = saved_of(connection, time_zone), table_health(connection, now)
        whom = nobodys(connection, reader, run)
    return Overview(
        at=instant_told(now),
        scores=scores,
        landed=landed,
        models=models_moved(catalogue, since),
        watched=watch,
        calls=calls,
        figures=figures,
        saved=saved,
        next=steps_of(tables, watch, saved, scores, whom, calls, landed, kpis=figures is not None),
    )


def _since(scores: Scores, now: int) -> int:
    """Return from when on what has come to pass is news: from when the scores before were done; a week, without any."""
    if len(scores.history) < 2:
        return now - _WEEK
    return microseconds(datetime.fromisoformat(scores.history[-2].finished_at))
