"""What we do: from scores to one action for each customer, within a budget and with a control group.

In come arrays with one row per customer (risk band, top reason, churn probability, value if retained, expected margin)
and the catalogue of actions; out come `Decisions`, arrays of the same length. The folder knows `actions.yaml` and
no other file, no database and no service. Read `assignment.decide` first: it joins the others in the order of the day.

- `actions`: what can be done, at what cost, with what assumed effect;
- `eligibility`: what may be done for whom, and how often each rule said no;
- `effect`: what an action would change, in churn probability and in money;
- `assignment`: the best affordable action for each customer;
- `experiment`: who is withheld, so that the effect can be measured.
"""

from churnml.policy.actions import DO_NOTHING, Action, Catalogue, Prior, Wording, load_actions
from churnml.policy.assignment import Assignment, Decisions, assign, decide
from churnml.policy.effect import Effect, prior_effect
from churnml.policy.eligibility import Exclusions, eligible, exclusions
from churnml.policy.experiment import assign_control

__all__ = [
    "DO_NOTHING",
    "Action",
    "Assignment",
    "Catalogue",
    "Decisions",
    "Effect",
    "Exclusions",
    "Prior",
    "Wording",
    "assign",
    "assign_control",
    "decide",
    "eligible",
    "exclusions",
    "load_actions",
    "prior_effect",
]
