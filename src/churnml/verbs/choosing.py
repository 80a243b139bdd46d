"""What `churnml assign` chooses on a day: from records and facts to decisions, reserved in the campaign's ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from churnml.config import AssignConfig, Sector
from churnml.database import Assignment, Campaign, Ledger, Run, assignment_id
from churnml.database.consents import WITHHELD
from churnml.database.money import millionths, units
from churnml.events.clock import microseconds
from churnml.policy import DO_NOTHING, Catalogue, Decisions, Design, Facts, Limits, decide, marginal_returns
from churnml.verbs.assign_report import reported
from churnml.verbs.campaign import IN_LEDGER, campaign_name, told_of, wanted
from churnml.verbs.deciding import facts_of, sector_of
from churnml.verbs.known_effects import KnownEffects, known_effects
from churnml.verbs.session import Session

Json = dict[str, Any]  # Any: JSON

_PLACES = 4
_CURVE_PAIRS = 5_000_000
"""Customers times actions up to which every run tells what other budgets would bring; beyond, only a dry run does."""


@dataclass(frozen=True)
class Day:
    """When, in which campaign and on which scores something is chosen.

    Parameters
    ----------
    scored : Run
        The scores.
    cutoff : int
        Theirs, microseconds UTC.
    campaign : str
        Its name.
    """

    scored: Run
    cutoff: int
    campaign: str
    ledger: Ledger

    @classmethod
    def of(cls, session: Session, config: AssignConfig, scored: Run) -> Day:
        """Return the day of some scores."""
        cutoff = microseconds(datetime.fromisoformat(scored.summary["cutoff"]))
        name = campaign_name(config.campaign, cutoff, session.settings.time_zone)
        return cls(scored, cutoff, name, Ledger(session.catalogue.engine))

    def require_covered(self, budget: float, *, anew: bool) -> None:
        """Refuse a budget that the campaign cannot be moved to, before anything is chosen; see `Campaign`."""
        for there in self._campaigns():
            there.require_covered(millionths(budget), anew=anew)

    def standing(self, budget: float) -> Campaign:
        """Return the campaign as it stands, with a budget in currency units; one that was never opened is all left."""
        named = Campaign(self.campaign, millionths(budget), 0, 0)
        return next((replace(there, budget=named.budget) for there in self._campaigns()), named)

    def _campaigns(self) -> list[Campaign]:
        return [one for one in self.ledger.campaigns() if one.name == self.campaign]


@dataclass(frozen=True)
class Chosen:
    """Decisions about a population, beside those the campaign had taken before.

    Parameters
    ----------
    everyone : list of record
        Of the whole base.
    known : KnownEffects
        The actions, and what is known of their effects.
    facts : Facts
        Of those who were scored.
    before : mapping of str to Assignment
        What the campaign had assigned, by customer.
    money : Campaign
        The campaign after what is told here.
    """

    day: Day
    config: AssignConfig
    known: KnownEffects
    sector: Sector
    time_zone: str
    everyone: list[Json]
    facts: Facts
    decisions: Decisions
    before: Mapping[str, Assignment]
    money: Campaign

    @classmethod
    def of(
        cls, session: Session, day: Day, catalogue: Catalogue, config: AssignConfig, *, afresh: bool = False
    ) -> Chosen:
        """Choose for the population of the scores, from what is left of the budget; nothing is reserved yet.

        Parameters
        ----------
        afresh : bool, default False
            As if the campaign had assigned nothing yet.
        """
        everyone = session.records.of_run(day.scored.run_id)
        population = [record for record in everyone if record["churn_probability"] is not None]
        assigned = [] if afresh else day.ledger.assigned(day.campaign)
        before = {one.customer_id: one for one in assigned}
        money = day.standing(config.budget)
        money = replace(money, reserved=0, spent=0) if afresh else money
        facts = facts_of(session, population, catalogue, config, day.ledger, day.campaign, before)
        sector = sector_of(config, population)
        known = known_effects(session, day.cutoff, facts, catalogue)
        decisions = _decided(day, config, known, sector, facts, money)
        zone = session.settings.time_zone
        return cls(day, config, known, sector, zone, everyone, facts, decisions, before, money)

    def within(self, budget: float) -> Chosen:
        """Return what would be chosen for the same customers with another budget of the campaign, currency units."""
        money = replace(self.money, budget=millionths(budget))
        decisions = _decided(self.day, self.config, self.known, self.sector, self.facts, money)
        return replace(self, decisions=decisions, money=money)

    def reserved(self, run_id: str, now: int, *, anew: bool = False) -> Chosen:
        """Reserve what was chosen, and return it beside what others have assigned and without whose money they took."""
        day, rows = self.day, wanted(self.facts, self.decisions, self.catalogue, self.day.cutoff, self.time_zone)
        budget = millionths(self.config.budget)
        accepted = day.ledger.reserve(day.campaign, run_id, day.cutoff, rows, now, budget=budget, anew=anew)
        there = np.fromiter((customer in accepted for customer in self.facts.customer_ids), np.bool_, len(self.facts))
        refused = np.isin(self.decisions.arm, IN_LEDGER) & ~there
        # another run of the campaign may have assigned some while this one was choosing: what it gave them stands
        others = {one.customer_id: one for one in day.ledger.assigned(day.campaign) if one.run_id != run_id}
        money = day.ledger.campaign(day.campaign)
        return replace(self, decisions=self.decisions.without(refused), before=others, money=money)

    @property
    def catalogue(self) -> Catalogue:
        """The actions, with what was measured of them."""
        return self.known.catalogue

    @cached_property
    def place(self) -> dict[str, int]:
        """The row of each customer who was scored."""
        return {customer: row for row, customer in enumerate(self.facts.customer_ids)}

    def records(self, run_id: str) -> Iterator[Json]:
        """Yield the records of the base with what is done about each."""
        for record in self.everyone:
            customer = record["customer_id"]
            if customer in self.before and record["rung"] != "no_profiling":
                found = told_of(self.before[customer], self.catalogue)
                found |= {} if self._may(customer, self.before[customer].action) else WITHHELD
            elif customer in self.place:
                found = self._fields(self.place[customer])
                if found["arm"] in IN_LEDGER:
                    found["assignment_id"] = assignment_id(self.day.campaign, customer)
            else:
                found = {"no_action_because": _unscored(record)}
            yield record | {"run_id": run_id} | found

    def _may(self, customer: str, name: str) -> bool:
        """Tell whether what was assigned before may still be carried out, by what the customer has agreed to since."""
        row, consented = self.place.get(customer), self.facts.consented
        if row is None or consented is None or name not in self.catalogue.names:
            return True
        action = self.catalogue[name]
        agreed = np.broadcast_to(
            np.asarray(consented).reshape(len(self.facts), -1), (len(self.facts), len(self.catalogue.names))
        )
        asked = action.purpose == "marketing" and action.channel != "none"
        return not asked or bool(agreed[row, self.catalogue.names.index(name)])

    def _fields(self, row: int) -> Json:
        made, action = self.decisions, self.catalogue[str(self.decisions.action[row])]
        return {
            "action": action.name,
            "action_label": action.label.model_dump(),
            "action_script": action.script_about(self.facts.category(row)),
            "arm": str(made.arm[row]),
            "propensity": float(made.propensity[row]),
            "drawn_by": ("explore" if made.explored.who[row] else "choice") if made.arm[row] in IN_LEDGER else None,
            "campaign": self.day.campaign,
            "assignment_id": None,
            "action_cost": round(float(made.cost[row]), _PLACES),
            "expected_net_value": round(float(made.expected_net_value[row]), _PLACES),
            "effect_source": str(made.effect_source[row]),
            "no_action_because": made.no_action_because[row],
        }

    def summary(self) -> Json:
        """Return the counts and sums of the campaign as it stands, and why the others get nothing."""
        made, allowed = self.decisions, self.decisions.eligibility
        earlier = [one for one in self.before.values() if one.arm == "treated"]
        names = Counter(made.action[made.treated].tolist()) + Counter(one.action for one in earlier)
        unscored = Counter(_unscored(record) for record in self.everyone if record["churn_probability"] is None)
        report = reported(made, unscored, self.before)
        worth = [(one.details or {}).get("expected_net_value", 0.0) for one in earlier]
        costs = [(one.details or {}).get("expected_cost", 0.0) for one in earlier]
        explored = int(made.explored.who.sum()) + sum(one.drawn_by == "explore" for one in self.before.values())
        return {
            "campaign": self.day.campaign,
            "budget": units(self.money.budget),
            "reserved": units(self.money.reserved),
            "spent": units(self.money.spent),
            "left": units(self.money.left),
            "assigned_before": len(self.before),
            "assigned": len(self.before) + int(np.isin(made.arm, IN_LEDGER).sum()),
            "sector": self.sector,
            "expected_cost": made.expected_cost + sum(costs),
            "treated": int(made.treated.sum()) + len(earlier),
            "control": int((made.arm == "control").sum()) + len(self.before) - len(earlier),
            "held_out": int((made.arm == "held_out").sum()),
            "holdout_share": self.config.holdout_share,
            "control_share": self.config.control_share,
            "effect_horizon_days": self.config.effect_horizon_days,
            "explored": explored,
            "actions": dict(sorted(names.items())),
            "expected_net_value": float(made.expected_net_value[made.treated].sum()) + sum(worth),
            "shadow_price": made.assignment.shadow_price,
            "gap": made.assignment.gap,
            "effect_source": self._sources(),
            "measured": list(self.known.measured),
            "exclusions": dict(allowed.pairs),
            "nothing_open": int(allowed.nothing_open.sum()),
            "no_action_because": {one["because"]: one["customers"] for one in report["no_action_because"]},
            "least_reserve": self._least_reserve(),
            "report": report,
        } | ({"returns": self.returns()} if made.choosing.net_value.size <= _CURVE_PAIRS else {})

    def planned(self) -> Json:
        """Return the summary of what would be done, and what other budgets would bring; nothing was reserved."""
        plan = self.decisions
        would = {"reserved": units(self.money.reserved) + plan.reserved, "left": units(self.money.left) - plan.reserved}
        told = self.summary() | would | {"dry_run": True}
        return told if "returns" in told else told | {"returns": self.returns()}

    def returns(self) -> Json:
        """Return what the choice would be worth at budgets around what is left, as JSON."""
        made = self.decisions.choosing
        curve = marginal_returns(made.net_value, made.max_costs, made.is_open, made.budget, made.capacities)
        points = zip(curve.budget, curve.spent, curve.value, curve.marginal, strict=True)
        names = ("budget", "reserved", "value", "marginal")
        return {
            "points": [{name: float(one) for name, one in zip(names, point, strict=True)} for point in points],
            "enough": curve.enough,
            "most": curve.most,
        }

    def _sources(self) -> str:
        """Return where the effects of what the campaign does come from: one of `effect.SOURCES`, or `mixed`."""
        made = self.decisions
        found = set(made.effect_source[made.action != DO_NOTHING].tolist())
        found |= {(one.details or {}).get("effect_source") for one in self.before.values() if one.action != DO_NOTHING}
        found.discard(None)
        return "prior" if not found else found.pop() if len(found) == 1 else "mixed"

    def _least_reserve(self) -> float | None:
        """Return the least that any open action would reserve; None where nothing is open to anybody."""
        open_to_some = self.decisions.eligibility.is_open[:, 1:].any(axis=0)
        costs = self.catalogue.max_costs[1:][open_to_some]
        return float(costs.min()) if costs.size else None


def _decided(
    day: Day, config: AssignConfig, known: KnownEffects, sector: Sector, facts: Facts, money: Campaign
) -> Decisions:
    """Return what is chosen from what is left of a campaign's budget."""
    return decide(
        replace(facts, sleeping=known.sleeping),
        known.catalogue,
        budget=units(max(money.left, 0)),
        design=_design(config, day.campaign, known=known.settled),
        limits=Limits(sector, config.contacts_per_week),
        effect=known.effect,
    )


def _design(config: AssignConfig, campaign: str, *, known: tuple[str, ...]) -> Design:
    """Return how chance is used: lots are for finding out, so there are fewer where everything open is known."""
    return Design(
        f"{config.salt}/{campaign}",
        config.control_share,
        config.explore_share,
        config.explore_budget_share,
        config.explore_share_measured,
        known,
    )


def _unscored(record: Json) -> str:
    """Return why nothing is done for one who has no score."""
    return "no_profiling" if record["rung"] == "no_profiling" else "no_score"
