"""Models of purchase counts answer as their stories say: agreement with brute force, with drawn lives, with papers."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import numpy as np
import pytest
from lives import BY_NAME, RHYTHMS, drawn, history, integrated
from scipy.special import gammaln, hyp2f1, hyperu

from churnml.errors import UsageError
from churnml.modeling.btyd import (
    BGNBD,
    MBGNBD,
    ParetoNBD,
    Rfm,
    betageometric,
    counting,
    daily_discount,
    gammagamma,
    pareto,
)
from churnml.modeling.btyd import rfm as rfm_module

WEEKLY = BGNBD.from_parameters(r=0.243, alpha=4.414, a=0.793, b=2.426)
PARETO = ParetoNBD.from_parameters(r=0.553, alpha=10.578, s=0.606, beta=11.669)
LOYAL = Rfm([0, 1, 4, 300], [0, 10, 35, 38], [39, 39, 39, 39])
EXTREME = Rfm([0, 0, 1, 300, 2000, 2000], [0, 0, 1, 900, 4000, 4999], [0, 5000, 5000, 1000, 5000, 5000])
AT_BOUNDS = (
    BGNBD.from_parameters(r=1e-4, alpha=1e-4, a=1e-4, b=1e-4),
    BGNBD.from_parameters(r=1e3, alpha=1e4, a=1e2, b=1e4),
    BGNBD.from_parameters(r=1e3, alpha=1e-4, a=1e2, b=1e-4),
    MBGNBD.from_parameters(r=1e3, alpha=1e4, a=1e2, b=1e-4),
    ParetoNBD.from_parameters(r=1e3, alpha=1e-4, s=1e2, beta=1e4),
    ParetoNBD.from_parameters(r=1e-4, alpha=1e4, s=1e-4, beta=1e-4),
)
HORIZONS = [0.0, 1, 4, 52, 5000]
HISTORIES = [(0, 0.0, 60.0), (1, 3.0, 60.0), (4, 55.0, 60.0), (12, 30.0, 60.0)]
models = pytest.mark.parametrize("model", RHYTHMS, ids=BY_NAME)


@models
@pytest.mark.parametrize("one", HISTORIES)
def test_every_answer_agrees_with_integration_over_all_customers_there_may_be(model, one):
    truth, known = integrated(model, *one, h=90.0, discount=0.01), Rfm(*([value] for value in one))
    assert model.log_likelihood(known) == pytest.approx(truth.log_likelihood, rel=1e-9)
    assert model.p_alive(known)[0] == pytest.approx(truth.p_alive, rel=1e-9)
    assert model.p_no_order(known, 90)[0] == pytest.approx(truth.p_no_order, rel=1e-9)
    assert model.expected_orders(known, 90)[0] == pytest.approx(truth.expected_orders, rel=1e-9)
    assert model.discounted_orders(known, 0.01, 90)[0] == pytest.approx(truth.discounted_orders, rel=1e-9)


@models
@pytest.mark.parametrize("one", HISTORIES)
def test_discounted_orders_without_end_agree_with_integration(model, one):
    truth = integrated(model, *one, h=np.inf, discount=0.01).discounted_orders
    assert model.discounted_orders(Rfm(*([value] for value in one)), 0.01)[0] == pytest.approx(truth, rel=1e-9)


@models
def test_forecasts_agree_with_drawn_lives(model):
    times = drawn(model, 60_000, 160, seed=3)
    known, later = history(times, 100), (times > 100).sum(axis=1)
    for x in (0, 1, 4):
        alike = np.flatnonzero(known.frequency == x)
        rows = known.take(alike)
        assert model.p_no_order(rows, 60).mean() == pytest.approx(np.mean(later[alike] == 0), abs=0.02)
        assert model.expected_orders(rows, 60).mean() == pytest.approx(later[alike].mean(), rel=0.06)


@pytest.mark.parametrize(("alpha", "beta"), [(10.6, 11.7), (11.7, 10.6), (50.0, 2.0), (2.0, 50.0)])
def test_the_pareto_nbd_likelihood_is_the_published_one_on_both_branches(alpha, beta):
    r, s, x, tx, T = 0.55, 0.6, 4, 30.0, 39.0
    power, most, third = r + s + x, max(alpha, beta), s + 1 if alpha >= beta else r + x
    near, far = (hyp2f1(power, third, power + 1, abs(alpha - beta) / (most + t)) / (most + t) ** power for t in (tx, T))
    braces = (alpha + T) ** -(r + x) * (beta + T) ** -s + s / power * (near - far)
    published = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(braces)
    model = ParetoNBD.from_parameters(r=r, alpha=alpha, s=s, beta=beta)
    assert model.log_likelihood(Rfm([x], [tx], [T])) == pytest.approx(published, rel=1e-11)


def test_discounted_orders_of_the_pareto_nbd_without_end_are_the_published_dert():
    known, discount = Rfm([2], [30.43], [38.86]), 0.0027
    factor = (
        (PARETO.r_ + 2) / (PARETO.alpha_ + 38.86) * (PARETO.beta_ + 38.86) ** PARETO.s_ * discount ** (PARETO.s_ - 1)
    )
    dert = PARETO.p_alive(known)[0] * factor * hyperu(PARETO.s_, PARETO.s_, discount * (PARETO.beta_ + 38.86))
    assert PARETO.discounted_orders(known, discount)[0] == pytest.approx(dert, rel=1e-9)


def test_expected_orders_are_the_published_ones():
    # The worked example of the paper's authors: 2 repeat purchases, the last in week 30.43 of 38.86.
    assert WEEKLY.expected_orders(Rfm([2], [30.43], [38.86]), 39)[0] == pytest.approx(1.226, abs=1e-3)


def test_p_alive_is_the_published_ratio():
    x, tx, T = 2, 30.43, 38.86
    ratio = 0.793 / (2.426 + x - 1) * ((4.414 + T) / (4.414 + tx)) ** (0.243 + x)
    assert WEEKLY.p_alive(Rfm([x], [tx], [T]))[0] == pytest.approx(1 / (1 + ratio))


def test_in_bg_nbd_who_never_came_back_is_alive_by_construction():
    assert WEEKLY.p_alive(Rfm([0], [0], [1000])) == [1]


@pytest.mark.parametrize("model", RHYTHMS[1:], ids=BY_NAME[1:])
def test_in_the_other_models_who_never_came_back_may_have_left(model):
    assert model.p_alive(Rfm([0], [0], [1000]))[0] < 0.2


@models
def test_long_silence_makes_a_frequent_buyer_less_likely_alive(model):
    alive = model.p_alive(Rfm([10, 10, 10], [38, 30, 10], [39, 39, 39]))
    assert alive[0] > alive[1] > alive[2]


@models
def test_the_chance_of_no_order_starts_at_one_falls_and_ends_at_the_chance_of_being_gone(model):
    silent = model.p_no_order(LOYAL, [*HORIZONS, np.inf])
    assert silent[:, 0] == pytest.approx(1)
    assert (np.diff(silent, axis=1) <= 0).all()
    if not isinstance(model, ParetoNBD):  # there a customer may leave before ordering again
        assert silent[:, -1] == pytest.approx(1 - model.p_alive(LOYAL))


@models
def test_expected_orders_start_at_zero_and_rise_with_the_horizon(model):
    expected = model.expected_orders(LOYAL, HORIZONS)
    assert expected[:, 0] == pytest.approx(0, abs=1e-9)
    assert (np.diff(expected, axis=1) > 0).all()


@models
def test_without_a_discount_discounted_orders_are_the_expected_ones(model):
    assert model.discounted_orders(EXTREME, 0.0, [30, 900]) == pytest.approx(
        model.expected_orders(EXTREME, [30, 900]), rel=1e-9
    )


@models
def test_an_order_is_worth_less_the_dearer_time_is(model):
    worth = [model.discounted_orders(LOYAL, daily_discount(rate), 365) for rate in (0.0, 0.1, 0.5)]
    assert (worth[0] > worth[1]).all()
    assert (worth[1] > worth[2]).all()


@models
def test_a_list_of_days_gives_a_column_for_each(model):
    both = model.expected_orders(LOYAL, [7, 30])
    assert both.shape == (4, 2)
    assert both[:, 1].tolist() == model.expected_orders(LOYAL, 30).tolist()


@pytest.mark.parametrize("model", [*RHYTHMS, *AT_BOUNDS])
def test_answers_are_numbers_for_thousands_of_purchases_and_days_and_at_the_bounds_of_a_fit(model):
    chances = np.column_stack([model.p_alive(EXTREME), model.p_no_order(EXTREME, HORIZONS)])
    orders = np.column_stack([model.expected_orders(EXTREME, HORIZONS), model.discounted_orders(EXTREME, 1e-4)])
    assert ((chances >= 0) & (chances <= 1)).all()
    assert (np.isfinite(orders) & (orders >= 0)).all()
    assert np.isfinite(model.log_likelihood(EXTREME))


@pytest.mark.parametrize("aside", [0.0, 1e-9, 9e-5])
@pytest.mark.parametrize("at", [{"a": 1.0, "b": 2.4}, {"a": 0.3, "b": 0.7}])
def test_expected_orders_are_smooth_where_the_formula_is_zero_by_zero(at, aside):
    known = Rfm([0], [0], [60])
    here, there = (BGNBD.from_parameters(r=0.4, alpha=5.0, **{**at, "a": at["a"] + d}) for d in (aside, 2e-4))
    assert here.expected_orders(known, 30)[0] == pytest.approx(there.expected_orders(known, 30)[0], rel=1e-4)


def test_expected_orders_of_the_pareto_nbd_are_smooth_at_s_of_one():
    at, aside = (ParetoNBD.from_parameters(r=0.4, alpha=5.0, s=s, beta=9.0) for s in (1.0, 1 + 1e-6))
    assert at.expected_orders(LOYAL, 30) == pytest.approx(aside.expected_orders(LOYAL, 30), rel=1e-5)


@models
def test_who_is_asked_about_alone_or_among_others_gets_the_same_answer(model):
    among, alone = LOYAL, LOYAL.take(np.array([2]))
    assert model.expected_orders(among, 30)[2] == pytest.approx(model.expected_orders(alone, 30)[0], rel=1e-14)


def test_a_years_discount_is_spread_over_its_days():
    assert np.exp(-365 * daily_discount(0.25)) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: WEEKLY.p_no_order(LOYAL, -1), "`days` must be a number of at least 0"),
        (lambda: WEEKLY.expected_orders(LOYAL, np.inf), "`days` must be finite"),
        (lambda: WEEKLY.discounted_orders(LOYAL, 0.0), "`discount` must be above 0 on a horizon without end"),
        (lambda: WEEKLY.discounted_orders(LOYAL, -0.1, 30), "`discount` must be a number of at least 0 per day"),
        (lambda: daily_discount(-0.1), "an annual discount rate must be a number of at least 0, got -0.1"),
        (lambda: BGNBD.from_parameters(r=1, alpha=1, a=1), "BGNBD has the parameters r, alpha, a, b, got r, alpha, a"),
        (lambda: BGNBD.from_parameters(r=1, alpha=1, a=1, b=0), "`b` of BGNBD must be a number above 0, got 0"),
    ],
)
def test_a_question_without_an_answer_is_refused_in_words(ask, words):
    with pytest.raises(UsageError, match=words):
        ask()


def test_the_example_of_the_page_runs():
    page = Path(__file__).parents[2] / "docs" / "btyd.md"
    (example,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    names = {}
    exec(compile(example, str(page), "exec"), names)  # noqa: S102  # our own page
    assert (names["value"] > 0).all()
    assert names["again"].parameters_ == names["rhythm"].parameters_


@pytest.mark.parametrize("module", [betageometric, counting, gammagamma, pareto, rfm_module])
def test_the_examples_of_the_docstrings_are_true(module):
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


@pytest.mark.parametrize("model", [WEEKLY, PARETO], ids=lambda model: model.title)
def test_silence_by_days_of_each_customers_own_is_that_of_the_same_days_for_all(model):
    days = np.array([[0.0, 1.0, 4.0, 52.0], [52.0, 4.0, 1.0, 0.0]])
    every = [model.p_no_order(LOYAL, float(day)) for day in days[0]]
    told = model.p_no_order_by(LOYAL, days)
    assert told[0].tolist() == [every[who][who] for who in range(4)]
    assert told[1].tolist() == [every[3 - who][who] for who in range(4)]


def test_days_of_each_customers_own_are_one_for_each():
    with pytest.raises(UsageError, match=r"`days` must be 4 numbers of at least 0, one a customer, got shape \(3,\)"):
        WEEKLY.p_no_order_by(LOYAL, np.ones(3))
