"""Each family read as its definition: a few rows, a cutoff, the numbers a pocket calculator gives."""

import numpy as np
import pytest

import worlds
from churnml.events import history
from churnml.features import build, build_block, catalogue
from churnml.features.table import reads

CUTOFF = worlds.instant(31)  # 1 February 2020, the landing is later
EVERYONE = "customer_id occurred_at\na 2020-01-01\nb 2020-01-05"
ORDERS = """customer_id occurred_at order_id amount cost discount quantity
            a 2020-01-10 o1 20 14 0 2
            a 2020-01-20 o2 60 30 5 3"""


def features_of(tiny, customer="a", cutoff=CUTOFF, **tables):
    tiny.land(customers=EVERYONE, **{"orders": ORDERS} | tables)
    table = build(tiny.store, catalogue(tiny.store.tables), [cutoff], 90)
    (row,) = np.flatnonzero(table.customer_ids == customer)
    return dict(zip(table.names, table.values[row].tolist(), strict=True))


def same(found, expected):
    """Compare the expected features, a missing one written as None."""
    told = {name: None if np.isnan(found[name]) else found[name] for name in expected}
    assert told == {name: value if value is None else pytest.approx(value) for name, value in expected.items()}


ACTS = """customer_id occurred_at kind session_id channel category duration_seconds
          a 2019-12-20T10:00 visit s0 web - 60
          a 2020-01-10T10:00 visit s1 web - 120
          a 2020-01-10T10:01 view s1 web tea -
          a 2020-01-10T10:02 search s1 web - -
          a 2020-01-10T10:03 cart s1 web tea -
          a 2020-01-25T09:00 visit s2 app - 240
          a 2020-01-25T09:01 cart s2 app tea -
          a 2020-01-25T09:02 cart s2 app pots -
          a 2020-01-26T09:00 email_open - - - -
          a 2020-01-27T09:00 payment_failed - - - -
          a 2020-01-28T09:00 share s3 web - -"""


def test_behaviour_counts_acts_days_and_what_came_of_them(tiny):
    found = features_of(tiny, interactions=ACTS)
    expected = {
        "active_days_7d": 2, "active_days_30d": 3, "active_days_all": 4, "visits_90d": 3, "views_90d": 1,
        "searches_30d": 1, "carts_30d": 3, "referrals_365d": 1, "days_since_activity": 4, "failed_payments_90d": 1,
        "active_days_change_30d": 3 - 1, "minutes_per_visit_90d": (60 + 120 + 240) / 3 / 60,
        "views_per_visit_90d": 1 / 3, "orders_per_active_day_90d": 2 / 4, "searches_per_order_90d": 1 / 2,
        "carts_left_30d": 1, "categories_seen_90d": 2, "act_channels_90d": 2, "longest_absence_365d": 21,
        "opens_30d": 1, "days_since_open": 6, "active_days_per_30_days": 4 * 30 / 43,
    }  # fmt: skip
    same(found, expected)


def test_who_was_never_active_has_counts_of_zero_and_no_days_since(tiny):
    found = features_of(tiny, "b", interactions=ACTS)
    same(found, {"active_days_all": 0, "carts_left_30d": 0, "days_since_activity": None, "views_per_visit_90d": None})


def test_sessions_are_counted_where_they_begin_and_last_from_their_first_act_to_their_last(tiny):
    found = features_of(tiny, interactions=ACTS)
    expected = {
        "sessions_30d": 3, "sessions_90d": 4, "sessions_all": 4, "acts_per_session_90d": 9 / 4,
        "minutes_per_session_90d": (0 + 3 + 2 + 0) / 4,
    }  # fmt: skip
    same(found, expected)


