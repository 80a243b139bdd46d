"""The figures of a business, each from a few customers whose figure can be counted by hand."""

import re
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from churnml.config import KpiConfig, load_config
from churnml.errors import UsageError
from churnml.events.books import open_books
from churnml.events.clock import days_later, midnight
from churnml.events.point_in_time import history, outcome
from churnml.events.population import Standing, standing
from churnml.labels.churn import churned
from churnml.measures.cells import cell_of
from churnml.measures.kpi_figures import shares
from churnml.measures.kpi_ground import Ground
from churnml.measures.kpi_list import KPIS, Windows
from churnml.measures.kpi_retention import retention_by_orders
from churnml.measures.kpi_targets import Target, changed, judged
from churnml.measures.kpis import kpis, require_sound
from churnml.measures.measure import Asked
from churnml.measures.periods import periods
from small import Tiny

DAYS = Windows(
    horizon_days=30,
    population_days=30,
    grace_days=10,
    return_days=10,
    conversion_days=10,
    repeat_days=10,
    answer_days=5,
    category_days=30,
    price_days=30,
)
JUNE = midnight(date(2024, 6, 1), "UTC")
APRIL = (midnight(date(2024, 4, 1), "UTC"), midnight(date(2024, 5, 1), "UTC"))

SHOP = {
    "customers": """
        customer_id  occurred_at  region  acquisition_cost
        ann          2024-01-10   north   -
        bob          2024-03-10   north   -
        cem          2024-04-22   south   6
        dan          2024-03-25   south   -
        eve          2024-03-28   north   10
        fay          2024-03-29   south   4
    """,
    "orders": """
        customer_id  occurred_at  order_id  amount  cost  quantity
        ann          2024-01-10   a1        30      -     3
        ann          2024-03-20   a2        30      -     3
        ann          2024-04-15   a3        40      -     2
        bob          2024-03-10   b1        40      -     1
        cem          2024-04-22   c1        10      -     1
        cem          2024-04-26   c2        30      -     1
        dan          2024-03-25   d1        20      -     2
        dan          2024-04-02   d2        20      -     2
        eve          2024-04-05   e1        50      30    1
    """,
    "order_lines": """
        customer_id  occurred_at  order_id  line  category  amount
        ann          2024-01-10   a1        1     tea       30
        ann          2024-04-15   a3        1     tea       20
        ann          2024-04-15   a3        2     coffee    20
        dan          2024-03-25   d1        1     tea       20
        dan          2024-04-02   d2        1     tea       20
    """,
    "returns": """
        customer_id  occurred_at  order_id  amount
        dan          2024-03-30   d1        20
        eve          2024-04-20   e1        10
    """,
    "contacts": """
        customer_id  occurred_at  contact_id  action  cost  arm
        ann          2024-04-10   k1          call    3     treated
        bob          2024-04-11   k2          call    1     -
        dan          2024-04-12   k3          call    5     control
        fay          2024-04-01   k4          mail    2     -
        fay          2024-04-08   k5          mail    9     -
        eve          2024-04-05   k6          mail    7     -
    """,
}

CONTRACTS = {
    "customers": """
        customer_id  occurred_at
        ann          2024-01-01
        bob          2024-01-01
        cem          2024-01-01
        dan          2024-01-01
        eve          2024-04-25
    """,
    "subscriptions": """
        customer_id  occurred_at  subscription_id  plan   amount  period  started_at  ended_at
        ann          2024-01-01   s1               basic  10      month   2024-01-01  2024-04-01
        bob          2024-01-01   s2               basic  10      month   2024-01-01  2024-04-05
        bob          2024-04-10   s3               basic  120     year    2024-04-10  -
        cem          2024-01-01   s4               basic  10      month   2024-01-01  -
        cem          2024-04-10   s4               plus   15      month   2024-01-01  -
        dan          2024-01-01   s5               trial  10      month   2024-01-01  -
        eve          2024-04-25   s6               basic  10      month   2024-04-25  -
    """,
}

