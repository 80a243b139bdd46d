"""Where spend depends on frequency it is told by classes of it; where it does not, by Gamma-Gamma to the bit."""

import numpy as np
import pytest
from cdnow import spending

from churnml.modeling.btyd import GammaGamma, Rfm, SpendByFrequency


def drawn(power, n=6_000, seed=3):
    """Return customers whose true mean spend grows by a power of their purchase rate, that mean, and how often."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.2, 2.5, n)
    x = rng.poisson(rate) + (rng.random(n) < 0.8)
    truth = 30.0 * ((1.0 + rate) / 4.0) ** power * rng.gamma(8.0, 1 / 8.0, n)
    seen = truth * rng.gamma(3.0 * np.maximum(x, 1), 1 / (3.0 * np.maximum(x, 1)))
    return Rfm(x, np.where(x > 0, 5.0, 0.0), np.full(n, 9.0), seen), truth


@pytest.fixture(scope="module", params=[1.0, -1.0], ids=["the frequent spend more", "the frequent spend less"])
def together(request):
    return drawn(request.param)


def miss(found, truth, x):
    """Return by what share the expected spend of customers who bought so often is off in total."""
    groups = (x <= 1, (x > 1) & (x <= 3), x > 5)
    return max(abs(found[some].sum() / truth[some].sum() - 1) for some in groups)


def test_where_spend_goes_with_frequency_classes_of_it_err_less_and_less_one_sidedly(together):
    rfm, truth = together
    by_class, one = SpendByFrequency().fit(rfm), GammaGamma().fit(rfm)
    assert len(by_class.levels_) > 1
    found, plain = by_class.expected_spend(rfm), one.expected_spend(rfm)
    assert miss(found, truth, rfm.frequency) < miss(plain, truth, rfm.frequency) / 1.5
    assert np.abs(found - truth).mean() < np.abs(plain - truth).mean()


def test_a_fit_of_gamma_gamma_notes_what_its_assumption_is_worth(together):
    rfm, _ = together
    (note,) = GammaGamma().fit(rfm).diagnostics_.notes
    rank = GammaGamma.independence(rfm).spearman
    assert f"rank correlation {rank.value:.2f}, 95 % interval {rank.low:.2f} to {rank.high:.2f}" in note
    assert ("too high for who bought seldom" in note) == (rank.value > 0)


def test_where_it_does_not_spend_is_that_of_gamma_gamma_to_the_bit_and_nothing_is_noted():
    rfm, _ = drawn(0.0)
    by_class, one = SpendByFrequency().fit(rfm), GammaGamma().fit(rfm)
    assert one.diagnostics_.notes == ()
    assert by_class.levels_.tolist() == [1.0]
    assert by_class.expected_spend(rfm).tobytes() == one.expected_spend(rfm).tobytes()


def test_who_never_came_back_is_expected_to_spend_what_the_least_frequent_do():
    rfm, _ = drawn(1.0)
    found = SpendByFrequency().fit(rfm)
    never, once = (rfm.take(np.flatnonzero(rfm.frequency == x)) for x in (0, 1))
    assert found.expected_spend(never) == pytest.approx(found.levels_[0] * found.spend_.expected_spend(never))
    assert found.expected_spend(never).mean() == pytest.approx(found.expected_spend(once).mean(), rel=0.1)


def test_customers_who_are_all_alike_in_frequency_have_one_class():
    twice = Rfm([2] * 40, [5.0] * 40, [9.0] * 40, np.linspace(5, 50, 40))
    assert SpendByFrequency().fit(twice).independence_ is None


def test_at_cdnow_the_correlation_is_too_weak_for_classes_and_forcing_them_gains_nothing():
    rfm, orders, spent = spending()
    plain, forced = SpendByFrequency().fit(rfm), SpendByFrequency(beyond=0.0).fit(rfm)
    assert plain.independence_.spearman.value == pytest.approx(0.20, abs=0.01)
    assert (len(plain.levels_), len(forced.levels_) > 1) == (1, True)
    came = orders > 0
    each = spent[came] / orders[came]
    off = [np.abs(model.expected_spend(rfm)[came] - each).mean() for model in (plain, forced)]
    assert off[0] == pytest.approx(18.14, abs=0.05)
    assert off[1] == pytest.approx(off[0], rel=0.005)
