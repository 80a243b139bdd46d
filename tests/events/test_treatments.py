"""Who was treated and who is a control, told from the table of contacts."""

import numpy as np
import pytest

from churnml.errors import InvalidTableError
from churnml.events.clock import DAY
from churnml.events.treatments import Treatments, comparison, draws, executed, treatments
from small import NOW

PEOPLE = """
customer_id occurred_at
a 2020-01-01
b 2020-01-01
c 2020-01-01
d 2020-01-01
"""
ORDERS = """
customer_id occurred_at order_id amount
a 2020-02-01 1 10.00
"""
HEAD = "customer_id occurred_at contact_id action campaign cost arm propensity\n"


def logged(tiny, rows):
    tiny.land(customers=PEOPLE, orders=ORDERS, contacts=HEAD + rows)
    return treatments(tiny.store, NOW)


def row(log, customer):
    return log.take(log.customer_ids == customer)


def made(rows):
    """Return treatments given as customer, day, action, campaign, arm, propensity, drawn_by, among."""
    who, day, action, campaign, arm, propensity, drawn_by, among = map(list, zip(*rows, strict=True))
    texts = [np.array(column, dtype=object) for column in (who, action, campaign, drawn_by, among)]
    days, arms, chance = np.array(day) * DAY, np.array(arm, dtype=bool), np.array(propensity, dtype=float)
    return Treatments(texts[0], days, texts[1], texts[2], arms, chance, np.zeros(len(who)), texts[3], texts[4])


def test_a_treatment_stands_at_the_midnight_of_its_day_in_the_zone_of_the_company(make_tiny):
    tiny = make_tiny(time_zone="Asia/Shanghai")
    log = logged(tiny, "a 2020-03-01T20:00:00Z k1 mail spring 1.5 treated 0.9")
    assert np.datetime64(int(log.cutoffs[0]), "us") == np.datetime64("2020-03-01T16:00")
    assert log.cost.tolist() == [1.5]


def test_the_propensity_of_a_control_is_turned_round_to_that_of_being_treated(tiny):
    log = logged(tiny, "a 2020-03-01 k1 mail spring 1 treated 0.9\nb 2020-03-01 k2 mail spring - control 0.1")
    assert log.propensity.tolist() == pytest.approx([0.9, 0.9])
    assert log.drawn_by.tolist() == ["choice", "choice"]
    assert row(log, "b").cost.tolist() == [0.0]


def test_a_contact_that_says_no_arm_was_carried_out(tiny):
    log = logged(tiny, "a 2020-03-01 k1 mail spring 1 - -")
    assert log.arm.tolist() == [True]
    assert not log.randomised.any()


def test_a_draw_that_fell_on_nothing_is_a_control_of_every_action_it_could_have_fallen_on(tiny):
    rows = "a 2020-03-01 k1 mail d 1 treated 0.2\nb 2020-03-01 k2 do_nothing d - control 0.2\n"
    log = logged(tiny, rows + "c 2020-03-01 k3 call d 6 treated 0.2")
    found = comparison(log, "mail")
    assert log.drawn_by.tolist() == ["explore"] * 3
    assert log.customer_ids[found.rows].tolist() == ["a", "b"]
    assert (found.treated.tolist(), found.propensity.tolist()) == ([True, False], [0.5, 0.5])


def test_what_happened_after_an_instant_is_not_in_the_log(tiny):
    tiny.land(customers=PEOPLE, orders=ORDERS, contacts=HEAD + "a 2020-03-01 k1 mail d 1 treated 0.5")
    assert len(treatments(tiny.store, 1_580_000_000_000_000)) == 0


def test_without_contacts_there_are_no_treatments(tiny):
    tiny.land(customers=PEOPLE, orders=ORDERS)
    assert treatments(tiny.store, NOW).actions == ()


def test_who_was_chosen_by_a_rule_is_in_no_comparison(tiny):
    log = logged(tiny, "a 2020-03-01 k1 mail d 1 treated -\nb 2020-03-01 k2 mail d - control -")
    assert comparison(log, "mail").rows.size == 0


