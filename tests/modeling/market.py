"""A small market of known kind, its snapshots as feature tables, and a model trained on them without a store."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from churnml.config import ValueSettings
from churnml.events import Standing
from churnml.events.clock import DAY
from churnml.features import FeatureTable
from churnml.modeling.churn import band_thresholds, fit_churn
from churnml.modeling.clv import anchor_of, fit_value
from churnml.modeling.design import fit_design
from churnml.modeling.model import Model
from churnml.modeling.rhythm import fit_rhythm, stacked_rhythm
from churnml.modeling.spread import fit_spread
from churnml.modeling.train import Snapshots, Trained

DAYS, HORIZON, POPULATION = 330, 30, 90
CUTOFFS, NOW = (150, 180, 210, 240), 270
NAMES = ("recency_days", "tenure_days", "orders_all", "orders_90d", "spend_all", "spend_90d", "noise")


@dataclass(frozen=True)
class Market:
    """Who ordered on which day, and what they paid; arrays of shape (n_customers, DAYS)."""

    ordered: np.ndarray
    spent: np.ndarray

    @classmethod
    def draw(cls, n=400, seed=0):
        """Return customers who come once, buy at rates of their own, and leave unseen."""
        rng = np.random.default_rng(seed)
        day, born = np.arange(DAYS), rng.integers(0, 120, n)[:, None]
        alive = (day >= born) & (day < born + rng.exponential(200, n)[:, None])
        ordered = alive & (rng.random((n, DAYS)) < np.minimum(rng.gamma(1.5, 0.05, n), 0.9)[:, None])
        ordered |= day == born
        return cls(ordered, ordered * rng.gamma(4.0, 5.0, (n, DAYS)))

    def table(self, day):
        """Return the feature table of all who had ordered before `day`."""
        past, paid = self.ordered[:, :day], self.spent[:, :day]
        known = past.any(axis=1)
        past, paid = past[known], paid[known]
        recency = np.argmax(past[:, ::-1], axis=1) + 1
        columns = (recency, day - np.argmax(past, axis=1), past.sum(1), past[:, -90:].sum(1))
        noise = np.random.default_rng(day).random(len(past))
        values = np.column_stack([*columns, paid.sum(1), paid[:, -90:].sum(1), noise]).astype(float)
        values[::7, NAMES.index("noise")] = np.nan
        standing = np.where(recency <= POPULATION, Standing.POPULATION, Standing.GONE).astype(np.int8)
        ids = np.array([f"{who:04}" for who in np.flatnonzero(known)], dtype=object)
        regions = np.array([None, "north", "south"], dtype=object)[np.flatnonzero(known) % 3]
        return FeatureTable(ids, np.full(len(ids), day * DAY), standing, NAMES, values, {"region": regions})

    def labels(self, table):
        """Return who fell silent in the horizon, and what the others paid in it."""
        who, day = table.customer_ids.astype(int), table.cutoffs // DAY
        ahead = day[:, None] + np.arange(HORIZON)
        return ~self.ordered[who[:, None], ahead].any(axis=1), self.spent[who[:, None], ahead].sum(axis=1)


def stacked(tables):
    """Return tables put under one another."""
    parts = zip(
        *((t.customer_ids, t.cutoffs, t.standing, t.values, t.categories["region"]) for t in tables), strict=True
    )
    ids, cutoffs, standing, values, regions = (np.concatenate(part) for part in parts)
    return FeatureTable(ids, cutoffs, standing, NAMES, values, {"region": regions})


def learn(market, rounds=30, seed=0):
    """Return what `train` returns, from a market instead of a store."""
    base = stacked([market.table(day) for day in CUTOFFS])
    inside = base.modelled
    table, rhythm = base.take(inside), stacked_rhythm(base, HORIZON)[0][inside]
    left, paid = market.labels(table)
    at_now = market.table(NOW)
    design = fit_design(table)
    matrix = design.matrix(table, rhythm)
    rolling = [([150 * DAY, 180 * DAY], 210 * DAY), ([150 * DAY, 180 * DAY, 210 * DAY], 240 * DAY)]
    churn = fit_churn(matrix, rhythm[:, 0], left, table.cutoffs, rolling, rounds=rounds, seed=seed)
    anchor = anchor_of(table.column("spend_90d"), HORIZON, 1.0)
    quick = ValueSettings(rounds=100)
    value = fit_value(matrix, paid, anchor, seed=seed, settings=quick)
    spread = fit_spread(value.predict(matrix, anchor), paid)
    of_stayers = fit_value(matrix[~left], paid[~left], anchor[~left], seed=seed, settings=quick)
    buying = fit_rhythm(at_now, NOW * DAY)
    model = Model(
        HORIZON, POPULATION, 1.0, design, buying, churn.model, {}, value, of_stayers, spread, band_thresholds()
    )
    stack = Snapshots(table, rhythm, left, paid, {}, at_now)
    return Trained(model, stack, churn, tuple(day * DAY for day in CUTOFFS), NOW * DAY)
