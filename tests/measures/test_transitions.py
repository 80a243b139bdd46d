"""Moves between stages: counted from month end to month end, with intervals that know that a customer moves often."""

from datetime import date

import numpy as np
import pytest

from churnml.config import LifecycleRules
from churnml.errors import UsageError
from churnml.events.books import open_books
from churnml.events.clock import midnight
from churnml.measures.intervals import wilson
from churnml.measures.lifecycle import STAGES
from churnml.measures.lifecycle_history import StageHistory, stages_at
from churnml.measures.lives import ALL, Lives, lives, remarks
from churnml.measures.stage_time import stage_time
from churnml.measures.transitions import clustered_wilson, stage_counts, stage_flow, stage_transitions

LIVES = """ann new      mature    mature    churned
           bob -        new       mature    mature
           eve prospect new       declining churned
           dan mature   declining mature    mature"""


def at(day: str) -> int:
    return midnight(date.fromisoformat(day), "UTC")


def lives_of(text: str, *, whole: int | None = None, smallest: int = 1, part=None) -> Lives:
    """Return lives written as text: whose, and the stage at the end of December 2019, January 2020 and so on."""
    lines = [line.split() for line in text.splitlines()]
    codes = [[-1 if stage == "-" else list(STAGES).index(stage) for stage in line[1:]] for line in lines]
    names = np.array([line[0] for line in lines], dtype=object)
    cutoffs = tuple(at(f"2020-{month:02}-01") for month in range(1, len(codes[0]) + 1))
    history = StageHistory(names, cutoffs, np.array(codes, dtype=np.int8).T, 0)
    parts, place = np.unique(part or [ALL] * len(lines), return_inverse=True)
    by = None if part is None else "region"
    return Lives(history, len(cutoffs) - 1 if whole is None else whole, place, tuple(parts), by, smallest, "UTC", ())


def rows(measure, *columns: str) -> list[tuple]:
    """Return the rows of a measure as plain data, those of none left out."""
    return [tuple(row[name] for name in columns) for row in measure.to_json()["rows"]]


def test_a_move_is_from_one_months_end_to_the_next():
    assert rows(stage_transitions(lives_of(LIVES)), "from_stage", "to_stage", "customers", "share") == [
        ("not_known", "new", 1, 1.0),
        ("prospect", "new", 1, 1.0),
        ("new", "mature", 2, 2 / 3),
        ("new", "declining", 1, 1 / 3),
        ("mature", "mature", 3, 3 / 5),
        ("mature", "declining", 1, 1 / 5),
        ("mature", "churned", 1, 1 / 5),
        ("declining", "mature", 1, 1 / 2),
        ("declining", "churned", 1, 1 / 2),
    ]


def test_stages_at_each_months_end_add_up_to_who_was_known_then():
    told = rows(stage_counts(lives_of(LIVES)), "month", "stage", "customers", "share")
    assert [row for row in told if row[2]] == [
        ("2019-12-31", "prospect", 1, 1 / 3), ("2019-12-31", "new", 1, 1 / 3), ("2019-12-31", "mature", 1, 1 / 3),
        ("2020-01-31", "new", 2, 1 / 2), ("2020-01-31", "mature", 1, 1 / 4), ("2020-01-31", "declining", 1, 1 / 4),
        ("2020-02-29", "mature", 3, 3 / 4), ("2020-02-29", "declining", 1, 1 / 4),
        ("2020-03-31", "mature", 2, 1 / 2), ("2020-03-31", "churned", 2, 1 / 2),
    ]  # fmt: skip


def test_who_came_less_who_left_is_what_a_stage_won():
    assert rows(stage_flow(lives_of(LIVES)), "stage", "begin", "entered", "left", "end", "net") == [
        ("prospect", 1, 0, 1, 0, -1),
        ("new", 1, 2, 3, 0, -1),
        ("growing", 0, 0, 0, 0, 0),
        ("mature", 1, 3, 2, 2, 1),
        ("declining", 0, 2, 2, 0, 0),
        ("churned", 0, 2, 0, 2, 2),
        ("won_back", 0, 0, 0, 0, 0),
    ]


