"""A decision record stands for every member of the base, scored or not, and is JSON without a NaN."""

import json
from dataclasses import replace

import numpy as np
import pytest

from churnml.events import Standing
from churnml.events.clock import DAY
from churnml.features import FeatureTable
from churnml.measures import SEGMENTS, STAGES
from churnml.measures.funnel_stages import PRESETS
from churnml.scoring.records import UNDECIDED, RunFacts, decision_records
from churnml.service.api.shapes import DecisionRecord
from command import strictly

FACTS = RunFacts("run", "model", 17_532 * DAY, 60, 90, 365, "USD", "UTC")
SCORED = (
    "churn_probability",
    "expected_margin",
    "margin_low",
    "margin_median",
    "margin_high",
    "clv",
    "cost_to_serve",
    "clv_to_cac",
    "value_if_retained",
    "value_at_risk",
    "risk_band",
    "p_alive",
)


@pytest.fixture(scope="module")
def records(scored):
    return list(decision_records(scored.base, scored.scores, scored.told, FACTS))


@pytest.fixture(scope="module")
def outsiders():
    """Records of a prospect, who never ordered, of one who is gone, and of one with a contract and no order."""
    names = ("orders_all", "tenure_days", "recency_days")
    values = np.array([[0, np.nan, np.nan], [4, 300, 120], [0, np.nan, np.nan]])
    standing = np.array([Standing.PROSPECT, Standing.GONE, Standing.POPULATION], dtype=np.int8)
    ids = np.array(["new", "old", "subscribed"], dtype=object)
    table = FeatureTable(ids, np.full(3, FACTS.cutoff), standing, names, values, {})
    return list(decision_records(table, None, [], FACTS))


def test_a_record_names_the_stage_of_the_funnel_in_both_languages_where_one_was_reached(scored):
    some, other, *_ = scored.base.customer_ids
    regular = PRESETS["retail"][-1]
    told = decision_records(scored.base, scored.scores, scored.told, FACTS, funnel={some: regular})
    found = {record["customer_id"]: (record["funnel_stage"], record["funnel_stage_label"]) for record in told}
    assert found[some] == ("regular", {"en": "Regular (5 orders)", "zh": "常客（5 次下单）"})
    assert found[other] == (None, None)


def test_there_is_one_record_for_each_member_of_the_base(records, scored):
    assert [record["customer_id"] for record in records] == list(scored.base.customer_ids)


def test_those_in_the_population_bear_their_own_scores(records, scored):
    inside = [record for record in records if record["rung"] == "blend"]
    assert [record["customer_id"] for record in inside] == list(scored.population.customer_ids)
    assert [record["churn_probability"] for record in inside] == scored.scores.churn_probability.tolist()
    assert [record["risk_band"] for record in inside] == list(scored.scores.band)


def test_every_member_of_the_base_has_a_stage_and_who_is_scored_a_segment(records):
    assert {record["lifecycle_stage"] for record in records} <= set(STAGES)
    assert all((record["segment"] in SEGMENTS) is (record["rung"] == "blend") for record in records)


def test_who_is_outside_the_population_has_a_stage_by_their_own_rhythm(outsiders):
    assert [record["lifecycle_stage"] for record in outsiders] == ["prospect", "declining", "prospect"]


def test_the_expected_basket_is_the_mean_order_of_90_days(records, scored):
    told = {record["customer_id"]: record["expected_basket"] for record in records}
    baskets = dict(zip(scored.population.customer_ids, scored.population.column("basket_90d"), strict=True))
    assert all(told[who] == pytest.approx(basket, abs=1e-4) for who, basket in baskets.items() if not np.isnan(basket))


def test_silence_is_told_by_other_days_too_and_at_the_horizon_it_is_churn(records):
    inside = [record for record in records if record["rung"] == "blend"]
    for record in inside:
        told = {one["days"]: one["probability"] for one in record["no_order_within"]}
        assert told[60] == record["churn_probability"]
        assert list(told.values()) == sorted(told.values(), reverse=True)
        assert [one["days"] for one in record["no_order_within"] if one["extrapolated"]] == [90, 180, 365]
    assert any(record["no_order_within"][0]["probability"] > record["churn_probability"] for record in inside)


def test_the_date_of_the_next_order_agrees_with_silence_and_is_never_past(records):
    inside = [record for record in records if record["rung"] == "blend"]
    for record in inside:
        dates = [one["date"] for one in record["next_order"]]
        known = [date for date in dates if date]
        assert [one["quantile"] for one in record["next_order"]] == [0.25, 0.5, 0.75]
        assert dates[: len(known)] == known == sorted(known)
        assert all(date >= "2018-01-01" for date in known)
        within = {one["days"]: 1 - one["probability"] for one in record["no_order_within"]}
        for quantile, date in zip((0.25, 0.5, 0.75), dates, strict=True):
            late = str(np.datetime64("2018-01-01") + 29)
            assert (date is not None and date <= late) == (within[30] >= quantile)
    assert any(None in [one["date"] for one in record["next_order"]] for record in inside)


def test_value_at_risk_is_told_as_the_product_of_its_factors(records):
    for record in records:
        if record["rung"] == "blend":
            product = record["churn_probability"] * record["value_if_retained"]
            assert record["value_at_risk"] == pytest.approx(product, abs=1e-4)


def test_those_outside_have_no_score_and_the_rung_says_why(records, outsiders):
    outside = [record for record in [*records, *outsiders] if record["rung"] != "blend"]
    assert {record["rung"] for record in outside} == {"gone", "prospect", "contract"}
    for record in outside:
        assert {record[name] for name in SCORED} == {None}
        assert record["reasons"] == record["next_order"] == record["no_order_within"] == []


def test_who_never_ordered_has_no_last_order_and_no_tenure(outsiders):
    prospect, gone, _ = outsiders
    assert (prospect["order_days"], prospect["last_order_on"], prospect["tenure_days"]) == (0, None, None)
    assert (gone["order_days"], gone["tenure_days"]) == (4, 300)


def test_the_last_order_is_told_as_its_day(outsiders):
    assert outsiders[1]["last_order_on"] == "2017-09-03T00:00:00+00:00"
    assert outsiders[1]["cutoff"] == "2018-01-01T00:00:00+00:00"


def test_value_is_told_beside_what_winning_the_customer_cost_where_that_is_known(scored):
    base, cost = scored.base, np.full(len(scored.base), np.nan)
    cost[:1_000], cost[1_000:2_000] = 40.0, 0.0
    values = base.values.copy()
    values[:, base.names.index("acquisition_cost")] = cost
    known = replace(base, values=values)
    told = list(decision_records(known, scored.scores, scored.told, FACTS))
    inside = [(record, place) for place, record in enumerate(told) if record["rung"] == "blend"]
    for record, place in inside:
        assert record["clv_to_cac"] == (pytest.approx(record["clv"] / 40, abs=1e-4) if place < 1_000 else None)
    assert [told[place]["acquisition_cost"] for place in (999, 1_000, 2_000)] == [40.0, 0.0, None]


def test_nothing_is_decided_yet(records):
    assert all(record | UNDECIDED == record for record in records)


def test_a_record_is_strict_json(records, outsiders):
    for record in [*records, *outsiders]:
        assert strictly(json.dumps(record)) == record


def test_a_record_has_the_shape_that_the_service_declares(records, outsiders):
    for record in [*records[::50], *outsiders]:
        DecisionRecord.model_validate(record)


def test_all_records_have_the_same_fields(records, outsiders):
    assert len({tuple(record) for record in [*records, *outsiders]}) == 1
