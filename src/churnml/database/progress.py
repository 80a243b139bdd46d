"""How far a command is, kept in a small file: the command writes it, whoever started the command reads it.

The file is replaced as a whole, so that a reader never finds half of it.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

_SECONDS = 0.25
"""At most so often it is written within a step: a reader looks once a second."""
_LONGEST = 200


@dataclass(frozen=True)
class Told:
    """What a command says of itself.

    Parameters
    ----------
    pid : int
        Its process.
    step : str or None
        What it does, in words; the latest begun.
    share : float or None
        How much of that step is done, 0 to 1; None where it does not count.
    run_id : str or None
        The run it entered last.
    exit_code : int or None
        How it ended; None while it goes on.
    error_code, error : str or None
        Of a failure, as the command line tells it.
    """

    pid: int
    step: str | None = None
    share: float | None = None
    run_id: str | None = None
    exit_code: int | None = None
    error_code: str | None = None
    error: str | None = None


class Progress:
    """Keeps in a file how far this process is.

    Parameters
    ----------
    path : Path
        The file, in a folder that is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told = Told(os.getpid())
        self._written = 0.0
        self._keep()

    def begin(self, words: str) -> None:
        """Tell that a step begins."""
        self._keep(step=words[:_LONGEST], share=None)

    def tick(self, done: int, total: int) -> None:
        """Tell how much of the step is done."""
        if total and (done >= total or time.monotonic() - self._written >= _SECONDS):
            self._keep(share=min(done / total, 1.0))

    def enter(self, run_id: str) -> None:
        """Tell that a run begins."""
        self._keep(run_id=run_id)

    def end(self, exit_code: int, error_code: str | None = None, error: str | None = None) -> None:
        """Tell how it ended; the last that is told."""
        self._keep(exit_code=exit_code, error_code=error_code, error=error)

    def _keep(self, **news: str | float | None) -> None:
        self._told, self._written = replace(self._told, **news), time.monotonic()  # type: ignore[arg-type]
        draft = self._path.with_name(f".{self._path.name}.draft")
        draft.write_text(json.dumps(asdict(self._told), ensure_ascii=False), encoding="utf-8")
        draft.replace(self._path)


def read(path: Path) -> Told | None:
    """Return what a command says of itself, or None before it has said anything."""
    try:
        return Told(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
