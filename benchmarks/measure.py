"""One measurement, in a process of its own: CPU, wall time and peak memory of one contender.

Run as `python -m benchmarks.measure CONTENDER WORKSPACE WARM_UP CUTOFFS`; prints one JSON object. The contender runs
once on a tiny world before the clock starts, so that imports and the compiled kernel's loading are not counted.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.contenders import CONTENDERS
from benchmarks.world import CUTOFFS, open_store


@dataclass(frozen=True)
class Cost:
    """What one run cost: CPU and wall in seconds, and how far memory rose above its height before, in MB."""

    cpu: float
    wall: float
    memory: float


def measure(contender: str, workspace: Path, warm_up: Path, n_cutoffs: int) -> Cost:
    """Return what the contender costs at the last `n_cutoffs` cutoffs."""
    run, cutoffs, store = CONTENDERS[contender], CUTOFFS[-n_cutoffs:], open_store(workspace)
    run(open_store(warm_up), cutoffs)
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    result = run(store, cutoffs)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    del result  # held until here, so that nobody is spared the memory of the answer
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return Cost(cpu, wall, (after.ru_maxrss - before.ru_maxrss) / unit)


if __name__ == "__main__":
    name, workspace, warm_up, n_cutoffs = sys.argv[1:]
    print(json.dumps(asdict(measure(name, Path(workspace), Path(warm_up), int(n_cutoffs)))))
