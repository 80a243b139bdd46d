"""`churnml ingest` lands what keeps the contract, and tells in words what does not."""

import json

import pytest
import xlsxwriter

from command import churnml
from new_database import new_workspace

CUSTOMERS = "customer_id,occurred_at\n1,2020-01-01\n2,2020-01-02\n"
ORDERS = "customer_id,occurred_at,order_id,amount\n" + "".join(f"1,2020-02-01,{n},9.5\n" for n in range(200))
BAD_FILES = {
    "missing.csv": ("customer_id,occurred_at,amount\n1,2020-01-01,3\n", "order_id"),
    "misspelt.csv": (
        "order_id,costumer_id,occured_at,ammount\n1,1,2020-01-01,3\n",
        "rename them, or map them in sources.yaml; did you mean `costumer_id`, `occured_at`, `ammount`?",
    ),
    "nameless.csv": (
        "1,2,2020-01-01,3.5\n2,2,2020-01-02,4\n",
        "the first line must hold the names of the columns, found values: `1`, `2`, `2020-01-01`, `3.5`; put a line",
    ),
    "half.parquet": (
        "PAR1 and then nothing",
        "half.parquet: expected a whole Parquet file, found one whose end is missing",
    ),
    "open.csv": (ORDERS + '1,2020-01-01,"z,3\n', "every quoted value must be closed"),
    "nul.csv": (ORDERS + "1,2020-01-01,\0,3\n", "expected text, found a NUL byte"),
    "empty.csv": ("", "found an empty one (0 bytes)"),
    "worse.csv": (ORDERS + "1,soon,z,3\n" * 9, "worse.csv"),
}


@pytest.fixture
def ingest(tmp_path):
    def run(name, content, table, *words):
        (tmp_path / name).write_text(content)
        return churnml(
            "ingest", tmp_path / name, "-t", table, "-w", tmp_path / "workspace", "--configs", tmp_path, *words
        )

    new_workspace(tmp_path / "workspace")
    run("customers.csv", CUSTOMERS, "customers")
    return run


def test_a_good_file_lands_and_its_rows_are_counted(ingest):
    said = ingest("orders.csv", ORDERS, "orders", "--json")
    (table,) = said.body["tables"]
    assert (said.code, table["read"], table["landed"], table["quarantined"]) == (0, 200, 200, 0)


def test_a_broken_row_is_set_aside_and_told_with_row_column_and_remedy(ingest):
    said = ingest("orders.csv", ORDERS + "1,soon,x,3\n", "orders")
    assert said.code == 0
    assert "quarantine orders.csv: 1 row: occurred_at must be a date or time" in said.err
    assert "row 201: found 'soon'" in said.err


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_in_words_and_the_workspace_stays(ingest, tmp_path, name):
    content, words = BAD_FILES[name]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "workspace" / "tables").rglob("*")}
    said = ingest(name, content, "orders")
    assert said.code == 3
    assert words in said.err
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "workspace" / "tables").rglob("*")} == before


def test_a_refusal_without_rows_offers_no_report_of_rows(ingest):
    said = ingest("half.parquet", "PAR1 and then nothing", "orders")
    assert said.err.startswith("error: half.parquet: expected a whole Parquet file, found one whose end is missing")


def test_an_unknown_table_is_refused_with_the_nearest(ingest):
    said = ingest("orders.csv", ORDERS, "order")
    assert said.code == 2
    assert "got 'order'; did you mean `orders`?" in said.err


def test_a_file_that_is_not_there_is_refused(tmp_path):
    said = churnml("ingest", tmp_path / "none.csv", "-t", "orders", "-w", tmp_path / "w", "--configs", tmp_path)
    assert said.code == 2
    assert "none.csv is not there; check the spelling" in said.err


def test_a_check_lands_nothing(ingest):
    assert ingest("orders.csv", ORDERS, "orders", "--check", "--json").body["batch_id"] is None
    assert ingest("orders.csv", ORDERS, "orders", "--json").body["tables"][0]["landed"] == 200


def test_the_report_is_written_where_asked_even_into_a_new_folder(ingest, tmp_path):
    said = ingest("orders.csv", ORDERS, "orders", "--json", "--report", tmp_path / "new" / "report.json")
    assert json.loads((tmp_path / "new" / "report.json").read_text(encoding="utf-8")) == said.body


def test_the_same_file_lands_once(ingest):
    ingest("orders.csv", ORDERS, "orders")
    assert ingest("orders.csv", ORDERS, "orders", "--json").body["already_landed"] == ["orders.csv"]


