"""One measurement, in a process of its own: CPU, wall time and peak memory of one contender.

Run as `python -m benchmarks.measure CONTENDER WORKSPACE WARM_UP CUTOFFS`; prints one JSON object. The contender runs
once on a tiny world before the clock starts, so that imports and the compiled kernel's loading are not counted.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.contenders import CONTENDERS
from benchmarks.cost import Cost, cost_of
from benchmarks.world import CUTOFFS, open_store


def measure(contender: str, workspace: Path, warm_up: Path, n_cutoffs: int) -> Cost:
    """Return what the contender costs at the last `n_cutoffs` cutoffs."""
    run, cutoffs, store = CONTENDERS[contender], CUTOFFS[-n_cutoffs:], open_store(workspace)
    run(open_store(warm_up), cutoffs)
    return cost_of(lambda: run(store, cutoffs))


if __name__ == "__main__":
    name, workspace, warm_up, n_cutoffs = sys.argv[1:]
    print(json.dumps(asdict(measure(name, Path(workspace), Path(warm_up), int(n_cutoffs)))))
