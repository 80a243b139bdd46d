"""What is said of the next category: for each customer the likeliest they have not bought, and the likeliest due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.events import Store, history
from churnml.modeling.next_category import WANTED, Holdings, Kind, NextCategory, holdings, purchases
from churnml.wording import LANGUAGES, Language, Text, format_number, format_percent

Record = dict[str, Any]  # Any: JSON
Places = npt.NDArray[np.int32]
Matrix = npt.NDArray[np.float64]

UNTOLD: Record = {"next_category": None, "category_offers": []}
"""The fields of who bought nothing lately or refuses to be profiled, or where no model of categories stands."""

MOST = 3
"""Categories told of each kind."""

_GOES_WITH = Text(
    "Has not bought {category} in {days} days; of the customers who buy {because}, {share} also buy it, against {all} "
    "of all.",
    "{days} 天内未购买{category}；购买{because}的客户中有 {share} 也购买它，而全体客户中为 {all}。",
)
_GOES_WITH_ALL = Text(
    "Has not bought {category} in {days} days; those who buy what this customer buys often buy it too.",
    "{days} 天内未购买{category}；与该客户购买习惯相近的客户常常也购买它。",
)
_POPULAR = Text(
    "Has not bought {category} in {days} days; of those like this, {share} took it up within {horizon} days.",
    "{days} 天内未购买{category}；同样未购买的客户中有 {share} 在 {horizon} 天内开始购买。",
)
_DUE = Text(
    "Bought {category} on {times} days, usually every {gap} days; the last time was {last} days ago.",
    "曾在 {times} 天购买{category}，通常每 {gap} 天一次；上次购买是 {last} 天前。",
)


@dataclass(frozen=True)
class Offers:
    """The next categories of some customers, as arrays: texts are made of them one record at a time.

    Parameters
    ----------
    model : NextCategory
        Whose categories they are.
    new, due : ndarray of shape (n_customers, 3)
        The likeliest categories they have not bought, and the likeliest due, best first; -1 where there are fewer.
    new_chance, due_chance : ndarray of shape (n_customers, 3)
        Their probabilities.
    because : ndarray of shape (n_customers,)
        What is bought that speaks most for the first of `new`; -1 where nothing alone does.
    times, gap, last : ndarray of shape (n_customers,)
        Of the first of `due`: days bought, usual days between, days since the last.
    """

    model: NextCategory
    new: Places
    new_chance: Matrix
    due: Places
    due_chance: Matrix
    because: Places
    times: Places
    gap: Matrix
    last: Places

    def record(self, row: int) -> Record:
        """Return the fields of a decision record for one of the customers."""
        told: list[Record] = []
        kinds: tuple[tuple[Kind, Places, Matrix], ...] = (
            ("cross_sell", self.new[row], self.new_chance[row]),
            ("replenish", self.due[row], self.due_chance[row]),
        )
        for kind, places, chances in kinds:
            for place, chance in zip(places, chances, strict=True):
                if place >= 0:
                    basis = getattr(self.model, kind)
                    told.append(
                        {"category": self.model.words[place], "kind": kind, "basis": basis, "score": float(chance)}
                    )
        if not told:
            return UNTOLD
        first = told[0] | {"within_days": self.model.horizon_days, "why": self._why(row, told[0])}
        return {"next_category": first, "category_offers": told}

    @property
    def counts(self) -> dict[str, int]:
        """How many customers have an offer of each kind."""
        return {"cross_sell": int((self.new[:, 0] >= 0).sum()), "replenish": int((self.due[:, 0] >= 0).sum())}

    def _why(self, row: int, offer: Record) -> dict[str, str]:
        return {language: self._sentence(row, offer, language) for language in LANGUAGES}

    def _sentence(self, row: int, offer: Record, language: Language) -> str:
        model, category = self.model, offer["category"]
        days = format_number(model.lookback_days, language)
        if offer["kind"] == "replenish":
            numbers = {name: getattr(self, name)[row] for name in ("times", "gap", "last")}
            shown = {name: format_number(round(float(number)), language) for name, number in numbers.items()}
            return _DUE.to(language).format(category=category, **shown)
        place = int(self.new[row, 0])
        if offer["basis"] == "popularity":
            share, horizon = _percent(model.rates.adopted[place], language), str(model.horizon_days)
            return _POPULAR.to(language).format(category=category, days=days, share=share, horizon=horizon)
        because = int(self.because[row])
        if because < 0:
            return _GOES_WITH_ALL.to(language).format(category=category, days=days)
        share, of_all = (_percent(one, language) for one in (model.shares[because, place], model.rates.holding[place]))
        told = {"because": model.words[because], "share": share, "all": of_all}
        return _GOES_WITH.to(language).format(category=category, days=days, **told)


def _percent(share: float, language: Language) -> str:
    return _written(round(float(share), 3), language)


@cache
def _written(share: float, language: Language) -> str:
    """Return a share in words, each of the thousand written once: a base of millions asks for the same again."""
    return format_percent(share, language)


def offers(store: Store, customer_ids: Sequence[str], cutoff: int, model: NextCategory | None) -> Offers | None:
    """Return the next categories of some customers as of a cutoff, None where no model stands.

    Who bought nothing in `population_days`, or refuses to be profiled, has none. Customers are read a block at a time.

    Parameters
    ----------
    customer_ids : sequence of str
        Whose, in this order.
    cutoff : int
        Microseconds UTC.
    """
    if model is None or "order_lines" not in store.tables:
        return None
    place = {customer: row for row, customer in enumerate(customer_ids)}
    found = _nobody(model, len(place))
    for number in range(store.n_blocks):
        block = history(store, number, [cutoff], WANTED)
        bought = purchases(block.facts["order_lines"], model.codes, store.time_zone)
        held = holdings(bought, cutoff, store.time_zone, model.lookback_days)
        asked = held.silence <= model.population_days
        asked &= np.fromiter((one in place for one in block.customer_ids), dtype=np.bool_, count=len(asked))
        if asked.any():
            rows = np.array([place[one] for one in block.customer_ids[asked]])
            _fill(found, rows, held.of(asked))
    return found


def _nobody(model: NextCategory, customers: int) -> Offers:
    def places(*shape: int) -> Places:
        return np.full(shape, -1, dtype=np.int32)

    def numbers(*shape: int) -> Matrix:
        return np.full(shape, np.nan)

    wide, single = (customers, MOST), (customers,)
    return Offers(
        model,
        places(*wide),
        numbers(*wide),
        places(*wide),
        numbers(*wide),
        places(*single),
        places(*single),
        numbers(*single),
        places(*single),
    )


def _fill(found: Offers, rows: npt.NDArray[np.intp], held: Holdings) -> None:
    """Write what is said of some customers into their rows."""
    model = found.model
    new, chance = _best(model.of_new(held))
    found.new[rows], found.new_chance[rows] = new, chance
    if model.cross_sell == "co_purchase":
        found.because[rows] = _speaking(model, held, new[:, 0])
    again = np.full((held.customers, held.categories), np.nan)
    again[held.row, held.category] = model.of_due(held)
    due, chance = _best(again)
    found.due[rows], found.due_chance[rows] = due, chance
    entry = np.flatnonzero(held.category == due[held.row, 0])
    whose = rows[held.row[entry]]
    found.times[whose], found.last[whose] = held.days[entry], held.last[entry]
    found.gap[whose] = model.gap(held)[entry]


def _best(chance: Matrix) -> tuple[Places, Matrix]:
    """Return the places of the highest of each row, and they themselves; -1 and NaN where there are fewer."""
    scores = np.where(np.isnan(chance), -np.inf, chance)
    first = np.argsort(-scores, axis=1, kind="stable")[:, :MOST]
    best = np.take_along_axis(scores, first, axis=1)
    none = np.isneginf(best)
    return np.where(none, -1, first).astype(np.int32), np.where(none, np.nan, best)


def _speaking(model: NextCategory, held: Holdings, wanted: Places) -> Places:
    """Return which category held speaks most for the one wanted; -1 where its buyers do not buy that more than all."""
    pull = model.links[held.category, wanted[held.row]]
    lift = model.shares[held.category, wanted[held.row]] > model.rates.holding[wanted[held.row]]
    pull = np.where(lift & (wanted[held.row] >= 0), pull, 0.0)
    order = np.lexsort((-pull, held.row))
    opens = order[np.concatenate((np.ones(min(len(order), 1), dtype=np.bool_), np.diff(held.row[order]) > 0))]
    found = np.full(held.customers, -1, dtype=np.int32)
    found[held.row[opens]] = np.where(pull[opens] > 0, held.category[opens], -1)
    return found
