"""The letter of Dynamics 365: its rule at every edge, and what it does not see."""

import numpy as np
import pytest

from churnml.modeling.coverage import Told
from churnml.modeling.grade import grades, letter
from churnml.modeling.judgement import OURS
from churnml.modeling.origins import Origin
from churnml.modeling.spread import Range

LEFT = np.array([1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
SURE = np.array([0.9, 0.3, 0.6, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])


def origin(p, past):
    ids = np.arange(10).astype(object)
    value = Told(p, Range(p, p, p), p)
    return Origin("2020-01-01", 2, ids, {"churn": LEFT}, {"churn": {OURS: p}}, past_rate=past, value=value)


@pytest.mark.parametrize(
    ("accurate", "found", "expected"),
    [(0.5, 0.22, "A"), (0.5, 0.21, "B"), (0.5, 0.2, "B"), (0.5, 0.19, "C"), (0.49, 0.9, "C")],
)
def test_the_letter_follows_the_rule_at_a_historical_rate_of_a_fifth(accurate, found, expected):
    assert letter(accurate, found, 0.2) == expected


def test_read_as_points_ten_percent_is_much_more():
    assert (letter(0.9, 0.25, 0.2), letter(0.9, 0.25, 0.2, points=True)) == ("A", "B")


def test_a_prediction_is_accurate_if_half_or_more_was_said_of_who_left():
    (found,) = grades([origin(SURE, 0.2)])
    assert (found.accurate, found.found, found.letter) == (0.8, 0.5, "A")


def test_a_model_that_is_calibrated_but_never_sure_gets_the_worst_letter():
    (found,) = grades([origin(np.where(LEFT == 1, 0.45, 0.05), 0.2)])
    assert (found.letter, found.if_as_many) == ("C", "A")


def test_probabilities_that_are_far_off_may_get_the_best_letter():
    (found,) = grades([origin(np.where(LEFT == 1, 0.99, 0.49), 0.2)])
    assert found.letter == "A"
