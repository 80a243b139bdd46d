"""Which cutoffs may teach: those whose labels are final, in an order that moves forward in time only."""

from __future__ import annotations

from collections.abc import Sequence

from churnml.errors import NotEnoughDataError
from churnml.events.clock import DAY, days_later


def training_cutoffs(
    first_event: int,
    now: int,
    horizon_days: int,
    *,
    step_days: int,
    max_cutoffs: int,
    min_history_days: int,
    time_zone: str,
) -> list[int]:
    """Return cutoffs, ascending, whose label windows have closed by `now`.

    Parameters
    ----------
    first_event, now : int
        The first event, and the instant after which nothing may be read; microseconds UTC.
    step_days : int
        Days between cutoffs, counted back from the last whose label is final.
    min_history_days : int
        Days of data the earliest cutoff must have behind it.

    Raises
    ------
    NotEnoughDataError
        If fewer than two cutoffs fit.
    """
    last = days_later(now, -horizon_days, time_zone)
    candidates = [days_later(last, -step_days * k, time_zone) for k in range(max_cutoffs)]
    usable = [cutoff for cutoff in candidates if cutoff >= days_later(first_event, min_history_days, time_zone)]
    if len(usable) < 2:
        need, have = horizon_days + min_history_days + step_days, (now - first_event) // DAY
        raise NotEnoughDataError(
            f"a horizon of {horizon_days} days needs {need} days of history for two training cutoffs, found {have}; "
            "shorten `horizon_days` or `min_history_days` in configs/train.yaml"
        )
    return sorted(usable)


def origins(cutoffs: Sequence[int], horizon_days: int, folds: int, time_zone: str) -> list[tuple[list[int], int]]:
    """Return rolling origins: for each of the latest cutoffs, the earlier ones whose label windows end before it.

    Parameters
    ----------
    cutoffs : sequence of int
        Ascending.
    folds : int
        How many origins at most; fewer where history does not allow as many.

    Returns
    -------
    list of (training cutoffs, judging cutoff)
        Ascending by the judging cutoff; empty if no label closes before any later cutoff.
    """
    found = []
    for judge in cutoffs:
        teach = [cutoff for cutoff in cutoffs if days_later(cutoff, horizon_days, time_zone) <= judge]
        if teach:
            found.append((teach, judge))
    return found[-folds:]
