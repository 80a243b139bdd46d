import json
from urllib.parse import quote

import pytest
from sample_run import CUTOFF, HOSTILE, MODEL, ask, bodies, fill, prospects, record, walk

from churnml.service.api.shapes import AtRiskList, DecisionRecord, ProspectList, Scores


def problem(response):
    assert response.headers["content-type"] == "application/problem+json"
    return response.json()


def test_a_customer_is_answered_with_the_record_as_written(client):
    asked = client.get("/v1/customers/1296")
    assert asked.status_code == 200
    assert {name: value for name, value in asked.json().items() if name != "run_id"} == record("1296", 8) | {
        "lifecycle_path": []
    }


@pytest.mark.parametrize("customer_id", HOSTILE)
def test_any_id_can_be_asked_for_when_escaped(client, customer_id):
    asked = client.get("/v1/customers/" + quote(customer_id, safe=""))
    assert asked.json()["customer_id"] == customer_id


def test_the_declared_shape_accepts_every_record(client):
    for body in client.get("/v1/at-risk?limit=500").json()["items"]:
        DecisionRecord.model_validate(body)
    for outside in ("never", "left"):
        DecisionRecord.model_validate(client.get(f"/v1/customers/{outside}").json())


def test_the_declared_shape_accepts_lists_and_bulk_answers(client):
    AtRiskList.model_validate(client.get("/v1/at-risk").json())
    Scores.model_validate(client.post("/v1/scores", json={"customer_ids": ["1296", "nobody"]}).json())


def test_an_unknown_customer_is_a_clear_404(client):
    told = problem(client.get("/v1/customers/nobody"))
    assert (told["status"], told["code"], told["title"]) == (404, "not_found", "Not Found")
    assert told["detail"] == f"no customer `nobody` in the records as of {CUTOFF}; ids are compared as text"


def test_bulk_answers_each_id_once_in_the_order_asked(client):
    asked = client.post("/v1/scores", json={"customer_ids": ["1333", "x", "1296", "1333", "x"]}).json()
    assert [one["customer_id"] for one in asked["records"]] == ["1333", "1296"]
    assert asked["unknown"] == ["x"]


def test_bulk_takes_500_ids(client):
    asked = client.post("/v1/scores", json={"customer_ids": [f"x{one}" for one in range(500)]})
    assert len(asked.json()["unknown"]) == 500


@pytest.mark.parametrize(
    "body, words",
    [
        ({"customer_ids": [str(one) for one in range(501)]}, "`customer_ids` must hold at most 500, got 501"),
        ({"customer_ids": []}, "`customer_ids` must hold at least 1, got 0"),
        ({"customer_ids": [7]}, "`customer_ids.0` must be one text, got 7"),
        ({"customer_ids": ["x" * 257]}, "at most 256 characters"),
        ({"customer_id": ["1"]}, "unknown field `customer_id`; did you mean `customer_ids`?"),
        ([], "the body must be a JSON object"),
    ],
)
def test_a_wrong_body_is_refused_and_the_field_named(client, body, words):
    told = problem(client.post("/v1/scores", json=body))
    assert (told["status"], told["code"]) == (422, "invalid_request")
    assert words in told["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"customer_ids": ["\\ud800"]}', b'{"\\ud800": 1}', b"[" * 100_000, b"NaN"]
)
def test_a_garbled_body_is_never_our_fault(client, body):
    told = client.post("/v1/scores", content=body, headers={"content-type": "application/json"})
    assert told.status_code in {400, 422}
    assert problem(told)["detail"]


def test_a_body_beyond_a_megabyte_is_refused(client):
    told = problem(client.post("/v1/scores", content=b" " * 1_000_001))
    assert (told["status"], told["code"]) == (413, "too_large")


def test_a_body_that_hides_its_length_is_refused_too(client):
    chunks = (b" " * 100_000 for _ in range(20))
    told = problem(client.post("/v1/scores", content=chunks, headers={"content-type": "application/json"}))
    assert told["code"] == "too_large"


@pytest.mark.parametrize("limit", [1, 7, 50, 500])
def test_walking_the_cursors_meets_everyone_at_risk_once_in_order(client, limit):
    seen = walk(client, limit=limit)
    wanted = sorted((one for one in bodies() if one["rung"] == "blend"), key=lambda one: one["customer_id"])
    wanted.sort(key=lambda one: -one["value_at_risk"])
    assert [one["customer_id"] for one in seen] == [one["customer_id"] for one in wanted]


def test_a_page_says_which_run_it_is_from(client):
    page = client.get("/v1/at-risk?limit=1").json()
    assert (page["cutoff"], page["horizon_days"], page["model_version"], page["currency"]) == (CUTOFF, 60, MODEL, "USD")
    assert page["total"] == 67
    assert page["run_id"] == page["items"][0]["run_id"]


def test_filters_keep_only_the_bands_and_actions_asked_for(client):
    seen = walk(client, band=["high", "low"], action=["call"], limit=5)
    assert {(one["risk_band"], one["action"]) for one in seen} == {("high", "call"), ("low", "call")}


def test_filters_keep_only_the_stages_and_segments_asked_for(client):
    seen = walk(client, stage=["declining"], segment=["mid_value_high_risk", "low_value_high_risk"], limit=5)
    assert {one["lifecycle_stage"] for one in seen} == {"declining"}
    assert {one["segment"] for one in seen} == {"mid_value_high_risk", "low_value_high_risk"}


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "bnVsbA", "WzEsMiwzLDRd", "WyJhIiwgTmFOLCAiYiIsIDBd", ""])
def test_a_garbled_cursor_is_refused(client, cursor):
    told = problem(client.get("/v1/at-risk", params={"cursor": cursor}))
    assert (told["status"], told["code"]) == (400, "usage")
    assert "leave it out to start from the top" in told["detail"]


