import gzip
import os
import socket
import tarfile
import zipfile
from pathlib import Path

import duckdb
import pytest
import xlsxwriter

from churnml.errors import DataRefusedError, UsageError
from churnml.events.sources.opening import exact_name, kind_of, look_at, unchanged

ROWS = "customer_id,amount\n00123,12.50\n"


@pytest.fixture
def put(tmp_path):
    """Return a maker of files with given first bytes."""

    def put(name, content=ROWS):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


@pytest.fixture
def workbook(tmp_path):
    """Return an Excel workbook of one cell."""
    with xlsxwriter.Workbook(tmp_path / "made.xlsx") as book:
        book.add_worksheet().write(0, 0, "customer_id")
    return tmp_path / "made.xlsx"


def test_a_plain_file_is_let_in(put):
    path = put("orders.csv")
    assert look_at(path) == path.resolve()


def test_a_link_to_a_file_is_followed(put, tmp_path):
    path, link = put("orders.csv"), tmp_path / "link.csv"
    link.symlink_to(path)
    assert look_at(link) == path.resolve()


def test_a_link_that_leads_nowhere_is_told(tmp_path):
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "gone.csv")
    with pytest.raises(UsageError, match="must lead to a file, found a link that leads nowhere"):
        look_at(link)


def test_links_in_a_circle_are_told(tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "b.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    with pytest.raises(UsageError, match="must lead to a file, found a link that leads back to itself"):
        look_at(tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["gone.csv", "gone/orders.csv", "x" * 300, "nul\0.csv"])
def test_what_is_not_there_is_told(tmp_path, name):
    with pytest.raises(UsageError, match="is not there; check the spelling"):
        look_at(tmp_path / name)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UsageError, match="must be a file, found a folder; name the files in it"):
        look_at(tmp_path)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UsageError, match="must be a file, found a pipe; write it to a file first"):
        kind_of(tmp_path / "pipe.csv")


def test_a_socket_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's name may not be long
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.csv")
        with pytest.raises(UsageError, match="must be a file, found a socket"):
            look_at(tmp_path / "s.csv")


def test_a_device_is_never_opened(tmp_path):
    (tmp_path / "endless.csv").symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="must be a file, found a device"):
        look_at(tmp_path / "endless.csv")


def test_a_file_we_may_not_read_is_told(put, monkeypatch):
    path = put("orders.csv")
    monkeypatch.setattr("pathlib.Path.open", _forbidden)  # the tests may run as one who may read everything
    with pytest.raises(UsageError, match=r"must be readable, .* may not read it; give this user the right"):
        look_at(path)


def _forbidden(*_, **__):
    raise PermissionError(13, "Permission denied")


def test_an_empty_file_is_refused(put):
    with pytest.raises(DataRefusedError, match=r"found an empty one \(0 bytes\); export it again"):
        look_at(put("orders.csv", b""))


def _zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("orders.csv", ROWS)


def _tar(path):
    (path.parent / "in.txt").write_text(ROWS)
    with tarfile.open(path, "w") as archive:
        archive.add(path.parent / "in.txt", "orders.csv")


def _gzip(path):
    path.write_bytes(gzip.compress(ROWS.encode()))


@pytest.mark.parametrize("name, make", [("zip", _zip), ("tar", _tar), ("gzip", _gzip)])
@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".parquet"])
def test_an_archive_is_to_be_unpacked_whatever_its_name(tmp_path, name, make, ending):
    make(tmp_path / f"orders{ending}")
    with pytest.raises(DataRefusedError, match=f"found a {name} archive; unpack it first"):
        kind_of(tmp_path / f"orders{ending}")


