"""Where a base stands on the ladder, and what each lower rung may say: possible, monotone, told, and saved whole."""

from types import SimpleNamespace

import numpy as np
import pytest
from lives import drawn
from market import CUTOFFS, HORIZON, NOW, POPULATION, Market, stacked

from churnml.config import TrainConfig
from churnml.errors import NotEnoughDataError
from churnml.events.clock import DAY
from churnml.modeling import bundle
from churnml.modeling.bounds import bounds
from churnml.modeling.btyd import BGNBD, Rfm
from churnml.modeling.bundle import load_bundle, save_bundle
from churnml.modeling.few import learned_from_few
from churnml.modeling.ladder import Lessons, below, highest, require
from churnml.modeling.posterior import drawn_rhythms
from churnml.modeling.recency import calibrated, fit_rule
from churnml.modeling.rhythm import rhythm_or_rule, rule_at, sound_rhythm, stacked_rhythm, unsound
from churnml.modeling.snapshots import Snapshots
from churnml.scoring.reasons import contributions

CONFIG = TrainConfig(horizon_days=HORIZON, population_days=POPULATION)
DAYS = [7, 15, 30, 60, 120]
BOUNDARIES = [
    (Lessons(2, 200, 30), "blend"),
    (Lessons(2, 199, 30), "logistic"),
    (Lessons(1, 200, 30), "logistic"),
    (Lessons(2, 30, 30), "logistic"),
    (Lessons(2, 29, 900), "rhythm"),
    (Lessons(2, 900, 29), "rhythm"),
    (Lessons(0, 0, 0), "rhythm"),
    (Lessons(9, 900, 900, "nobody came back"), "recency"),
]


@pytest.mark.parametrize("found, rung", BOUNDARIES)
def test_the_rung_follows_from_what_there_is_to_learn_from(found, rung):
    assert highest(found, "").rung == rung


def test_a_step_says_why_it_is_no_higher_and_what_the_next_takes():
    step = highest(Lessons(3, 12, 33), "")
    assert step.because == "12 customers who left and 33 who stayed were found at 3 training cutoffs"
    assert step.next_needs.startswith("30 customers who left and 30 who stayed at cutoffs whose horizon is over")


def test_before_a_horizon_is_over_the_history_that_it_takes_is_told():
    assert highest(Lessons(0, 0, 0), "the first takes 150 days of history").because == (
        "no horizon is over yet that could teach who leaves: the first takes 150 days of history"
    )


def test_a_rung_that_the_data_do_not_reach_is_refused():
    require("rhythm", Lessons(2, 29, 900))
    with pytest.raises(NotEnoughDataError, match=r"the rung `logistic` takes 30 customers who left .+ 29 customers"):
        require("logistic", Lessons(2, 29, 900))


def test_below_the_lowest_rung_there_is_none():
    assert [below(one) for one in ("blend", "logistic", "rhythm", "recency")] == [
        "logistic", "rhythm", "recency", None,
    ]  # fmt: skip


def small_shop(customers, *, seed=3, rule=False):
    """Return the snapshots of a small market."""
    market = Market.draw(customers, seed)
    base = stacked([market.table(day) for day in CUTOFFS])
    rhythm = stacked_rhythm(base, HORIZON, fit=rule_at if rule else rhythm_or_rule)[0][base.modelled]
    table = base.take(base.modelled)
    return Snapshots(table, rhythm, *market.labels(table), {}, market.table(NOW))


@pytest.fixture(scope="module", params=["logistic", "rhythm", "recency"])
def stood(request):
    """Return a rung, the snapshots it was learned from, its model and what it says of the population."""
    stack = small_shop(90, rule=request.param == "recency")
    model, _ = learned_from_few(stack, request.param, NOW * DAY, CONFIG, 1.0, [])
    asked = stack.base_at_now.take(stack.base_at_now.modelled)
    return SimpleNamespace(rung=request.param, model=model, asked=asked, said=model.forecast(asked, 365, DAYS))


def test_each_score_lies_between_0_and_1_and_within_its_own_interval(stood):
    said = stood.said
    assert said.rung == stood.rung
    assert ((said.churn_probability > 0) & (said.churn_probability < 1)).all()
    assert ((said.churn_low <= said.churn_probability) & (said.churn_probability <= said.churn_high)).all()
    assert (said.churn_low < said.churn_high).all()


def test_silence_is_no_likelier_for_longer_and_is_churn_at_the_horizon(stood):
    assert (np.diff(stood.said.churn_within, axis=1) <= 0).all()
    np.testing.assert_array_equal(stood.said.churn_within[:, DAYS.index(HORIZON)], stood.said.churn_probability)


def test_money_is_of_the_size_of_what_comes(stood):
    expected = float(stood.said.expected_margin.sum())
    came = float(Market.draw(90, 3).labels(stood.asked)[1].sum())
    assert came / 2 < expected < came * 2


def test_no_answer_to_a_random_row_is_impossible(stood):
    assert bounds(stood.model, 1_000).broken == ()


def test_the_contributions_of_every_rung_add_up_to_the_logit(stood):
    parts, p = contributions(stood.model, stood.said), stood.said.churn_probability
    np.testing.assert_allclose(parts.base + parts.by_column.sum(axis=1), np.log(p / (1 - p)), atol=1e-9)


