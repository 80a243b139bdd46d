"""`sources.yaml` gives the rows of each table under our names, or says by line and name why it cannot."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
import xlsxwriter

from churnml.errors import ConfigError, DataRefusedError, UsageError
from churnml.events import ingest
from churnml.events.clock import microseconds
from churnml.events.schema import TABLES
from churnml.events.sources import STANDING, Format
from churnml.events.sources.mapping import sources_of
from churnml.events.sources.presets import PRESETS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "sources.md").read_text(encoding="utf-8")
EXAMPLES = [block.split("```")[0] for block in PAGE.split("```yaml\n")[1:]]
SALES = "Kunde;Datum;Betrag;Kanal;Notiz\n00123;31.03.2024 14:05;1234,50;W;x\nNA;01.04.2024 09:00;7,10;S;y\n"
COLUMNS = "columns: {customer_id: Kunde, occurred_at: {from: Datum, format: '%d.%m.%Y %H:%M'}"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sales.csv").write_text(SALES)
    return tmp_path


def sources(folder, text):
    (folder / "sources.yaml").write_text(text, encoding="utf-8")
    return sources_of(folder / "sources.yaml", "UTC")


def one(folder, more="", columns=COLUMNS + "}", table="orders"):
    """Return the only source of an entry that reads sales.csv."""
    (source,) = sources(folder, f"sources:\n  - table: {table}\n    file: sales.csv\n    {columns}\n    {more}\n")
    return source


def refusal(folder, entry):
    with pytest.raises(ConfigError) as caught:
        sources(folder, f"sources:\n  - {entry}\n")
    return str(caught.value)


def read(source, folder, columns="*"):
    with duckdb.connect() as connection:
        return source.rows(connection, folder).relation.project(columns).fetchall()


def names(source, folder):
    with duckdb.connect() as connection:
        return source.rows(connection, folder).relation.columns


def formats(source, folder):
    with duckdb.connect() as connection:
        return source.rows(connection, folder).formats


def test_our_names_stand_for_theirs_and_texts_survive(folder):
    found = read(one(folder), folder, "customer_id, occurred_at")
    assert found == [("00123", "31.03.2024 14:05"), ("NA", "01.04.2024 09:00")]


def test_what_is_said_of_a_column_goes_with_it(folder):
    columns = COLUMNS + ", amount: {from: Betrag, unit: cents, decimal: ','}}"
    found = formats(one(folder, columns=columns), folder)
    assert found["occurred_at"].instant == "%d.%m.%Y %H:%M"
    assert found["amount"] == Format(decimal=",", unit="cents")


def test_a_mark_said_of_the_source_holds_for_each_of_its_columns(folder):
    found = formats(one(folder, more="decimal: ','"), folder)
    assert {name: form.decimal for name, form in found.items()} == {"customer_id": ",", "occurred_at": ","}


def test_a_constant_fills_every_row_and_is_kept_as_text(folder):
    source = one(folder, columns=COLUMNS + ", channel: {constant: 007's}}")
    assert read(source, folder, "channel") == [("007's",), ("007's",)]


@pytest.mark.parametrize("other, kept", [("keep", ["web", "S"]), ("empty", ["web", None]), ("drop", ["web"])])
def test_a_value_that_is_not_among_those_named_is_kept_or_empty_or_its_row_left_out(folder, other, kept):
    source = one(folder, columns=COLUMNS + f", channel: {{from: Kanal, values: {{W: web}}, else: {other}}}}}")
    assert read(source, folder, "channel") == [(value,) for value in kept]


def test_rows_left_out_do_not_renumber_the_others(folder):
    source = one(folder, columns=COLUMNS + ", channel: {from: Kanal, values: {S: shop}, else: drop}}")
    assert read(source, folder, "customer_id, source_row") == [("NA", 2)]


def test_yes_and_no_are_texts(folder):
    source = one(folder, columns=COLUMNS + ", channel: {from: Kanal, values: {W: yes, S: no}}}")
    assert read(source, folder, "channel") == [("yes",), ("no",)]


def test_columns_that_nothing_uses_stay_visible_and_mapped_ones_do_not(folder):
    found = names(one(folder), folder)
    assert found == ["customer_id", "occurred_at", "Betrag", "Kanal", "Notiz"]


def test_columns_left_out_are_gone(folder):
    assert "Notiz" not in names(one(folder, more="leave_out: [Notiz]"), folder)


def test_a_column_that_bears_our_name_is_taken_unless_another_is_named(folder):
    (folder / "sales.csv").write_text("customer_id,Amount,total,channel\n1,2,3,web\n")
    source = one(folder, columns="columns: {amount: total}")
    assert names(source, folder) == ["customer_id", "channel", "amount", "Amount (in the file)"]
    assert read(source, folder, "amount, channel") == [("3", "web")]


def test_a_named_column_that_is_not_there_is_told_with_those_that_are(folder):
    source = one(folder, columns="columns: {customer_id: kunde}")
    words = "sales.csv: the column `kunde`, which sources.yaml names for `orders`, is not there; found `Kunde`, `Datum`"
    with pytest.raises(DataRefusedError) as caught:
        read(source, folder)
    assert words in str(caught.value)
    assert "did you mean `Kunde`?" in str(caught.value)


def test_names_with_quotes_in_them_are_names(folder):
    (folder / "sales.csv").write_text('"a ""b"" c",x\n1,2\n')
    assert read(one(folder, columns="columns: {customer_id: 'a \"b\" c'}"), folder, "customer_id") == [("1",)]


def test_each_file_of_a_pattern_is_a_source_of_its_own(folder):
    shutil.copy(folder / "sales.csv", folder / "sales-2.csv")
    found = sources(folder, f"sources:\n  - table: orders\n    file: sales*.csv\n    {COLUMNS}}}\n")
    assert [source.origin for source in found] == ["sales-2.csv", "sales.csv"]
    assert found[0].mapping == found[1].mapping


def test_what_decides_the_reading_decides_the_mapping_and_the_order_of_keys_does_not(folder):
    straight = one(folder, columns="columns: {customer_id: Kunde, amount: Betrag}")
    turned = one(folder, columns="columns: {amount: Betrag, customer_id: Kunde}")
    other = one(folder, columns="columns: {amount: {from: Betrag, unit: cents}, customer_id: Kunde}")
    assert straight.mapping == turned.mapping != other.mapping
    assert one(folder, columns="").mapping == "orders:UTC"


def test_the_zone_of_an_entry_stands_above_that_of_the_workspace(folder):
    assert one(folder).time_zone == "UTC"
    assert one(folder, more="time_zone: Asia/Shanghai").time_zone == "Asia/Shanghai"


def test_sql_over_a_file_sees_its_rows_as_source(folder):
    query = 'query: SELECT "Kunde" AS customer_id, count(*) AS quantity FROM source GROUP BY 1 ORDER BY 1;'
    assert read(one(folder, more=query, columns=""), folder) == [("00123", 1, 1), ("NA", 1, 2)]


def test_sql_that_cannot_be_carried_out_is_told_with_the_columns_there_are(folder):
    source = one(folder, more="query: SELECT kunden FROM source", columns="")
    with pytest.raises(ConfigError, match="must be one SELECT over `source`, whose columns are `Kunde`, `Datum`"):
        read(source, folder)


def test_a_variable_that_is_not_set_is_named(folder, monkeypatch):
    monkeypatch.delenv("CRM_DATABASE_URL", raising=False)
    words = refusal(folder, "{table: orders, postgres: CRM_DATABASE_URL, query: SELECT 1}")
    assert "source 1: `postgres` names the environment variable CRM_DATABASE_URL, which is not set" in words


def test_a_url_in_the_file_is_refused_and_not_repeated(folder):
    words = refusal(folder, "{table: orders, postgres: 'postgresql://u:secret@host/db', query: SELECT 1}")
    assert "does not belong in a file" in words
    assert "secret" not in words


@pytest.mark.parametrize("entry, words", [
    ("{tabel: orders, file: a.csv}", "source 1: unknown key `tabel`; did you mean `table`?"),
    ("{table: order, file: a.csv}", "source 1 (`order`): `table` must be one of customers,"),
    ("{table: orders}", "say exactly one of `file`, `duckdb`, `postgres` and `preset`, found none of them"),
    ("{table: orders, file: a.csv, duckdb: b.duckdb}", "found `file` and `duckdb`"),
    ("{table: orders, file: a.csv, columns: {amuont: b}}", "`orders` has no such column; did you mean `amount`?"),
    ("{table: orders, file: a.csv, columns: {amount: {unti: b}}}", "source 1: unknown key `columns.amount.unti`"),
    ("{table: orders, file: a.csv, columns: {amount: {unti: b}}}", "did you mean `unit`?"),
    ("{table: orders, file: a.csv, columns: {amount: {unit: cents}}}", "say either `from`, the column of the file,"),
    ("{table: orders, file: a.csv, columns: {amount: {from: b, unit: epoch_seconds}}}", "is for times, but this is an"),
    ("{table: orders, file: a.csv, columns: {occurred_at: {from: b, unit: cents}}}", "is for amounts of money"),
    ("{table: orders, file: a.csv, columns: {amount: {from: b, format: '%Y'}}}", "`format` is for times"),
    ("{table: orders, file: a.csv, columns: {occurred_at: {from: b, format: DD.MM.YYYY}}}", "written like %d.%m.%Y"),
    ("{table: orders, file: a.csv, columns: {occurred_at: {from: b, format: '%d.%q'}}}", "found `%d.%q`"),
    ("{table: orders, file: a.csv, columns: {channel: {from: b, else: drop}}}", "name those first"),
    ("{table: orders, file: a.csv, time_zone: CET/Berlin}", "`time_zone` must be an IANA name"),
    ("{table: orders, file: a.csv, files: {a: b}}", "`files` means nothing beside `file`"),
    ("{table: orders, duckdb: b.duckdb}", "`duckdb` needs a `query`"),
    ("{preset: shopfy, files: {orders: a.csv}}", "did you mean `shopify`?"),
    ("{preset: shopify}", "name its `files`, such as {orders: export.csv}"),
    ("{table: orders, table: orders, file: a.csv}", "`table` stands twice"),
    ("{table: orders, file: [a.csv, b.csv]}", "source 1, `file` must be one file, folder or pattern, got a list"),
    ("{table: orders, file: a.csv, columns: {amount: {from: b, unit: cent}}}", "source 1, `columns.amount.unit` mus"),
    ("{table: orders, file: a.csv, columns: {amount: {from: b, unit: cent}}}", "got 'cent'; did you mean `cents`?"),
    ("a.csv", "source 1 must hold `key: value` pairs, got 'a.csv'"),
    ("{table: orders, file: a.csv, columns: {kind: {from: b, values: [a]}}}", "`columns.kind.values` must hold `key"),
    ("{table: orders, file: a.csv, columns: {amount: [a]}}", "source 1, `columns.amount` must be the name of one col"),
    ("{table: orders, file: a.csv, leave_out: [{a: b}]}", "source 1, `leave_out`, item 1 must be one text, got `k"),
])  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_what_could_be(folder, entry, words):
    assert words in refusal(folder, entry)


@pytest.mark.parametrize("text", ["", "~", "{}", "sources:", "sources: []", "sources: ~", "# nothing yet"])
def test_a_file_that_names_no_source_is_told_with_what_to_write(folder, text):
    with pytest.raises(ConfigError, match=r"sources.yaml names no source yet; list what you have under `sources:`, as"):
        sources(folder, text)


def test_a_file_of_mere_text_is_told_what_it_must_hold(folder):
    with pytest.raises(ConfigError, match=r"sources.yaml must hold `key: value` pairs, found 'orders.csv'"):
        sources(folder, "orders.csv")


def test_a_file_that_is_not_there_is_told_with_what_lies_near(folder):
    with pytest.raises(UsageError, match=r"`sale.csv` names no file that can be read; .* did you mean `sales.csv`"):
        sources(folder, "sources: [{table: orders, file: sale.csv}]")


def test_a_missing_sources_file_is_told_with_where_one_comes_from(tmp_path):
    with pytest.raises(ConfigError, match="is not a file; `churnml init` writes an example"):
        sources_of(tmp_path / "sources.yaml", "UTC")


@pytest.fixture
def examples(tmp_path, monkeypatch):
    """Return the files of the page, with those that are not text."""
    folder = tmp_path / "docs"
    shutil.copytree(DOCS / "examples", folder)
    with xlsxwriter.Workbook(folder / "orders.xlsx") as book:
        sheet = book.add_worksheet("Orders")
        for row, line in enumerate((folder / "orders.csv").read_text().splitlines()):
            sheet.write_row(row, 0, line.split(","))
    with duckdb.connect(folder / "shop.duckdb") as made:
        made.execute(f"CREATE TABLE lines AS FROM read_csv('{folder}/orders.csv', all_varchar=true)")
        made.execute("CREATE TABLE sales AS SELECT order_id AS id, customer_id AS buyer, occurred_at AS sold_at, "
                     "amount AS total FROM lines")  # fmt: skip
        made.execute(f"COPY lines TO '{folder}/orders.parquet'")
    monkeypatch.setenv("SHOP_DATABASE_URL", "postgresql://reader@host/shop")
    return folder


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_page_gives_the_columns_its_table_requires(examples, example):
    for source in sources(examples, example):
        required = {column.name for column in TABLES[source.table].columns if column.required}
        if source.files:
            assert required <= set(names(source, examples))
            assert read(source, examples) or source.table == "returns"


def test_the_page_lists_every_preset_with_its_files_and_tables():
    for preset in PRESETS.values():
        assert f"| {', '.join(preset.files)} | {', '.join(preset.tables)} |" in PAGE
        assert f"| `{preset.name}` |" in PAGE


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1); COPY (SELECT 1) TO 'owned.csv'; SELECT * FROM (SELECT * FROM source",
        "COPY (SELECT 1) TO 'owned.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
    ],
)
def test_sql_over_a_file_reads_its_rows_and_nothing_else(folder, query, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigError):
        read(one(folder, more=f'query: "{query}"', columns=""), folder)
    assert not (folder / "owned.csv").exists()


def test_a_table_with_amounts_may_say_their_currency_and_no_other_table_may(folder):
    source = one(folder, columns=COLUMNS + ", amount: Betrag, currency: {constant: EUR}}")
    assert read(source, folder, "currency") == [("EUR",), ("EUR",)]
    told = refusal(folder, "{table: tickets, file: sales.csv, columns: {currency: Kanal}}")
    assert "column `currency`: table `tickets` has no such column" in told


@pytest.mark.parametrize(
    "said, written",
    [
        ("columns: {amount: Betrag}", Format(doubt="1.234")),
        ("columns: {amount: {from: Betrag, thousands: '.'}}", Format(",", ".")),
        ("columns: {amount: {from: Betrag, decimal: '.'}}", Format()),
        ("thousands: '.'\n    columns: {amount: Betrag}", Format(",", ".")),
        ("query: SELECT Betrag AS amount FROM source", Format(doubt="1.234")),
    ],
)
def test_what_is_declared_ends_a_doubt_and_a_query_does_not(folder, said, written):
    (folder / "sales.csv").write_text("Kunde;Betrag\n1;1.234\n2;999\n")
    assert formats(one(folder, columns=said), folder).get("amount", Format()) == written


def test_thousands_declared_for_one_column_say_its_decimal_mark_as_well(folder):
    (folder / "sales.jsonl").write_text('{"customer_id": "1", "amount": "1.234"}\n')
    text = "sources:\n  - table: orders\n    file: sales.jsonl\n    thousands: '.'\n"
    assert formats(sources(folder, text)[0], folder)["amount"] == Format(",", ".")


@pytest.mark.parametrize("values, kinds", [("", ["a list", "true or false"]), (", values: {true: web}", ["a list"])])
def test_a_truth_that_values_translates_may_stand_for_a_text(folder, values, kinds):
    (folder / "sales.jsonl").write_text('{"id": 1, "web": true}\n{"id": 2, "web": []}\n')
    text = f"sources:\n  - {{table: orders, file: sales.jsonl, columns: {{channel: {{from: web{values}}}}}}}\n"
    found = formats(sources(folder, text)[0], folder)["channel"].no_text
    assert [words for words, _ in found] == kinds


@pytest.mark.parametrize(
    "entry",
    [
        "{table: orders, file: 'https://u:geheim@h/orders.csv?token=geheim'}",
        "{table: orders, duckdb: 's3://u:geheim@h/shop.duckdb', query: SELECT 1}",
        "{preset: shopify, files: {orders: [a.csv, 'ftp://u:geheim@h/orders.csv']}}",
    ],
)
def test_a_url_where_a_file_should_be_is_refused_and_never_shown(folder, entry):
    said = refusal(folder, entry)
    assert "must name a file, found a URL, which is not read here; download it and name the file" in said
    assert "geheim" not in said


RECIPE = next(example for example in EXAMPLES if "ANTI JOIN standing" in example).replace("orders.csv", "o-*.csv")


def land(tiny, folder, now):
    return ingest(tiny.workspace, tiny.catalogue, sources(folder, RECIPE), tiny.config, now)


def test_customers_made_from_orders_keep_their_first_contact_when_the_next_file_comes(tiny, folder):
    head = "customer_id,occurred_at,order_id,amount\n"
    (folder / "o-1.csv").write_text(f"{head}z1,2024-01-01,a,1\nz2,2024-01-05,b,1\n")
    land(tiny, folder, microseconds(datetime(2024, 2, 1, tzinfo=UTC)))
    (folder / "o-2.csv").write_text(f"{head}z1,2024-03-01,c,1\nz3,2024-03-02,d,1\n")
    report = land(tiny, folder, microseconds(datetime(2024, 4, 1, tzinfo=UTC)))
    assert [(one.table, one.landed, one.newer) for one in report.tables] == [("customers", 1, 0), ("orders", 2, 0)]
    (folder / "o-3.csv").write_text(f"{head}z1,2024-04-01,e,1\n")  # nobody new
    report = land(tiny, folder, microseconds(datetime(2024, 5, 1, tzinfo=UTC)))
    assert [(one.table, one.landed) for one in report.tables] == [("customers", 0), ("orders", 1)]
    files = [tiny.workspace.root / part.path for part in tiny.catalogue.parts("customers")]
    with duckdb.connect() as connection:
        rows = connection.read_parquet([str(file) for file in files]).project("customer_id").order("1").fetchall()
    assert rows == [("z1",), ("z2",), ("z3",)]


def test_sql_over_a_file_sees_when_each_customer_was_met(folder):
    query = 'query: "SELECT Kunde AS customer_id, met_at FROM source JOIN standing ON Kunde = standing.customer_id"'
    with duckdb.connect() as connection:
        met = "epoch_us(TIMESTAMP '2024-01-01 10:00')"
        connection.execute(f"CREATE TEMP VIEW {STANDING} AS SELECT 'NA' AS customer_id, {met} AS met_at")
        found = one(folder, more=query, columns="").rows(connection, folder).relation.project("customer_id, met_at")
        assert found.fetchall() == [("NA", "2024-01-01T10:00:00.000000Z")]


def test_a_file_that_is_no_such_export_is_told_once_for_all_its_tables(tiny, folder):
    found = sources(folder, "sources: [{preset: shopify, files: {orders: sales.csv}}]")
    with pytest.raises(DataRefusedError) as caught:
        ingest(tiny.workspace, tiny.catalogue, found, tiny.config, 0)
    assert str(caught.value).count("the orders file of the preset `shopify` needs the column `Name`") == 1
    assert len(caught.value.report["refused"]) > 1


def notes(found, folder):
    with duckdb.connect() as connection:
        return [source.rows(connection, folder).notes for source in found]


def _loop(path):
    path.symlink_to(path.name)


NO_FILES = {
    "pipe": (os.mkfifo, "must be a file, found a pipe; write it to a file first"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "must be a file, found a device"),
    "dead link": (lambda path: path.symlink_to("nowhere"), "must lead to a file, found a link that leads nowhere"),
    "link in a circle": (_loop, "must lead to a file, found a link that leads back to itself"),
}


@pytest.mark.parametrize(("make", "told"), NO_FILES.values(), ids=NO_FILES.keys())
@pytest.mark.parametrize("entry", ["file: odd.csv", "file: 'o?d.csv'", "duckdb: odd.csv, query: FROM x"])
def test_what_is_no_file_is_refused_in_a_sentence(folder, entry, make, told):
    make(folder / "odd.csv")
    if "?" in entry and "device" in told:
        told = "is a link that leads out of"
    with pytest.raises(UsageError, match=told):
        notes(sources(folder, f"sources: [{{table: orders, {entry}}}]"), folder)
