"""What a measure found, in a terminal: no table wider than it, no figure cut, no estimate torn from its interval."""

import io

import pytest
from rich.console import Console

from churnml.verbs.measuring_told import _folded, told


def columns(*names):
    return {
        name: {
            "unit": "word" if name in {"stage", "part"} else "money" if name == "value" else "number",
            "title": {"en": f"{name.replace('_', ' ')} of them all"},
            "words": None,
        }
        for name in names
    }


def folded(names, room):
    return list(_folded(columns(*names), dict.fromkeys(names, 8), room))


def test_a_table_that_fits_stays_one():
    few = ["stage", "customers", "share", "low", "high"]
    assert folded(few, 48) == [few]


def test_each_part_of_a_wide_table_begins_with_the_words_and_keeps_intervals_whole():
    names = ["part", "stage", "a", "b", "c", "d", "e", "f", "f_low", "f_high", "g"]
    found = folded(names, 90)
    assert found == [["part", "stage", "a", "b", "c", "d", "e"], ["part", "stage", "f", "f_low", "f_high", "g"]]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_amount_is_cut_and_words_go_on_below(width):
    wide = columns("part", "stage", "value", "low", "high", "customers", "other_value", "more", "most", "least")
    row = dict.fromkeys(wide, 1_332_456.78) | {"part": "high value, " * 8 + "end", "stage": "declining"}
    text = {"en": "Told"}
    measure = {"title": text, "definition": text, "population": text, "begin": "2024-01-01", "end": "2024-02-01"}
    measure |= {"sources": ["orders"], "remarks": [], "columns": wide, "rows": [row]}
    console = Console(file=io.StringIO(), width=width)
    console.print(told({"measures": [measure], "currency": "USD"}, "en"))
    printed = console.file.getvalue()
    assert "$1,332,456.78" in printed
    assert printed.count("1,332,456.8") == 7
    assert "…" not in printed
    assert "end" in printed
    assert max(map(len, printed.splitlines())) <= width
