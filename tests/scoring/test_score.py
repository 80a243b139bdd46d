"""Scores are probabilities and money that fit together, the same for one customer as for all."""

import numpy as np
import pytest

from churnml.scoring.score import BANDS, score

MONEY = ("expected_margin", "margin_low", "margin_median", "margin_high", "clv", "value_if_retained", "value_at_risk")


def test_a_churn_probability_lies_strictly_between_nought_and_one(scored):
    assert ((scored.scores.churn_probability > 0) & (scored.scores.churn_probability < 1)).all()


@pytest.mark.parametrize("name", MONEY)
def test_money_is_a_number_and_never_negative(scored, name):
    amounts = getattr(scored.scores, name)
    assert np.isfinite(amounts).all()
    assert (amounts >= 0).all()


def test_value_at_risk_is_the_probability_times_the_value_if_retained(scored):
    expected = scored.scores.churn_probability * scored.scores.value_if_retained
    assert np.array_equal(scored.scores.value_at_risk, expected)


def test_a_longer_horizon_of_value_is_never_worth_less(scored):
    year, month = (score(scored.population, scored.model, days) for days in (365, 30))
    assert (year.clv >= month.clv).all()
    assert (score(scored.population, scored.model, 730).clv >= year.clv).all()


def test_bands_change_at_the_thresholds_of_the_model(scored):
    medium, high = scored.model.bands
    expected = np.where(scored.scores.churn_probability >= high, 2, scored.scores.churn_probability >= medium)
    assert [BANDS[place] for place in expected.astype(int)] == list(scored.scores.band)


@pytest.mark.parametrize("rows", [[0], [7], [2, 0, 1], list(range(100))])
def test_some_customers_score_as_they_do_among_all_bit_for_bit(scored, rows):
    some = score(scored.population.take(np.array(rows)), scored.model, 365)
    for name in ("churn_probability", *MONEY):
        assert getattr(some, name).tobytes() == getattr(scored.scores, name)[rows].tobytes(), name


def test_each_of_a_hundred_customers_scores_alone_as_among_all(scored):
    for row in range(0, len(scored.population), len(scored.population) // 100):
        alone = score(scored.population.take(np.array([row])), scored.model, 365)
        for name in ("churn_probability", *MONEY):
            assert getattr(alone, name)[0] == getattr(scored.scores, name)[row], (name, row)
