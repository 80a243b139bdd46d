"""What a cell of customers should get: the action that brings most, cautiously, to those it is open to; or nothing."""

import numpy as np
import pytest
from people import action

from churnml.policy import Catalogue
from churnml.policy.effect import SOURCES, Effect
from churnml.policy.strategy import OTHERS, UNSCORED, advise, cells

HIGH, LOW = "high_value_low_risk", "low_value_low_risk"
PRIOR, MEASURED = SOURCES.index("prior"), SOURCES.index("measured")
CATALOGUE = Catalogue(actions=(action("do_nothing"), action("coupon", "email", 2), action("call", "phone", 5)))


def known(changes, sd=1.0, source=PRIOR):
    """Return effects that are the same for each of ten customers."""
    margin = np.tile(np.array([0.0, *changes]), (10, 1))
    spread = np.tile(np.array([0.0, sd, sd]), (10, 1))
    of = np.tile(np.array([0, source, source], dtype=np.int8), (10, 1))
    return Effect(np.zeros((10, 3)), margin, spread, margin - spread, of)


def advice(effect, is_open=None, **more):
    """Return what to do about ten customers of one cell, at a cost of 2 and 5."""
    costs = np.tile(np.array([0.0, 2.0, 5.0]), (10, 1))
    is_open = np.ones((10, 3), dtype=np.bool_) if is_open is None else is_open
    return next(advise([np.arange(10)], CATALOGUE, effect, costs, is_open, **more))


def test_the_action_that_brings_most_after_its_cost_is_advised():
    # the coupon brings 6 - 2 = 4 each, the call 8 - 5 = 3
    found = advice(known((6.0, 8.0)))
    assert (found.action, found.open_to, found.effect, found.cost, found.total) == ("coupon", 10, 6.0, 2.0, 40.0)
    assert found.return_on_cost == 2.0


def test_what_is_uncertain_is_taken_cautiously():
    effect = known((6.0, 11.0))
    effect.lower[:, 2] -= 5.0
    assert advice(effect).action == "coupon"


def test_the_interval_does_not_shrink_with_the_number_of_customers():
    # one effect for all, wrong for all alike: 6 +- 1.96 each, and ten times that in all
    found = advice(known((6.0, 8.0), source=MEASURED))
    assert (found.effect_low, found.effect_high) == pytest.approx((4.04, 7.96), abs=0.001)
    assert (found.total_low, found.total_high) == pytest.approx((20.4, 59.6), abs=0.01)


def test_a_guess_has_no_interval():
    found = advice(known((6.0, 8.0)))
    assert found.effect == 6.0
    assert np.isnan([found.effect_low, found.effect_high, found.total_low, found.total_high]).all()


def test_only_those_to_whom_it_is_open_count():
    is_open = np.ones((10, 3), dtype=np.bool_)
    is_open[3:, 1] = False
    found = advice(known((6.0, 8.0)), is_open)
    assert (found.action, found.total) == ("call", 30.0)


def test_nothing_is_advised_where_nothing_pays_or_nothing_is_open():
    assert (advice(known((2.5, 5.5))).action, advice(known((2.5, 5.5))).evidence) == ("do_nothing", "nothing_pays")
    closed = np.zeros((10, 3), dtype=np.bool_)
    assert (advice(known((6.0, 8.0)), closed).action, advice(known((6.0, 8.0)), closed).evidence) == (
        "do_nothing", "nothing_open"
    )  # fmt: skip


def test_an_action_open_to_few_is_not_advised():
    is_open = np.ones((10, 3), dtype=np.bool_)
    is_open[4:, 1] = False
    assert advice(known((60.0, 8.0)), is_open, smallest=5).action == "call"


@pytest.mark.parametrize(
    "source, proven, evidence",
    [(PRIOR, (), "assumed"), (PRIOR, ("coupon",), "assumed"), (MEASURED, (), "unproven"),
     (MEASURED, ("coupon",), "proven")],
)  # fmt: skip
def test_only_what_was_measured_and_found_to_pay_is_called_proven(source, proven, evidence):
    assert advice(known((6.0, 8.0), source=source), proven=proven).evidence == evidence


def test_a_cell_that_is_partly_assumed_is_not_proven():
    effect = known((6.0, 8.0), source=MEASURED)
    effect.source[0, 1] = PRIOR
    found = advice(effect, proven=("coupon",))
    assert (found.source, found.evidence) == ("mixed", "assumed")


def test_everybody_is_in_one_cell_in_the_order_of_a_life():
    stages = ["mature"] * 3 + ["new"] * 3 + ["churned"] * 2
    found = cells(stages, [HIGH, HIGH, LOW, HIGH, HIGH, None, None, None], smallest=2)
    assert [(one.stage, one.segment, one.members.tolist()) for one in found] == [
        ("new", HIGH, [3, 4]), ("mature", HIGH, [0, 1]), ("churned", UNSCORED, [6, 7]), (OTHERS, OTHERS, [2, 5])
    ]  # fmt: skip


def test_small_segments_are_told_together_within_their_stage_where_that_is_enough():
    found = cells(["new"] * 4, [HIGH, LOW, "mid_value_low_risk", None], smallest=3)
    assert [(one.stage, one.segment, len(one.members)) for one in found] == [("new", OTHERS, 4)]
