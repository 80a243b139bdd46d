"""Columns and their scaling are fitted on training rows, frozen, and do to later rows what they were told."""

import json

import numpy as np
import pytest

from churnml.modeling.design import RHYTHM_COLUMNS, Design, fit_design
from churnml.modeling.scaling import Scaling, fit_scaling

ROWS = np.array([[1.0, np.nan, 5.0], [3.0, np.nan, 5.0], [np.nan, np.nan, 5.0]])


def test_the_design_holds_every_feature_the_rhythm_and_one_column_for_each_category(trained):
    columns = trained.model.design.columns
    assert columns == (*trained.snapshots.table.names, *RHYTHM_COLUMNS, "region=north", "region=south")


def test_a_category_is_one_for_who_bears_it_and_unknown_is_zero_everywhere(trained, population):
    matrix = trained.model.design.matrix(population, np.zeros((len(population), 3)))
    north = matrix[:, trained.model.design.columns.index("region=north")]
    assert north.tolist() == [float(region == "north") for region in population.categories["region"]]


def test_a_category_that_fewer_than_one_in_two_hundred_bear_gets_no_column(population):
    north, south = (np.flatnonzero(population.categories["region"] == region)[0] for region in ("north", "south"))
    rows = population.take(np.array([south] + [north] * 400))
    assert fit_design(rows).categories == {"region": ("north",)}


def test_a_design_comes_back_from_json_as_it_was(trained):
    design = trained.model.design
    assert Design.from_dict(json.loads(json.dumps(design.to_dict()))) == design


def test_a_missing_value_is_scaled_as_the_median_of_its_column():
    scaling = fit_scaling(ROWS, "plain")
    assert scaling(np.array([[np.nan, 0.0, 5.0]]))[0, 0] == scaling(np.array([[2.0, 0.0, 5.0]]))[0, 0]


def test_training_rows_have_mean_zero_and_spread_one():
    rows = np.random.default_rng(0).normal(3.0, 2.0, (200, 2))
    scaled = fit_scaling(rows, "plain")(rows)
    assert scaled.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert scaled.std(axis=0) == pytest.approx([1, 1], abs=0.01)


def test_a_column_that_never_varied_or_was_never_known_does_nothing():
    assert fit_scaling(ROWS, "log")(ROWS)[:, 1:] == pytest.approx(np.zeros((3, 2)))


@pytest.mark.parametrize("transform", ["log", "root", "plain"])
def test_nothing_is_scaled_beyond_six_spreads_however_far_it_lies(transform):
    rows = np.random.default_rng(0).normal(size=(50, 1))
    assert fit_scaling(rows, transform)(np.array([[1e12], [-1e12]])).tolist() == [[6], [-6]]


@pytest.mark.parametrize("transform", ["log", "root", "plain"])
def test_a_transform_keeps_order_and_sign(transform):
    rows = np.linspace(-9, 9, 21)[:, None]
    scaled = fit_scaling(rows, transform)(rows)[:, 0]
    assert (np.diff(scaled) > 0).all()
    assert scaled[10] == pytest.approx(0, abs=1e-12)


def test_a_scaling_comes_back_from_json_as_it_was():
    scaling = fit_scaling(ROWS, "root")
    assert Scaling.from_dict(json.loads(json.dumps(scaling.to_dict()))) == scaling
