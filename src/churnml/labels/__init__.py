"""What came next: whether a customer left in the horizon, what they spent in it, and who became one.

In come outcomes from `events.outcome`; out come labels for any rows of customers and cutoffs, and the cutoffs whose
labels are final. Nothing here sees a feature. Read `churn.py` first, then `value.py`,
`conversion.py`, `categories.py`, `splits.py` and `horizon.py`.
"""

from churnml.labels.categories import categories_bought
from churnml.labels.churn import churned, churned_within, sooner_days
from churnml.labels.conversion import converted
from churnml.labels.horizon import Horizon, suggested_horizon
from churnml.labels.outcomes import Outcomes, check_taught_by
from churnml.labels.splits import history_needed_days, label_lag, origins, training_cutoffs
from churnml.labels.value import margin

__all__ = [
    "Horizon",
    "Outcomes",
    "categories_bought",
    "check_taught_by",
    "churned",
    "churned_within",
    "converted",
    "history_needed_days",
    "label_lag",
    "margin",
    "origins",
    "sooner_days",
    "suggested_horizon",
    "training_cutoffs",
]
