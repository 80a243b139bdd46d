"""Our learners beside econml's of the same names, with the same base learners and data (`make setup-econml`)."""

import numpy as np
import pytest
from experiments import effect_of, linear
from scipy.stats import spearmanr
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyClassifier

from churnml.modeling.uplift.estimate import pair_of
from churnml.modeling.uplift.learners import cross_fitted, doubly_robust, fit_learners
from churnml.modeling.uplift.order import mean_interval
from churnml.modeling.uplift.predictions import with_arm
from churnml.modeling.uplift.responses import BASES, fit_response, fit_scores, mean_of

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore")]  # econml's warnings are no concern of ours
_MISSING = "econml is not installed; `make setup-econml` adds it"


class Response(BaseEstimator, RegressorMixin):
    """A base learner of ours for amounts, as scikit-learn's interface has it."""

    def __init__(self, base):
        self.base = base

    def fit(self, X, y):
        self.fitted_ = fit_response(self.base, X, np.ravel(y), binary=False, seed=0)
        return self

    def predict(self, X):
        return self.fitted_(X)


class Scores(Response):
    """A base learner of ours for scores."""

    def fit(self, X, y):
        self.fitted_ = fit_scores(self.base, X, np.ravel(y), seed=0)
        return self


class Together(Response):
    """A response with the arm among its columns: econml hands over that of the control and that of the treated."""

    def fit(self, X, y):
        return super().fit(self._columns(X), y)

    def predict(self, X):
        return super().predict(self._columns(X))

    def _columns(self, X):
        return with_arm(X[:, :-2], X[:, -1] > 0, crossed=self.base == "ridge")


class Apart(BaseEstimator, RegressorMixin):
    """The mean of all base learners for each side, of columns of which the last is the arm."""

    def fit(self, X, y):
        arm = X[:, -1] > 0
        self.sides_ = [
            mean_of(*(fit_response(base, X[arm == side, :-1], y[arm == side], binary=False, seed=0) for base in BASES))
            for side in (False, True)
        ]
        return self

    def predict(self, X):
        return np.where(X[:, -1] > 0, self.sides_[1](X[:, :-1]), self.sides_[0](X[:, :-1]))


@pytest.fixture(scope="module")
def data():
    return linear(6_000, seed=3)


@pytest.fixture(scope="module")
def ours(data):
    return fit_learners(pair_of(data, 1), seed=0).effects


@pytest.fixture(scope="module")
def unseen():
    return np.random.default_rng(9).normal(size=(2_000, 4))


def theirs(learner, base):
    """Return econml's learner of this name over our base learner."""
    metalearners, dr = (pytest.importorskip(name, reason=_MISSING) for name in ("econml.metalearners", "econml.dr"))
    share = DummyClassifier(strategy="prior")
    if learner == "S":
        return metalearners.SLearner(overall_model=Together(base))
    if learner == "T":
        return metalearners.TLearner(models=Response(base))
    if learner == "X":
        return metalearners.XLearner(models=Response(base), cate_models=Scores(base), propensity_model=share)
    return dr.DRLearner(
        model_propensity=share, model_regression=Apart(), model_final=Scores(base), cv=2, random_state=0
    )


def compared(ours, data, unseen, learner, base):
    found = theirs(learner, base).fit(data.outcome, data.arm, X=data.features)
    return ours[f"{learner} {base}"](unseen), np.ravel(found.effect(unseen))


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("learner", ["S", "T"])
def test_s_and_t_are_those_of_econml(ours, data, unseen, learner, base):
    mine, other = compared(ours, data, unseen, learner, base)
    assert np.allclose(mine, other, atol=1e-6)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("learner", ["X", "DR"])
def test_x_and_dr_agree_with_econml_on_the_average_and_on_the_order(ours, data, unseen, learner, base):
    """They are not the same: econml imputes in sample, where ours is out of fold, and draws other folds."""
    mine, other = compared(ours, data, unseen, learner, base)
    assert abs(mine.mean() - other.mean()) < 0.03
    assert spearmanr(mine, other).statistic > 0.95
    off, their_off = (np.abs(one - effect_of(unseen)).mean() for one in (mine, other))
    assert off < their_off + 0.02


def test_the_average_effect_and_its_interval_agree_with_econml(data):
    pair = pair_of(data, 1)
    own = mean_interval(doubly_robust(pair.outcome, pair.treated, pair.propensity, *cross_fitted(pair, 0)))
    dr = pytest.importorskip("econml.dr", reason=_MISSING)
    found = dr.LinearDRLearner(
        model_propensity=DummyClassifier(strategy="prior"), model_regression=Apart(), cv=2, random_state=0
    ).fit(data.outcome, data.arm, X=None, W=data.features)
    low, high = (float(one) for one in found.ate_interval(T0=0, T1=1, alpha=0.05))
    assert abs(own.value - float(found.ate(T0=0, T1=1))) < 0.01
    assert abs((own.high - own.low) / (high - low) - 1) < 0.05
