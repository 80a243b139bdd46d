"""Rolling origins: which cutoffs, whose rows a redraw takes, what the mean is of, and what is told apart."""

from datetime import date

import numpy as np
import pytest

from churnml.config import TrainConfig, ValueSettings
from churnml.errors import NotEnoughDataError
from churnml.events.clock import midnight
from churnml.features import catalogue
from churnml.modeling import metrics
from churnml.modeling.coverage import Told
from churnml.modeling.judgement import OURS
from churnml.modeling.origins import Origin, mean_over, origin_cutoffs, roll
from churnml.modeling.spread import Range

CONFIG = TrainConfig(
    horizon_days=28, rounds=20, step_days=28, max_cutoffs=2, min_history_days=60, value=ValueSettings(rounds=40)
)


def origin(seed, customers):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 4, len(customers))
    left, spent = (rng.random(len(p)) < p).astype(float), rng.gamma(2.0, 50.0, len(p))
    return Origin(
        f"2020-01-{seed + 1:02d}",
        2,
        np.array(customers, dtype=object),
        {"churn": left, "value": spent},
        {"churn": {OURS: p, "no idea": np.full(len(p), 0.2)}, "value": {OURS: spent * 1.1, "all equal": spent * 0 + 1}},
        past_rate=0.2,
        value=Told(spent, Range(spent, spent, spent), spent),
    )


NAMES = [f"c{number:03d}" for number in range(300)]
TWO = [origin(0, NAMES), origin(1, NAMES[50:])]


@pytest.fixture(scope="module")
def rolled(store):
    return roll(store, catalogue(store.tables), CONFIG, 0.25, origins=2, step_days=28, bootstrap=50)


def test_the_figure_is_the_mean_over_the_origins():
    ours, _ = mean_over(TWO, "churn", 50, 0)
    each = [one.figures("churn")[OURS]["auroc"] for one in TWO]
    assert ours.figures["auroc"].value == pytest.approx(np.mean(each))


def test_a_model_that_knows_leads_one_that_does_not_beyond_noise():
    _, other = mean_over(TWO, "churn", 50, 0)
    assert other.lead_of_ours["auroc"].low > 0
    assert other.lead_of_ours["log_loss"].low > 0


def test_the_same_customers_seen_twice_are_no_more_certain_than_once():
    once, twice = (mean_over(found, "churn", 100, 0)[0].figures["auroc"] for found in (TWO[:1], TWO[:1] * 2))
    assert (twice.low, twice.high) == (once.low, once.high)


def test_the_last_origin_is_the_latest_whose_horizon_the_data_outlast(store):
    found = origin_cutoffs(store, CONFIG, origins=3, step_days=14)
    assert found == [midnight(day, "UTC") for day in (date(2017, 11, 7), date(2017, 11, 21), date(2017, 12, 5))]


def test_more_origins_than_history_holds_are_refused_with_how_many_would_fit(store):
    with pytest.raises(NotEnoughDataError, match=r"40 origins every 14 days .* enough for 16; take --origins 16"):
        origin_cutoffs(store, CONFIG, origins=40, step_days=14)


def test_a_horizon_longer_than_history_is_refused_with_what_would_suffice(store):
    with pytest.raises(
        NotEnoughDataError, match=r"need 1[\d]+ days of history, found \d+, enough for 0; bring more, or"
    ):
        origin_cutoffs(store, CONFIG.model_copy(update={"horizon_days": 700}), origins=2, step_days=14)


def test_the_last_origin_is_told_apart_from_the_mean(rolled):
    told = rolled.to_json()
    assert [one["last"] for one in told["origins"]] == [False, True]
    assert rolled.mean["churn"][0].figures["auroc"].value == told["origins"][0]["churn"][OURS]["auroc"]
    assert rolled.at_last["churn"][0].figures["auroc"].value == told["origins"][1]["churn"][OURS]["auroc"]


def test_even_a_hasty_model_beats_the_recency_rule_at_an_earlier_origin(rolled):
    recency = next(method for method in rolled.mean["churn"] if method.name == "recency rule")
    assert recency.lead_of_ours["auroc"].low > 0


def test_a_lift_is_how_many_times_more_churners_the_top_of_the_list_holds():
    assert metrics.lift([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], np.linspace(1, 0, 10), 0.2) == 5


def test_a_forecast_that_ranks_nobody_has_a_lift_of_one():
    assert metrics.lift([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], np.full(10, 0.3), 0.2) == pytest.approx(1.0)
