"""An agent sees their own customers and nobody's; of a colleague's they learn whose it is. One setting opens all."""

import json
import re
from pathlib import Path

import pytest
from sample_run import ask, fill, record, visit
from test_working_pages import NOW

from callers import signed_in
from churnml.config import ServeConfig, load_config

HELD = "`li` looks after this customer, and you see your own and nobody's"


@pytest.fixture
def workspace(own_workspace):
    """c0 is ann's, c1 is li's, c2 is nobody's; and so are three prospects."""
    whom = [record(f"c{one}", one, action="call", arm="treated") for one in range(3)]
    leads = [record(f"p{one}", 80, "prospect", conversion_probability=0.5 - one / 10) for one in range(3)]
    fill(own_workspace, [*whom, *leads], now=9)
    for name, ids in (("ann", ["c0", "p0"]), ("li", ["c1", "p1"])):
        with visitor(own_workspace, name) as client:
            assert client.post("/v1/cases", json={"customer_ids": ids}).status_code == 200
            assert client.post("/v1/case-notes", json={"customer_id": ids[0], "text": "Secret."}).status_code == 200
    return own_workspace


def visitor(workspace, name="ann", role="agent", **settings):
    headers = signed_in(workspace, name, role, NOW)
    opened = visit(workspace, headers=headers, settings=ServeConfig(**settings) if settings else None)
    opened.app.state.now = lambda: NOW
    return opened


def ids(answer):
    return [one["customer_id"] for one in answer.json()["items"]]


@pytest.mark.parametrize(
    "address",
    ["at-risk", "at-risk?sort=clv&limit=1", "at-risk?format=jsonl", "at-risk?format=csv", "handoff/salesforce"],
)
def test_a_list_and_its_files_hold_no_customer_of_a_colleague(workspace, address):
    with visitor(workspace) as ann, visitor(workspace, "bo", "analyst") as bo:
        mine, all_of_them = ann.get(f"/v1/{address}").text, bo.get(f"/v1/{address}").text
        if "limit" in address:
            cursor = json.loads(mine)["next_cursor"]
            mine += ann.get(f"/v1/{address}&cursor={cursor}").text
            all_of_them = "c1"
    # as a word: a run is called by letters and digits, among which may be any two
    assert [
        bool(re.search(rf"\b{one}\b", text)) for one, text in (("c1", mine), ("c2", mine), ("c1", all_of_them))
    ] == [
        False,
        True,
        True,
    ]


def test_a_list_is_counted_as_it_is_shown(workspace):
    with visitor(workspace) as ann, visitor(workspace, "bo", "analyst") as bo:
        assert [one.get("/v1/at-risk").json()["total"] for one in (ann, bo)] == [2, 3]
        assert [one.get("/v1/at-risk?owner=li").json()["total"] for one in (ann, bo)] == [0, 1]
        assert [one.get("/v1/prospects").json()["total"] for one in (ann, bo)] == [2, 3]


def test_prospects_and_cases_of_colleagues_are_left_out(workspace):
    with visitor(workspace) as ann:
        assert ids(ann.get("/v1/prospects")) == ["p0", "p2"]
        assert sorted(ids(ann.get("/v1/cases"))) == ["c0", "p0"]
        assert "c1" not in ann.get("/v1/prospects?format=csv").text


@pytest.mark.parametrize(
    "address",
    ["customers/{}", "customers/{}?fields=clv", "timeline?customer_id={}", "score-history?customer_id={}", "cases/{}",
     "case-history?customer_id={}", "case-notes?customer_id={}"],
)  # fmt: skip
def test_of_a_colleagues_customer_it_is_told_whose_it_is_and_nothing_else(workspace, address):
    with visitor(workspace) as ann:
        refused = ann.get("/v1/" + address.format("c1"))
        assert (refused.status_code, HELD in refused.json()["detail"]) == (403, True)
        assert ann.get("/v1/" + address.format("c0")).status_code == 200


def test_how_to_reach_a_colleagues_customer_is_not_told(workspace):
    with visitor(workspace) as ann:
        refused = ann.get("/v1/contact-details?customer_id=c1")
        assert (refused.status_code, HELD in refused.json()["detail"]) == (403, True)


def test_of_many_records_those_of_colleagues_are_withheld(workspace):
    with visitor(workspace) as ann, ask(workspace) as key:
        told = ann.post("/v1/scores", json={"customer_ids": ["c1", "c2", "nobody", "c1"]}).json()
        assert [one["customer_id"] for one in told["records"]] == ["c2"]
        assert (told["unknown"], told["withheld"]) == (["nobody"], ["c1"])
        assert "withheld" not in key.post("/v1/scores", json={"customer_ids": ["c1"]}).json()


