"""`churnml backtest --origins N` says in sentences and tables what the origins found, and refuses what it cannot do."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from churnml.config import Campaign
from churnml.errors import UsageError
from churnml.modeling.coverage import Told
from churnml.modeling.findings import findings
from churnml.modeling.judgement import OURS, Figure
from churnml.modeling.origins import Origin, Rolled, mean_over
from churnml.modeling.satisfaction_trial import MEAN, Method, Trial
from churnml.modeling.spread import Range
from churnml.service.pages.reports.backtest import backtest_page
from churnml.verbs.origins import backtest_origins, page, verdicts
from churnml.wording import language_named

AROUND, LEAD = Figure(15.2, 14.2, 16.2), Figure(0.63, 0.27, 1.17)
METHODS = {OURS: Method(AROUND, AROUND, None), MEAN: Method(Figure(15.8, 14.8, 17.0), AROUND, LEAD)}
TRIAL = Trial(312, 290, METHODS, Figure(0.89, 0.85, 0.91), 50.0)


def _origin(day, seed):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 4, 500)
    left, spent = (rng.random(500) < p).astype(float), rng.gamma(2.0, 50.0, 500)
    others = {f"{OURS} without mine": np.sqrt(p), "no idea": np.full(500, 0.2)}
    forecasts = {"churn": {OURS: p, **others}, "value": {OURS: spent, "half": spent / 2}}
    truth, ids = {"churn": left, "value": spent}, np.arange(500).astype(object)
    value = Told(spent, Range(spent / 2, spent, spent * 2), spent)
    weights = {"trees": 0.5, "mine": 0.25}
    return Origin(
        day, 2, ids, truth, forecasts, weights=weights, past_rate=0.2, value=value, satisfaction={"estimate": TRIAL}
    )


@pytest.fixture(scope="module")
def rolled():
    early, last = _origin("2020-01-01", 0), _origin("2020-02-01", 1)
    mean, at_last = ({t: mean_over([one], t, 50, 0) for t in ("churn", "value")} for one in (early, last))
    return Rolled(30, (early,), last, mean, at_last, 0)


def test_a_sentence_says_where_ours_is_better_than_a_baseline_beyond_noise(rolled):
    assert verdicts(rolled)[1].startswith("churn: against no idea, beyond noise: better on auroc")


def test_a_sentence_says_whether_a_learner_of_ones_own_helps(rolled):
    assert verdicts(rolled)[0].startswith("churn: against churnml without mine, beyond noise: better on brier")


def test_the_weights_of_the_learners_are_told_at_each_origin(rolled):
    told = page(rolled, findings(rolled, Campaign(), bootstrap=50)).split("## Learners")[1]
    assert "| mine | 0.25 | 0.25 |" in told


def test_a_sentence_says_at_how_many_origins_calibration_is_what_a_perfect_model_shows(rolled):
    assert verdicts(rolled)[-1].endswith("at 1 of 1 origins")


def test_the_page_tells_the_last_origin_apart(rolled):
    told = page(rolled, findings(rolled, Campaign(), bootstrap=50))
    assert told.index("Mean over the origins before the last") < told.index("## The last origin, 2020-02-01: churn")
    assert "| 2020-02-01 (last) | 500 |" in told


def test_satisfaction_is_told_at_each_origin_or_that_too_few_answered(rolled):
    told = page(rolled, findings(rolled, Campaign(), bootstrap=50)).split("## Satisfaction")[1]
    row = "| 312 | 15.2 [14.2, 16.2] | 15.8 [14.8, 17.0] | 0.63 [0.27, 1.17] | 0.890 [0.850, 0.910] |"
    assert f"| 2020-01-01 {row}" in told
    assert "| 2020-02-01 (last) | too few |" in told.split("who had answered before")[1]
    assert rolled.to_json()["origins"][0]["satisfaction"]["estimate"]["answers"] == 312


@pytest.mark.parametrize(("language", "says"), [("en", "Customers who had never answered"), ("zh", "此前从未回答问卷")])
def test_the_page_tells_satisfaction_in_either_language(rolled, language, says):
    told = backtest_page(rolled.to_json() | findings(rolled, Campaign(), bootstrap=50).to_json(), language)
    assert says in told
    assert "0.63 [0.27, 1.17]" in told


def test_where_no_surveys_have_landed_nothing_is_told_of_satisfaction(rolled):
    early, last = (replace(one, satisfaction=None) for one in (rolled.earlier[0], rolled.last))
    silent = replace(rolled, earlier=(early,), last=last)
    found = findings(silent, Campaign(), bootstrap=50)
    assert "Satisfaction" not in page(silent, found) + backtest_page(silent.to_json() | found.to_json(), "en")


def test_a_single_origin_is_refused():
    with pytest.raises(UsageError, match="--origins must be at least 2, got 1"):
        backtest_origins(None, 1)


def test_a_report_of_another_kind_is_refused_before_anything_is_trained():
    with pytest.raises(UsageError, match=r"must end in \.html, \.md or \.json with --origins, got found\.txt"):
        backtest_origins(None, 3, reports=[Path("found.txt")])


@pytest.mark.parametrize(("language", "says"), [("en", "What the figures mean"), ("zh", "各指标的含义")])
def test_the_page_is_one_file_in_either_language_that_fetches_nothing_and_runs_no_script(rolled, language, says):
    body = rolled.to_json() | findings(rolled, Campaign(), bootstrap=50).to_json()
    told = backtest_page(body, language)
    assert says in told
    assert told.count('class="chart"') == 4
    assert not re.search(r"<script|src=|https?://(?!www.w3.org)", told)


def test_a_language_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="--language must be en or zh, got 'fr'"):
        language_named("fr")
