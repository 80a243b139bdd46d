"""`churnml measure effect`: what the log of contacts says of actions, and what it must not say."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from churnml.database import Ledger, Records
from command import churnml, strictly
from ledgers import A_CALL, DAY, begun, outcome, some
from logged import ASSIGNED, contacts, drawn, landed, orders
from made_once import made_once

N = 240


def effect(tiny, *options):
    configs = tiny.folder / "configs"
    return churnml("measure", "effect", "--workspace", tiny.workspace.root, "--configs", configs, "--json", *options)


@pytest.fixture(scope="module")
def helped(tmp_path_factory):
    """Return a workspace in which a call of cost 1 brought 8 more, and what was said of it."""
    folder = tmp_path_factory.mktemp("helped")
    tiny = landed(folder, drawn(N), 8.0)
    report = folder / "effect.html"
    said = effect(tiny, "--by", "region", "--report", report, "--report", folder / "effect.json")
    assert said.code == 0, said.err
    return tiny, said.body, report


def test_the_net_effect_is_what_was_planted_less_its_cost(helped):
    call = helped[1]["actions"]["call"]
    low, high = call["overall"]["low"], call["overall"]["high"]
    assert call["overall"]["verdict"] == "helps"
    assert low < 7.0 < high
    assert high - low < 3


def test_the_money_is_that_of_all_who_were_treated(helped):
    overall = helped[1]["actions"]["call"]["overall"]
    money, treated = overall["money"], int(drawn(N).sum())
    assert overall["treated"] == treated
    assert money["cost"] == pytest.approx(treated * 1.0, abs=1.0)
    assert money["net"] == pytest.approx(money["margin"] - money["cost"])
    assert money["return_on_cost"] == pytest.approx(money["net"] / money["cost"])


def test_its_segments_stand_below_it(helped):
    segments = helped[1]["actions"]["call"]["segments"]
    assert {name: one["verdict"] for name, one in segments.items()} == {"north": "helps", "south": "helps"}


def test_it_is_said_in_both_languages(helped):
    said = helped[1]["actions"]["call"]["said"]
    assert said["en"].startswith("call helps: $")
    assert said["zh"].startswith("“call”有效：")


def test_the_page_needs_nothing_beside_it_and_says_the_same(helped):
    _, body, report = helped
    page = report.read_text()
    assert "<li>call helps: $" in page
    assert page.count("<svg") > 3
    assert "src=" not in page
    assert all(f"call, {segment}" in page for segment in body["actions"]["call"]["segments"])


def test_the_json_beside_it_is_what_is_printed(helped):
    _, body, report = helped
    assert strictly(report.with_suffix(".json").read_text()) == body


def test_the_next_assignment_can_read_what_was_measured(helped):
    from churnml.verbs.measure_effect import measured_effects
    from churnml.verbs.session import Session

    session = Session.open(helped[0].workspace.root, helped[0].folder / "configs")
    found = measured_effects(session)["call"]
    assert found.orders.log_ratio == pytest.approx(np.log((15 + 8) / 15), abs=0.1)
    assert found.net_low < found.net < found.net_high
    session.catalogue.engine.dispose()


def test_the_plan_of_the_first_look_stands_whatever_is_set_later(tmp_path):
    tiny = landed(tmp_path / "w", drawn(N), 8.0)
    first = effect(tiny).body
    (tiny.folder / "configs" / "measure.yaml").write_text("planned_days: 900\n")
    again = effect(tiny).body
    assert again["plans"] == first["plans"]
    assert again["ended"] is True


def two_campaigns(folder):
    """Return a workspace with a campaign of 160 in March and one of 80 from the middle of May on."""
    treated = drawn(N)
    rows = contacts(treated).splitlines(keepends=True)
    late = contacts(treated, campaign="summer", start=date(2021, 5, 14)).splitlines(keepends=True)
    return landed(folder, treated, 8.0, "".join([*rows[:161], *late[161:]]))


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """Return what was said of two campaigns while one was open, with both closed, and over days that only one has."""
    tiny = two_campaigns(tmp_path_factory.mktemp("twice"))
    said = [effect(tiny).body]
    (tiny.folder / "configs" / "assign.yaml").write_text("effect_horizon_days: 30\n")
    said += [effect(tiny).body, effect(tiny).body, effect(tiny, "--campaign", "spring")]
    return said


def test_a_campaign_of_which_nothing_has_closed_has_no_plan_yet(twice):
    assert list(twice[0]["plans"]) == ["spring"]
    assert twice[0]["planned"] == {"call": 160}


def test_a_campaign_planned_over_other_days_is_left_out_of_all_and_told(twice):
    assert list(twice[1]["plans"]) == ["summer"]
    assert twice[1]["cases"]["closed"] == 80
    told = twice[1]["remarks"][-1]
    assert told["en"].startswith("The campaign spring is left out: its plan looks at outcomes over 60 days")
    assert told["zh"].startswith("未计入活动 spring：其计划按 60 天观察结果")
    assert twice[2]["plans"] == twice[1]["plans"]


def test_a_campaign_planned_over_other_days_is_refused_where_it_is_asked_for(twice):
    assert twice[3].code == 2
    assert "written down at its first look; `effect_horizon_days` is 30 now" in twice[3].err


def test_where_no_campaign_is_left_the_plan_that_stands_against_it_is_told(tmp_path):
    tiny = landed(tmp_path / "w", drawn(N), 8.0)
    assert effect(tiny).code == 0
    (tiny.folder / "configs" / "assign.yaml").write_text("effect_horizon_days: 30\n")
    assert "written down at its first look; `effect_horizon_days` is 30 now" in effect(tiny).err


def test_a_campaign_that_comes_later_does_not_move_where_the_interval_of_all_is_narrowest(tmp_path):
    tiny = two_campaigns(tmp_path / "w")
    alone = effect(tiny).body
    late = orders(np.zeros(1, dtype=bool), 0.0).splitlines(keepends=True)[0] + "c000,2021-09-10,9-9,10.00,0\n"
    tiny.ingest("orders", tiny.file("later.csv", late))
    both = effect(tiny).body
    assert set(both["plans"]) == {"spring", "summer"}
    assert both["cases"]["closed"] == N
    assert both["planned"] == alone["planned"] == {"call": 160}
    assert "have no planned end in common" in both["remarks"][-1]["en"]


def test_no_look_lies_later_than_what_is_known(helped):
    _, body, _ = helped
    assert max(one["closed_by"] for one in body["actions"]["call"]["looks"]) <= body["as_of"]


def test_who_belongs_to_no_segment_is_counted_and_told(helped):
    told = effect(helped[0], "--by", "segment").body["remarks"][-1]
    assert told["en"].startswith(f"{N} of {N} cases belong to no segment by `segment`: only assignments have")
    assert f"{N} 例中有 {N} 例不属于任何按 `segment` 划分的分群" in told["zh"]


def test_before_its_planned_end_the_wide_interval_counts(tmp_path):
    tiny = landed(tmp_path / "w", drawn(N), 8.0)
    (tiny.folder / "configs" / "measure.yaml").write_text("planned_customers: 5000\n")
    overall = effect(tiny).body["actions"]["call"]["overall"]
    assert overall["interval"] == "always_valid"
    assert [overall["low"], overall["high"]] == overall["doubly_robust"]["always_valid"]


def said_of(folder, treated, log, *options):
    found = effect(landed(folder, treated, 8.0, log), *options)
    assert found.code == 0, found.err
    return found.body


def test_a_log_that_is_not_randomised_is_no_evidence_and_the_naive_look_is_told(tmp_path):
    treated = drawn(N)
    body = said_of(tmp_path / "w", treated, contacts(treated, propensity=""))
    call = body["actions"]["call"]
    assert (call["evidence"], call["overall"], call["measured"]) == ("no_randomised", None, None)
    assert call["naive"]["value"] == pytest.approx(7.0, abs=1.0)
    assert "no evidence" in call["said"]["en"]


def test_one_empty_arm_claims_nothing(tmp_path):
    everyone = np.ones(N, dtype=bool)
    call = said_of(tmp_path / "w", everyone, contacts(everyone))["actions"]["call"]
    assert (call["evidence"], call["overall"]) == ("empty_arm", None)


def test_a_lost_part_of_the_treated_is_noticed_and_nothing_is_claimed(tmp_path):
    treated = drawn(N)
    lines = contacts(treated).splitlines(keepends=True)
    kept = [line for k, line in enumerate(lines) if "control" in line or k % 2 == 0]
    call = said_of(tmp_path / "w", treated, "".join(kept))["actions"]["call"]
    assert call["evidence"] == "sample_ratio"
    assert call["overall"]["verdict"] is None
    assert call["measured"] is None


def test_no_treatments_at_all_is_told(tmp_path):
    said = effect(landed(tmp_path / "w", drawn(20), log=""))
    assert said.code == 3
    assert "an effect needs treatments, found none" in said.err


def test_windows_that_are_all_open_are_told_with_the_day_the_first_closes(tmp_path):
    treated = drawn(20)
    said = effect(landed(tmp_path / "w", treated, log=contacts(treated, start=date(2021, 6, 1))))
    assert said.code == 3
    assert "found none of 20; the first closes on 2021-07-31" in said.err


@pytest.mark.parametrize(
    ("option", "given", "words"),
    [
        ("--campaign", "sprung", "must be one of 'spring', got 'sprung'; did you mean `spring`?"),
        ("--by", "regoin", "lifecycle_stage, risk_band, got 'regoin'; did you mean `region`?"),
    ],
)
def test_a_campaign_or_an_attribute_that_is_not_there_is_told_with_those_that_are(helped, option, given, words):
    said = effect(helped[0], option, given)
    assert said.code == 2
    assert words in said.err


def test_a_report_of_another_kind_is_refused_before_the_work(helped):
    assert "--report must end in .html or .json, got 'effect.pdf'" in effect(helped[0], "--report", "effect.pdf").err


@pytest.fixture(scope="module")
def assigned(tmp_path_factory):
    """Return what was said of a campaign of the ledger: contacts carry it out, two of its controls were called."""
    treated = drawn(N)
    called = treated.copy()
    called[np.flatnonzero(~treated)[:2]] = True
    lines = contacts(called, propensity="").splitlines(keepends=True)
    log = "".join(line for line in lines if "control" not in line or line.startswith("customer_id"))
    tiny = landed(tmp_path_factory.mktemp("assigned"), treated, 8.0, log)
    ledger, run_id = begun(tiny.catalogue.engine, budget=10**12)
    wanted = some(N, like=replace(A_CALL, propensity=0.5), controls=set(np.flatnonzero(~treated).tolist()))
    wanted = [replace(one, customer_id=f"c{k:03}") for k, one in enumerate(wanted)]
    at = int(np.datetime64(ASSIGNED, "us").astype(np.int64))
    ledger.reserve("spring", run_id, at, wanted, at + DAY)
    stages = [{"customer_id": f"c{k:03}", "lifecycle_stage": "mature" if k < 160 else "new"} for k in range(N)]
    Records(tiny.catalogue.engine).write(run_id, stages)
    tiny.catalogue.finish(run_id, at + DAY, {})
    ids = [f"c{k:03}" for k in np.flatnonzero(treated)[:50]]
    ledger.post([outcome(one, "carried_out", 1_000_000, at=at + 2 * DAY) for one in ids], at + 3 * DAY)
    report = tiny.folder / "effect.html"
    said = effect(tiny, "--by", "lifecycle_stage", "--report", report, "--language", "zh")
    assert said.code == 0, said.err
    return treated, said.body, report.read_text(), tiny


def test_values_posted_of_one_arm_alone_are_no_comparison(assigned):
    said = effect(assigned[3], "--outcome", "posted")
    assert said.code == 3
    assert "found them of 0 treated and 0 controls" in said.err


def test_values_posted_of_both_arms_are_an_outcome(assigned):
    treated, _, _, tiny = assigned
    at = int(np.datetime64(ASSIGNED, "us").astype(np.int64))
    posted = [
        outcome(f"c{k:03}", "value", amount=(20 + k % 3 + 5 * got) * 1_000_000, at=at + 5 * DAY)
        for k, got in enumerate(treated.tolist())
    ]
    Ledger(tiny.catalogue.engine).post(posted, at + 6 * DAY)
    body = effect(tiny, "--outcome", "posted").body
    assert body["outcome"] == "posted"
    assert body["actions"]["call"]["overall"]["margin"]["value"] == pytest.approx(5.0, abs=0.3)


def test_an_outcome_that_there_is_none_of_is_told(helped):
    assert "--outcome must be orders or posted, got 'sales'" in effect(helped[0], "--outcome", "sales").err


def test_the_page_shows_the_funnel_and_speaks_chinese(assigned):
    page = assigned[2]
    assert "已送达" in page
    assert "仍被触达的对照" in page
    assert "“call”有效" in page


def test_assignments_are_treatments_and_contacts_their_execution(assigned):
    treated, body = assigned[:2]
    call = body["actions"]["call"]
    assert body["cases"]["closed"] == N
    assert (call["overall"]["treated"], call["evidence"]) == (int(treated.sum()), "randomised")


def test_segments_are_those_of_the_records_at_the_time_of_the_assignment(assigned):
    segments = assigned[1]["actions"]["call"]["segments"]
    assert {name: one["treated"] + one["controls"] for name, one in segments.items()} == {"mature": 160, "new": N - 160}


def test_controls_who_were_called_stay_controls_and_are_told(assigned):
    body = assigned[1]
    assert body["actions"]["call"]["breaches"] == 2
    assert "2 controls were treated all the same" in body["remarks"][0]["en"]


def test_what_is_known_of_assignments_is_a_funnel(assigned):
    treated, body = assigned[:2]
    steps = {"assigned": N, "treated": int(treated.sum()), "delivered": 50, "redeemed": 0}
    assert body["actions"]["call"]["funnel"] == steps


def test_what_a_treatment_cost_is_told_by_its_outcomes(assigned):
    assert assigned[1]["actions"]["call"]["overall"]["money"]["cost_per_case"] == pytest.approx(1.0, abs=0.05)


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """Return what was measured on a small simulated market, whose company draws a slice of its contacts at random."""
    return json.loads((made_once(tmp_path_factory, "effect of a market", _live) / "effect.json").read_text())


def _live(folder):
    options = ("--workspace", folder / "w", "--configs", folder / "c")
    (folder / "c").mkdir()
    (folder / "c" / "assign.yaml").write_text("effect_horizon_days: 30\n")
    made = churnml("simulate", *options, "--customers", 300, "--days", 200, "--seed", 3, "--json")
    assert made.code == 0, made.err
    found = churnml("measure", "effect", *options, "--json", "--report", folder / "effect.json")
    assert found.code == 0, found.err


def test_of_a_market_every_action_finds_its_controls_among_those_to_whom_chance_gave_nothing(market):
    assert set(market["actions"]) == {"coupon_10", "free_delivery", "service_call", "thank_you_email"}
    for one in market["actions"].values():
        assert one["evidence"] == "randomised"
        assert one["sample_ratio"]["holds"]
        assert 0.3 < one["sample_ratio"]["treated"] / one["overall"]["doubly_robust"]["cases"] < 0.7


def test_of_a_market_the_cost_of_a_call_is_taken_off_and_the_naive_look_has_more_cases(market):
    call = market["actions"]["service_call"]
    assert call["overall"]["money"]["cost_per_case"] == pytest.approx(6.0, abs=0.5)
    assert call["naive"]["cases"] > call["overall"]["doubly_robust"]["cases"]
