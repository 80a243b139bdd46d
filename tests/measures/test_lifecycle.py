"""The stage of a customer follows their own rhythm: the same silence is usual for one and the end for another."""

import numpy as np
import pytest

from churnml.config import LifecycleRules
from churnml.events import Standing
from churnml.measures import STAGES, lifecycle_stages

WINDOWS = (30, 60, 90, 180, 365)
IN = Standing.POPULATION
PATIENCE = 90


def buyer(*days_ago: int) -> dict[str, float]:
    """Return the columns of one who ordered so many days ago."""
    days = np.sort(np.array(days_ago))[::-1]
    gaps = -np.diff(days)
    return {
        "orders_all": len(days),
        "tenure_days": days.max(initial=0) if len(days) else np.nan,
        "recency_days": days.min() if len(days) else np.nan,
        "gap_max_days": gaps.max() if len(gaps) else np.nan,
        "gap_last_days": gaps[-1] if len(gaps) else np.nan,
        **{f"orders_{window}d": np.sum(days <= window) for window in WINDOWS},
    }


def every(gap: int, since: int, until: int = 0) -> list[int]:
    """Return orders at a steady pace."""
    return list(range(until, since + 1, gap))


def holder(**changes: float) -> dict[str, float]:
    """Return the columns of one who has held a monthly contract for two years."""
    held = {"contracts_held": 1, "contracts_lapsed": 0, "contract_days": 730, "paid_contract_days": 730}
    return held | {"renewal_every_days": 30} | changes


def using(*days_ago: int) -> dict[str, float]:
    """Return the columns of one who was active so many days ago."""
    days = np.array(days_ago)
    counts = {f"active_days_{window}d": np.sum(days <= window) for window in WINDOWS if window != 60}
    return counts | {"active_days_all": len(days), "days_since_activity": days.min()}


def stage(columns: dict[str, float], standing: Standing = IN, by: str = "orders", **rules) -> str | None:
    """Return the stage of one customer."""
    one = {name: np.array([value], dtype=np.float64) for name, value in columns.items()}
    told = np.array([standing], dtype=np.int8)
    return lifecycle_stages(one, told, PATIENCE, LifecycleRules(**rules), by)[0]


@pytest.mark.parametrize(
    "days, expected",
    [
        ([], "prospect"),
        ([20], "new"),
        ([5, 20], "new"),
        ([95], "churned"),
        ([85, 86], "declining"),
        ([95, 96], "churned"),
        ([*every(10, 30), 95, 94], "mature"),
        (every(7, 400), "mature"),
        (every(30, 700), "mature"),
        (every(7, 400, 17), "declining"),
        (every(30, 700, 17), "mature"),
        (every(7, 400, 40), "churned"),
        (every(30, 700, 40), "mature"),
        (every(30, 700, 70), "declining"),
        (every(30, 700, 120), "churned"),
        (every(180, 1500, 100), "mature"),
        ([*every(14, 300, 60), *every(3, 55)], "growing"),
        ([*every(5, 300, 100), *every(20, 95)], "declining"),
        ([*every(7, 700, 300), 3], "won_back"),
        ([*every(7, 700, 300), 3, 9, 17], "won_back"),
        ([*every(7, 700, 300), *every(7, 150)], "mature"),
    ],
)
def test_a_stage_is_told_by_the_customers_own_gaps(days, expected):
    assert stage(buyer(*days)) == expected


def test_a_pause_that_one_ended_before_by_themselves_is_no_farewell():
    seasonal = [*every(20, 500, 200), *every(20, 100, 80)]
    assert stage(buyer(*seasonal)) != "churned"


def test_two_orders_on_two_days_do_not_make_a_daily_buyer():
    assert stage(buyer(20, 21)) == "new"


def test_what_lies_within_shortest_days_is_never_too_long():
    daily = buyer(*every(1, 300, 12))
    assert stage(daily) == "declining"
    assert stage(daily, shortest_days=5) == "churned"


def test_the_rules_are_in_the_settings():
    assert stage(buyer(*every(30, 700, 70)), declining_gaps=3.0) == "mature"
    assert stage(buyer(*every(30, 700, 70)), churned_gaps=2.0, declining_gaps=2.0) == "churned"


def test_a_pace_that_did_not_change_is_seldom_told_to_have():
    rng = np.random.default_rng(0)
    told = [stage(buyer(*np.unique(np.append(rng.integers(1, 700, 100), 700)))) for _ in range(400)]
    moved = np.mean([one in {"growing", "declining"} for one in told])
    assert moved < 0.35


def test_the_same_columns_at_several_cutoffs_tell_a_path():
    life = every(7, 730, 400)
    path = [stage(buyer(*(day - ahead for day in life if day >= ahead))) for ahead in (727, 690, 500, 380, 300)]
    assert path == ["new", "mature", "mature", "declining", "churned"]


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, "mature"),
        ({"paid_contract_days": np.nan, "contract_days": 10}, "prospect"),
        ({"paid_contract_days": 60, "contract_days": 60}, "new"),
        ({"paid_contract_days": 60, "contract_days": 60, "renewal_every_days": 365}, "new"),
        ({"paid_contract_days": 300, "contract_days": 300, "renewal_every_days": 365}, "new"),
        ({"contracts_held": 0, "contracts_lapsed": 1, "contract_days": np.nan}, "churned"),
        ({"contracts_lapsed": 1, "contract_days": 20}, "won_back"),
        ({"contracts_lapsed": 1, "contract_days": 400}, "mature"),
        (using(*every(3, 700)), "mature"),
        (using(*every(3, 700, 40)), "declining"),
        (using(*every(15, 700, 100), *every(3, 95)), "growing"),
    ],
)
def test_under_contracts_their_ends_and_their_use_tell_it(changes, expected):
    assert stage(holder(**changes), by="contracts") == expected


def test_who_holds_a_contract_in_a_shop_is_told_by_orders_where_there_are_any():
    assert stage(holder() | buyer(*every(7, 400, 40))) == "churned"
    assert stage(holder() | buyer(*every(7, 400, 40)), by="contracts") == "mature"
    assert stage(holder() | buyer()) == "mature"


def test_of_who_refuses_profiling_nothing_is_told():
    assert stage(buyer(5), Standing.NO_PROFILING) is None


def test_columns_of_tables_that_have_not_landed_may_be_absent():
    assert stage({}) == "prospect"


def test_every_stage_is_worded_in_both_languages():
    for text in STAGES.values():
        assert text.en.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh)
