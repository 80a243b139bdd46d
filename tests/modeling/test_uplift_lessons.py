"""A workspace's contacts teach what was drawn by chance among them, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from experiments import effect_of, linear
from logs import cases_of, decisions

from churnml.events import Standing
from churnml.features import FeatureTable
from churnml.modeling.uplift.lesson_json import lesson_json
from churnml.modeling.uplift.lesson_words import lesson_told
from churnml.modeling.uplift.lessons import Window, learn
from churnml.modeling.uplift.own import effects_for
from churnml.wording import Text

WINDOW = Window(90, 0)
CALL = Text("Call", "致电")


def experiment(n=2_400):
    """Return the linear experiment as contacts; nobody's leaving depends on the call."""
    data = linear(2_400)
    left = np.random.default_rng(1).random(2_400) < 0.2
    return decisions("call", data.arm[:n], np.full(n, 0.4)), data.features[:n], data.outcome[:n], left[:n]


def by_rule(n=600, seed=5):
    """Return calls of those alone who would have brought much anyway."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 4))
    chosen = features[:, 0] > 0
    margin = 3 * features[:, 0] + chosen * effect_of(features) + rng.normal(size=n)
    return decisions("call", chosen, np.full(n, np.nan)), features, margin, rng.random(n) < 0.2


def table(features):
    n = len(features)
    ids = np.array([f"p{k}" for k in range(n)], dtype=object)
    return FeatureTable(
        ids, np.zeros(n, np.int64), np.full(n, Standing.POPULATION, np.int8), tuple("abcd"), features, {}
    )


@pytest.fixture(scope="module")
def found():
    cases = cases_of(experiment(), by_rule())
    return learn(cases, WINDOW, ["call", "mail"], population_days=90, workers=2)


@pytest.fixture(scope="module")
def call(found):
    return found[1][0]


@pytest.fixture(scope="module")
def unseen():
    return np.random.default_rng(9).normal(size=(800, 4))


@pytest.fixture(scope="module")
def own(found, unseen):
    return effects_for(found[0], table(unseen), ("do_nothing", "mail", "call"))


def test_each_action_has_its_own_evidence(found):
    assert [lesson.taught.evidence for lesson in found[1]] == ["order", "none"]
    assert [lesson.reason for lesson in found[1]] == ["", "no_randomised"]


def test_what_a_rule_chose_teaches_nothing_and_is_counted(call):
    assert (call.treated + call.controls, call.by_rule) == (2_400, 600)
    assert call.taught.margin.scores.shape == (2_400, 2)


def test_the_naive_difference_stands_beside_the_randomised_one_and_is_wrong(call):
    assert call.weighted["margin"].low < 0.3 < call.weighted["margin"].high
    assert call.naive["margin"].low > call.weighted["margin"].high
    told = lesson_told(call, CALL, "EUR")[-2]
    assert "They differ beyond noise" in told.en
    assert "反映的是选了谁" in told.zh


def test_an_order_by_margin_is_proven_and_none_by_staying(call):
    assert call.taught.margin.arms[0].accepted
    assert not call.taught.stayed.arms[0].accepted


def test_customers_get_their_own_effect_where_it_was_proven_and_nothing_elsewhere(own, unseen):
    assert np.corrcoef(own.margin_change[:, 2], effect_of(unseen))[0, 1] > 0.9
    assert (own.margin_sd[:, 2] > 0).all()
    assert np.isnan(own.margin_change[:, :2]).all()
    assert np.isnan(own.churn_change).all()


def test_sleeping_dogs_are_those_whom_the_action_harms(own, unseen):
    asleep = own.sleeping[:, 2]
    assert asleep.mean() > 0.1
    assert (effect_of(unseen)[asleep] < 0).mean() > 0.9
    assert not own.sleeping[:, :2].any()


def test_sleeping_dogs_are_told_by_group_with_their_number(call):
    told = " ".join(one.en for one in lesson_told(call, CALL, "EUR"))
    assert "Call harms some: leave alone those" in told
    assert "group 1, 240 customers: -" in told
    assert "EUR of margin" in told


def test_no_evidence_is_said_with_what_there_was(found):
    (told,) = lesson_told(found[1][1], Text("Mail", "邮件"), "EUR")
    assert told.en.startswith("Mail: no evidence, because no contact was drawn by chance")
    assert "The prior effect stays, and the next `churnml assign` draws more by chance." in told.en
    assert told.zh.startswith("“邮件”：没有证据")


def test_few_customers_are_no_evidence():
    few = experiment(150)
    _, (lesson,) = learn(cases_of(few), WINDOW, ["call"], population_days=90)
    assert (lesson.reason, lesson.taught.evidence, lesson.naive) == ("few", "none", {})


def test_contacts_that_features_foretell_are_refused_whatever_propensity_was_written_down():
    log, *rest = by_rule()
    told = replace(log, propensity=np.full(len(log), 0.5), drawn_by=np.full(len(log), "choice", dtype=object))
    _, (lesson,) = learn(cases_of((told, *rest)), WINDOW, ["call"], population_days=90)
    assert (lesson.reason, lesson.taught.evidence) == ("predictable", "none")


def test_decisions_that_repeat_the_same_draw_count_once():
    log, features, margin, left = experiment(190)
    later = replace(log, cutoffs=log.cutoffs + 1)
    _, (lesson,) = learn(cases_of((log, features, margin, left), (later, features, margin, left)), WINDOW, ["call"],
                         population_days=90)  # fmt: skip
    assert lesson.once
    assert lesson.treated + lesson.controls == 190
    assert any("only the first of each customer counts" in one.en for one in lesson_told(lesson, CALL, "EUR"))


def test_no_cases_at_all_are_no_evidence_and_can_be_asked_all_the_same(unseen):
    learned, (lesson,) = learn(cases_of(experiment(0)), WINDOW, ["call"], population_days=90)
    assert lesson.reason == "no_randomised"
    assert np.isnan(effects_for(learned, table(unseen), ("call",)).margin_change).all()


def test_the_curve_ends_at_the_average_effect(call):
    body = lesson_json(call, CALL, "EUR")["outcomes"]["margin"]
    assert body["curve"]["share"][0] == body["curve"]["gain"][0] == 0.0
    assert body["curve"]["gain"][-1] == pytest.approx(body["average"][0], abs=1e-5)
    assert body["sleeping_customers"] == sum(one["customers"] for one in body["groups"] if one["sleeping"])
