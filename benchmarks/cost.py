"""What a piece of work cost the process that did it."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Cost:
    """What one run cost.

    Parameters
    ----------
    cpu, wall : float
        Seconds of user and system time, and seconds that passed.
    memory : float
        How far the peak rose above its height before, in MB.
    peak : float
        The peak of the whole process, in MB.
    """

    cpu: float
    wall: float
    memory: float
    peak: float


def cost_of(work: Callable[[], object]) -> Cost:
    """Return what `work` costs; its answer is held until the end, so that nobody is spared the memory of it."""
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    result = work()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    del result
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return Cost(cpu, wall, (after.ru_maxrss - before.ru_maxrss) / unit, after.ru_maxrss / unit)


def middle(runs: Sequence[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(**{name: median(getattr(run, name) for run in runs) for name in vars(runs[0])})
