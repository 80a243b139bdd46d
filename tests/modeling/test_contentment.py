"""Satisfaction is found again where behaviour shows it, held within its interval, and not shown where it is not."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import shy

from churnml.config import TrainConfig
from churnml.events import Store
from churnml.events.clock import DAY
from churnml.features import catalogue
from churnml.modeling import satisfaction_trial
from churnml.modeling.answers import paired, read_answers
from churnml.modeling.bounds import bounds
from churnml.modeling.bundle import load_bundle, save_bundle
from churnml.modeling.contentment import FEWEST, Contentment, behaviour_of, fit_contentment
from churnml.modeling.lasting import own_answers
from churnml.modeling.satisfaction import satisfaction
from churnml.modeling.satisfaction_trial import MEAN, OURS, tried, tried_at

CONFIG = TrainConfig(bootstrap=100)


@pytest.fixture(scope="module")
def crowd():
    return shy.draw()


@pytest.fixture(scope="module")
def fitted(crowd):
    table, answers, _ = crowd
    return fit_contentment(table, shy.lesson(table, answers), shy.NAMES, 0).contentment


@pytest.fixture(scope="module")
def last(crowd):
    """The rows of the last cutoff, and their truth."""
    table, _, truth = crowd
    rows = table.cutoffs == table.cutoffs.max()
    return table.take(rows), truth[rows]


def test_who_never_answered_is_told_by_what_they_do(fitted, last):
    table, truth = last
    told, never = fitted.tell(table), np.isnan(own_answers(table).last)
    assert set(told.source[never]) == {"estimate"}
    assert np.corrcoef(told.estimate[never], truth[never])[0, 1] > 0.6


def test_ones_own_answers_bring_the_estimate_nearer_than_behaviour_alone(fitted, last):
    table, truth = last
    told, answered = fitted.tell(table), ~np.isnan(own_answers(table).last)
    alone = fitted.expected(table)
    assert set(told.source[answered]) == {"answers"}
    assert np.abs(told.estimate - truth)[answered].mean() < 0.9 * np.abs(alone - truth)[answered].mean()


def test_one_noisy_answer_is_not_taken_at_its_word(fitted, last):
    table, truth = last
    own = own_answers(table)
    once = ~np.isnan(own.last) & (own.others == 0)
    told = fitted.tell(table).estimate
    assert np.abs(told - truth)[once].mean() < 0.8 * np.abs(own.last - truth)[once].mean()


def test_nine_of_ten_answers_yet_to_come_lie_within_the_interval(fitted, last):
    table, truth = last
    told = fitted.tell(table)
    answers = np.clip(truth + 9.0 * np.random.default_rng(1).normal(size=len(truth)), 0, 100)
    covered = (answers >= told.low) & (answers <= told.high)
    for source in ("estimate", "answers"):
        assert 0.84 < covered[told.source == source].mean() < 0.96


def test_what_stays_and_what_is_noise_are_told_apart(fitted):
    assert fitted.lasting.spread == pytest.approx(6.0, abs=1.5)
    assert fitted.lasting.noise == pytest.approx(9.0, abs=1.2)


def test_it_comes_back_from_json_as_it_was(fitted, last):
    again = Contentment.from_dict(json.loads(json.dumps(fitted.to_dict())))
    assert again == fitted
    assert np.array_equal(again.tell(last[0]).estimate, fitted.tell(last[0]).estimate)


def test_the_bundle_keeps_it_and_random_rows_break_no_rule(trained, fitted, tmp_path):
    model = replace(trained.model, contentment=fitted)
    kept, _ = load_bundle(tmp_path / save_bundle(model, {}, tmp_path))
    assert kept.contentment == fitted
    assert not bounds(kept, 1_000).broken


def test_one_row_says_the_same_bits_alone_as_among_many(fitted, last):
    table, _ = last
    whole, one = fitted.tell(table), fitted.tell(table.take(np.array([7])))
    assert (one.estimate[0], one.low[0], one.high[0]) == (whole.estimate[7], whole.low[7], whole.high[7])


def test_out_of_time_it_beats_the_mean_and_its_intervals_hold(crowd):
    table, answers, _ = crowd
    trials = tried(table, shy.lesson(table, answers), shy.NAMES, CONFIG)
    for name in ("estimate", "answers"):
        assert trials[name].better
        assert trials[name].methods[OURS].rmse.value < trials[name].methods[MEAN].rmse.value
        assert trials[name].covered.low < 0.9 + 0.04
        assert trials[name].covered.high > 0.9 - 0.04


@pytest.fixture
def origin(crowd, monkeypatch):
    """Return what is asked at the sixth cutoff, of which no more is known than the five before it tell."""
    table, answers, _ = crowd
    monkeypatch.setattr(satisfaction_trial, "read_answers", lambda _, by: answers.keep(answers.known_at <= by))
    monkeypatch.setattr(satisfaction_trial, "behaviour_of", lambda _: shy.NAMES)
    at = np.unique(table.cutoffs)
    before, now = table.take(table.cutoffs < at[5]), table.take(table.cutoffs == at[5])
    return SimpleNamespace(time_zone="UTC"), None, before, now, int(at[5]), CONFIG


def test_at_an_origin_it_is_judged_by_the_answers_that_came_after_it(origin):
    found = tried_at(*origin)
    assert found["estimate"].better
    assert found["answers"].methods[OURS].rmse.value < found["answers"].methods[MEAN].rmse.value
    assert found["estimate"].answers + found["answers"].answers > 200


def test_at_an_origin_before_which_too_few_had_answered_nothing_is_judged(origin):
    *around, cutoff, config = origin
    assert tried_at(*around, cutoff - 70 * DAY, config) == {}


def test_where_behaviour_shows_nothing_the_mean_is_not_beaten():
    table, answers, _ = shy.draw(seed=3, told=0.0, own=0.0)
    trials = tried(table, shy.lesson(table, answers), shy.NAMES, CONFIG)
    assert not trials["estimate"].better
    assert not trials["answers"].better


def test_an_answer_learned_after_a_cutoff_teaches_nothing_there(crowd):
    table, answers, _ = crowd
    lesson, until = shy.lesson(table, answers), int(np.unique(table.cutoffs)[4])
    known = lesson.answers.known_at <= until
    before = fit_contentment(table, lesson.keep(known), shy.NAMES, 0, until).contentment
    other = np.where(lesson.answers.known_at > until, 0.0, lesson.answers.points)
    lied = replace(lesson, answers=replace(lesson.answers, points=other))
    changed = replace(table, values=np.where((table.cutoffs > until)[:, None], 1e6, table.values))
    assert fit_contentment(changed, lied.keep(known), shy.NAMES, 0, until).contentment == before


def test_an_answer_is_paired_with_the_last_row_before_it_was_asked_for(crowd):
    table, answers, _ = crowd
    lesson = shy.lesson(table, answers)
    assert len(lesson) == len(answers)
    assert (table.customer_ids[lesson.rows] == lesson.answers.customer_ids).all()
    assert (table.cutoffs[lesson.rows] == lesson.cutoffs).all()
    assert (lesson.answers.sent_at >= lesson.cutoffs).all()


def test_no_feature_of_surveys_says_what_behaviour_says():
    names = behaviour_of(catalogue(["customers", "orders", "surveys", "tickets"]))
    assert "complaints_365d" in names
    assert not {"nps_last", "satisfaction_last", "answer_rate_365d", "surveys_asked_365d"} & set(names)


SURVEYS = """
    customer_id survey_id occurred_at instrument scale_min scale_max answered_at score
    a s1 2021-03-01 nps 0 10 2021-03-02 8
    b s2 2021-03-01 csat - - 2021-03-20 2
    b s3 2021-03-05 nps 0 10 - -
