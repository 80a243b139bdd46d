"""What keeps the contract lands; what does not is told where, and nothing is taken silently."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.errors import DataRefusedError, NotEnoughDataError, UsageError
from churnml.events import ingest
from churnml.events.clock import microseconds
from churnml.events.sources.files import file_source
from churnml.events.sources.mapping import sources_of
from small import NOW

HEADER = "customer_id,occurred_at,order_id,amount"
CUSTOMERS = """
    customer_id occurred_at
    00123       2020-01-01
    NA          2020-01-01
    ann         2020-01-01
"""


@pytest.fixture
def shop(tiny):
    """A workspace in which three customers stand, and one order of theirs."""
    tiny.land(customers=CUSTOMERS, orders=f"{HEADER.replace(',', ' ')}\nann 2020-02-01 first 10")
    return tiny


def orders(shop, lines, name="orders.csv", header=HEADER, **options):
    """Ingest orders given as the lines of a CSV file, and return what is reported of them."""
    return shop.ingest("orders", shop.file(name, f"{header}\n{lines}\n"), NOW + 1, **options).tables[0]


def examples(report, kind="quarantine"):
    """Return the rows that a report shows of one kind, in the order of the file."""
    return sorted((row for finding in report.of(kind) for row in finding.examples), key=lambda row: row["row"])


def landed(tiny, table="orders"):
    """Return the landed rows of a table as dictionaries, in order of landing."""
    files = [tiny.workspace.root / part.path for part in tiny.catalogue.parts(table)]
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def picture(workspace):
    """Return every file of a workspace with its bytes; the database's own journal comes and goes with its readers."""
    files = [path for path in workspace.root.rglob("*") if path.is_file() and path.suffix not in {".db-wal", ".db-shm"}]
    return {path.relative_to(workspace.root): path.read_bytes() for path in files}


# Amounts in another currency


def test_a_column_that_names_the_currency_is_compared_and_not_kept(shop):
    header = f"{HEADER},Currency"
    report = orders(shop, "ann,2020-03-01,o1,5,usd\nann,2020-03-02,o2,5,\nann,2020-03-03,o3,500,JPY", header=header)
    assert (report.landed, report.ignored_columns) == (2, [])
    assert [(row["row"], row["column"], row["value"]) for row in examples(report)] == [(3, "currency", "JPY")]
    assert "currency" not in {name.casefold() for name in landed(shop)[-1]}


def test_a_currency_beside_no_amount_is_a_column_like_any_other(tiny):
    report = tiny.land(customers="customer_id occurred_at currency\nann 2020-01-01 JPY").tables[0]
    assert (report.landed, report.ignored_columns) == (1, ["currency"])


# A file that is refused

