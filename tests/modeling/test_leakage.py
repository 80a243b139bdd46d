"""The check for leakage: silent where the future owes nothing to the past, red where a column reads it."""

from dataclasses import replace

import numpy as np
import pytest

from churnml.errors import BrokenCheckError, NotEnoughDataError
from churnml.events.clock import DAY, moment
from churnml.features import Aggregate, Catalogue, Feature, Text, catalogue
from churnml.modeling.alone import alone, alone_of
from churnml.modeling.backtest import judge_last_origin
from churnml.modeling.comparison import differences
from churnml.modeling.cutoffs import cutoffs_before
from churnml.modeling.leakage import Planted, _delays, _require_rung, check_leakage, judged_at
from memoryless import CONFIG, now_of, simulated, store_of


@pytest.fixture(scope="module")
def found(memoryless, tmp_path_factory):
    """Return what the check finds in it."""
    store = store_of(memoryless)
    cutoff = judged_at(store, now_of(store), CONFIG)
    return check_leakage(store, catalogue(store.tables), cutoff, CONFIG, tmp_path_factory.mktemp("scratch"))


AHEAD = Feature(
    name="orders_ahead_7d", family="own", group="ahead", unit="orders", table="orders",
    needs=(Aggregate("purchase_days", "sum", "event", days=7, lag=-7),),
    meaning=Text("orders in the next 7 days", "未来 7 天订单数"), sentence=Text("{value}", "{value}"),
)  # fmt: skip
"""What a slip of the sign makes: a window that ends a week after the cutoff."""


def by_chance(figure, value=None):
    """Tell whether an AUROC lies within three standard errors of a half; one market in 400 would not."""
    return abs((value or figure.auroc) - 0.5) < 3 * (figure.high - figure.low) / (2 * 1.96)


def test_where_the_future_owes_nothing_to_the_past_nothing_is_found(found):
    assert found.findings == []
    assert found.wall.rows > 200
    assert sum(one.ahead for one in found.wall.hidden.values()) > 1_000


def test_where_the_future_owes_nothing_to_the_past_a_model_ranks_no_better_than_chance(found):
    assert by_chance(found.delays)
    assert found.delays.high - found.delays.low < 0.15


def test_planted_columns_that_read_the_future_are_found(found):
    week, horizon = found.planted
    assert (week.days, horizon.days, horizon.rang) == (7, 30, True)
    assert week.rows > 50  # alone, a week tells this few customers too little to be called a leak


def test_a_feature_that_looks_a_week_ahead_does_not_get_past_the_wall(memoryless, tmp_path):
    store = store_of(memoryless)
    cutoff = judged_at(store, now_of(store), CONFIG)
    only = Catalogue((*(one for one in catalogue(store.tables).features if one.name == "orders_all"), AHEAD), {})
    found = check_leakage(store, only, cutoff, CONFIG, tmp_path)
    assert [one.name for one in found.wall.differences] == ["orders_ahead_7d"]
    assert found.findings[0].said().startswith("the wall: `orders_ahead_7d` is another in")
    assert found.to_json()["found"][0]["code"] == "other_without_future"


def test_every_table_of_the_features_is_delayed_by_a_day_and_by_a_week(found):
    assert {(one.table, one.days) for one in found.delays.costs} >= {("orders", 1), ("orders", 7), ("tickets", 7)}


def test_a_column_that_is_the_label_is_red_and_one_that_is_chance_is_not():
    rng = np.random.default_rng(0)
    left = rng.random(600) < 0.2
    almost = left + rng.normal(0, 0.2, 600)
    assert alone_of(almost, left, "x").alarm == "red"
    assert alone_of(rng.random(600), left, "x").alarm == ""


def test_long_silence_is_asked_about_and_not_called_a_leak():
    rng = np.random.default_rng(0)
    silence = rng.integers(1, 10, 2_000).astype(float)
    left = (silence > 8) | (rng.random(2_000) < 0.4)
    assert alone_of(silence, left, "recency_days").alarm == "question"


