"""What we knew: one row of features per customer and cutoff, at about the speed of reading the data.

In come blocks of facts from `events.history`; out comes a `FeatureTable`. A family module says what to aggregate and
how to word it, the kernel computes it at all cutoffs at once, and nothing is fitted: a row depends on that customer's
own facts only. Read `purchase.py` first, then `kernel.py`, then `table.py`.
"""

from churnml.features.catalogue import Catalogue, catalogue
from churnml.features.declare import Feature
from churnml.features.table import FeatureTable, build, build_block

__all__ = ["Catalogue", "Feature", "FeatureTable", "build", "build_block", "catalogue"]
