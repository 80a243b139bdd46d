"""A measurement of what a campaign did, in the few figures that a list has room for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]  # Any: JSON

TOO_FEW = "too_few"
WHOLE = "all_actions"
"""What stands for all actions together, held against the hold-out."""


def effect_told(body: Mapping[str, Any], campaign: str, run_id: str, measured_at: str) -> Json:  # Any: JSON
    """Return the verdict, the net money with its interval and the return on cost of each action.

    Parameters
    ----------
    body : mapping
        What `churnml measure effect` kept.
    campaign : str
        The one that was measured.
    """
    return {
        "run_id": run_id,
        "measured_at": measured_at,
        "as_of": body["as_of"],
        "ended": body["ended"],
        "planned_end": body["planned_ends"].get(campaign),
        "effect_horizon_days": body["effect_horizon_days"],
        "closed": body["cases"]["closed"],
        "still_open": body["cases"]["still_open"],
        "actions": [_action(name, one) for name, one in body["actions"].items()],
    }


def _action(name: str, one: Json) -> Json:
    overall = one.get("overall")
    claimed = overall is not None and overall["verdict"] not in {None, TOO_FEW}
    money = overall["money"] if overall is not None and claimed else {}
    return {
        "action": name,
        "label": one.get("label"),
        "evidence": one.get("evidence"),
        "verdict": overall and overall["verdict"],
        "treated": overall and overall["treated"],
        "controls": overall and overall["controls"],
        **{key: money.get(key) for key in ("net", "net_low", "net_high", "return_on_cost")},
    }
