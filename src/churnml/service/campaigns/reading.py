"""Campaigns read from the database: the ledger's money and counts, the run that chose, the run that measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine

from churnml.database import Run, units
from churnml.database.campaign_history import Progress, landed_until, latest_runs, progress_of
from churnml.database.history import CampaignTold, campaign_uncounted, campaigns_told, run_of
from churnml.errors import NotFoundError
from churnml.events.schema import ONE_OF
from churnml.service.campaigns.counting import Kept
from churnml.service.campaigns.effects import effect_told
from churnml.service.campaigns.window import window_of
from churnml.service.readings import instant_told

Json = dict[str, Any]  # Any: JSON

_EFFECT = "effect"  # what `churnml measure effect` marks its runs by
_CHOSEN = (
    "cutoff", "time_zone", "currency", "budget", "treated", "control", "held_out", "holdout_share", "control_share",
    "explored", "expected_cost", "expected_net_value", "effect_source", "shadow_price", "effect_horizon_days",
)  # fmt: skip
OF_ACTION = (
    "name", "label", "channel", "open_to", "treated", "control", "expected_cost", "reserved", "expected_net_value",
    "capacity", "place_price",
)  # fmt: skip
"""What is told of each action that was chosen."""


@dataclass(frozen=True)
class _Runs:
    """The runs that chose and measured last, by campaign, and the instant of the last order that has landed."""

    chosen: Mapping[str | None, str]
    measured: Mapping[str | None, str]
    until: int | None


class Campaigns:
    """Answers the questions of API and pages about campaigns.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        From `open_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._chosen = lru_cache(maxsize=500)(self._read_chosen)
        self._effect = lru_cache(maxsize=500)(self._read_effect)
        self._counted = Kept(self._count)

    def every(self) -> list[Json]:
        """Return every campaign, the latest opened first."""
        runs = self._runs()
        return [self._told(one, runs) for one in self._counted()]

    def one(self, name: str) -> Json:
        """Return a campaign with what was chosen in it and how far that is.

        Raises
        ------
        NotFoundError
            If there is none of that name.
        """
        with self._engine.connect() as connection:
            found = campaign_uncounted(connection, name)
            progress = [] if found is None else progress_of(connection, name)
        if found is None:
            raise NotFoundError(f"no campaign `{name}`; /v1/campaigns lists them")
        arms, states = Counter[str](), Counter[str]()
        for each in progress:
            states[each.state] += each.customers
            if each.arm is not None:
                arms[each.arm] += each.customers
        runs = self._runs()
        chosen = runs.chosen.get(name)
        return self._told(replace(found, arms=dict(arms), states=dict(states)), runs) | {
            "assignment": None if chosen is None else self._chosen(chosen),
            "progress": [_progress(each) for each in progress],
        }

    def _count(self) -> list[CampaignTold]:
        with self._engine.connect() as connection:
            return campaigns_told(connection)

    def _runs(self) -> _Runs:
        with self._engine.connect() as connection:
            chosen, measured = latest_runs(connection, "assign"), latest_runs(connection, "measure", _EFFECT)
            return _Runs(chosen, measured, landed_until(connection, ONE_OF))

    def _told(self, one: CampaignTold, runs: _Runs) -> Json:
        chosen, measured = runs.chosen.get(one.name), runs.measured.get(one.name)
        money = {"budget": one.budget, "reserved": one.reserved, "spent": one.spent}
        money["left"] = one.budget - one.reserved - one.spent
        assignment = {} if chosen is None else self._chosen(chosen)
        effect = None if measured is None else self._effect(measured, one.name)
        return {
            "name": one.name,
            **{name: units(amount) for name, amount in money.items()},
            "opened_at": instant_told(one.opened_at),
            "arms": one.arms,
            "states": one.states,
            "window": _window(assignment, effect, runs.until),
            "effect": effect,
        }

    def _read_chosen(self, run_id: str) -> Json:
        with self._engine.connect() as connection:
            run = _finished(connection, run_id)
        told = {name: run.summary.get(name) for name in _CHOSEN}
        actions = run.summary.get("report", {}).get("actions", [])
        return {
            "run_id": run_id,
            "chosen_at": instant_told(run.finished_at or 0),
            **told,
            "actions": [{name: one.get(name) for name in OF_ACTION} for one in actions],
        }

    def _read_effect(self, run_id: str, campaign: str) -> Json:
        with self._engine.connect() as connection:
            run = _finished(connection, run_id)
        return effect_told(run.summary, campaign, run_id, instant_told(run.finished_at or 0))


def _finished(connection: Connection, run_id: str) -> Run:
    found = run_of(connection, run_id)
    if found is None:
        raise NotFoundError(f"no run `{run_id}` any more; ask again")
    return found


def _window(assignment: Mapping[str, Any], effect: Json | None, until: int | None) -> Json | None:  # Any: JSON
    """Return until when outcomes of what was assigned last are counted; None where nobody said over how many days.

    Runs of earlier versions did not say so, but a measurement does; how late outcomes may come, it alone says.
    """
    known = effect or {}
    days, cutoff = assignment.get("effect_horizon_days") or known.get("effect_horizon_days"), assignment.get("cutoff")
    if not days or not cutoff:
        return None
    zone = assignment.get("time_zone") or "UTC"
    return asdict(window_of(cutoff, int(days), int(known.get("label_lag_days") or 0), until, zone))


def _progress(one: Progress) -> Json:
    return {
        "action": one.action,
        "arm": one.arm,
        "state": one.state,
        "customers": one.customers,
        "cost": units(one.cost),
    }
