"""The figures of the business by period, with intervals, targets, and what misses them beyond noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from churnml.errors import UsageError, nearest
from churnml.events.books import Books
from churnml.measures.kpi_figures import ALL, figures
from churnml.measures.kpi_ground import Ground
from churnml.measures.kpi_list import BY_NAME, KPIS, Windows
from churnml.measures.kpi_money import FORECASTS
from churnml.measures.kpi_remarks import NO_TARGETS, remarks, unmet_parts
from churnml.measures.kpi_tables import Told, alerts, all_periods, definitions, last_period
from churnml.measures.kpi_targets import Target, judged
from churnml.measures.measure import Asked, Measure
from churnml.measures.periods import periods
from churnml.measures.withholding import withheld


def kpis(
    books: Books,
    asked: Asked,
    *,
    windows: Windows | None = None,
    targets: Mapping[str, Target] | None = None,
    margin_rate: float = 0.25,
) -> list[Measure]:
    """Return the figures of the last period, what misses its target beyond noise, all periods, and what each is.

    Parameters
    ----------
    books : Books
        As known at `asked.end`; with a table `kpi_forecasts` of `customer_id` and `clv` where a model has scored.
    asked : Asked
        Which periods, of which length, and what parts the customers. No figure is told of a period that ends later
        than `asked.end`, so that must not lie beyond what has landed.
    windows : Windows, optional
        The days in the definitions.
    targets : mapping of str to Target, optional
        By name of the figure.
    margin_rate : float, default 0.25
        Margin per unit of revenue where no cost is known.

    Returns
    -------
    list of Measure
        `kpis_now`, `kpis_alerts`, `kpis` and `kpis_defined`.

    Raises
    ------
    UsageError
        If no whole period lies within what is asked, nobody has the attribute, or a target is of no known figure or
        no share where the figure is one.
    NotEnoughDataError
        If there is neither an order nor a contract.
    """
    windows, targets = windows or Windows(), targets or {}
    require_sound(targets, "targets")
    span = periods(asked.begin, asked.end, asked.every, books.time_zone)
    ground = Ground.lay(books, span, windows, asked.by, margin_rate)
    landed = {*books.tables, *(["records"] if books.columns(FORECASTS) else [])}
    counted = figures(ground, landed, asked.by)
    early = _too_early(counted, ground)
    few = _too_few(counted, asked.smallest) & ~early
    counted.loc[early | few, ["value", "low", "high"]] = float("nan")
    rows = judged(counted, targets).assign(unit=counted["kpi"].map({kpi.name: kpi.unit for kpi in KPIS}))
    said = [*remarks(counted, ground, landed, early, few, asked), *unmet_parts(targets, counted, asked.by)]
    said += [] if targets else [NO_TARGETS]
    told = Told(rows, span, windows, asked.by is not None, landed)
    return [last_period(told, said), alerts(told), all_periods(told, said), definitions(told)]


def require_sound(targets: Mapping[str, Target], where: str) -> None:
    """Raise where a target is of no figure, or is no share where the figure is one.

    Raises
    ------
    UsageError
        With the name that comes nearest, or how a share is written.
    """
    for name, target in targets.items():
        if name not in BY_NAME:
            known = ", ".join(BY_NAME)
            raise UsageError(f"{where}: there is no KPI `{name}`{nearest(name, BY_NAME)} (known: {known})")
        kpi = BY_NAME[name]
        for _, value in (target.of(""), *target.parts.values()):
            if kpi.unit == "share" and kpi.how != "quotient" and not 0 <= value <= 1:
                raise UsageError(
                    f"{where}: `{name}` is a share and its target must be from 0 to 1 (a share: 0.05 is 5 %), "
                    f"got {value:g}"
                )


def _too_early(counted: pd.DataFrame, ground: Ground) -> pd.Series:
    """Mark the figures that look back beyond the beginning of the history."""
    back = counted["kpi"].map({kpi.name: kpi.days_back(ground.windows) for kpi in KPIS})
    return (counted["period"] - pd.to_timedelta(back, unit="D") < ground.began) & (back > 0)


def _too_few(counted: pd.DataFrame, smallest: int) -> pd.Series:
    """Mark the figures that are withheld for they are of few customers; how many there are is told.

    Of each figure and period, those of the parts come to that of all.
    """
    plain = counted["kpi"].isin([kpi.name for kpi in KPIS if kpi.how == "count" and kpi.unit == "number"])
    whole = counted["part"] == ALL
    total = counted["kpi"] + " " + counted["period"].astype(str) + np.where(whole, " of all", "")
    hidden = withheld(counted["customers"].mask(plain, 0), smallest, total)
    return pd.Series(hidden, index=counted.index)
