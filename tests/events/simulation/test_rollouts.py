"""Other futures: they average to what happens, differ by one action only, and tell gainers from sleeping dogs."""

import numpy as np
import pytest

from churnml.events.simulation import ACTIONS, VARIANTS, each_action, futures
from churnml.events.simulation import equations as eq
from churnml.events.simulation.contacting import NOTHING
from churnml.events.simulation.lives import ACTIVE, contact, step

DAY = 290
PLAIN = VARIANTS["plain"]


def nothing(traits):
    return np.full(len(traits), NOTHING)


@pytest.fixture(scope="module")
def some(lived):
    """Return traits and state of 400 customers who ordered in the 90 days before a saved morning."""
    one = lived()
    day = one.market.saved_days[2]
    recent = np.flatnonzero(one.ordered[day - 90 : day].any(axis=0))[:400]
    return day, one.traits.take(recent), one.mornings[day].take(recent)


@pytest.fixture(scope="module")
def under(some):
    """Return the futures of those customers under each action."""
    day, traits, state = some
    return each_action(7, traits, state, PLAIN, day, redraws=100)


def test_what_the_futures_say_on_average_is_what_happens(lived):
    """In a market where actions change nothing, so that it does not matter that the futures hold none."""
    one = lived("null")
    day = one.market.saved_days[2]
    here = np.flatnonzero(one.ordered[day - 90 : day].any(axis=0))
    told = futures(7, one.traits.take(here), one.mornings[day].take(here), VARIANTS["null"], day,
                   nothing(here), redraws=60)  # fmt: skip
    for at, horizon in enumerate(told.horizons):
        silent = ~one.ordered[day : day + horizon][:, here].any(axis=0)
        p = told.silent[at]
        assert abs(silent.sum() - p.sum()) < 4 * np.sqrt((p * (1 - p)).sum() + 1)
        low, high = p < np.median(p), p >= np.median(p)
        assert silent[high].mean() > silent[low].mean() + 0.1


def test_with_the_usual_contacts_the_futures_say_what_happens_in_a_market_whose_actions_work(lived):
    one = lived()
    day = one.market.saved_days[2]
    here = np.flatnonzero(one.ordered[day - 90 : day].any(axis=0))
    told = futures(7, one.traits.take(here), one.mornings[day].take(here), PLAIN, day,
                   nothing(here), redraws=40, usual=True, discount_rate=0.0)  # fmt: skip
    p = told.silent[1]
    silent = ~one.ordered[day : day + 60][:, here].any(axis=0)
    assert abs(silent.sum() - p.sum()) < 4 * np.sqrt((p * (1 - p)).sum() + 1)


def test_usual_contacts_change_what_comes_and_a_discount_what_it_is_worth(some):
    day, traits, state = some
    how = {"redraws": 10}
    alone = futures(7, traits, state, PLAIN, day, nothing(traits), **how)
    usual = futures(7, traits, state, PLAIN, day, nothing(traits), usual=True, **how)
    in_full = futures(7, traits, state, PLAIN, day, nothing(traits), discount_rate=0.0, **how)
    assert (usual.silent != alone.silent).any()
    assert (in_full.margin.sum(axis=1) > alone.margin.sum(axis=1)).all()
    assert (in_full.silent == alone.silent).all()


def test_a_longer_horizon_is_never_likelier_silent_and_never_worth_less_without_returns(under):
    silent = under[NOTHING].silent
    assert (np.diff(silent, axis=0) <= 0).all()
    assert (np.diff(under[NOTHING].margin.mean(axis=1)) > 0).all()


def test_the_standard_error_is_that_of_other_redraws(some):
    day, traits, state = some
    runs = [futures(7, traits, state, PLAIN, day, nothing(traits), redraws=25, first=1 + 25 * n) for n in range(8)]
    spread = np.std([run.silent[1] for run in runs], axis=0, ddof=1)
    told = np.mean([run.silent_error[1] for run in runs], axis=0)
    assert spread.mean() == pytest.approx(told.mean(), rel=0.15)


def test_the_same_futures_are_the_same_and_leave_the_state_as_it_was(some):
    day, traits, state = some
    before = state.mood.copy(), state.left.copy()
    one, other = (futures(7, traits, state, PLAIN, day, nothing(traits), redraws=5) for _ in range(2))
    assert one.margin.tolist() == other.margin.tolist()
    assert (state.mood == before[0]).all()
    assert (state.left == before[1]).all()


