"""The kernel folds every window at every cutoff as a slow loop would, and no window depends on another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnml.events import Facts
from churnml.events.clock import days_later, midnight, moment
from churnml.features.declare import MISSING, Aggregate
from churnml.features.kernel import Rows, fold, late_pairs

HOURS_6 = 6 * 3_600_000_000
START = 1_585_000_000_000_000 // HOURS_6 * HOURS_6  # March 2020, on the grid, a few days before the clocks change
WORDS = ("tea", "mugs", "pots", "cups")
often = settings(max_examples=60, derandomize=True, deadline=None)

# (quarter of a day, value, code): coarse, so that ties and rows on the very edge of a window are common
row = st.tuples(st.integers(0, 80), st.integers(-5, 5), st.integers(-1, 3))
customers_of = st.lists(st.lists(row, max_size=10), min_size=1, max_size=6)
cutoffs_of = st.lists(st.integers(-4, 100).map(lambda quarter: START + quarter * HOURS_6), min_size=1, max_size=4)
windows_of = st.lists(
    st.tuples(st.sampled_from([None, 1, 3, 7]), st.sampled_from([0, 1, 3, 7])), min_size=1, max_size=3
)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"])


def rows_from(customers):
    """Return the kernel's input, and the same rows as lists, in the order the kernel sees them."""
    ordered = [sorted(rows, key=lambda one: one[0]) for rows in customers]
    flat = np.array([one for rows in ordered for one in rows], dtype=np.int64).reshape(-1, 3)
    offsets = np.concatenate(([0], np.cumsum([len(rows) for rows in ordered]))).astype(np.int64)
    columns = {"value": np.ascontiguousarray(flat[:, 1]), "code": np.ascontiguousarray(flat[:, 2])}
    return Rows(offsets, START + flat[:, 0] * HOURS_6, columns, {"code": WORDS}), ordered


def slowly(rows, aggregate, cutoff, zone):
    """Fold one window of one customer in plain Python."""
    end = days_later(cutoff, -aggregate.lag, zone)
    start = -np.inf if aggregate.days is None else days_later(cutoff, -aggregate.lag - aggregate.days, zone)
    within = [one for one in rows if start <= START + one[0] * HOURS_6 < end]
    if aggregate.how == "distinct":
        return len({code for _, _, code in within if code >= 0})
    wanted = dict(aggregate.filters).get("code")
    values = [value for _, value, code in within if wanted is None or (code >= 0 and WORDS[code] in wanted)]
    folds = {
        "sum": sum,
        "count": len,
        "min": min,
        "max": max,
        "last": lambda all_: all_[-1],
        "first": lambda all_: all_[0],
    }
    return folds[aggregate.how](values) if values or aggregate.how in {"sum", "count"} else MISSING


def aggregates_of(windows):
    folds = ("sum", "count", "min", "max", "last", "first")
    plain = [Aggregate("rows", how, "value", *window) for how in folds for window in windows]
    some = [Aggregate("rows", how, "value", *windows[0], {"code": ("tea", "pots")}) for how in folds]
    return list(dict.fromkeys([*plain, *some, *(Aggregate("rows", "distinct", "code", *window) for window in windows)]))


@given(customers_of, cutoffs_of, windows_of, zones)
@often
def test_the_fast_fold_equals_the_slow_one(customers, cutoffs, windows, zone):
    rows, ordered = rows_from(customers)
    aggregates = aggregates_of(windows)
    folded = fold({"rows": rows}, aggregates, cutoffs, zone)
    for aggregate in aggregates:
        expected = [[slowly(own, aggregate, cutoff, zone) for own in ordered] for cutoff in cutoffs]
        assert folded[aggregate].tolist() == expected, aggregate


@given(customers_of, cutoffs_of, windows_of, zones)
@often
def test_a_window_does_not_depend_on_what_else_is_asked(customers, cutoffs, windows, zone):
    rows, _ = rows_from(customers)
    aggregates = aggregates_of(windows)
    together = fold({"rows": rows}, aggregates, cutoffs, zone)
    for place, cutoff in enumerate(cutoffs):
        for aggregate in aggregates[::3]:
            alone = fold({"rows": rows}, [aggregate], [cutoff], zone)
            assert np.array_equal(alone[aggregate][0], together[aggregate][place])


def test_a_row_set_nobody_asked_for_is_not_folded():
    rows, _ = rows_from([[(1, 1, 1)]])
    assert fold({"rows": rows}, [], [START], "UTC") == {}


def test_customers_without_any_row_hold_nothing():
    rows, _ = rows_from([[], []])
    wanted = aggregates_of([(None, 0), (7, 0)])
    folded = fold({"rows": rows}, wanted, [START], "UTC")
    assert {aggregate.how: folded[aggregate].tolist() for aggregate in wanted} == {
        "sum": [[0, 0]],
        "count": [[0, 0]],
        "min": [[MISSING, MISSING]],
        "max": [[MISSING, MISSING]],
        "last": [[MISSING, MISSING]],
        "first": [[MISSING, MISSING]],
        "distinct": [[0, 0]],
    }


@pytest.mark.parametrize("days", [1, 2])
def test_a_window_over_the_change_of_clocks_counts_local_days(days):
    cutoff = midnight(moment(START).date().replace(month=3, day=30), "Europe/Berlin")
    start = days_later(cutoff, -days, "Europe/Berlin")
    rows = Rows(np.array([0, 2]), np.array([start - 1, start]), {"value": np.array([1, 10])})
    wanted = Aggregate("rows", "sum", "value", days)
    assert fold({"rows": rows}, [wanted], [cutoff], "Europe/Berlin")[wanted].tolist() == [[10]]


def test_a_pair_is_late_between_the_event_and_the_day_it_was_known():
    facts = Facts(np.array([0, 1, 2]), np.array([10, 10]), np.array([10, 30]))
    assert late_pairs(facts, [10, 11, 29, 30]).tolist() == [
        [False, False],
        [False, True],
        [False, True],
        [False, False],
    ]
