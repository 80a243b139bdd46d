"""What campaigns cost, and what they have saved as far as it was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from churnml.database import units
from churnml.database.history import RunSaid, campaigns_uncounted, run_of, runs_said
from churnml.database.landings import freshness
from churnml.service.campaigns.window import Window, window_of
from churnml.service.readings import instant_told

Json = dict[str, Any]  # Any: JSON
WHOLE = "all_actions"
"""What `churnml measure effect` calls everything that a campaign did, held against the hold-out."""
MOST_CAMPAIGNS = 6
_LOOKED_AT = 60
_EFFECT = ("of", "campaign", "as_of", "effect_horizon_days", "label_lag_days")
_TEACHING = ("orders", "subscriptions")


@dataclass(frozen=True)
class ActionSaid:
    """What was found of an action.

    Parameters
    ----------
    label, said : dict of str to str
        In English and Chinese; with its interval where it has one.
    verdict : str or None
        `helps`, `harms`, `loses`, `not_yet`, …; None where there was nothing to compare.
    """

    action: str
    label: dict[str, str]
    said: dict[str, str]
    verdict: str | None


@dataclass(frozen=True)
class EffectSaid:
    """What was measured last of a campaign, or of all together.

    Parameters
    ----------
    campaign : str or None
        None of all together.
    as_of : str
        The day up to which orders counted, ISO 8601.
    whole : ActionSaid or None
        Of everything that was done, against those held out.
    actions : list of ActionSaid
        Of each action alone; those that are settled first.
    """

    campaign: str | None
    measured_at: str
    as_of: str
    whole: ActionSaid | None
    actions: list[ActionSaid]


@dataclass(frozen=True)
class CampaignNow:
    """A campaign: its money, when its windows close, and whether it waits to be measured.

    Parameters
    ----------
    closes_on, final_on : str or None
        The day on which the windows of its last assignments close, and the one from which on nothing of them can be
        told late; None where no assignment tells how long they are.
    to_measure : bool
        Whether all of that has landed, and nothing was measured since.
    """

    name: str
    budget: float
    spent: float
    reserved: float
    closes_on: str | None
    final_on: str | None
    to_measure: bool


@dataclass(frozen=True)
class Saved:
    """Campaigns, the latest opened first, and what was found of them; money in the workspace's currency."""

    spent: float
    budget: float
    campaigns: list[CampaignNow]
    effects: list[EffectSaid]


def saved_of(connection: Connection, time_zone: str) -> Saved:
    """Return what campaigns cost and what they have saved, as far as it was measured."""
    measured = [one for one in runs_said(connection, "measure", _EFFECT, _LOOKED_AT) if one.said["of"] == "effect"]
    assigned = runs_said(connection, "assign", ("campaign", "cutoff", "effect_horizon_days"), _LOOKED_AT)
    until, money = _landed_until(connection), campaigns_uncounted(connection)
    campaigns = []
    for one in money[:MOST_CAMPAIGNS]:
        window = _window(one.name, assigned, measured, until, time_zone)
        due = window is not None and window.closed and not _is_told(one.name, measured, window)
        amounts = (units(one.budget), units(one.spent), units(one.reserved))
        closes_on, final_on = (None, None) if window is None else (window.closes_on, window.final_on)
        campaigns.append(CampaignNow(one.name, *amounts, closes_on, final_on, due))
    return Saved(
        spent=units(sum(one.spent for one in money)),
        budget=units(sum(one.budget for one in money)),
        campaigns=campaigns,
        effects=_effects(connection, measured),
    )


def _effects(connection: Connection, measured: Sequence[RunSaid]) -> list[EffectSaid]:
    """Return what was measured last of each campaign and of all together, the latest first."""
    latest: dict[str | None, RunSaid] = {}
    for one in measured:
        latest.setdefault(one.said["campaign"], one)
    chosen = list(latest.values())[:MOST_CAMPAIGNS]
    wholes = ((one, run_of(connection, one.run_id)) for one in chosen)
    return [_effect(one, whole.summary["actions"]) for one, whole in wholes if whole is not None]


def _effect(one: RunSaid, told: Json) -> EffectSaid:
    actions = [_action(name, each) for name, each in told.items() if "said" in each]  # an early report says nothing
    alone = sorted((each for each in actions if each.action != WHOLE), key=lambda each: _RANK.get(each.verdict, 9))
    whole = next((each for each in actions if each.action == WHOLE), None)
    return EffectSaid(one.said["campaign"], instant_told(one.finished_at), str(one.said["as_of"]), whole, alone)


_RANK: dict[str | None, int] = {"harms": 0, "loses": 1, "helps": 2, "open_end": 3, "not_yet": 4, "never": 5}


def _action(name: str, told: Json) -> ActionSaid:
    overall = told["overall"]
    return ActionSaid(name, told["label"], told["said"], overall and overall["verdict"])


def _window(
    campaign: str, assigned: Iterable[RunSaid], measured: Iterable[RunSaid], until: int | None, zone: str
) -> Window | None:
    """Return until when outcomes of a campaign's last assignments are counted; None where nobody said over how long."""
    last = next((one for one in assigned if one.said["campaign"] == campaign), None)
    known = next((one.said for one in measured if one.said["campaign"] == campaign), {})
    days = (last and last.said["effect_horizon_days"]) or known.get("effect_horizon_days")
    if last is None or not days:
        return None
    return window_of(str(last.said["cutoff"]), int(days), int(known.get("label_lag_days") or 0), until, zone)


def _is_told(campaign: str, measured: Iterable[RunSaid], window: Window) -> bool:
    """Tell whether a campaign was measured once all its outcomes were there, alone or with the others."""
    return any(
        one.said["campaign"] in {None, campaign} and str(one.said["as_of"]) >= window.final_on for one in measured
    )


def _landed_until(connection: Connection) -> int | None:
    """Return up to when it has landed who ordered, or held a contract."""
    return max((one.last_at for one in freshness(connection) if one.table in _TEACHING), default=None)