@pytest.mark.parametrize(
    "start, name",
    [
        (b"BZh91AY&SY", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07", "rar"),
    ],
)
def test_other_archives_are_known_by_their_first_bytes(put, start, name):
    with pytest.raises(DataRefusedError, match=f"found a {name} archive; unpack it first"):
        look_at(put("orders.csv", start + b"....."))


@pytest.mark.parametrize(
    "start, words",
    [
        (b"%PDF-1.7", "a PDF document"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"\n <!DOCTYPE html><html>", r"a web page \(HTML\)"),
        (b"\xef\xbb\xbf<table><tr>", r"a web page \(HTML\)"),
        ("<html>".encode("utf-16"), r"a web page \(HTML\)"),
        (b'<?xml version="1.0"?><Workbook>', "an XML document"),
    ],
)
@pytest.mark.parametrize("ending", [".csv", ".xls"])
def test_what_holds_no_table_is_called_by_its_name(put, start, words, ending):
    with pytest.raises(DataRefusedError, match=f"expected a table, found {words}"):
        kind_of(put(f"orders{ending}", start))


@pytest.mark.parametrize(
    "name, content, kind",
    [
        ("orders.CSV", ROWS, "csv"),
        ("orders.tsv", ROWS, "csv"),
        ("orders.txt", ROWS, "csv"),
        ("orders.parquet", b"PAR1....PAR1", "parquet"),
        ("orders.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "excel"),
        ("orders.jsonl", '{"customer_id": "00123"}', "jsonlines"),
        ("orders.ndjson", "no JSON at all", "jsonlines"),
    ],
)
def test_the_ending_says_the_kind_where_the_bytes_agree(put, name, content, kind):
    assert kind_of(put(name, content)) == kind


def test_a_workbook_is_known(workbook):
    assert kind_of(workbook) == "excel"


def test_a_duckdb_file_is_known(tmp_path):
    duckdb.connect(str(tmp_path / "shop.duckdb")).close()
    assert kind_of(tmp_path / "shop.duckdb") == "duckdb"


@pytest.mark.parametrize("content", [b"PARE\x15\x04\x15\x00rest", b"\x00" * 40, b"\x89\x01\x02\x03" * 9])
@pytest.mark.parametrize("name", ["orders.parquet", "orders.xlsx", "orders.duckdb"])
def test_bytes_that_are_neither_that_nor_text_are_not_to_be_renamed_as_text(put, name, content):
    told = "found bytes that are neither that nor text, as in a damaged file; export or copy it again"
    with pytest.raises(DataRefusedError, match=told):
        kind_of(put(name, content))


def test_a_workbook_under_another_name_is_told_which_it_should_bear(workbook):
    path = workbook.rename(workbook.with_suffix(".csv"))
    with pytest.raises(DataRefusedError, match=r"a CSV file, found an Excel workbook; rename it to made\.xlsx"):
        kind_of(path)


def test_a_workbook_that_was_cut_off_is_still_known(workbook):
    workbook.write_bytes(workbook.read_bytes()[:2000])
    assert kind_of(workbook) == "excel"


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("orders.xlsx", ROWS, r"an Excel workbook, found what is none \(text, .*; rename it to orders\.csv"),
        ("orders.parquet", ROWS, r"a Parquet file, found what is none \(text, .*; rename it to orders\.csv"),
        ("orders.csv", b"PAR1....PAR1", r"a CSV file, found a Parquet file; rename it to orders\.parquet"),
        ("orders.csv", b"........DUCK", r"a CSV file, found a DuckDB file; rename it to orders\.duckdb"),
        ("orders.csv", '{"customer_id": 1}', r"a CSV file, found JSON lines; rename it to orders\.jsonl"),
        ("orders.jsonl", b"PAR1....PAR1", r"JSON lines, found a Parquet file; rename it to orders\.parquet"),
    ],
)
def test_a_name_that_does_not_fit_the_bytes_is_told_with_one_that_does(put, name, content, words):
    with pytest.raises(DataRefusedError, match=words):
        kind_of(put(name, content))


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("orders.dat", ROWS, r"must end in one of \.csv, .*, found \.dat"),
        ("orders", b"PAR1....PAR1", r"found no ending; it holds a Parquet file: name it orders\.parquet"),
    ],
)
def test_an_ending_that_says_nothing_is_an_error_of_usage(put, name, content, words):
    with pytest.raises(UsageError, match=words):
        kind_of(put(name, content))


def test_a_file_that_stands_still_may_be_read(put):
    path = put("orders.csv")
    with unchanged(path):
        assert path.read_text() == ROWS


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text(ROWS + "2,3\n"),
        lambda path: os.utime(path, (1, 1)),
        lambda path: path.unlink(),
    ],
)
def test_a_file_that_changes_while_it_is_read_is_refused(put, change):
    path = put("orders.csv")
    with (
        pytest.raises(DataRefusedError, match=r"must stand still .* wait until whoever writes it is done"),
        unchanged(path),
    ):
        change(path)


def test_what_goes_wrong_with_a_file_that_changes_is_put_down_to_the_change(put):
    path = put("orders.csv")
    with pytest.raises(DataRefusedError, match="must stand still"), unchanged(path):
        _fail(path.write_text(ROWS * 2))


def _fail(*_):
    raise DataRefusedError("a record is missing")


def test_what_goes_wrong_with_a_file_that_stands_still_is_told_as_it_is(put):
    with pytest.raises(DataRefusedError, match="a record is missing"), unchanged(put("orders.csv")):
        raise DataRefusedError("a record is missing")


def test_a_name_that_looks_like_a_pattern_opens_its_own_file(put):
    put("orders1.csv", "other\n1\n")
    own = put("orders[1].csv", "own\n1\n")
    assert duckdb.connect().read_csv(exact_name(own)).columns == ["own"]


def test_a_url_is_no_file_and_is_never_shown():
    with pytest.raises(UsageError, match="must be a file, found a URL, which is not read here") as caught:
        look_at(Path("https://u:geheim@h/orders.csv"))
    assert "geheim" not in str(caught.value)
