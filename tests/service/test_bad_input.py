"""Whatever is sent, the answer is defined: a problem with a stable code that says what to do, and nothing half done."""

import json

import pytest
from sample_run import ask

from churnml.database import open_engine
from churnml.database.tables_arrivals import arrivals

JSON = {"content-type": "application/json"}
CASE = "/v1/cases/1296"
POSTS = ("/v1/scores", "/v1/outcomes", "/v1/contacts", "/v1/consents", "/v1/events", "/v1/cases", "/v1/case-notes",
         "/v1/scores/from-history", "/v1/keys", "/v1/people")  # fmt: skip
LISTS = ("/v1/at-risk", "/v1/prospects", "/v1/cases", "/v1/runs", "/v1/case-notes?customer_id=1296")
IDS = "/v1/scores"


@pytest.fixture(scope="module")
def asked(workspace):
    with ask(workspace) as client:
        client.patch(CASE, json={"owner": "li"})
        yield client


def refused(answer):
    """Return status, code and words of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", (answer.status_code, answer.text[:300])
    told = answer.json()
    assert told["status"] == answer.status_code < 500
    return answer.status_code, told["code"], told["detail"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"7",
        b'{"a": 1} {"b": 2}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"a": "\x00"}',
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        b'{"unknown_field": 1}',
        b"[" * 21 + b"]" * 21,
        b'{"a":' * 21 + b"1" + b"}" * 21,
        b'{"a": "' + b"x" * 1_000_000 + b'"}',
    ],
    ids=lambda body: repr(body[:18]),
)
def test_a_body_that_makes_no_sense_is_refused_by_every_route_that_takes_one(asked, path, body):
    status, _, said = refused(asked.post(path, content=body, headers=JSON))
    assert status in {413, 422}
    assert said


@pytest.mark.parametrize("path", POSTS)
def test_an_unknown_field_is_named(asked, path):
    assert "unknown field `colour`" in refused(asked.post(path, json={"colour": "red"}))[2]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_body_of_another_kind_is_refused(asked, path, kind):
    status, code, said = refused(asked.post(path, content=b'{"customer_ids": ["1"]}', headers={"content-type": kind}))
    assert (status, code) == (422, "invalid_request")
    assert "application/json" in said


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("cursor", ["x", "\x00", "é", "e30", "A" * 500, "-1", "null"])
def test_a_cursor_that_we_did_not_give_out_is_refused(asked, path, cursor):
    word = "before" if "notes" in path else "cursor"
    assert refused(asked.get(path, params={"customer_id": "1"} | {word: cursor}))[0] in {400, 422}


def row(table, **changes):
    """Return a right row of a table, but for some changes."""
    right = {
        "outcomes": {"campaign": "spring", "customer_id": "1296", "occurred_at": "2018-01-02", "kind": "carried_out"},
        "contacts": {"customer_id": "1296", "occurred_at": "2018-01-02", "action": "call", "channel": "phone"},
        "consents": {"customer_id": "1296", "occurred_at": "2018-01-02", "purpose": "marketing", "granted": True},
    }
    return right[table] | changes


WRONG = {
    "NaN": {"cost": float("nan")},
    "infinite": {"cost": float("inf")},
    "huge": {"cost": 1e300},
    "a huge integer": {"cost": 10**400},
    "negative": {"cost": -1},
    "a list for a number": {"cost": [1]},
    "a truth for a number": {"cost": True},
    "an object for an id": {"customer_id": {"id": "1296"}},
    "a list for the id of a contact": {"contact_id": ["crm-1"]},
    "an object for a purpose or a kind": {"purpose": {}, "kind": {}},
    "a list for a channel": {"channel": ["phone"]},
    "no id": {"customer_id": None},
    "an empty id": {"customer_id": ""},
    "a lone surrogate": {"customer_id": "\ud800"},
    "NUL in an id": {"customer_id": "a\x00b"},
    "an id of a thousand letters": {"customer_id": "x" * 1_000},
    "no date": {"occurred_at": "soon"},
    "a date in ten years": {"occurred_at": "2199-01-01T00:00:00Z"},
    "a date before all others": {"occurred_at": "0001-01-01"},
    "a number for a date": {"occurred_at": 1_514_764_800},
    "an unknown column": {"colour": "red"},
    "a lone surrogate in a name of a column": {"\udfff": "red"},
}


@pytest.mark.parametrize("table", ["outcomes", "contacts", "consents"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_row_is_refused_by_its_number_and_nothing_of_it_is_kept(own_workspace, table, wrong):
    changes = {name: value for name, value in WRONG[wrong].items() if table != "consents" or name != "cost"}
    rows = [row(table), row(table, **(changes or {"granted": "perhaps"}))]
    with ask(own_workspace) as client:
        answer = client.post(f"/v1/{table}", content=json.dumps({table: rows}).encode(), headers=JSON)
        assert answer.status_code == 200, answer.text
        told = answer.json()["results"][1]
        assert (told["index"], told["status"], told["problem"]["status"]) == (1, "refused", 422)
    engine = open_engine(own_workspace.database)
    with engine.connect() as connection:
        assert {one.place for one in connection.execute(arrivals.select())} <= {0}
    engine.dispose()


@pytest.mark.parametrize(
    "path, body, names",
    [
        (IDS, {"customer_ids": [str(one) for one in range(501)]}, "`customer_ids` must hold at most 500, got 501"),
        (IDS, {"customer_ids": []}, "`customer_ids`"),
        (IDS, {"customer_ids": [7]}, "`customer_ids.0`"),
        (IDS, {"customer_ids": "1296"}, "`customer_ids`"),
        (IDS, {"customer_ids": ["x" * 257]}, "`customer_ids.0`"),
        (IDS, {"customer_ids": ["\x00"]}, "`customer_ids.0`"),
        ("/v1/outcomes", {"outcomes": [{}] * 501}, "`outcomes` must hold at most 500, got 501"),
        ("/v1/outcomes", {"outcomes": [7]}, "`outcomes.0`"),
        ("/v1/events", {"table": "orderz", "rows": [{}]}, "`table`"),
        ("/v1/case-notes", {"customer_id": "1296", "text": "\ud800"}, "`text`"),
        ("/v1/case-notes", {"customer_id": "1296", "text": "a\x00b"}, "`text`"),
        ("/v1/case-notes", {"customer_id": "1296", "text": "x" * 4_001}, "`text`"),
        ("/v1/cases", {"customer_ids": ["1296"], "owner": "\ud800"}, "`owner`"),
        ("/v1/cases", {"customer_ids": ["1296"], "owner": "li", "follow_up_on": "9999-12-31"}, "`follow_up_on`"),
        ("/v1/scores/from-history", {"cutoff": "2199-01-01T00:00:00Z", "tables": {}}, "`cutoff`"),
        ("/v1/scores/from-history", {"cutoff": "2018-01-01", "tables": {}}, "`cutoff`"),
        ("/v1/scores/from-history", {"tables": {"orderz": []}}, "`orders`"),
        ("/v1/keys", {"name": "crm", "scopes": ["read"], "days": 10**30}, "`days`"),
        ("/v1/keys", {"name": "crm", "scopes": ["read"], "days": float("nan")}, "`days`"),
        ("/v1/keys", {"name": "\ud800", "scopes": ["read"]}, "`name`"),
        ("/v1/people", {"name": "ann", "role": "owner", "password": "correct horse battery"}, "`role`"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(asked, path, body, names):
    status, _, said = refused(asked.post(path, content=json.dumps(body).encode(), headers=JSON))
    assert status == 422
    assert names in said


@pytest.mark.parametrize(
    "query, status",
    [
        ("limit=0", 422),
        ("limit=501", 422),
        ("limit=1e3", 422),
        ("limit=" + "9" * 400, 422),
        ("limit=", 422),
        ("sort=name", 422),
        ("format=pdf", 422),
        ("min_value_at_risk=nan", 422),
        ("min_value_at_risk=inf", 422),
        ("max_churn_probability=2", 422),
        ("owner=%00", 400),
        ("owner=" + "x" * 65, 422),
        ("colour=red", 422),
        ("LIMIT=5", 422),
        ("band=high" * 1_000, 414),
        ("&".join(["band=high"] * 200), 422),
    ],
    ids=lambda one: str(one)[:24],
)
def test_a_wrong_query_is_refused(asked, query, status):
    assert refused(asked.get(f"/v1/at-risk?{query}"))[0] == status


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/v1/customers/nobody", 404),
        ("GET", "/v1/customers/%00", 400),
        ("GET", "/v1/customers/%FF", 404),
        ("GET", "/v1/customers/%ED%A0%80", 404),
        ("GET", "/v1/customers/" + "x" * 7_000, 404),
        ("GET", "/v1/customers/" + "x" * 9_000, 414),
        ("GET", "/v1/customers/", 404),
        ("GET", "/v1/cases/nobody", 404),
        ("PATCH", "/v1/cases/%00", 400),
        ("GET", "/v1/events/nothing", 404),
        ("GET", "/v1/runs/nothing", 422),
        ("GET", "/v1/models/nothing", 422),
        ("GET", "/v1/handoff/nothing", 400),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/at-risk/", 404),
        ("GET", "/V1/at-risk", 404),
        ("POST", "/v1/at-risk", 405),
        ("HEAD", "/v1/at-risk", 405),
        ("OPTIONS", "/v1/at-risk", 405),
        ("TRACE", "/v1/at-risk", 405),
        ("DELETE", "/v1/customers/1296", 405),
    ],
    ids=lambda one: str(one)[:32],
)
def test_an_address_or_a_method_that_there_is_not_is_told(asked, method, path, status):
    body = {"json": {"owner": "li"}} if method == "PATCH" else {}
    answer = asked.request(method, path, **body)
    assert answer.status_code == status
    if method != "HEAD":
        refused(answer)
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "with blank", "é".encode()])
def test_a_name_of_a_request_that_is_none_is_refused(asked, key):
    told = asked.post("/v1/cases", json={"customer_ids": ["1"], "owner": "li"}, headers={"idempotency-key": key})
    assert refused(told)[:2] == (400, "usage")


@pytest.mark.parametrize(
    "address, name",
    [
        ("at-risk?limit=5&limit=2", "limit"),
        ("at-risk?fields=clv&band=low&fields=clv", "fields"),
        ("cases?due_before=2018-01-01&due_before=2018-01-01", "due_before"),
        ("audit?after=0&after=1", "after"),
        ("case-history?customer_id=1296&customer_id=1297", "customer_id"),
    ],
)
def test_a_parameter_that_is_no_list_and_stands_twice_is_refused_by_its_name(asked, address, name):
    status, code, said = refused(asked.get(f"/v1/{address}"))
    assert (status, code) == (422, "invalid_request")
    assert said == f"`{name}` must stand once, found 2 times; leave all but one of them out"


def test_a_parameter_that_is_a_list_may_stand_twice(asked):
    found = asked.get("/v1/at-risk?band=low&band=medium&limit=500").json()["items"]
    assert {one["risk_band"] for one in found} == {"low", "medium"}


def test_what_is_no_parameter_is_unknown_however_often_it_stands(asked):
    assert "unknown field `colour`" in refused(asked.get("/v1/at-risk?colour=red&colour=blue"))[2]


def test_a_byte_that_is_no_utf_8_stands_for_nobody(asked):
    assert asked.get("/v1/at-risk?owner=%FF").json()["items"] == []
