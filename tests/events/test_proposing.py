"""Files are told by their names and values, with a confidence, and only what nobody can tell becomes a question."""

import json
import os

import duckdb
import pytest
import xlsxwriter

from churnml.errors import UsageError
from churnml.events.schema import TABLES
from churnml.events.sources.mapping import sources_of
from churnml.events.sources.proposing import propose
from churnml.events.sources.vocabulary import COLUMN_WORDS, TABLE_WORDS, VALUE_WORDS

KUNDEN = "Kundennummer;Anlagedatum;Stadt;E-Mail;Bemerkung\n" + "".join(
    f"{number:05};{number % 28 + 1:02}.03.2020;Ort;k{number}@example.org;x\n" for number in range(40)
)
BESTELLUNGEN = "Bestellnummer;Kundennummer;Bestelldatum;Betrag;Kanal\n" + "".join(
    f"B{number};{number % 40:05};{number % 28 + 1:02}.05.2021 10:15;{number},5{number % 10};web\n"
    for number in range(90)
)
DINGDAN = "订单编号,会员号,下单时间,实付金额\n" + "".join(
    f"D{n},{n % 7:04},2024-01-{n % 28 + 1:02},{n}.50\n" for n in range(30)
)
ORDERS = "id,Customer ID,Order Date,Total\n{}"
SHOPIFY = "Name,Email,Financial Status,Total,Created at,Lineitem quantity,Lineitem price,Tags\n#1,a@example.org,paid,5,2024-01-15 10:00:00 -0500,1,5,\n"  # noqa: E501


