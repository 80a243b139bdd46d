"""When an experiment ends: written down at the first look, so that it cannot be moved after peeking.

The first look is the first measurement at which a case has closed; before it there is nothing to peek at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from churnml.errors import UsageError

Integers = npt.NDArray[np.int64]

_FEWEST_CASES: Final = 100
_DAY: Final = 86_400_000_000
_STRETCH_OF_A_PACE: Final = 0.25
"""Part of the planned days over which cases must have begun for their number to be a pace."""


@dataclass(frozen=True)
class Plan:
    """What was settled about a campaign before anybody saw what it did.

    Parameters
    ----------
    campaign : str
    written_at : int
        When; microseconds UTC, as all instants here.
    first_at : int
        Of the first case.
    takes_until : int
        Cases that begin before this instant are those of the planned end.
    customers : int or None
        Where set, it ends with the day on which so many cases have begun, whenever that is.
    horizon_days : int
        Of the outcome window.
    cases : mapping of str to int
        For each action, the cases expected at the end: where its always-valid interval is made narrowest.
    """

    campaign: str
    written_at: int
    first_at: int
    takes_until: int
    customers: int | None
    horizon_days: int
    cases: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data, as a run keeps it."""
        return asdict(self) | {"cases": dict(self.cases)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Plan:  # Any: JSON
        """Return what `to_json` wrote."""
        return cls(**told)

    def ends(self, cutoffs: Integers) -> int | None:
        """Return the instant before which the cases of the planned end begin; None while too few have begun.

        Parameters
        ----------
        cutoffs : ndarray of int64
            Of all cases of the campaign, open ones too.
        """
        if self.customers is None:
            return self.takes_until
        if len(cutoffs) < self.customers:
            return None
        return int(np.sort(cutoffs)[self.customers - 1]) + 1


def written(
    campaign: str,
    cutoffs: Mapping[str, Integers],
    closed_until: int,
    now: int,
    *,
    planned_days: int,
    planned_customers: int | None,
    horizon_days: int,
    drawn: int,
    whole: Collection[str] = (),
) -> Plan:
    """Return the plan of a campaign that is looked at for the first time.

    What has closed by the first look is all in the plan, for nobody has peeked before; so a campaign that is first
    looked at when it is over has its planned end behind it. How many cases are to come is told by the pace of each
    action, if it has been given for a quarter of the planned days; a campaign that assigns everyone at once has no
    pace, and is expected to have the cases that it has.

    Parameters
    ----------
    cutoffs : mapping of str to ndarray
        For each action, when its cases began, open ones too.
    closed_until : int
        The last of them whose window has closed.
    now : int
    planned_days : int
        Days from the first case in which cases are taken in.
    planned_customers : int or None
        Cases after which it ends, in place of days.
    horizon_days : int
    drawn : int
        Cases of the campaign that have begun, each once: one may be a control of several actions.
    whole : collection of str
        Actions of which no more cases come, whatever is planned.
    """
    first = min(int(own.min()) for own in cutoffs.values())
    until = max(first + planned_days * _DAY, closed_until + 1)

    def expected(action: str, own: Integers) -> int:
        seen = int(own.max()) - int(own.min()) + _DAY
        if action in whole:
            return len(own)
        if planned_customers is not None:
            return round(len(own) * planned_customers / max(drawn, 1))
        if seen < _STRETCH_OF_A_PACE * planned_days * _DAY:
            return len(own)
        return round(len(own) * max((until - int(own.min())) / seen, 1.0))

    cases = {action: max(expected(action, own), _FEWEST_CASES) for action, own in cutoffs.items()}
    return Plan(campaign, now, first, until, planned_customers, horizon_days, cases)


def completed(plan: Plan, cutoffs: Mapping[str, Integers], horizon_days: int) -> Plan:
    """Return a plan with the actions that have come since; nothing in it is changed.

    Raises
    ------
    UsageError
        If outcomes are now looked for over another time than was written down.
    """
    if plan.horizon_days != horizon_days:
        raise UsageError(
            f"the plan of the campaign `{plan.campaign}` looks at outcomes over {plan.horizon_days} days, written down "
            f"at its first look; `effect_horizon_days` is {horizon_days} now. Set it back in configs/assign.yaml, or "
            "name the next campaign otherwise"
        )
    usual = round(float(np.mean(list(plan.cases.values())))) if plan.cases else _FEWEST_CASES
    new = {action: usual for action in cutoffs if action not in plan.cases}
    return Plan(**{**vars(plan), "cases": {**plan.cases, **new}})
