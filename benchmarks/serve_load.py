"""Asks a server the same thing again and again on one connection, and tells how long each answer took.

Its own process and a plain socket: a client library would take longer than the server. What the server used is read
from the kernel's account of its threads (Linux), in nanoseconds, so the client's own time is not in it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_END, _LENGTH = b"\r\n\r\n", b"content-length:"
_SECONDS = 30.0


@dataclass(frozen=True)
class Asked:
    """A request as it goes over the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    def bytes(self, host: str) -> bytes:
        """Return it whole."""
        told = {"host": host, **self.headers} | ({"content-length": str(len(self.body))} if self.body else {})
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{head}\r\n".encode() + self.body


@dataclass(frozen=True)
class Round:
    """What one round took: the server's processor time for each request, and every latency; seconds."""

    cpu: float
    latencies: tuple[float, ...]


class Line:
    """A connection that is kept open.

    Parameters
    ----------
    url : str
        Of the server.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._socket = socket.create_connection((parts.hostname, parts.port), _SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer.

        Raises
        ------
        ConnectionError
            If the server hangs up.
        """
        self._socket.sendall(request)
        head, _, body = self._until_head().partition(_END)
        lines = head.lower().split(b"\r\n")
        length = next((int(line[len(_LENGTH) :]) for line in lines if line.startswith(_LENGTH)), 0)
        parts, missing = [body], length - len(body)
        while missing > 0:
            parts.append(self._some())
            missing -= len(parts[-1])
        return int(lines[0].split()[1]), b"".join(parts)

    def _until_head(self) -> bytes:
        got = self._some()
        while _END not in got:
            got += self._some()
        return got

    def _some(self) -> bytes:
        got = self._socket.recv(1 << 20)
        if not got:
            raise ConnectionError("the server hung up")
        return got

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def one_round(line: Line, request: Asked, times: int, pid: int) -> Round:
    """Ask so many times, one after the other.

    Raises
    ------
    RuntimeError
        If an answer is not 200: something else would be measured.
    """
    asked, took = request.bytes(line.host), []
    began = cpu_of(pid)
    for _ in range(times):
        start = time.perf_counter()
        status, _ = line.ask(asked)
        took.append(time.perf_counter() - start)
        if status != 200:
            raise RuntimeError(f"{request.method} {request.path} must be answered by 200, got {status}")
    return Round((cpu_of(pid) - began) / times, tuple(took))


def cpu_of(pid: int) -> float:
    """Return the seconds of processor time that all threads of a process have used."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(one.read_text().split()[0]) for one in threads) / 1e9
