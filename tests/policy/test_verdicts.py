"""What may be said of an action, and what may not."""

import numpy as np
import pytest
from trials import trial

from churnml.policy.effect_words import Told, blocked_told, verdict_told
from churnml.policy.effects import CHURN, MARGIN, NET, Experiment, measure
from churnml.policy.learned import propose_stop
from churnml.policy.measurement import Estimate, Trial
from churnml.policy.verdicts import Asked, holm, judge
from churnml.wording import Text

DAY = 86_400_000_000
CALL, ABOUT = Text("Service call", "客服致电"), Told("USD", "2024-06-01", 104)


def experiment(n=2_000, effect=0.0, cost=0.0, seed=0, share=0.5, planned=2_000, segments=0, blocked=None):
    some = trial(n, effect, seed, share, cost=cost)
    gone = (some.outcomes[:, [1]] < 1).astype(float)
    outcomes, before = np.hstack([some.outcomes, gone]), np.hstack([some.before, some.before[:, :1] < 1])
    made = Trial(some.treated, some.propensity, outcomes, some.customer, some.covariates, before)
    parts = {f"part {k}": np.arange(n) % segments == k for k in range(segments)}
    return Experiment(made, np.arange(n) * DAY // 10, np.ones(n, dtype=bool), planned, parts, blocked)


def found(*, ended=True, **actions):
    return measure(actions, ended=ended, longest_weeks=104)


def kind(one):
    return one.overall.judged.kind


def test_an_effect_above_its_cost_helps_and_one_below_it_loses_money():
    two = found(good=experiment(effect=1.0, cost=0.2), dear=experiment(effect=0.2, cost=2.0, seed=1))
    assert (kind(two["good"]), kind(two["dear"])) == ("helps", "loses")
    assert propose_stop({name: one.overall.judged for name, one in two.items()}) == ("dear",)


def test_what_takes_margin_away_before_its_cost_harms():
    assert kind(found(bad=experiment(effect=-1.0, cost=0.5))["bad"]) == "harms"


def test_the_net_effect_is_the_margin_less_the_cost():
    one = found(some=experiment(effect=1.0, cost=0.3))["some"].overall
    assert one.adjusted.value == pytest.approx(one.margin.value - 0.3, abs=0.02)


def test_while_it_runs_the_interval_that_counts_is_the_wide_one():
    running, over = (found(ended=ended, some=experiment(effect=0.3))["some"].overall.judged for ended in (False, True))
    assert running.low < over.low
    assert running.high > over.high


def test_at_the_planned_end_cases_that_came_later_do_not_count():
    late = experiment(n=2_000, effect=1.0)
    late = Experiment(late.trial, late.begun, np.arange(2_000) < 500, 500, {})
    assert found(some=late)["some"].overall.adjusted.n == 500


def test_where_sizes_do_not_fit_the_chances_nothing_is_claimed():
    some = experiment(effect=2.0)
    some.trial.propensity[:] = 0.4
    one = found(some=some)["some"]
    assert (one.blocked, one.overall.judged, one.measured) == ("sample_ratio", None, None)
    assert "less likely than one in a thousand" in blocked_told(CALL, one).en


@pytest.mark.parametrize("reason", ["predictable", "no_randomised"])
def test_a_log_that_is_no_experiment_claims_nothing_however_large_the_difference(reason):
    one = found(some=experiment(effect=5.0, blocked=reason))["some"]
    assert one.overall.judged is None
    assert one.measured is None


def test_an_empty_arm_is_told_and_nothing_is_claimed():
    some = experiment(n=60)
    alone = some.trial.take(some.trial.treated)
    n = len(alone)
    one = found(some=Experiment(alone, np.zeros(n, dtype=np.int64), np.ones(n, dtype=bool), 60, {}))["some"]
    assert (one.blocked, one.overall) == ("empty_arm", None)
    assert f"({n} treated, 0 controls)" in blocked_told(CALL, one).en


def test_nobody_drawn_by_chance_is_no_evidence():
    some = experiment(n=60)
    none = np.zeros(60, dtype=bool)
    one = found(some=Experiment(some.trial.take(none), some.begun[none], none[none], 60, {}))["some"]
    assert one.blocked == "no_randomised"
    assert blocked_told(CALL, one).zh.startswith("“客服致电”：没有证据")


def test_few_customers_say_nothing_however_large_the_difference():
    assert kind(found(some=experiment(n=80, effect=5.0))["some"]) == "too_few"


def test_what_is_open_says_how_much_longer_if_the_planned_end_will_tell():
    one = found(ended=False, some=experiment(n=400, effect=0.2, planned=500, seed=3))["some"].overall
    assert one.judged.kind == "not_yet"
    assert one.judged.wait.at_end
    assert verdict_told(CALL, one, ABOUT).en.endswith("it will be told at the planned end, Jun 1, 2024.")


def test_without_a_planned_end_nobody_waits_for_one():
    sooner = asked(0.1, error=0.09, planned=8_000)
    (with_end,) = judge([sooner], ended=False, longest_weeks=104)
    (without,) = judge([sooner], ended=False, longest_weeks=104, ends=False)
    assert (with_end.wait.at_end, with_end.wait.needed) == (True, 8_000)
    assert not without.wait.at_end
    assert without.wait.needed > 8_000


@pytest.mark.parametrize(("effect", "weeks"), [(0.0, 104), (0.05, 1), (0.05, 1_000_000)])
def test_without_a_planned_end_none_is_spoken_of(effect, weeks):
    made = measure({"some": experiment(effect=effect)}, ended=False, longest_weeks=weeks, ends=False)["some"].overall
    assert made.judged.wait is not None
    said = verdict_told(CALL, made, Told("USD", None, weeks, ends=False))
    assert "planned end" not in said.en
    assert "计划终点" not in said.zh


def test_the_last_look_lies_no_later_than_its_last_case():
    some = experiment()
    one = found(ended=False, some=some)["some"]
    assert one.looks[-1].begun_before == int(some.begun.max()) + 1


def asked(value, error=0.1, n=1_000, planned=1_000, pace=50.0):
    return Asked(Estimate(value, error, n), Estimate(value, error, n), 400, planned, pace)


def test_who_would_wait_too_long_is_told_that_it_will_never_be_conclusive():
    (one,) = judge([asked(0.01)], ended=False, longest_weeks=104)
    assert one.kind == "never"
    assert one.wait.weeks > 104


def test_at_the_end_of_a_plan_the_next_one_needs_as_many_as_the_textbook_says():
    (one,) = judge([asked(0.01)], ended=True, longest_weeks=104)
    # (1.96 + 0.84)^2 times the variance of a case over the squared effect
    assert one.wait.needed == pytest.approx(7.849 * 10 / 0.01**2, rel=1e-3)


def test_what_is_not_told_yet_never_needs_fewer_cases_than_there_are():
    for value in np.linspace(0.01, 0.35, 30):
        (one,) = judge([asked(value, planned=100_000)], ended=False, longest_weeks=104)
        assert one.claims or one.wait.needed > 1_000


def test_an_effect_far_from_the_planned_end_is_told_before_it():
    (one,) = judge([asked(0.25, planned=50_000)], ended=False, longest_weeks=104)
    assert not one.wait.at_end
    assert 1_000 < one.wait.needed < 50_000


def test_without_any_effect_to_be_seen_no_number_of_cases_is_enough():
    (one,) = judge([asked(0.0)], ended=False, longest_weeks=104)
    assert (one.kind, one.wait.needed) == ("never", None)


def test_without_a_pace_the_weeks_are_not_told():
    (one,) = judge([asked(0.1, pace=0.0)], ended=False, longest_weeks=104)
    assert one.wait.weeks is None


def test_at_the_end_of_the_plan_an_open_question_stays_open():
    (one,) = judge([asked(0.1)], ended=True, longest_weeks=104)
    assert one.kind == "open_end"


def test_many_questions_ask_more_of_each():
    alone, among = (judge([asked(0.22)] * times, ended=True, longest_weeks=9)[0] for times in (1, 20))
    assert (alone.kind, among.kind) == ("helps", "open_end")
    assert (alone.alone, among.alone) == (False, True)
    assert among.wait.needed > 1_000


def test_holm_stops_at_the_first_that_does_not_pass():
    assert holm(np.array([0.04, 0.001, 0.03])).tolist() == [False, True, False]
    assert holm(np.zeros(0)).tolist() == []


def test_a_segments_effect_is_told_beside_the_whole():
    one = found(some=experiment(effect=1.0, segments=2))["some"]
    assert set(one.segments) == {"part 0", "part 1"}
    assert sum(part.treated for part in one.segments.values()) == one.overall.treated


def test_the_last_look_is_the_always_valid_interval_of_all_cases():
    one = found(ended=False, some=experiment(effect=0.3))["some"]
    assert (one.looks[-1].low, one.looks[-1].high) == (one.overall.judged.low, one.overall.judged.high)
    assert len(one.looks) > 20


@pytest.mark.parametrize("redraws", [12, pytest.param(200, marks=pytest.mark.long)])
@pytest.mark.parametrize("ended", [True, False])
def test_of_reports_on_actions_that_do_nothing_at_most_one_in_twenty_claims_anything(redraws, ended):
    claims = 0
    for seed in range(redraws):
        actions = {f"a{k}": experiment(n=400, seed=1_000 * seed + k, segments=2) for k in range(3)}
        whole = found(ended=ended, **actions)
        judged = [part.judged for one in whole.values() for part in (one.overall, *one.segments.values())]
        claims += any(one.claims for one in judged if one is not None)
    assert claims / redraws <= 0.05 + (2 * np.sqrt(0.05 * 0.95 / redraws) if redraws < 200 else 0.015)


def test_the_columns_of_outcomes_are_told_apart():
    assert (NET, MARGIN, CHURN) == (0, 1, 2)
