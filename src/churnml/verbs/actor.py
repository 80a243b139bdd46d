"""Who answers for what a command does: whoever typed it, by the name this machine knows them by."""

from __future__ import annotations

import getpass
from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """A person at the command line, as the audit log names them."""

    name: str
    kind: str = "command"


def whoever_types() -> Actor:
    """Return who runs this process."""
    try:
        return Actor(getpass.getuser())
    except (KeyError, OSError):  # a container whose user has no entry
        return Actor("unknown")
