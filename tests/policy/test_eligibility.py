"""Each rule closes what it should, in order, and every closed pair is counted once under the first that closed it."""

import numpy as np
import pytest
from people import action, facts

from churnml.errors import InvalidTableError
from churnml.policy import BECAUSE, RULES, Catalogue, Limits, eligibility

BANDS = ["low", "medium", "high", "high"]
REASONS = ["purchase", "satisfaction", "satisfaction", None]


def one(**rules) -> Catalogue:
    """Return a catalogue of one mail beside doing nothing."""
    return Catalogue(actions=(action("do_nothing"), action("mail", "email", 1, **rules)))


def closing(catalogue: Catalogue, limits: Limits | None = None, **columns) -> list[str | None]:
    """Return which rule closed the one mail to each customer."""
    n_customers = len(next(iter(columns.values())))
    places = eligibility(catalogue, facts(n_customers, **columns), limits).closed_by[:, 1]
    return [RULES[place] if place >= 0 else None for place in places]


def test_an_action_is_open_to_the_bands_and_reasons_it_suits(catalogue):
    assert eligibility(catalogue, facts(4, bands=BANDS, reasons=REASONS)).is_open.astype(int).tolist() == [
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
        [1, 1, 0],
    ]


def test_without_consent_only_doing_nothing_is_open(catalogue):
    assert eligibility(catalogue, facts(4, consented=[False] * 4)).is_open.astype(int).tolist() == [[1, 0, 0]] * 4


def test_consent_is_asked_for_the_channel_of_each_action(catalogue):
    consented = [[True, False, True], [True, True, False]]
    assert eligibility(catalogue, facts(2, consented=consented)).is_open.astype(int).tolist() == [[1, 0, 1], [1, 1, 0]]


def test_who_refuses_profiling_is_left_alone_before_anything_else_is_asked():
    assert closing(one(), refuses_profiling=[True, False], held_out=[True, True]) == ["no_profiling", "held_out"]


def test_an_action_for_another_kind_of_business_is_closed_to_everyone():
    assert closing(one(sectors=("b2b",)), Limits("retail"), bands=["low"]) == ["sector"]
    assert closing(one(sectors=("b2b", "finance")), Limits("finance"), bands=["low"]) == [None]


@pytest.mark.parametrize("rule, expected", [("closes", [None, "open_complaint"]), ("allows", [None, None]),
                                            ("requires", ["open_complaint", None])])  # fmt: skip
def test_an_open_complaint_comes_first(rule, expected):
    assert closing(one(open_complaint=rule), open_complaint=[False, True]) == expected


def test_what_answers_a_complaint_needs_no_consent_to_marketing():
    answer = one(open_complaint="requires", purpose="service")
    assert closing(answer, consented=[False], open_complaint=[True]) == [None]
    assert closing(one(), consented=[False]) == ["no_consent"]


def test_the_week_holds_only_so_many_contacts_those_assigned_included():
    contacts, assigned = [0, 1, 2, 1], [0, 0, 0, 1]
    found = closing(one(), Limits(contacts_per_week=2), contacts=contacts, assigned_contacts=assigned)
    assert found == [None, None, "contact_cap", "contact_cap"]


def test_an_action_without_a_channel_is_no_contact():
    silent = Catalogue(actions=(action("do_nothing"), action("upgrade", "none", 1)))
    assert closing(silent, contacts=[9], consented=[False]) == [None]


def test_the_same_action_rests_for_its_cool_down():
    days = [[np.inf, 29], [np.inf, 30], [np.inf, np.inf], [1, 31]]
    assert closing(one(cool_down_days=30), days_since=days) == ["cool_down", None, None, None]


def test_an_action_is_open_to_the_stages_it_suits_and_not_where_none_is_known():
    assert closing(one(stages=("churned",)), stages=["churned", "new", None]) == [None, "stage", "stage"]


def test_an_action_is_open_to_the_segments_it_suits():
    only = one(segments=("high_value_high_risk",))
    assert closing(only, segments=["high_value_high_risk", "low_value_low_risk"]) == [None, "segment"]


def test_a_renewal_offer_needs_a_renewal_near():
    assert closing(one(renews_within_days=30), days_to_renewal=[30, 31, np.nan]) == [None, "no_renewal", "no_renewal"]


def test_a_cross_sell_needs_a_category_to_offer():
    assert closing(one(names_category=True), next_category=["tea", "", None]) == [None, "no_category", "no_category"]
    assert closing(one(names_category=True), bands=["high"]) == ["no_category"]


def test_each_closed_pair_is_counted_once_under_its_first_rule(catalogue):
    found = eligibility(catalogue, facts(4, bands=BANDS, reasons=REASONS, consented=[True, True, False, True]))
    assert {rule: count for rule, count in found.pairs.items() if count} == {
        "no_consent": 2, "risk_band": 3, "reason": 1,
    }  # fmt: skip
    assert found.by_action["coupon"] == {"no_consent": 1, "risk_band": 1}


def test_counts_and_open_pairs_add_up_to_all_pairs(catalogue):
    found = eligibility(catalogue, facts(4, bands=BANDS, reasons=REASONS, consented=[True, False, True, True]))
    assert sum(found.pairs.values()) + found.is_open.sum() == 4 * 3


def test_why_nothing_was_open_is_the_rule_that_closed_most(catalogue):
    found = eligibility(catalogue, facts(3, bands=["low", "high", "low"], consented=[True, True, False]))
    assert found.main_rule.tolist() == ["risk_band", None, "no_consent"]


def test_actions_for_another_business_explain_nothing_where_a_rule_of_the_customer_does():
    mails = [action(f"mail{number}", "email", 1, sectors=("b2b",)) for number in range(3)]
    both = Catalogue(actions=(action("do_nothing"), *mails, action("call", "phone", 1)))
    only = Catalogue(actions=(action("do_nothing"), *mails))
    assert eligibility(both, facts(1, consented=[False])).main_rule.tolist() == ["no_consent"]
    assert eligibility(only, facts(1, consented=[False])).main_rule.tolist() == ["sector"]


def test_nobody_gives_an_empty_table_and_no_exclusions(catalogue):
    found = eligibility(catalogue, facts(0))
    assert found.is_open.shape == (0, 3)
    assert sum(found.pairs.values()) == 0


def test_every_rule_is_explained_in_both_languages():
    assert set(RULES) < set(BECAUSE)
    for told in BECAUSE.values():
        for text in (told.name, told.meaning):
            assert text.en.isascii()
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh)


def test_an_unknown_band_is_refused():
    with pytest.raises(InvalidTableError, match="low, medium or high, got `hihg`"):
        facts(1, bands=["hihg"])


def test_columns_of_different_length_are_refused():
    with pytest.raises(InvalidTableError, match="got 1 of `reasons` for 2 customers"):
        facts(2, reasons=["purchase"])


@pytest.mark.parametrize("column", ["days_since", "consented"])
def test_a_column_by_action_needs_all_actions(catalogue, column):
    with pytest.raises(InvalidTableError, match=rf"`{column}` needs one entry per customer and action, got shape"):
        eligibility(catalogue, facts(1, **{column: np.ones((1, 2))}))
