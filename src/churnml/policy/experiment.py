"""Who is withheld: a control group drawn by a salted hash, so that the effect of an action can be measured."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from churnml.errors import UsageError


def assign_control(customer_ids: Iterable[str], salt: str, share: float) -> NDArray[np.bool_]:
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
    return np.fromiter(_draws(customer_ids, salt), dtype=np.float64) < share


def _draws(customer_ids: Iterable[str], salt: str) -> Iterable[float]:
    """Yield one number per customer, uniform in [0, 1)."""
    # The zero byte keeps salt "a" with id "bc" apart from salt "ab" with id "c".
    salted = hashlib.blake2b(salt.encode() + b"\0", digest_size=8)
    for customer_id in customer_ids:
        draw = salted.copy()
        draw.update(customer_id.encode())
        # 53 bits are all a float holds; with 64 the largest draws would round up to 1.
        yield (int.from_bytes(draw.digest(), "big") >> 11) / 2**53