REFUSED = {
    "missing column": (
        b"customer_id,occurred_at,order_nr,amount\nann,2020-03-01,o1,5\n",
        "needs the column `order_id`",
    ),
    "open quote": (
        f'{HEADER}\nann,2020-03-01,"o1,5\nann,2020-03-01,o2,5\n'.encode(),
        "every quoted value must be closed",
    ),
    "three open quotes": (
        f'{HEADER}\nann,2020-03-01,"o1,5\nann,2020-03-01,"o2,5\nann,2020-03-01,"o3,5\n'.encode(),
        "opened on line",
    ),
    "NUL": (f"{HEADER}\nann,2020-03-01,o\0 1,5\n".encode(), "found a NUL byte"),
    "empty": (b"", "found an empty one"),
    "blank": (b"\n\n", "found blank lines only"),
    "no name": (f"{HEADER},\nann,2020-03-01,o1,5,6\n".encode(), "found column 5 of 5 without a name"),
    "one name twice": (
        f"{HEADER},Amount\nann,2020-03-01,o1,5,6\n".encode(),
        "each column of the header needs its own name",
    ),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_broken_csv_is_refused_and_the_workspace_is_unchanged(shop, content, words):
    path = shop.file("broken.csv", content)
    before = picture(shop.workspace)
    with pytest.raises(DataRefusedError, match=words) as caught:
        shop.ingest("orders", path)
    assert str(caught.value).startswith("broken.csv: ")
    assert caught.value.exit_code == 3
    assert picture(shop.workspace) == before


@pytest.mark.parametrize("kept", [100, -1])
def test_a_truncated_parquet_is_refused_and_the_workspace_is_unchanged(shop, kept):
    whole = shop.folder / "whole.parquet"
    pq.write_table(
        pa.table({"customer_id": ["ann"], "occurred_at": ["2020-03-01"], "order_id": ["o"], "amount": ["1"]}), whole
    )
    path = shop.file("cut.parquet", whole.read_bytes()[:kept])
    before = picture(shop.workspace)
    with pytest.raises(
        DataRefusedError, match=r"cut.parquet: expected a whole Parquet file, found one whose end is missing"
    ):
        shop.ingest("orders", path)
    assert picture(shop.workspace) == before


def test_a_missing_column_is_told_with_what_was_found_and_the_nearest_name(shop):
    with pytest.raises(DataRefusedError) as caught:
        orders(shop, "ann,2020-03-01,o1,5", header="customer_id,occurred_at,order_nr,amount")
    assert str(caught.value) == (
        "orders.csv: table `orders` needs the column `order_id`, found `customer_id`, `occurred_at`, `order_nr`, "
        "`amount`; add or rename the column, or map it in sources.yaml; did you mean `order_nr`?\nNothing landed."
    )


def test_a_line_with_too_few_or_too_many_values_is_set_aside_and_the_rest_lands(shop):
    report = orders(shop, "ann,2020-03-01,good1,5\nann,2020-03-01,short\nann,2020-03-01,o1,1,2\nann,2020-03-01,good2,5")
    assert (report.read, report.landed, report.quarantined) == (4, 2, 2)
    assert [row["row"] for row in examples(report)] == [2, 3]
    assert examples(report)[0]["value"] == "ann,2020-03-01,short"
    assert {"good1", "good2"} < {row["order_id"] for row in landed(shop)}


def test_a_column_of_a_type_that_cannot_be_read_is_refused(shop):
    path = shop.folder / "typed.parquet"
    pq.write_table(pa.table({"customer_id": ["ann"], "occurred_at": [1.5], "order_id": ["o"], "amount": [1]}), path)
    with pytest.raises(DataRefusedError, match=r"column `occurred_at` must be a date or time .* found the type DOUBLE"):
        shop.ingest("orders", path)


def test_a_file_with_too_many_broken_rows_is_refused_whole(make_tiny):
    strict = make_tiny(max_bad_share=0.01)
    strict.land(customers=CUSTOMERS)
    before = picture(strict.workspace)
    good = "\n".join(f"ann,2020-03-01,o{number},5" for number in range(94))
    with pytest.raises(
        DataRefusedError, match=r"`max_bad_share` of configs/workspace.yaml allows, found 6 of 100; first: data row 95,"
    ):
        orders(strict, good + "\nann,soon,x,5" * 6)
    assert picture(strict.workspace) == before


def test_the_share_itself_is_still_allowed(make_tiny):
    strict = make_tiny(max_bad_share=0.01)
    strict.land(customers=CUSTOMERS)
    good = "\n".join(f"ann,2020-03-01,o{number},5" for number in range(99))
    report = orders(strict, f"{good}\nann,soon,x,5")
    assert (report.read, report.landed, report.quarantined) == (100, 99, 1)


def test_one_refused_file_lets_none_of_its_landing_in(shop):
    good = shop.file("more.csv", "customer_id,occurred_at\nbob,2020-01-01\n")
    bad = shop.file("bad.csv", "nothing,of,the,kind\n1,2,3,4\n")
    before = picture(shop.workspace)
    sources = [file_source("customers", good, "UTC"), file_source("orders", bad, "UTC")]
    with pytest.raises(DataRefusedError):
        ingest(shop.workspace, shop.catalogue, sources, shop.config, NOW)
    assert picture(shop.workspace) == before


def test_two_files_for_one_table_land_together_and_each_is_reported(shop):
    files = [shop.file(name, f"{HEADER}\nann,2020-03-01,{name},5\nann,soon,x,5\n") for name in ("jan.csv", "feb.csv")]
    sources = [file_source("orders", file, "UTC") for file in files]
    report = ingest(shop.workspace, shop.catalogue, sources, shop.config, NOW)
    assert [(one.origin, one.read, one.landed, one.quarantined) for one in report.tables] == [
        ("jan.csv", 2, 1, 1),
        ("feb.csv", 2, 1, 1),
    ]
    assert [examples(one)[0]["row"] for one in report.tables] == [2, 2]


def test_every_refused_file_of_a_landing_is_told_of(shop):
    files = [shop.file(name, "nothing,of,the,kind\n1,2,3,4\n") for name in ("jan.csv", "feb.csv")]
    sources = [file_source("orders", file, "UTC") for file in files]
    with pytest.raises(DataRefusedError) as caught:
        ingest(shop.workspace, shop.catalogue, sources, shop.config, NOW)
    assert [one["origin"] for one in caught.value.report["refused"]] == ["jan.csv", "feb.csv"]
    assert "jan.csv: " in str(caught.value)
    assert "feb.csv: " in str(caught.value)


@pytest.mark.parametrize(("name", "words"), [("none.csv", "is not there"), ("notes.docx", "must end in one of .csv")])
def test_a_file_that_is_none_or_of_another_kind_is_an_error_of_usage(tiny, name, words):
    tiny.file("notes.docx", "x")
    with pytest.raises(UsageError, match=words):
        tiny.ingest("orders", tiny.folder / name)


def test_a_file_with_a_header_only_lands_nothing_and_is_no_error(shop):
    report = orders(shop, "", header=HEADER)
    assert (report.read, report.landed, report.quarantined) == (0, 0, 0)
    assert len(landed(shop)) == 1


# A row that is set aside

SET_ASIDE = {
    "unparsable date": ("ann,31.12.2020,o,5", "occurred_at", "31.12.2020", "must be a date or time between"),
    "no such day": ("ann,2020-02-30,o,5", "occurred_at", "2020-02-30", "must be a date or time between"),
    "twelve-hour clock": ("ann,2020-03-01 01:00 PM,o,5", "occurred_at", "2020-03-01 01:00 PM", "must be a date"),
    "zone by name": ("ann,2020-03-01 01:00 Asia/Tokyo,o,5", "occurred_at", "2020-03-01 01:00 Asia/Tokyo", "must be"),
    "endless": ("ann,infinity,o,5", "occurred_at", "infinity", "must be a date or time between"),
    "far future": ("ann,9999-01-01,o,5", "occurred_at", "9999-01-01", "must be a date or time between 1900-01-01 and"),
    "wrong type": ("ann,2020-03-01,o,five", "amount", "five", "must be an amount"),
    "currency sign": ("ann,2020-03-01,o,$5", "amount", "$5", "must be an amount"),
    "too large": ("ann,2020-03-01,o,1e400", "amount", "1e400", "must be an amount"),
    "not a number": ("ann,2020-03-01,o,nan", "amount", "nan", "must be an amount"),
    "empty amount": ("ann,2020-03-01,o,", "amount", None, "must be filled"),
    "empty customer": (",2020-03-01,o,5", "customer_id", None, "must be filled"),
    "unknown customer": ("zoe,2020-03-01,o,5", "customer_id", "zoe", "must be a customer of the table `customers`"),
    "order id of another row": (
        "ann,2020-03-01,first,5",
        "order_id",
        "first differs in occurred_at (2020-02-01 00:00:00Z, now 2020-03-01 00:00:00Z), amount (10.0, now 5.0)",
        "must not contradict the row that stands",
    ),
}


@pytest.mark.parametrize(("line", "column", "value", "rule"), SET_ASIDE.values(), ids=SET_ASIDE.keys())
def test_a_broken_row_is_set_aside_and_the_rest_lands(shop, line, column, value, rule):
    report = orders(shop, f"ann,2020-03-01,good1,5\n{line}\nann,2020-03-01,good2,5")
    found = examples(report)[0]
    assert (report.read, report.landed, report.quarantined) == (3, 2, 1)
    assert (found["file"], found["row"], found["column"], found["value"]) == ("orders.csv", 2, column, value)
    assert rule in found["rule"]
    assert found["remedy"]
    assert {"good1", "good2"} < {row["order_id"] for row in landed(shop)}


def test_a_fraction_is_no_whole_number(shop):
    report = orders(shop, "ann,2020-03-01,a,5,1.9\nann,2020-03-01,b,5,2", header=f"{HEADER},quantity")
    assert [(one["row"], one["column"], one["value"]) for one in examples(report)] == [(1, "quantity", "1.9")]
    assert [row["quantity"] for row in landed(shop)] == [None, 2]


def test_an_amount_below_its_bound_is_set_aside(shop):
    report = orders(shop, "ann,2020-03-01,a,5,-0.01", header=f"{HEADER},discount")
    assert [(f.column, f.rule, f.count) for f in report.findings] == [("discount", "must be at least 0", 1)]


def test_attributes_must_be_one_object(tiny):
    report = tiny.ingest("customers", tiny.file("c.csv", 'customer_id,occurred_at,attributes\na,2020-01-01,[1]\nb,2020-01-01,"{""k"": 1}"\nc,2020-01-01,oops\n'))  # fmt: skip  # noqa: E501
    assert [(one["row"], one["rule"]) for one in examples(report.tables[0])] == [
        (1, "must be one JSON object"),
        (3, "must be one JSON object"),
    ]


def test_two_rows_of_a_file_under_one_key_the_first_stands_the_other_is_set_aside(shop):
    report = orders(shop, "ann,2020-03-01,twin,5\nann,2020-03-01,twin,6\nann,2020-03-01,twin,5")
    assert (report.landed, report.skipped, report.quarantined) == (1, 1, 1)
    assert examples(report)[0]["row"] == 2
    assert landed(shop)[-1]["amount"] == 50_000


def test_rows_are_numbered_as_records_from_the_first_below_the_header(shop):
    report = orders(shop, 'ann,2020-03-01,"a\nb",5\nann,bad,c,5')
    assert [one["row"] for one in examples(report)] == [2]


def test_quarantine_holds_each_row_with_all_that_is_needed_to_mend_it(shop):
    orders(shop, "ann,soon,a,5\nann,2020-03-01,b,6\nann,2020-03-01,c,much")
    (file,) = shop.workspace.quarantine.iterdir()
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(row["row"], row["column"], row["value"]) for row in rows] == [
        (1, "occurred_at", "soon"),
        (3, "amount", "much"),
    ]
    assert all(row["remedy"] for row in rows)
    assert rows[0]["whole_row"] == {"customer_id": "ann", "occurred_at": "soon", "order_id": "a", "amount": "5"}


