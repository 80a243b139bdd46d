"""Files that other tools import: their header, their values, their limits, and who is never in them."""

import csv
import dataclasses
import io
import sys
from importlib.util import find_spec

import pytest
from python_calamine import CalamineWorkbook
from sample_run import bodies, record

from callers import bearing
from churnml.config import HandoffConfig
from churnml.errors import ConfigError, DependencyError, UsageError
from churnml.service.handoff import FIELDS, SHAPES, Sorter, chosen_columns, file_parts, shape_of
from churnml.service.handoff import files as files_module

SCORED = [one for one in bodies() if one["rung"] == "blend"]
TARGETS = [name for name, shape in SHAPES.items() if shape.kind == "csv"]
FREE = [record(f"c{place}", place, arm="treated") for place in range(6)]


def made(target, found, language="en", named=None, emails=None, **changes):
    """Return the bytes of each file for a tool, and who counted those left out."""
    shape = dataclasses.replace(SHAPES[target], **changes)
    sorter = Sorter(shape, emails or {})
    parts = {}
    for part, chunk in file_parts(shape, chosen_columns(target, shape, named or {}), sorter.passing(found), language):
        parts[part] = parts.get(part, b"") + chunk
    return list(parts.values()), sorter


def rows(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "target, head",
    [
        ("salesforce", "Customer_Id__c,Churn_Probability__c,Risk_Band__c"),
        ("hubspot", "customer_id,churn_probability,risk_band"),
        ("dynamics", "Customer Id,Churn Probability,Risk Band"),
        ("zoho", "Customer_Id,Churn_Probability,Risk_Band"),
        ("mailchimp", "Email Address,Customer Id,Churn Probability,Risk Band"),
        ("marketo", "customerId,churnProbability,riskBand"),
    ],
)
def test_the_header_is_as_the_tool_calls_its_fields_and_its_key_comes_first(target, head):
    (data,), _ = made(target, FREE, emails={"c0": "a@b.example"})
    assert data.decode("utf-8-sig").startswith(head + ",")


@pytest.mark.parametrize("target", TARGETS)
def test_lines_end_and_files_begin_as_the_tool_wants(target):
    (data,), _ = made(target, FREE)
    shape = SHAPES[target]
    assert data.endswith(shape.line_end.encode())
    assert (b"\r" in data) == (shape.line_end == "\r\n")
    assert data.startswith(b"\xef\xbb\xbf") == shape.byte_order_mark


def test_values_are_plain_numbers_days_and_the_tools_own_words_for_true_and_nothing():
    (data,), _ = made("salesforce", [FREE[2]])
    (row,) = rows(data)
    assert (row["Churn_Probability__c"], row["Value_At_Risk__c"]) == ("0.9020", f"{FREE[2]['value_at_risk']:.2f}")
    assert (row["Next_Order_On__c"], row["Scored_On__c"]) == ("2018-01-20", "2018-01-01")
    assert (row["Do_Not_Approach__c"], row["Renews_On__c"]) == ("false", "#N/A")


def test_sentences_are_in_the_language_asked_for():
    (data,), _ = made("hubspot", [FREE[0]], "zh")
    assert rows(data)[0]["reason"] == "已有 12 天没有下单；通常每 12 天一次"


@pytest.mark.parametrize("target", TARGETS)
def test_controls_and_held_out_customers_are_left_out_and_counted(target):
    barred = [record("x", 3, arm="control"), record("y", 3, arm="held_out"), record("a@b.example", 1, arm="treated")]
    (data,), sorter = made(target, barred)
    assert (len(rows(data)), dict(sorter.left_out)) == (1, {"control": 1, "held_out": 1})


def test_controls_stay_marked_with_the_reason_where_that_is_asked_for_and_nobody_is_written_to():
    shape = SHAPES["hubspot"]
    passed = Sorter(shape, marked=True).passing([record("x", 3, arm="control")])
    ((_, data),) = file_parts(shape, chosen_columns("hubspot", shape, {}), passed, "en")
    assert [rows(data)[0][name] for name in ("do_not_approach", "do_not_approach_because")] == ["true", "control"]
    mails = Sorter(SHAPES["marketo"], marked=True)
    assert list(mails.passing([record("x", 3, arm="control")])) == []


