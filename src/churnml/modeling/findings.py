"""What rolled origins say beyond a table of metrics: the figures that help someone decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

from churnml.config import Campaign
from churnml.modeling.curves import curves
from churnml.modeling.grade import Grade, grades
from churnml.modeling.money import Money, money
from churnml.modeling.origins import Rolled
from churnml.modeling.pool import Pool
from churnml.modeling.segments import Segment, segments
from churnml.modeling.stability import Course, stability

Json = dict[str, Any]  # Any: JSON


@dataclass(frozen=True)
class Findings:
    """What the origins before the last say, so that the last is not used up.

    Parameters
    ----------
    money : Money
        What acting on each method would have earned.
    segments : tuple of Segment
        How ours did in each part of the customers.
    grades : tuple of Grade
        The letter of another product, ours first.
    stability : tuple of Course
        Ours from origin to origin; the one finding that looks at the last, to say whether it differs.
    curves : dict
        The points of the plots.
    """

    money: Money
    segments: tuple[Segment, ...]
    grades: tuple[Grade, ...]
    stability: tuple[Course, ...]
    curves: Json

    def to_json(self) -> Json:
        """Return plain data ready for JSON, without a row of any customer."""
        told = {"money": self.money.to_json(), "segments": [one.to_json() for one in self.segments]}
        told["dynamics_365_grade"] = [one.to_json() for one in self.grades]
        return told | {"stability": [one.to_json() for one in self.stability], "curves": self.curves}


def findings(rolled: Rolled, campaign: Campaign, *, bootstrap: int) -> Findings:
    """Return what the origins say of money and of segments, the letter another product would give, and stability.

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
    # one thread adds up floats in one order, so the report has the same bits every time
    with threadpool_limits(limits=1, user_api="blas"):
        return Findings(
            money(pool, campaign, bootstrap=bootstrap, seed=rolled.seed),
            tuple(segments(pool, bootstrap=bootstrap, seed=rolled.seed)),
            tuple(grades(rolled.earlier)),
            tuple(stability(rolled, bootstrap=bootstrap)),
            curves(pool, bootstrap=bootstrap, seed=rolled.seed),
        )