def test_customers_who_arrive_with_their_orders_are_known(tiny):
    report = tiny.land(orders=f"{HEADER.replace(',', ' ')}\nann 2020-02-01 o 1", customers=CUSTOMERS)
    assert [(one.table, one.landed, one.quarantined) for one in report.tables] == [
        ("customers", 3, 0),
        ("orders", 1, 0),
    ]


def test_a_customer_who_was_set_aside_is_not_known(tiny):
    report = tiny.land(
        customers="customer_id occurred_at\nann soon\nbob 2020-01-01",
        orders=f"{HEADER.replace(',', ' ')}\nann 2020-02-01 o 1",
    )
    assert [(f.rule, f.count) for f in report.tables[1].findings] == [
        ("must be a customer of the table `customers`", 1)
    ]


# Landing again


def test_the_same_file_twice_changes_nothing(shop):
    path = shop.file("again.csv", f"{HEADER}\nann,2020-03-01,o1,5\n")
    shop.ingest("orders", path)
    before = picture(shop.workspace)
    report = shop.ingest("orders", path, NOW + 5)
    assert (report.batch_id, report.tables, report.already_landed) == (None, [], ["again.csv"])
    assert picture(shop.workspace) == before


def test_a_file_of_which_rows_were_set_aside_is_read_again_and_changes_nothing_either(shop):
    path = shop.file("again.csv", f"{HEADER}\nann,2020-03-01,o1,5\nann,bad,o2,5\n")
    shop.ingest("orders", path)
    before = picture(shop.workspace)
    report = shop.ingest("orders", path, NOW + 5)
    assert (report.batch_id, report.tables[0].skipped, report.tables[0].quarantined) == (None, 1, 1)
    assert picture(shop.workspace) == before


