"""What was measured of the customer base: the body of the last run of each `churnml measure NAME`, or a table of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from churnml.errors import nearest
from churnml.measures.measure import Unit
from churnml.measures.names import MEASURES
from churnml.service import etags
from churnml.service.access import requires
from churnml.service.api.shapes import Bilingual, Shape, readings
from churnml.service.problems import described
from churnml.service.readings import NOT_MEASURED, Readings

router = APIRouter(prefix="/v1", tags=["measures"], dependencies=[Depends(requires("read"))])
Json = dict[str, Any]  # Any: JSON

_TEXT = {"en": "…", "zh": "……"}
EXAMPLE: Json = {
    "measure": "rhythm", "from": "2017-01-01", "to": "2018-01-01", "every": "month", "by": None, "currency": "USD",
    "time_zone": "UTC", "base": 2469, "refused": 0, "smallest_group": 10,
    "measures": [{
        "name": "rhythm_weekday", "title": {"en": "Orders by weekday", "zh": "各星期的订单"}, "definition": _TEXT,
        "population": _TEXT, "begin": "2017-01-01", "end": "2018-01-01", "sources": ["orders"], "remarks": [],
        "columns": {
            "weekday": {
                "title": {"en": "Weekday", "zh": "星期"}, "unit": "word", "definition": None,
                "words": {"1": {"en": "Monday", "zh": "星期一"}}, "unit_in": None,
            },
            "index": {
                "title": {"en": "Index", "zh": "指数"}, "unit": "ratio", "definition": _TEXT, "words": None,
                "unit_in": None,
            },
        },
        "rows": [{"weekday": "1", "index": 0.97}],
    }],
    "run_id": "5f0c…", "measured_at": "2018-01-02T08:14:03+00:00",
}  # fmt: skip


class Column(Shape):
    """What a column of a measure is."""

    title: Bilingual
    unit: Unit = Field(description="`share` from 0 to 1, `money` in `currency`, `day` ISO 8601, …")
    definition: Bilingual | None
    words: dict[str, Bilingual] | None = Field(description="how its values are worded; those missing stand as they are")
    unit_in: str | None = Field(None, description="the column that names the unit of each row, instead of `unit`")


class MeasureTable(Shape):
    """A table of figures and what they are."""

    name: str
    title: Bilingual
    definition: Bilingual
    population: Bilingual
    begin: date
    end: date = Field(description="the day after the last")
    sources: list[str] = Field(description="tables it was counted from; `records` for what a model said")
    remarks: list[Bilingual] = Field(description="what is missing, withheld or doubtful, and what would turn it on")
    columns: dict[str, Column]
    rows: list[dict[str, str | float | bool | None]] = Field(
        description="null where a figure cannot be told or is of fewer customers than `smallest_group`"
    )


class MeasuredBody(Shape):
    """What was measured of one side of the customer base."""

    measure: str
    from_: date = Field(alias="from")
    to: date = Field(description="the day after the last; what was learned later is not known to the figures")
    every: str
    by: str | None = Field(description="what parts the customers")
    currency: str
    time_zone: str
    base: int = Field(description="customers first known before `to`, without those who refuse to be profiled")
    refused: int = Field(description="customers who refuse to be profiled")
    smallest_group: int
    measures: list[MeasureTable]
    run_id: str
    measured_at: datetime


class MeasuredQuery(Shape):
    """What may stand behind the question mark."""

    measure: str | None = Field(None, max_length=100, description="only the table of this name")
    part: str | None = Field(None, max_length=300, description="only rows of this part, of tables that tell parts")
    kpi: str | None = Field(None, max_length=100, description="only rows of this figure, of tables that name figures")


def _route(name: str) -> Callable[..., Response]:
    def measured(
        query: Annotated[MeasuredQuery, Query()],
        reader: Annotated[Readings, Depends(readings)],
        if_none_match: Annotated[str | None, Header(include_in_schema=False)] = None,
    ) -> Response:
        """Return it as it was measured last: nothing is computed here."""
        found = reader.measured(name)
        headers = {"etag": f'"{found.run_id}"', "cache-control": "no-cache"}
        if etags.is_held(if_none_match, headers["etag"]):
            return Response(status_code=304, headers=headers)
        body = found.body | {"measures": _chosen(found.body["measures"], query)}
        return JSONResponse(body | {"run_id": found.run_id, "measured_at": found.measured_at}, headers=headers)

    return measured


def _chosen(measures: list[Json], query: MeasuredQuery) -> list[Json]:
    """Return the tables that are wanted, with the rows that are; a table that has no such column has none."""
    if query.measure is not None:
        _require(query.measure, [one["name"] for one in measures])
        measures = [one for one in measures if one["name"] == query.measure]
    for column, value in (("part", query.part), ("kpi", query.kpi)):
        if value is not None:
            holding = [one for one in measures if column in one["columns"]]
            measures = [one | {"rows": [row for row in one["rows"] if row[column] == value]} for one in holding]
    return measures


def _require(name: str, known: list[str]) -> None:
    if name not in known:
        rule = f"must be one of {', '.join(known) or 'none, for there is no table'}, got {name!r}{nearest(name, known)}"
        raise RequestValidationError([{"type": "value_error", "loc": ("query", "measure"), "msg": rule}])


for _name, _title in MEASURES.items():
    router.add_api_route(
        f"/{_name}",
        _route(_name),
        methods=["GET"],
        name=f"measured_{_name}",
        summary=f"{_title.en}, as measured last by `churnml measure {_name}`",
        response_model=MeasuredBody,
        dependencies=[Depends(requires("read"))],
        responses={
            304: {"description": "unchanged since the answer whose ETag is given in `If-None-Match`"},
            **described({
                422: ("invalid_request", "`measure` must be one of kpis, kpis_now, got 'kpi'; did you mean `kpis`?"),
                503: ("dependency", NOT_MEASURED.format(name=_name)),
            }),
        },
    )  # fmt: skip

EXAMPLES = {f"/v1/{name}": EXAMPLE | {"measure": name} for name in MEASURES}