@pytest.mark.parametrize("because", ["no_consent", "open_complaint", "contact_cap"])
def test_a_tool_that_writes_to_people_gets_none_who_may_not_be_approached(because):
    found = [record("x", 4, arm="none", action=None, no_action_because=because), record("y", 4, arm=None)]
    (data,), sorter = made("marketo", found)
    assert (rows(data), sorter.left_out["not_contactable"]) == ([], 2)


def test_who_refuses_to_be_profiled_is_on_no_list_and_so_in_no_file(client):
    told = {one["customer_id"] for one in rows(client.get("/v1/handoff/hubspot?marked=true").content)}
    assert not told & {"never", "left", "lead-1"}


@pytest.mark.parametrize("target", TARGETS)
def test_no_cell_begins_like_a_formula_and_an_id_that_does_is_left_out(target):
    nasty = record("ok@b.example", 0, arm="treated", action="@call", action_label={"en": "=1+1", "zh": "+1"})
    found = [record(one, 0, arm="treated") for one in ("=1+1", "-12", "@x@b.example", "\tx")] + [nasty]
    emails = {"=1+1": "e@b.example", "-12": "f@b.example", "\tx": "g@b.example"}
    (data,), sorter = made(target, found, emails=emails)
    cells = [cell for row in rows(data) for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert (len(rows(data)), sorter.left_out.total()) == (1, 4)


def test_ids_with_letters_that_zoho_forbids_are_left_out_and_texts_lose_them():
    found = [record("a|b", 0, arm="treated"), record("ok", 0, arm="treated", action_label={"en": '<10 "%"|', "zh": ""})]
    (data,), sorter = made("zoho", found)
    assert (rows(data)[0]["Suggested_Action_Label"], dict(sorter.left_out)) == ("10 %", {"forbidden_id": 1})


def test_texts_are_cut_between_letters_where_the_tool_holds_255_bytes():
    long = record("c", 0, arm="treated", action_label={"en": "好" * 200, "zh": ""})
    (data,), _ = made("marketo", [long])
    assert rows(data)[0]["suggestedActionLabel"] == "好" * 85


@pytest.mark.parametrize("limits", [{"most_rows": 2}, {"most_bytes": 1_000}])
def test_what_is_too_much_for_one_file_goes_into_further_ones_each_with_its_header(limits):
    parts, _ = made("zoho", FREE, **limits)
    assert len(parts) > 1
    assert [row["Customer_Id"] for part in parts for row in rows(part)] == [one["customer_id"] for one in FREE]
    assert all(len(part) <= limits.get("most_bytes", len(part)) for part in parts)


def test_the_same_holds_of_workbooks():
    parts, _ = made("fxiaoke", FREE, "zh", most_rows=4)
    sheets = [CalamineWorkbook.from_filelike(io.BytesIO(part)).get_sheet_by_index(0).to_python() for part in parts]
    assert [len(sheet) for sheet in sheets] == [5, 3]
    assert sheets[0][0][:2] == sheets[1][0][:2] == ["客户编号", "流失概率"]


def test_nobody_at_all_is_a_file_with_a_header():
    (data,), _ = made("hubspot", [])
    assert data.decode().startswith("customer_id,")


def test_mailchimp_gets_addresses_that_are_known_and_ids_that_are_addresses():
    found = [record(one, 0, arm="treated") for one in ("c1", "c2", "ann@b.example")]
    (data,), sorter = made("mailchimp", found, emails={"c1": " bob@b.example ", "c2": "no address"})
    assert [row["Email Address"] for row in rows(data)] == ["bob@b.example", "ann@b.example"]
    assert dict(sorter.left_out) == {"no_email": 1}


def test_own_names_take_the_place_of_usual_ones():
    (data,), _ = made("salesforce", FREE, named={"clv": "Worth__c", "customer_id": "Shop_Number__c"})
    assert data.decode().splitlines()[0] == "Shop_Number__c,Worth__c"


@pytest.mark.parametrize(
    "named, words",
    [
        ({"customer_id": "A", "chrun_probability": "B"}, "no field `chrun_probability`.*did you mean `churn_prob"),
        ({"clv": "A"}, "must name `customer_id`"),
        ({"customer_id": "A", "clv": "A"}, "a name of its own"),
    ],
)
def test_names_that_cannot_be_are_refused(named, words):
    with pytest.raises(ConfigError, match=words):
        chosen_columns("salesforce", SHAPES["salesforce"], named)


def test_a_tool_that_there_is_not_is_named_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean `salesforce`"):
        shape_of("salesfroce")


@pytest.mark.parametrize("target", [name for name in SHAPES if name != "tableau"])
def test_every_tool_has_its_file_by_address(client, target):
    answer = client.get(f"/v1/handoff/{target}")
    ending = SHAPES[target].kind
    assert (answer.status_code, bool(answer.content)) == (200, True)
    assert answer.headers["content-disposition"] == f'attachment; filename="{target}-2018-01-01.{ending}"'


def test_the_workbook_for_people_holds_those_who_may_be_approached_under_titles_in_both_languages(client):
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get("/v1/handoff/excel").content))
    head, *found = book.get_sheet_by_name("List 名单").to_python()
    assert head[0] == "Customer\n客户"
    assert len(found) == sum(one["arm"] not in {"control", "held_out"} for one in SCORED)


