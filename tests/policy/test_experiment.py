import numpy as np
import pytest

from churnml.errors import UsageError
from churnml.policy import assign_control

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
