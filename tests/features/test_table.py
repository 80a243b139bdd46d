"""One row per customer and cutoff, made of that customer's past and of nothing else."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import worlds
from churnml.events import Standing, history
from churnml.events.clock import HOUR, midnight
from churnml.features import build, build_block, catalogue
from churnml.features.table import reads
from small import Tiny

HOUSEHOLD = {"household_size": ("household size", "家庭人数")}
PETS = {"pets": ("pets", "宠物")}
cutoffs_of = st.lists(
    st.integers(8, (worlds.DAYS + 60) * 4).map(lambda quarter: worlds.instant(quarter / 4)),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip


def in_blocks(store, count):
    return replace(store, blocks=count)


def same(one, other):
    """Tell whether two feature tables are the same, bit for bit."""
    return (
        one.names == other.names
        and one.customer_ids.tolist() == other.customer_ids.tolist()
        and one.cutoffs.tobytes() == other.cutoffs.tobytes()
        and one.standing.tobytes() == other.standing.tobytes()
        and one.values.tobytes() == other.values.tobytes()
        and {name: column.tolist() for name, column in one.categories.items()}
        == {name: column.tolist() for name, column in other.categories.items()}
    )


@given(cutoffs_of)
@settings(max_examples=30, derandomize=True, deadline=None)
def test_late_rows_or_not_each_cutoff_is_as_if_built_alone_from_what_was_known_then(world_store, cutoffs):
    features = catalogue(world_store.tables)
    block = history(world_store, 0, cutoffs, reads(features))
    together = build_block(block, features, cutoffs, 60, "UTC")
    for cutoff in cutoffs:
        # the customers' own clock decides who is in the base, so it is the one that is kept
        then = replace(
            block.known_by(cutoff), facts=block.known_by(cutoff).facts | {"customers": block.facts["customers"]}
        )
        alone = build_block(then, features, [cutoff], 60, "UTC")
        assert same(together.take(together.cutoffs == cutoff), alone)


def test_arrow_has_its_own_memory_again_when_the_table_is_built(world_store):
    usual = pa.default_memory_pool().backend_name
    build(world_store, catalogue(world_store.tables), [worlds.instant(30)], 60)
    assert pa.default_memory_pool().backend_name == usual


def test_the_order_in_which_cutoffs_are_asked_does_not_matter(world_store):
    features, cutoffs = catalogue(world_store.tables), [worlds.instant(day) for day in (90, 30, 60)]
    assert same(build(world_store, features, cutoffs, 60), build(world_store, features, sorted(cutoffs), 60))


@pytest.mark.parametrize("count", [2, 16])
def test_one_block_or_many_give_the_same_table(world_store, count):
    features, cutoffs = catalogue(world_store.tables), [worlds.instant(day) for day in (30, 75, 130)]
    one = build(in_blocks(world_store, 1), features, cutoffs, 60)
    assert same(one, build(in_blocks(world_store, count), features, cutoffs, 60))


def test_a_row_is_a_member_of_the_base_once_for_each_cutoff(world, world_store):
    cutoffs = [worlds.instant(day) for day in (20, 80)]
    table = build(world_store, catalogue(world_store.tables), cutoffs, 60)
    pairs = list(zip(table.cutoffs.tolist(), table.customer_ids, strict=True))
    met = [
        (cutoff, row.customer_id)
        for cutoff in cutoffs
        for row in world["customers"]
        if row.event_at < cutoff and row.known_at <= cutoff
    ]
    assert sorted(pairs) == sorted(met)
    assert (np.diff(table.cutoffs) >= 0).all()
    assert (table.standing != Standing.UNKNOWN).all()


@pytest.mark.parametrize("change", ["deleted", "changed", "added"])
@pytest.mark.parametrize("day", [30, 75.25])
def test_rows_beyond_either_clock_change_no_byte(world, world_store, tmp_path, change, day):
    cutoff = worlds.instant(day)
    other = Tiny.make(tmp_path)
    worlds.land(other, worlds.beyond(world, cutoff, change))
    here, there = (
        build(store, catalogue(world_store.tables), [cutoff], 60) for store in (world_store, other.store)
    )  # fmt: skip
    assert same(here, there)
    assert world_store.rows("orders") != other.store.rows("orders") or change == "changed"
    other.catalogue.engine.dispose()


def test_the_proof_above_would_see_a_row_this_side_of_both_clocks(world, world_store, tmp_path):
    cutoff = worlds.instant(75.25)
    other = Tiny.make(tmp_path)
    worlds.land(other, worlds.beyond(world, worlds.instant(74), "deleted"))
    features = catalogue(world_store.tables)
    assert not same(build(world_store, features, [cutoff], 60), build(other.store, features, [cutoff], 60))
    other.catalogue.engine.dispose()


# By hand

ANN = {
    "customers": """
        customer_id occurred_at
        ann         2020-01-01
        new         2020-03-30
    """,
    "orders": """
        customer_id occurred_at         order_id amount discount quantity channel
        ann         2020-01-04T19:00:00 o1       10     0        1        web
        ann         2020-02-03T10:00:00 o2       20     5        2        shop
        ann         2020-02-03T18:00:00 o3       30     -        -        shop
        ann         2020-03-14T18:30:00 o4       40     10       3        -
        ann         2020-03-31T23:59:59 o5       50     -        1        web
        ann         2020-04-01T00:00:00 o6       99     -        1        app
        ann         2020-03-20T12:00:00 free     0      7        1        gift
    """,
    "order_lines": """
        customer_id occurred_at         order_id line category amount discount
        ann         2020-01-04T19:00:00 o1       1    tea      10     0
        ann         2020-02-03T10:00:00 o2       1    tea      10     5
        ann         2020-02-03T10:00:00 o2       2    milk     10     0
        ann         2020-03-14T18:30:00 o4       1    bread    40     10
        ann         2020-04-01T00:00:00 o6       1    meat     99     0
    """,
    "interactions": """
        customer_id occurred_at kind   item
        ann         2020-02-03  redeem c1
        ann         2020-02-03  visit  home
        ann         2020-03-30  redeem c2
    """,
    "contacts": """
        customer_id occurred_at contact_id action arm
        ann         2020-01-20  k1         mail   treated
        ann         2020-03-20  k2         mail   control
        ann         2020-03-22  k3         mail   -
    """,
}
# at midnight of 2020-04-01: order days are 01-04 (Sat), 02-03 (Mon), 03-14 (Sat), 03-31 (Tue); gaps 30, 40, 17
BY_HAND = {
    "recency_days": 1,
    "tenure_days": 88,
    "orders_all": 4,
    "orders_90d": 4,
    "orders_30d": 2,
    "orders_7d": 1,
    "spend_all": 150,
    "spend_30d": 90,
    "spend_7d": 50,
    "basket_all": 25,
    "items_all": 8,
    "discount_share_all": 22 / 172,
    "gap_mean_days": 29,
    "gap_sd_days": np.std([30, 40, 17], ddof=1),
    "gap_last_days": 17,
    "gap_max_days": 40,
    "gap_mean_90d": 29,
    "overdue_ratio": 1 / 29,
    "overdue_spreads": (1 - 29) / np.std([30, 40, 17], ddof=1),
    "orders_per_30_days": 4 * 30 / 88,
    "last_order_amount": 50,
    "basket_max_180d": 50,
    "orders_per_order_day": 6 / 4,
    "orders_change_30d": 2 - 1,
    "spend_change_30d": np.log(91 / 51),
    "spend_slice_1": 50,
    "spend_slice_2": 10,
    "orders_slice_1": 1,
    "channels_all": 3,
    "channels_90d": 3,
    "categories_all": 3,
    "categories_30d": 1,
    "new_categories_90d": 3,
    "discounted_lines_share_90d": 2 / 4,
    "weekend_share": 2 / 4,
    "evening_share": 3 / 4,
    "contacts_all": 2,
    "contacts_30d": 1,
    "days_since_contact": 10,
    "redemptions_all": 2,
    "redemptions_30d": 1,
    "days_since_redemption": 2,
    "redemptions_per_contact": 1,
}


@pytest.fixture(scope="module")
def ann(tmp_path_factory):
    tiny = Tiny.make(tmp_path_factory.mktemp("ann"))
    tiny.land(**ANN)
    yield build(tiny.store, catalogue(tiny.store.tables), [midnight(date(2020, 4, 1), "UTC")], 90)
    tiny.catalogue.engine.dispose()


@pytest.mark.parametrize(("name", "value"), BY_HAND.items())
def test_a_feature_is_what_one_counts_by_hand(ann, name, value):
    assert ann.column(name)[ann.customer_ids == "ann"] == pytest.approx(value, rel=1e-12)


def test_who_has_done_nothing_yet_has_counts_of_zero_and_no_rhythm(ann):
    row = dict(zip(ann.names, ann.values[ann.customer_ids == "new"][0], strict=True))
    assert (row["orders_all"], row["spend_all"], row["contacts_all"], row["categories_90d"]) == (0, 0, 0, 0)
    assert np.isnan([row[name] for name in ("recency_days", "gap_mean_days", "gap_last_days", "basket_all")]).all()


def test_who_has_ordered_on_one_day_has_no_gap_yet(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        orders="customer_id occurred_at order_id amount\na 2020-01-02 o 1",
    )
    table = build(tiny.store, catalogue(tiny.store.tables), [worlds.instant(30)], 90)
    assert np.isnan([table.column(name)[0] for name in ("gap_last_days", "gap_max_days", "gap_mean_days")]).all()
    assert table.column("recency_days")[0] == 29


def test_profile_shows_what_was_known_at_first_contact(tiny):
    tiny.ingest("customers", tiny.file("c.csv", 'customer_id,occurred_at,income_band,attributes\nann,2020-01-01,35-49K,"{""pets"": 2}"\nbob,2020-01-01,,\n'))  # fmt: skip  # noqa: E501
    tiny.land(orders="customer_id occurred_at order_id amount\nann 2020-01-02 o 1")
    table = build(tiny.store, catalogue(tiny.store.tables, PETS), [worlds.instant(30)], 90)
    table = table.take(np.argsort(table.customer_ids.astype(str)))
    assert {name: table.categories[name].tolist() for name in ("income_band", "pets", "region")} == {
        "income_band": ["35-49K", None],
        "pets": ["2", None],
        "region": [None, None],
    }


def test_days_are_those_of_the_workspace(make_tiny):
    tiny = make_tiny(time_zone="America/New_York")
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        orders="""customer_id occurred_at order_id amount
                  a 2020-03-07T23:30:00 o1 1
                  a 2020-03-08T00:30:00 o2 1
                  a 2020-03-08T23:30:00 o3 1""",
    )
    table = build(tiny.store, catalogue(tiny.store.tables), [midnight(date(2020, 3, 9), "America/New_York")], 90)
    found = [table.column(name)[0] for name in ("orders_all", "recency_days", "gap_last_days", "evening_share")]
    assert found == [2, 1, 1, 0.5]


def test_a_day_counts_as_ordering_by_its_net_amount_as_known_at_each_cutoff(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        orders="""customer_id occurred_at order_id amount
                  a 2020-01-20T10:00:00 o1 10
                  a 2020-02-03T09:00:00 o2 50
                  a 2020-02-03T18:00:00 o3 -50""",
    )
    noon = midnight(date(2020, 2, 3), "UTC") + 12 * HOUR
    table = build(tiny.store, catalogue(tiny.store.tables), [noon, noon + 12 * HOUR], 90)
    assert [table.column(name).tolist() for name in ("orders_all", "recency_days")] == [[2, 1], [0, 15]]


# The Complete Journey


@pytest.fixture(scope="module")
def journey(store):
    cutoffs = [midnight(date(2017, 4, 2) + timedelta(days=107 * k), "UTC") for k in range(3)]
    return build(store, catalogue(store.tables, HOUSEHOLD), cutoffs, 90)


def test_a_value_is_missing_only_where_the_feature_says_what_that_means(store, journey):
    silent = {feature.name for feature in catalogue(store.tables).numeric if not feature.missing}
    holes = {name for name in journey.names if np.isnan(journey.column(name)).any()}
    assert not holes & silent


def test_no_value_is_endless(journey):
    assert not np.isinf(journey.values).any()


def test_many_cutoffs_give_what_one_alone_gives(store, journey):
    last = journey.cutoffs.max()
    alone = build(store, catalogue(store.tables, HOUSEHOLD), [last], 90)
    assert same(alone, journey.take(journey.cutoffs == last))


@pytest.mark.parametrize(("day", "members"), [(date(2017, 11, 2), 2_305), (date(2017, 12, 4), 2_318)])
def test_the_table_marks_the_population_of_the_published_protocols(store, day, members):
    table = build(store, catalogue(store.tables), [midnight(day, "UTC")], 90)
    assert table.in_population.sum() == members
