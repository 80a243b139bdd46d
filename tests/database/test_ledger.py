"""The ledger reserves what an action can cost, assigns each customer once, and gives back what is not used."""

from dataclasses import replace

import pytest

from churnml.database import Ledger, assignment_id
from churnml.errors import InvalidTableError, NotFoundError, UsageError
from ledgers import A_CALL, A_COUPON, CUTOFF, DAY, LATER, NOW, balances, begun, outcome, some


@pytest.fixture
def engine(tiny):
    return tiny.catalogue.engine


@pytest.fixture
def ledger(engine):
    ledger, run = begun(engine)
    ledger.reserve("spring", run, CUTOFF, some(3, controls={1}), NOW)
    return ledger


def test_a_campaign_opens_with_its_budget_and_keeps_what_it_spent_when_the_budget_moves(tiny):
    ledger = Ledger(tiny.catalogue.engine)
    assert ledger.open("spring", 7_000_000, NOW).left == 7_000_000
    assert ledger.open("spring", 9_000_000, NOW).left == 9_000_000
    assert ledger.campaign("spring") == ledger.open("spring", 9_000_000, NOW)


def test_a_budget_below_what_is_taken_is_refused_and_stays_as_it_was(ledger):
    with pytest.raises(
        UsageError, match=r"0\.00 spent and 10\.00 reserved, got 9\.00; set `budget` to at least 10\.00"
    ):
        ledger.open("spring", 9_000_000, NOW)
    assert ledger.campaign("spring").budget == 20_000_000


@pytest.mark.parametrize(
    "name, budget, words", [("", 1, "1 to 64 letters"), ("s", -1, "must be at least 0, got -0.00")]
)
def test_a_campaign_without_a_name_or_with_a_debt_is_refused(tiny, name, budget, words):
    with pytest.raises(UsageError, match=words):
        Ledger(tiny.catalogue.engine).open(name, budget, NOW)


def test_a_campaign_that_was_never_opened_reserves_nothing(tiny):
    ledger, run = begun(tiny.catalogue.engine)
    with pytest.raises(NotFoundError, match="no campaign `autumn` in the ledger"):
        ledger.reserve("autumn", run, CUTOFF, some(1), NOW)


def test_what_is_reserved_is_the_most_that_the_treated_can_cost(ledger):
    spring = ledger.campaign("spring")
    assert (spring.reserved, spring.spent, spring.left) == (10_000_000, 0, 10_000_000)
    assert ledger.left("spring") == 10_000_000


def test_an_assignment_keeps_what_was_decided(ledger):
    one = ledger.assigned("spring")[1]
    assert (one.customer_id, one.arm, one.state, one.reserved) == ("c1", "control", "withheld", 0)
    assert (one.action, one.propensity, one.drawn_by, one.channel) == ("call", 0.9, "choice", "phone")
    assert (one.cutoff, one.assigned_at, one.expires_at, one.max_cost) == (CUTOFF, NOW, LATER, 5_000_000)
    assert one.assignment_id == assignment_id("spring", "c1")


def test_details_come_back_as_they_went_in(engine):
    ledger, run = begun(engine)
    told = {"category": "tea 茶", "shares": [0.5, None]}
    ledger.reserve("spring", run, CUTOFF, [replace(A_COUPON, details=told), replace(A_COUPON, customer_id="x")], NOW)
    assert [one.details for one in ledger.assigned("spring")] == [told, None]


@pytest.mark.parametrize("controls", [set(), {0}, {0, 1, 2, 3}])
def test_who_is_accepted_does_not_depend_on_the_coin(engine, controls):
    ledger, run = begun(engine, 12_000_000)
    assert ledger.reserve("spring", run, CUTOFF, some(4, controls=controls), NOW) == {"c0", "c1"}


def test_what_was_counted_for_controls_is_free_for_the_next_run(engine):
    ledger, run = begun(engine, 10_000_000)
    ledger.reserve("spring", run, CUTOFF, some(2, controls={0}), NOW)
    assert ledger.left("spring") == 5_000_000
    assert ledger.reserve("spring", run, CUTOFF, some(2, first=2), NOW) == {"c2"}


def test_one_that_is_too_dear_is_passed_over_and_a_cheaper_one_behind_it_is_not(engine):
    ledger, run = begun(engine, 7_000_000)
    cheap = replace(A_CALL, customer_id="cheap", max_cost=2_000_000)
    assert ledger.reserve("spring", run, CUTOFF, [*some(2), cheap], NOW) == {"c0", "cheap"}


