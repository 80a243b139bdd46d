from pathlib import Path

import pytest
from pydantic import ValidationError

from churnml.errors import ConfigError
from churnml.policy import DO_NOTHING, load_actions

NOTHING = """
actions:
  - name: do_nothing
    label: {en: Leave in peace, zh: 暂不打扰}
    script: {en: Do not approach them., zh: 不主动联系。}
    channel: none
    cost: 0
    max_cost: 0
    effect_source: definition
    basis: Nothing done changes nothing.
"""
CALL = """
  - name: call
    label: {en: Call, zh: 电话}
    script: {en: Call them., zh: 致电客户。}
    channel: phone
    cost: 6
    max_cost: 6
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


def test_the_shipped_catalogue_starts_with_doing_nothing_and_offers_at_least_five_actions_more():
    names = load_actions().names
    assert names[0] == DO_NOTHING
    assert len(names) >= 6


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
        ("max_cost: 6", "max_cost: 5", "`max_cost` must be at least `cost`, got 5 and 6"),
        ("name: call", "name: do_nothing", "must be free, open to all"),
        ("effect_source: prior", "effect_source: measured", "effect_source"),
        ("effect_source: prior", "effect_source: definition", "`prior` for every other action"),
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
