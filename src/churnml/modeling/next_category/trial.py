"""The next category tried out of time: what customers bought after a cutoff, beside what was said of it before.

Ours and what anybody would try first rank the same candidates: the categories a customer has not bought lately, and
those they buy again that are due. Each customer gives one figure of each measure; intervals are over customers, and
the differences are paired.

References
----------
Järvelin & Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques, ACM TOIS 20: NDCG.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.errors import NotEnoughDataError
from churnml.modeling.judgement import OURS, Figure, Method
from churnml.modeling.next_category.links import cosine
from churnml.modeling.next_category.model import Kind, NextCategory
from churnml.modeling.next_category.pairs import due
from churnml.modeling.next_category.teaching import Seen

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Json = dict[str, Any]  # Any: JSON

MEASURES: Mapping[str, str] = {"hit_1": "hit@1", "hit_3": "hit@3", "recall_10": "recall@10", "ndcg_10": "NDCG@10"}
"""The measures and what people call them; higher is better."""
GATE = "ndcg_10"
KINDS: tuple[Kind, ...] = ("cross_sell", "replenish")

POPULAR_NEW, TAKEN_UP, POPULAR, COSINE = (
    "most bought, of what they have not",
    "most newly bought",
    "most bought, whatever they have",
    "item-to-item cosine",
)
LAST, FAVOURITE, POPULAR_OWN = "last bought, repeated", "their own most bought", "most bought, of their own"
TO_BEAT: Mapping[Kind, tuple[str, ...]] = {
    "cross_sell": (POPULAR_NEW, TAKEN_UP),
    "replenish": (LAST, POPULAR_OWN),
}
"""What ours must beat beyond noise for its part to be told."""

FEWEST_JUDGED = 100
_DEPTH = 10


@dataclass(frozen=True)
class Ranked:
    """How methods did for the customers of some cutoffs, by customer.

    Parameters
    ----------
    ids : ndarray of shape (n_rows,)
        Whose row.
    values : mapping of str to mapping of str to ndarray of shape (n_rows,)
        By method and measure; NaN where a measure does not exist, for who bought none of the candidates.
    told, came : float
        Mean probability of the candidates, and the share of them that were bought.
    """

    ids: npt.NDArray[np.object_]
    values: Mapping[str, Mapping[str, Matrix]]
    told: float
    came: float


@dataclass(frozen=True)
class Contest:
    """Ours beside the others for one kind of offer.

    Parameters
    ----------
    customers, rows : int
        Different customers, and rows of a customer at a cutoff.
    buyers : int
        Rows with a candidate that was bought, of which recall and NDCG are the mean.
    methods : tuple of Method
        Ours first.
    told, came : float
        Mean probability told of the candidates, and the share that were bought.
    """

    kind: Kind
    customers: int
    rows: int
    buyers: int
    methods: tuple[Method, ...]
    told: float
    came: float

    @property
    def not_better_than(self) -> tuple[str, ...]:
        """What ours had to beat beyond noise and did not."""
        must = TO_BEAT[self.kind]
        return tuple(one.name for one in self.methods if one.name in must and one.lead_of_ours[GATE].low <= 0.0)

    def to_json(self) -> Json:
        """Return plain data."""
        return {
            "customers": self.customers,
            "rows": self.rows,
            "buyers": self.buyers,
            "mean_probability": self.told,
            "share_bought": self.came,
            "not_better_than": list(self.not_better_than),
            "methods": {
                one.name: {name: _plain(figure) for name, figure in one.figures.items()}
                | ({"lead_of_ours": {n: _plain(f) for n, f in one.lead_of_ours.items()}} if one.lead_of_ours else {})
                for one in self.methods
            },
        }


def ranked(model: NextCategory, seen: Seen) -> dict[Kind, Ranked]:
    """Return how each method ranks what the customers of a cutoff bought in the horizon after it.

    Parameters
    ----------
    model : NextCategory
        Fitted for use at that cutoff.
    seen : Seen
        With its label.
    """
    return {"cross_sell": _new(model.trusted(), seen), "replenish": _again(model.trusted(), seen)}


def _new(model: NextCategory, seen: Seen) -> Ranked:
    held, bought = seen.sample, _bought(seen)
    ours = model.of_new(held)
    open_to, rates = ~np.isnan(ours), model.rates
    scores = {
        OURS: ours,
        COSINE: held.held @ cosine(seen.together.sum(axis=0)),
        POPULAR_NEW: np.tile(rates.lately, (held.customers, 1)),
        TAKEN_UP: np.tile(rates.adopted, (held.customers, 1)),
    }
    values = {name: _figures(np.where(open_to, score, -np.inf), bought & open_to) for name, score in scores.items()}
    values[POPULAR] = _figures(np.tile(rates.lately, (held.customers, 1)), bought & open_to)
    return Ranked(seen.ids, values, float(np.nanmean(ours)), float(bought[open_to].mean()))


def _again(model: NextCategory, seen: Seen) -> Ranked:
    held, bought = seen.sample, _bought(seen)
    entry = due(model.rates, held, model.horizon_days)
    row, category = held.row[entry], held.category[entry]
    chance = model.of_due(held)[entry]
    scores = {
        OURS: chance,
        LAST: -held.last[entry].astype(np.float64) + held.days[entry] / 1e6,  # of one day, the one bought more often
        FAVOURITE: held.days[entry].astype(np.float64),
        POPULAR_OWN: model.rates.lately[category],
    }
    asked = np.bincount(row, minlength=held.customers) > 0
    targets = np.zeros_like(bought)
    targets[row, category] = bought[row, category]
    values = {}
    for name, score in scores.items():
        whole = np.full(bought.shape, -np.inf)
        whole[row, category] = score
        values[name] = _figures(whole[asked], targets[asked])
    return Ranked(seen.ids[asked], values, float(np.nanmean(chance)), float(bought[row, category].mean()))


def _bought(seen: Seen) -> Flags:
    if seen.bought is None:
        raise NotEnoughDataError("a next category is judged where its horizon is over; choose an earlier cutoff")
    return np.asarray(seen.bought.toarray(), dtype=np.bool_)


def _figures(score: Matrix, came: Flags) -> dict[str, Matrix]:
    """Return each measure of each row; what has a score of minus infinity is no candidate and never came."""
    depth = min(_DEPTH, score.shape[1])
    first = np.argsort(-score, axis=1, kind="stable")[:, :depth]
    hit = np.take_along_axis(came, first, axis=1)
    number = came.sum(axis=1)
    gain = 1.0 / np.log2(np.arange(2, depth + 2))
    best = np.cumsum(gain)[np.clip(number, 1, depth) - 1]
    some = np.where(number > 0, 1.0, np.nan)
    return {
        "hit_1": hit[:, 0].astype(np.float64),
        "hit_3": hit[:, :3].any(axis=1).astype(np.float64),
        "recall_10": hit.sum(axis=1) / np.clip(number, 1, depth) * some,
        "ndcg_10": hit @ gain / best * some,
    }


def contests(found: Sequence[Mapping[Kind, Ranked]], *, n: int, seed: int) -> dict[Kind, Contest]:
    """Return the contests over some cutoffs; a kind that too few were asked about is left out.

    Parameters
    ----------
    found : sequence of mapping of kind to Ranked
        One for each cutoff.
    n, seed : int
        Redraws of customers behind each interval, and their seed.
    """
    told = {kind: _contest(kind, [one[kind] for one in found], n, seed) for kind in KINDS if found}
    return {kind: contest for kind, contest in told.items() if contest is not None}


def _contest(kind: Kind, parts: Sequence[Ranked], n: int, seed: int) -> Contest | None:
    ids = np.concatenate([part.ids for part in parts]).astype(str)
    values = {
        name: {measure: np.concatenate([part.values[name][measure] for part in parts]) for measure in MEASURES}
        for name in parts[0].values
    }
    buyers = ~np.isnan(values[OURS][GATE])
    if len(np.unique(ids[buyers])) < FEWEST_JUDGED:
        return None

    redraws = _Redraws.of(ids, n, seed)
    methods = []
    for name, measured in values.items():
        lead = {} if name == OURS else {m: redraws.mean(values[OURS][m] - measured[m]) for m in MEASURES}
        methods.append(Method(name, {m: redraws.mean(measured[m]) for m in MEASURES}, lead))
    rows = [len(part.ids) for part in parts]
    told, came = (float(np.average([getattr(part, name) for part in parts], weights=rows)) for name in ("told", "came"))
    return Contest(kind, len(np.unique(ids)), len(ids), int(buyers.sum()), tuple(methods), told, came)


@dataclass(frozen=True)
class _Redraws:
    """Redraws of customers, each with all rows they have, the same for every figure.

    Parameters
    ----------
    whose : ndarray of shape (n_rows,)
        The customer of each row, as a number.
    times : ndarray of shape (n_draws, n_customers)
        How often each was drawn.
    """

    whose: npt.NDArray[np.intp]
    times: Matrix

    @classmethod
    def of(cls, ids: npt.NDArray[np.str_], n: int, seed: int) -> _Redraws:
        known, whose = np.unique(ids, return_inverse=True)
        even = np.full(len(known), 1 / len(known))
        return cls(whose, np.random.default_rng(seed).multinomial(len(known), even, n).astype(np.float64))

    def mean(self, values: Matrix) -> Figure:
        """Return the mean of the rows whose value exists, and its 95 % percentile interval."""
        exists, customers = ~np.isnan(values), self.times.shape[1]
        rows = np.bincount(self.whose[exists], minlength=customers)
        total = np.bincount(self.whose[exists], weights=values[exists], minlength=customers)
        drawn = self.times @ total / np.maximum(self.times @ rows, 1.0)
        low, high = np.percentile(drawn, [2.5, 97.5])
        return Figure(float(total.sum() / max(rows.sum(), 1)), float(low), float(high))


def _plain(figure: Figure) -> list[float]:
    return [figure.value, figure.low, figure.high]