def test_an_order_set_aside_for_its_customer_lands_once_the_customer_has(shop):
    path = shop.file("zoe.csv", f"{HEADER}\nann,2020-03-01,o1,5\nzoe,2020-03-01,o2,5\n")
    shop.ingest("orders", path)
    shop.land(NOW + 1, customers="customer_id occurred_at\nzoe 2020-01-01")
    report = shop.ingest("orders", path, NOW + 2).tables[0]
    assert (report.landed, report.skipped, report.quarantined) == (1, 1, 0)


def test_the_same_rows_in_another_file_are_skipped(shop):
    report = orders(shop, "ann,2020-02-01 00:00:00,first,10.0")
    assert (report.landed, report.skipped, report.quarantined) == (0, 1, 0)


def test_an_overlapping_file_lands_only_its_new_rows_and_reports_the_conflict(shop):
    orders(shop, "ann,2020-03-01,o1,5\nann,2020-03-02,o2,6", name="march.csv")
    report = orders(shop, "ann,2020-03-02,o2,6\nann,2020-03-01,o1,7\nann,2020-03-03,o3,8", name="april.csv")
    assert (report.landed, report.skipped, report.quarantined) == (1, 1, 1)
    assert [(one["row"], one["value"]) for one in examples(report)] == [(2, "o1 differs in amount (5.0, now 7.0)")]
    assert [(row["order_id"], row["amount"]) for row in landed(shop)] == [
        ("first", 100_000), ("o1", 50_000), ("o2", 60_000), ("o3", 80_000),
    ]  # fmt: skip


def test_checking_alone_reports_and_writes_nothing(shop):
    before = picture(shop.workspace)
    report = orders(shop, "ann,2020-03-01,o1,5\nann,bad,o2,5", check_only=True)
    assert (report.landed, report.quarantined) == (1, 1)
    assert picture(shop.workspace) == before


ORDER = "customer_id occurred_at order_id amount channel"
CONTRACT = "customer_id occurred_at subscription_id plan amount renews_at"
ARRIVING = {
    "sound": {"orders": f"{ORDER}\n ann 2020-02-01 o1 5 web\n bob 2020-02-02 o2 6 -"},
    "broken": {"orders": f"{ORDER}\n ann never o1 5 web\n bob 2020-02-02 o2 6 -\n ann 2020-02-03 o3 five web"},
    "rounded": {"orders": f"{ORDER}\n ann 2020-02-01 o1 5.00001 web\n bob 2020-02-02 o2 6 -"},
    "no row": {"orders": f"{ORDER}\n ann 2020-02-01 o1 5\n bob 2020-02-02 o2 6 -\n eve 2020-02-03 o3 7 web"},
    "of no customer": {"orders": f"{ORDER}\n ann 2020-02-01 o1 5 web\n eve 2020-02-02 o2 6 -\n bob never o3 7 -"},
    "equal": {"orders": f"{ORDER}\n ann 2020-02-01 o1 5 web\n bob 2020-02-02 o2 6 -\n ann 2020-02-01 o1 5 web"},
    "in conflict": {"orders": f"{ORDER}\n ann 2020-02-01 o1 5 web\n bob 2020-02-02 o2 6 -\n ann 2020-02-01 o1 6 web"},
    "telling more": {"orders": f"{ORDER}\n bob 2020-02-01 o1 5 -\n bob 2020-02-01 o1 5 web"},
    "of no order": {
        "orders": f"{ORDER}\n ann 2020-02-01 o1 5 web",
        "returns": "customer_id occurred_at order_id amount\n ann 2020-02-05 o1 5\n ann 2020-02-06 o2 5",
    },
    "resolved": {
        "tickets": "customer_id occurred_at ticket_id kind resolved_at\n ann 2020-03-01 t1 a -\n "
        "bob 2020-03-02 t2 - -\n ann 2020-03-01 t1 a 2020-03-04\n ann 2020-03-01 t1 b 2020-03-05"
    },
    "versions": {
        "subscriptions": f"{CONTRACT}\n ann 2020-02-01 s1 plus 10 2021-02-01\n ann 2020-02-01 s1 plus 12 2021-02-01\n "
        "ann 2020-05-01 s1 pro 20 2021-02-01\n bob 2020-05-01 s2 pro 20 -"
    },
}


