"""Buy till you die: purchase counts and dates go in; who is still a customer, and what they will buy, comes out.

In: an `Rfm` of customers at one cutoff. Out: fitted models of purchase counts (`BGNBD`, `MBGNBD`, `ParetoNBD`), which
answer the same questions in the same words, and `GammaGamma`, how much they spend each time, or `SpendByFrequency`,
where that depends on how often. Counts and spend share no parameters and are fitted apart. Read `counting.py` first,
then `betageometric.py`; `fitting.py` is the search all use.
"""

from churnml.modeling.btyd.betageometric import BGNBD, MBGNBD
from churnml.modeling.btyd.counting import CountModel, daily_discount
from churnml.modeling.btyd.fitting import Diagnostics
from churnml.modeling.btyd.gammagamma import Correlation, GammaGamma, Independence
from churnml.modeling.btyd.pareto import ParetoNBD
from churnml.modeling.btyd.rfm import Rfm
from churnml.modeling.btyd.spend import SpendByFrequency

__all__ = [
    "BGNBD",
    "MBGNBD",
    "Correlation",
    "CountModel",
    "Diagnostics",
    "GammaGamma",
    "Independence",
    "ParetoNBD",
    "Rfm",
    "SpendByFrequency",
    "daily_discount",
]
