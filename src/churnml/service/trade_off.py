"""Whom a model would have found, whom it would have had contacted in vain, and what that earned: read off kept curves.

Nothing is trained or scored for it. Between two shares that were kept a straight line is drawn, which is what
contacting by lot between them would do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.config import Campaign
from churnml.errors import NotFoundError
from churnml.modeling.paying import paying_probability, profit_at

Json = dict[str, Any]  # Any: JSON
Matrix = npt.NDArray[np.float64]
NOT_KEPT = (
    "model `{version}` keeps no curves, for an earlier version of churnml trained it, or it was not judged out of "
)
NOT_KEPT += "time; train again to see them"


@dataclass(frozen=True)
class Stakes:
    """What a campaign costs and brings, in money.

    Parameters
    ----------
    clv : float
        What a customer who is kept is worth.
    incentive : float
        What is given to who accepts; who would have stayed always does.
    contact : float
        What each contact costs.
    accepts : float
        Probability that one who was about to leave accepts.
    """

    clv: float
    incentive: float
    contact: float
    accepts: float

    @classmethod
    def of(cls, campaign: Mapping[str, float] | None) -> Stakes:
        """Return those that a model was trained with, see `campaign` in configs/backtest.yaml; or the usual ones."""
        told = Campaign() if campaign is None else Campaign.model_validate(campaign)
        return cls(told.clv, told.incentive, told.contact, told.alpha / (told.alpha + told.beta))


def trade_off(model: Mapping[str, Any], share: float, stakes: Stakes) -> Json:  # Any: JSON
    """Return what contacting the riskiest `share` of customers would have come to at the test of a model.

    Parameters
    ----------
    model : mapping
        Of `trained.model`.
    share : float
        Of all customers, in (0, 1].
    stakes : Stakes
        What the money is counted with.

    Returns
    -------
    dict
        `at`: customers contacted, `caught` who left and `wrongly` contacted who stayed, each in customers with a 95 %
        interval, the share `found` of all who left, and `profit` per customer of the base; of each baseline the same
        without interval and by how much ours catches more. `points`: the same of ours at every share kept. `money`: of
        each method the profit at every share. `best_share`: where that of ours was highest, with hindsight.

    Raises
    ------
    NotFoundError
        If the model keeps no curves.
    """
    curves = model.get("curves")
    if not curves:
        raise NotFoundError(NOT_KEPT.format(version=model["model_version"]))
    contacted, everybody = curves["contacted"], int(curves["customers"])
    shares = np.array([0.0, *contacted["shares"]])
    ours, *others = contacted["methods"]
    caught = _from_nothing(contacted["methods"][ours]["caught"])
    found = _from_nothing(contacted["found"])
    edges = np.array([1.0, *contacted["edges"]])
    profits = {ours: _profit(caught, shares, stakes)}
    profits |= {
        name: _profit(_from_nothing(contacted["methods"][name]["caught"])[:, None], shares, stakes) for name in others
    }

    def point(at: float) -> Json:
        told = {"share": at, "edge": float(np.interp(at, shares, edges)), "customers": round(at * everybody)}
        who = _at(at, shares, caught) * everybody
        return told | {
            "caught": who.tolist(),
            "wrongly": (at * everybody - who)[[0, 2, 1]].tolist(),
            "found": _at(at, shares, found).tolist(),
            "profit": _at(at, shares, profits[ours]).tolist(),
        }

    beside = [
        {
            "name": name,
            "caught": float(_at(share, shares, _from_nothing(one["caught"])[:, None])[0] * everybody),
            "lead_of_ours": (_at(share, shares, _from_nothing(one["lead_of_ours"])) * everybody).tolist(),
            "profit": float(_at(share, shares, profits[name])[0]),
        }
        for name, one in contacted["methods"].items()
        if name in others
    ]
    return {
        "as_of": curves["as_of"],
        "customers": everybody,
        "left": curves["left"],
        "stakes": vars(stakes),
        "pays_above": paying_probability(**vars(stakes)),
        "at": point(share) | {"baselines": beside},
        "points": [point(float(one)) for one in shares[1:]],
        "money": {name: profit.tolist() for name, profit in profits.items()},
        "best_share": float(shares[int(np.argmax(profits[ours][:, 0]))]),
    }


def _from_nothing(values: Sequence[Any]) -> Matrix:  # Any: JSON, numbers or lists of three
    """Return what is kept of a curve with its beginning: who contacts nobody catches nobody."""
    kept = np.array(values, dtype=np.float64)
    return np.concatenate([np.zeros((1, *kept.shape[1:])), kept])


def _at(share: float, shares: Matrix, values: Matrix) -> Matrix:
    return np.array([np.interp(share, shares, column) for column in values.T])


def _profit(caught: Matrix, shares: Matrix, stakes: Stakes) -> Matrix:
    """Return the profit per customer of the base; what rises with whom is caught keeps the interval of that."""
    return profit_at(caught, shares[:, None], **vars(stakes))