@pytest.mark.parametrize("arriving", ARRIVING.values(), ids=ARRIVING.keys())
def test_a_check_reports_what_the_landing_then_does(tiny, arriving):
    tiny.land(customers="customer_id occurred_at\n ann 2020-01-01\n bob 2020-01-01")
    checked, landed = (tiny.land(check_only=alone, **arriving).to_json() for alone in (True, False))
    assert checked["tables"] == landed["tables"]
    assert checked["preflight"] == landed["preflight"]


def test_a_check_of_customers_who_come_twice_reports_what_the_landing_then_does(tiny):
    twice = "customer_id occurred_at region\n ann 2020-01-01 north\n ann 2020-02-01 south\n bob 2020-01-01 -"
    checked, landed = (tiny.land(check_only=alone, customers=twice).to_json() for alone in (True, False))
    assert checked["tables"] == landed["tables"]


@pytest.mark.parametrize("lines", ["", "ann,2020-03-01,o1,5"], ids=["without rows", "with rows"])
def test_a_check_knows_a_file_that_has_landed(tiny, lines):
    tiny.land(customers=CUSTOMERS)
    path = tiny.file("orders.csv", f"{HEADER}\n{lines}\n")
    first, again = (tiny.ingest("orders", path, check_only=True) for _ in range(2))
    tiny.ingest("orders", path)
    assert (first.already_landed, again.already_landed) == ([], [])
    assert tiny.ingest("orders", path, check_only=True).already_landed == ["orders.csv"]


def test_a_first_landing_is_backfill_and_a_later_one_carries_its_time(shop):
    report = orders(shop, "ann,2020-03-01,late,5")
    first, late = landed(shop)
    assert first["ingested_at"] == first["occurred_at"]
    assert late["ingested_at"] == NOW + 1
    assert not report.backfill


def test_ingested_at_of_the_file_is_kept_and_an_empty_one_is_filled(tiny):
    tiny.land(customers="customer_id occurred_at ingested_at\na 2020-01-01 2020-01-05\nb 2020-01-02 -")
    delays = {row["customer_id"]: row["ingested_at"] - row["occurred_at"] for row in landed(tiny, "customers")}
    assert delays == {"a": 4 * 86_400_000_000, "b": 0}


@pytest.mark.parametrize(("learned", "undated", "share"), [("-", 2, 1), ("2020-01-05", 1, 0.5)])
def test_rows_that_leave_ingested_at_empty_are_counted_as_backfill_and_later_as_learned_now(
    tiny, learned, undated, share
):
    head = "customer_id occurred_at ingested_at\n"
    first = tiny.land(customers=f"{head}a 2020-01-01 {learned}\nb 2020-01-02 -").tables[0]
    later = tiny.land(NOW + 1, customers=f"{head}c 2020-01-01 {learned}\nd 2020-01-02 -").tables[0]
    assert (first.backfill, first.learned_now, first.undated) == (True, False, undated)
    assert (later.backfill, later.learned_now, later.undated) == (False, True, undated)
    assert first.missing["ingested_at"] == share


def test_rows_that_all_say_when_they_were_learned_are_neither(tiny):
    report = tiny.land(customers="customer_id occurred_at ingested_at\na 2020-01-01 2020-01-01").tables[0]
    assert (report.backfill, report.learned_now, report.undated) == (False, False, 0)


def test_a_required_table_that_never_landed_is_named(tiny):
    tiny.land(customers=CUSTOMERS)
    with pytest.raises(NotEnoughDataError, match="one of orders and subscriptions is required, found neither"):
        _ = tiny.store


# What survives


def test_ids_survive_as_they_are_written(shop):
    orders(shop, '00123,2020-03-01,007,1\nNA,2020-03-01,NULL,2\nann,2020-03-01,"a,""b"" 客户",3')
    rows = {(row["customer_id"], row["order_id"]) for row in landed(shop)}
    assert {("00123", "007"), ("NA", "NULL"), ("ann", 'a,"b" 客户')} < rows


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0.1", 1_000),
        ("1.2345", 12_345),
        ("-3.0001", -30_001),
        ("123456789012.3456", 1_234_567_890_123_456),
        (".5", 5_000),
    ],
)
def test_amounts_are_exact_to_a_ten_thousandth(shop, written, kept):
    orders(shop, f"ann,2020-03-01,o1,{written}")
    assert landed(shop)[-1]["amount"] == kept


def test_great_whole_numbers_survive(shop):
    orders(shop, f"ann,2020-03-01,o1,5,{2**53 + 1}", header=f"{HEADER},quantity")
    assert landed(shop)[-1]["quantity"] == 2**53 + 1


def test_columns_outside_the_contract_are_named_and_left_behind(shop):
    report = orders(shop, "ann,2020-03-01,o1,5,x,9,y", header=f"{HEADER},broken,source_row,bucket")
    assert report.ignored_columns == ["broken", "bucket"]
    assert report.landed == 1


