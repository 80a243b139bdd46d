"""`churnml measure outcomes` keeps the rows that keep the rules, tells of the others, and changes nothing twice."""

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.database import Ledger, assignment_id
from command import churnml
from ledgers import A_COUPON, CUTOFF, NOW, begun, some

C0, C1, C2 = (assignment_id("spring", customer) for customer in ("c0", "c1", "c2"))
HEAD = "assignment_id,occurred_at,kind,cost,amount\n"
CALL = f"{C0},1972-09-28 10:00,carried_out,3.25,\n"
VALUE = f"{C0},1972-09-29,value,,41.5\n"


@dataclass
class Company:
    """A workspace in which c0 is to be called, c1 is a control of that, and c2 gets a coupon."""

    root: Path
    ledger: Ledger

    def posts(self, content, *options, name="outcomes.csv"):
        file = self.root.parent / name
        file.write_text(content, encoding="utf-8")
        return churnml("measure", "outcomes", file, "-w", self.root, "--configs", self.root.parent, *options)

    @property
    def money(self):
        spring = self.ledger.campaign("spring")
        return spring.reserved / 1e6, spring.spent / 1e6


@pytest.fixture
def company(tiny):
    ledger, run = begun(tiny.catalogue.engine, 20_000_000)
    ledger.reserve("spring", run, CUTOFF, [*some(2, controls={1}), *some(1, like=A_COUPON, first=2)], NOW)
    return Company(tiny.workspace.root, ledger)


def test_outcomes_are_kept_and_their_money_is_moved(company):
    body = company.posts(HEAD + CALL + VALUE, "--json").body
    assert (body["read"], body["kept"], body["stood"], body["refused"]) == (2, 2, 0, 0)
    assert body["campaigns"] == [{"name": "spring", "budget": 20, "reserved": 5, "spent": 3.25, "left": 11.75}]
    assert [(one.kind, one.cost, one.amount) for one in company.ledger.outcomes("spring")] == [
        ("carried_out", 3_250_000, None),
        ("value", None, 41_500_000),
    ]


def test_the_same_file_twice_changes_nothing(company):
    company.posts(HEAD + CALL + VALUE)
    body = company.posts(HEAD + CALL + VALUE, "--json").body
    assert (body["kept"], body["stood"], company.money) == (0, 2, (5, 3.25))


def test_a_file_whose_rows_all_stand_is_no_error(company):
    company.posts(HEAD + CALL)
    assert company.posts(HEAD + CALL).code == 0


@pytest.mark.parametrize(
    "row, column, value, rule",
    [
        ("nobody,1972-09-28,value,,1", "assignment_id", "nobody", "must be an assignment of this workspace"),
        (f"{C0},1972-09-01,value,,1", "occurred_at", "1972-09-01T00:00:00+00:00", "must not lie before its assignment"),
        (f"{C0},2190-01-01,value,,1", "occurred_at", "2190-01-01", "must not lie in the future"),
        (f"{C0},soon,value,,1", "occurred_at", "soon", "must be a date or time between 1900-01-01 and 2200-01-01"),
        (f"{C0},1972-09-28,sent,,1", "kind", "sent", "must be one of carried_out, redeemed, not_delivered, value"),
        (f"{C0},1972-09-28,redeemed,-1,", "cost", "-1", "must be at least 0"),
        (f"{C0},1972-09-28,redeemed,,", "cost", None, "must be filled for the kind `redeemed`"),
        (
            f"{C0},1972-09-28,carried_out,4,",
            "occurred_at",
            "1972-09-28T00:00:00+00:00",
            "must not contradict the `carr",
        ),
        (",1972-09-28,value,,1", "assignment_id", None, "must be filled"),
    ],
)
def test_a_row_that_breaks_a_rule_is_told_and_the_others_are_kept(company, row, column, value, rule):
    said = company.posts(HEAD + CALL + row + "\n" + VALUE, "--json")
    (finding,) = said.body["findings"]
    assert (said.code, said.body["kept"], said.body["refused"], finding["count"]) == (0, 2, 1, 1)
    assert (finding["column"], finding["rule"][: len(rule)]) == (column, rule)
    assert (finding["examples"][0]["row"], finding["examples"][0]["value"]) == (2, value)
    assert finding["remedy"]


