"""A thread of the service that brings erasures to their end: those asked of it, and those that somebody left behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from churnml.database import Workspace
from churnml.errors import ChurnmlError
from churnml.events.erasing import finish_all

EVERY_SECONDS = 30.0
"""How long it waits before it looks whether another process has left an erasure behind."""
_log = logging.getLogger(__name__)


class Eraser:
    """Finishes erasures; of all processes that serve a workspace one at a time does.

    Parameters
    ----------
    workspace : Workspace
        Where customers are erased.
    engine : sqlalchemy.Engine
        Its database, with a patience of minutes: it is written anew at the end, and others read it meanwhile.
    now : callable
        Gives the current instant, microseconds UTC.
    every_seconds : float
        How long it waits in between, unless it is woken.
    """

    def __init__(
        self, workspace: Workspace, engine: Engine, now: Callable[[], int], every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._workspace = workspace
        self._engine = engine
        self._now = now
        self._every = every_seconds
        self._stopping = False
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name="erasing", daemon=True)

    def start(self) -> None:
        """Begin, with what was left behind."""
        self._woken.set()
        self._thread.start()

    def wake(self) -> None:
        """Have it look at once."""
        self._woken.set()

    def stop(self) -> None:
        """Stop after the erasure that is being done, and wait for that."""
        self._stopping = True
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._woken.wait(self._every)
            self._woken.clear()
            if self._stopping:
                return
            try:
                finish_all(self._workspace, self._engine, self._now, wait=False)
            except (ChurnmlError, SQLAlchemyError, OSError) as error:
                # the erasure stays known as unfinished, and is gone on with
                _log.warning("an erasure did not get to its end and is tried again: %s", type(error).__name__)
            except Exception:  # noqa: BLE001  # a bug is told with its traceback, and must not end all erasures
                _log.exception("an erasure ended with a bug and is tried again")
