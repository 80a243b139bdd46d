"""Where the pages lead: what stands in the bar at the top, for whom, and in which order.

The order is that of a morning: how it stands, then the day's work, then what it adds up to, then what it rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from churnml.database.scopes import Scope
from churnml.measures.names import MEASURES
from churnml.service.access import Caller
from churnml.wording import Language, Text


@dataclass(frozen=True)
class Room:
    """One entry of the bar.

    Parameters
    ----------
    path : str
        Its address, and the beginning of the addresses that belong to it.
    title : Text
        What it is called.
    scope : str
        What whoever sees it may do.
    people_only : bool, default=False
        Whether it speaks of a person's own work, which whoever opened the login link on this machine has as well, and
        a key has not.
    """

    path: str
    title: Text
    scope: Scope
    people_only: bool = False


SIDES = Room("/measures", Text("Measures", "指标"), "read")
"""Stands for the first side of the customer base that was measured."""
ROOMS: tuple[Room, ...] = (
    Room("/overview", Text("Overview", "总览"), "read"),
    Room("/today", Text("Today", "今日任务"), "write", people_only=True),
    Room("/at-risk", Text("At risk", "流失风险"), "read"),
    Room("/prospects", Text("Prospects", "潜在客户"), "read"),
    SIDES,
    Room("/models", Text("Models", "模型"), "read"),
    Room("/data", Text("Data", "数据"), "operate"),
)


@dataclass(frozen=True)
class Link:
    """A link of the bar: where to, what it says, and whether the reader is there."""

    path: str
    title: str
    here: bool


def links(caller: Caller, path: str, measured: Sequence[str], language: Language) -> list[Link]:
    """Return what the bar shows somebody.

    Parameters
    ----------
    caller : Caller
        Who reads.
    path : str
        Of the page.
    measured : sequence of str
        Addresses of the pages of measures that have something to show.
    language : {'en', 'zh'}
        Of the page.
    """
    found = []
    for room in ROOMS:
        if room.scope not in caller.scopes or (room.people_only and caller.kind == "key"):
            continue
        if room is SIDES:
            if measured:
                found.append(Link(measured[0], room.title.to(language), path.removeprefix("/") in MEASURES))
        else:
            here = path == room.path or path.startswith(f"{room.path}/")
            found.append(Link(room.path, room.title.to(language), here))
    return found