def test_two_sessions_that_run_side_by_side_are_two(tiny):
    acts = """customer_id occurred_at kind session_id
              a 2020-01-10T10:00 visit web1
              a 2020-01-10T10:05 visit app1
              a 2020-01-10T10:10 view web1
              a 2020-01-10T10:30 view app1
              a 2020-01-10T10:40 view -
              b 2020-01-10T11:00 visit web1"""
    same(features_of(tiny, interactions=acts), {"sessions_30d": 2, "minutes_per_session_90d": (10 + 25) / 2})
    same(features_of(tiny, "b", interactions=acts), {"sessions_30d": 1, "minutes_per_session_90d": 0})


def test_acts_without_the_id_of_a_session_make_none(tiny):
    acts = """customer_id occurred_at kind
              a 2020-01-10T10:00 visit"""
    same(features_of(tiny, interactions=acts), {"sessions_90d": 0, "acts_per_session_90d": None, "visits_90d": 1})


SURVEYS = """customer_id occurred_at survey_id instrument scale_min scale_max answered_at score ingested_at
             a 2020-01-05 n1 nps - - 2020-01-06 9 2020-01-06
             a 2020-01-12 n2 nps - - - - 2020-01-12
             a 2020-01-15 c1 csat 1 5 2020-01-16 2 2020-01-16
             a 2020-01-28 c2 csat 1 5 - - 2020-01-28
             a 2020-01-28 c2 csat 1 5 2020-02-03 5 2020-02-03"""


def test_surveys_are_put_on_one_scale_and_an_answer_counts_once_it_was_given(tiny):
    found = features_of(tiny, surveys=SURVEYS)
    expected = {
        "satisfaction_last": 25, "satisfaction_mean_all": (90 + 25) / 2, "satisfaction_change": 25 - 90, "nps_last": 90,
        "csat_last": 25, "ces_last": None, "surveys_asked_365d": 4, "answer_rate_365d": 2 / 4, "low_answers_365d": 1,
        "days_since_answer": 17, "satisfaction_worst_365d": 25,
    }  # fmt: skip
    same(found, expected)


def test_after_it_was_given_the_answer_counts(tiny):
    found = features_of(tiny, cutoff=worlds.instant(40), surveys=SURVEYS)
    same(found, {"csat_last": 100, "csat_mean_365d": (25 + 100) / 2, "answer_rate_365d": 3 / 4})


TICKETS = """customer_id occurred_at ticket_id kind first_response_at resolved_at reopened_at ingested_at
             a 2020-01-04T00:00 t1 question 2020-01-04T05:00 2020-01-05T00:00 - 2020-01-05
             a 2020-01-21T00:00 t2 Complaint - - - 2020-01-21
             a 2020-01-21T00:00 t2 Complaint 2020-01-22T00:00 2020-01-23T12:00 2020-01-24T00:00 2020-01-24
             a 2020-01-30T00:00 t3 complaint - - - 2020-01-30"""


def test_tickets_tell_complaints_waiting_and_what_is_open(tiny):
    found = features_of(tiny, tickets=TICKETS)
    expected = {
        "tickets_30d": 3, "complaints_30d": 2, "complaints_all": 2, "days_since_complaint": 2, "open_tickets_30d": 1,
        "hours_to_response_mean_365d": (5 + 24) / 2, "hours_to_response_worst_365d": 24, "hours_to_response_last": 24,
        "hours_to_resolution_mean_365d": (24 + 60) / 2, "reopened_365d": 1, "complaints_per_order": 2 / 2,
    }  # fmt: skip
    same(found, expected)


def test_a_ticket_is_open_until_it_was_resolved(tiny):
    same(features_of(tiny, cutoff=worlds.instant(22), tickets=TICKETS), {"open_tickets_30d": 1, "tickets_30d": 2})


def test_returns_are_counted_and_weighed_against_what_was_paid(tiny):
    returns = "customer_id occurred_at order_id amount\na 2020-01-15 o1 8\na 2020-01-29 o2 12"
    found = features_of(tiny, returns=returns)
    expected = {"returns_90d": 2, "returned_90d": 20, "return_share_all": 20 / 80, "days_since_return": 3}
    same(found, expected | {"returns_per_order": 1})


