"""What `churnml assign` knows of the customers when it chooses: their records, their consent, what passed lately."""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.config import AssignConfig, Sector
from churnml.database import Ledger
from churnml.events import TABLES, Recent, marketing, recent
from churnml.events.clock import days_later, local_days, microseconds
from churnml.events.recent import WEEK_DAYS
from churnml.policy import Catalogue, Facts, held_out, load_actions
from churnml.verbs.session import Session

Record = dict[str, Any]  # Any: JSON
Flags = npt.NDArray[np.bool_]


def facts_of(
    session: Session,
    population: list[Record],
    catalogue: Catalogue,
    config: AssignConfig,
    ledger: Ledger,
    campaign: str,
    before: Container[str],
) -> Facts:
    """Return what is known of the customers who were scored, in the order of their records.

    Parameters
    ----------
    ledger : Ledger
        What other campaigns assigned counts as done, whether or not a contact was ever landed for it.
    campaign : str
        This one.
    before : container of str
        Who was assigned something in this campaign before.
    """
    customers = [record["customer_id"] for record in population]
    refusing = session.store.refusing
    cutoff = _cutoff(population)
    passed = recent(session.store, cutoff, customers, catalogue.names, config.open_complaint_days)
    weekly, days_since = _assigned(session, ledger, campaign, cutoff, customers, catalogue, passed)

    def numbers(name: str) -> npt.NDArray[np.float64]:
        return np.array([record.get(name) for record in population], dtype=np.float64)

    def words(name: str) -> npt.NDArray[np.object_]:
        return np.array([record.get(name) for record in population], dtype=np.object_)

    return Facts(
        customers,
        bands=words("risk_band"),
        reasons=np.array([_why(record) for record in population], dtype=np.object_),
        churn_probability=numbers("churn_probability"),
        value_if_retained=numbers("value_if_retained"),
        expected_margin=numbers("expected_margin"),
        basket=numbers("expected_basket"),
        stages=words("lifecycle_stage"),
        segments=words("segment"),
        consented=_consented(session, customers, catalogue),
        refuses_profiling=np.array([customer in refusing for customer in customers], dtype=np.bool_),
        open_complaint=passed.open_complaint,
        contacts=passed.contacts,
        assigned_contacts=weekly,
        days_since=days_since,
        days_to_renewal=np.array([_days_to_renewal(record) for record in population], dtype=np.float64),
        next_category=np.array([offered_category(record) for record in population], dtype=np.object_),
        held_out=held_out(customers, config.holdout_salt, config.holdout_share),
        assigned=np.fromiter((customer in before for customer in customers), np.bool_, len(customers)),
    )


def sector_of(config: AssignConfig, population: list[Record]) -> Sector:
    """Return whose actions are open: as configured, or by what makes a customer in these records."""
    if config.sector != "auto":
        return config.sector
    return "subscription" if any(record.get("churn_by") == "contracts" for record in population[:1]) else "retail"


def actions_of(session: Session, named: Path | None = None) -> Catalogue:
    """Return the catalogue of actions: the file named, that of the workspace's configs, or the one that comes along."""
    own = session.configs / "actions.yaml"
    file = named or (own if own.exists() else None)
    catalogue = load_actions(file)
    catalogue.require_reasons(known_reasons(session), str(file or "actions.yaml"))
    return catalogue


def known_reasons(session: Session) -> frozenset[str]:
    """Return the groups that a top reason can be of, in a workspace with all tables: of features, and own learners."""
    from churnml.features import catalogue, own_features  # noqa: PLC0415  # compiles the kernel

    features = catalogue(TABLES, None, own_features(session.own_features)).features
    groups = {feature.group for feature in features}
    if session.own_learners:
        from churnml.modeling.own_learner import own_learners  # noqa: PLC0415  # LightGBM takes seconds to import

        groups |= {learner.name for learner in own_learners(session.own_learners)}
    return frozenset(groups)


