"""The pulse held against a year of months: silent in a calm market, loud where something was planted."""

import numpy as np
import pytest
from scipy import stats

from churnml.modeling.false_alarms import JUMP_MONTHS, MOOD_ALARMS, MOOD_MONTHS, jump_limit, mood_limit
from churnml.modeling.moments import Moments, moments
from churnml.modeling.pulse import SIGNALS
from churnml.modeling.unrest import held_against_a_year

MONTHS, LAST, CUSTOMERS = 13, 6, 600
LENGTHS = (1, 2, 6)
OF_WHOLE = [one for one in SIGNALS if one.worse]


def counted(seed, planted=0.0, season=0.0, shared=0.0):
    """Return moments of every sign of discontent, its odds moved to the bad side in the last months by `planted`."""
    rng = np.random.default_rng(seed)
    found = {}
    common = planted * (np.arange(MONTHS + LAST) >= MONTHS) + shared * rng.normal(size=MONTHS + LAST)
    for signal in OF_WHOLE:
        bad = signal.worse * common + season * rng.normal(size=MONTHS + LAST)
        whole = rng.poisson(rng.gamma(2.0, 1.0, CUSTOMERS), (MONTHS + LAST, CUSTOMERS)).astype(float)
        part = rng.binomial(whole.astype(int), np.minimum(0.1 * np.exp(bad), 1.0)[:, None]).astype(float)
        found[signal] = spans(part, whole)
    return found


def spans(part, whole):
    """Return each month before, all of them, and the last months by length, as `held_against_a_year` takes them."""
    months = [Moments(*row) for row in moments(part, whole)]
    last = [added(part[-length:], whole[-length:]) for length in LENGTHS]
    return months[:MONTHS], added(part[:MONTHS], whole[:MONTHS]), last


def added(part, whole):
    return Moments(*moments(part.sum(axis=0, keepdims=True), whole.sum(axis=0, keepdims=True))[0])


def asked(found):
    return held_against_a_year(found, LENGTHS)


@pytest.mark.parametrize("swing", [{}, {"season": 0.3}, {"shared": 0.3}])
def test_of_forty_calm_markets_hardly_one_raises_an_alarm_whatever_its_season(swing):
    said = [asked(counted(seed, **swing)) for seed in range(40)]
    assert sum(one.sour is not None or bool(one.jumped) for one in said) <= 2


@pytest.mark.parametrize(("swing", "least", "most"), [({}, 1.0, 1.3), ({"shared": 0.3}, 1.7, 2.3)])
def test_what_seasons_of_the_signs_have_in_common_makes_their_sum_count_for_less(swing, least, most):
    said = asked(counted(5, **swing))
    alone = sum(one.worse * one.deviations for one in said.of(said.moods[0])) / np.sqrt(len(OF_WHOLE))
    assert least <= alone / said.moods[0].deviations <= most


def test_signs_that_all_worsen_a_little_are_an_alarm_together_and_none_alone():
    said = asked(counted(2, planted=0.1))
    assert said.sour is not None
    assert said.sour.days == 168
    assert not said.jumped


def test_signs_that_all_improve_are_no_discontent():
    assert asked(counted(2, planted=-0.1)).sour is None


def test_one_signal_that_doubles_is_named_with_what_it_was():
    found = counted(2)
    help_signal = OF_WHOLE[0]
    found[help_signal] = counted(2, planted=0.7)[help_signal]
    (one,) = asked(found).jumped
    assert one.signal == "help"
    assert one.now == pytest.approx(2 * one.before, rel=0.15)


def test_months_in_another_order_say_the_same():
    found = counted(3, planted=0.1)
    turned = {signal: (each[::-1], year, last) for signal, (each, year, last) in found.items()}
    said, again = asked(found), asked(turned)
    assert [one.deviations for one in said.signals] == pytest.approx([one.deviations for one in again.signals])


def test_a_signal_of_which_next_to_nothing_was_seen_is_not_told():
    found = counted(4)
    nothing = spans(np.zeros((MONTHS + LAST, 9)), np.ones((MONTHS + LAST, 9)))
    said = asked(found | {OF_WHOLE[0]: nothing})
    assert "help" not in {one.signal for one in said.signals}


def test_a_signal_that_was_told_in_few_months_makes_the_limits_wider():
    found = counted(6)
    each, year, last = found[OF_WHOLE[0]]
    nothing = Moments(0.0, 0.0, 0.0, 0.0, 0.0)
    said = asked(found | {OF_WHOLE[0]: ([nothing] * 5 + each[5:], year, last)})
    assert said.months == 8
    assert said.mood_limit > asked(found).mood_limit


def test_the_mood_limit_spends_its_false_alarms():
    level = mood_limit(100_000)
    looks = sum(365 / (28 * months) for months in MOOD_MONTHS)
    assert looks * level * stats.norm.pdf(level) == pytest.approx(MOOD_ALARMS, rel=1e-3)


def test_fewer_months_and_more_signals_make_the_limits_wider():
    assert mood_limit(6) > mood_limit(13) > 2
    assert jump_limit(6, 7) > jump_limit(13, 7) > jump_limit(13, 3)


def test_a_long_while_is_asked_of_moods_and_a_short_one_of_jumps():
    assert max(JUMP_MONTHS) <= min(MOOD_MONTHS)


def test_the_variance_of_a_ratio_is_that_of_redrawn_customers():
    rng = np.random.default_rng(5)
    whole = rng.poisson(rng.gamma(1.0, 3.0, 800)).astype(float)
    part = rng.binomial(whole.astype(int), rng.beta(2.0, 18.0, 800)).astype(float)
    drawn = [rng.integers(800, size=800) for _ in range(2_000)]
    logarithms = [np.log(part[rows].sum() / whole[rows].sum()) for rows in drawn]
    assert added(part[None], whole[None]).variance == pytest.approx(np.var(logarithms), rel=0.12)
