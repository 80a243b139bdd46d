"""What it adds up to: the customer base as the business sees it.

In come the books (`events/books.py`: landed tables as they were known at a moment), columns of the feature table, and
what a model said of the same customers. Out come words of single customers, a stage and a segment, and measures: tidy
frames in which each figure bears its definition, of whom, of when and from what. A stage depends on the customer's own
columns alone; groups of habits are fitted, kept, and found again or not told at all. Read `measure.py` first, then
`lifecycle.py`.

- `measure`, `periods`, `parts`, `intervals`, `survival`, `cells`: the shape, the days, the parts, and how sure;
- `lifecycle` and what became of it over time: `lifecycle_history`, `lives`, `transitions`, `stage_time`, `paths`;
- `segments`, `rfm`, `segmentations`, `own_segments`, `clusters`, `migration`: who belongs together;
- `funnel` and `funnel_stages`: how far customers come, and where they are lost;
- `kpis`, and a module for each family of them: the figures of the business against their targets;
- `drivers`, `matching`, `stated`, `last_days`: how those who left differ from those alike who stayed;
- `rhythm`, `usual_days`, `unusual_days`: when customers buy.
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
