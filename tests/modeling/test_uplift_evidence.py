"""An experiment is taken for one only if its arms were drawn by chance; its tables are checked at the door."""

from dataclasses import replace

import numpy as np
import pytest
from experiments import chances, linear, visits

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.modeling.uplift import Uplift, learn_uplift, randomisation, recorded
from churnml.modeling.uplift.evidence import naive_differences, weighted_differences
from churnml.modeling.uplift.words import no_evidence_told


def drawn_by(propensity, data, seed=1):
    """Return the data with the arm drawn anew by a probability for each customer."""
    treated = np.random.default_rng(seed).random(len(data)) < propensity
    return replace(data, arm=treated.astype(np.intp))


def by_feature(data):
    """Return a probability that follows the first feature."""
    return 1 / (1 + np.exp(-data.features[:, 0]))


def reason(data):
    return getattr(learned(data), "reason", None)


def learned(data):
    return learn_uplift(data.features, data.arm, data.propensities, data.outcome, data.arms)


def test_a_fair_draw_passes():
    assert randomisation(linear(1_200)).passed
    assert randomisation(visits(1_200, seed=3, arms=("control", "mail", "call"))).passed


def test_arms_that_follow_a_feature_are_refused():
    data = linear(1_200, share=0.5)
    assert reason(drawn_by(by_feature(data), data)) == "predictable"


def test_arms_that_follow_a_feature_as_recorded_pass():
    data = linear(1_200, share=0.5)
    chance = by_feature(data)
    noted = replace(data, propensities=np.column_stack([1 - chance, chance]))
    assert randomisation(drawn_by(chance, noted)).passed


def test_arms_of_the_wrong_size_are_refused():
    data = linear(1_200, share=0.5)
    assert reason(drawn_by(0.4, data)) == "sample_ratio"


def test_without_a_recorded_draw_there_is_no_evidence():
    data = linear(600)
    found = learn_uplift(data.features, data.arm, np.full((600, 2), np.nan), data.outcome, data.arms)
    assert found.reason == "no_randomised"
    assert set(found.naive) == {"call"}
    assert found.weighted == {}


def test_those_contacted_by_a_rule_change_no_bit_of_what_is_learned():
    data, rule = linear(300, share=0.5), np.array([[0.0, 1.0]] * 300)
    twice = [np.concatenate(pair) for pair in ((data.features,) * 2, (data.arm, np.ones(300, np.intp)))]
    both = learn_uplift(*twice, np.vstack([data.propensities, rule]), np.tile(data.outcome, 2), data.arms)
    assert isinstance(both, Uplift)
    assert np.array_equal(both.scores, learned(data).scores)


def test_the_randomised_difference_mends_what_the_naive_one_gets_wrong():
    data = linear(8_000, share=0.5)
    chance = by_feature(data)
    treated = drawn_by(chance, data).arm
    outcome = data.features[:, 0] + 0.5 * treated
    naive = naive_differences(data.arms, treated, outcome)["call"]
    mended = weighted_differences(data.arms, treated, np.column_stack([1 - chance, chance]), outcome)["call"]
    assert naive.low > 0.7
    assert mended.low < 0.5 < mended.high


def test_what_is_missing_is_said_in_both_languages():
    data = linear(1_200, share=0.5)
    skewed = drawn_by(by_feature(data), data)
    found = learned(skewed)
    assert "tells who got which arm" in no_evidence_told(found).en
    assert "call: naive difference" in no_evidence_told(found).en
    assert no_evidence_told(found).zh.startswith("没有证据：客户特征")


def test_a_difference_needs_customers_in_each_arm():
    with pytest.raises(InvalidTableError, match="`call` holds 1; leave the arm out"):
        naive_differences(("none", "call"), np.array([0, 0, 1]), np.zeros(3))
    assert weighted_differences(("none", "call"), np.array([0, 0, 1]), np.full((3, 2), 0.5), np.zeros(3)) == {}


def test_only_those_drawn_by_chance_are_recorded():
    given = np.array([[0.5, 0.5], [1.0, 0.0], [np.nan, np.nan]])
    assert recorded(given).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"propensities": chances(300, 1.0)}, "got 0 for `control` in row 0; who was not drawn"),
        ({"propensities": np.full((300, 2), 0.4)}, "must add up to 1, got 0.8 in row 0"),
        ({"outcome": np.full(300, np.nan)}, "got nan in row 0 and 300 in all"),
        ({"arm": np.full(300, 2)}, "a position in control, call, got 2 in row 0"),
        ({"outcome": np.zeros(9)}, "one row per customer"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused_with_the_row(change, words):
    with pytest.raises(InvalidTableError, match=words):
        replace(linear(300), **change)


@pytest.mark.parametrize(
    ("treated", "words"), [(0, "`call` is empty; draw it for some"), (20, "`call` holds 20; let the experiment")]
)
def test_an_arm_with_too_few_is_refused(treated, words):
    with pytest.raises(NotEnoughDataError, match=words):
        replace(linear(300), arm=(np.arange(300) < treated).astype(np.intp))
