"""The overview: what the API tells is what the page shows, from a workspace in which something has happened."""

import pandas as pd
import pytest
from sample_measures import measure
from sample_run import CUTOFF, HOSTILE, MODEL, ask, bodies, fill, visit

from callers import TESTER, signed_in
from churnml.database import Catalogue, Ledger, Outcome, Reservation, assignment_id, millionths, open_engine
from churnml.database.calls import add_call
from churnml.database.cases import Wanted, change_case
from churnml.events.clock import DAY
from churnml.measures.kpi_tables import _COLUMNS
from churnml.service.api.overview import OverviewShape
from churnml.service.overview.scores import scores_of
from churnml.service.readings import CurrentRun
from new_database import new_workspace

NOW = 1_514_764_800_000_000 + DAY // 2
CUTOFFS = ("2017-12-01", "2017-12-25", "2017-12-31")
GROUP = {"customers": 3, "value": 70.0}
TURNOVER = {
    "before": {
        "run_id": "ab", "cutoff": "2017-12-31T00:00:00+00:00", "value_at_risk": 1000.0, "bands": {"high": 9},
        "model_version": MODEL,
    },
    "stayed": GROUP, "came": {"lower": GROUP, "new": GROUP},
    "left": {"ordered": GROUP, "lower": GROUP, "unscored": GROUP},
}  # fmt: skip
SAID = {"en": "Calls: not yet conclusive, $5 [-$1 to $11]", "zh": "电话：尚无定论，US$5（-US$1 至 US$11）"}
EFFECT = {
    "of": "effect", "campaign": None, "as_of": "2017-12-31", "effect_horizon_days": 30, "label_lag_days": 0,
    "actions": {
        "call": {"label": {"en": "Call", "zh": "电话"}, "said": SAID, "overall": {"verdict": "not_yet"}},
        "all_actions": {"label": {"en": "All", "zh": "全部"}, "said": SAID, "overall": None},
    },
}  # fmt: skip


def figures(name, rows):
    columns = {one: _COLUMNS[one] for one in pd.DataFrame(rows).columns}
    return measure(name, columns, [tuple(row.values()) for row in rows]).to_json()


def kpis():
    now = {
        "kpi": "churn_rate", "part": "all", "value": 0.2, "low": 0.18, "high": 0.22, "before": 0.1, "change": 0.1,
        "moved": "worse", "side": "at_most", "target": 0.15, "verdict": "missed", "customers": 100, "unit": "share",
    }  # fmt: skip
    other = now | {"kpi": "retention_rate", "part": "north"}
    course = [
        {"kpi": "churn_rate", "period": day, "part": "all", "value": value, "low": value - 0.02, "high": value + 0.02,
         "customers": 100, "side": "at_most", "target": 0.15, "verdict": "missed", "unit": "share"}
        for day, value in (("2017-11-01", 0.1), ("2017-12-01", 0.2))
    ]  # fmt: skip
    body = {"every": "month", "currency": "USD", "time_zone": "UTC"}
    return body | {"measures": [figures("kpis_now", [now, other]), figures("kpis", course)]}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = new_workspace(tmp_path_factory.mktemp("overview"))
    for place, cutoff in enumerate(CUTOFFS):
        old = {"cutoff": f"{cutoff}T00:00:00+00:00", "value_at_risk": 1000.0, "bands": {"high": 9, "medium": 9}}
        fill(made, bodies()[:1], "score", place + 1, **old)
    fill(made, bodies(), "score", 8, turnover=TURNOVER)
    fill(made, bodies(), "assign", 9, campaign="<b>spring</b>", effect_horizon_days=30)
    engine = open_engine(made.database)
    catalogue, ledger = Catalogue(engine), Ledger(engine)
    catalogue.finish(catalogue.start("kpis", "inputs", 9), 9, kpis())
    catalogue.finish(catalogue.start("measure", "inputs", 9), 9, EFFECT)
    ledger.open("<b>spring</b>", millionths(100.0), 9)
    run_id = catalogue.start("assign", "inputs", 9)
    ledger.reserve("<b>spring</b>", run_id, 8, [Reservation("c", "call", "treated", 0.5, "choice", "phone", 5, 99)], 9)
    ledger.post([Outcome(assignment_id("<b>spring</b>", "c"), 10, "carried_out", millionths(2.5))], 10)
    with engine.begin() as connection:
        change_case(connection, HOSTILE[0], Wanted({"owner": "ann"}), TESTER.name, 9)
    with engine.begin() as connection:
        add_call(connection, "c", "reached", "ann", NOW - DAY)
        add_call(connection, "c", "no_answer", "ann", NOW - 3 * DAY)
        add_call(connection, "c", "no_answer", "ann", NOW)
    engine.dispose()
    return made


@pytest.fixture(scope="module")
def client(workspace):
    with ask(workspace) as opened:
        opened.app.state.now = lambda: NOW
        yield opened


@pytest.fixture(scope="module")
def told(client):
    return OverviewShape.model_validate(client.get("/v1/overview").json())


