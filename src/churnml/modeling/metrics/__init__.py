"""How good a forecast is: ranking, calibration and money for churn; error, ranking and total for value.

Truth `y` comes first, forecasts after it, one row per customer; every metric returns a plain float. For churn `y` is
1 for a churner, and a higher `p` means more likely to leave. `bootstrap` and `paired_difference` say how far a figure
can be trusted; `auroc_interval` says it of an AUROC without redrawing anybody. Read `churn.py` first, then `value.py`
and `intervals.py`; `columns.py` checks what comes in.
"""

from churnml.modeling.metrics.churn import (
    auprc,
    auroc,
    brier,
    ece,
    ece_of_chances,
    ece_of_chances_perfect_95,
    ece_perfect_95,
    empc,
    lift,
    log_loss,
)
from churnml.modeling.metrics.delong import auroc_difference, auroc_interval
from churnml.modeling.metrics.intervals import bootstrap, paired_difference
from churnml.modeling.metrics.money import paying_probability, profit_at, profit_curve
from churnml.modeling.metrics.value import bias, gini_normalised, mae, rmse, spearman

__all__ = [
    "auprc",
    "auroc",
    "auroc_difference",
    "auroc_interval",
    "bias",
    "bootstrap",
    "brier",
    "ece",
    "ece_of_chances",
    "ece_of_chances_perfect_95",
    "ece_perfect_95",
    "empc",
    "gini_normalised",
    "lift",
    "log_loss",
    "mae",
    "paired_difference",
    "paying_probability",
    "profit_at",
    "profit_curve",
    "rmse",
    "spearman",
]
