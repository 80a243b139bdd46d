"""Fits find published figures and the parameters customers were drawn with, and say what is odd about the data."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cdnow import master
from lives import BY_NAME, RHYTHMS, drawn, history
from scipy.optimize import approx_fprime
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from churnml.errors import NoMaximumError, NotEnoughDataError, UsageError
from churnml.modeling.btyd import BGNBD, MBGNBD, GammaGamma, ParetoNBD, Rfm
from churnml.modeling.btyd.distinct import histories
from churnml.modeling.btyd.fitting import maximise

# Fader, Hardie and Lee (2005), tables 1 and 2 of the BG/NBD paper; Batislam, Denizel and Filiztekin (2007).
PUBLISHED = {
    BGNBD: (0.243, 4.414, 0.793, 2.426),
    ParetoNBD: (0.553, 10.578, 0.606, 11.669),
    MBGNBD: (0.525, 6.183, 0.891, 1.614),
}
models = pytest.mark.parametrize("model", RHYTHMS, ids=BY_NAME)


@pytest.fixture(scope="module")
def fits(cdnow):
    """Return each model of counts fitted to the CDNOW tenth."""
    return {kind: kind().fit(cdnow) for kind in PUBLISHED}


@pytest.mark.parametrize("kind", PUBLISHED)
def test_a_fit_finds_the_published_parameters_of_cdnow(fits, kind):
    assert tuple(fits[kind].parameters_.values()) == pytest.approx(PUBLISHED[kind], abs=2e-3)


@pytest.mark.parametrize(("kind", "published"), [(BGNBD, -9582.4), (ParetoNBD, -9595.0)])
def test_a_fit_finds_the_published_log_likelihood_of_cdnow(fits, kind, published):
    assert fits[kind].log_likelihood_ == pytest.approx(published, abs=0.05)


def test_bg_nbd_finds_the_known_figures_of_all_customers_of_cdnow():
    model = BGNBD().fit(master())
    assert tuple(model.parameters_.values()) == pytest.approx((0.252, 4.789, 0.723, 2.161), abs=6e-4)
    assert model.log_likelihood_ == pytest.approx(-95_368.4, abs=0.05)


@models
def test_gradient_and_hessian_are_the_slopes_of_value_and_gradient(model, cdnow):
    rows = histories(np.ones(len(cdnow)), cdnow.frequency, cdnow.recency, cdnow.T, 1.0)
    at = np.array(list(model.parameters_.values()))
    _, gradient, hessian = model.derivatives(at, rows)
    assert gradient == pytest.approx(
        approx_fprime(at, lambda p: model.derivatives(p, rows)[0], 1e-7), rel=1e-4, abs=1e-6
    )
    slopes = approx_fprime(at, lambda p: model.derivatives(p, rows)[1], 1e-7)
    assert hessian == pytest.approx(slopes, rel=1e-4, abs=1e-6)


@models
def test_a_fit_recovers_the_parameters_customers_were_drawn_with(model):
    found = type(model)().fit(history(drawn(model, 20_000, 365, seed=1), 365))
    for name, truth in model.parameters_.items():
        assert abs(found.parameters_[name] - truth) < 3 * found.standard_errors_[name]


def test_standard_errors_are_how_far_fits_of_drawn_customers_spread():
    truth = RHYTHMS[0]
    found = [BGNBD().fit(history(drawn(truth, 2_000, 365, seed=seed), 365)) for seed in range(60)]
    logs = np.log([list(one.parameters_.values()) for one in found])
    told = [[one.standard_errors_[name] / one.parameters_[name] for name in one.names] for one in found]
    assert logs.std(axis=0) == pytest.approx(np.mean(told, axis=0), rel=0.3)


@pytest.mark.parametrize("kind", PUBLISHED)
def test_no_neighbour_of_the_fit_is_likelier(fits, cdnow, kind):
    best = fits[kind]
    for name, value in best.parameters_.items():
        for factor in (0.97, 1.03):
            aside = kind.from_parameters(**best.parameters_ | {name: value * factor})
            assert aside.log_likelihood(cdnow) < best.log_likelihood_


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_likelihood_of_a_fit_is_that_of_its_parameters(fits, cdnow, kind):
    again = kind.from_parameters(**json.loads(json.dumps(fits[kind].parameters_)))
    assert again.log_likelihood(cdnow) == pytest.approx(fits[kind].log_likelihood_, rel=1e-12)


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_unit_of_time_does_not_matter(fits, cdnow, kind):
    days = Rfm(cdnow.frequency, cdnow.recency * 7, cdnow.T * 7)
    daily, weekly = kind().fit(days), fits[kind]
    assert daily.alpha_ / 7 == pytest.approx(weekly.alpha_, rel=1e-7)
    assert daily.p_no_order(days, 70) == pytest.approx(weekly.p_no_order(cdnow, 10), rel=1e-6)


@pytest.mark.parametrize("kind", [*PUBLISHED, GammaGamma])
def test_a_weight_of_two_is_two_customers(cdnow, kind):
    some = cdnow.take(np.arange(300))
    weighted = kind().fit(some, sample_weight=np.full(300, 2.0))
    doubled = kind().fit(some.take(np.tile(np.arange(300), 2)))
    assert weighted.parameters_ == pytest.approx(doubled.parameters_, rel=1e-7)
    assert weighted.standard_errors_ == pytest.approx(doubled.standard_errors_, rel=1e-5)


@pytest.mark.parametrize("kind", [*PUBLISHED, GammaGamma])
def test_a_fit_has_the_same_bits_whatever_the_order_of_rows(cdnow, kind):
    days = Rfm(cdnow.frequency, np.ceil(cdnow.recency * 7), np.ceil(cdnow.T * 7), cdnow.monetary_value)
    shuffled = days.take(np.random.default_rng(5).permutation(len(days)))
    assert kind().fit(days).parameters_ == kind().fit(shuffled).parameters_


@pytest.mark.parametrize("kind", PUBLISHED)
def test_every_start_leads_to_the_same_maximum_of_cdnow(cdnow, kind):
    found = kind(restarts=8, seed=3).fit(cdnow).diagnostics_
    assert (found.restarts, found.agreeing) == (8, 8)
    assert found.gradient < 1e-9
    assert found.notes == ()


def test_the_estimators_keep_the_manners_of_scikit_learn():
    model = clone(BGNBD(restarts=2, seed=9))
    assert model.get_params() == {"restarts": 2, "seed": 9}
    with pytest.raises(NotFittedError):
        model.parameters_  # noqa: B018  # asking is the point


def test_a_population_that_never_leaves_is_fitted_and_the_bound_is_told():
    loyal = BGNBD.from_parameters(r=2.0, alpha=60.0, a=1e-9, b=1.0)
    known = history(drawn(loyal, 2000, 300, seed=0), 300)
    model = BGNBD().fit(known)
    assert model.r_ / model.alpha_ == pytest.approx(2 / 60, rel=0.1)
    assert model.p_alive(known).min() > 0.99
    assert np.isnan(model.standard_errors_["a"])
    assert "`a` ran to its bound: the data do not tell it from 0" in " ".join(model.diagnostics_.notes)


def test_a_customer_who_outweighs_all_others_is_named():
    x, tx = np.append(np.tile([0, 1, 2], 20), 2_000), np.append(np.tile([0, 20, 50], 20), 90)
    notes = BGNBD().fit(Rfm(x, tx, np.full(61, 100))).diagnostics_.notes
    assert "row 60 alone has 97% of all repeat purchases (2000 of 2060)" in notes[0]


@pytest.mark.parametrize("kind", PUBLISHED)
def test_too_few_customers_are_not_fitted(kind):
    with pytest.raises(NotEnoughDataError, match=r"NBD needs at least 10 customers.*got 3 and 3"):
        kind().fit(Rfm([1, 2, 3], [5, 6, 7], [9, 9, 9]))


@pytest.mark.parametrize("kind", PUBLISHED)
def test_nobody_coming_back_is_not_fitted(kind):
    with pytest.raises(NotEnoughDataError, match="with a repeat purchase, got 20 and 0"):
        kind().fit(Rfm(np.zeros(20), np.zeros(20), np.full(20, 30.0)))


def test_a_fit_without_a_start_is_refused(cdnow):
    with pytest.raises(UsageError, match="`restarts` must be at least 1, got 0"):
        BGNBD(restarts=0).fit(cdnow)


@pytest.mark.parametrize("kind", [*PUBLISHED, GammaGamma])
def test_small_shops_of_any_kind_are_fitted(kind):
    rng = np.random.default_rng(7)
    for _ in range(60):
        x = rng.poisson(rng.choice([0.5, 3, 40]), 12)
        x[:10] = np.maximum(x[:10], 1)
        T = rng.integers(60, 400, 12)
        tx = np.where(x > 0, np.ceil(rng.random(12) ** rng.choice([0.1, 1, 9]) * T), 0)
        found = kind().fit(Rfm(x, tx, T, rng.lognormal(3, rng.choice([0.01, 1, 3]), 12)))
        assert np.isfinite(list(found.parameters_.values())).all()


def test_weights_that_are_none_are_refused():
    with pytest.raises(UsageError, match="`sample_weight` must be 2 numbers of at least 0"):
        BGNBD().fit(Rfm([1, 2], [5, 6], [9, 9]), sample_weight=[1, -1])


def test_a_search_that_ends_nowhere_says_where_and_what_is_odd():
    def misleading(parameters):  # its slope points uphill and away from the top
        return -parameters[0], np.array([1.0]), np.array([[-1.0]])

    with pytest.raises(NoMaximumError, match=r"ended at r .* row 3 alone has 90%.*bring more customers"):
        maximise(
            [misleading],
            starts=[(1.0,)],
            bounds=[(1e-3, 1e3)],
            names=["r"],
            n_customers=10,
            restarts=1,
            seed=0,
            notes=("row 3 alone has 90% of all repeat purchases",),
        )


def test_a_likelihood_that_is_no_number_has_no_maximum():
    with pytest.raises(NoMaximumError, match="no maximum of the likelihood was found"):
        maximise(
            [lambda _: (np.nan, np.zeros(1), np.zeros((1, 1)))],
            starts=[(1.0,)],
            bounds=[(1e-3, 1e3)],
            names=["r"],
            n_customers=10,
            restarts=2,
            seed=0,
        )
