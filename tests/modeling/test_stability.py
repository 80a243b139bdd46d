"""Stability: the figures of each origin, and whether the last differs beyond the luck of the customers."""

import numpy as np
import pytest

from churnml.modeling import metrics
from churnml.modeling.coverage import Told
from churnml.modeling.judgement import OURS
from churnml.modeling.origins import Origin, Rolled
from churnml.modeling.spread import Range
from churnml.modeling.stability import stability


def origin(seed, blur=0.0):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 3, 600)
    left, spent = (rng.random(600) < p).astype(float), rng.gamma(2.0, 50.0, 600)
    said = np.clip((1 - blur) * p + blur * rng.random(600), 0, 1)
    forecasts = {"churn": {OURS: said}, "value": {OURS: spent * 1.1}}
    ids, value = np.arange(600).astype(object), Told(spent, Range(spent, spent, spent), spent)
    truth = {"churn": left, "value": spent}
    return Origin(f"2020-0{seed + 1}-01", 2, ids, truth, forecasts, past_rate=0.25, value=value)


def rolled(*origins):
    return Rolled(30, origins[:-1], origins[-1], {}, {}, 0)


ALIKE = rolled(*(origin(seed) for seed in range(4)))


@pytest.fixture(scope="module")
def alike():
    return {one.metric: one for one in stability(ALIKE, bootstrap=60)}


def test_each_origin_has_the_figure_of_its_customers(alike):
    each = [metrics.auroc(one.truth["churn"], one.forecasts["churn"][OURS]) for one in (*ALIKE.earlier, ALIKE.last)]
    assert [figure.value for figure in alike["auroc"].figures] == each


def test_the_spread_is_over_the_origins_before_the_last(alike):
    before = [figure.value for figure in alike["auroc"].figures[:-1]]
    assert alike["auroc"].spread == pytest.approx(np.std(before, ddof=1))


def test_the_gain_of_the_last_is_its_figure_less_the_mean_before(alike):
    *before, last = (figure.value for figure in alike["auroc"].figures)
    assert alike["auroc"].gain.value == pytest.approx(last - np.mean(before))


def test_origins_of_one_kind_do_not_differ(alike):
    assert alike["auroc"].verdict == "as before"


def test_a_last_origin_at_which_the_model_guesses_is_worse():
    found = {one.metric: one for one in stability(rolled(origin(0), origin(1), origin(2, blur=0.95)), bootstrap=60)}
    assert (found["auroc"].verdict, found["brier"].verdict, found["bias"].verdict) == ("worse", "worse", "as before")


def test_one_origin_before_the_last_has_no_spread():
    assert stability(rolled(origin(0), origin(1)), bootstrap=60)[0].spread == 0
