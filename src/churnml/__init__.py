"""churnml: who is about to leave, what each is worth, why, what to do within a budget, and whether it helped.

In comes an event table, out goes one decision record per customer. The folders stand in the order of that journey,
which is also the alphabet's: database, events, features, labels, measures, modeling, policy, scoring, service, verbs.
Each imports only from those before it. Read `events/schema.py` first, then `features/purchase.py`.
"""

__version__ = "0.1.0"
