"""What rolled origins say beyond a table of metrics: the figures that help someone decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from churnml.config import Campaign
from churnml.modeling.money import Money, money
from churnml.modeling.origins import Rolled
from churnml.modeling.pool import Pool

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True)
class Findings:
    """All are read off the origins before the last, so that the last is not used up.

    Parameters
    ----------
    money : Money
        What acting on each method would have earned.
    """

    money: Money

    def to_json(self) -> Json:
        """Return plain data ready for JSON, without a row of any customer."""
        return {"money": self.money.to_json()}


def findings(rolled: Rolled, campaign: Campaign, *, bootstrap: int) -> Findings:
    """Return what the origins say of money.

    Parameters
    ----------
    bootstrap : int
        Redraws of customers behind each interval.

    Raises
    ------
    NotEnoughDataError
        If a figure exists in fewer than half of the redraws.
    """
    pool = Pool.of(rolled.earlier)
    return Findings(money(pool, campaign, bootstrap=bootstrap, seed=rolled.seed))
