"""Actions and customers to decide about, alike in everything but what a test is about."""

import numpy as np

from churnml.policy import Action, Cost, Facts, Wording

TEXT = Wording(en="text", zh="文字")
ALIKE = {
    "bands": "high",
    "reasons": "satisfaction",
    "churn_probability": 0.5,
    "value_if_retained": 120.0,
    "expected_margin": 40.0,
}


def action(name: str, channel: str = "none", cost: Cost | float = 0, **others) -> Action:
    source = "definition" if name == "do_nothing" else "prior"
    words = {"label": TEXT, "script": TEXT, "basis": "Assumed."}
    return Action(name=name, channel=channel, cost=cost, effect_source=source, **words, **others)


def facts(n_customers: int = 1, **columns) -> Facts:
    alike = {name: np.full(n_customers, value, dtype=object) for name, value in ALIKE.items()}
    return Facts([f"{number:05}" for number in range(n_customers)], **alike | columns)
