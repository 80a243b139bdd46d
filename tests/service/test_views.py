"""Saved views: filters, sort and columns under a name, one's own or everybody's; and what the list shows of changes."""

import re

import pytest
from sample_run import ask, fill, record, visit
from test_working_pages import NOW as AT
from test_working_pages import person, send, told

from callers import TESTER, signed_in
from churnml.database import open_engine
from churnml.database.forgetting import forget_rows
from churnml.database.people import remove_person

BEFORE, NOW = "2018-01-01T00:00:00+00:00", "2018-02-01T00:00:00+00:00"


@pytest.fixture
def workspace(own_workspace):
    """Two runs a month apart: c0 rose, c1 fell, c2 is new."""
    then = {"c0": 0.5, "c1": 0.7}
    now = {"c0": 0.62, "c1": 0.4, "c2": 0.3}
    fill(own_workspace, [record(one, 1, churn_probability=p, cutoff=BEFORE) for one, p in then.items()], now=8)
    made = [record(one, 1, churn_probability=p, cutoff=NOW, arm="treated", action="call") for one, p in now.items()]
    fill(own_workspace, made, now=9, cutoff=NOW)
    return own_workspace


def as_person(workspace, name, role):
    opened = visit(workspace, headers=signed_in(workspace, name, role, AT))
    opened.app.state.now = lambda: AT
    return opened


def names(client):
    return [(one["whose"], one["name"]) for one in client.get("/v1/views").json()["items"]]


def ids(client, query):
    return [one["customer_id"] for one in client.get(f"/v1/at-risk?{query}").json()["items"]]


def test_the_list_says_with_which_run_it_is_compared_and_by_how_much_each_changed(workspace):
    with ask(workspace) as client:
        page = client.get("/v1/at-risk?sort=churn_probability_change").json()
    changes = {one["customer_id"]: one["churn_probability_change"] for one in page["items"]}
    assert changes == {"c0": pytest.approx(0.12), "c1": pytest.approx(-0.3), "c2": None}
    assert page["compared_cutoff"] == BEFORE


@pytest.mark.parametrize(
    "query, kept",
    [("min_churn_probability_change=0.045", ["c0"]), ("max_churn_probability_change=-0.045", ["c1"]),
     ("new=true", ["c2"]), ("ordered_to=2017-11-19", []), ("ordered_from=2017-11-20&new=true", ["c2"])],
)  # fmt: skip
def test_the_list_is_kept_by_change_and_by_the_day_of_the_last_order(workspace, query, kept):
    with ask(workspace) as client:
        assert ids(client, query) == kept


def test_the_page_tells_a_change_by_sign_and_word_and_who_is_new(workspace):
    page = person(workspace).get("/at-risk").text
    told_of = [
        " ".join(re.sub("<[^>]+>", " ", one).split())
        for one in re.findall(r'data-label="Change in risk">(.*?)</td>', page, re.DOTALL)
    ]
    assert sorted(told_of) == ["+12 points, up", "-30 points, down", "new"]


def test_a_list_that_was_compared_with_none_calls_nobody_new(own_workspace):
    page = person(own_workspace).get("/at-risk").text
    assert 'data-label="Change in risk"><span class="muted">–</span>' in re.sub(r">\s+<", "><", page)
    assert "Rising" not in page


@pytest.mark.parametrize(
    "query",
    ["change=risen", "change=fallen", "change=new", "min_value=100&max_value=500", "ordered_from=2017-11-01",
     "band=high&sort=clv&order=asc", "owner=me&show=all"],
)  # fmt: skip
def test_the_page_shows_what_its_twin_answers_with(workspace, query):
    client = person(workspace)
    page = client.get(f"/at-risk?{query}").text
    twin = re.search(r'<a href="([^"]+)">This list as JSON', page).group(1).replace("&amp;", "&")
    items = client.get(twin).json()["items"]
    assert re.findall(r'<a href="/customers/([^"]+)"', page) == [one["customer_id"] for one in items]


def test_only_the_columns_that_were_chosen_are_shown_in_their_order(workspace):
    page = person(workspace).get("/at-risk?columns=stage&columns=clv").text
    heads = [re.sub("<[^>]+>", "", one).strip() for one in re.findall(r'scope="col"[^>]*>(.*?)</th>', page, re.DOTALL)]
    assert heads == ["Customer", "CLV", "Lifecycle stage"]