def test_what_is_missing_is_counted_and_what_is_known_is_ranked():
    left = np.arange(400) % 2 == 0
    values = np.where(np.arange(400) < 100, np.nan, np.where(left, 1.0, 2.0) + np.arange(400) % 7)
    told = alone_of(values, left, "x")
    assert (told.missing, told.auroc_missing, told.higher) == (0.25, 0.5, "stay")
    assert told.low < told.auroc < told.high


def test_a_feature_someone_vouches_for_raises_no_alarm(market_table):
    table, left = market_table
    leaky = replace(table, names=("leak",), values=left[:, None].astype(float), categories={})
    assert [one.alarm for one in alone(leaky, left)] == ["red"]
    assert [one.alarm for one in alone(leaky, left, keep=["leak"])] == [""]


def test_why_delays_were_not_measured_is_said_as_training_says_it(memoryless):
    store, short = store_of(memoryless), CONFIG.model_copy(update={"min_history_days": 170})
    cutoff = judged_at(store, now_of(store), CONFIG)
    with pytest.raises(NotEnoughDataError) as refused:
        cutoffs_before(store, cutoff, short)
    why = _delays(store, catalogue(store.tables), cutoff, short, lambda _done, _all: None)
    assert why.said() == f"before {moment(cutoff).date()}, {refused.value}"
    assert f"在 {why.day} 之前需要 {why.needs_days} 天历史" in why.said("zh")


@pytest.fixture(scope="module")
def market_table(market):
    """Return the rows of the tests' market at one cutoff, and who left."""
    table = market.table(240)
    table = table.take(table.modelled)
    return table, market.labels(table)[0]


def test_two_tables_differ_where_a_bit_does_and_missing_equals_missing(market_table):
    table, _ = market_table
    values = np.array(table.values)
    values[3, table.names.index("spend_90d")] = np.nextafter(values[3, table.names.index("spend_90d")], np.inf)
    (only,) = differences(table, replace(table, values=values))
    assert (only.name, only.rows, only.customer_id) == ("spend_90d", 1, table.customer_ids[3])


def test_tables_of_other_customers_differ_by_them(market_table):
    table, _ = market_table
    (only,) = differences(table, table.take(np.arange(1, len(table))))
    assert (only.name, only.rows, only.customer_id) == ("customers in the base", 1, table.customer_ids[0])


def test_an_alarm_that_stays_silent_is_an_error_of_the_check_itself():
    silent = Planted(30, 0, alone_of(np.arange(100.0), np.arange(100) % 2 == 0, "x"))
    with pytest.raises(BrokenCheckError, match="the alarm must ring at a planted column"):
        _require_rung([silent])


def test_a_cutoff_whose_horizon_is_not_over_is_refused_with_the_last_that_would_do(memoryless):
    store = store_of(memoryless)
    now = now_of(store)
    with pytest.raises(NotEnoughDataError, match="choose a --cutoff of 2023-06-30 or before"):
        judged_at(store, now, CONFIG, now - 20 * DAY)


def test_too_few_who_left_are_refused_in_words(tiny, tmp_path):
    orders = "\n".join(f"a 2020-01-{day:02} o{day} 1" for day in range(1, 31))
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01", orders=f"customer_id occurred_at order_id amount\n{orders}"
    )
    config = CONFIG.model_copy(update={"horizon_days": 7})
    cutoff = judged_at(tiny.store, now_of(tiny.store), config)
    with pytest.raises(NotEnoughDataError, match="found 0 and 1; choose another --cutoff or --horizon-days"):
        check_leakage(tiny.store, catalogue(tiny.store.tables), cutoff, config, tmp_path)


@pytest.mark.long
def test_a_memoryless_market_is_ranked_by_chance_by_the_whole_pipeline(tmp_path):
    store = store_of(simulated(tmp_path, 3_000, 500))
    judged = judge_last_origin(store, catalogue(store.tables), now_of(store), CONFIG, 0.3)
    for method in judged.contests["churn"].methods:
        assert by_chance(method.figures["auroc"], method.figures["auroc"].value), method.name
