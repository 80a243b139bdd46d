"""A plan says in both languages how long it takes, or that it never ends and what it could have shown."""

import pytest

from churnml.policy.planner import Experiment, Split, Spread, Supply, plan_amount, plan_share
from churnml.policy.planner_words import Question, advised, said

TENTH = Experiment(0.1)
CHURN, MARGIN = Question("churn", "prior", 60, "USD", "open"), Question("margin", "pays", 90, "CNY", "budget")


def test_a_plan_that_ends_says_after_how_many_weeks_and_with_how_many_customers():
    told = said(plan_share(0.31, 0.27, TENTH, Supply(20_000, 1_000, 60)), CHURN)
    assert told.en == (
        "Churn within 60 days down by 4.0 points (as the action assumes): conclusive after about 21 weeks; needs "
        "11,568 customers, 1,157 of them controls."
    )
    assert told.zh == (
        "60 天内流失率下降 4.0 个百分点（按动作的先验假设）："
        "约 21 周后可得出结论；共需 11,568 位客户，其中对照 1,157 位。"
    )


def test_a_plan_that_never_ends_says_so_and_the_smallest_effect_there_could_be():
    told = said(plan_amount(3, Spread(40, 0), TENTH, Supply(2_000, 1_000, 90)), MARGIN)
    assert told.en == (
        "Margin per customer within 90 days up by CN¥3.00 (just enough to pay what it costs): never conclusive at this "
        "size; it needs 15,505 customers, more than the 2,000 customers that the budget reaches. The smallest change "
        "they could ever show is CN¥8.35."
    )
    assert "以此规模永远得不出结论，需要 15,505 位客户" in told.zh
    assert "最小可检出的变化为 ¥8.35" in told.zh


def test_where_not_even_a_fall_to_nought_is_told_that_is_said():
    told = said(plan_share(0.02, 0.01, TENTH, Supply(50, 50, 60)), CHURN)
    assert told.en.endswith("Not even a fall to nought would be told by them.")
    assert told.zh.endswith("即使降到零，这些客户也检验不出。")


def test_where_no_effect_is_assumed_there_is_none_to_tell():
    told = said(plan_share(0.3, 0.3, TENTH, Supply(20_000, 1_000, 60)), CHURN)
    assert told.en.endswith("no effect is assumed, so there is none to tell.")
    assert told.zh.endswith("未假设任何效果，因此无从检验。")


def test_a_tiny_effect_is_not_called_nought():
    assert "down by 0.004 points" in said(plan_share(0.3, 0.29996, TENTH, Supply(9, 9, 60)), CHURN).en


@pytest.mark.parametrize(
    "share, english, chinese", [(0.1, "set is 10%", "当前设置为 10%"), (0.25, "about what is set", "与当前设置相近")]
)
def test_the_share_of_controls_that_tells_most_stands_beside_the_one_that_is_set(share, english, chinese):
    told = advised(Split(750, 250), share, 2_000, "USD")
    assert "25% controls tell most" in told.en
    assert english in told.en
    assert chinese in told.zh
