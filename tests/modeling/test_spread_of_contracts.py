"""The range of what a contract brings: all of it where it is sure to last, a part where it is not."""

import numpy as np
import pytest

from churnml.modeling.spread import fit_spread


def ranges(churn, whole=60.0, paid=0.5):
    spread = fit_spread(np.full(400, 60.0), np.full(400, 60.0))
    churn = np.atleast_1d(churn)
    return spread.around_contracts(np.full(len(churn), whole), churn, np.full(len(churn), paid))


def test_who_is_all_but_sure_to_stay_pays_all_of_it():
    told = ranges(0.02)
    assert (told.low[0], told.median[0], told.high[0]) == (60.0, 60.0, 60.0)


def test_who_may_leave_may_have_paid_a_part():
    told = ranges([0.1, 0.4, 0.97])
    np.testing.assert_allclose(told.low, [30.0, 7.5, 60.0 * 0.05 / 0.97])
    np.testing.assert_allclose(told.median, [60.0, 60.0, 60.0 * 0.5 / 0.97])
    np.testing.assert_allclose(told.high, [60.0, 60.0, 60.0 * 0.95 / 0.97])


@pytest.mark.parametrize("churn", [0.03, 0.2, 0.6])
def test_it_holds_nine_of_ten_contracts_that_end_so(churn):
    rng, n = np.random.default_rng(1), 20_000
    paid = np.where(rng.random(n) < churn, rng.random(n), 1.0) * 60.0
    told = ranges(churn)
    held = (told.low[0] <= paid) & (paid <= told.high[0])
    assert held.mean() == pytest.approx(max(0.95, 1 - churn) if churn < 0.05 else 0.95, abs=0.03)


def test_bounds_stand_in_order_whatever_the_risk():
    told = ranges(np.linspace(0, 1, 101), paid=0.9)
    assert ((told.low >= 0) & (told.low <= told.median) & (told.median <= told.high)).all()
