"""A challenger in the shadow of the champion: what it would have said, and on closed labels whether it was right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.modeling import metrics
from churnml.modeling.judgement import OURS, Contest, contest
from churnml.modeling.model import Model

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Json = dict[str, Any]  # Any: JSON

CHALLENGER = "challenger"


@dataclass(frozen=True)
class Shadow:
    """What a challenger would have said.

    Parameters
    ----------
    rank_correlation : float or None
        With the champion, now; None where one of them says the same of all.
    in_another_band : float
        Share of the population that it puts into another risk band.
    mean, champion_mean : float
        Mean churn probability of both, now.
    contest : Contest or None
        Champion and challenger on labels that closed since both were taught; None where none has.
    """

    rank_correlation: float | None
    in_another_band: float
    mean: float
    champion_mean: float
    contest: Contest | None

    @property
    def better(self) -> tuple[str, ...]:
        """Metrics on which the challenger is better beyond noise."""
        return self._beyond(-1)

    @property
    def worse(self) -> tuple[str, ...]:
        """Metrics on which it is worse beyond noise."""
        return self._beyond(1)

    def _beyond(self, sign: int) -> tuple[str, ...]:
        if self.contest is None:
            return ()
        leads = self.contest.methods[1].lead_of_ours
        return tuple(metric for metric, lead in leads.items() if min(sign * lead.low, sign * lead.high) > 0)

    def to_json(self) -> Json:
        """Return plain data."""
        told = {"rank_correlation": self.rank_correlation, "in_another_band": self.in_another_band}
        told |= {"mean": self.mean, "champion_mean": self.champion_mean}
        figures = None
        if self.contest is not None:
            figures = {
                method.name: {name: [one.value, one.low, one.high] for name, one in method.figures.items()}
                for method in self.contest.methods
            }
        return told | {"on_closed_labels": figures, "better_on": list(self.better), "worse_on": list(self.worse)}


def shadow(
    models: tuple[Model, Model],
    told: tuple[Matrix, Matrix],
    present: Flags,
    judged: Flags,
    churned: Matrix,
    bootstrap: int,
    seed: int,
) -> Shadow:
    """Return what a challenger says beside the champion.

    Parameters
    ----------
    models : (Model, Model)
        Champion and challenger.
    told : (ndarray, ndarray), each of shape (n_rows,)
        Their churn probabilities.
    present, judged : ndarray of shape (n_rows,)
        Which rows are of now, and which of cutoffs whose labels closed since both were taught.
    churned : ndarray of shape (n_judged,)
        1 for who left, of the judged rows in their order.
    bootstrap, seed : int
        Redraws behind the intervals.
    """
    now = [one[present] for one in told]
    varied = all(np.ptp(one) > 0 for one in now)
    bands = [np.searchsorted(model.bands, one, side="right") for model, one in zip(models, now, strict=True)]
    found = None
    if judged.any():
        said = {OURS: told[0][judged], CHALLENGER: told[1][judged]}
        try:
            found = contest("churn", churned, said, bootstrap=bootstrap, seed=seed)
        except (InvalidTableError, NotEnoughDataError):
            found = None  # nobody or everybody left: there is nothing to compare
    return Shadow(
        metrics.spearman(*now) if varied else None,
        float((bands[0] != bands[1]).mean()),
        float(now[1].mean()),
        float(now[0].mean()),
        found,
    )
