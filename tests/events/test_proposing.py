"""Files are told by their names and values, with a confidence, and only what nobody can tell becomes a question."""

import duckdb
import pytest

from churnml.errors import UsageError
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


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(UsageError, match="holds no file that can be read: CSV, Excel, JSON lines or Parquet"):
        propose(tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        propose(tmp_path / "none")


def test_the_vocabulary_speaks_of_tables_and_columns_of_the_contract():
    from churnml.events.schema import TABLES

    columns = {column for table in TABLES.values() for column in table.names}
    columns |= {f"{table.name}.{column}" for table in TABLES.values() for column in table.names}
    assert set(TABLE_WORDS) == set(TABLES)
    assert set(COLUMN_WORDS) | set(VALUE_WORDS) <= columns
