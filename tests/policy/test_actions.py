import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from churnml.config import SECTORS
from churnml.errors import ConfigError
from churnml.events.simulation.equations import ACTIONS
from churnml.policy import DO_NOTHING, Cost, load_actions

NOTHING = """
actions:
  - name: do_nothing
    label: {en: Leave in peace, zh: 暂不打扰}
    script: {en: Do not approach them., zh: 不主动联系。}
    channel: none
    cost: 0
    effect_source: definition
    basis: Nothing done changes nothing.
"""
CALL = """
  - name: call
    label: {en: Call, zh: 电话}
    script: {en: Call them., zh: 致电客户。}
    channel: phone
    cost: 6
    capacity: 10
    prior: {churn_odds_ratio: 0.8}
    effect_source: prior
    basis: Assumed.
"""


@pytest.fixture
def refusal(tmp_path: Path):
    def load(text: str) -> str:
        path = tmp_path / "actions.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as error:
            load_actions(path)
        return str(error.value)

    return load


def test_the_shipped_catalogue_starts_with_doing_nothing_and_names_what_the_trade_knows():
    names = load_actions().names
    assert names[0] == DO_NOTHING
    assert {
        "coupon_10", "free_delivery", "personal_offer", "membership_tier", "service_call", "complaint_recovery",
        "win_back", "renewal_offer", "cross_sell", "up_sell", "referral_invitation", "content_and_education",
    } < set(names)  # fmt: skip


@pytest.mark.parametrize("sector", SECTORS)
def test_every_kind_of_business_has_at_least_eight_actions(sector):
    assert sum(not action.sectors or sector in action.sectors for action in load_actions().actions) >= 8


def test_the_four_actions_of_a_simulated_market_are_open_to_a_shop():
    for name in ACTIONS:
        assert set(load_actions()[name].sectors) <= {"retail"}


@pytest.mark.parametrize("action", load_actions().actions[1:], ids=lambda action: action.name)
def test_every_shipped_offer_ends_and_rests(action):
    assert action.cool_down_days > 0
    assert 0 < action.valid_days <= 90


def test_a_plain_cost_is_paid_for_each_one_treated():
    assert load_actions()["service_call"].cost == Cost(fixed=6)


def test_a_share_of_the_order_is_expected_up_to_its_cap_and_reserved_at_it():
    cost = Cost(fixed=1, order_share=0.1, cap=5, redemption=0.5)
    assert cost.expected(np.array([20.0, 50.0, 900.0, np.nan, 0.0])).tolist() == [2, 3.5, 3.5, 3.5, 1]
    assert cost.most == 6


def test_the_expected_cost_of_a_share_is_no_less_than_its_mean_over_orders_of_any_size():
    baskets = np.random.default_rng(0).lognormal(3, 1, 10_000)
    cost = Cost(order_share=0.1, cap=5, redemption=0.5)
    assert cost.expected(baskets.mean(keepdims=True))[0] >= 0.5 * np.minimum(0.1 * baskets, 5).mean()


def test_costs_stand_by_customer_and_action(catalogue):
    assert catalogue.costs([10.0, 20.0]).tolist() == [[0, 2, 6], [0, 2, 6]]
    assert catalogue.max_costs.tolist() == [0, 5, 6]


def test_a_reason_that_no_feature_has_is_refused_with_the_nearest(catalogue):
    words = "my.yaml: action `call`: `reasons` must be groups of features, got `satisfaction`; did you mean `satisfied`"
    with pytest.raises(ConfigError, match=re.escape(words)):
        catalogue.require_reasons({"satisfied", "spend"}, "my.yaml")


@pytest.mark.parametrize("action", load_actions().actions, ids=lambda action: action.name)
def test_every_shipped_action_speaks_english_and_chinese(action):
    for wording in (action.label, action.script):
        assert wording.en.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in wording.zh)


