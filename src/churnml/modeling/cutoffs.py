"""Which cutoffs may teach a model of a configuration: the rule of `labels`, with the settings of `train.yaml`."""

from __future__ import annotations

from churnml.config import TrainConfig
from churnml.events import Store
from churnml.labels import label_lag, training_cutoffs


def lag_of(store: Store, config: TrainConfig) -> int:
    """Return how many days after its horizon a label is final, see `labels.label_lag`."""
    grace = config.grace_days if config.churn == "contracts" else None
    return label_lag(store, config.return_window_days, grace)


def cutoffs_before(store: Store, now: int, config: TrainConfig, fewest: int = 2) -> list[int]:
    """Return the training cutoffs whose labels are final by an instant, ascending; microseconds UTC.

    Parameters
    ----------
    now : int
        Nothing after it may be read; microseconds UTC.
    fewest : int, default 2
        With how many the caller can do.

    Raises
    ------
    NotEnoughDataError
        If fewer fit.
    """
    return training_cutoffs(
        store.span[0],
        now,
        config.horizon_days,
        step_days=config.step_days,
        max_cutoffs=config.max_cutoffs,
        min_history_days=config.min_history_days,
        time_zone=store.time_zone,
        label_lag_days=lag_of(store, config),
        fewest=fewest,
    )
