"""Everybody's stage at some cutoffs, by the terms of the model that is served: what counts as leaving, and how soon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from churnml.config import LifecycleRules, MeasureConfig
from churnml.events import By
from churnml.verbs.horizon import served_settings
from churnml.verbs.session import Session

if TYPE_CHECKING:
    import pandas as pd

    from churnml.measures.lifecycle_history import StageHistory


@dataclass(frozen=True)
class StageTerms:
    """What stages are told by, beside the rows.

    Parameters
    ----------
    population_days : int
        How long one may be silent whose rhythm is not known.
    rules : LifecycleRules
        Of `configs/measure.yaml`.
    by : {'orders', 'contracts'}
        What makes a customer.
    """

    population_days: int
    rules: LifecycleRules
    by: By


def stage_terms(session: Session, at: int) -> StageTerms:
    """Return the terms of the champion, so that records and measures tell the same; else those of `train.yaml`.

    Parameters
    ----------
    at : int
        By whose orders and contracts `churn: auto` is settled where there is no champion; microseconds UTC.

    Raises
    ------
    ModelRefusedError
        If the champion's bundle is damaged.
    """
    settings, _ = served_settings(session, at)
    return StageTerms(settings.population_days, session.load("measure", MeasureConfig).lifecycle, settings.by)


def stage_history(session: Session, cutoffs: Sequence[int], terms: StageTerms) -> StageHistory:
    """Return everybody's stage at each cutoff, see `measures.lifecycle_history.stages_at`."""
    from churnml.measures.lifecycle_history import stages_at  # noqa: PLC0415  # compiles the kernel

    with session.step("Telling stages") as tick:
        return stages_at(session.store, cutoffs, terms.population_days, terms.rules, terms.by, tick)


def stages_of_base(session: Session, at: int) -> pd.DataFrame:
    """Return the stage of each customer of the base at one cutoff, as columns `customer_id` and `stage`.

    Its customers are those of the books opened at that moment: known, and not refusing to be profiled.
    """
    import pandas as pd  # noqa: PLC0415

    told = stage_history(session, [at], stage_terms(session, at))
    return pd.DataFrame({"customer_id": told.customer_ids, "stage": told.at(-1)})