"""


@pytest.fixture
def asked(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2021-01-01\nb 2021-01-01",
        orders="customer_id order_id occurred_at amount\na 1 2021-02-01 5\nb 2 2021-02-01 5",
        surveys=SURVEYS,
    )
    return tiny.store


def test_an_answer_counts_from_when_it_was_known(asked: Store):
    march = 1_614_556_800_000_000  # 2021-03-01
    days = {day: read_answers(asked, march + day * 86_400_000_000) for day in (0, 10, 30)}
    assert {day: found.points.tolist() for day, found in days.items()} == {0: [], 10: [80.0], 30: [80.0, 25.0]}


def test_too_few_answers_are_told_with_what_would_suffice(asked, crowd):
    table, _, _ = crowd
    found = satisfaction(asked, catalogue(asked.tables), table, 1_700_000_000_000_000, CONFIG)
    assert found.contentment is None
    assert f"{FEWEST} are needed" in found.because["estimate"]


def test_without_surveys_there_is_nothing_to_learn_and_nothing_fails(tiny, crowd):
    tiny.land(
        customers="customer_id occurred_at\na 2021-01-01",
        orders="customer_id order_id occurred_at amount\na 1 2021-02-01 5",
    )
    found = satisfaction(tiny.store, catalogue(tiny.store.tables), crowd[0], 1_700_000_000_000_000, CONFIG)
    assert not found.asked
    assert found.to_json()["shown"] == []


def test_no_snapshots_pair_with_no_answers(crowd):
    table, answers, _ = crowd
    nobody = table.take(np.zeros(len(table), dtype=np.bool_))
    assert len(paired(answers, nobody, 60, "UTC")) == 0
