"""What it adds up to: where customers stand in their life with the company, and who belongs together.

In come columns of the feature table and what a model said of the same customers; out come one word per customer, from
a list that is declared here with its wording in both languages. Nothing is fitted: a customer's word depends on their
own columns and on rules that are configured or frozen, never on who else is asked about. Read `lifecycle.py` first.

- `lifecycle`: prospect, new, growing, mature, declining, churned or won back, by the customer's own rhythm;
  `lifecycle_history` tells it at several cutoffs, `transitions`, `stage_time` and `paths` what became of it;
- `segments`: what they are worth against how likely they leave.
"""

from churnml.measures.lifecycle import STAGES, Stage, lifecycle_stages, stage_columns
from churnml.measures.segments import SEGMENTS, TIERS, Segment, segments, value_tiers

__all__ = [
    "SEGMENTS",
    "STAGES",
    "TIERS",
    "Segment",
    "Stage",
    "lifecycle_stages",
    "segments",
    "stage_columns",
    "value_tiers",
]
