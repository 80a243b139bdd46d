"""Which category to offer next: one that goes with what a customer buys, or one that is due by their own interval.

In come order lines before cutoffs, and what was bought after them; out comes a model of plain data that gives each
customer's categories a probability. Read `model.py` first, then `teaching.py`, `pairs.py`, `links.py`, `trial.py`.
"""

from churnml.modeling.next_category.holdings import Holdings, holdings, purchases
from churnml.modeling.next_category.model import Basis, Kind, NextCategory, fit_next_category
from churnml.modeling.next_category.standing import Standing, judge_origins, next_category
from churnml.modeling.next_category.teaching import WANTED, Seen, gather, vocabulary

__all__ = [
    "WANTED",
    "Basis",
    "Holdings",
    "Kind",
    "NextCategory",
    "Seen",
    "Standing",
    "fit_next_category",
    "gather",
    "holdings",
    "judge_origins",
    "next_category",
    "purchases",
    "vocabulary",
]