def test_changing_the_action_of_one_customer_changes_nothing_else(some):
    day, traits, state = some
    actions = nothing(traits)
    plain = futures(7, traits, state, PLAIN, day, actions, redraws=20)
    actions[3] = eq.COUPON
    with_coupon = futures(7, traits, state, PLAIN, day, actions, redraws=20)
    others = np.arange(len(traits)) != 3
    assert (plain.silent[:, others] == with_coupon.silent[:, others]).all()
    assert (plain.margin[:, others] == with_coupon.margin[:, others]).all()


def test_where_actions_have_no_effect_they_change_no_order(some):
    day, traits, state = some
    told = each_action(7, traits, state, VARIANTS["null"], day, redraws=10)
    for action in range(len(ACTIONS)):
        assert (told[action].silent == told[NOTHING].silent).all()


def shares(under, action):
    """Return the shares of gainers, neutral and sleeping dogs: 60-day churn down or up by more than a point."""
    effect = under[action].silent[1] - under[NOTHING].silent[1]
    return (effect < -0.01).mean(), (abs(effect) <= 0.01).mean(), (effect > 0.01).mean()


def test_an_email_has_gainers_neutral_and_sleeping_dogs(under):
    gainers, neutral, dogs = shares(under, eq.MAIL)
    assert 0.15 < gainers < 0.5
    assert 0.3 < neutral < 0.7
    assert 0.1 < dogs < 0.35


def test_a_coupon_helps_most_and_a_call_annoys_those_who_had_no_reason_to_complain(under, some):
    assert shares(under, eq.COUPON)[0] > 0.4
    gainers, _, dogs = shares(under, eq.CALL)
    assert dogs > gainers
    averse = some[1].averse
    effect = under[eq.MAIL].silent[1] - under[NOTHING].silent[1]
    assert np.corrcoef(averse, effect)[0, 1] > 0.3


def test_a_coupon_pulls_orders_forward(some):
    """More orders in its 14 days, fewer in the month after, beside the same lives without it."""
    day, traits, state = some
    many = np.tile(np.arange(len(traits)), 12)
    lives = traits.take(many).redrawn(7, 1 + np.arange(len(many)) // len(traits))
    ordered = {}
    for coupon in (False, True):
        own = state.take(many)
        own.mode[:] = ACTIVE
        if coupon:
            contact(lives, own, PLAIN, day, eq.COUPON, np.arange(len(many)))
        ordered[coupon] = np.array(
            [len(step(lives, own, PLAIN, day + ahead, seen=False).orders.place) for ahead in range(46)]
        )
    more = ordered[True] - ordered[False]
    assert more[:15].sum() > 0.2 * ordered[False][:15].sum()
    assert more[15:].sum() < 0


def test_a_policy_that_knows_whom_to_leave_alone_is_worth_more_than_any_single_action(some, under):
    """Chosen on one set of futures and judged on another, as a policy must be."""
    day, traits, state = some
    arms = sorted(under)
    best = np.array(arms)[np.argmax([under[arm].margin[2] for arm in arms], axis=0)]
    judged = {"first": 101, "redraws": 40}
    chosen = futures(7, traits, state, PLAIN, day, best, **judged).margin[2].sum()
    single = [
        futures(7, traits, state, PLAIN, day, np.full(len(traits), arm), **judged).margin[2].sum() for arm in arms
    ]
    assert chosen > max(single)


def test_where_everybody_holds_a_contract_futures_tell_whose_runs_on_and_what_is_paid(lived):
    one = lived("contractual", days=300)
    day = one.market.saved_days[-1]
    state = one.mornings[day]
    here = np.flatnonzero(state.paying)[:400]
    traits, market = one.traits.take(here), VARIANTS["contractual"]
    told = futures(7, traits, state.take(here), market, day, nothing(traits), redraws=40)
    after = np.array([state.paying[here] & ~np.isin(here, _ended(one, day, day + ahead)) for ahead in told.horizons])
    for at in range(len(told.horizons)):
        p = told.silent[at]
        assert abs((~after[at]).sum() - p.sum()) < 5 * np.sqrt((p * (1 - p)).sum() + 1)
    assert (np.diff(told.silent, axis=0) >= 0).all()
    assert (told.margin[2] <= 3.01 * traits.price * traits.margin).all()
    assert told.margin[2].mean() > 2 * (traits.price * traits.margin).mean()


def _ended(one, begin, end):
    return np.concatenate([one.happened[day].contract_ended for day in range(begin, end)])
