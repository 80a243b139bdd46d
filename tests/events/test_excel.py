"""A sheet comes in cell by cell as the text that stands for it; workbooks that mean harm end a process of their own."""

import datetime as dt
import struct
import zipfile

import duckdb
import pytest
import xlsxwriter

from churnml.errors import ConfigError, DataRefusedError
from churnml.events.sources import unread_sheets, workbook
from churnml.events.sources.excel import excel_rows

ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
  xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
  xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:body><office:spreadsheet>
<table:table table:name="One"><table:table-row>{names}</table:table-row><table:table-row>{cells}</table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>"""
ODS_MANIFEST = """<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">
<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>
</manifest:manifest>"""
ODS_TEXT = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
ODS_NUMBER = '<table:table-cell office:value-type="float" office:value="{0}"><text:p>{0}</text:p></table:table-cell>'


@pytest.fixture
def connection():
    with duckdb.connect(config={"memory_limit": "400MB"}) as connection:
        yield connection


@pytest.fixture
def read(connection, tmp_path):
    """Return a reader of a workbook of that name."""
    return lambda name, **options: excel_rows(tmp_path / name, connection, tmp_path, **options)


@pytest.fixture
def write(tmp_path):
    """Return a writer of a workbook: for each sheet, its cells by place."""

    def write(**sheets):
        with xlsxwriter.Workbook(tmp_path / "book.xlsx", {"remove_timezone": True}) as book:
            formats = {kind: book.add_format({"num_format": said}) for kind, said in FORMATS.items()}
            for name, cells in sheets.items():
                sheet = book.add_worksheet(name)
                for place, value in cells.items():
                    sheet.write(place, *(value if isinstance(value, tuple) else (value,)))
                    if type(value) in formats:
                        sheet.write_datetime(place, value, formats[type(value)])
        return tmp_path / "book.xlsx"

    return write


FORMATS = {dt.date: "yyyy-mm-dd", dt.datetime: "yyyy-mm-dd hh:mm:ss", dt.time: "hh:mm", dt.timedelta: "[h]:mm:ss"}


def compound(name, stream):
    """Return an OLE compound file with one stream, as .xls files and protected workbooks are."""
    free, last, none = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF
    count = -(-max(len(stream), 4096) // 512)
    fat = [0xFFFFFFFD, last, *range(3, 2 + count), last]
    entry = "64s H B B 3I 16s I 8s 8s I Q"
    labels = [(label, len(label) * 2 + 2) for label in ("Root Entry".encode("utf-16-le"), name.encode("utf-16-le"))]
    root = struct.pack(f"<{entry}", labels[0][0], 22, 5, 1, none, none, 1, b"", 0, b"", b"", last, 0)
    child = struct.pack(
        f"<{entry}", labels[1][0], len(name) * 2 + 2, 2, 1, none, none, none, b"", 0, b"", b"", 2, count * 512
    )
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    head += struct.pack("<8I", 1, 1, 0, 4096, last, 0, last, 0) + struct.pack("<109I", 0, *[free] * 108)
    table = struct.pack("<128I", *fat, *[free] * (128 - len(fat)))
    return head + table + (root + child).ljust(512, b"\0") + stream.ljust(count * 512, b"\0")


def old_workbook():
    """Return an .xls with the columns `id` and `n`, and one row: the text 00123 and the number 7."""

    def record(kind, body):
        return struct.pack("<HH", kind, len(body)) + body

    def text(row, column, value):
        return record(0x0204, struct.pack("<4H B", row, column, 0, len(value), 0) + value.encode())

    begin, end = (lambda kind: record(0x0809, struct.pack("<4H 2I", 0x0600, kind, 0, 0, 0, 0))), record(0x0A, b"")
    sheet = begin(0x10) + text(0, 0, "id") + text(0, 1, "n") + text(1, 0, "00123")
    sheet += record(0x0203, struct.pack("<3H d", 1, 1, 0, 7.0)) + end
    bound = struct.pack("<I 2B 2B", len(begin(5)) + 4 + 11 + len(end), 0, 0, 3, 0) + b"One"
    return compound("Workbook", begin(5) + record(0x85, bound) + end + sheet)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (("00123", None), "00123"),
        (123.0, "123"),
        (999_999_999_999_999, "999999999999999"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (-0.0, "0"),
        (True, "true"),
        (dt.date(2017, 3, 31), "2017-03-31"),
        (dt.datetime(2017, 3, 31, 14, 5), "2017-03-31 14:05:00"),
        (dt.time(14, 5), "14:05:00"),
        (dt.timedelta(hours=30), "30:00:00"),
        (("=1+1", None, 2), "2"),
        (("=1/0", None, "#DIV/0!"), "#DIV/0!"),
        (("=NA()", None, "#N/A"), "#N/A"),
        ("NA", "NA"),
        ('a "b", c\r\nd\ne é', 'a "b", c\r\nd\ne é'),
        ("  ", "  "),
    ],
)
def test_a_cell_is_the_text_that_stands_for_it(read, write, cell, text):
    write(One={"A1": "kept", "B1": "value", "A2": "x", "B2": cell})
    assert read("book.xlsx").relation.fetchall() == [("x", text, 1)]


def test_rows_are_counted_from_the_one_below_the_names_and_empty_ones_count(read, write):
    write(One={"B3": "customer_id", "C3": " first\nname ", "B4": "a", "B6": "b", "C6": "x"})
    rows = read("book.xlsx")
    assert rows.relation.columns == ["customer_id", "first name", "source_row"]
    assert rows.relation.fetchall() == [("a", None, 1), ("b", "x", 3)]
    assert rows.notes == ("the columns are named in row 3; the rows above are empty",)


def test_an_error_stands_in_its_own_cell_wherever_the_table_begins(read, write):
    write(One={"C2": "a", "D2": "b", "C3": "x", "D3": ("=NA()", None, "#N/A"), "C5": ("=NA()", None, "#REF!")})
    assert read("book.xlsx").relation.fetchall() == [("x", "#N/A", 1), ("#REF!", None, 3)]


def test_names_without_rows_are_a_table_too(read, write):
    write(One={"A1": "id"})
    assert read("book.xlsx").relation.fetchall() == []


def test_a_formula_that_was_never_calculated_is_told(read, write):
    write(One={"A1": "id", "B1": "sum", "A2": "a", "B2": ("=1+1", None, "")})
    path = write(One={"A1": "id", "A2": "a"})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("xl/worksheets/sheet1.xml", UNCALCULATED)
    notes = read("book.xlsx").notes
    assert notes == ("1 formula has no value in cell B2, and is read as empty; save the workbook in Excel",)


UNCALCULATED = """<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>n</t></is></c></row>
<row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c><c r="B2"><f>1+1</f><v></v></c></row>
<row r="3"><c r="A3" t="inlineStr"><is><t>b</t></is></c><c r="B3" t="str"><f>""</f><v></v></c></row>
</sheetData></worksheet>"""


def test_ids_kept_as_numbers_are_told(read, write):
    write(One={"A1": "Customer_ID", "B1": "amount", "A2": 123, "B2": 5})
    (note,) = read("book.xlsx").notes
    assert note.startswith("`Customer_ID` holds numbers, not texts: zeros in front and digits beyond the fifteenth")


def test_one_of_several_sheets_must_be_named(read, write):
    write(One={"A1": "id", "A2": "a"}, Two={"A1": "id", "A2": "b"})
    with pytest.raises(ConfigError, match=r"say which sheet to read with `sheet` .*; it holds `One`, `Two`"):
        read("book.xlsx")
    with pytest.raises(ConfigError, match=r"has no sheet `Too`; it holds `One`, `Two`; did you mean `Two`"):
        read("book.xlsx", sheet="Too")
    rows = read("book.xlsx", sheet="Two")
    assert (rows.relation.fetchall(), rows.sheet, rows.other_sheets) == ([("b", 1)], "Two", ("One",))
    assert unread_sheets([rows]) == "the sheet `Two` was read, `One` not"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({}, "the sheet `One` is empty"),
        ({"A1": "id", "B1": "ID"}, "each column needs a name of its own, found `id` and `ID`"),
        ({"A1": "Report of May", "A2": "id", "B2": "n"}, "cell B2 stands in a column without a name"),
        ({"A1": "id", "A2": "a", "AB9": "x"}, "cell AB9 stands in a column without a name"),
    ],
)
def test_a_sheet_that_is_no_table_is_refused(read, write, cells, words):
    write(One=cells)
    with pytest.raises(DataRefusedError, match=r"^book\.xlsx: ") as refused:
        read("book.xlsx")
    assert words in str(refused.value)


def test_an_old_workbook_is_read(read, tmp_path):
    (tmp_path / "old.xls").write_bytes(old_workbook())
    rows = read("old.xls")
    assert rows.relation.fetchall() == [("00123", "7", 1)]
    assert rows.notes == ("in a .xls file a formula error such as #N/A cannot be told from an empty cell",)


def test_an_open_document_is_read(read, tmp_path):
    with zipfile.ZipFile(tmp_path / "open.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        cells = ODS_TEXT.format("00123") + ODS_NUMBER.format("7")
        archive.writestr("META-INF/manifest.xml", ODS_MANIFEST)
        archive.writestr("content.xml", ODS.format(names=ODS_TEXT.format("id") + ODS_TEXT.format("n"), cells=cells))
    assert read("open.ods").relation.fetchall() == [("00123", "7", 1)]


def test_a_protected_workbook_is_refused(read, tmp_path):
    (tmp_path / "book.xlsx").write_bytes(compound("EncryptedPackage", b"?"))
    with pytest.raises(DataRefusedError, match="is protected by a password; save it without one, or as CSV"):
        read("book.xlsx")


@pytest.mark.parametrize("name", ["book.xlsx", "book.xls", "book.xlsb", "book.ods"])
@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-900], lambda _: b"", lambda _: b"<html><table>", lambda whole: bytes(len(whole))]
)
def test_a_damaged_workbook_is_refused_in_plain_words(read, write, tmp_path, name, damage):
    whole = write(One={"A1": "id", "A2": "a"}).read_bytes()
    (tmp_path / name).write_bytes(damage(whole))
    with pytest.raises(
        DataRefusedError, match="expected a whole workbook, found one that is damaged or of another kind"
    ):
        read(name)


def test_a_lone_cell_far_away_does_not_take_the_memory(read, write):
    write(One={"A1": "id", "A2": "a", "XFD1048576": "far"})
    with pytest.raises(DataRefusedError, match=r"the sheet needs more than 800 MB of memory.* a lone cell far below"):
        read("book.xlsx")


def test_a_workbook_that_unpacks_beyond_measure_is_not_opened(read, tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", " " * (70 << 20))
    with pytest.raises(DataRefusedError, match=r"unpacks from 0\.1 to 73 MB, more than a workbook of data does"):
        read("bomb.xlsx")


def test_columns_are_called_as_excel_calls_them():
    assert [workbook._letters(place) for place in (0, 25, 26, 701, 702, 16_383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
    assert workbook._column(b"XFD") == 16_383
