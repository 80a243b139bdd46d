"""What a workspace's treatments taught: of each action its uplift in margin and in staying, and the columns it asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from churnml.events import By
from churnml.modeling.design import Design
from churnml.modeling.uplift.estimate import ArmUplift, Uplift

Evidence = Literal["none", "average", "order"]


@dataclass(frozen=True)
class Taught:
    """What was learned of one action against its controls.

    Attributes
    ----------
    action : str
    margin : Uplift or None
        Of margin within the window, in the currency; None where there was no evidence.
    stayed : Uplift or None
        Of staying, which is 1, through the window; None where there was no evidence.
    """

    action: str
    margin: Uplift | None
    stayed: Uplift | None

    @property
    def arms(self) -> tuple[ArmUplift, ...]:
        """What is known of the action, by margin and by staying, as far as there was evidence."""
        return tuple(found.arms[0] for found in (self.margin, self.stayed) if found is not None)

    @property
    def evidence(self) -> Evidence:
        """What the controls tell: nothing, the average effect alone, or also whom the action helps more."""
        if not self.arms:
            return "none"
        return "order" if any(arm.accepted for arm in self.arms) else "average"

    @property
    def telling(self) -> bool:
        """Whether customers are known to differ: some are helped more, or some are harmed."""
        return any(arm.accepted or any(group.sleeping for group in arm.groups) for arm in self.arms)


@dataclass(frozen=True)
class Learned:
    """All actions together; what a bundle holds.

    Attributes
    ----------
    design : Design
        The columns that effects are asked with, made of a table of features alone.
    horizon_days : int
        Length of the window after a treatment in which outcomes were looked for.
    population_days : int
        As in `features.build`.
    by : {'orders', 'contracts'}
        What leaving was.
    actions : tuple of Taught
    """

    design: Design
    horizon_days: int
    population_days: int
    by: By
    actions: tuple[Taught, ...]

    @property
    def telling(self) -> tuple[Taught, ...]:
        """The actions that are known to help some more than others, or to harm some."""
        return tuple(one for one in self.actions if one.telling)