def test_margin_discounts_and_prices_of_orders(tiny):
    expected = {
        "margin_365d": 6 + 30, "margin_share_365d": 36 / 80, "discounted_orders_share_180d": 1 / 2,
        "unit_price_change_90d": None, "orders_same_season": 0, "known_days": 31, "acquisition_cost": None,
    }  # fmt: skip
    same(features_of(tiny), expected)


SUBSCRIPTIONS = """customer_id occurred_at subscription_id plan amount started_at renews_at ended_at ingested_at
                   a 2019-11-01 s1 basic 10 2019-11-01 - - 2019-11-01
                   a 2020-01-01 s1 plus 12 2019-11-01 2020-02-10 - 2020-01-02
                   a 2019-06-01 s0 basic 9 2019-06-01 - 2019-09-01 2019-09-01
                   a 2020-01-20 s1 plus 15 2019-11-01 2020-03-01 - 2020-02-20"""


def test_contracts_tell_since_when_at_what_price_and_when_they_renew(tiny):
    found = features_of(tiny, subscriptions=SUBSCRIPTIONS)
    expected = {
        "contracts_held": 1, "contract_days": 92, "contract_price": 12, "contract_price_change": 2 / 10,
        "contract_price_rises": 1, "contract_plan_changes": 1, "days_to_renewal": 9, "contracts_lapsed": 1,
    }  # fmt: skip
    same(found, expected)
    same(features_of(tiny, "b"), {"contracts_held": 0, "contract_days": None, "contract_price": None})


def test_a_contract_counts_as_paid_from_when_that_was_known_and_a_trial_never(tiny):
    told = """customer_id occurred_at subscription_id plan amount started_at
              a 2020-01-02 s1 trial 0 2020-01-02
              a 2020-01-22 s1 basic 9 2020-01-02
              b 2020-01-06 s2 trial 0 2020-01-06"""
    same(features_of(tiny, subscriptions=told), {"paid_contract_days": 10, "contract_days": 30, "contracts_held": 1})
    same(features_of(tiny, "b"), {"paid_contract_days": None, "contract_days": 26, "contracts_held": 1})


def test_trials_and_demonstrations_are_counted_and_dated(tiny):
    acts = """customer_id occurred_at kind
              a 2019-12-20 trial
              a 2020-01-25 trial
              a 2020-01-26 demo"""
    found = {"trials_30d": 1, "trials_all": 2, "days_since_trial": 7, "demos_all": 1, "active_days_all": 3}
    same(features_of(tiny, interactions=acts), found)
    same(features_of(tiny, "b"), {"trials_all": 0, "days_since_trial": None})


def test_a_version_counts_once_it_was_learned(tiny):
    found = features_of(tiny, cutoff=worlds.instant(60), subscriptions=SUBSCRIPTIONS)
    same(found, {"contract_price": 15, "contract_price_rises": 2, "days_to_renewal": 0})


def test_a_family_in_a_block_of_one_is_the_family_in_the_batch(tiny):
    tables = {"interactions": ACTS, "surveys": SURVEYS, "tickets": TICKETS, "subscriptions": SUBSCRIPTIONS}
    tiny.land(customers=EVERYONE, orders=ORDERS, **tables)
    features = catalogue(tiny.store.tables)
    batch = build(tiny.store, features, [CUTOFF], 90)
    block = history(tiny.store.undivided, 0, [CUTOFF], reads(features))
    for place, customer in enumerate(block.customer_ids):
        only = np.arange(len(block.customer_ids)) == place
        alone = build_block(block.only(only), features, [CUTOFF], 90, "UTC")
        (row,) = np.flatnonzero(batch.customer_ids == customer)
        assert alone.values[0].tobytes() == batch.values[row].tobytes()
