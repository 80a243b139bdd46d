from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.optimize import Bounds, LinearConstraint, milp

from churnml.errors import InvalidTableError, UsageError
from churnml.policy import assign


def market(seed: int, n_customers: int, n_actions: int, budget_each: float, *, alike: bool = False) -> dict:
    """Return random values, reserves, eligibility, a budget and capacities; `alike` makes many customers equal."""
    rng = np.random.default_rng(seed)
    shape = (n_customers, n_actions)
    value = rng.integers(-2, 4, shape) * 1.0 if alike else rng.normal(1, 2, shape)
    reserve = rng.integers(0, 600, n_actions if alike else shape) / 100
    value[:, 0] = reserve[..., 0] = 0
    capacities = np.array([np.inf, *rng.integers(0, n_customers, n_actions - 1)])
    capacities[1] = np.inf
    return {
        "net_value": value,
        "reserve_cost": reserve,
        "eligible": rng.random(shape) < 0.8,
        "budget": np.round(budget_each * n_customers, 2),
        "capacities": capacities,
    }


def keeps_limits(case: dict, action: np.ndarray) -> bool:
    taken = np.broadcast_to(case["reserve_cost"], case["net_value"].shape)[np.arange(len(action)), action]
    counts = np.bincount(action, minlength=len(case["capacities"]))
    is_open = case["eligible"][np.arange(len(action)), action] | (action == 0)
    return round(taken.sum(), 6) <= case["budget"] and (counts <= case["capacities"]).all() and is_open.all()


def best_of_all(case: dict) -> float:
    n_customers, n_actions = case["net_value"].shape
    every = (np.array(choice) for choice in product(range(n_actions), repeat=n_customers))
    return max(case["net_value"][np.arange(n_customers), one].sum() for one in every if keeps_limits(case, one))


def exact_optimum(case: dict) -> float:
    value = case["net_value"]
    n_customers, n_actions = value.shape
    reserve = np.broadcast_to(case["reserve_cost"], value.shape).ravel()
    each_once = LinearConstraint(np.kron(np.eye(n_customers), np.ones(n_actions)), ub=1)
    within_budget = LinearConstraint(reserve[None, :], ub=case["budget"])
    within_capacity = LinearConstraint(np.tile(np.eye(n_actions), n_customers), ub=case["capacities"])
    bounds = Bounds(0, case["eligible"].ravel().astype(float))
    rules = [each_once, within_budget, within_capacity]
    return -milp(-value.ravel(), constraints=rules, bounds=bounds, integrality=np.ones(value.size)).fun


@pytest.mark.parametrize("seed", range(12))
def test_no_enumerated_choice_beats_the_bound_and_the_answer_is_one_of_them(seed):
    case = market(seed, n_customers=5, n_actions=4, budget_each=1.5)
    found, best = assign(**case), best_of_all(case)
    assert keeps_limits(case, found.action)
    assert found.value <= best + 1e-9 <= found.dual_bound + 1e-6


@pytest.mark.parametrize("seed", range(12))
def test_with_limits_that_do_not_bind_the_answer_is_the_best_of_all(seed):
    case = market(seed, n_customers=5, n_actions=4, budget_each=6) | {"capacities": np.full(4, np.inf)}
    assert assign(**case).value == pytest.approx(best_of_all(case))


@pytest.mark.parametrize("seed", range(5))
def test_the_value_is_within_a_hundredth_of_an_exact_solver(seed):
    case = market(seed, n_customers=200, n_actions=5, budget_each=0.5)
    found, best = assign(**case), exact_optimum(case)
    assert 0.99 * best <= found.value <= best + 1e-6
    assert best <= found.dual_bound + 1e-6


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("budget_each", [0.05, 0.5, 1, 10])
def test_ten_thousand_customers_come_within_two_thousandths_of_the_bound(budget_each, alike):
    case = market(7, n_customers=10_000, n_actions=6, budget_each=budget_each, alike=alike)
    found = assign(**case)
    assert keeps_limits(case, found.action)
    assert 0 <= found.gap <= 0.002


