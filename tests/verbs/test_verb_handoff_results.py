"""`churnml measure outcomes --results-of salesforce`: what it refused reached nobody; what it took is seen there."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from churnml.database import Ledger, assignment_id
from command import churnml
from ledgers import A_COUPON, CUTOFF, NOW, begun, outcome, some

FAILED = '"sf__Id","sf__Error",Customer_Id__c,Churn_Probability__c,Assignment_Id__c\n'
TAKEN = '"sf__Id","sf__Created",Customer_Id__c,Churn_Probability__c,Assignment_Id__c\n'
UNPROCESSED = "Customer_Id__c,Churn_Probability__c,Assignment_Id__c\n"
TOO_LARGE = (
    "NUMBER_OUTSIDE_VALID_RANGE:Churn: value outside of valid range on numeric field: 43.0:Churn_Probability__c --"
)


@dataclass
class Company:
    """A workspace in which c0 is to be called, c1 is a control of that, and c2 gets a coupon."""

    root: Path
    ledger: Ledger

    def hears(self, content, *options, name="failed.csv"):
        file = self.root.parent / name
        file.write_text(content, encoding="utf-8")
        at = ["-w", self.root, "--configs", self.root.parent]
        return churnml("measure", "outcomes", file, "--results-of", "salesforce", *at, *options)

    @property
    def states(self):
        return [one.state for one in self.ledger.assigned("spring")]


@pytest.fixture
def company(tiny):
    ledger, run = begun(tiny.catalogue.engine, 20_000_000)
    ledger.reserve("spring", run, CUTOFF, [*some(2, controls={1}), *some(1, like=A_COUPON, first=2)], NOW)
    return Company(tiny.workspace.root, ledger)


def refused(customer, error=TOO_LARGE, assignment=None):
    of = assignment_id("spring", customer) if assignment is None else assignment
    return f'"","{error}",{customer},43.0,{of}\n'


def test_what_was_refused_is_not_delivered_and_its_reserve_is_released(company):
    body = company.hears(FAILED + refused("c0"), "--json").body
    assert (body["answer"], body["read"], body["kept"]) == ("refused", 1, 1)
    assert (company.states, company.ledger.campaign("spring").reserved) == (["not_delivered", "withheld", "open"], 5e6)


def test_what_was_taken_stays_open_for_nobody_has_acted_yet(company):
    rows = f'"0035g1","true",c0,0.4,{assignment_id("spring", "c0")}\n"0035g2","false",c2,0.4,#N/A\n'
    body = company.hears(TAKEN + rows, "--json").body
    assert (body["answer"], body["read"], body["created"], body["kept"]) == ("taken", 2, 1, 0)
    assert company.states == ["open", "withheld", "open"]


def test_what_was_not_tried_is_to_be_handed_over_again(company):
    said = company.hears(UNPROCESSED + f"c0,0.4,{assignment_id('spring', 'c0')}\n")
    assert "failed.csv: records that Salesforce never came to: 1; hand them over again" in said.err
    assert company.states == ["open", "withheld", "open"]


def test_an_error_is_told_by_row_column_and_value(company):
    (finding,) = company.hears(FAILED + refused("c0") + refused("c2"), "--json").body["findings"]
    first = finding["examples"][0]
    assert (finding["code"], finding["count"]) == ("NUMBER_OUTSIDE_VALID_RANGE", 2)
    assert (first["row"], first["customer_id"], first["column"], first["value"]) == (
        1, "c0", "Churn_Probability__c", "43.0",
    )  # fmt: skip
    assert first["words"] == "Churn: value outside of valid range on numeric field: 43.0"


@pytest.mark.parametrize(
    "error, expected",
    [
        ("INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--", ("INVALID_CROSS_REFERENCE_KEY", "", "invalid")),
        ("DUPLICATES_DETECTED:Use one of these records?", ("DUPLICATES_DETECTED", "", "Use one")),
        ("something else", ("", "", "something else")),
    ],
)
def test_an_error_that_names_no_column_is_told_as_it_is(company, error, expected):
    (finding,) = company.hears(FAILED + refused("c0", error), "--json").body["findings"]
    assert (finding["code"], finding["column"], finding["words"][: len(expected[2])]) == expected


@pytest.mark.parametrize(
    "row, why",
    [
        (refused("c1"), "withheld"),
        (refused("c0", assignment="#N/A"), "no_assignment"),
        (refused("c0", assignment="f" * 32), "unknown"),
        (refused("c0", "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--"), "again"),
    ],
)
def test_what_changes_nothing_in_the_ledger_is_counted_by_reason(company, row, why):
    body = company.hears(FAILED + row, "--json").body
    assert (body["kept"], body["left"]) == (0, {why: 1})
    assert company.states == ["open", "withheld", "open"]


def test_what_was_carried_out_all_the_same_stays_so(company):
    company.ledger.post([outcome("c0", "carried_out", 1_000_000)], NOW)
    assert company.hears(FAILED + refused("c0"), "--json").body["left"] == {"settled": 1}
    assert company.states[0] == "carried_out"


def test_a_result_older_than_what_was_assigned_is_none_of_it(company):
    file = company.root.parent / "failed.csv"
    file.write_text(FAILED + refused("c0"))
    os.utime(file, (1, 1))
    at = ["-w", company.root, "--configs", company.root.parent, "--json"]
    body = churnml("measure", "outcomes", file, "--results-of", "salesforce", *at).body
    assert (body["kept"], body["left"], company.states[0]) == (0, {"older": 1}, "open")


def test_the_same_result_twice_changes_nothing(company):
    company.hears(FAILED + refused("c0"))
    body = company.hears(FAILED + refused("c0"), "--json").body
    assert (body["kept"], body["left"]) == (0, {"stood": 1})


def test_a_check_tells_the_same_and_posts_nothing(company):
    assert company.hears(FAILED + refused("c0"), "--check", "--json").body["kept"] == 1
    assert company.states[0] == "open"


def test_people_read_it_in_either_language(company):
    rows = FAILED + refused("c0") + refused("c1")
    said = company.hears(rows, "--check").err
    assert "failed.csv: records that Salesforce refused: 2; assignments that would be not delivered: 1" in said
    assert "2 refused: data row 1, column `Churn_Probability__c` holding '43.0': NUMBER_OUTSIDE_VALID_RANGE: " in said
    said = company.hears(rows, "--language", "zh").err
    assert "failed.csv：Salesforce 拒绝了 2 条记录；已记为“未送达”的分配：1 个" in said
    assert "1 条不作改动：对照客户，本来就不干预" in said


def test_a_report_holds_every_refused_record(company):
    report = company.root.parent / "report.json"
    company.hears(FAILED + "".join(refused(f"c{number}") for number in range(30)), "--report", report)
    assert [row["customer_id"] for row in json.loads(report.read_text())["rows"]][-1] == "c29"


def test_the_names_of_the_settings_are_known(company):
    (company.root.parent / "handoff.yaml").write_text(
        "targets: {salesforce: {columns: {customer_id: Shop_Number__c, assignment_id: Task__c}}}"
    )
    rows = f"sf__Id,sf__Error,Shop_Number__c,Task__c\n,X_Y:z:--,c0,{assignment_id('spring', 'c0')}\n"
    assert company.hears(rows, "--json").body["kept"] == 1


@pytest.mark.parametrize(
    "content, code, words",
    [
        ("sf__Id,sf__Error,Name\n,x,y\n", 3, "failed.csv must have the column `Customer_Id__c`"),
        ("", 3, "got no header"),
        ('"sf__Id","sf__Error",Customer_Id__c\n"a"b,x,y\n', 3, "failed.csv must be a CSV in UTF-8 that can be read"),
    ],
)
def test_a_file_that_is_no_result_of_a_hand_off_is_refused(company, content, code, words):
    said = company.hears(content)
    assert (said.code, words in said.err) == (code, True)


def test_the_answers_of_another_tool_are_not_read(company):
    said = churnml("measure", "outcomes", "x.csv", "--results-of", "hubspot", "-w", company.root)
    assert (said.code, "--results-of must be salesforce, got 'hubspot'" in said.err) == (2, True)


def test_a_file_that_a_hand_off_wrote_comes_back_with_its_columns(company):
    """What is handed over is what a result repeats: its usual names are those that are read."""
    from churnml.service.handoff import SHAPES, chosen_columns

    headers = [one.header for one in chosen_columns("salesforce", SHAPES["salesforce"], {})]
    assert {"Customer_Id__c", "Assignment_Id__c"} <= set(headers)
