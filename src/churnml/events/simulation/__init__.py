"""A market with known truth: every customer's mood, price sensitivity and departure, and what the tables show of it.

In: how many customers, days, a seed, a variant. Out: a folder with the tables of the contract, to be ingested like
anyone's, and beside it the truth; other futures of a saved morning. Read `equations.py` first, then `lives.py`; the
model is told in docs/simulation.md.
"""

from churnml.events.simulation.equations import ACTIONS, VARIANTS
from churnml.events.simulation.known import market_in, usual_futures
from churnml.events.simulation.market import Market, live, same, write_new
from churnml.events.simulation.rollouts import Futures, each_action, futures
from churnml.events.simulation.truth import saved_state

__all__ = [
    "ACTIONS",
    "VARIANTS",
    "Futures",
    "Market",
    "each_action",
    "futures",
    "live",
    "market_in",
    "same",
    "saved_state",
    "usual_futures",
    "write_new",
]
