"""The prospects and trials by how likely they are to become customers, page by page as JSON or whole as CSV."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from churnml.service.access import requires
from churnml.service.api.customers import EXAMPLE
from churnml.service.api.lists import FILES, PAGE, REFUSED, fields_of, file_or_none, json_page
from churnml.service.api.shapes import ProspectList, ProspectQuery, readings
from churnml.service.etags import UNCHANGED
from churnml.service.exports import jsonl_chunks, prospect_chunks, prospect_xlsx_chunks
from churnml.service.readings import Readings
from churnml.service.sight import seen_by

router = APIRouter(prefix="/v1", tags=["lists"], dependencies=[Depends(requires("read"))])
_NOTHING = (
    "churn_probability", "churn_probability_low", "churn_probability_high", "risk_band", "expected_margin",
    "margin_median", "margin_low", "margin_high", "clv", "cost_to_serve", "clv_to_cac", "value_if_retained",
    "value_at_risk", "p_alive", "last_order_on", "tenure_days", "action", "action_label", "action_script", "arm",
    "propensity", "drawn_by", "campaign", "assignment_id", "action_cost", "expected_net_value", "effect_source",
)  # fmt: skip
_PROSPECT = EXAMPLE | dict.fromkeys(_NOTHING) | {
    "customer_id": "7", "rung": "trial", "next_order": [], "no_order_within": [], "order_days": 0,
    "conversion_probability": 0.38, "conversion_low": 0.27, "conversion_high": 0.51, "conversion_rung": "logistic",
    "reasons": [{
        "group": "trial", "feature": "days_since_trial", "value": 3.0, "direction": "raises", "weight": 0.71,
        "sentence": {"en": "Last trial 3 days ago", "zh": "上次试用在 3 天前"},
    }],
}  # fmt: skip
EXAMPLE_LIST = {
    "items": [_PROSPECT], "next_cursor": "WyI1ZjBj…", "total": 594, "expected_conversions": 182.4,
    "no_conversion": None, "run_id": "5f0c…", "model_version": "9b1d…",
    "cutoff": "2018-01-01T00:00:00+00:00", "horizon_days": 60, "currency": "USD",
}  # fmt: skip


@router.get(
    "/prospects",
    summary="The prospects and trials, the likeliest to become customers first",
    response_model=ProspectList,
    dependencies=[Depends(requires("read"))],
    responses={200: {"content": FILES}, **UNCHANGED, **REFUSED},
)
def prospects(
    request: Request, query: Annotated[ProspectQuery, Query()], reader: Annotated[Readings, Depends(readings)]
) -> Response:
    """Return one page as JSON, or the whole list as a file; CSV is UTF-8 with a byte order mark."""
    run, fields, me = reader.run(), fields_of(query), seen_by(request)
    file = file_or_none(request, query, "prospects", run, {
        "csv": lambda: prospect_chunks(reader.all_prospects(run, me), query.lang),
        "xlsx": lambda: prospect_xlsx_chunks(reader.all_prospects(run, me), run, query.lang),
        "jsonl": lambda: jsonl_chunks(reader.all_prospects(run, me), fields),
    })  # fmt: skip
    told = {name: run.summary.get(name) for name in ("expected_conversions", "no_conversion")}
    return file or json_page(request, query, reader.prospects(run, query.limit or PAGE, query.cursor, me), run, told)
