"""Spend is shrunk towards everybody's mean, by published figures; and whether frequency tells of spend is told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import pearsonr, spearmanr

from churnml.errors import InvalidTableError, NotEnoughDataError
from churnml.modeling.btyd import GammaGamma, Rfm
from churnml.modeling.btyd.gammagamma import _Objective, _spends

PUBLISHED = GammaGamma.from_parameters(p=6.25, q=3.74, v=15.44)


def spends(x, mean):
    """Return customers of so many repeat purchases and such mean spends, of whom nothing else matters."""
    x = np.asarray(x)
    return Rfm(x, np.where(x > 0, 5.0, 0.0), np.full(x.shape, 9.0), mean)


@pytest.fixture(scope="module")
def drawn():
    """Return 20,000 customers whose spend was drawn with p 6, q 4 and v 15."""
    rng = np.random.default_rng(2)
    x = rng.integers(1, 10, 20_000)
    return spends(x, rng.gamma(6.0 * x, 1 / (rng.gamma(4.0, 1 / 15.0, x.size) * x)))


def test_a_fit_finds_the_published_parameters_of_cdnow(cdnow):
    assert list(GammaGamma().fit(cdnow).parameters_.values()) == pytest.approx([6.25, 3.74, 15.44], abs=0.01)


def test_a_fit_recovers_the_parameters_spend_was_drawn_with(drawn):
    found = GammaGamma().fit(drawn)
    for name, truth in {"p": 6.0, "q": 4.0, "v": 15.0}.items():
        assert abs(found.parameters_[name] - truth) < 3 * found.standard_errors_[name]


def test_gradient_and_hessian_are_the_slopes_of_value_and_gradient(cdnow):
    rows = _Objective(_spends(cdnow.frequency, cdnow.monetary_value, np.ones(len(cdnow))), 30.0)
    at = np.array([5.0, 3.0, 0.7])
    _, gradient, hessian = rows.derivatives(at)
    assert gradient == pytest.approx(approx_fprime(at, lambda p: rows.derivatives(p)[0], 1e-7), rel=1e-4)
    assert hessian == pytest.approx(approx_fprime(at, lambda p: rows.derivatives(p)[1], 1e-7), rel=1e-4)


def test_the_unit_of_money_does_not_matter(cdnow):
    cents = Rfm(cdnow.frequency, cdnow.recency, cdnow.T, cdnow.monetary_value * 100)
    found, same = GammaGamma().fit(cdnow), GammaGamma().fit(cents)
    assert same.v_ / 100 == pytest.approx(found.v_, rel=1e-7)
    assert same.expected_spend(cents) / 100 == pytest.approx(found.expected_spend(cdnow), rel=1e-7)


def test_the_likelihood_of_a_fit_is_that_of_its_parameters(cdnow):
    found = GammaGamma().fit(cdnow)
    assert found.log_likelihood(cdnow) == pytest.approx(found.log_likelihood_, rel=1e-12)


def test_spend_is_shrunk_less_the_more_was_seen():
    spend = PUBLISHED.expected_spend(spends([1, 5, 50], [100.0, 100.0, 100.0]))
    assert 6.25 * 15.44 / 2.74 < spend[0] < spend[1] < spend[2] < 100


def test_spend_of_a_one_time_buyer_is_the_population_mean():
    assert PUBLISHED.expected_spend(spends([0, 0], [np.nan, 7.0])) == pytest.approx(6.25 * 15.44 / 2.74)


def test_one_time_buyers_say_nothing_about_spend(cdnow):
    back = cdnow.take(np.flatnonzero(cdnow.frequency > 0))
    assert GammaGamma().fit(cdnow).parameters_ == GammaGamma().fit(back).parameters_


def test_independence_is_told_by_value_and_by_rank(cdnow):
    found = GammaGamma.independence(cdnow)
    back = cdnow.frequency > 0
    x, mean = cdnow.frequency[back], cdnow.monetary_value[back]
    assert found.pearson.value == pytest.approx(0.11, abs=0.005)  # Fader, Hardie and Lee (2005), RFM and CLV
    assert (found.spearman.value, found.n_customers) == (pytest.approx(spearmanr(x, mean).statistic), 946)
    low, high = pearsonr(x, mean).confidence_interval()
    assert (found.pearson.low, found.pearson.high) == (pytest.approx(low), pytest.approx(high))
    assert found.pearson.p_value == pytest.approx(pearsonr(x, mean).pvalue, rel=0.05)


def test_spend_drawn_apart_from_frequency_is_found_independent(drawn):
    found = GammaGamma.independence(drawn)
    assert found.pearson.low < 0 < found.pearson.high
    assert found.pearson.p_value > 0.05


def test_a_mean_of_few_is_skewed_so_that_ranks_go_together_a_little_all_the_same(drawn):
    assert 0.02 < GammaGamma.independence(drawn).spearman.value < 0.06


def test_independence_of_equal_customers_cannot_be_told():
    with pytest.raises(NotEnoughDataError, match="the same for all 20 customers who came back"):
        GammaGamma.independence(spends(np.full(20, 2), np.arange(1.0, 21.0)))


def test_spend_without_monetary_values_is_refused():
    with pytest.raises(InvalidTableError, match="spend needs `monetary_value`, got none"):
        GammaGamma().fit(Rfm([1], [5], [9]))


def test_gamma_gamma_needs_ten_who_came_back():
    with pytest.raises(NotEnoughDataError, match=r"Gamma-Gamma needs.*got 20 and 4"):
        GammaGamma().fit(spends([1] * 4 + [0] * 16, [9.0] * 20))
