"""Of rows that no customer ever was a model says nothing impossible; one that does is found out."""

import resource
from dataclasses import replace

import numpy as np
import pytest

from churnml.modeling.bounds import bounds, random_rows
from churnml.modeling.bundle import load_bundle


@pytest.fixture(scope="module")
def model(journey):
    return load_bundle(journey.workspace.models / journey.said["train"].body["model_version"])[0]


def test_every_answer_to_a_random_row_is_possible(model):
    assert bounds(model, 3_000) == bounds(model, 3_000)
    assert bounds(model, 3_000).broken == ()


@pytest.mark.long
def test_every_answer_to_a_million_random_rows_is_possible_in_the_memory_of_twenty_thousand(model):
    bounds(model, 20_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    asked = bounds(model, 1_000_000, seed=1)
    assert (asked.rows, asked.broken) == (1_000_000, ())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


def test_the_model_was_taught_a_sixteenth_a_quarter_and_a_half_of_the_horizon_too(model):
    assert sorted(model.sooner) == [4, 15, 30]


def test_random_rows_are_missing_zero_and_huge(model):
    values = random_rows(model, 1_000, np.random.default_rng(0)).values
    assert 0.1 < np.isnan(values).mean() < 0.3
    assert (values == 0).mean() > 0.1
    assert np.nanmax(np.abs(values)) > 1e8


def test_a_random_customer_was_silent_for_no_longer_than_they_were_known(model):
    table = random_rows(model, 1_000, np.random.default_rng(0))
    assert (table.column("recency_days") <= table.column("tenure_days")).all()
    assert (table.column("orders_all") >= 1).all()


class Always:
    """A value model that answers the same of everyone."""

    def __init__(self, answer):
        self.predict = lambda matrix, _anchor: np.full(len(matrix), answer)


@pytest.mark.parametrize("answer, told", [(-3.0, "-3"), (np.nan, "nan"), (np.inf, "inf")])
def test_a_model_that_answers_the_impossible_is_named_with_the_rule_and_the_answer(model, answer, told):
    asked = bounds(replace(model, value=Always(answer)), 100)
    assert asked.broken == (f"`expected_margin` is a number of 0 or more, found {told}",)


def test_progress_ends_at_the_last_row(model):
    told = []
    bounds(model, 12_000, progress=lambda done, total: told.append((done, total)))
    assert told == [(10_000, 12_000), (12_000, 12_000)]