SERVICE = {
    "customers": """
        customer_id  occurred_at
        ann          2024-01-10
        bob          2024-01-10
        cem          2024-01-10
        dan          2024-01-10
        eve          2024-01-10
    """,
    "orders": """
        customer_id  occurred_at  order_id  amount
        ann          2024-01-10   a0        10
        ann          2024-04-01   a1        10
        bob          2024-04-01   b1        10
        cem          2024-04-01   c1        10
        dan          2024-04-01   d1        10
        eve          2024-04-01   e1        10
    """,
    "surveys": """
        customer_id  occurred_at  survey_id  instrument  answered_at  score
        ann          2024-04-10   1          csat        2024-04-12   5
        bob          2024-04-10   2          csat        2024-04-12   4
        cem          2024-04-10   3          csat        2024-04-12   2
        dan          2024-04-10   4          csat        -            -
        ann          2024-04-10   5          nps         2024-04-12   10
        bob          2024-04-10   6          nps         2024-04-12   9
        cem          2024-04-10   7          nps         2024-04-12   7
        dan          2024-04-10   8          nps         2024-04-20   3
        ann          2024-04-10   9          ces         2024-04-12   7
        bob          2024-04-10   10         ces         2024-04-12   4
        ann          2024-04-10   11         review      2024-04-12   5
        bob          2024-04-10   12         review      2024-04-12   3
    """,
    "tickets": """
        customer_id  occurred_at       ticket_id  kind       first_response_at  resolved_at
        ann          2024-04-03T00:00  1          complaint  2024-04-03T02:00   2024-04-03T10:00
        bob          2024-04-04T00:00  2          question   2024-04-04T04:00   -
        cem          2024-04-05T00:00  3          Problem    2024-04-05T06:00   2024-04-05T20:00
    """,
    "interactions": """
        customer_id  occurred_at  kind
        ann          2024-04-20   view
        bob          2024-04-20   share
    """,
}


def measured(folder, tables, *, by=None, smallest=1, every="month", span=APRIL, forecasts=None, **more):
    """Return the measures of a world, by name."""
    tiny = Tiny.make(folder)
    tiny.land(JUNE, **tables)
    asked = Asked(*span, every=every, by=by, smallest=smallest)
    with open_books(tiny.store, span[1]) as books:
        if forecasts is not None:
            books.add("kpi_forecasts", pd.DataFrame(forecasts))
        found = kpis(books, asked, windows=DAYS, **more)
    tiny.catalogue.engine.dispose()
    return {one.name: one for one in found}


def values(measures):
    return dict(zip(*(measures["kpis"].frame[name] for name in ("kpi", "value")), strict=True))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    forecasts = {"customer_id": ["ann", "eve"], "clv": [20.0, 40.0]}
    return measured(tmp_path_factory.mktemp("shop"), SHOP, forecasts=forecasts)


@pytest.fixture(scope="module")
def contracts(tmp_path_factory):
    return values(measured(tmp_path_factory.mktemp("contracts"), CONTRACTS))


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    return values(measured(tmp_path_factory.mktemp("service"), SERVICE))


def test_growth_counts_who_ordered_in_the_population_window_at_both_ends(shop):
    found = values(shop)
    assert found["customers"] == 6
    assert found["active_customers"] == 4  # ann, cem, dan, eve ordered in the 30 days before May
    assert found["net_growth"] == 1  # ann, bob, dan had in the 30 days before April
    assert found["growth_rate"] == pytest.approx(1 / 3)
    assert found["new_customers"] == 2  # cem and eve


def test_of_two_prospects_one_converts_in_ten_days_and_who_came_as_a_buyer_was_none(shop):
    assert values(shop)["conversion_rate"] == 1 / 2  # eve, not fay; dan bought on his first day


def test_one_of_three_active_before_april_is_silent_in_its_thirty_days(shop):
    assert values(shop)["churn_rate"] == pytest.approx(1 / 3)  # bob, of ann, bob, dan
    assert values(shop)["retention_rate"] == pytest.approx(2 / 3)


