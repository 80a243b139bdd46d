"""How a long check says what it is doing and how far it is, to whoever started it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

Step = Callable[[int, int], None]
Steps = Callable[[str], AbstractContextManager[Step]]
"""Given words for what is being done, returns a context that gives a function to be told how far it is."""


@contextlib.contextmanager
def silently(_words: str) -> Iterator[Step]:
    """Give a step that shows nothing."""
    yield lambda _done, _total: None
