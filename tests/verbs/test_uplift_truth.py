"""What contacts of a simulated market teach, beside what is known of it: the whole way from the market to the page."""

import pytest

from command import churnml

ACTIONS = ("thank_you_email", "coupon_10", "free_delivery", "service_call")
pytestmark = pytest.mark.long


def measured(folder, variant, customers=3_000):
    shop = folder / variant
    said = churnml("simulate", "--variant", variant, "--customers", customers, "--seed", 3, "-w", shop, "--json")
    assert said.code == 0, said.err
    said = churnml("measure", "uplift", "-w", shop, "--report", folder / f"{variant}.html", "--json")
    assert said.code == 0, said.err
    checked = churnml("check", "bundle", said.body["model_version"][:12], "-w", shop, "--json")
    assert (checked.code, checked.body["kind"]) == (0, "uplift")
    return said.body


@pytest.fixture(scope="module")
def null(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("null"), "null")


@pytest.fixture(scope="module")
def confounded(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("confounded"), "confounded")


def outcomes(body):
    return [found for action in ACTIONS for found in body["actions"][action]["outcomes"].values()]


def apart(one, other):
    return one[1] > other[2] or one[2] < other[1]


def test_where_actions_do_nothing_nothing_is_claimed(null):
    assert not any(found["order_proven"] or found["sleeping_customers"] for found in outcomes(null))
    assert not any(apart(found["average"], [0, 0, 0]) for found in outcomes(null))


def test_where_a_feeling_chose_the_naive_difference_is_told_to_be_wrong(confounded):
    found = [confounded["actions"][action] for action in ACTIONS]
    assert any(apart(one["naive"][o], one["by_chance"][o]) for one in found for o in ("margin", "stayed"))
    assert any("They differ beyond noise" in says["en"] for one in found for says in one["says"])
