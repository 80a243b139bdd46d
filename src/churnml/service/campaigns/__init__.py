"""Campaigns as routes and pages tell them: their money, what was chosen, how far it is, what it did, and the next one.

In comes the database, out go plain data. Read `reading.py` first; `effects.py` puts a measurement in a few words,
`plans.py` reads a plan that a dry run kept.
"""

from churnml.service.campaigns.plans import Plans, at_budget
from churnml.service.campaigns.reading import Campaigns

__all__ = ["Campaigns", "Plans", "at_budget"]