def test_what_was_bought_in_april(shop):
    found = values(shop)
    assert found["revenue"] == 150
    assert found["basket"] == 150 / 5
    assert found["order_frequency"] == 5 / 4
    assert found["returning_rate"] == 2 / 4  # ann and dan, of four buyers


def test_a_first_order_is_repeated_in_ten_days_by_one_of_two_whose_ten_days_ended(shop):
    assert values(shop)["repeat_rate"] == 1 / 2  # dan after 8 days; eve never; the ten days of cem end in May


def test_a_return_counts_where_it_came_within_ten_days(shop):
    assert values(shop)["return_rate"] == 1 / 4  # d1 of d1, d2, e1, a3; e1 came back after 15 days
    assert values(shop)["return_rate_money"] == pytest.approx(20 / 130)


def test_of_two_who_bought_again_one_took_a_new_category_and_dearer_goods(shop):
    assert values(shop)["cross_sell_rate"] == 1 / 2  # ann took coffee
    assert values(shop)["up_sell_rate"] == 1 / 2  # ann paid 10 and then 20 for a unit, dan 10 and 10


def test_value_is_margin_so_far_less_what_went_back(shop):
    found = values(shop)
    # a quarter of 100, 40, 40 and of the 20 that dan kept; of eve 50 - 30, and 2/5 of the 10 she sent back
    assert found["clv_historic"] == pytest.approx((25 + 10 + 10 + 5 + 16) / 5)
    assert found["clv_predicted"] == 30
    assert found["clv_to_cac"] == pytest.approx((10 + 16) / (6 + 10))
    assert found["clv_total_to_cac"] == pytest.approx((16 + 40) / 10)


def test_costs_are_those_of_new_customers_of_prospects_and_of_who_stayed(shop):
    found = values(shop)
    assert found["cac"] == 8  # cem and eve
    assert (
        found["cost_per_conversion"] == 10 + 4 + 2
    )  # eve, fay and her first mail: ten days from 29 March end before the second, and eve
    # had converted by the day of hers; for eve alone
    assert found["cost_to_retain"] == (3 + 1) / 2  # ann and bob were called, dan not; ann and dan stayed


def test_a_contract_that_another_continues_in_the_grace_period_is_not_left(contracts):
    assert contracts["contract_churn_rate"] == pytest.approx(1 / 3)  # ann; bob has s3, dan was on trial
    assert contracts["contract_retention_rate"] == pytest.approx(2 / 3)
    assert contracts["plan_up_rate"] == 1 / 2  # cem went to plus; 120 a year are 10 a month


def test_who_holds_a_contract_is_active(contracts):
    assert contracts["active_customers"] == 3  # bob, cem, eve
    assert contracts["net_growth"] == 0
    assert contracts["new_customers"] == 1


def test_where_there_are_no_orders_contracts_bring_what_they_cost_day_by_day(contracts):
    days = {"ann": 0 / 10, "bob": 4 / 10 + 21 / 10, "cem": 9 / 10 + 21 * 1.5 / 10, "eve": 6 / 10}
    a_month = 365.25 / 12
    assert contracts["revenue"] == pytest.approx(100 * sum(days.values()) / a_month)
    before = 100 * (91 + 91 + 91) / 10 / a_month  # ann, bob and cem, January to March
    assert contracts["clv_historic"] == pytest.approx((before + contracts["revenue"]) / 4 / 4)


def test_what_surveys_said(service):
    assert service["csat"] == pytest.approx(2 / 3)
    assert service["nps"] == pytest.approx(100 * (2 - 1) / 4)
    assert service["ces"] == 75
    assert service["review"] == 4
    assert service["answer_rate"] == pytest.approx(10 / 12)  # one never, one after ten days
    assert service["feedback_rate"] == 4 / 5


