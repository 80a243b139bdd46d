"""What an order gathers as more customers are treated, with the tenths of it: the figures behind a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from churnml.modeling.uplift.estimate import Uplift

Matrix = npt.NDArray[np.float64]

_POINTS = 41


@dataclass(frozen=True)
class Gathered:
    """The Qini curve of an arm by doubly robust scores, out of fold.

    Attributes
    ----------
    share : ndarray of shape (n_points,)
        Of customers treated, largest effect first; from 0 to 1, evenly.
    gain : ndarray of shape (n_points,)
        What that brings, per customer of the experiment, in units of the outcome.
    """

    share: Matrix
    gain: Matrix


def gathered(found: Uplift) -> Gathered:
    """Return what treating the first of the order brings, of the first arm, V of `docs/uplift.md`.

    Equal effects are treated together, so that no order is made of none: between them the curve is straight.
    """
    scores, effect = found.scores[:, 1] - found.scores[:, 0], found.effects[:, 1]
    order = np.argsort(-effect, kind="stable")
    last = np.append(np.flatnonzero(np.diff(effect[order])), len(order) - 1)
    brought = np.append(0.0, np.cumsum(scores[order])[last] / len(order))
    share = np.linspace(0.0, 1.0, _POINTS)
    return Gathered(share, np.interp(share, np.append(0.0, (last + 1) / len(order)), brought))
