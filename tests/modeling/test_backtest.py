"""A backtest teaches with what was final, judges on what came later, and refuses what it cannot know."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from churnml.config import BacktestConfig, Protocol, TrainConfig, ValueSettings, load_config
from churnml.errors import ConfigError, NotEnoughDataError
from churnml.events.clock import midnight
from churnml.features import catalogue
from churnml.modeling.backtest import judge, judge_last_origin, judge_within, run_protocol

CONFIG = TrainConfig(
    horizon_days=60, rounds=30, step_days=28, max_cutoffs=2, min_history_days=60, value=ValueSettings(rounds=60)
)
SMALL = Protocol(
    target="churn",
    horizon_days=28,
    first_cutoff=date(2017, 8, 14),
    last_cutoff=date(2017, 9, 25),
    step_days=21,
    test_cutoff=date(2017, 10, 30),
    goal={"auroc": 0.5},
)


@pytest.fixture(scope="module")
def features(store):
    return catalogue(store.tables)


@pytest.fixture(scope="module")
def judged(store, features):
    return run_protocol(store, features, "small", SMALL, CONFIG, bootstrap=50)


def test_a_protocol_is_judged_on_the_population_of_its_test_cutoff(judged):
    assert (judged.cutoff, judged.horizon_days, list(judged.contests)) == ("2017-10-30", 28, ["churn"])
    assert 2_200 < judged.customers < 2_400


def test_even_a_hasty_model_is_far_better_than_the_recency_rule_out_of_time(judged):
    recency = next(method for method in judged.contests["churn"].methods if method.name == "recency rule")
    assert judged.contests["churn"].ours.figures["auroc"].value > 0.8
    assert recency.lead_of_ours["auroc"].low > 0
    assert judged.gate() == []


def test_the_last_origin_is_judged_on_churn_and_value_one_horizon_before_now(store, features):
    found = judge_last_origin(store, features, midnight(date(2017, 12, 1), "UTC"), CONFIG, 0.25, bootstrap=50)
    assert (found.cutoff, sorted(found.contests)) == ("2017-10-02", ["churn", "value"])
    assert found.contests["value"].ours.figures["gini"].value > 0.8


def test_what_is_said_of_other_days_is_judged_beside_a_model_that_was_taught_them(store, features):
    short = CONFIG.model_copy(update={"horizon_days": 28})
    found = judge_within(store, features, midnight(date(2017, 12, 1), "UTC"), 14, short, 0.25, bootstrap=50)
    assert (found.cutoff, found.horizon_days) == ("2017-11-03", 14)
    ours, own, rhythm = found.contests["churn"].methods
    assert [own.name, rhythm.name] == ["a model of 14 days", "BG/NBD"]
    assert ours.figures["auroc"].value > own.figures["auroc"].value - 0.02
    assert rhythm.lead_of_ours["auroc"].low > 0
    first, half, _ = found.timing
    assert 0.25 <= first.said < half.said < 0.75
    assert first.came == pytest.approx(first.said, abs=0.04)
    assert half.came == pytest.approx(half.said, abs=0.04)


def test_a_test_whose_horizon_outlasts_the_data_is_refused(store, features):
    late = SMALL.model_copy(update={"test_cutoff": date(2017, 12, 20)})
    with pytest.raises(NotEnoughDataError) as caught:
        run_protocol(store, features, "late", late, CONFIG)
    assert "a test at 2017-12-20 needs orders for 28 days, until 2018-01-17, found the last on 2018-01-01" in str(
        caught.value
    )


def test_judging_a_model_before_its_horizon_is_over_is_refused(store, trained):
    early = replace(trained, now=midnight(date(2017, 12, 31), "UTC"))
    with pytest.raises(NotEnoughDataError, match="a test at 2017-12-31 needs orders for 30 days"):
        judge(early, store)


def test_history_too_short_for_an_honest_test_is_refused_before_anything_is_trained(store, features):
    with pytest.raises(NotEnoughDataError, match=r"needs 208 days of history .* found 150"):
        judge_last_origin(store, features, midnight(date(2017, 6, 1), "UTC"), CONFIG, 0.25)


def test_a_protocol_that_teaches_with_labels_still_open_at_its_test_is_refused(store, features):
    leaky = SMALL.model_copy(update={"last_cutoff": date(2017, 10, 9)})
    with pytest.raises(ConfigError, match=r"protocol `leaky`: .* so that no label looks past the test"):
        run_protocol(store, features, "leaky", leaky, CONFIG)


def test_a_goal_for_an_unknown_metric_is_refused_with_the_nearest(store, features):
    odd = SMALL.model_copy(update={"goal": {"aurok": 0.9}})
    with pytest.raises(ConfigError, match=r"unknown metric `aurok` in `goal`; did you mean `auroc`\?"):
        run_protocol(store, features, "odd", odd, CONFIG)


def test_the_protocols_that_come_with_churnml_are_sound(store):
    settings = load_config(Path(__file__).parents[2] / "configs" / "backtest.yaml", BacktestConfig, required=True)
    assert {name: protocol.horizon_days for name, protocol in settings.protocols.items()} == {
        "CJ60": 60,
        "CJ28": 28,
        "CJCLV": 90,
    }
    assert all(np.isfinite(list(protocol.goal.values())).all() for protocol in settings.protocols.values())