@given(
    seed=st.integers(0, 10**6),
    n_customers=st.integers(0, 60),
    n_actions=st.integers(2, 6),
    budget_each=st.floats(0, 5),
    alike=st.booleans(),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_no_limit_is_ever_exceeded(seed, n_customers, n_actions, budget_each, alike):
    case = market(seed, n_customers, n_actions, budget_each, alike=alike) if n_customers else None
    assert case is None or keeps_limits(case, assign(**case).action)


def test_identical_customers_use_the_whole_budget():
    value = np.tile([0.0, 10, 15], (100, 1))
    found = assign(value, [0, 5, 10], np.ones((100, 3), bool), budget=750)
    assert (found.value, found.spent) == (1250, 750)
    assert found.shadow_price == pytest.approx(1)
    assert found.gap == pytest.approx(0, abs=1e-6)


def test_identical_customers_are_served_in_the_order_given():
    found = assign(np.tile([0.0, 9], (5, 1)), [0, 4], np.ones((5, 2), bool), budget=10)
    assert found.action.tolist() == [1, 1, 0, 0, 0]


def test_a_budget_that_fits_to_the_cent_is_used_to_the_cent():
    found = assign(np.tile([0.0, 1], (100, 1)), [0, 0.07], np.ones((100, 2), bool), budget=7)
    assert (found.action == 1).all()
    assert found.spent == 7


def test_a_place_is_worth_what_the_next_in_line_would_bring():
    value = np.column_stack([np.zeros(10), np.arange(10)])
    found = assign(value, [0, 1], np.ones((10, 2), bool), budget=100, capacities=[np.inf, 3])
    assert found.action.nonzero()[0].tolist() == [7, 8, 9]
    assert 6 - 1e-4 <= found.capacity_prices[1] <= 7 + 1e-4


def test_the_same_question_gets_the_same_answer():
    case = market(3, n_customers=500, n_actions=5, budget_each=0.5)
    assert_array_equal(assign(**case).action, assign(**case).action)


@pytest.mark.parametrize(
    "change",
    [
        {"budget": 0},
        {"budget": 0.5},
        {"eligible": np.zeros((3, 2), bool)},
        {"capacities": [np.inf, 0]},
        {"net_value": np.column_stack([np.zeros(3), -np.ones(3)])},
    ],
)
def test_when_nothing_can_be_done_nothing_is_done(change):
    case = {"net_value": np.tile([0.0, 5], (3, 1)), "reserve_cost": [0, 1], "eligible": np.ones((3, 2), bool)}
    found = assign(**case | {"budget": 10, "capacities": [np.inf, 3]} | change)
    assert not found.action.any()
    assert (found.value, found.spent, found.dual_bound, found.gap) == (0, 0, 0, 0)


def test_no_customers_are_no_trouble():
    assert assign(np.zeros((0, 3)), [0, 1, 2], np.zeros((0, 3), bool), budget=5).action.shape == (0,)


@pytest.mark.parametrize(
    "change, error, words",
    [
        ({"budget": -1}, UsageError, "`budget` must be at least 0, got -1"),
        ({"budget": np.nan}, UsageError, "`budget` must be at least 0, got nan"),
        ({"capacities": [np.inf]}, UsageError, "2 numbers of at least 0"),
        ({"reserve_cost": [0, -1]}, InvalidTableError, "reserves finite and at least 0"),
        ({"reserve_cost": [1, 1]}, InvalidTableError, "first action is to do nothing"),
        ({"net_value": [[0, np.nan]]}, InvalidTableError, "net values must be finite"),
        ({"eligible": [[True]]}, InvalidTableError, "of shape"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(change, error, words):
    case = {"net_value": [[0, 5]], "reserve_cost": [0, 1], "eligible": [[True, True]], "budget": 10}
    with pytest.raises(error, match=words):
        assign(**case | change)