def test_a_head_sorts_by_its_column_and_once_more_the_other_way(workspace):
    page = person(workspace).get("/at-risk?sort=clv").text
    assert 'aria-sort="descending"><a href="/at-risk?sort=clv&amp;order=asc">CLV</a>' in page
    assert '<a href="/at-risk?sort=churn_probability">Churn probability</a>' in page


@pytest.mark.parametrize(
    "query", ["band=huge", "columns=shoe_size", "min_value=much", "ordered_from=soon", "order=up", "change=much"]
)
def test_a_word_that_the_list_does_not_know_is_named(workspace, query):
    answer = person(workspace).get(f"/at-risk?{query}")
    assert (answer.status_code, query.partition("=")[0] in answer.text) == (400, True)


def test_a_view_is_kept_shown_replaced_and_removed(workspace):
    ann = person(workspace)
    page = send(
        ann, "/at-risk?change=risen&columns=clv&columns=change", "/views", name="Mornings", columns=["clv", "change"]
    )
    assert told(page) == "The view “Mornings” is kept."
    (view,) = ann.get("/v1/views").json()["items"]
    assert (view["asked"], view["columns"]) == ({"change": "risen"}, ["change", "clv"])
    assert re.search(r'aria-current="true">Mornings</a>', ann.get(view["path"]).text)
    send(ann, "/at-risk?band=high", "/views", name="Mornings")
    assert [one["asked"] for one in ann.get("/v1/views").json()["items"]] == [{"band": "high"}]
    token = re.search(r'name="csrf_token" value="([^"]+)"', ann.get("/at-risk").text).group(1)
    ann.post("/views", data={"csrf_token": token, "deed": "remove", "name": "Mornings", "whose": "own"})
    assert names(ann) == []


def test_a_view_of_ones_own_is_nobody_elses_and_a_shared_one_is_everybodys(workspace):
    with as_person(workspace, "ann", "agent") as ann, as_person(workspace, "mei", "analyst") as mei:
        assert ann.put("/v1/views/own/A", json={}).status_code == 200
        assert mei.put("/v1/views/shared/B", json={}).status_code == 200
        assert names(ann) == [("shared", "B"), ("own", "A")]
        assert names(mei) == [("shared", "B")]


def test_an_agent_keeps_no_view_for_everybody_and_a_key_none_of_its_own(workspace):
    with as_person(workspace, "ann", "agent") as ann, ask(workspace) as key:
        assert ann.put("/v1/views/shared/A", json={}).status_code == 403
        assert ann.delete("/v1/views/shared/A").status_code == 403
        assert key.put("/v1/views/own/A", json={}).status_code == 400


def test_to_keep_or_remove_a_view_again_changes_nothing(workspace):
    with as_person(workspace, "ann", "agent") as ann:
        first, again = (ann.put("/v1/views/own/A", json={"asked": {"band": "low"}}).json() for _ in range(2))
        assert {**first, "saved_at": ""} == {**again, "saved_at": ""}
        assert [ann.delete("/v1/views/own/A").json()["removed"] for _ in range(2)] == [True, False]


def test_views_go_with_their_person_and_what_they_shared_stays(workspace):
    with as_person(workspace, "mei", "analyst") as mei:
        for whose in ("own", "shared"):
            mei.put(f"/v1/views/{whose}/A", json={})
    engine = open_engine(workspace.database)
    with engine.begin() as connection:
        remove_person(connection, TESTER, "mei", at=2)
    engine.dispose()
    with ask(workspace) as key, as_person(workspace, "mei", "analyst") as another:
        assert names(key) == names(another) == [("shared", "A")]


def test_an_erasure_takes_views_that_name_the_customer_and_leaves_those_of_a_colleague_called_so(workspace):
    with as_person(workspace, "mei", "analyst") as mei:
        mei.put("/v1/views/own/watch c1 closely", json={})
        mei.put("/v1/views/own/odd", json={"asked": {"action": "c1"}})
        mei.put("/v1/views/own/colleague", json={"asked": {"owner": "c1"}})
        engine = open_engine(workspace.database)
        with engine.begin() as connection:
            assert forget_rows(connection, ["c1"])["views"] == 2
        engine.dispose()
        assert names(mei) == [("own", "colleague")]