def test_the_history_that_is_needed_includes_how_late_news_are(ingest):
    late = [
        ingest(f"{days}.csv", f"customer_id,occurred_at,order_id,amount,ingested_at\n1,2020-02-01,{days},1,{day}\n",
               "orders", "--check", "--json").body["outlook"]["needs_days"]
        for days, day in ((0, "2020-02-01"), (9, "2020-02-10"))
    ]  # fmt: skip
    assert late[1] - late[0] == 2 * 9


def test_an_order_of_1900_is_told_and_does_not_make_the_history_suffice(ingest):
    said = ingest("orders.csv", ORDERS + "1,1900-01-01,x,3\n", "orders", "--check")
    assert "warning orders.csv: 1 row: occurred_at looks like a placeholder for a missing date" in said.err
    assert "caution 1 of 201 rows of `orders` lie far in time from all others" in said.err
    assert "days of history, found 1:" in said.err


def test_a_corrected_amount_is_told_how_it_can_land(ingest):
    ingest("orders.csv", ORDERS, "orders")
    said = ingest("corrected.csv", ORDERS.replace("1,2020-02-01,7,9.5", "1,2020-02-01,7,8.0"), "orders")
    assert "row 8: found '7 differs in amount (9.5, now 8.0)'" in said.err
    assert "what stands remains; if the new value is right, bring the difference as a row of its own" in said.err


def test_a_second_first_contact_shows_both_dates(ingest):
    said = ingest("again.csv", "customer_id,occurred_at\n5,2020-03-01\n5,2020-05-01 12:00:00\n", "customers")
    assert "is another first contact than an earlier row tells" in said.err
    assert "row 2: found '2020-03-01 00:00:00 → 2020-05-01 12:00:00'" in said.err


def test_a_total_is_told_to_be_deleted(ingest):
    said = ingest("orders.csv", ORDERS + ",,,1900\n", "orders")
    assert "customer_id must be filled: fill it in, or delete the row if it is a total" in said.err


def test_a_header_without_rows_is_said_to_be_one(ingest):
    said = ingest("orders.csv", ORDERS.splitlines()[0], "orders")
    assert (said.code, "it has a header, but no rows" in said.err) == (0, True)


def test_what_holds_of_several_files_is_said_once(ingest, tmp_path):
    ingest("orders.csv", ORDERS, "orders")
    for number in range(900, 903):
        text = f"customer_id;occurred_at;order_id;amount;remark\n1;2020-02-01;{number};9.5;x\n"
        (tmp_path / f"o{number}.csv").write_text(text)
    (tmp_path / "sources.yaml").write_text("sources: [{table: orders, file: 'o9*.csv'}]")
    said = churnml(
        *("ingest", "--sources", tmp_path / "sources.yaml", "-w", tmp_path / "workspace", "--configs", tmp_path)
    )
    assert "found out o900.csv, o901.csv, o902.csv: values parted by a semicolon" in said.err
    assert "ignored o900.csv, o901.csv, o902.csv: columns the contract does not know: remark" in said.err
    assert said.err.count("--backfill") == 1


@pytest.fixture
def book(tmp_path):
    """Write a workbook of three sheets, and return a maker of calls that read some of them."""
    with xlsxwriter.Workbook(tmp_path / "book.xlsx") as workbook:
        for name, rows in {
            "People": [("customer_id", "occurred_at"), ("a", "2020-01-01")],
            "Sales": [("customer_id", "occurred_at", "order_id", "amount"), ("a", "2020-02-01", "1", 5)],
            "Notes": [("what",), ("nothing",)],
        }.items():
            sheet = workbook.add_worksheet(name)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)

    def run(**sheets):
        entries = [{"table": table, "file": "book.xlsx", "sheet": name} for table, name in sheets.items()]
        (tmp_path / "sources.yaml").write_text(json.dumps({"sources": entries}))
        where = ("-w", tmp_path / "workspace", "--configs", tmp_path)
        return churnml("ingest", "--sources", tmp_path / "sources.yaml", "--check", "--json", *where)

    return run


def test_of_a_workbook_the_sheets_that_nobody_reads_are_told_once(book):
    told = [table["notes"] for table in book(customers="People", orders="Sales").body["tables"]]
    assert told == [["the sheets `People`, `Sales` were read, `Notes` not"], []]


def test_of_one_sheet_the_others_are_told(book):
    (table,) = book(customers="People").body["tables"]
    assert table["notes"] == ["the sheet `People` was read, `Sales`, `Notes` not"]
