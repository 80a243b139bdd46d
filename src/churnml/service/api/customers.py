"""Decision records by customer id, one or many."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from churnml.service import etags
from churnml.service.access import requires
from churnml.service.api.shapes import MAX_IDS, DecisionRecord, RecordQuery, Scores, ScoresRequest, engine, readings
from churnml.service.fields import chosen, sparse
from churnml.service.problems import described
from churnml.service.readings import NO_RUN, Readings
from churnml.service.sight import held_by_others, require_seen, seen_by
from churnml.service.trail import viewed, viewed_all

router = APIRouter(prefix="/v1", tags=["records"], dependencies=[Depends(requires("read"))])
Reader = Annotated[Readings, Depends(readings)]
EXAMPLE = {
    "customer_id": "42", "cutoff": "2018-01-01T00:00:00+00:00", "run_id": "5f0c…", "model_version": "9b1d…",
    "rung": "logistic", "churn_by": "orders", "horizon_days": 60, "population_days": 90, "churn_probability": 0.43,
    "lifecycle_path": [
        {"stage": "mature", "first": "2017-02-28", "last": "2017-11-30", "periods": 10},
        {"stage": "declining", "first": "2017-12-31", "last": "2017-12-31", "periods": 1},
    ],
    "churn_probability_low": 0.31, "churn_probability_high": 0.57, "risk_band": "high",
    "expected_margin": 12.3, "margin_median": 7.1, "margin_low": 0.0, "margin_high": 41.5,
    "clv": 120.5, "clv_days": 365, "discount_rate": 0.1, "cost_to_serve": 0.0,
    "acquisition_cost": 40.0, "clv_to_cac": 3.0125,
    "value_if_retained": 180.0, "value_at_risk": 77.4,
    "p_alive": 0.91,
    "satisfaction": 68.4, "satisfaction_low": 41.0, "satisfaction_high": 90.2, "satisfaction_from": "estimate",
    "next_order": [
        {"quantile": 0.25, "date": "2018-01-13"},
        {"quantile": 0.5, "date": "2018-02-14"},
        {"quantile": 0.75, "date": "2018-06-02"},
    ],
    "no_order_within": [
        {"days": 30, "probability": 0.61, "extrapolated": False},
        {"days": 60, "probability": 0.43, "extrapolated": False},
        {"days": 90, "probability": 0.35, "extrapolated": True},
    ],
    "contract_over_within": [],
    "remaining_life": [
        {"quantile": 0.25, "date": "2018-03-09"},
        {"quantile": 0.5, "date": "2018-11-30"},
        {"quantile": 0.75, "date": "2020-08-17"},
    ],
    "renews_on": None,
    "currency": "USD", "last_order_on": "2017-11-20T00:00:00+00:00", "order_days": 23,
    "tenure_days": 340,
    "reasons": [{
        "group": "rhythm", "feature": "recency_days", "value": 41.0, "direction": "raises", "weight": 0.83,
        "sentence": {"en": "No order for 41 days; usually every 12", "zh": "已有 41 天没有下单；通常每 12 天一次"},
    }],
    "action": "coupon_10", "action_label": {"en": "10 % coupon", "zh": "九折券"},
    "action_script": {"en": "Send the coupon with a personal line.", "zh": "附上一句问候，发送优惠券。"},
    "arm": "treated", "propensity": 0.9, "drawn_by": "choice", "campaign": "retention-2018-01",
    "assignment_id": "cd9e079dddcc6390f23d173f4fcb39e3", "action_cost": 1.4, "expected_net_value": 5.2,
    "effect_source": "prior", "no_action_because": None,
}  # fmt: skip


@router.get(
    "/customers/{customer_id:path}",
    summary="The decision record of one customer",
    response_model=DecisionRecord,
    dependencies=[Depends(requires("read"))],
    responses={
        200: {"content": {"application/json": {"example": EXAMPLE}}},
        **etags.UNCHANGED,
        **described({
            403: ("forbidden", "`li` looks after this customer, and you see your own and nobody's; …"),
            404: ("not_found", "no customer `nobody` in the records as of 2018-01-01T00:00:00+00:00"),
            422: ("invalid_request", "`fields` must name fields of a record, found no `clvv`; did you mean `clv`?"),
            503: ("dependency", NO_RUN),
        }),
    },
)  # fmt: skip
def customer(request: Request, customer_id: str, query: Annotated[RecordQuery, Query()], reader: Reader) -> Response:
    """Return the record of the latest finished run. Ids are text: `00123` is not `123`; escape `/` as `%2F`."""
    fields = chosen(query.fields, DecisionRecord.model_fields)
    require_seen(request, customer_id)
    record = reader.customer(customer_id)
    viewed(request, customer_id)
    return etags.answer(request, sparse(record, fields))


@router.post(
    "/scores",
    summary="The decision records of up to 500 customers",
    response_model=Scores,
    dependencies=[Depends(requires("read"))],
    responses={
        200: {"content": {"application/json": {"example": {"records": [EXAMPLE], "unknown": ["nobody"]}}}},
        **described({
            413: ("too_large", "the body may hold at most 1,000,000 bytes; send fewer ids at a time"),
            422: ("invalid_request", f"`customer_ids` must hold at most {MAX_IDS}, got 501"),
            503: ("dependency", NO_RUN),
        }),
    },
)  # fmt: skip
def scores(wanted: ScoresRequest, request: Request, reader: Reader) -> JSONResponse:
    """Return each record once, in the order asked for; ids without a record are listed, not an error.

    To an agent who sees their own customers alone, those of colleagues are listed in `withheld`.
    """
    me = seen_by(request)
    if me is None:
        found, unknown = reader.customers(wanted.customer_ids)
        viewed_all(request, [str(one["customer_id"]) for one in found])
        return JSONResponse({"records": found, "unknown": unknown})
    with engine(request).connect() as connection:
        held = held_by_others(connection, wanted.customer_ids, me)
    found, unknown = reader.customers([one for one in wanted.customer_ids if one not in held])
    viewed_all(request, [str(one["customer_id"]) for one in found])
    withheld = [one for one in dict.fromkeys(wanted.customer_ids) if one in held]
    return JSONResponse({"records": found, "unknown": unknown, "withheld": withheld})
