import numpy as np
import pytest
from numpy.testing import assert_allclose

from churnml.policy import assign, marginal_returns

VALUE = np.array([[0, 9.0], [0, 6.0], [0, 3.0], [0, -1.0]])
COST = np.array([0, 2.0])
OPEN = np.ones((4, 2), dtype=bool)


def test_each_point_is_the_best_choice_at_its_budget():
    found = marginal_returns(VALUE, COST, OPEN, budget=4.0, multiples=(0.5, 1.0, 1.5, 2.0))
    assert_allclose(found.budget, [0, 2, 4, 6, 8])
    assert_allclose(found.value, [0, 9, 15, 18, 18])
    assert_allclose(found.spent, [0, 2, 4, 6, 6])


@pytest.mark.parametrize("budget", [0.0, 1.0, 4.0, 100.0])
def test_enough_is_what_buys_all_that_pays_whatever_the_budget(budget):
    found = marginal_returns(VALUE, COST, OPEN, budget)
    assert (found.enough, found.most) == (6, 18)


def test_value_never_falls_with_budget_and_stays_below_its_bound():
    rng = np.random.default_rng(3)
    value = rng.normal(1, 2, (500, 4))
    value[:, 0] = 0
    room = [np.inf, 40, 60, np.inf]
    found = marginal_returns(value, [0, 1.0, 2.0, 3.0], np.ones((500, 4), dtype=bool), 200.0, room)
    assert np.all(np.diff(found.value) >= -1e-9)
    assert np.all(found.value <= found.bound + 1e-9)
    assert found.value[found.budget == 200] == pytest.approx(
        assign(value, [0, 1.0, 2.0, 3.0], np.ones((500, 4), dtype=bool), 200.0, room).value
    )


def test_a_budget_of_zero_is_a_single_point():
    found = marginal_returns(VALUE, COST, OPEN, budget=0.0)
    assert_allclose([found.budget, found.value], [[0], [0]])
