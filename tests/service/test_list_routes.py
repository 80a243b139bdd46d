"""The lists of the API: filters, sorts, cursors, some fields alone, what need not be sent twice, and files."""

import io
import json

import jsonschema_rs
import pytest
from python_calamine import CalamineWorkbook
from sample_run import ask, bodies, fill, record, walk

from churnml.database.lists import SORTS
from churnml.service import workbooks
from churnml.service.cursors import Cursor, read, write
from churnml.wording import Text

SCORED = [one for one in bodies() if one["rung"] == "blend"]


def refused(client, query):
    told = client.get(f"/v1/at-risk?{query}")
    return told.status_code, told.json()["detail"]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_every_sort_meets_everyone_once_and_in_order(client, sort, order):
    seen = walk(client, sort=sort, order=order, limit=13)
    told = [one[sort] for one in seen if one[sort] is not None]
    assert told == sorted(told, reverse=order == "desc")
    assert sorted(one["customer_id"] for one in seen) == sorted(one["customer_id"] for one in SCORED)


@pytest.mark.parametrize(
    "query, holds",
    [
        ({"arm": "control"}, lambda one: one["arm"] == "control"),
        ({"reason": "rhythm"}, lambda one: one["reasons"][0]["group"] == "rhythm"),
        ({"min_value_at_risk": 100}, lambda one: one["value_at_risk"] >= 100),
        ({"max_churn_probability": 0.3}, lambda one: one["churn_probability"] <= 0.3),
        ({"contactable": "true"}, lambda one: one["arm"] == "treated"),
        ({"contactable": "false"}, lambda one: one["arm"] != "treated"),
    ],
)
def test_a_filter_keeps_those_of_whom_it_holds(client, query, holds):
    assert {one["customer_id"] for one in walk(client, **query)} == {o["customer_id"] for o in SCORED if holds(o)}


@pytest.mark.parametrize("change", ["sort=clv", "order=asc", "band=low", "min_value_at_risk=1"])
def test_a_cursor_does_not_hold_for_another_list(client, change):
    cursor = client.get("/v1/at-risk?limit=2").json()["next_cursor"]
    status, detail = refused(client, f"cursor={cursor}&{change}")
    assert (status, "given out for other filters or another sort" in detail) == (400, True)


def test_a_cursor_holds_for_another_number_of_records_and_other_fields(client):
    first = client.get("/v1/at-risk?limit=2").json()
    second = client.get(f"/v1/at-risk?limit=3&fields=clv&cursor={first['next_cursor']}").json()
    assert (len(second["items"]), second["total"]) == (3, first["total"])


@pytest.mark.parametrize("place", [(0.5, "客户"), (None, ""), (-(2**62), "x"), (1e300, "a" * 256)])
def test_a_cursor_says_what_was_written_into_it(place):
    cursor = Cursor(place, 7, 9)
    assert read(write("run", "asked", cursor), "run", "asked") == cursor


def test_some_fields_alone_come_with_the_customer_and_in_the_order_asked_for(client):
    page = client.get("/v1/at-risk?fields=action,clv&limit=2").json()
    assert [list(one) for one in page["items"]] == [["customer_id", "action", "clv"]] * 2
    assert list(client.get("/v1/customers/1296?fields=clv").json()) == ["customer_id", "clv"]


@pytest.mark.parametrize("address", ["at-risk", "prospects", "customers/1296"])
def test_the_description_holds_of_some_fields_and_of_whole_records(client, address):
    described = client.get("/v1/openapi.json").json()
    route = described["paths"][f"/v1/{address.replace('1296', '{customer_id}')}"]["get"]
    wanted = route["responses"]["200"]["content"]["application/json"]["schema"]
    holds = jsonschema_rs.validator_for({"components": described["components"], **wanted})
    for query in ("", "?fields=clv,fresh", "?fields=action"):
        holds.validate(client.get(f"/v1/{address}{query}").json())
    assert not holds.is_valid({"customer_id": "1", "colour": "red"})


@pytest.mark.parametrize("address", ["at-risk", "prospects", "customers/1296"])
def test_a_field_that_there_is_not_is_named_with_the_nearest(client, address):
    told = client.get(f"/v1/{address}?fields=clv,churn_probabilty")
    assert told.status_code == 422
    assert (
        told.json()["detail"]
        == "`fields` must name fields of a record, found no `churn_probabilty`; did you mean `churn_probability`?"
    )


