"""The funnel: who of those who came reached which stage, after how many days, and where most are lost."""

from datetime import date

import pytest

from churnml.config import FunnelRules
from churnml.errors import ConfigError, NotEnoughDataError
from churnml.events.books import open_books
from churnml.events.clock import midnight
from churnml.measures.funnel import funnel_stage_of_each
from churnml.measures.funnel_measures import funnel_measures
from churnml.measures.funnel_stages import chosen_stages
from churnml.measures.measure import Asked
from small import Tiny

CUSTOMERS = """
customer_id occurred_at acquisition_channel
A 2021-03-01T08:00:00Z web
B 2021-03-01T08:00:00Z web
C 2021-03-02T08:00:00Z web
D 2021-03-03T08:00:00Z shop
E 2021-03-21T08:00:00Z shop
OLD 2021-01-05T08:00:00Z web
OLDER 2021-02-02T08:00:00Z shop
"""
INTERACTIONS = """
customer_id occurred_at kind
A 2021-03-02T09:00:00Z demo
B 2021-03-04T09:00:00Z demo
A 2021-03-05T09:00:00Z trial
D 2021-03-04T09:00:00Z visit
OLD 2021-02-06T09:00:00Z demo
"""
ORDERS = """
order_id customer_id occurred_at amount
1 A 2021-03-10T09:00:00Z 20
2 A 2021-03-10T19:00:00Z 20
3 A 2021-03-12T09:00:00Z 20
4 A 2021-03-20T09:00:00Z 20
5 C 2021-03-06T09:00:00Z 20
6 OLD 2021-02-07T09:00:00Z 20
7 D 2021-04-02T09:00:00Z 20
"""
MARCH = (midnight(date(2021, 3, 1), "UTC"), midnight(date(2021, 4, 1), "UTC"))


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    tiny = Tiny.make(tmp_path_factory.mktemp("funnel"))
    tiny.land(customers=CUSTOMERS, interactions=INTERACTIONS, orders=ORDERS)
    yield tiny
    tiny.catalogue.engine.dispose()


def measured(tiny, by=None, smallest=1, **rules):
    """Return the measures of March by name."""
    with open_books(tiny.store, MARCH[1]) as books:
        found = funnel_measures(books, FunnelRules(**rules), Asked(*MARCH, by=by, smallest=smallest))
    return {one.name: one for one in found}


def rows(measure, *columns):
    return [tuple(row) for row in measure.frame[list(columns)].itertuples(index=False)]


def test_each_stage_counts_who_came_in_march_and_reached_it_by_its_end(landed):
    # A went all the way, B saw a demo, C bought at once (and so counts for demo and trial), D bought in April only
    found = rows(measured(landed)["funnel"], "stage", "customers")
    assert found == [("prospect", 5), ("demo", 3), ("trial", 2), ("paying", 2), ("loyal", 1)]


def test_conversion_is_of_the_stage_before_and_the_share_reached_of_all_who_came(landed):
    found = measured(landed)["funnel"].frame.set_index("stage")
    assert found.loc["trial", "conversion"] == pytest.approx(2 / 3)
    assert found.loc["trial", "reached_share"] == pytest.approx(2 / 5)
    assert found["conversion_low"]["trial"] < 2 / 3 < found["conversion_high"]["trial"]


def test_days_are_from_the_stage_before_and_the_median_of_those_who_move_on(landed):
    # to demo: A after 1 day, B after 3, C after 4 (with the order); half of those who move have moved after 3
    found = measured(landed)["funnel"].frame.set_index("stage")
    assert found.loc["demo", "median_days"] == 3
    assert found.loc["loyal", "median_days"] == 10


def test_what_it_will_come_to_counts_each_for_as_long_as_they_were_watched(landed):
    # E, first known on March 21, was watched for 10 days. Of 5 one moved after 1 day, of 4 one after 3, of 3 one
    # after 4; E leaves on day 10 and D on day 28 without: 1 - 4/5 * 3/4 * 2/3 = 0.6
    found = measured(landed)["funnel_eventual"].frame.set_index("stage").loc["demo"]
    assert (found["entered"], found["moved"], found["waiting"], found["within_days"]) == (5, 3, 2, 28)
    assert found["eventual_share"] == pytest.approx(0.6)


