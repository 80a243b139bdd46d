"""What acting on the forecasts would have earned: by share contacted, at the best share, and above the paying risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.config import Campaign
from churnml.errors import InvalidTableError
from churnml.modeling import metrics
from churnml.modeling.judgement import Figure, figure_of
from churnml.modeling.pool import Pool

Json = dict[str, Any]  # Any: JSON
Matrix = npt.NDArray[np.float64]

SHARES = np.linspace(0.0, 1.0, 101)
"""The shares contacted at which the curve is drawn."""
_TOLD = np.arange(0, 101, 5)


@dataclass(frozen=True)
class Earned:
    """One method's money per customer of the base, and by how much ours leads.

    Parameters
    ----------
    curve : tuple of Figure
        Profit at each of `SHARES`.
    best_share : Figure
        The share at which the curve is highest; chosen with hindsight, anew in each redraw.
    best_profit : Figure
        The profit there; with hindsight, so a little flattering to every method.
    paying_share : Figure
        The share of customers whose probability says that a contact pays.
    paying_profit : Figure
        What contacting just those earned; it asks the scale of the probabilities as well, and uses no hindsight.
    empc : Figure
        The expected maximum profit, over the unknown rate of acceptance.
    lead_of_ours : mapping of str to Figure
        In `best_profit`, `paying_profit` and `empc`; empty for ours.
    """

    name: str
    curve: tuple[Figure, ...]
    best_share: Figure
    best_profit: Figure
    paying_share: Figure
    paying_profit: Figure
    empc: Figure
    lead_of_ours: dict[str, Figure]


@dataclass(frozen=True)
class Money:
    """The campaign, the probability above which a contact pays, and what each method would have earned, ours first."""

    campaign: Campaign
    pays_above: float
    methods: tuple[Earned, ...]

    def to_json(self) -> Json:
        """Return plain data; the curve at every twentieth of the customers."""
        return {
            "campaign": self.campaign.model_dump(),
            "pays_above": self.pays_above,
            "unit": "money per customer of the base",
            "methods": {one.name: _earned_json(one) for one in self.methods},
        }


_LEADS = {"best_profit": len(SHARES) + 1, "paying_profit": len(SHARES) + 3, "empc": len(SHARES) + 4}


def money(pool: Pool, campaign: Campaign, *, bootstrap: int, seed: int) -> Money:
    """Return what contacting by each method would have earned, with 95 % intervals over redrawn customers.

    Raises
    ------
    NotEnoughDataError
        If a figure exists in fewer than half of the redraws.
    """
    once = np.ones(len(pool.churned), dtype=np.intp)
    found = {name: _row(pool.churned, p, once, campaign) for name, p in pool.churn.items()}
    drawn = {
        name: pool.drawn(lambda times, p=p: _row(pool.churned, p, times, campaign), bootstrap, seed)  # type: ignore[misc]
        for name, p in pool.churn.items()
    }
    ours = next(iter(found))

    def earned(name: str) -> Earned:
        told = [figure_of(np.array(v), drawn[name][:, k]) for k, v in enumerate(found[name])]
        leads = {
            figure: figure_of(np.array(found[ours][k] - found[name][k]), drawn[ours][:, k] - drawn[name][:, k])
            for figure, k in _LEADS.items()
        }
        share, profit, paying_share, paying_profit, empc = told[len(SHARES) :]
        known = {} if name == ours else leads
        return Earned(name, tuple(told[: len(SHARES)]), share, profit, paying_share, paying_profit, empc, known)

    return Money(campaign, _pays_above(campaign), tuple(earned(name) for name in found))


def _row(churned: Matrix, p: Matrix, times: npt.NDArray[np.intp], campaign: Campaign) -> Matrix:
    """Return the curve, then best share, best profit, paying share, paying profit and EMPC; shape (106,)."""
    curve = metrics.profit_curve(churned, p, SHARES, weights=times, **_costs(campaign))
    best = int(np.argmax(curve))
    above = (p >= _pays_above(campaign)) * 1.0
    share = float(times @ above / times.sum())
    # seen as a list of two, those above and those below, the paying probability is one more share of a curve
    paying = metrics.profit_curve(churned, above, [share], weights=times, **_costs(campaign))
    return np.concatenate([curve, [SHARES[best], curve[best], share, paying[0], _empc(churned, p, times, campaign)]])


def _empc(churned: Matrix, p: Matrix, times: npt.NDArray[np.intp], campaign: Campaign) -> float:
    rows = np.repeat(np.arange(len(p)), times)
    try:
        return metrics.empc(churned[rows], p[rows], **campaign.model_dump())
    except InvalidTableError:
        return float("nan")


def _costs(campaign: Campaign) -> dict[str, float]:
    return {
        "accepts": campaign.alpha / (campaign.alpha + campaign.beta),
        "clv": campaign.clv,
        "incentive": campaign.incentive,
        "contact": campaign.contact,
    }


def _pays_above(campaign: Campaign) -> float:
    return metrics.paying_probability(**_costs(campaign))


def _earned_json(one: Earned) -> Json:
    def told(figure: Figure) -> list[float]:
        return [figure.value, figure.low, figure.high]

    return {
        "curve": [{"share": float(SHARES[k]), "profit": told(one.curve[k])} for k in _TOLD],
        "best_share": told(one.best_share),
        "best_profit": told(one.best_profit),
        "paying_share": told(one.paying_share),
        "paying_profit": told(one.paying_profit),
        "empc": told(one.empc),
        "lead_of_ours": {name: told(lead) for name, lead in one.lead_of_ours.items()},
    }
