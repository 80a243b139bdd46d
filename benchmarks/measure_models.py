"""What training and scoring cost beside the bare LightGBM inside them, in a process of its own.

Run as `python -m benchmarks.measure_models WORKSPACE WARM_UP`; prints one JSON object. Both sides are of the same run:
every call that fits trees is timed on its own thread while the training around it goes on.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm

from benchmarks.cost import cost_of
from benchmarks.world import END, open_store
from churnml.config import TrainConfig
from churnml.errors import NotEnoughDataError
from churnml.events import Store
from churnml.features import catalogue
from churnml.modeling.cutoffs import cutoffs_before
from churnml.modeling.learners import predicted
from churnml.modeling.train import Trained, train

_VALUE_DAYS = 365
_TIMES = 3


class Clock:
    """Adds up the CPU of a function over all threads that call it."""

    def __init__(self, function: Callable[..., Any]) -> None:  # Any: whatever the function takes and gives
        self._function, self._lock, self.seconds, self.calls = function, threading.Lock(), 0.0, 0

    def __call__(self, *arguments: Any, **options: Any) -> Any:  # Any: as above
        """Call the function, timed."""
        began = time.thread_time()
        try:
            return self._function(*arguments, **options)
        finally:
            took = time.thread_time() - began
            with self._lock:
                self.seconds, self.calls = self.seconds + took, self.calls + 1


def measure(workspace: Path, warm_up: Path) -> dict[str, float]:
    """Return CPU seconds of a training and of the fits of trees in it, and of scoring and of its trees alone."""
    _trained(open_store(warm_up), TrainConfig(rounds=10, max_cutoffs=2, folds=1))
    store, made = open_store(workspace), list[Trained]()
    bare = lightgbm.train = Clock(lightgbm.train)
    whole = cost_of(lambda: made.append(_trained(store, TrainConfig())))
    (trained,) = made
    model, table = trained.model, trained.snapshots.table
    matrix = model.design.matrix(table, trained.snapshots.rhythm)
    rhythm = trained.snapshots.rhythm[:, 0]
    boosted = model.churn.trees
    if boosted is None:
        raise NotEnoughDataError(
            "the benchmark's market teaches a blend of trees, found a model without; draw a larger one"
        )
    blend = cost_of(
        lambda: [model.churn.probability(model.churn.logits(matrix, rhythm), table.cutoffs) for _ in range(_TIMES)]
    )
    trees = cost_of(lambda: [predicted(boosted, matrix) for _ in range(_TIMES)])
    scored = cost_of(lambda: model.forecast(table, _VALUE_DAYS))
    return {
        "snapshots": len(table),
        "columns": len(model.design.columns),
        "fits": bare.calls,
        "train": whole.cpu,
        "fits_alone": bare.seconds,
        "blend": blend.cpu / _TIMES,
        "trees": trees.cpu / _TIMES,
        "scored": scored.cpu,
    }


def _trained(store: Store, config: TrainConfig) -> Trained:
    """Train as `churnml train` does, by any horizon."""
    return train(store, catalogue(store.tables), cutoffs_before(store, END, config), END, config, 1.0, curve=True)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]))))
