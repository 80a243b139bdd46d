"""When an experiment ends, settled at its first look."""

import numpy as np
import pytest

from churnml.errors import UsageError
from churnml.policy.plans import Plan, completed, written

DAY = 86_400_000_000
HOW = {"planned_days": 90, "planned_customers": None, "horizon_days": 60, "drawn": 40}
CUTOFFS = {"mail": np.arange(30) * DAY, "call": np.arange(0, 30, 3) * DAY}


def test_cases_are_taken_in_for_the_days_that_were_planned():
    plan = written("spring", CUTOFFS, 0, 30 * DAY, **HOW)
    assert plan.ends(CUTOFFS["mail"]) == 90 * DAY


def test_it_expects_as_many_more_cases_as_the_pace_gives():
    assert written("spring", {"mail": np.repeat(np.arange(30), 2) * DAY}, 0, 30 * DAY, **HOW).cases == {"mail": 180}


def test_a_campaign_that_assigns_everyone_at_once_has_no_pace_and_is_expected_to_have_the_cases_it_has():
    assert written("spring", {"mail": np.zeros(500, dtype=np.int64)}, 0, 70 * DAY, **HOW).cases == {"mail": 500}


@pytest.mark.parametrize(("days", "cases"), [(22, 220), (23, 900)])
def test_a_pace_is_one_from_a_quarter_of_the_planned_days_on(days, cases):
    assert written("spring", {"mail": np.repeat(np.arange(days), 10) * DAY}, 0, 70 * DAY, **HOW).cases["mail"] == cases


def test_each_action_has_its_own_pace():
    cutoffs = {"mail": np.repeat(np.arange(30), 10) * DAY, "call": np.zeros(300, dtype=np.int64)}
    assert written("spring", cutoffs, 0, 70 * DAY, **HOW).cases == {"mail": 900, "call": 300}


def test_a_number_of_customers_is_shared_as_the_cases_are_and_moves_nothing_that_is_whole():
    cutoffs = {"mail": np.zeros(300, dtype=np.int64), "call": np.zeros(100, dtype=np.int64)}
    how = HOW | {"planned_customers": 4_000, "drawn": 400}
    plan = written("spring", cutoffs | {"all": cutoffs["mail"]}, 0, 70 * DAY, **how, whole=("all",))
    assert plan.cases == {"mail": 3_000, "call": 1_000, "all": 300}


def test_what_has_closed_by_the_first_look_is_all_in_the_plan():
    plan = written("spring", {"mail": np.arange(300) * DAY}, 200 * DAY, 300 * DAY, **HOW)
    assert plan.takes_until == 200 * DAY + 1


def test_a_number_of_customers_ends_it_with_the_day_they_have_come():
    plan = written("spring", CUTOFFS, 0, 30 * DAY, **{**HOW, "planned_customers": 20})
    assert plan.ends(CUTOFFS["mail"][:19]) is None
    assert plan.ends(CUTOFFS["mail"]) == 19 * DAY + 1


def test_a_plan_is_kept_as_plain_data_and_comes_back():
    plan = written("spring", CUTOFFS, 0, 30 * DAY, **HOW)
    assert Plan.from_json(plan.to_json()) == plan


def test_an_action_that_comes_later_changes_nothing_of_the_plan():
    plan = written("spring", CUTOFFS, 0, 30 * DAY, **HOW)
    later = completed(plan, CUTOFFS | {"gift": np.array([40 * DAY])}, 60)
    assert later.cases["mail"] == plan.cases["mail"]
    assert later.takes_until == plan.takes_until
    assert "gift" in later.cases


def test_another_stretch_of_time_is_refused_once_it_was_written_down():
    plan = written("spring", CUTOFFS, 0, 30 * DAY, **HOW)
    with pytest.raises(UsageError, match="over 60 days, written down at its first look; `effect_horizon_days` is 30"):
        completed(plan, CUTOFFS, 30)
