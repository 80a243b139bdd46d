"""What the models are told is checked once, at the door, and the rows that break a rule are named."""

import numpy as np
import pytest

from churnml.errors import InvalidTableError
from churnml.modeling.btyd import Rfm


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("recency", 99.0, r"`recency` must not exceed `T`, got recency 99, T 40 in row 7 \(2 rows in all, 9\)"),
        ("recency", 0.0, "`recency` must be above 0 where `frequency` is, got frequency 3, recency 0 in row 7"),
        ("frequency", 0.0, "`recency` must be 0 where `frequency` is, got frequency 0, recency 30 in row 7"),
        ("frequency", -1.0, "`frequency` must be a number of at least 0, got frequency -1 in row 7"),
        ("frequency", 1.5, "`frequency` must be a whole number, got frequency 1.5 in row 7"),
        ("T", np.nan, "`T` must be a number of at least 0, got T nan in row 7"),
        ("T", np.inf, "`T` must be a number of at least 0, got T inf in row 7"),
        ("monetary_value", 0.0, "`monetary_value` must be above 0 where `frequency` is, got .* in row 7"),
        ("monetary_value", np.nan, "`monetary_value` must be above 0 where `frequency` is, got .* in row 7"),
    ],
)
def test_the_rows_that_break_a_rule_are_named(column, value, words):
    table = {name: np.full(20, first) for name, first in (("frequency", 3.0), ("recency", 30.0), ("T", 40.0))}
    table["monetary_value"] = np.full(20, 9.0)
    table[column][[7, 9]] = value
    with pytest.raises(InvalidTableError, match=words):
        Rfm(**table)


def test_of_many_bad_rows_the_first_five_are_named():
    with pytest.raises(InvalidTableError, match=r"in row 0 \(20 rows in all, 1, 2, 3, 4 …\)"):
        Rfm(np.ones(20), np.full(20, 9), np.full(20, 5))


def test_columns_of_different_length_are_refused():
    with pytest.raises(InvalidTableError, match="of one length, got frequency"):
        Rfm(np.ones(20), np.ones(20), np.ones(19))


def test_what_was_checked_cannot_be_changed():
    given = np.array([1.0, 2.0])
    known = Rfm(given, [5, 6], [9, 9])
    given[0] = 7
    assert known.frequency.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        known.T[0] = 0


def test_after_silence_customers_are_older_and_no_richer_in_orders():
    later = Rfm([0, 2], [0, 6], [9, 9], [np.nan, 5.0]).after_silence(30)
    assert (later.frequency.tolist(), later.recency.tolist(), later.T.tolist()) == ([0, 2], [0, 6], [39, 39])
