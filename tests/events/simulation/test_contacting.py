"""Whom the company contacts: never the hold-out, never without leave, at random where it says so."""

import numpy as np
import pytest
from scipy import stats

from churnml.events.simulation import ACTIONS
from churnml.events.simulation import equations as eq
from churnml.events.simulation.contacting import NOTHING


def decisions(one):
    """Return day, place, action, treated, propensity of every decision, each as one array."""
    days = np.concatenate([np.full(len(found.place), day) for day, found in one.decided.items()])
    names = ("place", "action", "treated", "propensity")
    return (days, *(np.concatenate([getattr(found, name) for found in one.decided.values()]) for name in names))


def test_each_customer_is_up_for_a_decision_every_fourth_monday_at_most(lived):
    one = lived()
    day, place, *_ = decisions(one)
    assert {eq.day_of(int(number)).weekday() for number in np.unique(day)} == {0}
    for who in np.unique(place)[:200]:
        assert (np.diff(day[place == who]) % 28 == 0).all()


def test_the_hold_out_is_never_contacted(lived):
    one = lived()
    _, place, _, treated, _ = decisions(one)
    assert not one.traits.held_out[place[treated]].any()
    assert one.traits.held_out[place[~treated]].any()
    assert one.traits.held_out.mean() == pytest.approx(0.08, abs=0.02)


def test_at_random_every_arm_has_its_propensity(lived):
    one = lived()
    _, place, action, treated, propensity = decisions(one)
    drawn = ~np.isnan(propensity)
    assert one.traits.randomised[place[drawn]].all()
    assert set(propensity[drawn]) == {1 / (len(ACTIONS) + 1)}
    counts = np.bincount(action[drawn] + 1, minlength=len(ACTIONS) + 1)
    assert stats.chisquare(counts).pvalue > 1e-3
    assert (treated == (action != NOTHING))[drawn].all()


def test_at_random_the_arm_follows_nothing_and_by_rule_it_follows_silence(lived):
    one = lived()
    day, place, action, _, propensity = decisions(one)
    mood, drawn = one.mood[day - 1, place], ~np.isnan(propensity)
    contacted = action != NOTHING
    assert abs(np.corrcoef(mood[drawn], contacted[drawn])[0, 1]) < 4 / np.sqrt(drawn.sum())
    assert (action[~drawn] != NOTHING).all()


def test_a_feeling_for_the_mood_sways_the_rule_of_a_confounded_market_only(lived):
    """Among those up for the rule, the moods of whom it picks lie further below their usual one."""
    shift = {}
    for variant in ("plain", "confounded"):
        one = lived(variant, days=200)
        day, place, action, _, propensity = decisions(one)
        ruled = np.isnan(propensity) & (action != eq.CALL)
        shift[variant] = (one.mood[day - 1, place] - one.traits.content[place])[ruled].mean()
    assert shift["confounded"] < shift["plain"] - 0.05


def test_nothing_is_mailed_without_leave(lived):
    one = lived()
    _, place, action, treated, _ = decisions(one)
    mailed = treated & (action != eq.CALL) & (action != NOTHING)
    assert one.traits.mail_allowed[place[mailed]].all()
    assert one.traits.call_allowed[place[treated & (action == eq.CALL)]].all()