def test_complaints_referrals_and_waiting(service):
    assert service["complaints_per_100_orders"] == 40
    assert service["complaint_rate"] == 2 / 5
    assert service["referral_rate"] == 1 / 5
    assert service["first_response_hours"] == 4
    assert service["resolution_hours"] == 20  # one of three is open


def test_every_figure_is_told_by_one_of_these_worlds(shop, contracts, service):
    told = {name for found in (values(shop), contracts, service) for name, value in found.items() if pd.notna(value)}
    assert told == {kpi.name for kpi in KPIS}


def test_a_share_has_wilsons_interval_and_a_count_has_none(shop):
    row = shop["kpis"].frame.set_index("kpi").loc
    assert row["churn_rate"][["low", "high"]].round(3).tolist() == [0.061, 0.792]
    assert row["customers"][["low", "high"]].isna().all()


def test_answers_of_one_customer_count_less_than_as_many_of_several():
    # two customers with ten answers each, all alike, are worth two answers
    share, low, high = shares(*(np.array([one]) for one in (10.0, 20.0, 100.0, 200.0, 100.0, 2.0)))
    assert share[0] == 0.5
    assert (low[0], high[0]) == pytest.approx((0.0945, 0.9055), abs=1e-4)


def test_counts_of_the_parts_add_up_to_all(tmp_path):
    frame = measured(tmp_path, SHOP, by="region")["kpis"].frame
    counts = frame[frame["kpi"].isin(["customers", "active_customers", "new_customers", "net_growth", "revenue"])]
    summed = counts[counts["part"] != "all"].groupby("kpi")["value"].sum()
    pd.testing.assert_series_equal(summed, counts[counts["part"] == "all"].set_index("kpi")["value"].sort_index())


def test_figures_of_few_are_hidden_and_what_lacks_is_said(tmp_path):
    found = measured(tmp_path, {"customers": SHOP["customers"], "orders": SHOP["orders"]}, smallest=4)
    said = " ".join(remark.en for remark in found["kpis"].remarks)
    assert np.isnan(values(found)["churn_rate"])
    assert values(found)["customers"] == 6
    assert "values are withheld: they rest on fewer than 4 customers" in said
    assert "Without `surveys` these are not told: CSAT" in said
    assert "No scores are in service" in said


def test_a_period_that_looks_back_beyond_the_history_is_not_told(tmp_path):
    january = (midnight(date(2024, 1, 1), "UTC"), midnight(date(2024, 2, 1), "UTC"))
    found = measured(tmp_path, SHOP, span=january)
    assert np.isnan(values(found)["churn_rate"])
    assert "The history begins on 2024-01-10" in found["kpis"].remarks[-2].en + found["kpis"].remarks[-3].en


def test_an_unknown_kpi_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="there is no KPI `churn_rat`; did you mean `churn_rate`"):
        measured(tmp_path, SHOP, targets={"churn_rat": Target("at_most", 0.1)})


def test_a_target_is_missed_only_where_the_whole_interval_lies_beyond_it():
    figures = pd.DataFrame({"kpi": ["churn_rate"] * 4, "part": "all", "value": [0.04, 0.06, 0.09, np.nan]})
    figures = figures.assign(low=[0.03, 0.04, 0.07, np.nan], high=[0.06, 0.08, 0.11, np.nan])
    told = judged(figures, {"churn_rate": Target("at_most", 0.05)})
    assert told["verdict"].tolist() == ["met", "missed_within_noise", "missed", "unknown"]


def test_a_part_may_have_a_target_of_its_own_and_a_count_has_none_without():
    figures = pd.DataFrame({"kpi": ["nps", "nps", "revenue"], "part": ["all", "north", "north"], "value": [25.0] * 3})
    figures = figures.assign(low=np.nan, high=np.nan)
    aims = {"nps": Target("at_least", 30, {"north": ("at_least", 20)}), "revenue": Target("at_least", 1e6)}
    assert judged(figures, aims)["verdict"].tolist() == ["missed", "met", "no_target"]


