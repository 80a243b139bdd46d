"""The log: a line per event, of JSON for machines or of text for people, that never tells anything about a customer.

What a library or a bug says may hold a value: of a traceback the kinds of errors and the places stay, their words and
the values of variables do not. Only our own events, which are made of numbers and known words, are told whole.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, TextIO

import structlog

REQUESTS = "churnml.requests"
_LATEST_SECONDS = 0.05
"""How late the line of a request may be written: the file is written to once for all that end meanwhile."""
_FAILED = 500
_requests = logging.getLogger(REQUESTS)
Format = Literal["auto", "json", "text"]
Event = MutableMapping[str, Any]  # Any: structlog's events


def configure(form: Format = "auto", stream: TextIO | None = None) -> None:
    """Have everything that is logged in this process go to one place in one form.

    Parameters
    ----------
    form : {'auto', 'json', 'text'}
        `auto` is text on a terminal, else JSON.
    stream : text file, optional
        Where to; standard error if left out.
    """
    to = stream or sys.stderr
    plain = form == "text" or (form == "auto" and to.isatty())
    last = structlog.dev.ConsoleRenderer(colors=to.isatty()) if plain else structlog.processors.JSONRenderer()
    told: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _our_own,
        _without_values,
    ]
    handler = logging.StreamHandler(to)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=told, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    _requests.setLevel(logging.INFO)
    flush()
    _requests.handlers[:] = [] if plain else [RequestLines(to)]
    _requests.propagate = plain
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.NOTSET)  # the root's; who ran here before may have silenced it


def flush() -> None:
    """Write the lines of requests that wait to be written."""
    for handler in _requests.handlers:
        handler.flush()


def request_lines() -> RequestLines | None:
    """Return what writes the lines of requests; None where the log is told in another way."""
    for handler in _requests.handlers:
        if type(handler) is RequestLines:
            return handler
    return None


def stamp(seconds: float) -> str:
    """Return an instant, seconds since 1970, as the log tells it."""
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1e6):06d}Z"


@lru_cache(maxsize=2)  # of all lines of a second
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class RequestLines(logging.Handler):
    """Writes the lines of requests by the batch, at a tenth of what the general way costs.

    A line is written a twentieth of a second after its request at the latest, that of a failure and what is left
    when the service stops or Python ends at once. Only a process that is killed takes lines of that time with it.

    Parameters
    ----------
    to : text file
        Where to.
    """

    def __init__(self, to: TextIO) -> None:
        super().__init__()
        self.setFormatter(_OfRequest())
        self._to = to
        self._waiting: list[str] = []
        self._due: asyncio.AbstractEventLoop | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line."""
        try:
            self.add(self.format(record))
            if getattr(record, "told", {}).get("status", 0) >= _FAILED:
                self.flush()
        except Exception:  # noqa: BLE001  # as logging wants it: what cannot be told must not end what it tells of
            self.handleError(record)

    def add(self, line: str) -> None:
        """Take a line that is ready; the event loop of this thread writes it soon, or it is written at once."""
        self._waiting.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        if loop is not self._due:
            self._due = loop
            loop.call_later(_LATEST_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what waits; logging asks for it when Python ends."""
        self._due = None
        lines, self._waiting = self._waiting, []
        if lines:
            self._to.write("\n".join(lines) + "\n")
            self._to.flush()


class _OfRequest(logging.Formatter):
    """The same line of JSON as the general way makes: what it tells is numbers and known words already."""

    def format(self, record: logging.LogRecord) -> str:
        """Return it."""
        line = {
            **getattr(record, "told", {}),
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": stamp(record.created),
            **structlog.contextvars.get_contextvars(),
        }
        return json.dumps(line)


def _our_own(_logger: object, _name: str, event: Event) -> Event:
    """Add what our own events hold beside their name: `extra={"told": {...}}`."""
    event.update(getattr(event.get("_record"), "told", {}))
    event["event"] = str(event["event"]).strip()
    return event


def _without_values(_logger: object, _name: str, event: Event) -> Event:
    """Put the kinds and places of an error in the place of all it says."""
    told = event.pop("exc_info", None)
    if told is True:
        told = sys.exc_info()
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["traceback"] = places(error)
    return event


def places(error: BaseException) -> list[str]:
    """Return where an error came from, and where those that caused it did: kinds, files, lines and functions alone."""
    lines: list[str] = []
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        lines.append(type(one).__qualname__)
        frames = traceback.extract_tb(one.__traceback__)
        lines.extend(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return lines
