"""Which cutoffs may teach: those whose labels are final, in an order that moves forward in time only."""

from __future__ import annotations

from collections.abc import Sequence

from churnml.errors import NotEnoughDataError
from churnml.events import Store, usual_lateness_days
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
    label_lag_days: int = 0,
    fewest: int = 2,
) -> list[int]:
    """Return cutoffs, ascending, whose labels are final by `now`.

    Parameters
    ----------
    first_event, now : int
        The first event, and the instant after which nothing may be read; microseconds UTC.
    step_days : int
        Days between cutoffs, counted back from the last whose label is final.
    min_history_days : int
        Days of data the earliest cutoff must have behind it.
    label_lag_days : int
        How long after its horizon a label is final, see `label_lag`.
    fewest : int, default 2
        With how many the caller can do.

    Raises
    ------
    NotEnoughDataError
        If fewer cutoffs fit.
    """
    waits = horizon_days + label_lag_days
    candidates = [days_later(now, -(waits + step_days * k), time_zone) for k in range(max_cutoffs)]
    earliest = days_later(first_event, min_history_days, time_zone)
    # where the clocks leave the hour out, days back and days ahead do not meet
    usable = [c for c in candidates if c >= earliest and _final_at(c, horizon_days, label_lag_days, time_zone) <= now]
    if len(usable) < fewest:
        need, have = horizon_days + label_lag_days + min_history_days + step_days, (now - first_event) // DAY
        lag = f", final {label_lag_days} days later," if label_lag_days else ""
        raise NotEnoughDataError(
            f"a horizon of {horizon_days} days{lag} needs {need} days of history for two training cutoffs, "
            f"found {have}; "
            "shorten `horizon_days` or `min_history_days` in configs/train.yaml"
        )
    return sorted(usable)


def history_needed_days(horizon_days: int, min_history_days: int, step_days: int, label_lag_days: int) -> int:
    """Return the days of history that training takes: two horizons and their labels' lags, after some past."""
    return 2 * (horizon_days + label_lag_days) + min_history_days + step_days


def _final_at(cutoff: int, horizon_days: int, label_lag_days: int, time_zone: str) -> int:
    """Return when the label of a cutoff is final, counted as `events.outcome` counts it."""
    return days_later(days_later(cutoff, horizon_days, time_zone), label_lag_days, time_zone)


def label_lag(store: Store, return_window_days: int, grace_days: int | None = None) -> int:
    """Return how many days after its horizon a label is final: goods may come back, and news may be late.

    Parameters
    ----------
    return_window_days : int
        How long goods may come back; counts only where returns have landed.
    grace_days : int, optional
        By contracts, how long after its end another may still continue one.
    """
    window = return_window_days if "returns" in store.tables else 0
    lag = window + usual_lateness_days(store)
    if grace_days is None:
        return lag
    return max(lag, grace_days + usual_lateness_days(store, "subscriptions"))


def origins(
    cutoffs: Sequence[int], horizon_days: int, folds: int, time_zone: str, label_lag_days: int = 0
) -> list[tuple[list[int], int]]:
    """Return rolling origins: for each of the latest cutoffs, the earlier ones whose labels are final by then.

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
        teach = [c for c in cutoffs if _final_at(c, horizon_days, label_lag_days, time_zone) <= judge]
        if teach:
            found.append((teach, judge))
    return found[-folds:]
