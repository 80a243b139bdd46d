"""What we knew: one row of features per customer and cutoff, at about the speed of reading the data.

In come blocks of facts from `events.history`; out comes a `FeatureTable`. A family module says what to aggregate and
how to word it, the kernel computes it at all cutoffs at once, and nothing is fitted: a row depends on that customer's
own facts only. Read `purchase.py` first, then `kernel.py`, then `table.py`.
"""

from churnml.features.catalogue import Catalogue, catalogue
from churnml.features.declare import CUTOFF_DAY, Aggregate, Feature, as_money, days_since, difference, present, share
from churnml.features.given import FEE_DAYS
from churnml.features.own import own_features
from churnml.features.table import FeatureTable, build, build_block
from churnml.wording import Text

__all__ = [
    "CUTOFF_DAY",
    "FEE_DAYS",
    "Aggregate",
    "Catalogue",
    "Feature",
    "FeatureTable",
    "Text",
    "as_money",
    "build",
    "build_block",
    "catalogue",
    "days_since",
    "difference",
    "own_features",
    "present",
    "share",
]
