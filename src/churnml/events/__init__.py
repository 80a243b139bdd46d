"""What happened: tables of facts, checked at the door and read through one wall.

In come a company's files; out come facts with two clocks, `history(cutoffs)` for features and `outcome(cutoffs)` for
labels. Read `schema.py` first, then `ingest.py`, then `point_in_time.py`.
"""

from churnml.events.ingest import IngestReport, ingest
from churnml.events.point_in_time import Block, Facts, Outcome, Store, history, outcome
from churnml.events.population import Standing, met, standing
from churnml.events.schema import TABLES, Column, Table

__all__ = [
    "TABLES",
    "Block",
    "Column",
    "Facts",
    "IngestReport",
    "Outcome",
    "Standing",
    "Store",
    "Table",
    "history",
    "ingest",
    "met",
    "outcome",
    "standing",
]
