"""What was done to whom, from the table of contacts and from the ledger, as one log of treatments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.database import Assignment, Ledger, Outcome, Run, units
from churnml.errors import NotEnoughDataError, UsageError, nearest
from churnml.events.clock import local_days, microseconds
from churnml.events.treatments import CHOICE, Bools, Treatments, executed, treatments
from churnml.verbs.session import Session

Record = dict[str, Any]  # Any: JSON
Funnel = dict[str, dict[str, int]]
"""By action: how many were assigned, were to be treated, and of how many it is known that they got and used it."""


EVERYTHING = "all_actions"
"""What is compared with the hold-out: all that a campaign did, as if it were one action."""

_UNHEARD = ("open", "expired")
RECORDED = ("segment", "lifecycle_stage", "risk_band")
"""What a decision record says of a customer at the time of their assignment, by which effects may be told apart."""


@dataclass(frozen=True)
class Log:
    """Every treatment there is, whatever its source.

    Parameters
    ----------
    treatments : Treatments
    breaches : dict of str to int
        By action, the controls who were treated all the same.
    funnel : Funnel
        Of assignments; empty without a ledger.
    """

    treatments: Treatments
    breaches: dict[str, int]
    funnel: Funnel


def log_of(session: Session, now: int, campaign: str | None) -> Log:
    """Return what was done by an instant, in one campaign or in all.

    Raises
    ------
    NotEnoughDataError
        If there is no treatment at all.
    UsageError
        If there is none of that campaign.
    """
    ledger = Ledger(session.catalogue.engine)
    whole, broken, assignments = everything(session, now)
    if not len(whole):
        raise NotEnoughDataError(
            "an effect needs treatments, found none: no contact has landed and nobody was assigned an action; `churnml "
            "assign`, or ingest the table `contacts` with action, arm and propensity"
        )
    campaigns = sorted(set(whole.campaign.tolist()))
    if campaign is not None and campaign not in campaigns:
        known, near = ", ".join(map(repr, campaigns)), nearest(campaign, campaigns)
        raise UsageError(f"--campaign must be one of {known}, got {campaign!r}{near}")
    names = sorted({one.campaign for one in assignments} if campaign is None else {campaign})
    posted = [one for name in names for one in ledger.outcomes(name)]
    mine = [one for one in assignments if one.campaign in names]
    breaches: dict[str, int] = {}
    for one, breach in zip(assignments, broken.tolist(), strict=True):
        if breach and one.campaign in names:
            breaches[one.action] = breaches.get(one.action, 0) + 1
    whole = Treatments.joined([whole, of_hold_out(session, assignments, now)])
    kept = np.ones(len(whole), dtype=np.bool_) if campaign is None else whole.campaign == campaign
    return Log(whole.take(np.asarray(kept, dtype=np.bool_)), breaches, _funnel(mine, posted))


def everything(session: Session, now: int) -> tuple[Treatments, Bools, list[Assignment]]:
    """Return what was done by an instant whatever its source, which assignments were broken, and those assignments."""
    assignments = [one for one in Ledger(session.catalogue.engine).assignments() if one.cutoff <= now]
    return *executed(of_ledger(assignments, session.settings.time_zone), treatments(session.store, now)), assignments


def of_ledger(assignments: Sequence[Assignment], time_zone: str) -> Treatments:
    """Return assignments as treatments.

    What was open in a draw stands in `details` under `among`, as a list of actions. What nobody posted an outcome of is
    taken to have cost what was expected: with outcomes left out, every action would look free.
    """
    if not assignments:
        return Treatments.joined([])
    cutoffs = np.array([one.cutoff for one in assignments], dtype=np.int64)
    arm = np.array([one.arm == "treated" for one in assignments], dtype=np.bool_)
    cost = np.array([_cost(one) for one in assignments])
    among = [" ".join((one.details or {}).get("among", ())) for one in assignments]

    def texts(values: Sequence[str]) -> npt.NDArray[np.object_]:
        return np.array(values, dtype=object)

    return Treatments(
        customer_ids=texts([one.customer_id for one in assignments]),
        cutoffs=cutoffs - local_days(cutoffs, time_zone)[1],
        action=texts([one.action for one in assignments]),
        campaign=texts([one.campaign for one in assignments]),
        arm=arm,
        propensity=np.array([one.propensity for one in assignments]),
        cost=np.where(arm, cost, 0.0),
        drawn_by=texts([one.drawn_by for one in assignments]),
        among=texts(among),
    )


def of_hold_out(session: Session, assignments: Sequence[Assignment], now: int) -> Treatments:
    """Return who was within reach of each campaign and who was held out of it: what all of its actions together did.

    It is told by the records of the campaign's first run, when nobody had been given anything by it. Whoever is not
    held out counts as treated, also those for whom nothing was chosen.
    """
    # the latest come first, so the first run of each campaign is what stays
    first = {str(run.summary["campaign"]): run for run in session.catalogue.runs("assign") if _told_hold_out(run)}
    given = {(one.campaign, one.customer_id): _cost(one) for one in assignments if one.arm == "treated"}
    parts = []
    for campaign, run in first.items():
        share, cutoff = float(run.summary["holdout_share"]), microseconds(datetime.fromisoformat(run.summary["cutoff"]))
        if cutoff > now:
            continue
        records = [one for one in session.records.of_run(run.run_id) if one["churn_probability"] is not None]
        customers = np.array([one["customer_id"] for one in records], dtype=object)
        arm = np.array([one["arm"] != "held_out" for one in records], dtype=np.bool_)
        whole = np.full(len(records), 1.0)
        parts.append(
            Treatments(
                customer_ids=customers,
                cutoffs=np.full(len(records), cutoff),
                action=np.full(len(records), EVERYTHING, dtype=object),
                campaign=np.full(len(records), campaign, dtype=object),
                arm=arm,
                propensity=whole * (1 - share),
                cost=np.array([given.get((campaign, one), 0.0) for one in customers.tolist()]) * arm,
                drawn_by=np.full(len(records), CHOICE, dtype=object),
                among=np.full(len(records), "", dtype=object),
            )
        )
    return Treatments.joined(parts)


def _told_hold_out(run: Run) -> bool:
    return bool(run.summary.get("holdout_share"))


def _cost(one: Assignment) -> float:
    """Return what an assignment cost beside orders: what was taken off one is missing from its amount already."""
    if "cost_beside_orders" in (one.details or {}):
        return float((one.details or {})["cost_beside_orders"])
    if one.state in _UNHEARD and not one.cost:
        return float((one.details or {}).get("expected_cost", np.nan))
    return units(one.cost)


def recorded(session: Session, log: Treatments, name: str) -> npt.NDArray[np.object_]:
    """Return what the decision record of each assignment says under a name; empty where a contact has no record."""
    return np.array([str((record or {}).get(name) or "") for record in records_of(session, log)], dtype=object)


def records_of(session: Session, log: Treatments) -> list[Record | None]:
    """Return the decision record of each assignment, as it was when it was assigned; None where a contact has none."""
    assignments = Ledger(session.catalogue.engine).assignments()
    known: dict[tuple[str, str], Record] = {}
    for run_id in sorted({one.run_id for one in assignments}):
        own = {one.customer_id: one.campaign for one in assignments if one.run_id == run_id}
        for record in session.records.of_run(run_id):
            if record["customer_id"] in own:
                known[own[record["customer_id"]], record["customer_id"]] = record
    return [known.get(one) for one in zip(log.campaign.tolist(), log.customer_ids.tolist(), strict=True)]


def posted_values(session: Session, log: Treatments, closes: Callable[[int], int]) -> npt.NDArray[np.float64]:
    """Return the sum of the values that were posted of each treatment within its window; NaN of what is no assignment.

    Parameters
    ----------
    closes : callable
        From the cutoff of a treatment to the end of its window.

    Raises
    ------
    NotEnoughDataError
        If values were not posted of treated and of controls: of one arm alone they are no comparison.
    """
    ledger = Ledger(session.catalogue.engine)
    row = {(one.campaign, one.customer_id): one.assignment_id for one in ledger.assignments()}
    values: dict[str, list[Outcome]] = {}
    for campaign in sorted(set(log.campaign.tolist()) & {one.name for one in ledger.campaigns()}):
        for outcome in ledger.outcomes(campaign):
            if outcome.kind == "value":
                values.setdefault(outcome.assignment_id, []).append(outcome)
    sums, told = np.full(len(log), np.nan), np.zeros(len(log), dtype=np.bool_)
    for place, whose in enumerate(zip(log.campaign.tolist(), log.customer_ids.tolist(), strict=True)):
        if whose not in row:
            continue
        first = int(log.cutoffs[place])
        mine = [one for one in values.get(row[whose], ()) if first <= one.occurred_at < closes(first)]
        sums[place], told[place] = units(sum(one.amount or 0 for one in mine)), bool(mine)
    arms = int((told & log.arm).sum()), int((told & ~log.arm).sum())
    if not min(arms):
        raise NotEnoughDataError(
            f"`--outcome posted` needs values posted of treated and of controls alike, found them of {arms[0]:,} "
            f"treated and {arms[1]:,} controls; post outcomes of kind `value` for both (`churnml measure outcomes`), "
            "or measure by the orders that have landed"
        )
    return sums


def _funnel(assignments: Sequence[Assignment], posted: Sequence[Outcome]) -> Funnel:
    kinds: dict[str, set[str]] = {}
    for outcome in posted:
        kinds.setdefault(outcome.kind, set()).add(outcome.assignment_id)
    found: Funnel = {}
    for one in assignments:
        steps = found.setdefault(one.action, {"assigned": 0, "treated": 0, "delivered": 0, "redeemed": 0})
        steps["assigned"] += 1
        if one.arm != "treated":
            continue
        used = one.assignment_id in kinds.get("redeemed", ())
        steps["treated"] += 1
        steps["delivered"] += used or one.assignment_id in kinds.get("carried_out", ())
        steps["redeemed"] += used
    return found
