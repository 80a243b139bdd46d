"""The equations as `docs/simulation.md` tells them, at values that can be checked by hand."""

import numpy as np
import pytest

from churnml.events.simulation import equations as eq

ZERO, ONE, NO, YES = np.zeros(1), np.ones(1), np.zeros(1, bool), np.ones(1, bool)


@pytest.mark.parametrize(
    "found, expected",
    [
        (eq.dies(ZERO, 100 * ONE, ZERO, ZERO), 0.0015),
        (eq.dies(ZERO, 100 * ONE, ZERO, ONE), 0.0015 * np.e / (1 + 0.0015 * (np.e - 1))),
        (eq.goes_dormant(ZERO), 1 / (1 + np.exp(5.5))),
        (eq.wakes(ZERO, ZERO), 0.02),
        (eq.wakes(ZERO, ONE), 0.08),
        (eq.answer_shock(12 * ONE), 0.10),
        (eq.comes_back(ZERO, YES), 1 / (1 + np.exp(0.1))),
        (eq.answers(ZERO, NO), 1 / (1 + np.exp(1.2))),
        (eq.score(ONE, ZERO), 8.0),
        (eq.score(10 * ONE, ZERO), 10.0),
        (eq.sessions_per_day(ONE, ZERO, YES, ONE), 3.5),
        (eq.coupon_push(ONE, 14 * ONE), 1.2),
        (eq.coupon_push(ONE, 15 * ONE), -0.3),
        (eq.coupon_push(ONE, 46 * ONE), 0.0),
    ],
)
def test_a_value_is_what_the_formula_gives_by_hand(found, expected):
    assert found[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    "action, averse, price, bad, leaving, ordering",
    [
        (eq.MAIL, 0.0, 0.5, NO, -1.2, 0.5),
        (eq.MAIL, 1.0, 0.5, NO, 1.5, -0.9),
        (eq.COUPON, 0.0, 1.0, NO, -2.2, None),
        (eq.SHIPPING, 0.5, 1.0, NO, -1.0, 0.4),
        (eq.CALL, 0.0, 0.5, YES, -2.8, 1.0),
        (eq.CALL, 1.0, 0.5, NO, 1.5, -0.8),
    ],
)
def test_an_action_does_what_the_table_of_actions_says(action, averse, price, bad, leaving, ordering):
    assert eq.death_push(action, averse * ONE, price * ONE, ZERO, NO, bad)[0] == pytest.approx(leaving)
    if ordering is not None:
        assert eq.order_push(action, averse * ONE, price * ONE, bad)[0] == pytest.approx(ordering)


def test_a_dormant_customer_who_dislikes_contact_is_driven_off_by_mail():
    awake, asleep = (eq.death_push(eq.MAIL, 0.5 * ONE, ONE, ZERO, dormant, NO)[0] for dormant in (NO, YES))
    assert asleep - awake == pytest.approx(0.5)
