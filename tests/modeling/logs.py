"""Cases written down as arrays: experiments of the tests as a workspace would bring them."""

import numpy as np

from churnml.events.treatments import CHOICE, RULE, Treatments
from churnml.modeling.uplift.cases import Cases


def decisions(action, arm, propensity, *, ids=None, day=None):
    """Return a log of decisions about one action; a missing propensity was no draw."""
    n = len(arm)
    text = np.full(n, "", dtype=object)
    return Treatments(
        customer_ids=np.array([f"c{k}" for k in range(n)] if ids is None else ids, dtype=object),
        cutoffs=np.zeros(n, dtype=np.int64) if day is None else np.asarray(day, dtype=np.int64),
        action=np.full(n, action, dtype=object),
        campaign=text,
        arm=np.asarray(arm, dtype=np.bool_),
        propensity=np.asarray(propensity, dtype=np.float64),
        cost=np.zeros(n),
        drawn_by=np.where(np.isnan(propensity), RULE, CHOICE).astype(object),
        among=text,
    )


def cases_of(*parts):
    """Return cases of parts, each a log, its features, its margin and who left."""
    logs, features, margin, left = zip(*parts, strict=True)
    margin = np.concatenate(margin)
    values = np.vstack(features)
    return Cases(
        Treatments.joined(logs),
        tuple("abcd"[: values.shape[1]]),
        values,
        {},
        margin,
        np.concatenate(left),
        np.ones(len(margin), dtype=np.bool_),
        np.zeros(len(margin)),
    )
