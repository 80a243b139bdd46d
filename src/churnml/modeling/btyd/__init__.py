"""Buy till you die: purchase counts and dates go in; who is still a customer, and what they will buy, comes out.

In: per customer `frequency`, `recency`, `T` and `monetary_value` at one cutoff. Out: two frozen, fitted models,
`BGNBD` (when they buy, and whether they still do) and `GammaGamma` (how much they spend each time). They share no
parameters and are fitted apart. Read `bgnbd.py` first; `gammagamma.py` is its smaller sister and `fitting.py` the
maximisation both use.
"""

from churnml.modeling.btyd.bgnbd import BGNBD, fit_bgnbd
from churnml.modeling.btyd.gammagamma import GammaGamma, fit_gamma_gamma

__all__ = ["BGNBD", "GammaGamma", "fit_bgnbd", "fit_gamma_gamma"]
