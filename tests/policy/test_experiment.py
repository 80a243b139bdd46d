import numpy as np
import pytest
from numpy.testing import assert_array_equal

from churnml.errors import InvalidTableError, UsageError
from churnml.policy.experiment import assign_control, control_of_each, explore, held_out

IDS = [f"{number:05d}" for number in range(20_000)]


def test_the_control_group_has_about_its_share():
    assert abs(assign_control(IDS, "spring", 0.1).mean() - 0.1) < 4 * np.sqrt(0.1 * 0.9 / len(IDS))


def test_the_draw_of_a_customer_does_not_depend_on_order_or_company():
    some = IDS[:100][::-1]
    assert assign_control(some, "spring", 0.3).tolist() == assign_control(IDS, "spring", 0.3)[:100][::-1].tolist()


def test_the_draw_is_the_same_on_every_machine():
    assert assign_control(["00123", "00124", "客户", "d"], "spring", 0.5).tolist() == [True, False, False, False]


def test_a_larger_share_only_adds_controls():
    assert np.all(assign_control(IDS, "spring", 0.2) >= assign_control(IDS, "spring", 0.1))


def test_another_salt_draws_independently():
    both = assign_control(IDS, "spring", 0.5) & assign_control(IDS, "autumn", 0.5)
    assert abs(both.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / len(IDS))


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_a_share_that_leaves_one_arm_empty_is_refused(share):
    with pytest.raises(UsageError, match="`control_share` must lie between 0 and 1"):
        assign_control(["a"], "spring", share)


def test_the_hold_out_has_about_its_share_and_nothing_to_do_with_controls_of_the_same_salt():
    out, control = held_out(IDS, "spring", 0.05), assign_control(IDS, "spring", 0.1)
    assert abs(out.mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / len(IDS))
    assert abs((out & control).mean() - 0.005) < 4 * np.sqrt(0.005 * 0.995 / len(IDS))


def test_a_share_of_nothing_holds_nobody_out():
    assert not held_out(IDS[:100], "spring", 0).any()


@pytest.mark.parametrize("share", [1, -0.1, float("nan")])
def test_a_hold_out_of_everybody_is_refused(share):
    with pytest.raises(UsageError, match="`holdout_share` must be at least 0 and below 1"):
        held_out(["a"], "spring", share)


def test_controls_of_one_action_are_not_those_of_another():
    of_calls = control_of_each(IDS, ["call"] * len(IDS), "spring", 0.5)
    of_coupons = control_of_each(IDS, ["coupon"] * len(IDS), "spring", 0.5)
    assert abs((of_calls & of_coupons).mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / len(IDS))


def test_a_control_draw_does_not_depend_on_who_else_was_chosen_for_what():
    mixed = ["call" if number % 2 else "coupon" for number in range(1_000)]
    alone = control_of_each(IDS[1:1_000:2], mixed[1::2], "spring", 0.3)
    assert_array_equal(control_of_each(IDS[:1_000], mixed, "spring", 0.3)[1::2], alone)


OPEN = np.ones((len(IDS), 4), dtype=bool)
COSTS = np.array([0.0, 1.0, 2.0, 5.0])


def explored(**other):
    return explore(IDS, **{"open_to": OPEN, "max_costs": COSTS, "salt": "s", "share": 0.2, "budget": 1e9} | other)


def test_each_open_action_is_drawn_as_often_as_none_and_says_so():
    found = explored()
    counts = np.bincount(found.action[found.who], minlength=4)
    assert abs(found.who.mean() - 0.2) < 4 * np.sqrt(0.2 * 0.8 / len(IDS))
    assert np.all(np.abs(counts / counts.sum() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / counts.sum()))
    assert_array_equal(np.unique(found.propensity[found.who]), [0.25])


def test_nobody_draws_what_is_not_open_to_them():
    some = OPEN.copy()
    some[:, 2] = False
    found = explored(open_to=some)
    assert set(np.unique(found.action)) == {0, 1, 3}
    assert found.propensity[found.who][0] == pytest.approx(1 / 3)


def test_exploring_sets_aside_no_more_than_its_budget_whatever_is_drawn():
    found = explored(budget=100.0)
    assert found.who.sum() == 20
    assert COSTS[found.action].sum() <= 100


def test_who_takes_part_depends_neither_on_what_they_would_draw_nor_on_the_lot():
    few = explored(budget=2_000.0)
    first = np.flatnonzero(few.who)
    assert abs(COSTS[few.action[first]].mean() - COSTS.mean()) < 4 * COSTS.std() / np.sqrt(len(first))


def test_an_action_is_in_no_more_draws_than_it_has_room_for():
    found = explored(capacities=[np.inf, np.inf, np.inf, 7])
    assert found.among[:, 3].sum() == 7


def test_somebody_to_whom_nothing_is_open_takes_no_part():
    assert not explored(open_to=np.eye(4, dtype=bool)[np.zeros(len(IDS), dtype=int)]).who.any()


def test_a_draw_is_the_same_in_any_order():
    back = explore(IDS[::-1], OPEN, COSTS, salt="s", share=0.2, budget=1e9)
    assert_array_equal(back.action[::-1], explored().action)


@pytest.mark.parametrize("share", [1, -0.1, float("nan")])
def test_exploring_with_everybody_is_refused(share):
    with pytest.raises(UsageError, match="`explore_share` must be at least 0 and below 1"):
        explored(share=share)


def test_open_actions_of_other_customers_are_refused():
    with pytest.raises(InvalidTableError, match="one row of open actions per customer"):
        explored(open_to=OPEN[:5])