def test_a_budget_of_nought_takes_what_costs_nothing(engine):
    ledger, run = begun(engine, 0)
    free = replace(A_CALL, customer_id="free", max_cost=0)
    assert ledger.reserve("spring", run, CUTOFF, [*some(1), free], NOW) == {"free"}


def test_a_customer_is_assigned_once_in_a_campaign(ledger, engine):
    _, run = begun(engine)
    assert ledger.reserve("spring", run, CUTOFF, [*some(4), *some(4)], NOW) == {"c3"}
    assert [one.customer_id for one in ledger.assigned("spring")] == ["c0", "c1", "c2", "c3"]


def test_a_control_stays_one_when_chosen_again(ledger, engine):
    _, run = begun(engine)
    ledger.reserve("spring", run, CUTOFF, some(3), NOW)
    assert [one.arm for one in ledger.assigned("spring")] == ["treated", "control", "treated"]


def test_another_campaign_has_a_budget_and_customers_of_its_own(ledger, engine):
    _, run = begun(engine, 5_000_000, "autumn")
    assert ledger.reserve("autumn", run, CUTOFF, some(3), NOW) == {"c0"}
    assert ledger.left("spring") == 10_000_000
    assert [one.name for one in ledger.campaigns()] == ["autumn", "spring"]


@pytest.mark.parametrize(
    "wrong", [{"arm": "held_out"}, {"propensity": 1.5}, {"propensity": float("nan")}, {"max_cost": -1}]
)
def test_a_reservation_out_of_its_range_reserves_nothing_at_all(engine, wrong):
    ledger, run = begun(engine)
    with pytest.raises(InvalidTableError, match="for customer 'c1'; pass what the policy decided"):
        ledger.reserve("spring", run, CUTOFF, [*some(1), replace(A_CALL, **wrong)], NOW)
    assert ledger.assigned("spring") == []


def test_assignments_are_found_by_action_and_by_the_day_they_count_from(ledger, engine):
    _, run = begun(engine, campaign="autumn")
    ledger.reserve("autumn", run, CUTOFF + DAY, [replace(A_COUPON, customer_id="d")], NOW)
    assert [one.customer_id for one in ledger.assignments(actions=["coupon"])] == ["d"]
    assert [one.customer_id for one in ledger.assignments(since=CUTOFF + 1)] == ["d"]
    assert len(ledger.assignments(actions=["coupon", "call"], since=CUTOFF)) == 4


def test_what_nobody_heard_of_until_its_time_is_over_is_released(ledger, engine):
    assert ledger.expire(LATER - 1) == 0
    assert ledger.expire(LATER) == 2
    assert ledger.expire(LATER) == 0
    assert [one.state for one in ledger.assigned("spring")] == ["expired", "withheld", "expired"]
    assert (ledger.left("spring"), balances(engine)) == (20_000_000, True)


def test_a_coupon_carried_out_and_never_redeemed_is_released_and_counts_as_carried_out(engine):
    ledger, run = begun(engine)
    ledger.reserve("spring", run, CUTOFF, some(1, like=A_COUPON), NOW)
    ledger.post([outcome("c0", "carried_out", 20_000)], LATER)
    assert ledger.campaign("spring").reserved == 4_980_000
    ledger.expire(LATER)
    assert (ledger.campaign("spring").reserved, ledger.assigned("spring")[0].state) == (0, "carried_out")


@pytest.mark.parametrize("end", ["fails", "is killed"])
def test_a_run_that_does_not_get_to_its_end_leaves_no_assignment_and_no_reserve(tiny, end):
    ledger, run = begun(tiny.catalogue.engine)
    ledger.reserve("spring", run, CUTOFF, some(3, controls={1}), NOW)
    if end == "fails":
        tiny.catalogue.finish(run, LATER, {}, ok=False)
    else:
        tiny.catalogue.interrupt(run, LATER)
    assert (ledger.assigned("spring"), ledger.left("spring")) == ([], 20_000_000)


def test_a_run_that_gets_to_its_end_keeps_what_it_assigned(tiny):
    ledger, run = begun(tiny.catalogue.engine)
    ledger.reserve("spring", run, CUTOFF, some(3), NOW)
    tiny.catalogue.finish(run, LATER, {})
    assert len(ledger.assigned("spring")) == 3


def blank(tiny, customer):
    tiny.catalogue.land(tiny.catalogue.next_batch_id(), NOW, [], {}, [], {customer: True})


def test_who_refuses_to_be_profiled_is_blanked_and_not_approached_any_more(tiny):
    ledger, run = begun(tiny.catalogue.engine)
    ledger.reserve("spring", run, CUTOFF, some(3, controls={1}), NOW)
    for customer in ("c0", "c1"):
        blank(tiny, customer)
    assert [one.customer_id for one in ledger.assigned("spring")] == ["c2"]
    assert (ledger.campaign("spring").reserved, balances(tiny.catalogue.engine)) == (5_000_000, True)


