"""Intervals that hold at every look: an experiment may be watched each week and stopped when it says enough.

A 95 % interval promises to miss the truth in one of twenty experiments *if it is looked at once*. Looked at each week,
it misses at some look in far more. A confidence sequence misses at any look, now or ever, in one of twenty; it is
wider.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import lambertw

from churnml.policy.measurement import LEVEL, Estimate


def always_valid(found: Estimate, planned: int, level: float = LEVEL) -> tuple[float, float]:
    r"""Return the interval of an asymptotic confidence sequence at one look.

    .. math:: \hat\mu \pm \hat\sigma \sqrt{\frac{n \rho^2 + 1}{n^2 \rho^2} \log \frac{n \rho^2 + 1}{\alpha^2}}

    with :math:`\rho` from `tightest_at` the number of cases planned, at 95 % whatever the level; it must be written
    down before the first look.

    Parameters
    ----------
    found : Estimate
        Its `spread` is robust to customers who come more than once.
    planned : int
        Cases at which the sequence is to be narrowest, at least 1.
    level : float, default 0.95

    References
    ----------
    Waudby-Smith, I., Arbour, D., Sinha, R., Kennedy, E. H. & Ramdas, A. (2024). Time-uniform central limit theory and
    asymptotic confidence sequences. Annals of Statistics 52(6), 2613-2640: theorem 2.2; section 3 for doubly robust
    scores. The boundary is Robbins' (1970) normal mixture.
    """
    if found.n == 0:
        return -np.inf, np.inf
    half = half_width(found.error, found.n, planned, 1 - level)
    return found.value - half, found.value + half


def half_width(error: float, n: int, planned: int, alpha: float) -> float:
    """Return half the width of the interval of `always_valid` that misses at any look with probability `alpha`.

    Parameters
    ----------
    error : float
        Standard error at `n` cases.
    n, planned : int
        Cases now, and those at which the 95 % sequence is narrowest.
    alpha : float
    """
    scaled = n * tightest_at(planned) ** 2
    return error * float(np.sqrt((scaled + 1) / scaled * np.log((scaled + 1) / alpha**2)))


def always_valid_p(found: Estimate, planned: int) -> float:
    r"""Return the p-value of no effect that may be looked at any time: the level at which `always_valid` touches zero.

    :math:`p = \sqrt{n\rho^2 + 1} \, \exp\left(-\frac{z^2}{2} \frac{n\rho^2}{n\rho^2 + 1}\right)`, at most 1, with
    :math:`z` the effect over its error and :math:`\rho` that of the 95 % sequence.
    """
    if found.error <= 0:
        return 1.0
    scaled = found.n * tightest_at(planned) ** 2
    z = found.value / found.error
    return float(min(np.exp(np.log(scaled + 1) / 2 - z**2 / 2 * scaled / (scaled + 1)), 1.0))


@cache
def tightest_at(planned: int, level: float = LEVEL) -> float:
    r"""Return the :math:`\rho` whose sequence is narrowest at so many cases.

    With :math:`u = n\rho^2 + 1` the squared width is proportional to :math:`\frac{u}{u-1}\log(u/\alpha^2)`, least where
    :math:`\log(u / \alpha^2) = u - 1`, that is :math:`u = -W_{-1}(-\alpha^2 / e)`.

    Examples
    --------
    >>> round(tightest_at(1000), 4)
    0.0892
    """
    alpha = 1 - level
    u = -float(np.real(lambertw(-(alpha**2) / np.e, -1)))
    return float(np.sqrt((u - 1) / max(planned, 1)))
