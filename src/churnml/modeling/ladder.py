"""Which rung a base stands on: how much of the model its customers can teach, why, and what the next rung takes.

`blend`: trees, ridge and rhythm. `logistic`: ridge and rhythm, where fewer than 200 customers left. `rhythm`: what
customers bought, without a label. `recency`: a rule, where not even a rhythm can be believed (docs/adr/0012).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from churnml.errors import NotEnoughDataError
from churnml.events import By

Rung = Literal["blend", "logistic", "rhythm", "recency"]
RUNGS: tuple[Rung, ...] = ("blend", "logistic", "rhythm", "recency")

FEWEST_LEFT, FEWEST_OF_EACH, FEWEST_CUTOFFS = 200, 30, 2


@dataclass(frozen=True)
class Step:
    """Where a base stands.

    Parameters
    ----------
    rung : {'blend', 'logistic', 'rhythm', 'recency'}
    because : str
        Why not higher, in words; empty on the highest.
    next_needs : str
        What the next rung up takes, in words; empty on the highest.
    """

    rung: Rung
    because: str = ""
    next_needs: str = ""


@dataclass(frozen=True)
class Lessons:
    """What there is to learn from.

    Parameters
    ----------
    cutoffs : int
        Training cutoffs with a final label.
    left, stayed : int
        Different customers who left after one of them, and who stayed after one.
    no_rhythm : str
        Why no rhythm of buying can be believed, in words; empty where one can.
    """

    cutoffs: int
    left: int
    stayed: int
    no_rhythm: str = ""


def lessons(
    cutoffs: npt.NDArray[np.int64],
    customer_ids: npt.NDArray[np.object_],
    churned: npt.NDArray[np.bool_],
    no_rhythm: str,
) -> Lessons:
    """Count what stacked snapshots can teach; arrays of shape (n_rows,)."""
    left, stayed = (len(np.unique(customer_ids[rows].astype(str))) for rows in (churned, ~churned))
    return Lessons(len(np.unique(cutoffs)), left, stayed, no_rhythm)


def highest(found: Lessons, history_needed: str) -> Step:
    """Return the highest rung that the lessons reach.

    Parameters
    ----------
    history_needed : str
        How much history a first training cutoff takes, in words.
    """
    if found.no_rhythm:
        needs = "at least 10 customers who ordered, 5 of whom came back, and none who is most of the business"
        return Step("recency", f"no rhythm of buying can be learned: {found.no_rhythm}", needs)
    of_each = f"{FEWEST_OF_EACH} customers who left and {FEWEST_OF_EACH} who stayed at cutoffs whose horizon is over"
    if not found.cutoffs:
        return Step("rhythm", f"no horizon is over yet that could teach who leaves: {history_needed}", of_each)
    so_far = f"{found.left} customers who left and {found.stayed} who stayed were found at {_cutoffs(found)}"
    if min(found.left, found.stayed) < FEWEST_OF_EACH:
        return Step("rhythm", so_far, of_each)
    if found.left < FEWEST_LEFT or found.cutoffs < FEWEST_CUTOFFS:
        return Step("logistic", so_far, f"{FEWEST_LEFT} customers who left, at {FEWEST_CUTOFFS} cutoffs or more")
    return Step("blend")


def require(rung: Rung, found: Lessons) -> None:
    """Check that a rung can be stood on.

    Raises
    ------
    NotEnoughDataError
        If the lessons do not reach it.
    """
    step = highest(found, "there is no cutoff to learn from")
    if RUNGS.index(step.rung) > RUNGS.index(rung):
        raise NotEnoughDataError(f"the rung `{rung}` takes {step.next_needs}, but {step.because}; bring more history")


def below(rung: Rung, by: By = "orders") -> Rung | None:
    """Return the next rung down, None below the lowest: by contracts their rhythm is, for it can always be told."""
    rungs = RUNGS[:-1] if by == "contracts" else RUNGS
    place = rungs.index(rung) + 1
    return rungs[place] if place < len(rungs) else None


def _cutoffs(found: Lessons) -> str:
    return f"{found.cutoffs} training cutoff{'s' * (found.cutoffs != 1)}"
