"""Reasons are exact parts of the logit, strongest first, worded in both languages, and never about the unknown."""

import re

import numpy as np
import pytest

from churnml.features.declare import Feature
from churnml.scoring.reasons import contributions, reasons, word
from churnml.scoring.weights import weights
from churnml.wording import LANGUAGES, Text

MOST = 5


@pytest.fixture(scope="module")
def parts(scored):
    return contributions(scored.model, scored.scores.forecast)


def test_the_contributions_add_up_to_the_logit(scored, parts):
    probability = scored.scores.churn_probability
    logit = np.log(probability / (1 - probability))
    np.testing.assert_allclose(parts.base + parts.by_column.sum(axis=1), logit, rtol=0, atol=1e-9)


def test_there_is_a_contribution_for_each_column(scored, parts):
    assert parts.by_column.shape == (len(scored.population), len(scored.model.design.columns))


def test_everyone_is_told_as_many_reasons_as_asked_for(scored):
    assert {len(told) for told in scored.told} == {MOST}


def test_reasons_come_strongest_first(scored):
    for told in scored.told:
        weights = [abs(reason.weight) for reason in told]
        assert weights == sorted(weights, reverse=True)


def test_a_story_is_told_once(scored):
    assert all(len({reason.group for reason in told}) == len(told) for told in scored.told)


def test_the_direction_is_the_sign_of_the_weight(scored):
    told = [reason for one in scored.told for reason in one]
    assert all((reason.weight > 0) == (reason.direction == "raises") and reason.weight for reason in told)


def test_a_weight_is_the_sum_of_its_groups_contributions(scored, parts):
    of_group = {feature.name: feature.group for feature in scored.features.features}
    columns = scored.model.design.columns
    groups = [of_group.get(name.partition("=")[0], "rhythm") for name in columns]
    for row, told in enumerate(scored.told):
        for reason in told:
            mine = [place for place, group in enumerate(groups) if group == reason.group]
            assert reason.weight == pytest.approx(parts.by_column[row, mine].sum(), abs=1e-12)


def test_every_sentence_stands_in_both_languages_with_no_brace_left(scored):
    for sentence in (reason.sentence for told in scored.told for reason in told):
        assert set(sentence) == set(LANGUAGES)
        assert not [text for text in sentence.values() if re.search(r"[{}]|nan|None", text)]
        assert re.search(r"[一-鿿]", sentence["zh"])


def test_the_value_of_a_reason_is_the_customers_own(scored):
    for row, told in enumerate(scored.told):
        for reason in told:
            if reason.feature in scored.population.names:
                assert reason.value == scored.population.column(reason.feature)[row]
            else:
                assert reason.value == scored.population.categories[reason.feature][row]


def test_a_missing_number_is_never_told(scored):
    values = scored.population.values.copy()
    gone = scored.population.names.index("gap_mean_days")
    values[:, gone] = np.nan
    nameless = scored.population.__class__(**{**vars(scored.population), "values": values}).take(np.arange(200))
    forecast = scored.model.forecast(nameless, 365)
    told = reasons(nameless, scored.model, forecast, scored.features, "USD", MOST)
    sentences = [reason.sentence["en"] for one in told for reason in one]
    assert not [text for text in sentences if re.search("usually every|Usually orders", text)]
    assert "gap_mean_days" not in {reason.feature for one in told for reason in one}


WORDED = [
    ("days", 1.0, "1 day", "1 天"),
    ("days", 12.0, "12 days", "12 天"),
    ("orders", 2.5, "2.5 days", "2.5 天"),
    ("currency", 1234.5, "$1,234.50", "US$1,234.50"),
    ("share", 0.42, "42%", "42%"),
    ("count", 1200.0, "1,200", "1,200"),
    ("ratio", 0.333, "0.33", "0.33"),
    ("category", "{odd}", "{odd}", "{odd}"),
]


@pytest.mark.parametrize("unit, value, english, chinese", WORDED)
def test_a_number_is_worded_by_its_unit(unit, value, english, chinese):
    feature = Feature("it", "f", "g", unit, Text("", ""), Text("It is {value}.", "为{value}。"))
    said = [word(feature, {"it": value}, {"it": feature}, "USD", language) for language in LANGUAGES]
    assert said == [f"It is {english}.", f"为{chinese}。"]


def test_a_sentence_that_needs_an_unknown_number_is_not_said():
    feature = Feature("it", "f", "g", "days", Text("", ""), Text("{value}, usually {gap}", "{value}{gap}"))
    gap = Feature("gap", "f", "g", "days", Text("", ""), Text("{value}", "{value}"))
    assert word(feature, {"it": 3.0}, {"it": feature, "gap": gap}, "USD", "en") is None
    assert word(feature, {"it": 3.0}, {"it": feature}, "USD", "en") is None


def test_a_feature_whose_number_is_missing_is_not_told_by_a_sentence_without_it_either(scored):
    wordless = {one.name for one in scored.features.features if "{value}" not in one.sentence.en}
    values = scored.population.values.copy()
    values[:, [name in wordless for name in scored.population.names]] = np.nan
    nameless = scored.population.__class__(**{**vars(scored.population), "values": values}).take(np.arange(50))
    told = reasons(nameless, scored.model, scored.model.forecast(nameless, 365), scored.features, "USD", 100)
    assert wordless & set(scored.population.names)
    assert not wordless & set(scored.population.names) & {reason.feature for one in told for reason in one}


def test_the_features_that_weigh_most_come_first_and_no_more_than_all_is_told(scored):
    found = weights(scored.model, scored.population, scored.features)
    shares = [one["share"] for one in found]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1
    assert all(one["meaning"][language] for one in found for language in LANGUAGES)


def test_all_features_together_weigh_one(scored):
    every = weights(scored.model, scored.population, scored.features, most=10_000)
    assert sum(one["share"] for one in every) == pytest.approx(1, abs=1e-3)
