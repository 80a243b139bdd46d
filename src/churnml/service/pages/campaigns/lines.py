"""What a campaign did, in a line for each action: a verdict, the money with its interval, the return on cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from churnml.service.campaigns.effects import TOO_FEW, WHOLE
from churnml.service.pages.reports.effect import KINDS, VERDICTS
from churnml.wording import Language, Text, format_money

Json = Mapping[str, Any]  # Any: JSON

_MOST = 3
_BETWEEN = Text("{low} to {high}", "{low} 至 {high}")


@dataclass(frozen=True)
class Line:
    """What one action did.

    Parameters
    ----------
    label, verdict : str
        In words.
    kind : str
        The class that colours the verdict; empty where it is open.
    net, between : str
        What it brought in all, cost taken off, and the interval of that.
    return_on_cost : float or None
        None where it cost nothing.
    """

    label: str
    verdict: str
    kind: str
    net: str
    between: str
    return_on_cost: float | None


@dataclass(frozen=True)
class Lines:
    """The first few actions of which something is said, and how many more there are.

    Parameters
    ----------
    shown : list of Line
    more : int
        Of which something is said as well.
    too_few : int
        Of which too few customers are in it.
    unclaimed : int
        Of which nothing is claimed, for they were no experiment.
    """

    shown: list[Line]
    more: int
    too_few: int
    unclaimed: int


def lines_of(effect: Json, currency: str, language: Language) -> Lines:
    """Return what was measured of a campaign in a few lines, all its actions together first.

    Parameters
    ----------
    effect : mapping
        Of `service/campaigns/effects.py`.
    """
    actions = effect["actions"]
    claimed = [one for one in actions if one["net"] is not None]
    claimed.sort(key=lambda one: (one["action"] != WHOLE, -one["treated"]))
    too_few = sum(one["verdict"] == TOO_FEW for one in actions)
    return Lines(
        [_line(one, currency, language) for one in claimed[:_MOST]],
        max(len(claimed) - _MOST, 0),
        too_few,
        len(actions) - len(claimed) - too_few,
    )


def _line(one: Json, currency: str, language: Language) -> Line:
    net, low, high = (
        format_money(one[name], currency, language, whole=True) for name in ("net", "net_low", "net_high")
    )
    return Line(
        one["label"][language] if one["label"] else one["action"],
        VERDICTS[one["verdict"]].to(language),
        KINDS.get(one["verdict"], ""),
        net,
        _BETWEEN.to(language).format(low=low, high=high),
        one["return_on_cost"],
    )
