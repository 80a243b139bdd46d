"""Stopping: whoever sends requests here is told first, then no more are taken, then those in progress end.

Between SIGTERM and the closing of the address /readyz says 503 while everything is still answered, so that a load
balancer goes elsewhere before anybody finds the door shut. Ctrl-C does not wait for that.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fastapi import FastAPI


@contextmanager
def told_to_stop(app: FastAPI, drain_seconds: float) -> Iterator[None]:
    """Hear SIGTERM before the server does, and hand it on once there was time to go elsewhere.

    Outside of a process's main thread, where no signal is heard, it does nothing.
    """
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    loop = asyncio.get_running_loop()

    def hear(number: int, frame: FrameType | None) -> None:
        again = app.state.stopping
        app.state.stopping = True
        loop.call_soon_threadsafe(loop.call_later, 0.0 if again else drain_seconds, before, number, frame)

    signal.signal(signal.SIGTERM, hear)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is hear:
            signal.signal(signal.SIGTERM, before)
