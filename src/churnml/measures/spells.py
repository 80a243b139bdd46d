"""Unbroken stays in a stage, read off everybody's stages at several cutoffs: a customer's path is their spells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from churnml.measures.lifecycle import NO_STAGE, Codes

if TYPE_CHECKING:  # the kernel takes a second to import
    from churnml.measures.lifecycle_history import StageHistory


@dataclass(frozen=True)
class Spells:
    """Unbroken stays in stages, customer after customer and in the order of time.

    Parameters
    ----------
    customer : ndarray of shape (n_spells,)
        Places in `StageHistory.customer_ids`.
    stage : ndarray of shape (n_spells,)
        Places in `STAGES`.
    first, last : ndarray of shape (n_spells,)
        Places of the first and the last cutoff at which they were in it.
    """

    customer: npt.NDArray[np.intp]
    stage: Codes
    first: npt.NDArray[np.intp]
    last: npt.NDArray[np.intp]


def spells(history: StageHistory) -> Spells:
    """Return the stays of all customers.

    Examples
    --------
    >>> import numpy as np
    >>> from churnml.measures.lifecycle_history import StageHistory
    >>> codes = np.array([[-1, 3], [1, 3], [1, 4]], dtype=np.int8)
    >>> found = spells(StageHistory(np.array(["ann", "bob"], dtype=object), (0, 1, 2), codes, 0))
    >>> [one.tolist() for one in (found.customer, found.stage, found.first, found.last)]
    [[0, 1, 1], [1, 3, 4], [1, 0, 2], [2, 1, 2]]
    """
    turns, everyone = history.codes.shape
    told = np.ascontiguousarray(history.codes.T)
    begins = np.ones(told.shape, dtype=np.bool_)
    begins[:, 1:] = told[:, 1:] != told[:, :-1]
    place = np.flatnonzero(begins)
    until = np.append(place[1:], everyone * turns)[: len(place)] - 1
    known = told.ravel()[place] != NO_STAGE
    place, until = place[known], until[known]
    return Spells(place // turns, told.ravel()[place], place % turns, until % turns)
