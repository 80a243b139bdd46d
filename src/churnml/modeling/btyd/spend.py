"""Spend where it goes together with frequency: Gamma-Gamma within what customers of a frequency usually spend.

Gamma-Gamma takes it that how often one buys says nothing of how much. Where it does say, and strongly, a customer seen
once or twice is drawn towards a mean that is not that of their like. Then classes of frequency have a level of spend
each, and Gamma-Gamma tells how a customer differs from the level of their class.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from churnml.errors import NotEnoughDataError
from churnml.modeling.btyd.gammagamma import STRONG, GammaGamma, Independence
from churnml.modeling.btyd.rfm import FloatArray, Rfm

_CLASSES = 5
_CUSTOMERS_IN_A_CLASS = 50


class SpendByFrequency(BaseEstimator):  # type: ignore[misc]  # scikit-learn publishes no types
    """Gamma-Gamma, by classes of frequency where spend surely depends on it; elsewhere Gamma-Gamma itself.

    Parameters
    ----------
    beyond : float, default 0.3
        Which rank correlation is strong: classes are made if its whole 95 % interval lies further from 0.

    Attributes
    ----------
    independence_ : Independence or None
        What the test found; None where all are equal, so that nothing can be told.
    highest_ : ndarray of shape (n_classes - 1,)
        The highest frequency of each class but the last; empty if there is one. Who never came back is in the first.
    levels_ : ndarray of shape (n_classes,)
        Mean spend of each class, in money; 1 if there is one class.
    spend_ : GammaGamma
        Of spend over the level of the class.

    Examples
    --------
    >>> from churnml.modeling.btyd import Rfm, SpendByFrequency
    >>> frequency = [1, 2, 3, 8] * 100
    >>> spend = [10.0 * x + place % 7 for place, x in enumerate(frequency)]
    >>> shop = Rfm(frequency, [20.0] * 400, [90.0] * 400, spend)
    >>> SpendByFrequency().fit(shop).expected_spend(Rfm([0, 8], [0, 20], [90, 90], [0, 80])).round().tolist()
    [13.0, 80.0]
    """

    def __init__(self, *, beyond: float = STRONG) -> None:
        self.beyond = beyond

    def fit(self, rfm: Rfm, y: None = None) -> Self:  # noqa: ARG002  # scikit-learn's manners
        """Test whether spend depends on frequency, and learn how much customers spend.

        Parameters
        ----------
        rfm : Rfm
            With monetary values.
        y : None
            Unused.

        Raises
        ------
        InvalidTableError, NotEnoughDataError, NoMaximumError
            As `GammaGamma.fit`.
        """
        self.independence_: Independence | None = _independence(rfm)
        self.highest_, self.levels_ = np.empty(0), np.ones(1)
        if self.independence_ is not None and self.independence_.beyond(self.beyond):
            self.highest_, self.levels_ = _classes(rfm)
        self.spend_ = GammaGamma().fit(self._relative(rfm))
        return self

    def expected_spend(self, rfm: Rfm) -> FloatArray:
        """Return the expected spend of each customer on a purchase day to come; money, of shape (n_customers,).

        Raises
        ------
        InvalidTableError
            If there are no monetary values.
        """
        check_is_fitted(self, "spend_")
        return self._level(rfm) * self.spend_.expected_spend(self._relative(rfm))

    def _level(self, rfm: Rfm) -> FloatArray:
        return np.asarray(self.levels_[np.searchsorted(self.highest_, rfm.frequency)])

    def _relative(self, rfm: Rfm) -> Rfm:
        if rfm.monetary_value is None or not len(self.highest_):
            return rfm
        return Rfm(rfm.frequency, rfm.recency, rfm.T, rfm.monetary_value / self._level(rfm))


def _independence(rfm: Rfm) -> Independence | None:
    try:
        return GammaGamma.independence(rfm)
    except NotEnoughDataError:
        return None


def _classes(rfm: Rfm) -> tuple[FloatArray, FloatArray]:
    """Return the highest frequency of classes of about equal size among who came back, and what each spends."""
    back = rfm.frequency > 0
    x, mean = rfm.frequency[back], np.asarray(rfm.monetary_value)[back]
    parts = max(1, min(_CLASSES, len(x) // _CUSTOMERS_IN_A_CLASS))
    highest = np.unique(np.quantile(x, np.linspace(0, 1, parts + 1)[1:-1], method="lower"))
    highest = highest[highest < x.max()]
    place = np.searchsorted(highest, x)
    return highest, np.bincount(place, mean) / np.bincount(place)
