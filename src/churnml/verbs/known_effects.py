"""What `churnml assign` knows of effects: assumed, then measured on average, then learned of each customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.policy import DO_NOTHING, Catalogue, Effect, Facts, prior_effect
from churnml.policy.learned import MeasuredEffect, learned_priors, weight_of_margin
from churnml.policy.own_effects import with_own
from churnml.verbs.measure_effect import measured_effects
from churnml.verbs.own_effects import own_effects
from churnml.verbs.session import Session


@dataclass(frozen=True)
class KnownEffects:
    """What is known of every action for every customer.

    Parameters
    ----------
    catalogue : Catalogue
        With what was measured in place of what was assumed, as far as it is sure.
    effect : Effect
    sleeping : ndarray of bool, shape (n_customers, n_actions)
        Whom an action was found to harm.
    measured : tuple of str
        The actions of which anything was measured.
    settled : tuple of str
        Those of which it is known beyond noise what they bring, or whom they help: where nothing else is open, fewer
        lots are drawn.
    """

    catalogue: Catalogue
    effect: Effect
    sleeping: npt.NDArray[np.bool_]
    measured: tuple[str, ...]
    settled: tuple[str, ...]


def known_effects(session: Session, cutoff: int, facts: Facts, catalogue: Catalogue) -> KnownEffects:
    """Return the effects to choose by.

    Parameters
    ----------
    cutoff : int
        Of the scores; what is learned of a customer stands on features as of it. Microseconds UTC.
    facts : Facts
        The customers.
    """
    found = {name: one for name, one in measured_effects(session).items() if name in catalogue.names}
    learned = _with(catalogue, found)
    average = prior_effect(learned, facts.churn_probability, facts.value_if_retained, facts.expected_margin)
    own = own_effects(session, cutoff, facts.customer_ids, learned.names)
    effect, by_customer = with_own(
        average,
        facts.value_if_retained,
        margin_change=own.margin_change,
        margin_sd=own.margin_sd,
        churn_change=own.churn_change,
        churn_sd=own.churn_sd,
        caution=catalogue.caution,
    )
    weight = np.array(
        [weight_of_margin(one.prior, found[one.name]) if one.name in found else 0.0 for one in catalogue.actions]
    )
    borne = np.where(np.isnan(own.margin_change), weight, 1.0) * catalogue.taken_off(facts.baskets)
    measured = [action.name for action in learned.actions if action.effect_source == "measured"]
    told = {learned.names[column] for column in np.unique(np.nonzero(by_customer)[1]).tolist()}
    sure = {name for name, one in found.items() if one.net_low > 0 or one.net_high < 0}
    everything, settled = tuple(sorted({*measured, *told})), tuple(sorted(sure | told))
    return KnownEffects(learned, effect.before(borne), own.sleeping, everything, settled)


def measured_catalogue(session: Session, catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with what the last `churnml measure effect` found in place of what was assumed."""
    return _with(catalogue, {name: one for name, one in measured_effects(session).items() if name in catalogue.names})


def _with(catalogue: Catalogue, measured: Mapping[str, MeasuredEffect]) -> Catalogue:
    priors = learned_priors(catalogue, measured)
    actions = tuple(
        action.model_copy(update={"prior": priors[action.name], "effect_source": "measured"})
        if action.name in measured and action.name != DO_NOTHING
        else action
        for action in catalogue.actions
    )
    return catalogue.model_copy(update={"actions": actions})