def test_the_queue_of_a_colleague_is_theirs(workspace):
    with visitor(workspace) as ann:
        assert ann.get("/v1/queue?owner=li").status_code == 403
        assert ann.get("/today?owner=li", headers={"accept": "text/html"}).status_code == 403
        assert ann.get("/v1/queue").status_code == 200


def test_the_pages_keep_to_it_too(workspace):
    with visitor(workspace) as ann:
        ann.headers["accept"] = "text/html"
        listed = ann.get("/at-risk").text
        held = ann.get("/customers/c1")
        prospects = ann.get("/prospects").text
    assert [f"/customers/{one}" in listed for one in ("c0", "c1", "c2")] == [True, False, True]
    assert ("/customers/p1" in prospects, "/customers/p2" in prospects) == (False, True)
    assert (held.status_code, "li looks after customer c1" in held.text) == (403, True)
    assert not any(word in held.text for word in ("Secret.", "No order for", "Churn probability"))


def test_who_is_nobodys_can_be_looked_up_and_claimed(workspace):
    with visitor(workspace) as ann:
        assert ann.get("/v1/customers/c2").status_code == 200
        assert ann.post("/v1/queue", json={"count": 1}).json() == {"claimed": ["c2"]}
    with visitor(workspace, "li") as li:
        assert li.get("/v1/customers/c2").status_code == 403


def test_who_claims_a_colleagues_customer_is_told_whose_it_is(workspace):
    with visitor(workspace) as ann:
        (one,) = ann.post("/v1/cases", json={"customer_ids": ["c1"]}).json()["results"]
    assert (one["status"], "`li`" in one["problem"]["detail"]) == ("refused", True)


@pytest.mark.parametrize("role", ["analyst", "admin"])
def test_analysts_administrators_and_keys_see_everybody(workspace, role):
    with visitor(workspace, "bo", role) as bo, ask(workspace, "read") as key:
        assert [one.get("/v1/customers/c1").status_code for one in (bo, key)] == [200, 200]


def test_where_it_is_allowed_agents_see_the_customers_of_colleagues(workspace):
    with visitor(workspace, agents_see="all") as ann:
        assert ann.get("/v1/customers/c1").status_code == 200
        assert ann.get("/v1/at-risk").json()["total"] == 3
        assert ann.get("/v1/queue?owner=li").status_code == 200
        assert ann.get("/v1/contact-details?customer_id=c1").status_code == 403


def test_agents_see_their_own_unless_the_file_says_otherwise():
    assert load_config(Path("configs/serve.yaml"), ServeConfig).agents_see == ServeConfig().agents_see == "own"


@pytest.mark.parametrize(
    "address, told",
    [
        ("case-notes", {"customer_id": "c1", "text": "Not mine."}),
        ("calls", {"customer_id": "c1", "result": "no_answer"}),
    ],
)
def test_nothing_is_written_about_a_colleagues_customer(workspace, address, told):
    with visitor(workspace) as ann, visitor(workspace, agents_see="all") as seeing:
        for one in (ann, seeing):
            refused = one.post(f"/v1/{address}", json=told)
            assert (refused.status_code, refused.json()["code"]) == (409, "taken")


def test_a_contact_with_a_colleagues_customer_is_refused_alone_and_tells_no_arm(workspace):
    made = [
        {"customer_id": one, "occurred_at": "2018-01-09T10:00:00Z", "action": "call", "channel": "phone"}
        for one in ("c1", "c0")
    ]
    with visitor(workspace) as ann:
        items = ann.post("/v1/contacts", json={"contacts": made}).json()["results"]
    assert [(one["status"], (one["problem"] or {}).get("code")) for one in items] == [
        ("refused", "taken"),
        ("kept", None),
    ]


def test_a_colleagues_case_tells_not_even_its_version(workspace):
    with visitor(workspace) as ann:
        refused = ann.patch("/v1/cases/c1", json={"status": "open"}, headers={"if-match": '"77"'})
        assert (refused.status_code, refused.json()["code"]) == (409, "taken")


def test_whoever_is_removed_gives_their_customers_back(workspace):
    with visitor(workspace) as ann, visitor(workspace, "mei", "admin") as mei:
        assert mei.delete("/v1/people/li").status_code < 300
        assert ann.get("/v1/customers/c1").status_code == 200
        history = mei.get("/v1/case-history?customer_id=c1").json()["items"]
        assert ["li", None] in [one["changed"].get("owner") for one in history]


def test_records_that_a_person_asks_for_together_are_looks_as_well(workspace):
    with visitor(workspace) as ann, visitor(workspace, "mei", "admin") as mei:
        ann.post("/v1/scores", json={"customer_ids": ["c0", "c2"]})
        entries = mei.get("/v1/audit").json()["entries"]
    assert [one["what"] for one in entries].count("customer.viewed") == 2
