"""Calibration undoes a known distortion, stays away from what is right, and changes nobody's rank."""

from dataclasses import replace

import numpy as np
import pytest

from churnml.config import CALIBRATIONS, TrainConfig, parse_config
from churnml.errors import ConfigError
from churnml.events.clock import DAY
from churnml.modeling.bundle import load_bundle, save_bundle, try_bundle
from churnml.modeling.calibration import Calibration, Seen, fit_calibration
from churnml.modeling.calibration_trial import choose
from churnml.modeling.calibration_words import calibration_told
from churnml.modeling.churn import fit_churn
from churnml.modeling.learners import sigmoid
from churnml.scoring.reasons import contributions

PLATT, BETA = Calibration("platt", 1.4, 1.4, 0.3), Calibration("beta", 1.6, 0.7, 0.2)
CASES = [Calibration("prior", shift=-0.4), PLATT, BETA]


def seen(distorted, *, n=6_000, origins=3, step=14, levels=0.0, seed=0):
    """Return origins whose logits are distorted, each with a level of its own that the logits do not know."""
    rng = np.random.default_rng(seed)
    found = []
    for place in range(origins):
        true = rng.normal(-1.2, 1.3, n)
        left = rng.random(n) < sigmoid(true + levels * (-1) ** place)
        cutoff, final = place * step * DAY, frozenset(k * step * DAY for k in range(place))
        found.append(Seen(cutoff, final, distorted(true), left, np.arange(n).astype(object)))
    return found


def timid(true):
    return true / 1.5


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_a_blend_that_is_too_timid_is_stretched_as_much(kind):
    found = fit_calibration(kind, seen(timid, n=40_000))
    assert (found.low, found.high) == pytest.approx((1.5, 1.5), abs=0.08)


def test_beta_tells_the_likely_from_the_unlikely():
    def bent(true):
        return np.where(true < 0, true / 2, true)

    found = fit_calibration("beta", seen(bent, n=40_000))
    assert found.low > 1.7
    assert found.high < 1.2


def test_a_shift_is_recovered_by_prior():
    assert fit_calibration("prior", seen(lambda true: true - 0.5, n=40_000)).shift == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("kind", ["platt", "beta"])
def test_a_stretch_leaves_the_mean_probability_where_it_was_though_more_left(kind):
    taught = seen(lambda true: true / 1.5 - 0.4)
    before = np.concatenate([one.logits for one in taught])
    after = fit_calibration(kind, taught)(before)
    assert sigmoid(after).mean() == pytest.approx(sigmoid(before).mean(), abs=1e-9)


def test_a_stretch_is_the_same_whatever_level_each_season_had():
    even, turning = (fit_calibration("platt", seen(timid, n=40_000, levels=one)) for one in (0.0, 0.6))
    assert turning.low == pytest.approx(even.low, abs=0.08)


def test_what_is_calibrated_stays_raw():
    assert [choose("auto", seen(lambda true: true, seed=one)).calibration.kind for one in range(6)] == ["raw"] * 6


def test_what_is_too_timid_is_stretched_and_the_figures_are_kept():
    found = choose("auto", seen(timid))
    assert found.calibration.kind == "platt"
    assert all(one.over_raw.beyond_chance for one in found.tried)
    assert (found.customers, found.origins) == (6_000, 2)


def test_two_stretches_are_taken_where_one_does_not_do():
    found = choose("auto", seen(lambda true: np.where(true < -1.2, true / 3, true), n=20_000))
    assert found.calibration.kind == "beta"
    assert found.tried[1].over_simpler.beyond_chance


def test_a_level_that_all_origins_missed_is_left_to_the_season():
    found = choose("auto", seen(lambda true: true - 0.5))
    assert found.calibration.kind == "raw"
    assert "a shift was not tried, for the origins span less than a year" in found.because


def test_a_level_that_was_missed_all_year_is_shifted():
    found = choose("auto", seen(lambda true: true - 0.5, step=182))
    assert found.calibration.kind == "prior"
    assert found.calibration.shift == pytest.approx(0.5, abs=0.1)


def test_a_level_that_turns_with_the_season_is_not_shifted():
    found = choose("auto", seen(lambda true: true, step=182, levels=0.5))
    assert found.calibration.kind == "raw"


def test_a_customer_seen_twice_is_no_more_evidence_than_once():
    once = seen(timid)
    twice = [
        replace(one, **{name: np.tile(getattr(one, name), 2) for name in ("logits", "churned", "customers")})
        for one in once
    ]
    alone, doubled = (choose("auto", one).tried[0].over_raw for one in (once, twice))
    width = alone.high - alone.low
    assert doubled.high - doubled.low == pytest.approx(width, rel=0.01)