def _cutoff(population: list[Record]) -> int:
    return microseconds(datetime.fromisoformat(population[0]["cutoff"])) if population else 0


def _assigned(
    session: Session,
    ledger: Ledger,
    campaign: str,
    cutoff: int,
    customers: list[str],
    catalogue: Catalogue,
    passed: Recent,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return how often each was assigned something in the last week, and the days since each action with those.

    What was withheld counts like what was given, and of a lot every action that was in it. Otherwise the next campaign
    would give controls what the treated had, and the measured effect would be that of having it a month earlier. An
    assignment since which the same action has landed as a contact is that contact, and is not counted again.
    """
    days_since, weekly = passed.days_since.copy(), np.zeros(len(customers), dtype=np.int64)
    place, column = ({one: at for at, one in enumerate(ones)} for ones in (customers, catalogue.names))
    longest = max((action.cool_down_days for action in catalogue.actions), default=0)
    zone = session.settings.time_zone
    since = days_later(cutoff, -max(longest, WEEK_DAYS), zone)
    today = local_days(np.array([cutoff]), zone)[0][0]
    for one in ledger.assignments(since=since):
        row = place.get(one.customer_id)
        names = (one.details or {}).get("among") or [one.action]
        actions = [column[name] for name in names if name in column]
        days = float(today - local_days(np.array([one.cutoff]), zone)[0][0])
        if row is None or not actions or days < 0 or one.campaign == campaign:
            continue
        weekly[row] += days < WEEK_DAYS and bool((days_since[row, actions] > days).all())
        days_since[row, actions] = np.minimum(days_since[row, actions], days)
    return weekly, days_since


def _consented(session: Session, customers: list[str], catalogue: Catalogue) -> Flags | None:
    """Return who may be approached by each action's channel; None where consent is assumed of all.

    By the consents that have landed; a table of nothing but withdrawals leaves consent assumed of all others. What was
    told to the service since and has not landed holds as well.
    """
    agreed = None if session.settings.consent == "assumed" else np.zeros(len(customers), dtype=np.bool_)
    if "consents" in session.store.tables:
        said = marketing(session.store)
        assumed = agreed is None and not said.tells_who_agreed
        who = {
            action.channel: ~said.may_not(customers, action.channel) if assumed else said.may(customers, action.channel)
            for action in catalogue.actions
        }
        agreed = np.column_stack([who[action.channel] for action in catalogue.actions])
    withdrawn = session.catalogue.withdrawn()
    if not withdrawn:
        return agreed
    open_to = np.ones((len(customers), 1), dtype=np.bool_) if agreed is None else agreed.reshape(len(customers), -1)
    return open_to & ~np.column_stack([_told(withdrawn, customers, action.channel) for action in catalogue.actions])


def _told(withdrawn: Mapping[str, Container[str]], customers: list[str], channel: str) -> Flags:
    """Return who of some customers told the service not to approach them by a channel; shape (n_customers,)."""
    by = [withdrawn[name] for name in ("", channel.strip().casefold()) if name in withdrawn]
    return np.fromiter((any(one in who for who in by) for one in customers), np.bool_, len(customers))


def offered_category(record: Record) -> str | None:
    """Return the category that a cross-sell offer would name: one they have not bought, None where none is known."""
    found = record.get("next_category")
    return found["category"] if found and found["kind"] == "cross_sell" else None


def _why(record: Record) -> str:
    """Return the group of the strongest reason that raises the risk, empty if none does."""
    return next((reason["group"] for reason in record["reasons"] if reason["direction"] == "raises"), "")


def _days_to_renewal(record: Record) -> float:
    """Return the days from the cutoff until a contract renews, NaN where none is known to."""
    renews = record.get("renews_on")
    if not renews:
        return float("nan")
    return float((date.fromisoformat(renews) - datetime.fromisoformat(record["cutoff"]).date()).days)
