"""What is kept of a judgement: curves of some points, which say what the metrics of all customers say."""

import numpy as np
import pytest

from churnml.modeling import metrics
from churnml.modeling.judgement import OURS, Judgement, contest
from churnml.modeling.kept_curves import SHARES, curves_of
from churnml.modeling.paying import profit_at

N = 240
MONEY = {"accepts": 0.3, "clv": 200.0, "incentive": 10.0, "contact": 1.0}


@pytest.fixture(scope="module")
def judged():
    rng = np.random.default_rng(1)
    risk = rng.beta(2, 5, N).round(2)  # with ties
    left, value = (rng.uniform(size=N) < risk).astype(float), rng.gamma(2, 20, N)
    said = {OURS: risk, "perfect": left, "blind": np.full(N, 0.3)}
    churn = contest("churn", left, said, bootstrap=20, seed=0)
    worth = contest("value", value, {OURS: value * 1.1, "other": value[::-1]}, bootstrap=20, seed=0)
    return Judgement("test", "2018-01-01", 60, N, {"churn": churn, "value": worth}, {})


@pytest.fixture(scope="module")
def kept(judged):
    parts = {"region": np.array(["big"] * 180 + ["small"] * 40 + [""] * 20, dtype=object)}
    return curves_of(judged, parts, bootstrap=40, seed=0)


def test_who_contacts_everybody_finds_everybody_who_left(kept):
    assert kept["contacted"]["found"][-1] == [1.0, 1.0, 1.0]


def test_the_money_of_the_kept_points_is_that_of_all_customers(judged, kept):
    churn = judged.contests["churn"]
    caught = [one[0] for one in kept["contacted"]["methods"][OURS]["caught"]]
    expected = metrics.profit_curve(churn.truth, churn.forecast, SHARES, **MONEY)
    np.testing.assert_allclose(profit_at(caught, SHARES, **MONEY), expected, rtol=1e-4)


def test_nothing_leads_one_who_knew_who_would_leave(kept):
    assert max(one[2] for one in kept["contacted"]["methods"]["perfect"]["lead_of_ours"]) <= 1e-9


def test_who_knows_nothing_finds_as_many_as_chance(judged, kept):
    base = judged.contests["churn"].truth.mean()
    np.testing.assert_allclose(kept["contacted"]["methods"]["blind"]["caught"], SHARES * base, rtol=1e-4)


def test_figures_lie_within_their_intervals(kept):
    told = [*kept["contacted"]["found"], *(one["observed"] for one in kept["calibration"])]
    assert all(low - 1e-9 <= value <= high + 1e-9 for value, low, high in told)


def test_every_customer_is_in_one_tenth_and_in_one_bin(kept):
    assert sum(one["rows"] for one in kept["calibration"]) == sum(kept["probabilities"]) == N


def test_the_edge_is_the_probability_of_the_last_who_is_contacted(judged, kept):
    least = np.sort(judged.contests["churn"].forecast)
    assert (kept["contacted"]["edges"][9], kept["contacted"]["edges"][-1]) == (least[-24], least[0])


def test_a_part_too_small_to_say_anything_of_is_left_out(kept):
    assert [(one["segment"], one["customers"]) for one in kept["segments"]] == [("big", 180)]
