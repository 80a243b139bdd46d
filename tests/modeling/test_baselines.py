"""The baselines are honest: they learn from the training rows, forecast in range, and beat knowing nothing."""

import numpy as np
import pytest

from churnml.modeling import metrics
from churnml.modeling.baselines import CHURN_BASELINES, VALUE_BASELINES, last_window_repeated, recency_rule, rfm_table

CHURN = sorted(CHURN_BASELINES)
VALUE = sorted(VALUE_BASELINES)


@pytest.mark.parametrize("name", CHURN)
def test_a_churn_baseline_gives_probabilities_that_rank_better_than_chance(name, trained, population, market):
    found = CHURN_BASELINES[name](trained, population)
    assert ((found >= 0) & (found <= 1)).all()
    assert metrics.auroc(market.labels(population)[0], found) > 0.65


@pytest.mark.parametrize("name", VALUE)
def test_a_value_baseline_gives_money_that_ranks_better_than_chance(name, trained, population, market):
    found = VALUE_BASELINES[name](trained, population)
    assert (found >= 0).all()
    assert metrics.gini_normalised(market.labels(population)[1], found) > 0.3


@pytest.mark.parametrize("name", CHURN)
def test_a_churn_baseline_gives_the_same_bits_again(name, trained, population):
    first, second = (CHURN_BASELINES[name](trained, population) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_the_recency_rule_is_the_churn_rate_of_the_tenth_shrunk_by_twenty_customers(trained, population):
    stack = trained.snapshots
    recency, left = stack.table.column("recency_days"), stack.churned
    longest = left[recency >= np.quantile(recency, 0.9)]
    found = recency_rule(trained, population)[population.column("recency_days") == 90]
    assert found == pytest.approx((longest.sum() + 20 * left.mean()) / (len(longest) + 20))


def test_a_cell_of_the_rfm_table_that_nobody_taught_gets_the_mean(trained, population):
    odd = population.take(np.zeros(1, dtype=np.intp))
    odd.values[0, [odd.names.index(name) for name in ("recency_days", "orders_90d", "spend_90d")]] = [90, 60, 0]
    assert rfm_table(trained, odd) == pytest.approx(trained.snapshots.churned.mean())


def test_the_last_window_is_repeated_in_proportion_to_the_horizon(trained, population):
    assert last_window_repeated(trained, population) == pytest.approx(population.column("spend_90d") / 3)
