"""A trained model as the database keeps it: judged for real on customers of chance, with its curves."""

from functools import cache

import numpy as np

from churnml.database import Catalogue, open_engine
from churnml.modeling.judgement import OURS, Judgement, contest
from churnml.modeling.kept_curves import curves_of

CHAMPION, REFUSED, OLD = "ab" * 32, "cd" * 32, "ef" * 32
CUTOFF = "2018-01-01T00:00:00+00:00"
GATE = {"name": "bounds", "passed": True, "rule": "every answer to a random row is possible",
        "found": "it is, of 20,000 rows", "asked": True}  # fmt: skip
REFUSES = {"name": "baselines", "passed": False, "rule": "no baseline is better out of time beyond noise",
           "found": "<b>RFM</b> is better", "asked": True}  # fmt: skip


@cache
def judged(customers=300):
    """A test of a model that knows something, beside a baseline that knows nothing."""
    rng = np.random.default_rng(7)
    risk, guess = rng.beta(2, 6, customers), rng.uniform(size=customers)
    left, value = (rng.uniform(size=customers) < risk).astype(float), rng.gamma(2, 20, customers)
    churn = contest("churn", left, {OURS: risk, "recency rule": guess}, bootstrap=20, seed=0)
    worth = {OURS: value + rng.normal(0, 5, customers), "last window repeated": rng.gamma(2, 20, customers)}
    return Judgement("last origin", "2017-11-02", 60, customers, {
        "churn": churn, "value": contest("value", value, worth, bootstrap=20, seed=0),
    }, {})  # fmt: skip


@cache
def summary():
    """What a training says of itself."""
    parts = {"region": np.array(["north", "south", ""] * 100, dtype=object)}
    origins = [{"cutoff": f"2017-0{k}-01", "customers": 300, "auroc": [0.7, 0.65, 0.75], "expected": 0.2,
                "observed": 0.25} for k in (8, 9)]  # fmt: skip
    curves = curves_of(judged(), parts, bootstrap=20, seed=0)
    return {
        "cutoff": CUTOFF, "horizon_days": 60, "churn_by": "orders", "rung": "blend", "rung_because": "",
        "training_cutoffs": 2, "snapshots": 600, "gates": [GATE], "not_promoted_because": [], "card": "# <i>Card</i>",
        "judged": judged().to_json(), "campaign": None,
        "curves": curves | {"origins": origins, "taught": [{"cutoff": "2017-08-01", "customers": 300, "left": 0.2}]},
        "weighs": [{"feature": "recency_days", "share": 0.4, "meaning": {"en": "days since", "zh": "天数"}}],
    }  # fmt: skip


WATCHED = {
    "verdict": "look", "says": "", "reasons": ["customers look further"], "model_version": CHAMPION,
    "made_for": "2018-01-01", "now": "2018-06-01",
    "drift": {
        "features": {"distance": 0.2, "usual": [0.1], "limit": 0.15, "unusual": True},
        "scores": {"distance": 0.1, "usual": [], "limit": None, "unusual": False}, "categories": None,
        "moved": [{"feature": "recency_days", "distance": 0.3, "usually_up_to": 0.1}],
        "turned": [{"attribute": "region", "value": "<b>moon</b>", "share": 0.1, "came": True}],
    },
    "closed_labels": {
        "cutoffs": [
            {"cutoff": f"2018-0{k}-01", "customers": 100, "expected": 0.2, "observed": 0.3, "deviations": 1.5}
            for k in (1, 2)
        ],
        "season": 0.3, "auroc": [0.7, 0.6, 0.8], "promised": None, "next_closes": "2018-07-01",
    },
    "challenger": {
        "model_version": OLD, "mean": 0.3, "champion_mean": 0.2, "in_another_band": 0.1, "on_closed_labels": None,
        "better_on": [], "worse_on": [],
    },
}  # fmt: skip


def plant(workspace):
    """Have a champion, one that was before it and keeps no curves, one that a gate refused, and a watching."""
    engine = open_engine(workspace.database)
    catalogue, told = Catalogue(engine), summary()
    older = {name: told[name] for name in ("cutoff", "horizon_days", "churn_by", "rung", "gates")}
    refused = told | {"gates": [REFUSES], "not_promoted_because": ["<b>RFM</b> is better"]}
    for when, (version, body) in enumerate([(OLD, older), (REFUSED, refused), (CHAMPION, told)], start=1):
        catalogue.finish(catalogue.start("train", "inputs", when), when, body, bundle=version)
    catalogue.move_alias("champion", OLD, 1)
    catalogue.move_alias("champion", CHAMPION, 3)
    catalogue.finish(catalogue.start("monitor", "inputs", 8), 9, WATCHED, bundle=CHAMPION)
    engine.dispose()