def proposed(folder, **files):
    """Propose for files given by name, with two underscores for the point, and return the proposal."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return propose(folder)


def lines(proposal):
    return [line.strip().split("  #")[0] for line in proposal.text.splitlines()]


def orders(*dates, amounts=("5.50", "7.25", "9.75")):
    rows = (f"{number},c{number},{date},{amounts[number % 3]}\n" for number, date in enumerate(dates))
    return ORDERS.format("".join(rows))


def test_german_files_are_told_with_their_columns_formats_and_a_confidence(tmp_path):
    found = proposed(tmp_path, kunden__csv=KUNDEN, bestellungen__csv=BESTELLUNGEN)
    assert {one.files: one.tables for one in found.entries} == {
        "kunden.csv": ("customers",), "bestellungen.csv": ("orders",),
    }  # fmt: skip
    assert all(0.8 < one.confidence <= 1 for one in found.entries)
    assert 'occurred_at: {from: Bestelldatum, format: "%d.%m.%Y %H:%M"}' in lines(found)
    assert "amount: Betrag" in lines(found)


def test_chinese_files_are_told(tmp_path):
    (orders_file, *_) = proposed(tmp_path, 订单__csv=DINGDAN).entries
    assert (orders_file.tables, set(orders_file.columns)) == (
        ("orders",), {"customer_id", "occurred_at", "order_id", "amount"},
    )  # fmt: skip


def test_ids_that_two_files_share_are_evidence(tmp_path):
    found = proposed(tmp_path, kunden__csv=KUNDEN, bestellungen__csv=BESTELLUNGEN)
    assert "100% of its first values are customers of kunden.csv" in found.text


def test_columns_that_nothing_uses_are_named(tmp_path):
    assert "# not used: Bemerkung" in lines(proposed(tmp_path, kunden__csv=KUNDEN))


def test_a_proposal_is_read_back(tmp_path):
    found = proposed(tmp_path, kunden__csv=KUNDEN, bestellungen__csv=BESTELLUNGEN)
    (tmp_path / "sources.yaml").write_text(found.text, encoding="utf-8")
    first, second = sorted(sources_of(tmp_path / "sources.yaml", "UTC"), key=lambda source: source.table)
    with duckdb.connect() as connection:
        rows = first.rows(connection, tmp_path).relation.project("customer_id").limit(2).fetchall()
    assert (first.table, second.table, rows) == ("customers", "orders", [("00000",), ("00001",)])


def test_files_of_one_shape_become_one_pattern(tmp_path):
    found = proposed(tmp_path, bestellungen_1__csv=BESTELLUNGEN, bestellungen_2__csv=BESTELLUNGEN, kunden__csv=KUNDEN)
    assert "file: bestellungen*.csv" in lines(found)


def test_files_of_a_folder_in_the_folder_are_seen_and_deeper_ones_are_not(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "kunden.csv").write_text(KUNDEN)
    (tmp_path / "a" / "b" / "kunden.csv").write_text(KUNDEN)
    assert [one.files for one in propose(tmp_path).entries] == ["a/kunden.csv"]


def test_names_are_relative_to_where_the_file_will_lie(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kunden.csv").write_text(KUNDEN)
    assert [one.files for one in propose(tmp_path / "data", tmp_path).entries] == ["data/kunden.csv"]


def test_a_day_above_twelve_anywhere_in_the_file_decides_which_comes_first(tmp_path):
    dates = ["03/04/2024"] * 2_100 + ["31/01/2024"]
    found = proposed(tmp_path, orders__csv=orders(*dates))
    assert 'occurred_at: {from: Order Date, format: "%d/%m/%Y"}' in lines(found)
    assert not [question for question in found.questions if "day or the month" in question]


def test_another_file_of_the_kind_decides_as_well(tmp_path):
    found = proposed(tmp_path, orders_1__csv=orders("03/04/2024"), orders_2__csv=orders("12/31/2024"))
    assert 'occurred_at: {from: Order Date, format: "%m/%d/%Y"}' in lines(found)


def test_without_one_both_are_written_as_choices_and_asked(tmp_path):
    found = proposed(tmp_path, orders__csv=orders("03/04/2024", "05/06/2024"))
    assert '# occurred_at: {from: Order Date, format: "%d/%m/%Y"}' in lines(found)
    assert '# occurred_at: {from: Order Date, format: "%m/%d/%Y"}' in lines(found)
    assert "orders.csv: does `Order Date` begin with the day or the month? No value tells" in found.questions


def test_large_whole_amounts_may_be_cents_and_are_asked(tmp_path):
    found = proposed(tmp_path, orders__csv=orders("2024-01-31", "2024-02-01", amounts=("1999", "4950", "700")))
    assert "# amount: {from: Total, unit: cents}" in lines(found)
    assert "orders.csv: does `Total` count whole units of the currency, or cents?" in found.questions


@pytest.mark.parametrize(("mark", "other", "word"), [(".", ",", "point"), (",", ".", "comma")])
def test_a_mark_that_may_part_thousands_or_fractions_is_asked_with_both_ways_written(tmp_path, mark, other, word):
    amounts = [f'"{thousands}{mark}234"' for thousands in (1, 2, 3)]
    found = proposed(tmp_path, orders__csv=orders("2024-01-31", "2024-02-01", "2024-02-02", amounts=amounts))
    assert f'# amount: {{from: Total, decimal: "{other}", thousands: "{mark}"}}' in lines(found)
    assert f'# amount: {{from: Total, decimal: "{mark}"}}' in lines(found)
    asked = f"orders.csv: is the {word} in `Total` between thousands, or the decimal mark? No value tells"
    assert asked in found.questions


def test_a_mark_that_another_column_explains_is_not_asked(tmp_path):
    text = "id,customer,date,total,discount\n1,a,2024-01-31,1.234,0.50\n2,b,2024-01-31,2.345,1.25\n"
    assert "amount: total" in lines(proposed(tmp_path, orders__csv=text))


def test_a_mark_in_doubt_in_one_file_of_several_is_asked(tmp_path):
    files = {f"orders_{place}__csv": orders("2024-01-31", amounts=[it]) for place, it in enumerate(("5.50", "1.234"))}
    found = proposed(tmp_path, **files)
    assert [question for question in found.questions if "is the point in `Total` between thousands" in question]


def test_what_is_undecided_is_not_taken_by_its_name(tmp_path):
    text = "order_id,customer_id,occurred_at,amount\n1,a,2024-01-31,1999\n2,b,2024-01-31,2999\n"
    assert "leave_out: [amount]" in lines(proposed(tmp_path, orders__csv=text))


def test_counted_times_are_told_by_their_size(tmp_path):
    found = proposed(tmp_path, orders__csv=orders("1711893900000", "1711980300000"))
    assert "occurred_at: {from: Order Date, unit: epoch_milliseconds}" in lines(found)


def test_the_zone_is_asked_where_times_of_day_bear_no_offset(tmp_path):
    zoned = proposed(tmp_path, orders__csv=orders("2024-01-31T10:00:00Z", "2024-01-31T11:00:00+02:00"))
    assert not [question for question in zoned.questions if "zone" in question]
    local = proposed(tmp_path, orders__csv=orders("2024-01-31 10:00:00"))
    assert [question for question in local.questions if "zone" in question]


def test_values_we_know_by_another_word_are_translated(tmp_path):
    text = "Vertragsnummer,Kunde,Vertragsbeginn,Preis,Zahlungsweise\nV1,a,2024-01-31,5.50,monatlich\n"
    found = proposed(tmp_path, abos__csv=text)
    assert "period: {from: Zahlungsweise, values: {monatlich: month}}" in lines(found)


def test_the_name_of_a_file_may_say_what_a_survey_measures(tmp_path):
    text = "survey_id,customer_id,sent_at,score\n1,a,2024-01-31,9\n2,b,2024-01-31,7\n"
    assert "instrument: {constant: nps}" in lines(proposed(tmp_path, nps_2024__csv=text))


def test_an_order_number_that_comes_again_is_asked_about(tmp_path):
    text = "Order Number,Customer ID,Order Date,Total\n1,a,2024-01-31,9.50\n1,a,2024-01-31,7.50\n"
    (*_, question) = sorted(proposed(tmp_path, orders__csv=text).questions)
    assert "`Order Number` should name each row once, and values come again: what is a row?" in question


def test_without_customers_the_first_order_is_offered_for_that_and_said(tmp_path):
    found = proposed(tmp_path, orders__csv=orders("31.01.2024", "28.02.2024"))
    (tmp_path / "sources.yaml").write_text(found.text, encoding="utf-8")
    made = next(source for source in sources_of(tmp_path / "sources.yaml", "UTC") if source.table == "customers")
    with duckdb.connect() as connection:
        rows = made.rows(connection, tmp_path)
        assert rows.relation.fetchall() == [("c0", "31.01.2024", 1), ("c1", "28.02.2024", 2)]
    assert any("No file of customers was found" in question for question in found.questions)


def test_a_known_export_is_told_by_its_columns(tmp_path):
    (entry,) = proposed(tmp_path, orders_export_1__csv=SHOPIFY).entries
    assert entry.files == "shopify: orders_export_1.csv"
    assert "customers" in entry.tables
    assert entry.confidence > 0.9


def test_what_is_not_recognised_or_cannot_be_read_is_listed_with_the_reason(tmp_path):
    found = proposed(tmp_path, kunden__csv=KUNDEN, shelf__csv="Shelf,Stock\nA,1\n", readme__md="x", broken__csv="")
    left = dict(found.left)
    assert "not recognised" in left["shelf.csv"]
    assert {"readme.md", "broken.csv"} <= set(left)


def test_no_value_of_a_customer_is_written(tmp_path):
    text = proposed(tmp_path, kunden__csv=KUNDEN, bestellungen__csv=BESTELLUNGEN).text
    assert "example.org" not in text
    assert "00001" not in text


@pytest.fixture
def shop(tmp_path):
    """Return a folder with a workbook of several sheets, one of which is no table."""
    customers = [["Customer ID", "Signup Date"], *([f"c{n}", f"2023-01-{n + 1:02}"] for n in range(9))]
    rows = [["Order Number", "Customer ID", "Order Date", "Total"]]
    rows += [[f"o{n}", f"c{n % 9}", f"2024-01-{n + 1:02}", f"{n}.5"] for n in range(20)]
    with xlsxwriter.Workbook(tmp_path / "shop.xlsx") as book:
        for name, lines in {"Orders": rows, "Customers": customers, "Notes": [["remember"], ["milk"]]}.items():
            sheet = book.add_worksheet(name)
            for number, line in enumerate(lines):
                sheet.write_row(number, 0, line)
        book.add_worksheet("Empty")
    return tmp_path


def test_each_sheet_of_a_workbook_is_proposed(shop):
    found = propose(shop)
    assert [(one.tables, one.files) for one in found.entries] == [
        (("orders",), "shop.xlsx, sheet Orders"), (("customers",), "shop.xlsx, sheet Customers"),
    ]  # fmt: skip
    assert "customer_id: Customer ID" in lines(found)
    (shop / "sources.yaml").write_text(found.text, encoding="utf-8")
    with duckdb.connect() as connection:
        read = [one.rows(connection, shop).relation.shape for one in sources_of(shop / "sources.yaml", "UTC")]
    assert read == [(20, 5), (9, 3)]


def test_sheets_that_are_left_out_are_named_once(shop):
    left = dict(propose(shop).left)
    assert left["shop.xlsx, sheet Notes"].startswith("not recognised")
    assert left["shop.xlsx, sheet Empty"].startswith("the sheet `Empty` is empty; expected a row of column names")


def test_the_same_sheet_of_several_workbooks_is_one_entry(shop):
    (shop / "shop_2.xlsx").write_bytes((shop / "shop.xlsx").read_bytes())
    (shop / "shop.xlsx").rename(shop / "shop_1.xlsx")
    assert [one.files for one in propose(shop).entries] == ["shop*.xlsx, sheet Orders", "shop*.xlsx, sheet Customers"]


@pytest.fixture
def database(tmp_path):
    """Return a folder with a DuckDB file, one of whose tables is called as a word of SQL, another in a schema."""
    with duckdb.connect(tmp_path / "shop.duckdb") as made:
        made.execute("CREATE TABLE kunden AS SELECT 'k' || n AS kundennummer, DATE '2023-01-01' AS registered_at "
                     "FROM range(50) AS t(n)")  # fmt: skip
        made.execute("CREATE TABLE \"Order\" AS SELECT 'b' || n AS order_id, 'k' || n % 50 AS buyer, "
                     "TIMESTAMP '2024-01-01 10:00' AS ordered_at, n * 1.5 AS total FROM range(90) AS t(n)")  # fmt: skip
        made.execute("CREATE SCHEMA crm")
        made.execute("CREATE TABLE crm.tickets AS SELECT 't' || n AS ticket_id, 'k' || n AS customer_id, "
                     "TIMESTAMP '2024-02-01 10:00' AS opened_at, 'spam' AS kind FROM range(9) AS t(n)")  # fmt: skip
    return tmp_path


def test_each_table_of_a_duckdb_file_is_proposed(database):
    found = propose(database)
    assert {one.files: one.tables for one in found.entries} == {
        "shop.duckdb, table kunden": ("customers",),
        'shop.duckdb, table "Order"': ("orders",),
        "shop.duckdb, table crm.tickets": ("tickets",),
    }
    assert {'query: "SELECT * FROM \\"Order\\""', "query: SELECT * FROM crm.tickets"} <= set(lines(found))
    (database / "sources.yaml").write_text(found.text, encoding="utf-8")
    with duckdb.connect() as connection:
        sources = sources_of(database / "sources.yaml", "UTC")
        read = {one.table: one.rows(connection, database).relation for one in sources}
        assert read["orders"].project("customer_id, order_id").fetchall()[0] == ("k0", "b0")
        assert len(read["tickets"]) == 9


def test_the_first_order_stands_for_the_first_contact_in_a_duckdb_file_too(database):
    with duckdb.connect(database / "shop.duckdb") as made:
        made.execute('DROP TABLE kunden; ALTER TABLE "Order" RENAME buyer TO customer_id')
    (database / "sources.yaml").write_text(propose(database).text, encoding="utf-8")
    (made,) = [one for one in sources_of(database / "sources.yaml", "UTC") if one.table == "customers"]
    with duckdb.connect() as connection:
        assert len(made.rows(connection, database).relation) == 50


def test_where_nothing_can_be_proposed_the_text_is_an_example_that_can_be_read(tmp_path):
    found = proposed(tmp_path, shelf__csv="Shelf,Stock\nA,1\n")
    assert (found.entries, found.questions) == ((), ())
    assert "sources: []" not in found.text
    assert "#   shelf.csv: not recognised" in found.text
    (tmp_path / "templates").mkdir()
    for name in ("customers", "orders"):
        (tmp_path / "templates" / f"{name}.csv").write_text("customer_id\n")
    (tmp_path / "sources.yaml").write_text(found.text, encoding="utf-8")
    assert len(sources_of(tmp_path / "sources.yaml", "UTC")) == 2


def test_a_folder_by_a_roundabout_way_is_called_by_its_own_name(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "kunden.csv").write_text(KUNDEN)
    (entry,) = propose(tmp_path / "a" / ".." / "b", tmp_path / "a").entries
    assert entry.files == f"{tmp_path}/b/kunden.csv"


def people(folder, *acts, user="u{:03}"):
    """Write users and what they did, as JSON lines, and propose."""
    users = [{"id": user.format(n), "signed_up": f"2023-05-{n % 28 + 1:02}"} for n in range(40)]
    events = [{"user": user.format(n % 40), "ts": f"2024-01-{n % 28 + 1:02}T10:00:00Z", "event": act, "qty": n % 5}
              for n, act in enumerate(acts * 20)]  # fmt: skip
    texts = {"users__jsonl": users, "events__jsonl": events}
    return proposed(folder, **{name: "\n".join(map(json.dumps, rows)) for name, rows in texts.items()})


@pytest.mark.parametrize("user", ["u{:03}", "{}"])
def test_ids_of_the_customers_tell_the_column_that_no_name_does(tmp_path, user):
    found = people(tmp_path, "page_view", user=user)
    assert "customer_id: user  # 0.85: 100% of its first values are customers of users.jsonl" in found.text


def test_small_numbers_are_no_ids_because_customers_are_numbered(tmp_path):
    text = "qty,ts,event\n" + "".join(f"{n % 5},2024-01-{n + 1:02},login\n" for n in range(20))
    found = proposed(tmp_path, kunden__csv=KUNDEN.replace("\n0000", "\n"), events__csv=text)
    assert "customer_id: Kundennummer" in found.text
    assert "customer_id: qty" not in found.text


def test_what_people_do_is_mapped_to_our_kinds_and_the_rest_kept_and_asked(tmp_path):
    found = people(tmp_path, "page_view", "Add To Cart", "search", "login", "scroll")
    assert "kind: {from: event, values: {Add To Cart: cart, page_view: view}}" in lines(found)
    (asked,) = [question for question in found.questions if "event" in question]
    assert asked.startswith("events.jsonl: `event` also holds scroll, kept as they are: is one of them a visit, view,")


@pytest.mark.parametrize(
    "header, amounts",
    [
        ("Gesamtbetrag", ("1.234,50 €", "99,00 €", "-5,00 €")),
        ("实付金额", ("¥1,234.50", "￥99.00", "¥5")),
        ("Total", ("$5.50", "USD 1,200.00", "CHF 7'000.50")),
        ("总价", ("12.50元", "7元", "1,000.00元")),
    ],
)
def test_amounts_with_the_sign_of_a_currency_are_amounts(tmp_path, header, amounts):
    rows = "\n".join(f'{n},c{n},2024-01-{n + 1:02},"{amounts[n % 3]}"' for n in range(12))
    found = proposed(tmp_path, orders__csv=f"id,Customer ID,Order Date,{header}\n{rows}\n")
    assert "the values are amounts with a currency" in found.text
    assert set(found.entries[0].columns) == {"order_id", "customer_id", "occurred_at", "amount"}


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(UsageError, match="holds no file that can be read: CSV, Excel, JSON lines, Parquet or DuckDB"):
        propose(tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        propose(tmp_path / "none")


def test_the_vocabulary_speaks_of_tables_and_columns_of_the_contract():
    from churnml.events.schema import TABLES

    columns = {column for table in TABLES.values() for column in table.names}
    columns |= {f"{table.name}.{column}" for table in TABLES.values() for column in table.names}
    assert set(TABLE_WORDS) == set(TABLES)
    assert set(COLUMN_WORDS) | set(VALUE_WORDS) <= columns


# Files as small shops have them


@pytest.mark.parametrize("year", ["%m/%d/%y", "%m/%d/%Y"])
def test_years_of_two_digits_are_not_taken_for_years_of_four(tmp_path, year):
    days = [f"0{n % 9 + 1}/{n % 15 + 13}/{'2024' if '%Y' in year else '24'}" for n in range(40)]
    assert f'occurred_at: {{from: Order Date, format: "{year}"}}' in lines(
        proposed(tmp_path, orders__csv=orders(*days))
    )


def test_a_header_that_comes_again_hides_no_column(tmp_path):
    first, rest = BESTELLUNGEN.split("\n", 1)
    found = proposed(tmp_path, bestellungen__csv=f"{first}\n{rest}{first}\n")
    assert 'occurred_at: {from: Bestelldatum, format: "%d.%m.%Y %H:%M"}' in lines(found)
    assert "amount: Betrag" in lines(found)


def test_a_foot_of_totals_hides_no_column(tmp_path):
    found = proposed(tmp_path, bestellungen__csv=f"{BESTELLUNGEN}Summe;;;4.095,00;\n")
    assert {"customer_id", "occurred_at", "order_id", "amount"} <= set(found.entries[0].columns)


def test_a_few_amounts_that_are_none_hide_no_column(tmp_path):
    rows = [f"B{number};{number:05};01.05.2021;{amount};web\n" for number, amount in ((97, "-"), (98, "n/a"))]
    found = proposed(tmp_path, bestellungen__csv=BESTELLUNGEN.replace(" 10:15", "") + "".join(rows))
    assert "amount: Betrag" in lines(found)


def test_numbers_are_told_by_their_german_abbreviation(tmp_path):
    text = BESTELLUNGEN.replace("Bestellnummer;Kundennummer;Bestelldatum", "Beleg-Nr.;Kundennr.;Belegdatum")
    assert set(proposed(tmp_path, umsätze__csv=text).entries[0].columns) >= {"customer_id", "occurred_at", "order_id"}


def test_french_files_are_told(tmp_path):
    rows = "".join(f"F{n};{n:04};{n + 13}/05/2021;{n},50\n" for n in range(15))
    found = proposed(tmp_path, commandes__csv=f"N° commande;N° client;Date de commande;Montant TTC\n{rows}")
    assert (found.entries[0].tables, set(found.entries[0].columns)) == (
        ("orders",), {"customer_id", "occurred_at", "order_id", "amount"},
    )  # fmt: skip


def test_a_quantity_whose_point_is_in_doubt_is_asked_about(tmp_path):
    text = "id,customer,date,total,quantity\n1,a,2024-01-31,5.5,1.100\n2,b,2024-01-31,7.25,2\n".replace("5.5", "5")
    found = proposed(tmp_path, orders__csv=text.replace("7.25", "7"))
    assert '# quantity: {from: quantity, decimal: ",", thousands: "."}' in lines(found)


def test_a_column_of_our_name_whose_values_are_none_of_it_is_left_out_and_asked_about(tmp_path):
    text = "id,customer_id,date,total,discount\n1,a,2024-01-31,5.50,10%\n2,b,2024-01-31,7.25,5%\n"
    found = proposed(tmp_path, orders__csv=text)
    assert "leave_out: [discount]" in lines(found)
    assert (
        "orders.csv: `discount` bears our name, but its values are not read as amounts; write them as docs/sources.md "
        "shows, or name another column"
    ) in found.questions


def test_times_that_cannot_be_read_are_named_and_not_only_missing(tmp_path):
    text = "Kundennr,Kunde seit,Ort\n1,1. Januar 2023,Ulm\n2,3. März 2023,Ulm\n"
    (asked,) = proposed(tmp_path, kunden__csv=text).questions
    assert asked.startswith(
        "kunden.csv: `Kunde seit` is `occurred_at` by its name, but its values are not read as times"
    )


def test_a_header_of_other_names_is_told_too(tmp_path):
    (found, *_) = proposed(tmp_path, export__csv="Bestellnummer;Kundennummer;Bestelldatum;Betrag\n").entries
    assert (found.tables, found.why) == (("orders",), "4 of 4 required columns found; no row yet")


def test_a_file_without_rows_tells_nothing_of_how_times_are_written_in_those_beside_it(tmp_path):
    head = KUNDEN.split("\n")[0] + "\n"
    found = proposed(tmp_path, kunden1__csv=head, kunden2__csv=KUNDEN, bestellungen__csv=BESTELLUNGEN)
    assert 'occurred_at: {from: Anlagedatum, format: "%d.%m.%Y"}' in lines(found)
    assert [one.files for one in found.entries if one.tables == ("customers",)] == ["kunden*.csv"]


def test_what_is_no_file_is_listed_with_the_reason_and_a_folder_elsewhere_once(tmp_path, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in ("a.csv", "b.csv"):
        (elsewhere / name).write_text("x")
    (tmp_path / "linked").symlink_to(elsewhere)
    (tmp_path / "dead.csv").symlink_to("nowhere")
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    left = dict(proposed(tmp_path, kunden__csv=KUNDEN, notes__md="x").left)
    assert left == {
        "linked/": "a link out of the folder",
        "dead.csv": "must lead to a file, found a link that leads nowhere; name the file itself",
        "loop.csv": "must lead to a file, found a link that leads back to itself; name the file itself",
        "pipe.csv": "must be a file, found a pipe; write it to a file first",
        "notes.md": "its ending is none that is read",
    }


def test_a_workspace_its_settings_and_its_empty_templates_are_not_looked_at(tmp_path):
    for name in ("workspace/churnml.db", "configs/workspace.yaml", "configs/train.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "templates").mkdir()
    for table in TABLES.values():
        (tmp_path / "templates" / f"{table.name}.csv").write_text(",".join(table.names) + "\n")
    found = proposed(tmp_path, kunden__csv=KUNDEN)
    assert ([one.files for one in found.entries], found.left) == (["kunden.csv"], ())
