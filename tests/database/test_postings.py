"""An outcome takes its reserve's place; one that breaks a rule is refused, and the others are kept."""

from dataclasses import replace

import pytest

from churnml.database import Outcome
from ledgers import A_COUPON, CUTOFF, DAY, LATER, NOW, balances, begun, outcome, some


@pytest.fixture
def ledger(tiny):
    """Return a ledger with a call for c0, one withheld from c1, and a coupon for c2."""
    ledger, run = begun(tiny.catalogue.engine, 15_000_000)
    ledger.reserve("spring", run, CUTOFF, [*some(2, controls={1}), *some(1, like=A_COUPON, first=2)], NOW)
    yield ledger
    assert balances(tiny.catalogue.engine)


def became(ledger, *outcomes, **how):
    return [one.became for one in ledger.post(outcomes, LATER, **how).posted]


def money(ledger):
    spring = ledger.campaign("spring")
    return spring.reserved, spring.spent


def state(ledger, customer):
    return next(one for one in ledger.assigned("spring") if one.customer_id == customer).state


def test_what_a_call_did_cost_takes_the_place_of_its_reserve_and_the_rest_is_released(ledger):
    assert became(ledger, outcome("c0", "carried_out", 3_000_000)) == ["kept"]
    assert (money(ledger), state(ledger, "c0")) == ((5_000_000, 3_000_000), "carried_out")


def test_a_call_whose_cost_nobody_tells_counts_with_the_most_it_can_cost(ledger):
    became(ledger, outcome("c0", "carried_out"))
    assert money(ledger) == (5_000_000, 5_000_000)


def test_a_coupon_that_was_sent_stays_reserved_until_it_is_redeemed(ledger):
    became(ledger, outcome("c2", "carried_out"))
    assert money(ledger) == (10_000_000, 0)
    became(ledger, outcome("c2", "redeemed", 4_000_000, at=NOW + 2 * DAY))
    assert (money(ledger), state(ledger, "c2")) == ((5_000_000, 4_000_000), "redeemed")


def test_what_was_not_delivered_is_released(ledger):
    became(ledger, outcome("c0", "not_delivered"))
    assert (money(ledger), state(ledger, "c0")) == ((5_000_000, 0), "not_delivered")


def test_a_value_moves_no_money_and_may_come_many_times(ledger):
    assert became(ledger, *(outcome("c0", "value", amount=9, at=NOW + day * DAY) for day in (1, 2))) == ["kept"] * 2
    assert (money(ledger), len(ledger.outcomes("spring"))) == ((10_000_000, 0), 2)


def test_an_outcome_that_comes_again_changes_nothing(ledger):
    again = outcome("c0", "carried_out", 3_000_000), outcome("c0", "value", amount=9)
    assert became(ledger, *again, *again) == ["kept", "kept", "stood", "stood"]
    assert became(ledger, *again) == ["stood", "stood"]
    assert money(ledger) == (5_000_000, 3_000_000)


@pytest.mark.parametrize(
    "other, column, value",
    [
        (outcome("c0", "carried_out", 2_000_000), "cost", 2.0),
        (outcome("c0", "carried_out"), "cost", None),
        (outcome("c0", "carried_out", 3_000_000, at=NOW), "occurred_at", NOW),
        (outcome("c0", "value", amount=8), "amount", 8e-6),
    ],
)
def test_an_outcome_that_comes_again_otherwise_is_refused_and_what_stands_remains(ledger, other, column, value):
    stands = [outcome("c0", "carried_out", 3_000_000), outcome("c0", "value", amount=9)]
    ledger.post(stands, LATER)
    (refused,) = (one.refused for one in ledger.post([other], LATER).posted)
    assert (refused.column, refused.value) == (column, value)
    assert refused.rule == f"must not contradict the `{other.kind}` that stands"
    assert set(ledger.outcomes("spring")) == set(stands)


