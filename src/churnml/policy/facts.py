"""What is known of the customers when actions are chosen: arrays of one length, checked at the door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from churnml.errors import InvalidTableError
from churnml.policy.actions import Band

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Facts:
    """The customers about whom is decided, one entry each; what is left out holds for nobody.

    Parameters
    ----------
    customer_ids : sequence of str, length n_customers
        Each once.
    bands : array-like of str, shape (n_customers,)
        Risk bands: `low`, `medium` or `high`.
    reasons : array-like of str, shape (n_customers,)
        Group of each customer's top reason; empty or None if there is none.
    churn_probability, value_if_retained, expected_margin : array-like of shape (n_customers,)
        As in `prior_effect`.
    basket : array-like of shape (n_customers,), optional
        Expected amount of an order, in currency units; NaN where it is not known.
    stages, segments : array-like of str, shape (n_customers,), optional
        Keys of `measures.STAGES` and `measures.SEGMENTS`; None where they are not known.
    consented : array-like of bool, shape (n_customers,) or (n_customers, n_actions), optional
        Who agreed to be approached, by each action's channel where that was said; None where consent is assumed.
    refuses_profiling, held_out, open_complaint : array-like of bool, shape (n_customers,), optional
        Who may not be judged at all; from whom everything is withheld; who waits for a complaint to be settled.
    contacts, assigned_contacts : array-like of int, shape (n_customers,), optional
        Contacts carried out in the last seven days, and those assigned in them that are not among the former.
    days_since : array-like of shape (n_customers, n_actions), optional
        Days since each action was last carried out or assigned; infinite where it never was.
    days_to_renewal : array-like of shape (n_customers,), optional
        Days until a contract renews next; NaN where none is known to.
    next_category : array-like of str, shape (n_customers,), optional
        What each is likeliest to buy next; empty or None where that is not known.
    assigned : array-like of bool, shape (n_customers,), optional
        Who was assigned something in this campaign before.
    sleeping : array-like of bool, shape (n_customers, n_actions), optional
        Whom each action was measured to harm.

    Raises
    ------
    InvalidTableError
        If the columns differ in length, a customer comes twice or a risk band is not one of the three.
    """

    customer_ids: Sequence[str]
    bands: ArrayLike
    reasons: ArrayLike
    churn_probability: ArrayLike
    value_if_retained: ArrayLike
    expected_margin: ArrayLike
    basket: ArrayLike | None = None
    stages: ArrayLike | None = None
    segments: ArrayLike | None = None
    consented: ArrayLike | None = None
    refuses_profiling: ArrayLike | None = None
    held_out: ArrayLike | None = None
    open_complaint: ArrayLike | None = None
    contacts: ArrayLike | None = None
    assigned_contacts: ArrayLike | None = None
    days_since: ArrayLike | None = None
    days_to_renewal: ArrayLike | None = None
    next_category: ArrayLike | None = None
    assigned: ArrayLike | None = None
    sleeping: ArrayLike | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        given = {
            name: len(np.asarray(column, dtype=object)) for name, column in vars(self).items() if column is not None
        }
        wrong = next((name for name, length in given.items() if length != len(self)), "")
        if wrong:
            raise InvalidTableError(
                f"facts need one entry per customer in each column, got {given[wrong]} of `{wrong}` for {len(self)} "
                "customers; pass arrays of one length"
            )
        if len(set(self.customer_ids)) < len(self):
            twice = next(customer for customer, times in Counter(self.customer_ids).items() if times > 1)
            raise InvalidTableError(
                f"decisions need each customer once, got `{twice}` twice; pass one row per customer"
            )
        unknown = set(self.words("bands")[0]) - set(get_args(Band))
        if unknown:
            raise InvalidTableError(f"a risk band must be low, medium or high, got `{min(map(str, unknown))}`")

    def __len__(self) -> int:
        return len(self.customer_ids)

    @cached_property
    def baskets(self) -> NDArray[np.float64]:
        """What each order is expected to come to, NaN where it is not known."""
        return self.numbers("basket", np.nan)

    def category(self, row: int) -> str | None:
        """Return the category that one customer would be offered; None where none is known."""
        return None if self.next_category is None else np.asarray(self.next_category, dtype=object)[row] or None

    def flags(self, name: str) -> Flags:
        """Return one column of yes and no; no for everyone where it was left out."""
        column = getattr(self, name)
        return np.zeros(len(self), dtype=np.bool_) if column is None else np.asarray(column, dtype=np.bool_)

    def numbers(self, name: str, otherwise: float) -> NDArray[np.float64]:
        """Return one column of numbers; `otherwise` for everyone where it was left out."""
        column = getattr(self, name)
        return np.full(len(self), otherwise) if column is None else np.asarray(column, dtype=np.float64)

    def words(self, name: str) -> tuple[list[str], NDArray[np.intp]]:
        """Return the words of one column, each once, and the place of each customer's among them; empty for None."""
        column = getattr(self, name)
        places: dict[str, int] = {}
        texts = [""] * len(self) if column is None else np.asarray(column, dtype=object)
        found = np.fromiter(
            (places.setdefault(text or "", len(places)) for text in texts), dtype=np.intp, count=len(self)
        )
        return list(places), found
