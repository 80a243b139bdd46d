import numpy as np
import pytest

from churnml.errors import InvalidTableError
from churnml.policy import eligible, exclusions

BANDS = ["low", "medium", "high", "high"]
REASONS = ["purchase", "satisfaction", "satisfaction", None]


def test_an_action_is_open_to_the_bands_and_reasons_it_suits(catalogue):
    assert eligible(catalogue, BANDS, REASONS, None).astype(int).tolist() == [
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
        [1, 1, 0],
    ]


def test_without_consent_only_doing_nothing_is_open(catalogue):
    assert eligible(catalogue, BANDS, REASONS, [False] * 4).astype(int).tolist() == [[1, 0, 0]] * 4


def test_each_closed_pair_is_counted_once_under_its_first_rule(catalogue):
    counts = exclusions(catalogue, BANDS, REASONS, [True, True, False, True])
    assert dict(counts) == {"no_consent": 2, "risk_band": 3, "reason": 1}


def test_counts_and_open_pairs_add_up_to_all_pairs(catalogue):
    table = (catalogue, BANDS, REASONS, [True, False, True, True])
    assert sum(exclusions(*table).values()) + eligible(*table).sum() == 4 * 3


def test_nobody_gives_an_empty_table_and_no_exclusions(catalogue):
    assert eligible(catalogue, [], [], None).shape == (0, 3)
    assert sum(exclusions(catalogue, [], [], None).values()) == 0


def test_an_unknown_band_is_refused(catalogue):
    with pytest.raises(InvalidTableError, match="low, medium or high, got `hihg`"):
        eligible(catalogue, ["hihg"], ["purchase"], None)


def test_columns_of_different_length_are_refused(catalogue):
    with pytest.raises(InvalidTableError, match="got 2, 1 and 2"):
        eligible(catalogue, np.array(["low", "low"]), ["purchase"], None)
