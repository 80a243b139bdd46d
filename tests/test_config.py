"""A configuration says what it means or is told, by key, where it does not."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from churnml.config import (
    BacktestConfig,
    Settings,
    TrainConfig,
    WorkspaceConfig,
    flat,
    load_config,
    parse_config,
    validated,
    with_options,
)
from churnml.errors import ConfigError, UsageError
from churnml.events.sources.declared import SourcesFile
from churnml.policy.actions import Catalogue


def refusal(text, model=TrainConfig):
    with pytest.raises(ConfigError) as caught:
        parse_config(text, model, "configs/x.yaml")
    return str(caught.value)


def test_an_unknown_key_is_refused_with_the_nearest_right_one():
    words = refusal("horizon_day: 30")
    assert words.startswith("configs/x.yaml: unknown key `horizon_day`; did you mean `horizon_days`? (known: ")


def test_an_unknown_key_deep_inside_is_refused_with_the_keys_that_stand_beside_it():
    words = refusal("protocols: {cj: {target: churn, horizont_days: 3}}", BacktestConfig)
    assert "unknown key `protocols.cj.horizont_days`; did you mean `horizon_days`?" in words


def test_a_value_of_the_wrong_type_is_refused_with_what_was_found():
    words = refusal("horizon_days: soon")
    assert "`horizon_days`" in words
    assert "must be a whole number, got 'soon'" in words


def test_a_value_out_of_range_is_refused():
    assert refusal("horizon_days: 0") == "configs/x.yaml: `horizon_days` must be at least 1, got 0"


def test_a_time_zone_that_is_none_is_refused():
    words = refusal("time_zone: Europe/Atlantis", WorkspaceConfig)
    assert "`time_zone`" in words
    assert "must be an IANA time zone such as Europe/Berlin" in words


def test_text_that_is_not_yaml_is_refused():
    assert "is not valid YAML" in refusal("horizon_days: [1")


def test_a_list_is_no_configuration():
    assert "must hold `key: value` pairs, found a list" in refusal("- 1")


def test_a_refused_configuration_is_an_error_of_usage():
    assert (ConfigError.exit_code, ConfigError.http_status) == (2, 400)


def test_an_empty_text_gives_the_defaults():
    assert parse_config("", TrainConfig, "x") == TrainConfig()


def test_an_absent_file_gives_the_defaults_unless_it_is_required(tmp_path):
    assert load_config(tmp_path / "none.yaml", TrainConfig) == TrainConfig()
    with pytest.raises(ConfigError, match="does not exist"):
        load_config(tmp_path / "none.yaml", TrainConfig, required=True)


def test_a_configuration_cannot_be_changed_once_read():
    with pytest.raises(ValidationError, match="frozen"):
        TrainConfig().seed = 1


def test_an_entry_of_a_list_is_counted_from_one():
    words = refusal("actions: [{name: a b}]", Catalogue)
    assert words.startswith("configs/x.yaml: action 1, `name` must be a small letter, then small letters, digits")


def test_a_key_that_is_missing_is_told_with_its_meaning():
    words = refusal("protocols: {cj: {target: churn, horizon_days: 3, step_days: 1}}", BacktestConfig)
    assert words == "configs/x.yaml: `protocols.cj.first_cutoff` is missing; add it"
    assert "is missing; add it: The actions; the first is `do_nothing`" in refusal("caution: 1", Catalogue)


def test_a_word_that_is_none_of_those_allowed_is_told_with_the_nearest():
    words = refusal("consent: require", WorkspaceConfig)
    assert words == (
        "configs/x.yaml: `consent` must be `assumed` or `required`, got 'require'; did you mean `required`?"
    )


def test_a_key_that_is_no_text_is_told():
    assert "the key `1` of `attributes` must be one text, got 1" in refusal("attributes: {1: a}", WorkspaceConfig)


def test_an_option_is_called_as_it_is_written():
    with pytest.raises(UsageError, match=r"^--horizon-days must be at least 1, got 0$"):
        with_options(TrainConfig(), {"horizon_days": 0})


STRANGE = [None, "", "~x", -1, 0, 0.5, 1e12, float("nan"), True, [], [7], ["x", {}], {}, {"x": 1}, {1: 1}, 10**30]


def everything(model=Settings):
    assert {Catalogue, SourcesFile} <= set(Settings.__subclasses__())  # imported, so that they are walked
    return [model, *(found for one in model.__subclasses__() for found in everything(one))]


def given_each(model):
    return [{field.alias or name: value} for name, field in model.model_fields.items() for value in STRANGE]


def refused(given, model):
    """Return the words of a refusal; none where nothing is wrong."""
    try:
        validated(given, model, "x")
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("model", everything(), ids=lambda model: model.__name__)
def test_no_strange_value_of_any_key_is_refused_in_the_words_of_the_library(model):
    foreign = ("Input", "should", "valid ", "instance", "Field", "model_", "dictionary", "pydantic", "[type=")
    told = [(given, refused(given, model)) for given in [*given_each(model), {"strange": 1}]]
    assert told[-1][1].startswith("x: unknown key `strange`")
    assert not [(given, words) for given, words in told if any(word in words for word in foreign)]


def test_the_commented_settings_of_training_say_the_defaults():
    file = Path(__file__).parent.parent / "configs" / "train.yaml"
    assert load_config(file, TrainConfig) == TrainConfig()


@pytest.mark.parametrize(("text", "words"), [
    ("trees: {rounds: 3}", "unknown key `trees.rounds`"),
    ("trees: {num_leaves: 1}", "`trees.num_leaves` must be at least 2, got 1"),
    ("ridge: {variance: 0}", "`ridge.variance` must be more than 0, got 0"),
    ("value: {tweedie_power: 2}", "`value.tweedie_power` must be less than 2, got 2"),
    ("learners: {use: []}", "must hold at least 1"),
    ("learners: {use: [trees, tree]}", "must be `trees`, `ridge` or `rhythm`, got 'tree'; did you mean `trees`?"),
    ("learners: {use: [trees, trees]}", "must name each learner once, got trees, trees"),
    ("blend: {shrinkage: .inf}", "`blend.shrinkage` must be a finite number"),
])  # fmt: skip
def test_a_setting_of_a_learner_out_of_range_is_refused_by_its_key(text, words):
    assert words in refusal(text)


def test_options_of_the_command_leave_the_settings_of_learners_as_they_are():
    settings = parse_config("trees: {num_leaves: 3}", TrainConfig, "x")
    assert with_options(settings, {"horizon_days": 30}).trees.num_leaves == 3


def test_nested_settings_are_flattened_by_their_keys():
    assert flat({"seed": 1, "trees": {"num_leaves": 7}}) == {"seed": 1, "trees.num_leaves": 7}
