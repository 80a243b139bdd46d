"""What was measured takes the place of what was assumed, as far as it is sure."""

from dataclasses import replace

import numpy as np
import pytest
from trials import trial

from churnml.policy import load_actions
from churnml.policy.actions import Prior
from churnml.policy.learned import (
    MeasuredEffect,
    Relative,
    learned_priors,
    log_odds_ratio,
    log_ratio,
    posterior,
)
from churnml.policy.measurement import Scores, difference

SEEN = MeasuredEffect(Relative(np.log(0.5), 0.2), Relative(np.log(1.2), 0.1), 1.0, 0.5, 1.5, 900)
ASSUMED = Prior(churn_odds_ratio=0.9, orders_ratio=1.0, uncertainty=0.2)


def test_two_guesses_equally_sure_meet_half_way_on_the_logarithm():
    assert posterior(ASSUMED, SEEN).churn_odds_ratio == pytest.approx(np.sqrt(0.9 * 0.5))


def test_both_together_are_surer_than_either():
    assert posterior(ASSUMED, SEEN).uncertainty == pytest.approx(0.2 / np.sqrt(2))


def test_a_measurement_without_error_takes_the_place_of_the_prior():
    sure = replace(SEEN, churn_odds=Relative(np.log(0.5), 0.0), orders=Relative(np.log(1.2), 1e-9))
    found = posterior(ASSUMED, sure)
    assert (found.churn_odds_ratio, found.uncertainty) == (pytest.approx(0.5), 0.0)
    assert found.orders_ratio == pytest.approx(1.2)


def test_a_measurement_that_says_nothing_leaves_the_prior():
    vague = replace(SEEN, churn_odds=Relative(3.0, 1e6), orders=Relative(3.0, np.inf))
    assert posterior(ASSUMED, vague).churn_odds_ratio == pytest.approx(0.9)
    assert posterior(ASSUMED, vague).orders_ratio == 1.0


def test_what_is_known_for_sure_is_not_moved():
    certain = Prior(churn_odds_ratio=0.9)
    assert posterior(certain, SEEN) == certain


def test_where_orders_were_not_measured_their_prior_stays():
    assert posterior(ASSUMED, replace(SEEN, orders=None)).orders_ratio == 1.0


def test_only_what_was_measured_is_learned_and_doing_nothing_never_is():
    catalogue = load_actions()
    some = next(action for action in catalogue.actions[1:] if action.prior.uncertainty > 0)
    learned = learned_priors(catalogue, {some.name: SEEN, "do_nothing": SEEN, "gone": SEEN})
    changed = [action.name for action in catalogue.actions if learned[action.name] != action.prior]
    assert changed == [some.name]


def test_the_log_odds_ratio_is_that_of_the_table_and_its_error_woolfs():
    # Woolf (1955): the variance is the sum of one over each count
    counts = {(True, 1): 30, (True, 0): 70, (False, 1): 50, (False, 0): 50}
    arm, gone = (np.repeat([key[part] for key in counts], list(counts.values())) for part in (0, 1))
    some = replace(
        trial(200), treated=arm.astype(bool), outcomes=gone[:, None].astype(float), before=np.zeros((200, 1))
    )
    found = log_odds_ratio(difference(some), 0)
    assert found.log_ratio == pytest.approx(np.log(30 * 50 / (70 * 50)))
    assert found.error == pytest.approx(np.sqrt(sum(1 / n for n in counts.values())), rel=0.01)


def test_the_log_ratio_of_margins_has_the_error_of_the_delta_method():
    some = trial(n=5_000, effect=1.0)
    y, arm = some.outcomes[:, 0], some.treated
    parts = [y[side].var() / side.sum() / y[side].mean() ** 2 for side in (arm, ~arm)]
    found = log_ratio(difference(some), 0)
    assert found.log_ratio == pytest.approx(np.log(y[arm].mean() / y[~arm].mean()))
    assert found.error == pytest.approx(np.sqrt(sum(parts)), rel=0.01)


def test_of_a_mean_that_may_be_zero_no_ratio_is_taken():
    rng = np.random.default_rng(0)
    assert log_ratio(Scores(rng.normal(5, 1, (90, 1)), rng.normal(0, 1, (90, 1)), np.arange(90)), 0) is None


def test_it_is_kept_as_plain_data_and_comes_back():
    assert MeasuredEffect.from_json(SEEN.to_json()) == SEEN
    assert MeasuredEffect.from_json(replace(SEEN, orders=None).to_json()).orders is None