@pytest.mark.parametrize(
    "path, status", [("zoho?part=2", 404), ("zoho?part=0", 422), ("zohoo", 400), ("zoho?x=1", 422)]
)
def test_what_there_is_not_is_said(client, path, status):
    assert client.get(f"/v1/handoff/{path}").status_code == status


def test_a_further_part_follows_the_one_before(client, monkeypatch):
    small = dataclasses.replace(SHAPES["zoho"], most_rows=20)
    monkeypatch.setitem(SHAPES, "zoho", small)
    whole = [row["Customer_Id"] for part in (1, 2) for row in rows(client.get(f"/v1/handoff/zoho?part={part}").content)]
    assert (len(whole), len(set(whole))) == (40, 40)


def test_the_service_uses_the_names_of_the_settings(own_workspace):
    from starlette.testclient import TestClient

    from churnml.service import create_app

    config = HandoffConfig.model_validate({"targets": {"zoho": {"columns": {"customer_id": "Nr"}}}})
    app, signed = create_app(own_workspace, handoff=config), bearing(own_workspace, "read")
    with TestClient(app, base_url="http://localhost", headers=signed) as client:
        assert client.get("/v1/handoff/zoho").text.splitlines()[0] == "Nr"


def test_without_pantab_a_tableau_extract_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pantab", None)
    with pytest.raises(DependencyError, match=r"pip install 'churnml\[tableau\]'"):
        made("tableau", FREE)


@pytest.mark.skipif(find_spec("pantab") is None, reason="pantab is not installed: pip install 'churnml[tableau]'")
def test_a_tableau_extract_holds_numbers_days_and_truth_values(tmp_path, monkeypatch):
    import pantab

    monkeypatch.setattr(files_module, "_HYPER_ROWS", 4)
    monkeypatch.chdir(tmp_path)
    (data,), _ = made("tableau", FREE)
    assert not list(tmp_path.iterdir())  # Tableau's engine writes no log of ours
    (tmp_path / "x.hyper").write_bytes(data)
    told = pantab.frame_from_hyper(tmp_path / "x.hyper", table="at_risk", return_type="pyarrow").to_pylist()
    assert [one["clv"] for one in told] == [one["clv"] for one in FREE]
    assert (told[0]["scored_on"].isoformat(), told[0]["do_not_approach"]) == ("2018-01-01", False)


def test_every_field_has_a_name_of_its_own_in_both_languages():
    for language in ("en", "zh"):
        assert len({field.title.to(language) for field in FIELDS.values()}) == len(FIELDS)
