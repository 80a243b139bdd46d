"""Customers whose satisfaction is known, most of whom never answer: what an estimate must find again."""

import numpy as np

from churnml.events.clock import DAY
from churnml.features import FeatureTable
from churnml.modeling.answers import Answers, paired
from churnml.modeling.lasting import OWN

HORIZON = 60
NAMES = tuple(f"seen_{place}" for place in range(6))


def draw(seed=0, customers=900, cutoffs=8, told=8.0, own=6.0, noise=9.0, answer_rate=0.25):
    """Return snapshots, answers, and the true satisfaction by row.

    Satisfaction is 60 points, `told` times what behaviour shows, and `own` points of the customer's own that no
    behaviour shows; an answer adds noise. Each customer is the same at every cutoff.
    """
    rng = np.random.default_rng(seed)
    seen = rng.normal(size=(customers, len(NAMES)))
    truth = 60 + told * seen[:, 0] + own * rng.normal(size=customers)
    ids = np.array([f"c{one:04}" for one in range(customers)], dtype=np.object_)
    at = (1 + np.arange(cutoffs)) * 14 * DAY
    rows, held = [], {one: [] for one in range(customers)}
    answers = []
    for cutoff in at:
        for one in range(customers):
            before = held[one]
            days = (cutoff - before[-1][0]) // DAY if before else np.nan
            mean = np.mean([points for _, points in before]) if before else np.nan
            last = before[-1][1] if before else np.nan
            asked = 4.0 * len(before) if before else 1.0
            rows.append([*seen[one], last, days, mean, len(before) / asked, asked])
        for one in np.flatnonzero(rng.random(customers) < answer_rate):
            points = float(np.clip(truth[one] + noise * rng.normal(), 0, 100))
            held[one].append((cutoff + DAY, points))
            answers.append((ids[one], cutoff + DAY, points))
    stack = np.array(rows)
    table = FeatureTable(
        np.tile(ids, cutoffs), np.repeat(at, customers), np.zeros(len(stack), dtype=np.int8), (*NAMES, *OWN), stack, {}
    )
    who, sent, points = zip(*answers, strict=True)
    sent = np.array(sent, dtype=np.int64)
    given = Answers(np.array(who, dtype=np.object_), sent, sent + DAY, np.array(points))
    return table, given, np.tile(truth, cutoffs)


def lesson(table, answers):
    """Return the pairs."""
    return paired(answers, table, HORIZON, "UTC")
