"""Whether as many were treated as the recorded chances say; where not, customers were lost or the draw was another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, chi2

ONE_IN: Final = 1_000
_ENOUGH: Final = 10.0
_DIGITS: Final = 9


@dataclass(frozen=True)
class SampleRatio:
    """How many were treated, how many were to be expected, and how likely such a difference is by chance.

    Parameters
    ----------
    treated, controls : int
        Cases.
    expected : float
        Of the treated, by the recorded propensities.
    p : float
        Probability of sizes as far off as these, if cases were drawn as recorded.
    """

    treated: int
    controls: int
    expected: float
    p: float

    @property
    def holds(self) -> bool:
        """Whether the sizes fit, at one in a thousand."""
        return self.p * ONE_IN >= 1


def sample_ratio(treated: npt.NDArray[np.bool_], propensity: npt.NDArray[np.float64]) -> SampleRatio:
    r"""Return whether the sizes of the arms fit their propensities.

    Cases of one propensity are a binomial draw. Where each of these is large, their squared standardised differences
    add up to a chi-square with one degree of freedom for each. Where one is small, all are summed before they are
    squared if that is large enough, and else the exact probability of each is taken and the smallest multiplied by
    their number.

    Parameters
    ----------
    treated : ndarray of bool, shape (n_cases,)
    propensity : ndarray of shape (n_cases,)
        Within (0, 1).

    References
    ----------
    Fabijan, A. et al. (2019). Diagnosing sample ratio mismatch in online controlled experiments. KDD 2019, 2156-2164.

    Examples
    --------
    >>> sample_ratio(np.arange(1000) < 600, np.full(1000, 0.5)).holds
    False
    """
    counts = int(treated.sum()), int((~treated).sum())
    chances, place = np.unique(np.round(propensity, _DIGITS), return_inverse=True)
    size = np.bincount(place.reshape(-1), minlength=len(chances))
    came = np.bincount(place.reshape(-1), treated, minlength=len(chances))
    expected = float(propensity.sum())
    if not len(chances):
        return SampleRatio(*counts, expected, 1.0)
    if (size * np.minimum(chances, 1 - chances) >= _ENOUGH).all():
        off = (came - size * chances) ** 2 / (size * chances * (1 - chances))
        return SampleRatio(*counts, expected, float(chi2.sf(off.sum(), len(chances))))
    variance = float((propensity * (1 - propensity)).sum())
    if variance >= _ENOUGH and len(chances) > 1:
        return SampleRatio(*counts, expected, float(chi2.sf((counts[0] - expected) ** 2 / variance, 1)))
    exact = [binomtest(int(k), int(n), float(chance)).pvalue for k, n, chance in zip(came, size, chances, strict=True)]
    return SampleRatio(*counts, expected, float(min(1.0, min(exact) * len(exact))))
