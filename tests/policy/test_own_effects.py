"""A customer's own effect stands where it was proven, and the average elsewhere."""

import numpy as np
import pytest

from churnml.errors import InvalidTableError
from churnml.policy import SOURCES, Effect
from churnml.policy.own_effects import with_own

VALUE = np.array([100.0, 50.0])
NAN = np.full((2, 1), np.nan)
# one action: churn falls by a tenth, and margin within the window rises by 3
AVERAGE = Effect(
    np.full((2, 1), -0.1),
    np.array([[13.0], [8.0]]),
    np.full((2, 1), 4.0),
    np.array([[9.0], [4.0]]),
    np.full((2, 1), SOURCES.index("prior"), dtype=np.int8),
)


def replaced(margin=NAN, margin_sd=NAN, churn=NAN, churn_sd=NAN):
    return with_own(
        AVERAGE, VALUE, margin_change=margin, margin_sd=margin_sd, churn_change=churn, churn_sd=churn_sd, caution=1.0
    )


def column(first, second):
    return np.array([[first], [second]])


def test_what_was_proven_of_nobody_leaves_everything_as_it_was():
    found, own = replaced()
    assert not own.any()
    assert all(np.array_equal(getattr(found, part), getattr(AVERAGE, part)) for part in vars(AVERAGE))


def test_an_effect_that_is_a_customers_own_is_told_to_be_learned():
    found, _ = replaced(column(7.0, np.nan), column(2.0, np.nan))
    assert [SOURCES[place] for place in found.source[:, 0]] == ["uplift", "prior"]


def test_an_own_change_of_margin_replaces_that_of_the_window_and_keeps_what_staying_is_worth():
    found, own = replaced(column(7.0, np.nan), column(2.0, np.nan))
    assert found.margin_change[:, 0] == pytest.approx([7.0 + 0.1 * 100, 8.0])
    assert own[:, 0].tolist() == [True, False]
    assert found.churn_change[:, 0].tolist() == [-0.1, -0.1]


def test_an_own_change_of_leaving_is_worth_what_the_customer_is_if_they_stay():
    found, _ = replaced(churn=column(-0.3, 0.2), churn_sd=column(0.01, 0.01))
    assert found.margin_change[:, 0] == pytest.approx([3.0 + 0.3 * 100, 3.0 - 0.2 * 50])
    assert found.churn_change[:, 0].tolist() == [-0.3, 0.2]


def test_doubts_of_own_parts_add_up_and_that_of_the_average_stays_where_a_part_of_it_does():
    both, _ = replaced(column(7.0, 7.0), column(3.0, 3.0), column(-0.1, -0.1), column(0.04, 0.08))
    one, _ = replaced(column(7.0, 7.0), column(3.0, 3.0))
    assert both.sd[:, 0] == pytest.approx([5.0, 5.0])
    assert one.sd[:, 0] == pytest.approx([5.0, 5.0])
    assert both.lower == pytest.approx(both.margin_change - both.sd)


def test_another_shape_is_refused():
    with pytest.raises(
        InvalidTableError, match=r"own effects need a row per customer and a column per action, \(2, 1\)"
    ):
        replaced(np.full((3, 1), np.nan))
