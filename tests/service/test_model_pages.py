"""The pages of models: which answers and whether to trust it, and the forms that move the champion."""

import re
from html import unescape

import pytest
from sample_model import CHAMPION, OLD, REFUSED, plant
from sample_run import visit

from callers import signed_in
from churnml.config import ServeConfig
from churnml.database.jobs import page as jobs_page
from new_database import new_workspace

NOW = 1_514_764_800_000_000


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = new_workspace(tmp_path_factory.mktemp("models"))
    plant(made)
    return made


def person(workspace, role="admin", language="en"):
    """A browser of somebody signed in, in a service that only notes which jobs are asked for."""
    headers = signed_in(workspace, role, role, NOW) | {"accept": "text/html", "accept-language": language}
    headers.pop("x-csrf-token")
    opened = visit(workspace, headers=headers, settings=ServeConfig(jobs_queued=9))
    opened.app.state.now = lambda: NOW
    return opened


@pytest.fixture(scope="module")
def admin(workspace):
    return person(workspace)


def words(text):
    return " ".join(unescape(re.sub("<[^>]+>", " ", text)).split())


def send(client, page, action):
    """Send the form of a page that goes to an address, and return where it leads to."""
    form = next(one for one in re.findall(r"<form.*?</form>", client.get(page).text, re.DOTALL) if action in one)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    return client.post(action, data=hidden, follow_redirects=False)


def test_the_list_says_which_answers_and_how_it_stands_to_the_best_baseline(admin):
    told = words(admin.get("/models").text)
    assert f"Model {CHAMPION[:12]} answers" in told
    assert [
        one for one in ("recency rule", "Somebody should look", "A challenger scores in its shadow") if one not in told
    ] == []


def test_where_nothing_was_trained_the_page_says_what_to_do(tmp_path):
    assert "churnml train" in person(new_workspace(tmp_path), "agent").get("/models").text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("version", [CHAMPION, REFUSED, OLD])
def test_every_model_has_a_page_in_both_languages(workspace, version, language):
    assert person(workspace, language=language).get(f"/models/{version}").status_code == 200


def test_what_data_and_people_named_is_harmless(workspace, admin):
    text = admin.get(f"/models/{CHAMPION}").text + admin.get(f"/models/{REFUSED}").text
    assert [tag for tag in ("<b>", "<i>") if tag in text] == []
    assert "&lt;b&gt;moon&lt;/b&gt;" in text


def test_the_slider_moves_what_is_told(admin):
    told = words(admin.get(f"/models/{CHAMPION}?share=50&clv=300&incentive=5&contact=2&accepts=40").text)
    assert "riskiest first: 50%" in told
    assert "Contacted 150 of 300" in told


def test_every_picture_has_a_title_and_every_chart_a_table(admin):
    text = admin.get(f"/models/{CHAMPION}").text
    charts = re.findall(r'<svg class="chart".*?</svg>', text, re.DOTALL)
    assert len(charts) == 6
    assert all("<title>" in one for one in charts)


def test_a_model_of_an_earlier_version_says_how_to_see_its_curves(admin):
    assert "not judged" in words(admin.get(f"/models/{OLD}").text).lower()


def test_an_incentive_above_the_value_is_refused(admin):
    assert admin.get(f"/models/{CHAMPION}?incentive=300").status_code == 400


def test_a_model_that_a_gate_refused_cannot_be_promoted_from_its_page(admin):
    page = admin.get(f"/models/{REFUSED}").text
    assert "--despite" in page
    assert f"/models/{REFUSED}/promote" not in page
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    told = admin.post(f"/models/{REFUSED}/promote", data={"csrf_token": token}, follow_redirects=False)
    assert told.status_code == 409


def test_promoting_and_going_back_are_jobs(workspace, admin):
    for page, action in ((f"/models/{OLD}", f"/models/{OLD}/promote"), ("/models", "/models/rollback")):
        answer = send(admin, page, action)
        assert (answer.status_code, answer.headers["location"][:6]) == (303, "/jobs/")
    with admin.app.state.engine.connect() as connection:
        found, _ = jobs_page(connection, 9)
    assert sorted(one.arguments for one in found) == [["promote", OLD], ["rollback"]]


def test_who_may_not_operate_sees_the_models_and_no_form(workspace):
    text = person(workspace, "agent").get(f"/models/{OLD}").text
    assert 'method="post" action="/models' not in text


def test_going_back_to_another_model_than_was_read_is_not_done(admin):
    page = admin.get("/models").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)
    sent = {"csrf_token": token, "to": REFUSED, "back": "/models"}
    answer = admin.post("/models/rollback", data=sent, follow_redirects=False)
    assert (answer.headers["location"], "models_moved" in answer.headers["set-cookie"]) == ("/models", True)
