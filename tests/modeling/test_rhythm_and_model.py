"""The rhythm is what was known at each cutoff; the model turns rows into forecasts the same way every time."""

import numpy as np
import pytest
from market import HORIZON, NOW, learn, stacked

from churnml.events import Standing
from churnml.events.clock import DAY
from churnml.modeling.rhythm import fit_rhythm, rfm, rhythm_columns, stacked_rhythm


def test_frequency_counts_repeats_and_recency_counts_from_the_first_order(market):
    table = market.table(NOW)
    known = rfm(table)
    once = table.column("orders_all") == 1
    assert (known.frequency == table.column("orders_all") - 1).all()
    assert (known.recency[once] == 0).all()
    assert known.T.tolist() == table.column("tenure_days").tolist()


def test_each_cutoff_of_a_stack_has_the_columns_of_its_own_fit(market):
    early, late = market.table(150), market.table(240)
    both = stacked_rhythm(stacked([early, late]), HORIZON)[0]
    alone = stacked_rhythm(late, HORIZON)[0]
    assert both[len(early) :].tolist() == alone.tolist()


def test_who_never_ordered_has_no_rhythm(market):
    table = market.table(150)
    table.standing[:5] = Standing.PROSPECT
    table.values[5:8, table.names.index("orders_all")] = 0  # they hold a contract
    found = stacked_rhythm(table, HORIZON)[0]
    assert np.isnan(found[:8]).all()
    assert np.isfinite(found[8:]).all()


def test_silence_is_never_likelier_over_a_longer_horizon_and_orders_are_more(market):
    table = market.table(NOW)
    model = fit_rhythm(table, NOW * DAY)
    short, long = (rhythm_columns(model, table, days) for days in (10, 60))
    assert (long[:, 0] <= short[:, 0]).all()
    assert (long[:, 2] > short[:, 2]).all()


def test_the_same_seed_gives_the_same_bits(trained, market, population):
    again = learn(market).model.forecast(population, 365)
    before = trained.model.forecast(population, 365)
    assert again.churn_probability.tobytes() == before.churn_probability.tobytes()
    assert again.expected_margin.tobytes() == before.expected_margin.tobytes()


def test_a_customer_is_forecast_alike_alone_and_among_others(trained, population):
    whole = trained.model.forecast(population, 365)
    alone = trained.model.forecast(population.take(np.array([3])), 365)
    assert alone.churn_probability[0] == pytest.approx(whole.churn_probability[3], rel=1e-12)
    assert alone.expected_margin[0] == pytest.approx(whole.expected_margin[3], rel=1e-12)


def test_every_forecast_is_a_number(trained, population):
    found = trained.model.forecast(population, 365)
    assert all(
        np.isfinite(values).all() for values in (found.churn_probability, found.expected_margin, found.tail_if_staying)
    )
    assert ((found.p_alive >= 0) & (found.p_alive <= 1)).all()