@pytest.mark.parametrize(
    "wrong, column, words",
    [
        (outcome("nobody", "carried_out", 1), "assignment_id", "must be an assignment of this workspace"),
        (outcome("c0", "carried_out", 1, campaign="autumn"), "assignment_id", "must be an assignment of this"),
        (outcome("c0", "carried_out", 1, at=CUTOFF - 1), "occurred_at", "must not lie before its assignment"),
        (outcome("c0", "carried_out", 1, at=LATER + 2 * DAY), "occurred_at", "must not lie in the future"),
        (outcome("c0", "sent", 1), "kind", "must be one of carried_out, redeemed, not_delivered, value"),
        (outcome("c0", "not_delivered", 1), "cost", "must be empty for the kind `not_delivered`"),
        (outcome("c0", "carried_out", -1), "cost", "must be between 0 and"),
        (outcome("c0", "redeemed"), "cost", "must be filled for the kind `redeemed`"),
        (outcome("c0", "value"), "amount", "must be filled for the kind `value`"),
        (outcome("c0", "carried_out", 1, amount=1), "amount", "must be empty for the kind `carried_out`"),
        (outcome("c0", "value", amount=2**63 - 1), "amount", "must be between -"),
    ],
)
def test_an_outcome_that_breaks_a_rule_is_refused_and_the_others_are_kept(ledger, wrong, column, words):
    found = ledger.post([wrong, outcome("c0", "carried_out", 3_000_000)], LATER).posted
    assert [one.became for one in found] == ["refused", "kept"]
    assert (found[0].refused.column, found[0].refused.rule[: len(words)]) == (column, words)
    assert found[0].refused.remedy


def test_an_outcome_from_the_morning_of_the_decision_on_is_kept(ledger):
    assert became(ledger, outcome("c0", "value", amount=1, at=CUTOFF)) == ["kept"]


def test_a_cost_above_the_most_it_could_be_is_kept_and_told(ledger):
    found = ledger.post([outcome("c0", "carried_out", 6_000_000)], LATER)
    assert (found.posted[0].flags, found.overspent) == (("overspent",), {})
    assert money(ledger) == (5_000_000, 6_000_000)


def test_a_budget_that_is_exceeded_by_what_was_told_is_named_with_the_excess(ledger):
    found = ledger.post([outcome("c0", "carried_out", 12_000_000)], LATER)
    assert found.overspent == {"spring": 2_000_000}
    assert ledger.left("spring") == -2_000_000


def test_an_overspent_campaign_opens_again_with_the_same_budget_and_assigns_nothing_that_costs(ledger, tiny):
    ledger.post([outcome("c0", "carried_out", 12_000_000)], LATER)
    _, run = begun(tiny.catalogue.engine, 15_000_000)
    assert ledger.reserve("spring", run, CUTOFF, some(1, first=7), NOW) == set()


def test_a_control_that_was_treated_by_mistake_is_kept_as_a_breach_and_stays_a_control(ledger):
    found = ledger.post([outcome("c1", "carried_out", 3_000_000)], LATER).posted
    assert found[0].flags == ("breach",)
    assert (money(ledger), state(ledger, "c1")) == ((10_000_000, 3_000_000), "breach")
    assert [one.arm for one in ledger.assigned("spring")] == ["treated", "control", "treated"]


def test_a_cost_after_its_reserve_was_released_is_kept_and_told(ledger):
    ledger.expire(LATER)
    found = ledger.post([outcome("c2", "redeemed", 4_000_000)], LATER).posted
    assert found[0].flags == ("unreserved",)
    assert (money(ledger), state(ledger, "c2")) == ((0, 4_000_000), "redeemed")


def test_in_whatever_order_it_is_told_a_redeemed_coupon_is_redeemed(ledger):
    told = [outcome("c2", "redeemed", 4_000_000), outcome("c2", "carried_out")]
    assert became(ledger, *told) == ["kept", "kept"]
    assert (money(ledger), state(ledger, "c2")) == ((5_000_000, 4_000_000), "redeemed")


def test_a_trial_tells_what_would_become_of_each_and_keeps_none(ledger):
    told = [outcome("c0", "carried_out", 12_000_000), outcome("c0", "carried_out", 1), outcome("nobody", "value")]
    found = ledger.post(told, LATER, check=True)
    assert [one.became for one in found.posted] == ["kept", "refused", "refused"]
    assert found.overspent == {"spring": 2_000_000}
    assert (money(ledger), ledger.outcomes("spring")) == ((10_000_000, 0), [])


def test_more_outcomes_than_are_looked_at_at_once_are_all_kept(tiny):
    ledger, run = begun(tiny.catalogue.engine, 10**12)
    ledger.reserve("spring", run, CUTOFF, some(5_100), NOW)
    told = [outcome(f"c{number}", "carried_out", 1) for number in range(5_100)]
    found = ledger.post([*told, *told], LATER).posted
    assert [one.became for one in found] == ["kept"] * 5_100 + ["stood"] * 5_100
    assert money(ledger) == (0, 5_100)


def test_who_reads_outcomes_gets_them_as_they_were_told(ledger):
    told = outcome("c0", "carried_out", 3_000_000)
    ledger.post([told], LATER)
    assert ledger.outcomes("spring") == [told]
    assert ledger.outcomes("spring")[0] == replace(told) == Outcome(*vars(told).values())
