"""Who is left out and who is drawn by chance, so that effects can be measured: all by salted hashes of ids.

Three draws, each from a salt of its own. The *hold-out* is left in peace whatever the campaign: what all of retention
is worth shows against it. *Controls* were chosen for an action that is then withheld: what the action does to those it
is chosen for. *Explorers* get an action by lot among those open to them, or none: what an action does to those it
would not have been chosen for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import InvalidTableError, UsageError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]


def assign_control(customer_ids: Iterable[str], salt: str, share: float) -> Flags:
    """Return who belongs to the control group.

    A customer's draw depends on the salt and their own id alone: not on the order, the other customers, the clock or
    the machine. The same salt keeps a control group over many runs; a new salt draws a fresh one. Everybody is
    treated with propensity ``1 - share``.

    Parameters
    ----------
    customer_ids : iterable of str, length n_customers
        The customers.
    salt : str
        What distinguishes this experiment from others, for example the name of the campaign.
    share : float
        Expected share of controls, between 0 and 1, both excluded.

    Returns
    -------
    ndarray of bool, shape (n_customers,)
        True for a control.

    Raises
    ------
    UsageError
        If the share is not between 0 and 1.

    Examples
    --------
    >>> assign_control(["00123", "00124", "00125"], salt="spring", share=0.5).dtype
    dtype('bool')
    """
    if not 0 < share < 1:
        raise UsageError(
            f"`control_share` must lie between 0 and 1, got {share:g}; "
            "an effect can be measured only if some are treated and some are not"
        )
    return _below(customer_ids, salt, share)


def control_of_each(customer_ids: Sequence[str], actions: Sequence[str], salt: str, share: float) -> Flags:
    """Return from whom their action is withheld, by a draw for each action.

    Who is control for the coupon is no likelier to be one for the call, so that somebody for whom another action is
    chosen in the next campaign is not left out again and again.

    Parameters
    ----------
    customer_ids : sequence of str, length n_customers
    actions : sequence of str, length n_customers
        The action chosen for each.
    salt, share
        As in `assign_control`.

    Returns
    -------
    ndarray of bool, shape (n_customers,)

    Raises
    ------
    UsageError
        If the share is not between 0 and 1.
    """
    ids, chosen = np.asarray(customer_ids, dtype=object), np.asarray(actions, dtype=np.str_)
    control = np.zeros(len(ids), dtype=np.bool_)
    for action in np.unique(chosen):
        rows = np.flatnonzero(chosen == action)
        control[rows] = assign_control(ids[rows], f"{salt}/{action}", share)
    return control


def held_out(customer_ids: Iterable[str], salt: str, share: float) -> Flags:
    """Return who is left in peace by every campaign.

    Parameters
    ----------
    customer_ids : iterable of str, length n_customers
    salt : str
        Names the hold-out; as long as it stays the same, so does who belongs to it.
    share : float
        Expected share, from 0, which holds nobody out, up to but not including 1.

    Returns
    -------
    ndarray of bool, shape (n_customers,)

    Raises
    ------
    UsageError
        If the share is not in [0, 1).
    """
    if not 0 <= share < 1:
        raise UsageError(
            f"`holdout_share` must be at least 0 and below 1, got {share:g}; 0.05 leaves one in twenty in peace"
        )
    # its own word before the salt: with one salt for both, every control of a small share would be held out too
    return _below(customer_ids, f"hold-out/{salt}", share)


@dataclass(frozen=True)
class Design:
    """How chance is used in a campaign.

    Parameters
    ----------
    salt : str
        Names the campaign: another salt draws others.
    control_share : float
        Share of the chosen from whom the action is withheld, between 0 and 1.
    explore_share : float, default 0
        Share who draw their action by lot of those to whom something is open whose effect is not known beyond noise.
    explore_share_known : float, default 0
        The same of all others.
    known : tuple of str
        The actions whose effect is known beyond noise.
    explore_budget_share : float, default 0.1
        The most of the budget, and of the places of each action, that lots may claim.
    """

    salt: str
    control_share: float
    explore_share: float = 0.0
    explore_budget_share: float = 0.1
    explore_share_known: float = 0.0
    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explored:
    """Who got an action by lot; arrays with one row per customer.

    Attributes
    ----------
    who : ndarray of bool, shape (n_customers,)
        Who took part.
    action : ndarray of int, shape (n_customers,)
        Column of the action drawn; 0, to do nothing, for those who drew it and for all who did not take part.
    among : ndarray of bool, shape (n_customers, n_actions)
        What was in the draw of each, doing nothing included; all False for those who did not take part.
    """

    who: Flags
    action: Indices
    among: Flags

    @property
    def propensity(self) -> Floats:
        """Return the probability of what was drawn, shape (n_customers,); missing for those who did not take part."""
        tickets = self.among.sum(axis=1).astype(np.float64)
        return np.asarray(np.where(tickets > 0, 1 / np.maximum(tickets, 1), np.nan))


def explore(
    customer_ids: Sequence[str],
    open_to: ArrayLike,
    max_costs: ArrayLike,
    *,
    salt: str,
    share: ArrayLike,
    budget: float,
    capacities: ArrayLike | None = None,
) -> Explored:
    """Return who draws an action by lot, and what they drew, each of the actions open to them as likely as none.

    Parameters
    ----------
    customer_ids : sequence of str, length n_customers
    open_to : array-like of bool, shape (n_customers, n_actions)
        What is open to whom; the first column, to do nothing, to all.
    max_costs : array-like of shape (n_actions,) or (n_customers, n_actions)
        The most each action can cost, in currency units.
    salt : str
        Names the campaign.
    share : float or array-like of shape (n_customers,)
        Probability of taking part, from 0 up to but not including 1.
    budget : float
        The most that exploring may set aside, in currency units.
    capacities : array-like of shape (n_actions,), optional
        The most customers who may draw each action; infinite, and by default, without limit.

    Returns
    -------
    Explored

    Raises
    ------
    UsageError
        If the share is not in [0, 1).
    InvalidTableError
        If the shapes do not fit.

    Notes
    -----
    Whether someone takes part must not depend on what they would draw, or propensities would not be what is recorded.
    So customers are let in, in the order of another hash, while the dearest action that each could draw fits the
    budget, and an action is in the draws of no more customers than it has room for. That leaves money unspent, for the
    next run of the campaign. An action that alone exceeds the budget is in nobody's draw.
    """
    shares = np.broadcast_to(np.asarray(share, dtype=np.float64), (len(customer_ids),))
    if not ((shares >= 0) & (shares < 1)).all():
        wrong = shares[~((shares >= 0) & (shares < 1))][0]
        raise UsageError(f"`explore_share` must be at least 0 and below 1, got {wrong:g}; 0 draws nothing by lot")
    among = np.array(open_to, dtype=np.bool_)
    if among.ndim != 2 or len(among) != len(customer_ids):
        raise InvalidTableError(
            f"a draw needs one row of open actions per customer, got {among.shape} for {len(customer_ids)} customers"
        )
    most = np.broadcast_to(np.asarray(max_costs, dtype=np.float64), among.shape)
    turn = np.argsort(draws(customer_ids, f"turn/{salt}"), kind="stable")
    among &= most <= budget
    among = _with_room(among & (draws(customer_ids, f"explore/{salt}") < shares)[:, None], turn, capacities)
    dearest = np.where(among, most, 0.0).max(axis=1, initial=0.0)
    # who comes too late for the money takes no part; the cheaper ones after them do not jump the queue
    fits = np.empty(len(among), dtype=np.bool_)
    fits[turn] = np.cumsum(dearest[turn]) <= budget
    among &= (fits & among[:, 1:].any(axis=1))[:, None]
    tickets = among.sum(axis=1)
    drawn = np.minimum((draws(customer_ids, f"lot/{salt}") * tickets).astype(np.intp), np.maximum(tickets - 1, 0))
    action = np.where(tickets > 0, (among.cumsum(axis=1) > drawn[:, None]).argmax(axis=1), 0)
    return Explored(tickets > 0, action.astype(np.intp), among)


def _with_room(among: Flags, turn: Indices, capacities: ArrayLike | None) -> Flags:
    """Return the draws with each action left in those of the first customers that it has room for."""
    if capacities is None:
        return among
    room = np.asarray(capacities, dtype=np.float64)
    kept = np.empty_like(among)
    kept[turn] = among[turn] & (np.cumsum(among[turn], axis=0) <= room)
    kept[:, 0] = among[:, 0]
    return kept


def draws(customer_ids: Iterable[str], salt: str) -> Floats:
    """Return one number per customer, uniform in [0, 1), shape (n_customers,); a hash of the salt and the id."""
    return np.fromiter(_draws(customer_ids, salt), dtype=np.float64)


def _below(customer_ids: Iterable[str], salt: str, share: float) -> Flags:
    return draws(customer_ids, salt) < share


def _draws(customer_ids: Iterable[str], salt: str) -> Iterable[float]:
    # The zero byte keeps salt "a" with id "bc" apart from salt "ab" with id "c".
    salted = hashlib.blake2b(salt.encode() + b"\0", digest_size=8)
    for customer_id in customer_ids:
        draw = salted.copy()
        draw.update(customer_id.encode())
        # 53 bits are all a float holds; with 64 the largest draws would round up to 1.
        yield (int.from_bytes(draw.digest(), "big") >> 11) / 2**53
