"""Habits: shares of acts by kind, channel, time of the day and category, of those who acted often enough."""

from datetime import date
from math import log, sqrt

import numpy as np
import pytest

from churnml.config import GroupSettings
from churnml.events.books import open_books
from churnml.events.clock import DAY, midnight
from churnml.measures.habits import Habit, habit_table, habits
from churnml.measures.kept_groups import KeptGroups, found_groups, group_table, outdated
from small import Tiny

BEGIN, END = midnight(date(2021, 3, 1), "UTC"), midnight(date(2021, 4, 1), "UTC")

TABLES = {
    "customers": """
        customer_id  occurred_at
        ann          2021-01-01
        bob          2021-01-01
    """,
    "orders": """
        order_id  customer_id  occurred_at           amount  channel
        1         ann          2021-03-02T19:00:00Z  10      app
        2         ann          2021-02-02T19:00:00Z  10      shop
    """,
    "interactions": """
        customer_id  occurred_at           kind    channel  category  query
        ann          2021-03-01T20:00:00Z  visit   app      -         -
        ann          2021-03-06T09:00:00Z  visit   web      -         -
        ann          2021-03-06T09:01:00Z  view    web      garden    -
        bob          2021-03-08            search  -        -         GARDEN-chairs
    """,
}  # fmt: skip


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    tiny = Tiny.make(tmp_path_factory.mktemp("habits"))
    tiny.land(**TABLES)
    with open_books(tiny.store, END) as books:
        yield books
    tiny.catalogue.engine.dispose()


def columns(books, side, *keys, fewest=1):
    chosen = tuple(Habit.of(key) for key in keys)
    table = habit_table(books, side, chosen, BEGIN, END, fewest)
    return {who: told for who, *told in books.connection.execute(f'SELECT * FROM "{table}"').fetchall()}


def test_a_habit_is_the_root_of_its_share_and_activity_a_logarithm(books):
    found = columns(
        books, "behaviour", "activity", "kind=visit", "kind=order", "channel=app", "daypart=evening", "weekend=weekend"
    )
    assert found["ann"] == pytest.approx([log(5), sqrt(1 / 2), sqrt(1 / 4), sqrt(1 / 2), sqrt(1 / 2), sqrt(1 / 2)])


def test_what_is_not_known_of_somebody_is_empty_a_date_without_a_time_and_an_act_without_a_channel(books):
    assert columns(books, "behaviour", "channel=app", "daypart=evening", "kind=visit")["bob"] == [None, None, 0.0]


def test_interests_are_categories_looked_at_or_bought_and_words_searched_for(books):
    found = columns(books, "interests", "category=garden", "word=garden", "word=chairs")
    assert found["ann"] == [1.0, None, None]


def test_who_acted_too_seldom_has_no_columns(books):
    assert set(columns(books, "behaviour", "kind=visit", fewest=2)) == {"ann"}


def test_the_columns_are_the_sorts_of_acts_that_are_common(books):
    keys = [habit.key for habit in habits(books, "behaviour", BEGIN, END)]
    assert keys[:3] == ["activity", "channel=app", "channel=web"]
    assert "kind=order" in keys
    assert "weekend=weekday" not in keys


@pytest.fixture(scope="module")
def two_kinds(tmp_path_factory):
    """Return books in which half of 120 customers visit the app in the evening, and half the shop in the morning."""
    tiny = Tiny.make(tmp_path_factory.mktemp("kinds"))
    usual, other = {0: ("19", "app"), 1: ("09", "shop")}, ("12", "web")
    acts = []
    for who in range(120):
        for day in range(1, 25 + who % 3):
            hour, channel = other if (who * 31 + day * 17) % 7 == 0 else usual[who % 2]
            acts.append(f"c{who:03d} 2021-03-{day:02d}T{hour}:{who % 60:02d}:00Z visit {channel}")
    tiny.land(
        customers="\n".join(["customer_id occurred_at", *(f"c{who:03d} 2021-01-01" for who in range(121))]),
        orders="order_id customer_id occurred_at amount\n1 c000 2021-03-02 5",
        interactions="\n".join(["customer_id occurred_at kind channel", *acts]),
    )
    with open_books(tiny.store, END) as books:
        yield books
    tiny.catalogue.engine.dispose()


SETTINGS = GroupSettings(most=2, draws=5, days=31)


@pytest.fixture(scope="module")
def kept(two_kinds):
    return found_groups(two_kinds, "behaviour", SETTINGS, BEGIN, END, 0)


def test_two_kinds_of_customers_are_two_groups_named_by_what_they_do_and_nearly_everybody_is_in_one(two_kinds, kept):
    table = group_table(two_kinds, kept, BEGIN, END, SETTINGS.fewest_acts)
    found = dict(two_kinds.connection.execute(f"SELECT customer_id, segment FROM {table}").fetchall())
    label = dict(zip(kept.ids, kept.labels, strict=True))
    assert len(kept.ids) == 2
    assert len(found) == 120  # the last customer did nothing
    assert {label[found[f"c{who:03d}"]].en for who in range(0, 120, 2)} == {"By app, in the evening, seldom by shop"}
    assert {label[found[f"c{who:03d}"]].zh for who in range(1, 120, 2)} == {"常用门店、上午活跃、少用App"}


def test_groups_found_anew_bear_the_ids_of_those_they_continue(two_kinds, kept):
    turned = KeptGroups.of_json(kept.to_json() | {"ids": ["b8", "b7"], "used": 8})
    anew = found_groups(two_kinds, "behaviour", SETTINGS, BEGIN, END, 5, turned)
    told = dict(zip((label.en for label in kept.labels), turned.ids, strict=True))
    assert dict(zip((label.en for label in anew.labels), anew.ids, strict=True)) == told
    assert anew.used == 8


def test_groups_are_kept_as_plain_data_that_read_back_to_the_same(kept):
    again = KeptGroups.of_json(kept.to_json())
    assert again.to_json() == kept.to_json()
    assert np.array_equal(again.centres, kept.centres)


def test_groups_are_outdated_when_they_are_old_or_the_data_have_another_shape(two_kinds, kept):
    assert not outdated(kept, two_kinds, SETTINGS, BEGIN, END)
    old = KeptGroups.of_json(kept.to_json() | {"fitted_at": END - 181 * DAY})
    assert outdated(old, two_kinds, SETTINGS, BEGIN, END)
    younger = {"fitted_at": END - DAY}
    assert not outdated(KeptGroups.of_json(kept.to_json() | younger), two_kinds, SETTINGS, BEGIN, END)
    assert outdated(
        KeptGroups.of_json(kept.to_json() | younger | {"tables": ["orders"]}), two_kinds, SETTINGS, BEGIN, END
    )


def test_too_few_customers_tell_no_groups(books):
    assert found_groups(books, "behaviour", SETTINGS, BEGIN, END, 0) is None