def test_where_every_stage_has_to_be_seen_who_skips_one_stays_before_it(landed):
    found = rows(measured(landed, skipped="required")["funnel"], "stage", "customers")
    assert found == [("prospect", 5), ("demo", 2), ("trial", 1), ("paying", 1), ("loyal", 1)]


def test_parts_add_up_to_all(landed):
    found = measured(landed, by="channel")["funnel"]
    assert rows(found, "part", "stage", "customers")[:2] == [("web", "prospect", 3), ("web", "demo", 3)]
    summed = found.frame.groupby("stage", sort=False)["customers"].sum()
    assert summed.to_dict() == {"prospect": 5, "demo": 3, "trial": 2, "paying": 2, "loyal": 1}
    assert next(iter(found.columns)) == "part"


def test_everybody_stands_at_one_stage_and_they_add_up_to_the_base(landed):
    found = rows(measured(landed)["funnel_standing"], "stage", "customers")
    assert found == [("prospect", 3), ("demo", 1), ("trial", 0), ("paying", 2), ("loyal", 1)]
    with open_books(landed.store, MARCH[1]) as books:
        assert sum(count for _, count in found) == books.base == 7


def test_the_stage_of_each_is_the_furthest_they_reached(landed):
    with open_books(landed.store, MARCH[1]) as books:
        found = funnel_stage_of_each(books, FunnelRules())
    assert {customer: stage.name for customer, stage in found.items()} == {
        "A": "loyal", "B": "demo", "C": "paying", "D": "prospect", "E": "prospect", "OLD": "paying", "OLDER": "prospect"
    }  # fmt: skip


def test_a_stage_of_which_nothing_has_landed_is_left_out_and_named(tiny):
    tiny.land(customers=CUSTOMERS, orders=ORDERS)
    found = measured(tiny, preset="default")["funnel"]
    assert [stage for (stage,) in rows(found, "stage")] == ["prospect", "paying", "loyal"]
    assert any("Demo (`interactions` kind = demo)" in remark.en for remark in found.remarks)


def test_figures_of_few_are_missing_and_counts_are_not(landed):
    found = measured(landed, smallest=10)["funnel"]
    assert found.frame["conversion"].isna().all()
    assert found.frame["customers"].tolist() == [5, 3, 2, 2, 1]
    assert any("fewer than 10 customers" in remark.en for remark in found.remarks)


def test_stages_of_ones_own_ask_for_columns_values_and_how_often(landed):
    label = {"en": "x", "zh": "x"}
    stages = [
        {"name": "known", "label": label, "when": "customers"},
        {"name": "active", "label": label, "when": {"interactions": {"kind": ["visit", "demo"]}}},
        {"name": "twice", "label": label, "when": {"orders": {"at_least": 2}}},
    ]
    found = rows(measured(landed, stages=stages)["funnel"], "stage", "customers")
    assert found == [("known", 5), ("active", 3), ("twice", 1)]


def test_a_trial_and_a_paid_contract_are_stages_and_holding_it_makes_loyal(tiny):
    tiny.land(
        customers=CUSTOMERS,
        subscriptions="""
        customer_id occurred_at subscription_id plan amount started_at
        A 2021-03-02T09:00:00Z S1 trial 0 2021-03-02T09:00:00Z
        A 2021-03-09T09:00:00Z S1 plus 10 2021-03-02T09:00:00Z
        B 2021-03-02T09:00:00Z S2 trial 0 2021-03-02T09:00:00Z
        OLD 2021-01-06T09:00:00Z S3 plus 10 2021-01-06T09:00:00Z
        """,
    )
    with open_books(tiny.store, midnight(date(2021, 8, 1), "UTC")) as books:
        found = funnel_stage_of_each(books, FunnelRules(preset="default"))
    assert [found[customer].name for customer in ("A", "B", "OLD", "C")] == ["paying", "trial", "loyal", "prospect"]


@pytest.mark.parametrize(
    "when, words",
    [
        ({"order": {}}, "must name a table, got `order`; did you mean `orders`?"),
        ({"interactions": {"kinds": "demo"}}, "got `kinds`; did you mean `kind`?"),
        ({"interactions": {"kind": True}}, "`kind` of `interactions` must be compared with a text or a list of texts"),
        (
            {"subscriptions": {"paid": "yes"}},
            "`paid` of `subscriptions` must be compared with true or false, got 'yes'",
        ),
        ({"orders": {"at_least": 0}}, "`at_least` must be a whole number of at least 1, got 0"),
    ],
)
def test_a_stage_that_asks_for_what_there_is_not_is_refused(landed, when, words):
    stages = [{"name": name, "label": {"en": "x", "zh": "x"}, "when": when} for name in ("a", "b")]
    with open_books(landed.store, MARCH[1]) as books, pytest.raises(ConfigError, match=words.replace("?", r"\?")):
        chosen_stages(books, FunnelRules(stages=stages))