@pytest.mark.parametrize("action", load_actions().actions[1:], ids=lambda action: action.name)
def test_every_shipped_effect_is_marked_as_an_uncertain_prior(action):
    assert action.effect_source == "prior"
    assert action.prior.uncertainty > 0
    assert "ssumed" in action.basis


def test_a_missing_capacity_means_no_limit(tmp_path):
    path = tmp_path / "actions.yaml"
    path.write_text(NOTHING + CALL, encoding="utf-8")
    assert load_actions(path).capacities.tolist() == [float("inf"), 10]


def test_a_catalogue_cannot_be_changed_once_read():
    with pytest.raises(ValidationError, match="frozen"):
        load_actions().actions[0].cost = 1


@pytest.mark.parametrize(
    "wrong, right",
    [("capcity: 10", "capacity"), ("priors: {}", "prior"), ("capacity: 10\n    chanel: app", "channel")],
)
def test_a_misspelt_key_is_refused_with_file_key_and_nearest_right_one(refusal, wrong, right):
    message = refusal(NOTHING + CALL.replace("capacity: 10", wrong))
    assert "actions.yaml" in message
    assert wrong.split("\n")[-1].split(":")[0].strip() in message
    assert f"did you mean `{right}`" in message


def test_a_misspelt_key_of_a_prior_is_refused_with_the_nearest_right_one(refusal):
    message = refusal(NOTHING + CALL.replace("churn_odds_ratio", "churn_ods_ratio"))
    assert "did you mean `churn_odds_ratio`" in message


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("cost: 6", "cost: {order_share: 0.1, redemption: 0.3}", "`order_share` and `cap` go together"),
        ("cost: 6", "cost: {cap: 5}", "`order_share` and `cap` go together"),
        ("cost: 6", "cost: {on_redemption: 5}", "`redemption` says which share redeem"),
        ("cost: 6", "cost: {fixed: 5, redemption: 0.2}", "`redemption` says which share redeem"),
        ("cost: 6", "cost: {fixd: 5}", "did you mean `fixed`"),
        ("cost: 6", "cost: six", "cost"),
        ("cost: 6", "cost: -1", "must be at least 0, got -1"),
        ("capacity: 10", "stages: [churnd]", "did you mean `churned`"),
        ("capacity: 10", "segments: [high_value_hi_risk]", "did you mean `high_value_high_risk`"),
        ("capacity: 10", "sectors: [retial]", "did you mean `retail`"),
        ("capacity: 10", "purpose: service", "needs `open_complaint: requires`, got `closes`"),
        ("capacity: 10", "open_complaint: never", "must be `closes`, `allows` or `requires`"),
        ("name: call", "name: do_nothing", "must be free, open to all"),
        ("effect_source: prior", "effect_source: guessed", "effect_source"),
        ("effect_source: prior", "effect_source: definition", "`prior` or `measured` for every other action"),
        ("{churn_odds_ratio: 0.8}", "{churn_odds_ratio: 0}", "churn_odds_ratio"),
        (", zh: 电话", "", "zh"),
    ],
)
def test_a_value_that_breaks_its_rule_is_refused(refusal, old, new, words):
    assert words in refusal(NOTHING + CALL.replace(old, new))


def test_two_actions_of_one_name_are_refused(refusal):
    assert "got `call` twice" in refusal(NOTHING + CALL + CALL)


def test_a_catalogue_without_doing_nothing_is_refused(refusal):
    assert "the first of `actions` must be `do_nothing`" in refusal("actions:" + CALL)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_actions(tmp_path / "absent.yaml")


def test_what_is_taken_off_an_order_is_told_apart_from_what_is_paid_beside_it():
    cost = Cost(fixed=0.1, on_redemption=1, order_share=0.1, cap=5, redemption=0.5)
    assert cost.beside_orders == 0.6
    assert cost.taken_off(np.array([20.0, 100.0, np.nan])).tolist() == [1, 2.5, 2.5]
    assert cost.expected(np.array([20.0])).tolist() == [1.6]
