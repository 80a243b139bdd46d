"""Decision records as many as one likes: as long as real ones, no two alike, from the number of the customer alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_PRIME, _STEPS = 7_919, 100_003
_DAYS = (30, 60, 90, 120, 180)
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def record(number: int) -> dict[str, Any]:  # Any: JSON
    """Return the record of one customer; of ten one is a prospect, as in a shop that knows its visitors."""
    share = number * _PRIME % _STEPS / _STEPS
    prospect = number % 10 == 0
    scored: dict[str, Any] = dict.fromkeys(("churn_probability", "value_at_risk", "risk_band", "segment"))
    if not prospect:
        band = ("low", "medium", "high")[int(share * 3)]
        scored = {
            "churn_probability": share,
            "value_at_risk": round(share * 400, 4),
            "risk_band": band,
            "segment": f"{band}_value_{band}_risk",
        }
    money = (
        "expected_margin",
        "margin_low",
        "margin_median",
        "margin_high",
        "clv",
        "cost_to_serve",
        "value_if_retained",
    )
    return {
        "customer_id": f"C{number:09}",
        "cutoff": "2026-01-01T00:00:00+00:00",
        "run_id": "0" * 32,
        "model_version": "f" * 64,
        "rung": "prospect" if prospect else "blend",
        "currency": "USD",
        "lifecycle_stage": "prospect" if prospect else "mature",
        "funnel_stage_label": {"en": "Paying", "zh": "付费"},
        **scored,
        **{name: round(share * 1_000 + place, 4) for place, name in enumerate(money)},
        "next_order": [{"quantile": one, "date": "2026-02-01"} for one in _QUANTILES],
        "no_order_within": [{"days": days, "probability": share / days, "extrapolated": False} for days in _DAYS],
        "remaining_life": [{"quantile": one, "date": "2027-02-01"} for one in _QUANTILES],
        "reasons": [_reason(share, place) for place in range(5)],
        "conversion_probability": share if prospect else None,
        "action": None if prospect or share < 0.5 else "call",
    }  # fmt: skip


def records(count: int) -> Iterator[dict[str, Any]]:  # Any: JSON
    """Give the records of the customers from 0 on."""
    return map(record, range(count))


def _reason(share: float, place: int) -> dict[str, Any]:  # Any: JSON
    return {
        "group": "orders",
        "feature": f"orders_{place}_90d",
        "value": share * place,
        "direction": "raises",
        "weight": share - place / 10,
        "sentence": {
            "en": f"Orders in the last 90 days: {place}, against {place + 1} in the 90 days before",
            "zh": f"近 90 天订单 {place} 笔,之前 90 天为 {place + 1} 笔",
        },
    }
