"""What to do about each stage and segment of the base: the one action that pays best for all of a cell, or none.

`decide` chooses for each customer within a budget. This says what a company's policy should be before anybody is named:
of each cell of stage and segment, which action brings most if everybody gets it whom it suits and who may have it. No
budget, capacity or rest between contacts is asked; of effects, what is known of them is taken as `decide` takes it,
cautiously, so that an action whose effect is merely hoped for is not advised over one that pays less and surely.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from churnml.measures.lifecycle import STAGES
from churnml.measures.segments import SEGMENTS
from churnml.policy.actions import DO_NOTHING, Catalogue
from churnml.policy.effect import SOURCES, Effect

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

OTHERS, UNSCORED = "others", "unscored"
"""What stands in place of a segment: cells of few customers together, and customers without a score."""

UNSEEN = "unseen"
"""What stands in place of a stage, of customers whom the scores do not hold: who was not known yet when they were made.
"""

Evidence = Literal["proven", "unproven", "assumed", "nothing_pays", "nothing_open", "none"]
EVIDENCE: tuple[Evidence, ...] = get_args(Evidence)
"""What an advice rests on: an experiment that found that the action pays; one that is not conclusive; an assumption. Or
why none is given: no action that is open pays, none is open, nobody in the cell has a score."""

_LEVEL = 0.95


@dataclass(frozen=True)
class Cell:
    """Some customers of one stage.

    Parameters
    ----------
    stage, segment : str
        Keys of `STAGES` and `SEGMENTS`, `OTHERS`, `UNSEEN`, or `UNSCORED`.
    members : ndarray of int, shape (n_members,)
        Their places.
    """

    stage: str
    segment: str
    members: npt.NDArray[np.intp]


def cells(stages: Sequence[str], segments: Sequence[str | None], smallest: int) -> list[Cell]:
    """Return the customers by stage and segment, in the order of a life, everybody in exactly one cell.

    Parameters
    ----------
    stages : sequence of str, length n_customers
    segments : sequence of str or None
        None for who has no score.
    smallest : int
        Cells of fewer customers are pooled, within their stage as long as that is enough.

    Examples
    --------
    >>> value = "high_value_low_risk"
    >>> [(one.stage, one.segment, one.members.tolist()) for one in cells(["new", "new", "mature"], [value] * 3, 2)]
    [('new', 'high_value_low_risk', [0, 1]), ('others', 'others', [2])]
    """
    found: dict[tuple[str, str], list[int]] = {}
    for place, (stage, segment) in enumerate(zip(stages, segments, strict=True)):
        found.setdefault((stage, segment or UNSCORED), []).append(place)
    for pooled in (lambda key: (key[0], OTHERS), lambda _: (OTHERS, OTHERS)):
        for key in [key for key, members in found.items() if len(members) < smallest]:
            found.setdefault(pooled(key), []).extend(found.pop(key))
    order = [[*STAGES, UNSEEN, OTHERS], [*SEGMENTS, OTHERS, UNSCORED]]
    keys = sorted(found, key=lambda key: tuple(words.index(word) for words, word in zip(order, key, strict=True)))
    return [Cell(*key, np.sort(np.array(found[key], dtype=np.intp))) for key in keys]


@dataclass(frozen=True)
class Advice:
    """What to do about a cell; money is in the currency, NaN where nothing is advised.

    Parameters
    ----------
    action : str
        A name in the catalogue; `do_nothing` where no other pays.
    evidence : Evidence
    source : str
        Where the effect comes from, of `SOURCES`, or `mixed`.
    open_to : int
        Customers of the cell who would get it.
    effect, effect_low, effect_high : float
        Change of margin per customer who gets it, before its cost, with a 95 % interval where it was measured; a guess
        has none.
    cost : float
        What it is expected to cost per customer who gets it.
    total, total_low, total_high : float
        Effect less cost, of all of them.
    """

    action: str
    evidence: Evidence
    source: str = ""
    open_to: int = 0
    effect: float = float("nan")
    effect_low: float = float("nan")
    effect_high: float = float("nan")
    cost: float = float("nan")
    total: float = float("nan")
    total_low: float = float("nan")
    total_high: float = float("nan")

    @property
    def return_on_cost(self) -> float:
        """Effect less cost for each unit of cost; NaN where it costs nothing."""
        return (self.effect - self.cost) / self.cost if self.cost > 0 else float("nan")


def advise(
    of_each: Sequence[npt.NDArray[np.intp]],
    catalogue: Catalogue,
    effect: Effect,
    costs: Floats,
    is_open: Flags,
    *,
    proven: Collection[str] = (),
    smallest: int = 1,
) -> Iterator[Advice]:
    """Yield what to do about each cell.

    The action is the one whose cautious net value, summed over the customers of the cell to whom it is open, is
    greatest; `do_nothing` where none lies above zero. An assumed or measured effect is one number for all customers of
    a cell, wrong for all alike or for none, so its interval does not shrink with their number: standard deviations are
    averaged, not added in squares.

    Parameters
    ----------
    of_each : sequence of ndarray of int
        The places of each cell's customers among the rows below; empty where none has a score.
    effect : Effect
        Arrays of shape (n_customers, n_actions).
    costs : ndarray of shape (n_customers, n_actions)
        Expected, in the currency.
    is_open : ndarray of bool, shape (n_customers, n_actions)
        To whom the actions are open.
    proven : collection of str
        The actions that an experiment found to bring more than they cost.
    smallest : int, default 1
        An action open to fewer of a cell is not advised for it.
    """
    for members in of_each:
        yield _about(members, catalogue, effect, costs, is_open, proven, smallest)


def _about(
    members: npt.NDArray[np.intp],
    catalogue: Catalogue,
    effect: Effect,
    costs: Floats,
    is_open: Flags,
    proven: Collection[str],
    smallest: int,
) -> Advice:
    if not len(members):
        return Advice("", "none")
    may = is_open[members]
    may[:, may.sum(axis=0) < smallest] = False
    may[:, 0] = True
    cautious = np.where(may, effect.lower[members] - costs[members], 0.0).sum(axis=0)
    best = int(np.argmax(cautious))
    if best == 0 or cautious[best] <= 0:
        return Advice(DO_NOTHING, "nothing_pays" if may[:, 1:].any() else "nothing_open")
    given = members[may[:, best]]
    change, sd, cost = (part[given, best] for part in (effect.margin_change, effect.sd, costs))
    count, source = len(given), _source(effect.source[given, best])
    evidence = _evidence(catalogue.names[best], source, proven)
    # the catalogue states how unsure its churn effects are and nothing of its orders: no interval of a guess holds
    sure = float("nan") if evidence == "assumed" else float(ndtri((1 + _LEVEL) / 2))
    middle, wide, each = float(change.mean()), sure * float(sd.mean()), float(cost.mean())
    ends = (middle, middle - wide, middle + wide)
    total, low, high = (count * (end - each) for end in ends)
    return Advice(catalogue.names[best], evidence, source, count, *ends, each, total, low, high)


def _source(sources: npt.NDArray[np.int8]) -> str:
    found = np.unique(sources)
    return SOURCES[int(found[0])] if len(found) == 1 else "mixed"


def _evidence(action: str, source: str, proven: Collection[str]) -> Evidence:
    if source in {"prior", "mixed"}:
        return "assumed"
    return "proven" if action in proven else "unproven"
