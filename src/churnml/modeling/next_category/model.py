"""The next category of each customer: one they have not bought that goes with what they buy, and one that is due.

Two probabilities. Of a category not bought lately: from the links of what is bought (`links.ease`), how many take it
up, how many have it, and how much the customer buys. Of one bought on two days or more: from the time since the last
over the customer's own usual gap. Both are taught by what was bought after earlier cutoffs; the links that score a
customer in teaching were counted on the other half of the customers, so that nobody's own purchases vouch for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from churnml.config import CategorySettings
from churnml.modeling.next_category.chance import Chance, fit_chance
from churnml.modeling.next_category.holdings import Holdings
from churnml.modeling.next_category.links import ease, share_of_holders
from churnml.modeling.next_category.pairs import (
    FEWEST_DAYS,
    Rates,
    again_columns,
    due,
    new_columns,
    stacked,
    usual_gap,
)
from churnml.modeling.next_category.teaching import Seen

Matrix = npt.NDArray[np.float64]
Json = dict[str, Any]  # Any: JSON

Kind = Literal["cross_sell", "replenish"]
Basis = Literal["co_purchase", "popularity", "own_interval", "none"]

_CELLS = 50_000
_PLACES = 6
_AT_ONCE = 2_000
"""Customers whose columns are held at one time: of 300 categories they take 30 MB."""


@dataclass(frozen=True)
class NextCategory:
    """A fitted model of the next category, as plain data.

    Parameters
    ----------
    words : tuple of str
        The categories, in the order of all arrays.
    horizon_days, lookback_days, population_days : int
        In how many days one is bought; not bought within how many it is new; who bought within how many is asked about.
    rates : Rates
        How each is bought by all.
    links : ndarray of shape (n_categories, n_categories)
        What holding the one adds to the score of the other.
    shares : ndarray of shape (n_categories, n_categories)
        Of the buyers of the one, the share that also bought the other.
    new, again : Chance or None
        Of a category not bought lately, and of one bought before; None where nobody, or everybody, did.
    cross_sell : {'co_purchase', 'popularity'}
        What tells the category not bought: co-purchase only where it beat popularity out of time.
    replenish : {'own_interval', 'none'}
        What tells the one that is due; nothing where it did not beat what is simpler.
    """

    words: tuple[str, ...]
    horizon_days: int
    lookback_days: int
    population_days: int
    rates: Rates
    links: Matrix
    shares: Matrix
    new: Chance | None
    again: Chance | None
    cross_sell: Basis = "popularity"
    replenish: Basis = "none"

    @property
    def codes(self) -> dict[str, int]:
        """The place of each category."""
        return {word: place for place, word in enumerate(self.words)}

    def of_new(self, held: Holdings) -> Matrix:
        """Return the probability that each category not held is bought in the horizon; NaN of those that are.

        Returns
        -------
        ndarray of shape (n_customers, n_categories)
            By co-purchase or popularity, as `cross_sell` says.
        """
        found = np.tile(self.rates.adopted, (held.customers, 1))
        if self.cross_sell == "co_purchase" and self.new is not None:
            for begin in range(0, held.customers, _AT_ONCE):
                some = held.between(begin, min(begin + _AT_ONCE, held.customers))
                shape = (some.customers, some.categories)
                columns = stacked(new_columns(self.rates, some, some.held @ self.links), shape)
                found[begin : begin + _AT_ONCE] = self.new.probability(columns).reshape(shape)
        found[held.row, held.category] = np.nan
        return found

    def of_due(self, held: Holdings) -> Matrix:
        """Return the probability that each entry that is due is bought again in the horizon; NaN of the others.

        Returns
        -------
        ndarray of shape (n_entries,)
        """
        found = np.full(len(held.row), np.nan)
        if self.again is None or self.replenish == "none":
            return found
        rows = due(self.rates, held, self.horizon_days)
        found[rows] = self.again.probability(again_columns(self.rates, held, self.horizon_days)[rows])
        return found

    def gap(self, held: Holdings) -> Matrix:
        """Return the usual days between purchases of each entry; shape (n_entries,)."""
        return usual_gap(self.rates, held)

    def trusted(self) -> NextCategory:
        """Return the model with both parts told, whatever came of their trial; to be tried itself."""
        return replace(self, cross_sell="co_purchase", replenish="own_interval")

    def to_dict(self) -> Json:
        """Return plain data for the bundle."""
        plain = ("horizon_days", "lookback_days", "population_days", "cross_sell", "replenish")
        return {name: getattr(self, name) for name in plain} | {
            "words": list(self.words),
            "rates": self.rates.to_dict(),
            "links": self.links.tolist(),
            "shares": self.shares.tolist(),
            "new": self.new and self.new.to_dict(),
            "again": self.again and self.again.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NextCategory:  # Any: JSON
        """Return the model that `to_dict` wrote."""
        size = (len(data["words"]), len(data["words"]))
        return cls(
            tuple(data["words"]),
            data["horizon_days"],
            data["lookback_days"],
            data["population_days"],
            Rates.from_dict(data["rates"]),
            np.array(data["links"], dtype=np.float64).reshape(size),
            np.array(data["shares"], dtype=np.float64).reshape(size),
            None if data["new"] is None else Chance.from_dict(data["new"]),
            None if data["again"] is None else Chance.from_dict(data["again"]),
            data["cross_sell"],
            data["replenish"],
        )


def fit_next_category(
    words: Sequence[str],
    taught: Sequence[Seen],
    now: Seen,
    settings: CategorySettings,
    population_days: int,
    seed: int = 0,
) -> NextCategory:
    """Return the model for use at a cutoff, taught by what was bought after earlier ones.

    Parameters
    ----------
    words : sequence of str
        The categories.
    taught : sequence of Seen
        With labels that are final by `now`.
    now : Seen
        Rates and links are as of its cutoff; its label is not looked at.
    seed : int
        Of the draw of what was not bought.
    """
    rng = np.random.default_rng(seed)
    new = [_taught_new(one, rng) for one in taught]
    again = [_taught_again(one, settings.horizon_days, rng) for one in taught]
    together = now.together.sum(axis=0)
    return NextCategory(
        tuple(words),
        settings.horizon_days,
        settings.lookback_days,
        population_days,
        Rates.of(now),
        np.round(ease(together, sum(now.customers)), _PLACES),
        np.round(share_of_holders(together), _PLACES),
        _fitted_new(new),
        fit_chance(np.concatenate([one[0] for one in again]), np.concatenate([one[1] for one in again]))
        if again
        else None,
    )


def _fitted_new(taught: Sequence[tuple[Matrix, npt.NDArray[np.bool_], float]]) -> Chance | None:
    if not taught:
        return None
    share = float(np.mean([one[2] for one in taught]))
    return fit_chance(np.concatenate([one[0] for one in taught]), np.concatenate([one[1] for one in taught]), share)


def _taught_new(seen: Seen, rng: np.random.Generator) -> tuple[Matrix, npt.NDArray[np.bool_], float]:
    """Return all categories taken up after a cutoff and some of those that were not, and the share of these drawn."""
    held, shape = seen.sample, (seen.sample.customers, seen.sample.categories)
    by_other_half = [ease(seen.together[1 - half], seen.customers[1 - half]) for half in (0, 1)]
    score = np.where((seen.half == 0)[:, None], *(held.held @ links for links in by_other_half))
    bought = np.zeros(shape, dtype=np.bool_) if seen.bought is None else seen.bought.toarray()
    not_held = np.ones(shape, dtype=np.bool_)
    not_held[held.row, held.category] = False
    others = not_held & ~bought
    share = min(1.0, _CELLS / max(int(others.sum()), 1))
    row, category = np.nonzero((not_held & bought) | (others & (rng.random(shape) < share)))
    cells = row, category
    matrix = stacked(new_columns(Rates.of(seen), held, score), shape, cells)
    return matrix, bought[cells], share


def _taught_again(seen: Seen, horizon_days: int, rng: np.random.Generator) -> tuple[Matrix, npt.NDArray[np.bool_]]:
    """Return the entries of customers with an interval of their own, or some of them, and which were bought again."""
    rates, held = Rates.of(seen), seen.sample
    rows = np.flatnonzero(held.days >= FEWEST_DAYS)
    if len(rows) > _CELLS:
        rows = np.sort(rng.choice(rows, _CELLS, replace=False))
    bought = (
        np.zeros((held.customers, held.categories), dtype=np.bool_) if seen.bought is None else seen.bought.toarray()
    )
    return again_columns(rates, held, horizon_days)[rows], bought[held.row[rows], held.category[rows]]
