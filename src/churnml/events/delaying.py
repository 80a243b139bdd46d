"""What if the rows of a table had been learned later: the second clock put on, of one block, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from churnml.events.clock import DAY
from churnml.events.contracts import Contracts
from churnml.events.facts import NEVER, Facts, Integers
from churnml.events.point_in_time import Block


def delayed(block: Block, table: str, days: int) -> Block:
    """Return a block as it would be had every row of one table been learned so many days later.

    Parameters
    ----------
    block : Block
        From `history`.
    table : str
        Its later facts are learned as much later; so are the ends and renewals of contracts.
    days : int
        Of 24 hours each.

    Returns
    -------
    Block
        The same customers with the same events. Of the customers themselves only newer versions come later: whether
        someone is one at all would be another question.
    """
    by = days * DAY
    facts = {name: _put_on(one, by) if name.partition(".")[0] == table else one for name, one in block.facts.items()}
    if table == "customers":
        facts["customers"] = _met_as_before(block.facts["customers"], facts["customers"])
    contracts = block.contracts
    if contracts is not None and table == "subscriptions":
        contracts = _contracts(contracts, by)
    return replace(block, facts=facts, contracts=contracts)


def _put_on(facts: Facts, by: int) -> Facts:
    known = facts.event_at if facts.known_at is None else facts.known_at
    until = None if facts.known_until is None else _after(facts.known_until, by)
    return replace(facts, known_at=known + by, known_until=until)


def _met_as_before(customers: Facts, later: Facts) -> Facts:
    known = customers.event_at if customers.known_at is None else customers.known_at
    first = customers.offsets[:-1]
    put_on = np.array(later.known_at)
    put_on[first] = known[first]
    return replace(later, known_at=put_on)


def _contracts(contracts: Contracts, by: int) -> Contracts:
    versions = _put_on(contracts.versions, by)
    renews_known = _after(np.asarray(contracts.versions.columns["renews_known"]), by)
    versions = replace(versions, columns=versions.columns | {"renews_known": renews_known})
    replaced, ends = (_after(instants, by) for instants in (contracts.replaced_at, contracts.ends))
    return Contracts(versions, replaced, contracts.begins, ends)


def _after(instants: Integers, by: int) -> Integers:
    return np.where(instants < NEVER - by, instants + by, NEVER)
