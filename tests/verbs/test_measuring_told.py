"""What a measure found, in a terminal: no table wider than it, and no estimate torn from its interval."""

from churnml.verbs.measuring_told import _folded


def columns(*names):
    return {name: {"unit": "word" if name in {"stage", "part"} else "number"} for name in names}


def test_a_table_that_fits_stays_one():
    few = columns("stage", "customers", "share", "low", "high")
    assert list(_folded(few)) == [few]


def test_each_part_of_a_wide_table_begins_with_the_words_and_keeps_intervals_whole():
    names = ("part", "stage", "a", "b", "c", "d", "e", "f", "f_low", "f_high", "g")
    found = [list(one) for one in _folded(columns(*names))]
    assert found == [["part", "stage", "a", "b", "c", "d", "e"], ["part", "stage", "f", "f_low", "f_high", "g"]]
