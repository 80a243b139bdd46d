"""The handful of figures of the business that a manager wants first, of the measure that tells them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from churnml.service.readings import Measured

Json = dict[str, Any]  # Any: JSON
FIRST = (
    "churn_rate",
    "retention_rate",
    "contract_churn_rate",
    "repeat_rate",
    "clv_predicted",
    "clv_to_cac",
    "complaint_rate",
    "csat",
    "nps",
    "revenue",
    "active_customers",
    "complaints_per_100_orders",
)
"""In this order; before them come those that have a target."""
MOST = 8
_ALL = (None, "", "all")


@dataclass(frozen=True)
class Figures:
    """Some figures of everybody, of the last whole period and over the periods.

    Parameters
    ----------
    now, course : dict
        `kpis_now` and `kpis` of the measure, with the rows of these figures alone.
    """

    run_id: str
    measured_at: str
    every: str
    currency: str
    time_zone: str
    now: Json
    course: Json


def figures_of(found: Measured) -> Figures | None:
    """Return the figures that a manager wants first; None where the measure tells none of everybody."""
    tables = {one["name"]: one for one in found.body["measures"]}
    now, course = tables.get("kpis_now"), tables.get("kpis")
    if now is None or course is None:
        return None
    chosen = _chosen([row for row in now["rows"] if _of_all(row)])
    if not chosen:
        return None
    return Figures(
        run_id=found.run_id,
        measured_at=found.measured_at,
        every=str(found.body["every"]),
        currency=str(found.body["currency"]),
        time_zone=str(found.body["time_zone"]),
        now=now | {"rows": chosen},
        course=course | {"rows": _over_time(course["rows"], [row["kpi"] for row in chosen])},
    )


def _chosen(rows: Sequence[Json]) -> list[Json]:
    """Return the rows of the chosen figures: what is aimed at first, then what is told and usually asked for."""
    by_name = {row["kpi"]: row for row in rows}
    aimed = [row["kpi"] for row in rows if row.get("target") is not None]
    told = [name for name in FIRST if name in by_name and by_name[name]["value"] is not None]
    names = list(dict.fromkeys([*aimed, *told]))
    return [by_name[name] for name in names[: max(MOST, len(aimed))]]


def _over_time(rows: Sequence[Json], names: Sequence[str]) -> list[Json]:
    return [row for name in names for row in rows if row["kpi"] == name and _of_all(row)]


def _of_all(row: Json) -> bool:
    return row.get("part") in _ALL