def test_one_stage_is_no_funnel(tiny):
    tiny.land(customers=CUSTOMERS, orders="order_id customer_id occurred_at amount\n1 A 2021-06-01T00:00:00Z 5")
    with pytest.raises(NotEnoughDataError, match="needs two stages that somebody has reached, found 1"):
        measured(tiny)


def crowd(tiny, came, bought):
    """Land customers who came in a month and how many of them bought three days later."""
    known, orders = ["customer_id occurred_at"], ["order_id customer_id occurred_at amount"]
    for month, count in came.items():
        known += [f"{month}-{number} 2021-{month}-02T08:00:00Z" for number in range(count)]
        for number in range(bought[month]):
            orders += [f"{month}-{number} {month}-{number} 2021-{month}-05T08:00:00Z 9"]
            orders += [f"{month}-{number}-2 {month}-{number} 2021-{month}-09T08:00:00Z 9"] * (number % 10 > 0)
    tiny.land(customers="\n".join(known), orders="\n".join(orders))


def test_a_fall_against_the_span_before_is_told_where_it_is_beyond_noise(tiny):
    crowd(tiny, {"01": 200, "02": 200, "03": 200}, {"01": 120, "02": 120, "03": 60})
    found = measured(tiny, smallest=10)["funnel_compared"].frame.set_index("stage").loc["first_order"]
    assert (found["before"], found["now"], found["beyond_noise"]) == (0.6, 0.3, "yes")
    assert found["low"] < -0.3 < found["high"] < 0
    second = measured(tiny, smallest=10)["funnel_compared"].frame.set_index("stage").loc["second_order"]
    assert (second["before"], second["now"], second["beyond_noise"]) == (0.9, 0.9, "no")


def test_the_narrowest_stage_is_named_where_it_is_beyond_noise(tiny):
    crowd(tiny, {"03": 200}, {"03": 60})
    funnel = measured(tiny, smallest=10)["funnel"]
    remarks, marked = funnel.remarks, funnel.frame.set_index("stage")["narrowest"].dropna()
    assert list(marked.index) == ["first_order"]
    assert any("narrowest from Known to First order: 30.0 %" in one.en for one in remarks)
    assert any("最窄处为“已知客户”到“首次下单”" in one.zh for one in remarks)


def test_a_step_that_few_had_time_for_is_not_the_narrowest(tiny):
    known, orders = ["customer_id occurred_at"], ["order_id customer_id occurred_at amount"]
    for number in range(400):
        known.append(f"p{number} 2021-03-01T08:00:00Z")
        early = number < 30  # half order, most of them on the last day; of the few with time for it, all order again
        if number < 200:
            orders.append(f"a{number} p{number} 2021-03-{'05' if early else '31'}T08:00:00Z 9")
        if early:
            orders.append(f"b{number} p{number} 2021-03-06T08:00:00Z 9")
    tiny.land(customers="\n".join(known), orders="\n".join(orders))
    found = measured(tiny, smallest=10)
    seen, eventual = (found[name].frame.set_index("stage") for name in ("funnel", "funnel_eventual"))
    assert seen.loc["second_order", "conversion"] < seen.loc["first_order", "conversion"] == 0.5
    assert eventual.loc["second_order", "eventual_share"] == 1
    assert any("narrowest from Known to First order" in one.en for one in found["funnel"].remarks)


def test_without_the_span_before_nothing_is_compared_and_that_is_said(tiny):
    crowd(tiny, {"03": 50}, {"03": 20})
    found = measured(tiny)
    assert "funnel_compared" not in found
    assert any("Not compared with the 31 days before" in one.en for one in found["funnel"].remarks)


def test_days_in_which_nobody_came_say_so(landed):
    with open_books(landed.store, MARCH[1]) as books:
        asked = Asked(midnight(date(2021, 3, 25), "UTC"), MARCH[1], smallest=1)
        found = funnel_measures(books, FunnelRules(), asked)[0]
    assert found.frame.empty
    assert any("Nobody entered the first stage" in remark.en for remark in found.remarks)