def test_a_bundle_of_every_rung_comes_back_bit_for_bit_and_passes_its_trial(stood, tmp_path):
    name = save_bundle(stood.model, {}, tmp_path)
    bundle._smoke(tmp_path / name)
    again = load_bundle(tmp_path / name)[0].forecast(stood.asked, 365, DAYS)
    for field in ("churn_probability", "churn_low", "churn_high", "churn_within", "expected_margin", "tail_if_staying"):
        assert getattr(again, field).tobytes() == getattr(stood.said, field).tobytes(), field
    assert again.margin_range.high.tobytes() == stood.said.margin_range.high.tobytes()


def test_before_any_label_a_range_of_money_comes_from_the_rhythm_itself():
    market = Market.draw(60, 4)
    base, none = market.table(NOW), np.zeros(0)
    nobody = base.take(np.zeros(len(base), dtype=bool))
    stack = Snapshots(nobody, np.zeros((0, 3)), none > 0, none, {}, base)
    model, _ = learned_from_few(stack, "rhythm", NOW * DAY, CONFIG, 1.0, [])
    asked = base.take(base.modelled)
    said, came = model.forecast(asked, 365).margin_range, market.labels(asked)[1]
    assert ((came >= said.low) & (came <= said.high)).mean() > 0.8


def covered(truth, customers, seed):
    """Return the share of intervals that hold the true probability of silence, of a shop drawn from a known rhythm."""
    age = np.random.default_rng(seed).uniform(5, 150, customers)
    times = drawn(truth, customers, 150, seed + 1_000)
    known = Rfm((times <= age[:, None]).sum(1), np.where(times <= age[:, None], times, 0).max(axis=1), age)
    rhythms = drawn_rhythms(BGNBD().fit(known), known, 0)
    asked = known.take(known.T - known.recency <= POPULATION)
    (low, high), right = rhythms.between(asked, 60), truth.p_no_order(asked, 60)
    return float(((right >= low) & (right <= high)).mean())


TRUTH = BGNBD.from_parameters(r=1.5, alpha=40.0, a=0.4, b=2.5)


def test_intervals_of_small_shops_hold_the_truth():
    assert np.mean([covered(TRUTH, 50, seed) for seed in range(8)]) > 0.8


@pytest.mark.long
@pytest.mark.parametrize("truth", [TRUTH, BGNBD.from_parameters(r=0.6, alpha=20.0, a=0.8, b=2.5)])
def test_of_many_small_shops_nine_of_ten_intervals_hold_the_truth(truth):
    assert 0.84 < np.mean([covered(truth, 50, seed) for seed in range(60)]) < 0.97


def test_a_rhythm_that_cannot_be_believed_is_told_why():
    model = BGNBD.from_parameters(r=1.0, alpha=30.0, a=0.5, b=2.0)
    ages = np.full(20, 100.0)
    few = Rfm(np.array([1, 2] + [0] * 18), np.array([9, 9] + [0] * 18), ages)
    one = Rfm(np.array([90, 1, 1, 1, 1] + [0] * 15), np.array([90, 9, 9, 9, 9] + [0] * 15), ages)
    many = Rfm(np.full(20, 40), np.full(20, 90.0), ages)
    assert unsound(model, few) == "of 20 customers 2 came back, and it takes 5"
    assert unsound(model, one) == "one customer placed 90 of 94 repeat orders"
    assert "it would have expected" in unsound(model, many)


def test_a_rhythm_of_nobody_is_none():
    table = Market.draw(6, 1).table(NOW)
    model, why = sound_rhythm(table, NOW * DAY)
    assert model is None
    assert "needs at least 10 customers" in why


SILENT = Rfm([3] * 4, [30.0] * 4, [31.0, 40.0, 60.0, 150.0])


def test_by_the_rule_a_longer_silence_is_likelier_to_go_on():
    assert (np.diff(fit_rule(SILENT).p_no_order(SILENT, 30)) > 0).all()


def test_by_the_rule_a_silence_of_the_usual_gap_goes_on_as_long_again_twice_in_three_times():
    rule = fit_rule(Rfm([1] * 9, [10.0] * 9, [20.0] * 9))
    assert rule.p_no_order(Rfm([1], [rule.gap_days], [2 * rule.gap_days]), rule.gap_days)[0] == pytest.approx(2 / 3)


def test_labels_bring_the_rule_right_on_the_whole_and_make_it_surer():
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 1.0, 400)
    left = rng.random(400) < 1 / (1 + np.exp(-(logits - 1.0)))
    before = fit_rule(SILENT)
    after = calibrated(before, logits, left, customers=400)
    assert np.log(after.pace) == pytest.approx(-1.0, abs=3 * after.doubt)
    assert after.doubt < before.doubt / 5


def test_rows_of_one_customer_make_the_rule_no_surer():
    logits, left = np.zeros(100), np.arange(100) % 2 > 0
    one, many = (calibrated(fit_rule(SILENT), logits, left, customers) for customers in (10, 100))
    assert one.doubt > 2 * many.doubt
