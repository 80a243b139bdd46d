"""The pages of jobs: how far each is, what came of it, and how it is stopped."""

import re
from html import unescape
from pathlib import Path

import pytest
from sample_run import visit

import churnml
from callers import signed_in
from churnml.config import ServeConfig
from churnml.database import Catalogue, open_engine
from churnml.database import jobs as store
from churnml.database.jobs import End
from churnml.service.jobs import paths
from churnml.service.pages.job_steps import step_of
from churnml.service.pages.job_words import STATES, VERBS, result_of, title_of
from new_database import new_workspace

VERBS_OF_JOBS = (
    "train", "tracked", "score", "assign", "choosing", "measuring", "measure_effect", "measure_policy",
    "measure_uplift", "report", "monitor", "backtest", "backtest_categories", "origins", "promote", "vacuum",
)  # fmt: skip
NOW = 1_514_764_900_000_000
SCORED = {"population": 1708, "bands": {"high": 591, "medium": 488, "low": 629}}


@pytest.fixture
def workspace(tmp_path):
    return new_workspace(tmp_path / "work space")


@pytest.fixture
def admin(workspace):
    headers = signed_in(workspace, "ann", "admin", NOW) | {"accept": "text/html", "accept-language": "en"}
    headers.pop("x-csrf-token")
    with visit(workspace, headers=headers, settings=ServeConfig()) as opened:
        opened.app.state.now = lambda: NOW
        opened.app.state.jobs.stop()
        yield opened


def asked(workspace, verb="score", *, began=False, end=None, run_id=None, **options):
    """Enter a job as it would stand, and return its id."""
    engine = open_engine(workspace.database)
    with engine.begin() as connection:
        job, _ = store.ask(connection, verb, options, [verb], "ann", 1_514_764_800_000_000)
        if began:
            store.start(connection, job.job_id, 1_514_764_860_000_000)
            store.tell(connection, job.job_id, "Scoring every customer", 0.4, run_id)
        if end is not None:
            store.end(connection, job.job_id, end, 1_514_764_900_000_000)
    engine.dispose()
    return job.job_id


def words(text):
    return " ".join(unescape(re.sub("<[^>]+>", " ", text)).split())


def test_a_job_that_runs_is_read_again_unless_the_reader_wants_it_still(workspace, admin):
    address = f"/jobs/{asked(workspace, began=True)}"
    page, still = admin.get(address), admin.get(f"{address}?still=1")
    assert (page.headers.get("refresh"), still.headers.get("refresh")) == ("5", None)
    assert "Scoring every customer 40%" in words(page.text)


def test_a_job_that_is_done_says_what_came_of_it_and_where(workspace, admin):
    engine = open_engine(workspace.database)
    catalogue = Catalogue(engine)
    run_id = catalogue.start("score", "inputs", 1)
    catalogue.finish(run_id, 2, SCORED)
    engine.dispose()
    page = admin.get(f"/jobs/{asked(workspace, began=True, end=End('done', 0), run_id=run_id)}")
    assert "1,708 customers were scored; 591 of them are at high risk." in words(page.text)
    assert '<a class="button" href="/at-risk">' in page.text
    assert "refresh" not in page.headers


def test_a_job_that_failed_says_why_in_full(workspace, admin):
    failed = End("failed", 2, "not_found", "no model <b>`aaaa`</b>")
    text = admin.get(f"/jobs/{asked(workspace, 'promote', began=True, end=failed)}").text
    assert "no model &lt;b&gt;`aaaa`&lt;/b&gt;" in text


def test_the_log_is_shown_without_what_could_run_or_hide(workspace, admin):
    job_id = asked(workspace, began=True)
    log, _ = paths(workspace, job_id)
    log.parent.mkdir(exist_ok=True)
    log.write_text("<script>\x1b[31mred\n" + "x\n" * 100, encoding="utf-8")
    assert admin.get(f"/v1/jobs/{job_id}/log?lines=500").json()["lines"][0] == "<script>[31mred"
    assert admin.get(f"/v1/jobs/{job_id}/log?lines=3").json() == {
        "lines": ["x"] * 3, "whole": False, "withheld": False,
    }  # fmt: skip
    assert "<script>" not in admin.get(f"/jobs/{job_id}").text


def test_the_traceback_of_a_bug_stays_on_the_machine(workspace, admin):
    job_id = asked(workspace, began=True, end=End("failed", 1, "internal", "a bug"))
    log, _ = paths(workspace, job_id)
    log.parent.mkdir(exist_ok=True)
    log.write_text("Scoring\nTraceback (most recent call last):\n  whose = 'ann.lee'\n", encoding="utf-8")
    told = admin.get(f"/v1/jobs/{job_id}/log").json()
    assert told == {"lines": ["Scoring"], "whole": True, "withheld": True}
    page = admin.get(f"/jobs/{job_id}").text
    assert f"jobs/{job_id}.log" in page
    assert "ann.lee" not in page


def test_a_job_is_stopped_from_its_page(workspace, admin):
    job_id = asked(workspace)
    page = admin.get(f"/jobs/{job_id}").text
    form = next(one for one in re.findall(r"<form.*?</form>", page, re.DOTALL) if "cancel" in one)
    sent = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    for word in ("job_stopped", "job_stopped"):
        answer = admin.post(f"/jobs/{job_id}/cancel", data=sent, follow_redirects=False)
        assert (answer.status_code, word in answer.headers["set-cookie"]) == (303, True)
    assert "cancelled" in words(admin.get("/jobs").text)


def test_a_job_that_ended_is_not_stopped_any_more(workspace, admin):
    running, job_id = asked(workspace, "train"), asked(workspace, began=True, end=End("done", 0))
    token = re.search(r'name="csrf_token" value="([^"]+)"', admin.get(f"/jobs/{running}").text).group(1)
    answer = admin.post(f"/jobs/{job_id}/cancel", data={"csrf_token": token}, follow_redirects=False)
    assert "job_over" in answer.headers["set-cookie"]


def test_jobs_are_for_who_operates(workspace):
    headers = signed_in(workspace, "li", "agent", NOW) | {"accept": "text/html"}
    with visit(workspace, headers=headers) as opened:
        opened.app.state.now = lambda: NOW
        assert opened.get("/jobs").status_code == 403


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_title_and_an_end(verb, language):
    assert title_of(verb, {"what": "kpis", "campaign": "spring"}, language)
    assert result_of(verb, {"what": "kpis"}, {}, language).path.startswith("/") or verb in {
        "report", "backtest", "vacuum",
    }  # fmt: skip
    assert all(one.to(language) for one in STATES.values())


def steps():
    """Return every step that a job's command or what it calls tells of, with a figure where one stands."""
    house = Path(churnml.__file__).parent
    files = [house / f"verbs/{name}.py" for name in VERBS_OF_JOBS] + [house / "modeling/climb.py"]
    for file in files:
        for text in re.findall(r'(?:\.step|telling)\(f?"([^"]+)"', file.read_text(encoding="utf-8")):
            yield re.sub(r"\{[^}]+\}", "7", text)


@pytest.mark.parametrize("step", sorted(set(steps())))
def test_every_step_of_a_job_is_known_in_chinese(step):
    assert step_of(step, "zh")[1], step