@pytest.mark.parametrize(
    ("zone", "written", "instant"),
    [
        ("UTC", "2020-03-29 02:30", datetime(2020, 3, 29, 2, 30, tzinfo=UTC)),
        ("Europe/Berlin", "2020-03-28 12:00", datetime(2020, 3, 28, 11, tzinfo=UTC)),
        ("Europe/Berlin", "2020-03-29T12:00:00", datetime(2020, 3, 29, 10, tzinfo=UTC)),
        ("Europe/Berlin", "2020-10-25", datetime(2020, 10, 24, 22, tzinfo=UTC)),
        ("Europe/Berlin", "2020-10-25 04:00", datetime(2020, 10, 25, 3, tzinfo=UTC)),
        ("America/New_York", "2020-03-08 01:59:59", datetime(2020, 3, 8, 6, 59, 59, tzinfo=UTC)),
        ("America/New_York", "2020-03-08 03:00", datetime(2020, 3, 8, 7, tzinfo=UTC)),
        ("America/New_York", "2020-11-01", datetime(2020, 11, 1, 4, tzinfo=UTC)),
        ("America/New_York", "2020-11-02", datetime(2020, 11, 2, 5, tzinfo=UTC)),
        ("America/New_York", "2020-07-01T12:00:00Z", datetime(2020, 7, 1, 12, tzinfo=UTC)),
        ("America/New_York", "2020-07-01 12:00:00.25+02:00", datetime(2020, 7, 1, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("Europe/Berlin", "2020-07-01 12:00:00 UTC", datetime(2020, 7, 1, 12, tzinfo=UTC)),
    ],
)
def test_a_time_without_an_offset_is_read_in_the_zone_and_one_with_it_as_it_says(shop, zone, written, instant):
    orders(shop.with_config(time_zone=zone), f"ann,{written},o1,5")
    assert landed(shop)[-1]["occurred_at"] == microseconds(instant)


def test_typed_parquet_is_read_as_it_is_typed(shop):
    path = shop.folder / "typed.parquet"
    noon = datetime(2020, 7, 1, 12)
    pq.write_table(
        pa.table({
            "customer_id": pa.array(["ann", "00123"]).dictionary_encode(),
            "occurred_at": pa.array([noon, noon], pa.timestamp("us")),
            "ingested_at": pa.array([noon, noon], pa.timestamp("ns", "UTC")),
            "order_id": pa.array([1, 2], pa.int32()),
            "amount": pa.array([0.1, 19.99]),
            "discount": pa.array([Decimal("1.25"), None], pa.decimal128(12, 2)),
            "quantity": pa.array([3.0, None]),
        }),
        path,
    )  # fmt: skip
    report = shop.with_config(time_zone="Europe/Berlin").ingest("orders", path)
    assert examples(report.tables[0]) == []
    one, two = sorted(landed(shop)[1:], key=lambda row: row["order_id"])
    assert (one["order_id"], one["amount"], one["discount"], one["quantity"]) == ("1", 1_000, 12_500, 3)
    assert (two["order_id"], two["amount"], two["discount"], two["quantity"]) == ("2", 199_900, None, None)
    assert one["occurred_at"] == microseconds(datetime(2020, 7, 1, 10, tzinfo=UTC))
    assert one["ingested_at"] == microseconds(datetime(2020, 7, 1, 12, tzinfo=UTC))


def test_parquet_rows_are_numbered_from_one(shop):
    path = shop.folder / "rows.parquet"
    stamps = ["2020-03-01", "2020-03-01", "soon"]
    ids = ["a", "b", "c"]
    pq.write_table(
        pa.table({"customer_id": ["ann"] * 3, "occurred_at": stamps, "order_id": ids, "amount": [1] * 3}), path
    )
    assert examples(shop.ingest("orders", path).tables[0])[0]["row"] == 3


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_and_a_byte_order_mark_are_taken(shop, separator):
    text = f"\ufeff{HEADER}\nann,2020-03-01,o1,5\n".replace(",", separator)
    assert shop.ingest("orders", shop.file("export.txt", text)).tables[0].landed == 1


def test_windows_line_ends_are_taken(shop):
    assert shop.ingest("orders", shop.file("dos.csv", f"{HEADER}\r\nann,2020-03-01,o1,5\r\n")).tables[0].landed == 1


def test_what_lies_in_the_future_is_set_aside(tiny):
    report = tiny.land(
        customers="customer_id occurred_at\na 2020-01-01",
        orders="customer_id occurred_at order_id amount\na 2020-02-01 o1 5\na 2099-01-01 o2 5",
    )
    assert [row["rule"] for row in examples(report.tables[1])] == ["must not lie in the future"]


def test_history_in_a_second_file_is_learned_now_unless_it_is_called_backfill(make_tiny):
    for backfill, delay in ((False, True), (True, False)):
        tiny = make_tiny()
        tiny.land(
            customers="customer_id occurred_at\na 2020-01-01",
            orders="customer_id occurred_at order_id amount\na 2020-02-01 o1 5",
        )
        second = tiny.file("second.csv", "customer_id,occurred_at,order_id,amount\na,2020-03-01,o2,5\n")
        report = tiny.ingest("orders", second, backfill=backfill).tables[0]
        assert (report.learned_now, report.backfill) == (delay, backfill)
        assert (tiny.catalogue.parts("orders")[-1].max_delay > 0) is delay


def test_where_the_customers_are_refused_no_order_is_blamed_for_theirs(tiny):
    good = tiny.file("orders.csv", f"{HEADER}\nann,2020-03-01,o1,5\n")
    bad = tiny.file("customers.csv", "nothing,of,the,kind\n1,2,3,4\n")
    sources = [file_source("customers", bad, "UTC"), file_source("orders", good, "UTC")]
    with pytest.raises(DataRefusedError) as caught:
        ingest(tiny.workspace, tiny.catalogue, sources, tiny.config, NOW)
    assert [(one["table"], one["quarantined"]) for one in caught.value.report["tables"]] == [("orders", 0)]


def test_rows_keep_their_numbers_deep_in_a_file_that_is_read_in_parallel(shop):
    lines = [f"ann,2020-03-01,o{number},5" for number in range(400_000)]
    lines[333_332] = "ann,soon,x,5"
    report = orders(shop, "\n".join(lines))
    assert [row["row"] for row in examples(report)] == [333_333]
    assert report.landed == 399_999


def test_a_handful_of_broken_rows_does_not_refuse_a_small_file(make_tiny):
    strict = make_tiny(max_bad_share=0.01)
    strict.land(customers=CUSTOMERS)
    report = orders(strict, "ann,2020-03-01,o1,5\nann,soon,o2,5")
    assert (report.landed, report.quarantined) == (1, 1)


@pytest.mark.parametrize("name", ["read amount", "mark", "broken_rule", "warned_rule", "their amount", "said", "value"])
def test_no_name_of_a_column_can_take_the_place_of_ours(shop, name):
    report = orders(shop, "ann,2020-03-01,o1,5,999\nann,soon,o2,6,998", header=f"{HEADER},{name}")
    assert [row["amount"] for row in landed(shop)] == [100_000, 50_000]
    assert report.ignored_columns == [name]
    assert examples(report)[0]["whole_row"][name] == "998"


def test_a_header_in_capitals_is_read_and_said_so(shop):
    report = orders(shop, "ann,2020-03-01,o1,5,1.5", header="Customer_ID,Occurred_At,order_id,AMOUNT,Discount")
    assert landed(shop)[-1]["discount"] == 15_000
    assert "its column `Discount` is read as `discount`" in report.notes


def test_what_is_learned_in_the_future_is_warned_of(shop):
    report = orders(shop, "ann,2020-03-01,o1,5,2099-01-01", header=f"{HEADER},ingested_at")
    assert [(f.kind, f.column, f.count) for f in report.findings] == [("warning", "ingested_at", 1)]


def test_an_order_id_with_a_blank_at_its_end_is_warned_of(shop):
    report = orders(shop, "ann,2020-03-01,o1,5\nann,2020-03-01,o1 ,5")
    assert [(f.kind, f.examples[0]["row"]) for f in report.findings] == [("warning", 2)]


@pytest.mark.parametrize("wide", [120, pytest.param(400, marks=pytest.mark.long)])
def test_a_file_of_hundreds_of_columns_is_read(shop, wide):
    extra = ",".join(f"c{number}" for number in range(wide))
    lines = "\n".join(f"ann,2020-03-01,o{n},5,{',' * (wide - 1)}" for n in range(20))
    report = orders(shop, lines, header=f"{HEADER},{extra}")
    assert (report.landed, len(report.ignored_columns)) == (20, wide)


def test_a_file_of_thousands_of_columns_is_refused(shop):
    with pytest.raises(DataRefusedError, match="at most 500 columns, found 5,004"):
        orders(shop, "", header=HEADER + "".join(f",c{number}" for number in range(5_000)))


def test_a_parquet_file_is_read_by_its_own_name_whatever_that_looks_like(shop):
    for name, order in (("o1.parquet", "wrong"), ("o[1].parquet", "right")):
        row = {"customer_id": ["ann"], "occurred_at": ["2020-03-01"], "order_id": [order], "amount": ["1"]}
        pq.write_table(pa.table(row), shop.folder / name)
    shop.ingest("orders", shop.folder / "o[1].parquet")
    assert landed(shop)[-1]["order_id"] == "right"


@pytest.mark.parametrize(
    "values, found",
    [
        (["1.234", "999", "12.500"], "found `1.234`, which may be 1234 or 1.234"),
        (["1,234", "2,500", "12"], "found `1,234`, which may be 1234 or 1.234"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_amounts_that_may_be_thousands_or_fractions_are_refused(shop, delimiter, values, found):
    lines = [f"ann,2020-03-01,o{n},{value}".split(",", 3) for n, value in enumerate(values)]
    content = "\n".join(delimiter.join(f'"{value}"' for value in line) for line in lines)
    with pytest.raises(DataRefusedError, match=f"column `amount` must show which mark parts thousands, {found}"):
        orders(shop, content, header=HEADER.replace(",", delimiter))


def test_an_amount_that_may_be_either_is_set_aside_where_the_first_rows_had_whole_numbers_only(shop, monkeypatch):
    monkeypatch.setattr("churnml.events.sources.delimited_numbers.SAMPLE_ROWS", 2)
    lines = [f"ann,2020-03-01,o{n},{value}" for n, value in enumerate(["1", "2", "1.234", "5.50"])]
    report = orders(shop, "\n".join(lines))
    assert [(row["row"], row["value"]) for row in examples(report)] == [(3, "1.234")]


def test_a_text_such_as_a_version_is_in_no_doubt(shop):
    report = orders(shop, "ann,2020-03-01,1.234,5\nann,2020-03-01,1.235,5")
    assert (report.landed, report.quarantined) == (2, 0)


@pytest.mark.parametrize(
    "amount, currency, kept",
    [
        ('"2.454,80 €"', "EUR", 24_548_000),
        ("￥903.00", "CNY", 9_030_000),
        ("-$12.50", "CAD", -125_000),
        ('"EUR 12,50"', "EUR", 125_000),
        ("1300 zł", "PLN", 13_000_000),
    ],
)
def test_a_currency_sign_is_left_off_and_said_so(make_tiny, amount, currency, kept):
    shop = make_tiny(currency=currency)
    shop.land(customers=CUSTOMERS)
    report = orders(shop, f"ann,2020-03-01,o1,{amount}")
    assert [row["amount"] for row in landed(shop)] == [kept]
    assert any("`amount` bears" in note and "left off" in note for note in report.notes)


def test_amounts_with_the_sign_of_another_currency_are_refused(shop):
    with pytest.raises(DataRefusedError, match=r"column `amount` must be in USD, .* amounts that bear €; set"):
        orders(shop, "ann,2020-03-01,o1,12.50 €")


def test_an_amount_with_another_sign_than_the_others_is_set_aside(shop):
    report = orders(shop, "ann,2020-03-01,o1,$1.50\nann,2020-03-01,o2,$2.50\nann,2020-03-01,o3,€2.50")
    assert [row["value"] for row in examples(report)] == ["€2.50"]


def jsons(shop, *objects, table="orders"):
    """Ingest JSON objects, and return what is reported of them."""
    lines = "".join(json.dumps({"occurred_at": "2020-03-01", "amount": 5} | one) + "\n" for one in objects)
    return shop.ingest(table, shop.file("rows.jsonl", lines), NOW + 1).tables[0]


@pytest.mark.parametrize(
    "broken, found, value",
    [
        ({"order_id": ["o1"]}, "a list", '["o1"]'),
        ({"order_id": True}, "true or false", "true"),
        ({"channel": {"a": 1}}, "an object", '{"a":1}'),
        ({"customer_id": ["ann"]}, "a list", '["ann"]'),
    ],
)
def test_what_is_no_text_in_json_is_set_aside_where_a_text_should_be(shop, broken, found, value):
    report = jsons(shop, {"customer_id": "ann", "order_id": "o1"}, {"customer_id": "ann", "order_id": "o2"} | broken)
    ((row),) = examples(report)
    assert (row["row"], row["column"], row["value"]) == (2, next(iter(broken)), value)
    assert row["rule"] == f"must be a text, found {found}"


def test_a_text_that_looks_like_a_list_is_a_text(shop):
    report = jsons(shop, {"customer_id": "ann", "order_id": "[1]", "channel": "true"}, {"kinds": [1], "order_id": "o"})
    assert (landed(shop)[-1]["order_id"], landed(shop)[-1]["channel"]) == ("[1]", "true")
    assert [row["rule"] for row in examples(report)] == ["must be filled"]


def test_attributes_may_be_an_object_and_a_number_an_id(tiny):
    jsons(tiny, {"customer_id": 7, "attributes": {"tier": "gold"}}, table="customers")
    assert [(row["customer_id"], row["attributes"]) for row in landed(tiny, "customers")] == [("7", '{"tier":"gold"}')]


def test_a_record_too_long_is_told_of_as_a_whole(shop):
    long = f"ann,2020-03-01,o1,{'9' * 3_000_000}"
    report = orders(shop, f"ann,2020-03-01,o2,5\n{long}\nann,2020-03-01,o3,5")
    assert [(row["column"], row["rule"]) for row in examples(report)] == [
        ("", "must be a record of at most 2,000,000 bytes")
    ]


def test_an_empty_value_is_called_so_in_a_refusal(make_tiny):
    shop = make_tiny(max_bad_share=0.0)
    with pytest.raises(DataRefusedError, match="column `customer_id` must be filled, found an empty value: "):
        shop.ingest("customers", shop.file("c.csv", "customer_id,occurred_at\n,2020-01-01\n"))


@pytest.mark.parametrize(
    "zone, days, instant",
    [
        ("UTC", "45292", "2024-01-01T00:00"),
        ("UTC", "45292.75", "2024-01-01T18:00"),
        ("Asia/Shanghai", "45292", "2023-12-31T16:00"),
    ],
)
def test_days_as_spreadsheets_count_them_are_read_where_declared(make_tiny, zone, days, instant):
    tiny = make_tiny(time_zone=zone)
    tiny.file("c.csv", f"customer_id,occurred_at\nann,{days}\nbob,soon\n")
    text = (
        "sources:\n  - {table: customers, file: c.csv, columns: {occurred_at: {from: occurred_at, unit: excel_days}}}\n"
    )
    now = microseconds(datetime(2025, 1, 1, tzinfo=UTC))
    found = ingest(tiny.workspace, tiny.catalogue, sources_of(tiny.file("s.yaml", text), zone), tiny.config, now)
    assert [row["occurred_at"] for row in landed(tiny, "customers")] == [
        microseconds(datetime.fromisoformat(f"{instant}+00:00"))
    ]
    assert [row["value"] for row in examples(found.tables[0])] == ["soon"]
