"""The part of the service that pushes: it gives endpoints their turns, several at a time, each to one of its threads.

Several processes may do so for one database: a turn is leased there, so that no endpoint has two at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from churnml.database import deliveries, secret
from churnml.database.deliveries import Turn
from churnml.errors import ChurnmlError
from churnml.service.push.sending import Sender
from churnml.service.push.turn import run_turn

AT_A_TIME = 8
"""Endpoints that one process sends to at once."""
EVERY_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Pusher:
    """Sends what is due, again and again.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the workspace's database.
    sender : Sender
        How requests are sent.
    now : callable
        Gives the current instant, microseconds UTC.
    every_seconds : float
        How long it waits before it looks again.
    """

    def __init__(
        self, engine: Engine, sender: Sender, now: Callable[[], int], every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._engine = engine
        self._sender = sender
        self._now = now
        self._every = every_seconds
        self._told_to_stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pushing", daemon=True)
        self._pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="pushing")
        self._going_on: dict[str, Future[int]] = {}

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after what is being sent, and wait for that: fifteen seconds at most for each."""
        self._told_to_stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown()

    def give_turns(self) -> list[Future[int]]:
        """Begin the turns of endpoints for which something is due, as far as there are threads; return them."""
        self._going_on = {one: turn for one, turn in self._going_on.items() if not turn.done()}
        free = AT_A_TIME - len(self._going_on)
        if not free or not secret.is_set():
            return []
        with self._engine.begin() as connection:
            turns = deliveries.take_turns(connection, self._now(), free, self._going_on)
        begun = {turn.endpoint_id: self._pool.submit(self._turn, turn) for turn in turns}
        self._going_on |= begun
        return list(begun.values())

    def _turn(self, turn: Turn) -> int:
        try:
            return run_turn(self._engine, turn, self._sender, self._now, self._told_to_stop.is_set)
        except (ChurnmlError, SQLAlchemyError, OSError) as error:
            _log.warning("a webhook's turn did not succeed and comes again: %s", type(error).__name__)
        except Exception:  # noqa: BLE001  # a bug is told with its traceback, and must not end all pushing
            _log.exception("a webhook's turn ended with a bug and comes again")
        return 0

    def _run(self) -> None:
        if not secret.is_set():
            _log.info("%s is not set: no webhook is sent", secret.VARIABLE)
            return
        while not self._told_to_stop.wait(self._every):
            try:
                self.give_turns()
            except (ChurnmlError, SQLAlchemyError) as error:
                _log.warning("webhooks are not looked after and are tried again: %s", type(error).__name__)
            except Exception:  # noqa: BLE001  # as above
                _log.exception("giving turns to webhooks ended with a bug and is tried again")