def test_parts_add_up_to_all():
    by = stage_transitions(lives_of(LIVES, part=["north", "north", "south", "south"]))
    together = {}
    for part, begin, end, moves in rows(by, "part", "from_stage", "to_stage", "customers"):
        assert part in {"north", "south"}
        together[begin, end] = together.get((begin, end), 0) + moves
    alone = rows(stage_transitions(lives_of(LIVES)), "from_stage", "to_stage", "customers")
    assert together == {(begin, end): moves for begin, end, moves in alone}


def test_what_follows_the_last_whole_month_counts_in_stages_and_not_in_moves():
    told = lives_of(LIVES, whole=2)
    assert sum(moves for (moves,) in rows(stage_transitions(told), "customers")) == 8
    assert rows(stage_counts(told), "month")[-1] == ("2020-03-31",)
    assert [said.en for said in remarks(told, at("2018-01-01"), 90)] == [
        "The stretch up to 2020-03-31 is no whole period: it counts in stages and flow, not in moves and times."
    ]


def test_shares_of_few_are_missing_and_the_numbers_of_customers_stand():
    measure = stage_transitions(lives_of(LIVES, smallest=3))
    found = measure.frame[measure.frame["share"].isna()]
    assert set(found["from_stage"]) == {"not_known", "prospect", "declining"}
    assert measure.frame["customers"].tolist() == stage_transitions(lives_of(LIVES)).frame["customers"].tolist()
    assert "Shares and times of fewer than 3 customers" in measure.remarks[0].en
    flow = stage_flow(lives_of(LIVES, smallest=3)).frame
    assert (flow["begin"] + flow["entered"] - flow["left"] == flow["end"]).all()


def test_a_customer_who_moves_the_same_way_again_and_again_tells_no_more_than_once():
    once, often = wilson([3], [10]), clustered_wilson([30], [100], [300], [1000], [300])
    assert np.allclose(once, often)
    apart = clustered_wilson([30], [100], [30], [100], [30])
    assert np.allclose(apart, wilson([30], [100]))


def test_only_stays_whose_beginning_was_seen_tell_how_long_a_stage_lasts():
    told = stage_time(lives_of(LIVES))
    days = 91 / 3  # January to March, in three steps
    assert rows(told, "stage", "median_days", "customers", "stays", "still_open") == [
        ("new", days, 2, 2, 0),  # bob's and eve's; since when ann is new nobody knows
        ("mature", 2 * days, 3, 3, 2),  # ann left after two, bob and dan were seen for one and are in it still
        ("declining", days, 2, 2, 0),
        ("churned", None, 2, 2, 2),
    ]


ORDERS = "customer_id occurred_at order_id amount\n" + "\n".join(
    [f"anna 2020-{month:02}-05 a{month} 20" for month in range(1, 13)]
    + [f"ben {day} {day} 20" for day in ("2020-01-10", "2020-02-09", "2020-03-10", "2020-04-08")]
)


def test_from_rows_to_moves(tiny):
    """Anna buys on the fifth of each month, Ben four times and then no more."""
    tiny.land(
        customers="customer_id occurred_at region\nanna 2020-01-02 north\nben 2020-01-02 south\ncleo 2020-12-20 south",
        orders=ORDERS,
    )
    cutoffs = [at(day) for day in ("2020-02-01", "2020-06-15", "2020-11-01", "2021-01-01")]
    with open_books(tiny.store, cutoffs[-1]) as books:
        told = lives(books, stages_at(tiny.store, cutoffs, 90, LifecycleRules()), 3, "region", 1)
        assert books.base == sum(count for (count,) in rows(stage_flow(told), "end"))
    assert rows(stage_transitions(told), "part", "from_stage", "to_stage", "customers") == [
        ("north", "new", "mature", 1),
        ("north", "mature", "mature", 2),
        ("south", "not_known", "prospect", 1),
        ("south", "new", "declining", 1),
        ("south", "declining", "churned", 1),
        ("south", "churned", "churned", 1),
    ]


def test_what_nobody_has_parts_nobody(tiny):
    tiny.land(customers="customer_id occurred_at\nanna 2020-01-02", orders=ORDERS.replace("ben", "anna"))
    with open_books(tiny.store, at("2020-06-01")) as books, pytest.raises(UsageError, match="--by must be one of"):
        lives(books, stages_at(tiny.store, [at("2020-06-01")], 90, LifecycleRules()), 0, "shoe_size", 1)