@pytest.mark.parametrize("address", ["at-risk?limit=3", "prospects", "customers/1296", "customers/1296?fields=clv"])
def test_what_a_caller_holds_is_not_sent_again(client, address):
    first = client.get(f"/v1/{address}")
    again = client.get(f"/v1/{address}", headers={"if-none-match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_what_has_changed_is_sent_again(own_workspace):
    with ask(own_workspace) as client:
        tag = client.get("/v1/customers/1296").headers["etag"]
        fill(own_workspace, [record("1296", 8, clv=1.0)], now=3)
        assert client.get("/v1/customers/1296", headers={"if-none-match": tag}).json()["clv"] == 1.0


@pytest.mark.parametrize("query", ["format=xlsx&limit=3", "format=jsonl&cursor=x", "format=csv&fields=clv"])
def test_a_file_is_whole_and_a_table_has_all_its_columns(client, query):
    status, detail = refused(client, query)
    assert (status, "leave" in detail) == (400, True)


def test_json_lines_hold_the_list_in_its_order(client):
    answer = client.get("/v1/at-risk?format=jsonl&sort=clv&fields=clv")
    found = [json.loads(line) for line in answer.text.splitlines()]
    listed = client.get("/v1/at-risk?limit=500&sort=clv&fields=clv").json()["items"]
    assert (found, answer.headers["content-type"]) == (listed, "application/x-ndjson; charset=utf-8")


def sheets(answer):
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_a_workbook_has_both_languages_in_its_header_and_says_what_it_is(client):
    told = sheets(client.get("/v1/at-risk?format=xlsx&band=high&lang=zh"))
    head, first = told["名单 List"][:2]
    assert head[:2] == ["客户\nCustomer", "风险价值 (USD)\nValue at risk (USD)"]
    assert (first[0], type(first[1]), first[3]) == ("<script>alert(1)</script>", float, "高")
    assert ["筛选条件\nFilters", "band=high"] in told["说明 About"]


def test_dates_are_dates_and_texts_that_look_like_formulas_stay_texts(client):
    head, *found = sheets(client.get("/v1/at-risk?format=xlsx"))["List 名单"]
    (place,) = (place for place, title in enumerate(head) if title.startswith("Last order\n"))
    assert {row[place].isoformat() for row in found} == {"2017-11-20"}
    assert '=HYPERLINK("http://x","y")' in [row[0] for row in found]
    assert len(found) == len(SCORED)


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(client):
    import zipfile

    book = zipfile.ZipFile(io.BytesIO(client.get("/v1/at-risk?format=xlsx").content))
    inside = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert inside
    assert not [one for one in inside if b"<f>" in one or b"<hyperlink" in one]


def test_a_list_longer_than_a_sheet_goes_on_on_another(monkeypatch):
    monkeypatch.setattr(workbooks, "SHEET_ROWS", 2)
    columns = [workbooks.Column(Text("A", "甲"), "number")]
    made = b"".join(workbooks.workbook_chunks(columns, [[n] for n in range(5)], [], "en"))
    book = CalamineWorkbook.from_filelike(io.BytesIO(made))
    assert [len(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names] == [3, 3, 2]


def test_a_workbook_that_would_take_minutes_is_refused(client, monkeypatch):
    monkeypatch.setattr("churnml.service.api.lists.LARGEST_WORKBOOK", 3)
    status, detail = refused(client, "format=xlsx")
    assert (status, detail.startswith("`format=xlsx` must have at most 3 rows, got 67")) == (400, True)


def test_a_list_tells_who_holds_each_case_and_is_kept_by_it(own_workspace):
    with ask(own_workspace) as client:
        client.post("/v1/cases", json={"customer_ids": ["1296"], "owner": "li"}, headers={"Idempotency-Key": "k1"})
        (found,) = client.get("/v1/at-risk?owner=li&status=claimed&fields=case").json()["items"]
        assert (found["customer_id"], found["case"]["owner"], found["case"]["status"]) == ("1296", "li", "claimed")
        assert client.get("/v1/at-risk?unowned=true").json()["total"] == len(SCORED) - 1
        line = next(one for one in client.get("/v1/at-risk?format=csv").text.splitlines() if one.startswith("1296,"))
        assert line.endswith(",li,Claimed,,,")  # no day, no probability before, no change


def test_the_etag_of_a_list_changes_with_a_case(own_workspace):
    with ask(own_workspace) as client:
        tag = client.get("/v1/at-risk").headers["etag"]
        client.post("/v1/cases", json={"customer_ids": ["1296"], "owner": "li"}, headers={"Idempotency-Key": "k1"})
        assert client.get("/v1/at-risk", headers={"if-none-match": tag}).status_code == 200


def test_the_prospects_come_as_a_workbook_too(client):
    assert sheets(client.get("/v1/prospects?format=xlsx"))["List 名单"][1][:2] == ["lead-1", 0.62]
