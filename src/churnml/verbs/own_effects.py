"""What was learned of each customer's own effects, as `churnml assign` asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from churnml.verbs.features import of_session
from churnml.verbs.measure_uplift import UPLIFT
from churnml.verbs.session import Session

if TYPE_CHECKING:
    from churnml.modeling.uplift.own import OwnEffects


def own_effects(session: Session, cutoff: int, customer_ids: Sequence[str], actions: Sequence[str]) -> OwnEffects:
    """Return each customer's own effects of each action, as far as an order of customers was proven.

    Features are computed for this only where something tells customers apart; most workspaces know averages at best.

    Parameters
    ----------
    cutoff : int
        Of the scores; features stand at it. Microseconds UTC.
    customer_ids : sequence of str
        Whose effects are asked, in this order.
    actions : sequence of str
        Of the catalogue, in its order.

    Returns
    -------
    OwnEffects
        Arrays of shape (n_customers, n_actions); NaN where only the average is known, or nothing.

    Raises
    ------
    ModelRefusedError
        If what was learned is damaged, or asks for a feature that is off.
    """
    from churnml.features import build  # noqa: PLC0415  # compiles the kernel
    from churnml.modeling.uplift.own import OwnEffects, effects_for  # noqa: PLC0415  # LightGBM takes seconds to import
    from churnml.modeling.uplift.saved import load_uplift  # noqa: PLC0415

    bundle = session.catalogue.alias(UPLIFT)
    if bundle is None:
        return OwnEffects.unknown(len(customer_ids), len(actions))
    learned, _ = load_uplift(session.workspace.models / bundle)
    if not any(one.action in actions for one in learned.telling):
        return OwnEffects.unknown(len(customer_ids), len(actions))
    with session.step("Asking whom each action helps") as tick:
        days = learned.population_days
        table = build(session.store, of_session(session), [cutoff], days, tick, learned.by)
        place = {customer: at for at, customer in enumerate(table.customer_ids.tolist())}
        rows = np.array([place[customer] for customer in customer_ids], dtype=np.intp)
        return effects_for(learned, table.take(rows), actions)
