"""Segments: who is in which, the same figures as for those customers alone, and where there are too few to say."""

from dataclasses import replace

import numpy as np
import pytest

from churnml.modeling import metrics
from churnml.modeling.cuts import fifths, tenure_bands
from churnml.modeling.judgement import OURS
from churnml.modeling.pool import Pool
from churnml.modeling.segments import segments

RNG = np.random.default_rng(4)
P, SPENT = RNG.beta(1, 3, 400), RNG.gamma(2.0, 20.0, 400)
LEFT = (RNG.random(400) < P).astype(float)
NORTH = np.where(np.arange(400) < 360, "north", "south").astype(object)
POOL = Pool(
    np.arange(400), np.zeros(400, int), LEFT, SPENT, {OURS: P}, {OURS: SPENT * 1.1}, {"region": NORTH}
)  # fmt: skip


@pytest.fixture(scope="module")
def found():
    return list(segments(POOL, bootstrap=60, seed=0))


def test_a_segment_has_the_figures_of_its_customers_alone(found):
    north = found[0].figures
    assert north["auroc"].value == metrics.auroc(LEFT[:360], P[:360])
    assert north["brier"].value == metrics.brier(LEFT[:360], P[:360])
    assert (north["observed"].value, north["predicted"].value) == (LEFT[:360].mean(), P[:360].mean())
    assert north["bias"].value == pytest.approx(0.1)


def test_a_segment_too_small_says_so_instead_of_a_number(found):
    assert (found[1].figures, found[1].too_few) == ({}, "40 customers, 50 are needed for any figure")


def test_a_segment_where_few_left_has_no_auroc_but_a_calibration():
    calm = replace(POOL, churned=np.where(np.arange(400) < 5, 1.0, 0.0))
    north = next(segments(calm, bootstrap=60, seed=0))
    assert set(north.figures) == {"observed", "predicted", "brier", "bias", "mae"}
    assert north.too_few == "5 left and 355 stayed, 10 of each are needed for AUROC"


def test_a_segment_that_spent_nothing_has_no_bias_but_an_error():
    poor = replace(POOL, value=np.zeros(400))
    figures = next(segments(poor, bootstrap=60, seed=0)).figures
    assert "bias" not in figures
    assert figures["mae"].value == pytest.approx(SPENT[:360].mean() * 1.1)


@pytest.mark.parametrize(("left", "interval"), [(0.0, (0.0, 3 / 360)), (1.0, (1 - 3 / 360, 1.0))])
def test_a_share_of_nobody_or_of_all_is_not_certain(left, interval):
    figures = next(segments(replace(POOL, churned=np.full(400, left)), bootstrap=60, seed=0)).figures
    assert (figures["observed"].low, figures["observed"].high) == pytest.approx(interval)


def test_a_cut_into_very_many_segments_is_left_out():
    many = replace(POOL, segments={"town": np.arange(400).astype(str).astype(object)})
    assert not list(segments(many, bootstrap=60, seed=0))


def test_a_tenure_band_includes_its_first_day():
    days = np.array([0.0, 89, 90, 365, 730, np.nan])
    told = ["under 90 days", "under 90 days", "90 to 179 days", "1 to 2 years", "2 years and more", ""]
    assert tenure_bands(days).tolist() == told


def test_fifths_are_of_equal_size_and_equal_values_share_one():
    assert fifths(np.arange(10.0)).tolist() == [str(1 + k // 2) for k in range(10)]
    assert set(fifths(np.ones(10))) == {"1"}
