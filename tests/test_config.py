"""A configuration says what it means or is told, by key, where it does not."""

import pytest
from pydantic import ValidationError

from churnml.config import BacktestConfig, TrainConfig, WorkspaceConfig, load_config, parse_config
from churnml.errors import ConfigError


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
    assert "found 'soon'" in words


def test_a_value_out_of_range_is_refused():
    assert "greater than or equal to 1" in refusal("horizon_days: 0")


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
