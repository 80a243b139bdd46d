"""Who answers for what a command does: whoever typed it, by the name this machine knows them by."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass

from churnml.database.audit import audit
from churnml.verbs.session import Session, clock


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


def note(session: Session, what: str, about: Mapping[str, str | int]) -> None:
    """Keep in the audit log what whoever types this command did, once it is done.

    Parameters
    ----------
    what : str
        The deed, such as `backup.made`.
    about : mapping of str to str or int
        Counts and ids; never a customer's, nor what somebody wrote.
    """
    with session.catalogue.engine.begin() as connection:
        audit(connection, whoever_types(), what, about, at=clock())