def test_who_refused_before_the_run_was_done_is_blanked_when_it_is(tiny):
    ledger, run = begun(tiny.catalogue.engine)
    blank(tiny, "c0")
    ledger.reserve("spring", run, CUTOFF, some(2), NOW)
    tiny.catalogue.finish(run, LATER, {})
    assert [one.customer_id for one in ledger.assigned("spring")] == ["c1"]


def test_a_coupon_of_one_who_refuses_may_still_be_redeemed_within_its_reserve(tiny):
    ledger, run = begun(tiny.catalogue.engine)
    ledger.reserve("spring", run, CUTOFF, some(1, like=A_COUPON), NOW)
    ledger.post([outcome("c0", "carried_out", 0)], LATER)
    blank(tiny, "c0")
    found = ledger.post([outcome("c0", "redeemed", 4_000_000)], LATER)
    spring = ledger.campaign("spring")
    assert (found.posted[0].became, found.posted[0].flags) == ("kept", ())
    assert (spring.reserved, spring.spent) == (0, 4_000_000)


def test_who_refuses_stays_assigned_and_is_not_chosen_again(tiny):
    ledger, run = begun(tiny.catalogue.engine)
    ledger.reserve("spring", run, CUTOFF, some(1), NOW)
    blank(tiny, "c0")
    assert ledger.reserve("spring", run, CUTOFF, some(1), NOW) == set()


def test_who_is_forgotten_leaves_no_assignment_no_outcome_and_no_reserve_but_what_they_cost(tiny):
    ledger, run = begun(tiny.catalogue.engine)
    ledger.reserve("spring", run, CUTOFF, some(3), NOW)
    ledger.post([outcome("c0", "carried_out", 3_000_000), outcome("c1", "value", amount=9)], LATER)
    tiny.catalogue.rewrite({}, {}, ["c0", "c1"])
    assert [one.customer_id for one in ledger.assigned("spring")] == ["c2"]
    assert ledger.outcomes("spring") == []
    assert (ledger.campaign("spring").reserved, ledger.campaign("spring").spent) == (5_000_000, 3_000_000)


def test_who_draws_by_lot_is_let_in_by_the_dearest_they_could_have_drawn(tiny):
    ledger, run = begun(tiny.catalogue.engine)
    ledger.open("autumn", 9_000_000, NOW)
    cheap, dear = some(2)
    drew = [replace(cheap, claim=8_000_000, max_cost=1_000_000), replace(dear, claim=8_000_000, max_cost=1_000_000)]
    assert ledger.reserve("autumn", run, CUTOFF, drew, NOW) == {cheap.customer_id}
    assert ledger.campaign("autumn").reserved == 1_000_000


def test_what_nobody_heard_of_is_taken_back_and_assigned_anew_in_one_step(ledger, engine):
    run = begun(engine)[1]
    assert ledger.reserve("spring", run, CUTOFF, some(2, first=7), NOW, budget=9_000_000, anew=True) == {"c7"}
    assert [one.customer_id for one in ledger.assigned("spring")] == ["c7"]
    assert (ledger.campaign("spring").budget, ledger.campaign("spring").reserved) == (9_000_000, 5_000_000)


def test_a_campaign_with_an_outcome_is_not_taken_back_and_stays_as_it_was(ledger, engine):
    ledger.post([outcome("c2", "carried_out", cost=1_000_000)], LATER)
    before = ledger.assigned("spring")
    with pytest.raises(UsageError, match="nothing was carried out, `spring` has 1 outcomes"):
        ledger.reserve("spring", begun(engine)[1], CUTOFF, some(2, first=7), NOW, anew=True)
    assert ledger.assigned("spring") == before


def test_a_cost_that_can_only_be_a_slip_of_its_unit_is_refused(ledger):
    (posted,) = ledger.post([outcome("c2", "carried_out", cost=501_000_000)], LATER).posted
    assert posted.became == "refused"
    assert posted.refused.rule == "must be at most 100 times the `max_cost` of the action, 5.00"
    assert ledger.campaign("spring").spent == 0


def test_a_campaign_that_outcomes_have_exceeded_stays_open_with_its_budget_and_with_no_smaller_one(ledger):
    ledger.post([outcome("c2", "carried_out", cost=19_000_000)], LATER)
    assert ledger.open("spring", 20_000_000, NOW).left == -4_000_000
    with pytest.raises(UsageError, match=r"19\.00 spent and 5\.00 reserved"):
        ledger.open("spring", 19_500_000, NOW)