@pytest.mark.parametrize(
    ("taught", "words"),
    [
        (seen(timid, origins=1), "it takes 2 rolling origins with 100 who left and 100 who stayed, found 1"),
        (seen(timid, n=200), "found 0"),
        ([], "found 0"),
    ],
)
def test_where_there_is_too_little_the_blend_stays_raw_and_says_so(taught, words):
    found = choose("auto", taught)
    assert found.calibration.kind == "raw"
    assert words in found.because


@pytest.mark.parametrize("kind", ["prior", "platt", "beta"])
def test_one_that_is_asked_for_is_taken_untried(kind):
    found = choose(kind, seen(lambda true: true, origins=1))
    assert (found.calibration.kind, found.tried) == (kind, ())


@pytest.mark.parametrize("calibration", CASES, ids=[one.kind for one in CASES])
def test_no_rank_changes_and_no_tie_comes_up(calibration):
    logits = np.linspace(-12, 12, 2_001)
    assert (np.diff(calibration(logits)) > 0).all()


@pytest.mark.parametrize("calibration", CASES, ids=[one.kind for one in CASES])
def test_the_pace_between_two_logits_is_what_the_map_rises_by(calibration):
    start, end = np.array([-3.0, 0.2, 1.0, 1.0]), np.array([2.0, 0.2, 1.0 + 1e-8, -6.0])
    rise = calibration(end) - calibration(start)
    np.testing.assert_allclose(calibration.pace(start, end) * (end - start), rise, rtol=0, atol=1e-12)


@pytest.mark.parametrize("calibration", CASES, ids=[one.kind for one in CASES])
def test_reasons_sum_to_the_logit_that_is_told_in_the_same_order(trained, population, calibration):
    model = replace(trained.model, churn=replace(trained.model.churn, calibration=calibration))
    told, raw = (one.forecast(population, 365) for one in (model, trained.model))
    parts, before = contributions(model, told), contributions(trained.model, raw)
    logit = np.log(told.churn_probability) - np.log1p(-told.churn_probability)
    np.testing.assert_allclose(parts.base + parts.by_column.sum(axis=1), logit, rtol=0, atol=1e-9)
    assert (np.sign(parts.by_column) == np.sign(before.by_column)).all()


def test_silence_stays_monotone_in_the_horizon_whatever_each_blend_goes_through(trained, population):
    own = replace(trained.model.churn, calibration=BETA)
    sooner = {7: replace(trained.model.churn, calibration=Calibration("prior", shift=-3.0))}
    model = replace(trained.model, churn=own, sooner=sooner)
    silence = model.forecast(population, 365, [3, 7, 14, 30, 90]).churn_within
    assert (np.diff(silence, axis=1) <= 0).all()


@pytest.mark.long
def test_a_calibration_comes_back_from_a_bundle_and_answers_in_a_process_of_its_own(trained, population, tmp_path):
    model = replace(trained.model, churn=replace(trained.model.churn, calibration=BETA))
    folder = tmp_path / save_bundle(model, {}, tmp_path)
    again, _ = load_bundle(folder)
    try_bundle(folder)
    assert again.churn.calibration == BETA
    before, after = (one.forecast(population, 365).churn_probability for one in (model, again))
    assert before.tobytes() == after.tobytes()


def test_a_training_takes_what_is_asked_and_the_card_tells_it(trained):
    stack, model = trained.snapshots, trained.model
    rolling = [([150 * DAY, 180 * DAY], 210 * DAY), ([150 * DAY, 180 * DAY, 210 * DAY], 240 * DAY)]
    fit = fit_churn(
        model.design.matrix(stack.table, stack.rhythm), stack.rhythm[:, 0], stack.churned, stack.table.cutoffs, rolling,
        rounds=10, seed=0, calibration="platt", customers=stack.table.customer_ids,
    )  # fmt: skip
    assert fit.model.calibration.kind == fit.choice.asked
    told = calibration_told(replace(trained, churn_fit=fit, model=replace(model, churn=fit.model)))
    assert f"Taken: calibration `{fit.model.calibration.kind}`" in told


def test_the_figures_of_what_was_tried_stand_on_the_card(trained):
    choice = choose("auto", seen(timid))
    told = calibration_told(replace(trained, churn_fit=replace(trained.churn_fit, choice=choice)))
    assert "Tried on 6,000 customers at 2 origins" in told
    assert f"| platt | {choice.tried[0].over_raw.gain:.5f} [" in told


def test_another_word_in_the_settings_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match=r"`calibration` .*'isotonic'") as caught:
        parse_config("calibration: isotonic", TrainConfig, "configs/train.yaml")
    assert all(kind in str(caught.value) for kind in ("auto", *CALIBRATIONS))
