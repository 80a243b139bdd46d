"""Nothing that looks like a file makes ingest hang, swell or run: it is refused, or kept as harmless text."""

import os
import signal
import socket
import zipfile

import pyarrow.parquet as pq
import pytest

from churnml.errors import DataRefusedError
from command import churnml
from ingesting import peak_of_ingesting

HEADER = "customer_id,occurred_at,order_id,amount"
CUSTOMERS = "customer_id occurred_at\n ann 2020-01-01"
SECONDS = 5


@pytest.fixture
def shop(tiny):
    """Return a workspace in which one customer stands."""
    tiny.land(customers=CUSTOMERS)
    return tiny


@pytest.fixture
def in_time():
    """End a test that hangs."""

    def late(*_):
        raise TimeoutError(f"not done within {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def ingest(tiny, path, *words, table="orders"):
    """Run `churnml ingest` on the workspace."""
    return churnml("ingest", path, "--table", table, "--workspace", tiny.workspace.root, *words)


def picture(folder):
    """Return every file of a folder with its bytes, but for what SQLite keeps beside its own."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".db-wal", ".db-shm"}]
    return {path.relative_to(folder): path.read_bytes() for path in files}


# What is no table is refused at once


def _pipe(path):
    os.mkfifo(path)


def _device(path):
    path.symlink_to("/dev/zero")


def _dangling(path):
    path.symlink_to(path.with_name("gone.csv"))


def _circle(path):
    path.symlink_to(path)


def _socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        place = os.open(path.parent, os.O_RDONLY)  # a socket's name may not be long
        server.bind(f"/proc/self/fd/{place}/{path.name}")
        os.close(place)


def _archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("orders.csv", f"{HEADER}\nann,2020-02-01,o1,5\n")


def _page(path):
    path.write_text("<!DOCTYPE html><html><table><tr><td>ann</td></tr></table></html>")


NO_TABLES = {
    "pipe": (_pipe, 2, "found a pipe"),
    "device": (_device, 2, "found a device"),
    "dangling link": (_dangling, 2, "found a link that leads nowhere"),
    "link to itself": (_circle, 2, "must lead to a file"),
    "socket": (_socket, 2, "found a socket"),
    "folder": (os.mkdir, 2, "found a folder"),
    "archive": (_archive, 3, "found a zip archive"),
    "page": (_page, 3, "found a web page (HTML)"),
}


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("check", [(), ("--check",)], ids=["landed", "checked"])
@pytest.mark.parametrize(("make", "code", "words"), NO_TABLES.values(), ids=NO_TABLES.keys())
def test_what_is_no_table_is_refused_at_once_and_the_workspace_stays_as_it_was(shop, make, code, words, check):
    path = shop.folder / "orders.csv"
    make(path)
    before = picture(shop.workspace.root)
    said = ingest(shop, path, *check)
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith("error")
    assert words in said.err
    assert "Traceback" not in said.err
    assert picture(shop.workspace.root) == before


# What changes while it is read


@pytest.mark.parametrize("told", ["progress", "outlook"])
def test_a_file_that_grows_while_it_is_read_is_refused(shop, told):
    path = shop.file("orders.csv", f"{HEADER}\nann,2020-02-01,o1,5\n")
    before = picture(shop.workspace.root)

    def grow(_):
        with path.open("a") as file:
            file.write("ann,2020-02-02,o2,6\n")

    with pytest.raises(DataRefusedError, match=r"orders.csv: a file must stand still while it is read"):
        shop.ingest("orders", path, **{told: grow})
    assert shop.catalogue.parts("orders") == []
    assert picture(shop.workspace.root) == before


# What could do harm elsewhere is text here

HARMFUL = {  # as it stands in the file, and how a page shows it
    "formula": ("=cmd|'/c calc'!A1", "=cmd|&#39;/c calc&#39;!A1"),
    "at": ("@SUM(1+1)*cmd", "@SUM(1+1)*cmd"),
    "page": ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    "attribute": ("\" onmouseover='alert(1)'", "&#34; onmouseover=&#39;alert(1)&#39;"),
    "escape": ("\x1b[31mred", '<span class="escape">ESC</span>[31mred'),
    "bell": ("ding\x07", 'ding<span class="escape">U+0007</span>'),
    "direction": ("abc\u202egpj.exe", 'abc<span class="escape">U+202E</span>gpj.exe'),
    "markup": ("[/bold] {{ 7 * 7 }} %(x)s", "[/bold] {{ 7 * 7 }} %(x)s"),
}


@pytest.mark.parametrize("text", [text for text, _ in HARMFUL.values()], ids=HARMFUL.keys())
def test_a_text_lands_exactly_as_it_was_written(tiny, text):
    quoted = text.replace('"', '""')
    tiny.ingest("customers", tiny.file("c.csv", f'customer_id,occurred_at,region\nann,2020-01-01,"{quoted}"\n'))
    (part,) = tiny.catalogue.parts("customers")
    assert pq.read_table(tiny.workspace.root / part.path)["region"].to_pylist() == [text]


@pytest.mark.parametrize(("text", "shown"), HARMFUL.values(), ids=HARMFUL.keys())
def test_a_report_shows_a_text_and_never_runs_it(shop, text, shown, tmp_path):
    quoted = text.replace('"', '""')
    path = shop.file("orders.csv", f'{HEADER},"{quoted}"\nann,2020-02-01,o1,"{quoted}",1\nann,2020-02-01,o2,5,1\n')
    said = ingest(shop, path, "--check", "--report", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert said.code == 0
    assert page.count(shown) == 2
    assert text not in page or text == shown


def test_the_terminal_gets_no_control_characters_from_the_data(shop):
    path = shop.file("orders.csv", f"{HEADER},\x1b[2J\x07[/red]\nann,2020-02-01,\x1b[2Jo1\x07,5,1\n")
    said = ingest(shop, path)
    assert said.code == 0
    assert "\x1b" not in said.err
    assert "\x07" not in said.err


def test_a_file_may_be_called_what_it_likes(shop, tmp_path):
    path = shop.file(
        "[red] <img src=x onerror=alert(1)> {{x}}.csv", f"{HEADER}\nann,2020-02-01,o1,five\nann,2020-02-01,o2,5\n"
    )
    said = ingest(shop, path, "--check", "--report", tmp_path / "report.html")
    assert said.code == 0
    assert "<img" not in (tmp_path / "report.html").read_text(encoding="utf-8")


# What must not be there afterwards


def test_a_check_without_a_workspace_makes_none(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("customer_id,occurred_at\nann,2020-01-01\n")
    said = churnml("ingest", path, "--table", "customers", "--workspace", tmp_path / "none", "--check")
    assert said.code == 0
    assert list(tmp_path.iterdir()) == [path]


def test_a_check_that_refuses_makes_no_workspace_either(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("nothing,of,the,kind\n1,2,3,4\n")
    said = churnml("ingest", path, "--table", "customers", "--workspace", tmp_path / "none", "--check")
    assert said.code == 3
    assert list(tmp_path.iterdir()) == [path]


# Memory


def test_a_million_rows_are_checked_in_less_than_a_gigabyte(tmp_path):
    assert peak_of_ingesting(tmp_path, 1_000_000, check_only=True) < 1_000


@pytest.mark.long
def test_five_million_rows_that_come_again_are_skipped_in_less_than_a_gigabyte(tmp_path):
    peak_of_ingesting(tmp_path, 5_000_000)
    assert peak_of_ingesting(tmp_path, 5_000_001) < 1_000


@pytest.mark.long
@pytest.mark.parametrize("check", [True, False], ids=["checked", "landed"])
def test_memory_does_not_grow_with_the_file(tmp_path, check):
    # from twelve million DuckDB holds all that it may; beside that it notes what lies on the disk
    small, large = (peak_of_ingesting(tmp_path / str(n), n * 1_000_000, check_only=check) for n in (12, 48))
    assert large < 1_000
    assert (large - small) * 1e6 / 36_000_000 < 3  # bytes a row
