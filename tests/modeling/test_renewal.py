"""How contracts end: the published answers, recovery of known chances, and what follows from them."""

import numpy as np
import pytest

from churnml.events import Spells
from churnml.modeling.renewal import Held, Renewals, days_held, drawn_renewals, fit_renewals, over_logit
from churnml.modeling.sbg import Renewed, fit_sbg, log_likelihood

# Fader & Hardie (2007), table 1: customers of 1,000 who are left after each year, and the parameters of section 3
HIGH_END = (1000, 869, 743, 653, 593, 551, 517, 491)
REGULAR = (1000, 631, 468, 382, 326, 289, 262, 241)
PACE = Renewals(0.7, 5.0, 0.0003)


def of_survivors(left):
    left, years = np.array(left), np.arange(len(left))
    gone = np.append(-np.diff(left), left[-1])
    return Renewed(years, np.zeros_like(years), years < years[-1], gone)


@pytest.mark.parametrize(
    ("left", "alpha", "beta", "likelihood"),
    [(HIGH_END, 0.668, 3.806, -1611.2), (REGULAR, 0.704, 1.182, -1680.3)],
    ids=["high end", "regular"],
)
def test_the_published_parameters_come_out(left, alpha, beta, likelihood):
    known = of_survivors(left)
    found = fit_sbg(known, believed=False)
    np.testing.assert_allclose(found, [alpha, beta], atol=1e-3)
    assert log_likelihood(*found, known) == pytest.approx(likelihood, abs=0.06)


def market(n=4_000, seed=0, alpha=0.7, beta=5.0, daily=0.0003, seen=None):
    """Return contracts that renew every 30 days, watched for up to two years, as `events.spells` tells them."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(1, 720, n)
    at_renewal = 30.0 * rng.geometric(np.maximum(rng.beta(alpha, beta, n), 1e-9))
    between = rng.exponential(1 / daily, n)
    end = np.minimum(at_renewal, between)
    over = end < age
    on_day = over & (at_renewal <= between)
    until = np.minimum(end, age)
    renewed = np.where(on_day, until / 30 - 1, until // 30).round().astype(np.int64)
    entered = np.zeros(n) if seen is None else rng.uniform(0, seen, n)
    kept = until > entered
    seen_from = np.minimum((entered // 30).astype(np.int64), renewed)
    told = Spells(renewed, seen_from, on_day, over & ~on_day, until - entered)
    return Spells(*(getattr(told, name)[kept] for name in vars(told)))


def test_the_chances_of_a_drawn_market_are_found_again():
    found = fit_renewals(market())
    assert found.alpha / (found.alpha + found.beta) == pytest.approx(0.7 / 5.7, rel=0.08)
    assert found.daily == pytest.approx(0.0003, rel=0.15)
    known = Held(np.array([0.0, 3.0, 12.0]), np.array([5.0, 5.0, 5.0]), np.full(3, 30.0))
    np.testing.assert_allclose(found.p_lasts(known, 90), PACE.p_lasts(known, 90), atol=0.02)


def test_contracts_met_late_do_not_make_leaving_look_rarer():
    known = Held(np.array([0.0, 3.0, 12.0]), np.array([5.0, 5.0, 5.0]), np.full(3, 30.0))
    found = fit_renewals(market(n=8_000, seen=400))
    np.testing.assert_allclose(found.p_lasts(known, 90), PACE.p_lasts(known, 90), atol=0.03)


def test_a_contract_ends_at_its_renewals_and_hardly_between():
    known = Held(np.zeros(1), np.array([10.0]), np.array([30.0]))
    lasts = np.array([PACE.p_lasts(known, day)[0] for day in range(90)])
    falls = np.flatnonzero(np.diff(lasts) < -0.01)
    assert falls.tolist() == [10, 40, 70]
    assert (np.diff(lasts) < 0).all()
    assert PACE.leaves_next(known)[0] == pytest.approx(0.7 / 5.7)


def test_the_longer_a_contract_has_lasted_the_longer_it_lasts():
    known = Held(np.arange(20.0), np.full(20, 5.0), np.full(20, 30.0))
    assert (np.diff(PACE.p_lasts(known, 60)) > 0).all()
    assert (np.diff(days_held(PACE, known, 365)) > 0).all()
    assert (np.diff(over_logit(PACE, known, 60)) < 0).all()


def test_fifty_contracts_without_an_end_get_an_interval_and_no_certainty():
    few = Spells(np.arange(50) % 6, np.zeros(50, dtype=np.int64), *(np.zeros(50, dtype=bool),) * 2, np.full(50, 90.0))
    drawn = drawn_renewals(few, 0)
    known = Held(np.array([0.0, 5.0]), np.array([5.0, 5.0]), np.full(2, 30.0))
    low, high = drawn.between(known, 60)
    over = 1 - drawn.p_lasts(known, 60)
    assert ((low > 0) & (low < over) & (over < high) & (high < 0.35)).all()


def test_intervals_of_few_contracts_hold_the_truth_nine_times_in_ten():
    known = Held(np.array([0.0, 2.0, 8.0]), np.full(3, 5.0), np.full(3, 30.0))
    truth, held = 1 - PACE.p_lasts(known, 60), []
    for seed in range(40):
        low, high = drawn_renewals(market(60, seed), seed).between(known, 60)
        held.append((low <= truth) & (truth <= high))
    assert 0.8 <= np.mean(held) <= 1.0
