"""Where it is kept: the workspace folder, its files, and the one SQL database that says which of them count.

In come rows, files and JSON bodies; out come the same, whole or not at all. Nothing here knows what churn is.
Read `workspace.py` first, then `tables.py`; for budgets and assignments `ledger.py`;
for who may ask and what they did `tables_access.py`.
"""

from churnml.database.audit import audit
from churnml.database.catalogue import Catalogue, Move, Part, Run
from churnml.database.engine import SERVICE_SECONDS, open_engine
from churnml.database.ledger import Assignment, Campaign, Ledger, Reservation, assignment_id
from churnml.database.money import millionths, units
from churnml.database.postings import FLAGS, KINDS, Outcome, Posted, Posting
from churnml.database.records import Records
from churnml.database.source import source_digest
from churnml.database.workspace import Workspace

__all__ = [
    "FLAGS",
    "KINDS",
    "SERVICE_SECONDS",
    "Assignment",
    "Campaign",
    "Catalogue",
    "Ledger",
    "Move",
    "Outcome",
    "Part",
    "Posted",
    "Posting",
    "Records",
    "Reservation",
    "Run",
    "Workspace",
    "assignment_id",
    "audit",
    "millionths",
    "open_engine",
    "source_digest",
    "units",
]