def test_nothing_drawn_from_among_other_actions_is_no_control():
    log = made([
        ("a", 5, "call", "c", True, 1 / 3, "explore", "mail call"),
        ("b", 5, "do_nothing", "c", False, 1 / 3, "explore", "mail ship"),
        ("c", 5, "do_nothing", "c", False, 1 / 3, "explore", "mail call"),
    ])  # fmt: skip
    assert log.customer_ids[comparison(log, "call").rows].tolist() == ["a", "c"]


@pytest.mark.parametrize(
    ("day", "propensity", "campaign"), [(4, 0.5, "c"), (9, 0.5, "c"), (6, 0.4, "c"), (6, 0.5, "d")]
)
def test_a_draw_of_another_time_propensity_or_campaign_is_another_draw(day, propensity, campaign):
    log = made([
        ("a", 5, "mail", "c", True, 0.5, "explore", ""),
        ("b", 8, "mail", "c", True, 0.5, "explore", ""),
        ("z", day, "do_nothing", campaign, False, propensity, "explore", ""),
    ])  # fmt: skip
    assert "z" not in log.customer_ids[comparison(log, "mail").rows]


def test_choices_and_draws_of_an_action_are_compared_each_by_its_own_propensity():
    log = made([
        ("a", 5, "mail", "c", True, 0.9, "choice", ""),
        ("b", 5, "mail", "c", False, 0.9, "choice", ""),
        ("c", 5, "mail", "c", True, 0.25, "explore", "mail"),
        ("d", 5, "do_nothing", "c", False, 0.25, "explore", "mail"),
    ])  # fmt: skip
    assert comparison(log, "mail").propensity.tolist() == [0.9, 0.9, 0.5, 0.5]


def test_a_draw_gives_the_chance_of_everything_that_was_open_in_it():
    log = made([
        ("a", 5, "mail", "c", True, 1 / 3, "explore", "mail call"),
        ("b", 5, "do_nothing", "c", False, 1 / 2, "explore", "mail"),
        ("c", 5, "call", "c", True, 0.9, "choice", ""),
    ])  # fmt: skip
    found = draws(log, ("call", "mail"))
    assert (found.rows.tolist(), found.action.tolist()) == ([0, 1], [2, 0])
    np.testing.assert_allclose(found.propensities, [[1 / 3, 1 / 3, 1 / 3], [1 / 2, 0, 1 / 2]])


def test_a_draw_among_more_actions_than_are_asked_for_is_left_out():
    log = made([("a", 5, "mail", "c", True, 1 / 3, "explore", "mail call")])
    assert draws(log, ("mail",)).rows.size == 0


def test_a_contact_carries_out_its_assignment_and_is_no_treatment_of_its_own():
    assigned = made([("a", 5, "mail", "c", True, 0.9, "choice", "")])
    contacts = made([("a", 6, "mail", "c", True, np.nan, "", ""), ("b", 6, "mail", "c", True, np.nan, "", "")])
    log, broken = executed(assigned, contacts)
    assert log.customer_ids.tolist() == ["a", "b"]
    assert (log.cutoffs[0], broken.tolist()) == (5 * DAY, [False])


@pytest.mark.parametrize("action", ["mail", "do_nothing"])
def test_a_control_who_is_contacted_all_the_same_stays_a_control_and_is_told(action):
    assigned = made([("a", 5, action, "c", False, 0.5, "explore", "mail")])
    log, broken = executed(assigned, made([("a", 6, "mail", "c", True, np.nan, "", "")]))
    assert (len(log), bool(log.arm[0]), broken.tolist()) == (1, False, [True])


def test_a_propensity_beyond_one_is_refused_by_name():
    with pytest.raises(InvalidTableError, match=r"between 0 and 1, got 1\.5 in row 0"):
        made([("a", 5, "mail", "c", True, 1.5, "", "")])


def test_columns_of_two_lengths_are_refused():
    one = made([("a", 5, "mail", "c", True, 0.5, "", "")])
    with pytest.raises(InvalidTableError, match="cutoffs 2"):
        Treatments(one.customer_ids, np.arange(2), *(getattr(one, name) for name in (
            "action", "campaign", "arm", "propensity", "cost", "drawn_by", "among")))  # fmt: skip
