"""What choosing actions costs beside scoring, and how far the choice can be from the best; in a process of its own.

Run as `python -m benchmarks.measure_assignment WORKSPACE CUSTOMERS ACTIONS`; prints one JSON object. The workspace is a
small generated world: it teaches the model whose scoring is timed, and each of its snapshots is scored and explained
often enough for a steady figure, per customer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.cost import cost_of
from benchmarks.world import END, open_store
from churnml.config import TrainConfig
from churnml.features import catalogue
from churnml.modeling.cutoffs import cutoffs_before
from churnml.modeling.train import train
from churnml.policy import Assignment, assign

_VALUE_DAYS = 365
_BUDGET_EACH = 0.2
_SEED = 20260101
_TIMES = 5


def measure(workspace: Path, n_customers: int, n_actions: int) -> dict[str, float]:
    """Return CPU seconds per customer of scoring and of choosing, and the gap of the choice to its bound."""
    store = open_store(workspace)
    config = TrainConfig()
    trained = train(store, catalogue(store.tables), cutoffs_before(store, END, config), END, config, 1.0, curve=True)
    model, table = trained.model, trained.snapshots.table
    scored = cost_of(lambda: [model.forecast(table, _VALUE_DAYS) for _ in range(_TIMES)])
    value, cost, is_open, capacities = _market(n_customers, n_actions)
    made = list[Assignment]()
    free = cost_of(lambda: made.append(assign(value, cost, is_open, _BUDGET_EACH * n_customers)))
    tight = cost_of(lambda: made.append(assign(value, cost, is_open, _BUDGET_EACH * n_customers, capacities)))
    return {
        "customers": n_customers,
        "actions": n_actions,
        "scored_rows": len(table),
        "scoring": scored.cpu / _TIMES / len(table),
        "choosing": free.cpu / n_customers,
        "choosing_tight": tight.cpu / n_customers,
        "gap": made[0].gap,
        "gap_tight": made[1].gap,
    }


def _market(n_customers: int, n_actions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return net values, reserves, open actions and capacities, drawn at random; the first action does nothing."""
    rng = np.random.default_rng(_SEED)
    shape = (n_customers, n_actions)
    value, cost = rng.normal(0.5, 2, shape), rng.uniform(0, 6, shape)
    value[:, 0] = cost[:, 0] = 0
    capacities = np.full(n_actions, np.inf)
    capacities[-2:] = n_customers // 50, n_customers // 200
    return value, cost, rng.random(shape) < 0.7, capacities


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
