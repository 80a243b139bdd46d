"""What happened: tables of facts, checked at the door and read through one wall.

In come a company's files; out come facts with two clocks, `history(cutoffs)` for features and `outcome(cutoffs)` for
labels. Read `schema.py` first, then `ingest.py`, then `point_in_time.py`.
"""

from churnml.events.categories import line_categories
from churnml.events.consent import Marketing, marketing
from churnml.events.facts import Facts
from churnml.events.forgetting import Forgotten, forget
from churnml.events.ingest import ingest
from churnml.events.order_events import order_events
from churnml.events.order_gaps import OrderGaps, order_gaps
from churnml.events.point_in_time import (
    Block,
    Outcome,
    Store,
    bought_lines,
    current,
    history,
    outcome,
    renewal_spells,
    usual_lateness_days,
)
from churnml.events.population import By, Standing, met, share_under_contract, standing
from churnml.events.recent import COMPLAINS, COMPLAINTS, Recent, recent
from churnml.events.renewals import Spells
from churnml.events.reporting import IngestReport
from churnml.events.schema import TABLES, Column, Table

__all__ = [
    "COMPLAINS",
    "COMPLAINTS",
    "TABLES",
    "Block",
    "By",
    "Column",
    "Facts",
    "Forgotten",
    "IngestReport",
    "Marketing",
    "OrderGaps",
    "Outcome",
    "Recent",
    "Spells",
    "Standing",
    "Store",
    "Table",
    "bought_lines",
    "current",
    "forget",
    "history",
    "ingest",
    "line_categories",
    "marketing",
    "met",
    "order_events",
    "order_gaps",
    "outcome",
    "recent",
    "renewal_spells",
    "share_under_contract",
    "standing",
    "usual_lateness_days",
]