def test_a_change_is_told_where_its_interval_leaves_zero_out():
    def of(value, half):
        return pd.DataFrame({"kpi": ["churn_rate"], "part": ["all"], "value": [value]}).assign(
            low=value - half, high=value + half
        )

    # 3 and 4 make 5, so a change of 5 hundredths and more is beyond noise
    moved = [changed(of(value, 0.03), of(0.20, 0.04))["moved"][0] for value in (0.26, 0.24, 0.14)]
    assert moved == ["worse", "within_noise", "better"]


@pytest.mark.parametrize("kpi", ["clv_historic", "clv_to_cac", "cross_sell_rate"])
def test_what_moves_by_itself_as_the_history_grows_is_not_called_better_or_worse(kpi):
    now, before = (pd.DataFrame({"kpi": [kpi], "part": ["all"], "value": [value]}) for value in (0.9, 0.1))
    told = changed(*(one.assign(low=one["value"] - 0.01, high=one["value"] + 0.01) for one in (now, before)))
    assert (told["change"][0], told["moved"][0]) == (pytest.approx(0.8), "by_itself")


@pytest.mark.parametrize("target", [Target("at_most", 5), Target("at_most", 0.05, {"north": ("at_most", 7)})])
def test_a_target_of_a_share_that_is_none_is_refused(target):
    with pytest.raises(UsageError, match=r"`churn_rate` is a share .* 0.05 is 5 %\), got [57]"):
        require_sound({"churn_rate": target}, "targets")


def test_growth_and_scores_may_have_targets_beyond_one():
    require_sound({"growth_rate": Target("at_least", -0.1), "nps": Target("at_least", 30)}, "targets")


def test_a_target_of_a_part_that_nobody_is_in_is_named(tmp_path):
    aims = {"nps": Target("at_least", 30, {"nroth": ("at_least", 20)})}
    said = [one.en for one in measured(tmp_path, SHOP, by="region", targets=aims)["kpis"].remarks]
    assert "Nobody is in `nroth`, of which `targets` speak; by `region` there are `north`, `south`." in said


def test_the_churn_rate_of_a_period_is_the_label_of_a_horizon_before_its_end(store):
    end = midnight(date(2017, 12, 1), "UTC")
    cutoff = days_later(end, -60, "UTC")
    block = history(store.undivided, 0, [cutoff], {"orders": ("amount",)})
    inside = standing(block, [cutoff], 90, "UTC")[0] == Standing.POPULATION
    label = churned(outcome(store.undivided, 0, [cutoff], 60, end, 0))[0]
    with open_books(store, end) as books:
        november = periods(midnight(date(2017, 11, 1), "UTC"), end, "month", "UTC")
        ground = Ground.lay(books, november, Windows(horizon_days=60, population_days=90), None, 0.25)
        churn = next(iter(retention_by_orders(ground)))
    assert (churn["y"][0], churn["x"][0]) == (label[inside].sum(), inside.sum())


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
def test_a_definition_names_the_same_days_in_both_languages(kpi):
    en, zh = (set(re.findall(r"{\w+}", text)) for text in (kpi.definition.en, kpi.definition.zh))
    assert en == zh
    assert "{" not in kpi.defined(DAYS).en


def test_the_settings_that_are_delivered_are_the_defaults():
    file = Path(__file__).parent.parent.parent / "configs" / "kpis.yaml"
    assert load_config(file, KpiConfig, required=True) == KpiConfig()


def test_a_change_of_a_share_is_told_in_percentage_points_and_one_of_money_in_money():
    about = {"unit": "change", "unit_in": "unit", "words": None}
    share, money = {"change": -0.0061, "unit": "share"}, {"change": 1.91, "unit": "money"}
    assert cell_of(share, "change", about, "USD", "en") == "-0.6 pp"
    assert cell_of(share, "change", about, "USD", "zh") == "-0.6 个百分点"
    assert cell_of(money, "change", about, "USD", "en") == "$1.91"
