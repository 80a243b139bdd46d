"""Connections: how many there are, and that nobody holds one by being slow.

A client that sends its request a byte a second, or asks for a file and does not read it, costs a connection and what
stands behind it for as long as it likes. Neither is visible to the application, so it is seen to here.

References
----------
CWE-400, and what is known as Slowloris (R. Hansen, 2009) and slow read.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from churnml.config import LoadLimits

_REFUSAL = (
    b'{"type":"about:blank","title":"Service Unavailable","status":503,"code":"overloaded","request_id":null,'
    b'"detail":"more connections are open than can be held; close some, or ask again in a second or two"}'
)
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(_REFUSAL), _REFUSAL)
)


class LimitedConfig(uvicorn.Config):
    """What uvicorn runs by, with our limits of connections; other processes are given it whole.

    Parameters
    ----------
    limits : LoadLimits
        How many connections there may be, and how slow.
    """

    def __init__(self, app: Any, limits: LoadLimits, **given: Any) -> None:  # Any: what uvicorn takes
        super().__init__(app, http=Connection, **given)
        self.limits = limits


class Connection(H11Protocol):
    """A connection that is cut when its client is too slow; the one that is idle longest makes room for a new one."""

    def __init__(
        self,
        config: LimitedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],  # Any: as uvicorn declares it
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits = config.limits
        self._asking: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Take a connection, or refuse it where there are too many and none is idle."""
        if len(self.connections) >= self.limits.connections and not self._make_room():
            transport.write(_FULL)
            transport.close()
        super().connection_made(transport)
        self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what was waited for."""
        self._forget(self._asking)
        self._forget(self._reading)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came; a request that is not whole yet has until the end of its time, however often it sends."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._forget(self._asking)
            self._asking = None
        elif self._asking is None and self.conn.trailing_data[0]:
            self._wait_for_request()

    def pause_writing(self) -> None:
        """Begin to count: the client takes nothing."""
        super().pause_writing()
        self._reading = self.loop.call_later(self.limits.send_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop counting: the client has taken something."""
        self._forget(self._reading)
        super().resume_writing()

    @property
    def idle(self) -> bool:
        """Whether nothing is being asked or answered."""
        return self._asking is None and (self.cycle is None or self.cycle.response_complete)

    def on_response_complete(self) -> None:
        """Note since when it is idle."""
        self._asked_at = self.loop.time()
        super().on_response_complete()

    def _wait_for_request(self) -> None:
        self._asking = self.loop.call_later(self.limits.header_seconds, self.transport.abort)

    def _make_room(self) -> bool:
        idle = [one for one in self.connections if isinstance(one, Connection) and one.idle]
        if not idle:
            return False
        min(idle, key=lambda one: one._asked_at).shutdown()  # noqa: SLF001  # of our own kind
        return True

    @staticmethod
    def _forget(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()