def test_a_cursor_of_an_earlier_run_is_refused(own_workspace):
    with ask(own_workspace) as client:
        cursor = client.get("/v1/at-risk?limit=2").json()["next_cursor"]
        fill(own_workspace, bodies(), now=3)
        assert "belongs to an earlier run" in problem(client.get("/v1/at-risk", params={"cursor": cursor}))["detail"]


@pytest.mark.parametrize(
    "query, words",
    [
        ("limit=0", "`limit` must be at least 1, got '0'"),
        ("limit=501", "`limit` must be at most 500, got '501'"),
        ("band=huge", "`band.0` must be `high`, `medium` or `low`, got 'huge'"),
        ("stage=declned", "did you mean `declining`?"),
        ("segment=high_value", "got 'high_value'; did you mean `high_value_"),
        ("limt=5", "unknown field `limt`; did you mean `limit`?"),
        ("format=xls", "`format` must be `json`, `csv`, `xlsx` or `jsonl`, got 'xls'; did you mean `xlsx`?"),
    ],
)
def test_a_wrong_query_is_refused_and_the_field_named(client, query, words):
    told = problem(client.get(f"/v1/at-risk?{query}"))
    assert told["status"] == 422
    assert words in told["detail"]


@pytest.mark.parametrize("path", ["/v1/nothing", "/nothing", "/static/nothing.css", "/static/../app.py"])
def test_an_unknown_address_is_a_problem_too(client, path):
    assert problem(client.get(path))["code"] == "not_found"


def test_a_method_that_is_not_taken_is_a_problem_that_names_those_that_are(client):
    refused = client.delete("/v1/customers/1296")
    assert problem(refused)["code"] == "method_not_allowed"
    assert refused.headers["allow"] == "GET"


def test_before_the_first_run_the_api_says_what_to_run(newcomer):
    for path in ("/v1/customers/1", "/v1/at-risk", "/v1/at-risk?format=csv", "/readyz"):
        told = problem(newcomer.get(path))
        assert (told["status"], told["code"]) == (503, "dependency")
        assert "run `churnml demo`" in told["detail"]


def test_health_needs_no_run_and_readiness_names_the_run(newcomer, client):
    assert newcomer.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json()["cutoff"] == CUTOFF


def test_a_run_that_has_not_finished_is_not_served(own_workspace):
    fill(own_workspace, [record("new", 1)], verb="train", now=9)
    with ask(own_workspace) as client:
        assert client.get("/v1/customers/new").status_code == 404


def test_a_bug_tells_nothing_of_our_inside(own_workspace):
    with ask(own_workspace) as client:
        client.app.state.readings = None
        told = client.get("/v1/customers/1")
    assert problem(told)["code"] == "internal"
    assert "Traceback" not in told.text
    assert "NoneType" not in told.text
    assert told.headers["x-content-type-options"] == "nosniff"


def test_a_database_that_does_not_answer_is_a_503(own_workspace):
    with ask(own_workspace) as client:
        own_workspace.database.write_bytes(b"not a database" * 1000)
        told = problem(client.get("/v1/customers/1"))
    assert (told["status"], told["code"]) == (503, "dependency")


def test_openapi_describes_every_route_with_a_summary_an_example_and_its_errors(client):
    schema = client.get("/v1/openapi.json").json()
    assert set(schema["paths"]) >= {
        "/healthz", "/readyz", "/v1/at-risk", "/v1/campaigns", "/v1/customers/{customer_id}", "/v1/data", "/v1/drivers",
        "/v1/effects", "/v1/funnel", "/v1/kpis", "/v1/lifecycle", "/v1/models", "/v1/models/{model_version}",
        "/v1/prospects", "/v1/rhythm", "/v1/runs", "/v1/runs/{run_id}", "/v1/scores", "/v1/segments", "/v1/strategy",
        "/v1/case-history", "/v1/case-notes", "/v1/cases", "/v1/cases/{customer_id}", "/v1/consents", "/v1/contacts",
        "/v1/events", "/v1/outcomes", "/v1/scores/from-history",
    }  # fmt: skip
    assert all(route["summary"] for path in schema["paths"].values() for route in path.values())
    errors = schema["paths"]["/v1/scores"]["post"]["responses"]["422"]["content"]
    assert errors["application/problem+json"]["schema"]["$ref"] == "#/components/schemas/Problem"
    assert "HTTPValidationError" not in json.dumps(schema)


def test_the_examples_in_openapi_have_the_shape_they_illustrate(client):
    schema = client.get("/v1/openapi.json").json()
    shown = schema["paths"]["/v1/customers/{customer_id}"]["get"]["responses"]["200"]["content"]["application/json"]
    DecisionRecord.model_validate(shown["example"])


def test_the_prospects_come_page_by_page_the_likeliest_first(client):
    first = client.get("/v1/prospects?limit=3").json()
    second = client.get("/v1/prospects", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    chances = [one["conversion_probability"] for one in (*first["items"], *second["items"])]
    assert chances == sorted((one["conversion_probability"] for one in prospects()), reverse=True)
    assert (first["total"], second["next_cursor"], first["expected_conversions"]) == (4, None, 1.04)


def test_the_declared_shape_accepts_the_list_of_prospects_and_its_example(client):
    ProspectList.model_validate(client.get("/v1/prospects").json())
    shown = client.get("/v1/openapi.json").json()["paths"]["/v1/prospects"]["get"]["responses"]["200"]
    ProspectList.model_validate(shown["content"]["application/json"]["example"])


def test_no_prospect_stands_among_those_at_risk(client):
    listed = {one["customer_id"] for one in client.get("/v1/at-risk?limit=500").json()["items"]}
    assert not listed & {one["customer_id"] for one in prospects()}
