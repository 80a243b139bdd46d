"""Counts that take long are kept a while; those that are quick are taken anew for every view."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Counted = TypeVar("Counted")

QUICK_SECONDS = 0.25
"""What takes no longer is never kept."""
TIMES = 20
"""For how many times as long as it took a count is kept: whoever asks costs a twentieth of a processor at most."""


class Kept(Generic[Counted]):
    """Gives what a function counts, kept for a while where that takes long.

    Parameters
    ----------
    count : callable
        Counts anew.
    clock : callable
        Seconds that never go back.
    """

    def __init__(self, count: Callable[[], Counted], clock: Callable[[], float] = time.perf_counter) -> None:
        self._count = count
        self._clock = clock
        self._lock = threading.Lock()
        self._found: tuple[float, Counted] | None = None

    def __call__(self) -> Counted:
        """Return the count; of several who ask at once, one has it taken."""
        with self._lock:
            began = self._clock()
            if self._found is not None and began < self._found[0]:
                return self._found[1]
            counted = self._count()
            ended = self._clock()
            took = ended - began
            self._found = (ended + TIMES * took, counted) if took > QUICK_SECONDS else None
            return counted
