"""Why no conversion is told is a code with what was found, worded in both languages."""

import json
import re

import pytest

from churnml.modeling.no_conversion import (
    EveryoneHasPaid,
    KnownByFirstOrder,
    NotLookedFor,
    NotTaught,
    Refused,
    Untold,
    plain,
    reason_of,
)

REASONS = [
    NotLookedFor(),
    EveryoneHasPaid(),
    KnownByFirstOrder(),
    Refused(["baselines", "suspects", "bounds"], "the base rate is better"),
    NotTaught("the matrix is singular"),
]


@pytest.mark.parametrize("reason", REASONS, ids=lambda one: one.code)
def test_a_reason_comes_back_from_json_as_it_was(reason):
    assert reason_of(json.loads(json.dumps(plain(reason)))) == reason


@pytest.mark.parametrize("reason", REASONS, ids=lambda one: one.code)
def test_its_detail_is_english_and_its_chinese_holds_no_english_word(reason):
    assert plain(reason)["detail"] == reason.said("en")
    assert not re.search("[A-Za-z]", reason.said("zh"))


@pytest.mark.parametrize("told", [{"code": "of_tomorrow"}, {"code": "refused", "figures": {}}, {}])
def test_a_reason_of_another_version_keeps_its_sentence(told):
    assert reason_of(told | {"detail": "it rained"}) == Untold("it rained")