def test_people_read_what_was_kept_what_was_not_and_what_is_left(company):
    err = company.posts(HEAD + CALL + "nobody,1972-09-28,value,,1\n").err
    assert "2 outcomes: 1 kept, 0 stood already, 1 refused" in err
    assert (
        "1 row refused: data row 2, column `assignment_id` must be an assignment of this workspace, found 'nobody': "
        "write the `assignment_id` of the record" in err
    )
    assert "campaign spring: 3.25 USD spent, 5.00 reserved, 11.75 of 20.00 left" in err


def test_a_control_that_was_treated_and_a_cost_above_the_most_are_kept_and_told(company):
    rows = f"{C1},1972-09-28,carried_out,1,\n{C2},1972-09-28,redeemed,30,\n"
    body = company.posts(HEAD + rows, "--json").body
    assert (body["kept"], body["flags"]) == (2, {"overspent": 1, "unreserved": 0, "breach": 1})
    assert body["overspent"] == {"spring": 16}
    assert [finding["examples"][0]["value"] for finding in body["findings"]] == ["breach", "overspent"]


def test_a_file_of_which_nothing_is_kept_is_refused_and_reported_all_the_same(company):
    report = company.root.parent / "report.json"
    said = company.posts(HEAD + "nobody,1972-09-28,value,,1\n", "--report", report)
    assert (said.code, company.money) == (3, (10, 0))
    assert (
        "outcomes.csv: no outcome was kept of 1; data row 1, column `assignment_id` must be an assignment" in said.err
    )
    assert json.loads(report.read_text())["rows"][0]["assignment_id"] == "nobody"


def test_a_report_holds_every_refused_row(company):
    report = company.root.parent / "report.json"
    wrong = "".join(f"nobody,1972-09-28,value,,{amount}\n" for amount in range(30))
    said = company.posts(HEAD + CALL + wrong, "--report", report, "--json")
    assert len(said.body["findings"][0]["examples"]) == 20
    assert [row["row"] for row in json.loads(report.read_text())["rows"]] == list(range(2, 32))


def test_a_check_tells_the_same_and_keeps_none(company):
    rows = HEAD + CALL + "nobody,1972-09-28,value,,1\n"
    tried = company.posts(rows, "--check", "--json").body
    assert (company.money, company.ledger.outcomes("spring")) == ((10, 0), [])
    kept = company.posts(rows, "--json").body
    same = ("read", "kept", "stood", "refused", "flags", "findings")
    assert [tried[name] for name in same] == [kept[name] for name in same]


def test_a_report_that_is_no_json_is_refused_before_anything_is_kept(company):
    said = company.posts(HEAD + CALL, "--report", "report.html")
    assert (said.code, company.money) == (2, (10, 0))
    assert "--report must name a file that ends in .json, got 'report.html'" in said.err


def test_json_lines_and_a_column_of_its_own_are_read_as_in_a_landing(company):
    line = json.dumps({"assignment_id": C0, "occurred_at": "1972-09-28", "kind": "carried_out", "cost": 3, "agent": 7})
    body = company.posts(line + "\n", "--json", name="outcomes.jsonl").body
    assert (body["kept"], body["ignored_columns"], company.money) == (1, ["agent"], (5, 3))


def test_parquet_is_read_as_in_a_landing(company):
    file = company.root.parent / "outcomes.parquet"
    rows = {"assignment_id": [C0], "occurred_at": ["1972-09-28"], "kind": ["carried_out"], "cost": [2.5]}
    pq.write_table(pa.table(rows), file)
    said = churnml("measure", "outcomes", file, "-w", company.root, "--configs", company.root.parent, "--json")
    assert (said.body["kept"], company.money) == (1, (5, 2.5))


@pytest.mark.parametrize(
    "content, words",
    [
        ("assignment_id,kind\na,value\n", "table `outcomes` needs the column `occurred_at`"),
        (
            HEAD.replace("cost", "currency") + f"{C0},1972-09-28,value,JPY,1\n",
            "must be in USD, the workspace's currency",
        ),
    ],
)
def test_a_file_that_is_none_of_outcomes_is_refused(company, content, words):
    said = company.posts(content)
    assert (said.code, words in said.err) == (3, True)


def test_a_file_without_a_row_changes_nothing(company):
    said = company.posts(HEAD, "--json")
    assert (said.code, said.body["read"], company.money) == (0, 0, (10, 0))