@pytest.fixture(scope="module")
def pages(client):
    return {
        language: client.get("/overview", headers={"accept": "text/html", "accept-language": language}).text
        for language in ("en", "zh")
    }


def test_the_scores_are_held_against_those_before_of_a_week_and_of_a_month_ago(told):
    found = [(one.since, str(one.cutoff.date())) for one in told.scores.since]
    assert found == [("run_before", "2017-12-31"), ("week", "2017-12-25"), ("month", "2017-12-01")]
    assert {round(one.value_change + 1000.0, 6) for one in told.scores.since} == {
        round(told.scores.now.value_at_risk, 6)
    }


def test_of_a_cutoff_that_was_scored_twice_the_later_scores_count(workspace):
    engine = open_engine(workspace.database)
    with engine.connect() as connection:
        found = scores_of(connection, CurrentRun("x", None, 1, {"cutoff": CUTOFF}))
    engine.dispose()
    assert [one.cutoff[:10] for one in found.history] == [*CUTOFFS, CUTOFF[:10]]


def test_calls_are_counted_by_days_with_today_and_cases_by_whether_somebody_holds_them(told):
    found = told.calls
    assert (found.yesterday, found.week) == ({"reached": 1}, {"reached": 1, "no_answer": 2})
    assert (found.claimed, found.due) == (1, 0)


def test_figures_are_those_of_everybody_and_keep_target_and_interval(told):
    assert [(row["kpi"], row["target"], row["low"]) for row in told.figures.now.rows] == [("churn_rate", 0.15, 0.18)]
    assert len(told.figures.course.rows) == 2


def test_what_was_saved_is_told_with_what_it_cost(told):
    assert (told.saved.spent, told.saved.budget) == (2.5, 100.0)
    assert told.saved.effects[0].whole.said.en == SAID["en"]


def test_whom_nobody_looks_after_is_what_to_do_next_and_who_is_held_out_is_not_counted(told):
    open_to = [one for one in bodies() if one["risk_band"] == "high" and one["arm"] in {"treated", "none"}]
    assert [(one.kind, one.count) for one in told.next] == [("nobodys", len(open_to) - 1)]


@pytest.mark.parametrize(
    "language, said",
    [
        (
            "en",
            ("What changed", "3 have ordered since", "at most 15.0%", "missed", SAID["en"], "nobody who looks after"),
        ),
        ("zh", ("有何变化", "3 位已下单", "不高于 15.0%", "未达标", SAID["zh"], "尚无人负责")),
    ],
)
def test_the_page_says_what_the_api_tells(pages, language, said):
    assert [words for words in said if words not in pages[language]] == []


def test_a_page_has_one_heading_a_table_behind_each_picture_and_runs_nothing(pages):
    page = pages["en"]
    assert page.count("<h1>") == 1
    assert page.count('class="chart') == page.count("As a table")
    assert "<b>spring" not in page
    assert "style=" not in page


def test_an_agent_is_led_to_the_queue_and_may_read_the_overview_without_what_needs_more(workspace):
    headers = signed_in(workspace, "ann", at=NOW) | {"accept": "text/html"}
    with visit(workspace, headers=headers) as agent:
        agent.app.state.now = lambda: NOW
        assert agent.get("/", follow_redirects=False).headers["location"] == "/today"
        page = agent.get("/overview")
    assert (page.status_code, 'href="/data' in page.text) == (200, False)


def test_before_anything_was_measured_it_says_what_to_do(client, tmp_path):
    made = new_workspace(tmp_path)
    fill(made, bodies()[:3])
    with ask(made) as opened:
        page = opened.get("/overview", headers={"accept": "text/html"}).text
        body = opened.get("/v1/overview").json()
    assert [
        one for one in ("churnml measure kpis", "churnml monitor", "There is no campaign yet") if one not in page
    ] == []
    assert (body["figures"], body["watched"], body["scores"]["turnover"]) == (None, None, None)


def test_what_is_lacking_can_be_asked_for_by_who_may_and_leads_to_its_job(tmp_path):
    made = new_workspace(tmp_path)
    fill(made, bodies()[:3])
    headers = signed_in(made, "eve", "analyst", at=NOW) | {"accept": "text/html"}
    sign = headers.pop("x-csrf-token")
    analyst = visit(made, headers=headers)  # which starts nothing that is asked for
    analyst.app.state.now = lambda: NOW
    asked = [analyst.post("/overview/ask", data={"csrf_token": sign, "what": what}, follow_redirects=False)
             for what in ("kpis", "vacuum")]  # fmt: skip
    page = analyst.get(asked[0].headers["location"]).text
    assert ([one.status_code for one in asked], "Measure: KPIs" in page) == ([303, 400], True)


def test_before_the_first_run_there_is_none(newcomer):
    assert newcomer.get("/v1/overview").status_code == 503
    assert newcomer.get("/overview", headers={"accept": "text/html"}).status_code == 503
