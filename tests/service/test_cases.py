"""Cases: who looks after a customer; two never hold the same one, and what they did is known afterwards."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from sample_run import HOSTILE, ask, bodies, fill, visit

from callers import signed_in
from churnml.database import open_engine
from churnml.database.cases import cases_of, forget


@pytest.fixture
def client(own_workspace):
    with ask(own_workspace) as opened:
        yield opened


def change(client, customer="1296", /, headers=None, **told):
    return client.patch("/v1/cases/" + quote(customer, safe=""), json=told, headers=headers)


def problem(response):
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["code"], response.json()["detail"]


def test_whoever_is_named_as_owner_has_claimed_the_case(client):
    told = change(client, owner="li").json()
    assert (told["status"], told["owner"], told["version"]) == ("claimed", "li", 1)


def test_a_case_that_somebody_holds_is_not_taken_unawares_and_it_is_said_who_holds_it(client):
    change(client, owner="li")
    assert problem(change(client, owner="ann")) == (
        409,
        "taken",
        "the case of customer `1296` is held by `li`; name them as `expected_owner` to take it over",
    )
    assert change(client, owner="ann", expected_owner="li").json()["owner"] == "ann"


def test_who_expects_nobody_and_finds_somebody_does_not_get_the_case(client):
    change(client, owner="li")
    status, code, words = problem(change(client, owner="ann", expected_owner=None))
    assert (status, code) == (409, "taken")
    assert "held by `li`, and not by nobody as expected" in words


def test_whoever_claims_what_they_hold_already_changes_nothing(client):
    first = change(client, owner="li").json()
    assert change(client, owner="li", expected_owner=None).json() == first


def test_a_case_that_is_given_back_is_open_to_others(client):
    change(client, owner="li")
    assert change(client, owner=None).json() | {"version": 0} == change(client, owner=None).json() | {"version": 0}
    assert change(client, owner="ann").json()["owner"] == "ann"


def test_what_is_left_out_stays_and_null_takes_away(client):
    change(client, owner="li", follow_up_on="2018-02-01", call_result="no_answer")
    told = change(client, status="waiting", follow_up_on=None).json()
    assert (told["owner"], told["status"], told["follow_up_on"], told["call_result"]) == (
        "li",
        "waiting",
        None,
        "no_answer",
    )


def test_a_case_is_claimed_by_somebody_or_not_at_all(client):
    status, code, words = problem(change(client, status="claimed"))
    assert (status, code) == (400, "usage")
    assert "must have an owner" in words
    assert client.get("/v1/cases/1296").status_code == 404


def test_another_version_than_expected_is_told(client):
    read = change(client, owner="li")
    assert client.get("/v1/cases/1296").headers["etag"] == '"1"'
    change(client, status="waiting")
    stale = change(client, status="done", headers={"If-Match": '"1"'})
    assert problem(stale)[:2] == (412, "stale")
    assert change(client, status="done", headers={"If-Match": '"2"'}).json()["version"] == 3
    assert read.json()["version"] == 1


def test_a_customer_nobody_knows_has_no_case(client):
    assert problem(change(client, "nobody", owner="li"))[:2] == (404, "not_found")
    assert problem(client.get("/v1/cases/nobody"))[:2] == (404, "not_found")


@pytest.mark.parametrize("customer", HOSTILE)
def test_any_id_has_a_case_when_escaped(client, customer):
    assert change(client, customer, owner="li").json()["customer_id"] == customer
    assert client.get("/v1/cases/" + quote(customer, safe="")).json()["owner"] == "li"


def test_fifty_who_race_for_one_customer_leave_one_owner(own_workspace, client):
    change(client, "1333", owner="li")  # FastAPI readies a route when it is first asked
    with ThreadPoolExecutor(50) as pool:
        told = list(pool.map(lambda number: change(client, owner=f"p{number}", expected_owner=None), range(50)))
    winners = [one.json()["owner"] for one in told if one.status_code == 200]
    assert len(winners) == 1
    assert {problem(one)[:2] for one in told if one.status_code != 200} == {(409, "taken")}
    assert (
        client.get("/v1/cases/1296").json() | {"owner": winners[0], "version": 1} == client.get("/v1/cases/1296").json()
    )


def test_many_are_claimed_at_once_and_each_is_told_what_became_of_it(client):
    change(client, "1333", owner="ann")
    asked = {"customer_ids": ["1296", "1333", "nobody", "1296"], "owner": "li", "follow_up_on": "2018-02-01"}
    told = client.post("/v1/cases", json=asked).json()
    assert [one["status"] for one in told["results"]] == ["kept", "refused", "refused", "stood"]
    assert [one["problem"] and one["problem"]["code"] for one in told["results"]] == [None, "taken", "not_found", None]
    assert (told["kept"], told["stood"], told["refused"]) == (1, 1, 2)
    assert client.get("/v1/cases/1333").json()["owner"] == "ann"


def walk(client, **query):
    seen, cursor = [], None
    while True:
        page = client.get("/v1/cases", params=query | ({"cursor": cursor} if cursor else {})).json()
        seen += [one["customer_id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return seen


def test_the_list_is_walked_by_the_day_a_case_is_due_with_those_without_a_day_last(client):
    client.app.state.now = lambda: 1_514_800_000_000_000  # 2018-01-01
    for customer, day in (("1296", "2018-02-02"), ("1333", None), ("1370", "2018-02-01"), ("1407", None)):
        change(client, customer, owner="li", follow_up_on=day)
    change(client, "1444", owner="ann", follow_up_on="2018-01-01", snoozed_until="2018-02-03")
    assert walk(client, limit=2) == ["1370", "1296", "1444", "1333", "1407"]
    assert walk(client, limit=1, owner="li", due_before="2018-02-02") == ["1370"]
    assert walk(client, owner=["li", "ann"], status="waiting") == []


def test_a_cursor_of_other_filters_is_told(client):
    for customer in ("1296", "1333"):
        change(client, customer, owner="li")
    cursor = client.get("/v1/cases?limit=1").json()["next_cursor"]
    assert problem(client.get("/v1/cases", params={"cursor": cursor, "owner": "li"}))[:2] == (400, "usage")
    assert problem(client.get("/v1/cases?cursor=bm90IG91cnM"))[:2] == (400, "usage")


def test_the_history_tells_who_changed_what_and_when(client):
    at = 1_514_800_000_000_000
    client.app.state.now = lambda: at
    change(client, owner="li")
    change(client, status="done")
    told = client.get("/v1/case-history?customer_id=1296").json()["items"]
    assert [one["changed"] for one in told] == [
        {"status": ["claimed", "done"]},
        {"status": ["open", "claimed"], "owner": [None, "li"]},
    ]
    assert {one["changed_by"].split(" ")[0] for one in told} == {"crm"}
    assert told[0]["changed_at"] == "2018-01-01T09:46:40+00:00"


def test_notes_are_kept_with_who_wrote_them_the_latest_first(client):
    for text in ("first", "second\nline", "第三"):
        assert client.post("/v1/case-notes", json={"customer_id": "1296", "text": text}).status_code == 200
    page = client.get("/v1/case-notes?customer_id=1296&limit=2").json()
    assert [one["text"] for one in page["items"]] == ["第三", "second\nline"]
    rest = client.get(f"/v1/case-notes?customer_id=1296&before={page['next_before']}").json()
    assert ([one["text"] for one in rest["items"]], rest["next_before"]) == (["first"], None)


def test_notes_are_read_by_who_may_see_names_only(own_workspace):
    with ask(own_workspace, "read", "write") as client:
        assert client.get("/v1/case-notes?customer_id=1296").status_code == 403


def test_a_case_outlives_the_run_that_brought_it(own_workspace, client):
    change(client, owner="li")
    fill(own_workspace, bodies(), now=9)
    assert client.get("/v1/cases/1296").json()["owner"] == "li"


def test_the_same_claim_twice_under_one_key_is_answered_alike(client):
    headers = {"Idempotency-Key": "k1"}
    first, again = change(client, owner="li", headers=headers), change(client, owner="li", headers=headers)
    assert (first.content, again.headers["idempotency-replayed"]) == (again.content, "true")


@pytest.mark.parametrize(
    "told, words",
    [
        ({"status": "lost"}, "`status` must be `open`, `claimed`, `waiting`, `done` or `dropped`, got 'lost'"),
        ({"follow_up_on": 20180101}, "must be a date such as 2017-12-31"),
        ({"follow_up_on": "2018-02-30"}, "must be a date such as 2017-12-31"),
        ({"owner": "a\x00b"}, "no control character"),
        ({"owner": " li"}, "no blank at its ends"),
        ({"owner": "x" * 65}, "at most 64"),
        ({"owned": "li"}, "unknown field `owned`; did you mean `owner`?"),
    ],
)
def test_what_breaks_a_rule_is_told_by_its_field(client, told, words):
    status, code, said = problem(change(client, **told))
    assert (status, code) == (422, "invalid_request")
    assert words in said


def an_agent(workspace, name):
    """Return a client of one who is signed in as an agent."""
    opened = visit(workspace, headers=signed_in(workspace, name))
    opened.app.state.now = lambda: 2
    return opened


def test_an_agent_changes_their_own_cases_only(own_workspace, client):
    change(client, "1333", owner="li")
    ann = an_agent(own_workspace, "ann")
    assert problem(change(ann, "1333", status="done"))[:2] == (409, "taken")
    assert problem(change(ann, "1296", owner="li"))[:2] == (400, "usage")
    assert change(ann, "1296", status="claimed").json()["owner"] == "ann"
    assert client.get("/v1/case-history?customer_id=1296").json()["items"][0]["changed_by"] == "ann"


def test_cases_of_some_customers_are_found_at_once_and_forgotten_one_by_one(own_workspace, client):
    change(client, "1296", owner="li")
    change(client, "1333", owner="ann")
    client.post("/v1/case-notes", json={"customer_id": "1296", "text": "x"})
    engine = open_engine(own_workspace.database)
    with engine.begin() as connection:
        assert {one: case.owner for one, case in cases_of(connection, ["1296", "1333", "no"]).items()} == {
            "1296": "li",
            "1333": "ann",
        }
        assert forget(connection, "1296") == 3
        assert list(cases_of(connection, ["1296", "1333"])) == ["1333"]
    engine.dispose()


@pytest.mark.parametrize("day", ["2018-01-01", "2017-12-31", "2020-01-03"])
def test_a_case_is_put_off_to_a_day_that_somebody_waits_for(client, day):
    client.app.state.now = lambda: 1_514_800_000_000_000  # 2018-01-01
    refused = client.patch("/v1/cases/1296", json={"snoozed_until": day})
    assert (refused.status_code, "at most two years ahead" in refused.json()["detail"]) == (400, True)
