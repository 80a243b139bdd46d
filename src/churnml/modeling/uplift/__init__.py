"""Whom an action helps: an experiment goes in; effects by customer, and a policy with its worth, come out.

In: who got what, by which recorded chance, and what came of it. Out: `NoEvidence`, where nothing was drawn by chance,
or an `Uplift`, which knows each arm's average effect, whether an order of customers can be told, whom the arm harms,
and what choosing by customer is worth. Read `learn.py` first, the door, then `estimate.py`, `learners.py` and
`stack.py`; `evidence.py` is the test before all, `order.py` the Qini, `levels.py` how claims share one error.

A workspace's treatments come in as `cases.py`; `lessons.py` learns from them action by action, `saved.py` writes what
was found and reads it again, and `own.py` asks it of a population.
"""

from churnml.modeling.uplift.estimate import ArmUplift, Uplift, arm_scores, fit_uplift
from churnml.modeling.uplift.evidence import (
    NoEvidence,
    Randomisation,
    naive_differences,
    no_evidence,
    randomisation,
    weighted_differences,
)
from churnml.modeling.uplift.learn import learn_uplift
from churnml.modeling.uplift.order import Measured, auuc, qini, qini_by_counts, qini_curve, qini_gain
from churnml.modeling.uplift.randomised import Randomised, recorded

__all__ = [
    "ArmUplift",
    "Measured",
    "NoEvidence",
    "Randomisation",
    "Randomised",
    "Uplift",
    "arm_scores",
    "auuc",
    "fit_uplift",
    "learn_uplift",
    "naive_differences",
    "no_evidence",
    "qini",
    "qini_by_counts",
    "qini_curve",
    "qini_gain",
    "randomisation",
    "recorded",
    "weighted_differences",
]
