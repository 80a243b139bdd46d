"""What half a year of a campaign tells: a catalogue is judged on its lots, and all it did against the hold-out."""

import pytest

from journeys import copied


@pytest.fixture(scope="module")
def past(journey, tmp_path_factory):
    """A workspace in which lots were drawn half a year before its data end."""
    past = copied(journey, tmp_path_factory.mktemp("past"))
    past.churnml("score", "--cutoff", "2017-07-01")
    settings = past.configs / "assign.yaml"
    text = settings.read_text(encoding="utf-8").replace("explore_share: 0.1 ", "explore_share: 0.9 ")
    settings.write_text(text.replace("explore_budget_share: 0.1 ", "explore_budget_share: 0.9 "), encoding="utf-8")
    assert past.churnml("assign", "--budget", 50_000, "--json").body["explored"] > 500
    return past


@pytest.fixture(scope="module")
def judged(past):
    return past.churnml("measure policy", "--json").body


def test_lots_that_gave_what_would_be_chosen_are_the_evidence(judged):
    assert judged["cases"] > 500
    assert 100 <= judged["effective"] <= judged["cases"]
    assert sum(judged["chosen"].values()) == judged["cases"]
    assert judged["gain"]["low"] < judged["gain"]["value"] < judged["gain"]["high"]


def test_the_verdict_follows_the_interval_and_is_said_in_both_languages(past, judged):
    found = judged["gain"]
    verdict = "more" if found["low"] > 0 else "less" if found["high"] < 0 else "open"
    assert judged["verdict"] == verdict
    assert "past lots" in judged["said"]["en"]
    assert "历史抽签" in judged["said"]["zh"]
    assert "历史抽签" in past.churnml("measure policy", "--language", "zh").err


def test_without_closed_lots_nothing_is_said(journey):
    said = journey.churnml("measure policy")
    assert said.code == 3
    assert "error:" in said.err


@pytest.fixture(scope="module")
def effect(past):
    return past.churnml("measure effect", "--json").body


def test_all_that_a_campaign_did_is_held_against_the_hold_out(past, effect):
    whole, said = effect["actions"]["all_actions"], past.churnml("assign", "--budget", 50_000, "--json").body
    assert whole["overall"]["controls"] == said["held_out"]
    assert whole["overall"]["treated"] == said["population"] - said["held_out"]
    assert whole["sample_ratio"]["holds"]
    assert whole["label"]["zh"] == "活动的全部行动（与长期留出组相比）"


def test_the_cost_of_all_that_was_done_is_spread_over_all_who_could_be_reached(effect):
    overall = effect["actions"]["all_actions"]["overall"]
    cost = overall["margin"]["value"] - overall["doubly_robust"]["value"]
    assert 0 < cost < 10


def test_what_all_actions_did_is_no_effect_of_one_and_moves_no_assumption(past, effect):
    assert "all_actions" not in past.churnml("assign", "--budget", 50_000, "--dry-run", "--json").body["measured"]
