"""What we do: from scores to one action for each customer, within a budget and with a control group.

In come `Facts`, arrays with one row per customer (risk band, top reason, stage, churn probability, value if retained,
consent, …), and the catalogue of actions; out come `Decisions`, arrays of the same length. The folder knows
`actions.yaml` and no other file, no database and no service. Read `decisions.decide` first: it joins the others in the
order of the day.

- `facts`: what is known of the customers;
- `actions`: what can be done, for whom, at what cost, with what assumed effect;
- `eligibility`: what may be done for whom, and which rule said no;
- `effect`: what an action would change, in churn probability and in money;
- `assignment`: the best affordable action for each customer;
- `experiment`: who is held out, withheld or drawn by lot, so that effects can be measured;
- `decisions`: all of it, in the order of the day;
- `returns`: what another unit of budget would bring;
- `sums`: what the decisions come to, action by action;
- `words`: why somebody gets nothing, in both languages;
- `effects`: what the actions did, once outcomes are in. Read it before `measurement` (three estimates), `sequences`
  (intervals for every look), `sample_ratio`, `plans` (when it ends), `verdicts` and `effect_words` (what may be said);
- `learned`: what was measured in place of what was assumed; `off_policy`: what a policy would have been worth.
"""

from churnml.policy.actions import DO_NOTHING, Action, Catalogue, Cost, Prior, Wording, load_actions
from churnml.policy.assignment import Assignment, assign
from churnml.policy.decisions import Choosing, Decisions, decide
from churnml.policy.effect import SOURCES, Effect, prior_effect
from churnml.policy.eligibility import RULES, Eligibility, Limits, Rule, eligibility
from churnml.policy.experiment import Design, Explored, assign_control, control_of_each, explore, held_out
from churnml.policy.facts import Facts
from churnml.policy.returns import BudgetCurve, marginal_returns
from churnml.policy.sums import ActionSum, action_sums
from churnml.policy.words import BECAUSE, Because, Explained

__all__ = [
    "BECAUSE",
    "DO_NOTHING",
    "RULES",
    "SOURCES",
    "Action",
    "ActionSum",
    "Assignment",
    "Because",
    "BudgetCurve",
    "Catalogue",
    "Choosing",
    "Cost",
    "Decisions",
    "Design",
    "Effect",
    "Eligibility",
    "Explained",
    "Explored",
    "Facts",
    "Limits",
    "Prior",
    "Rule",
    "Wording",
    "action_sums",
    "assign",
    "assign_control",
    "control_of_each",
    "decide",
    "eligibility",
    "explore",
    "held_out",
    "load_actions",
    "marginal_returns",
    "prior_effect",
]
