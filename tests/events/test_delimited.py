import csv
import io
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnml.errors import ConfigError, DataRefusedError, UsageError
from churnml.events.sources import Format, Rows, delimited_structure
from churnml.events.sources.delimited import delimited_rows
from churnml.events.sources.delimited_structure import Layout, count_records


@dataclass
class Read:
    """What came of a file: rows with their numbers, and records that are none."""

    found: Rows
    rows: list
    numbers: list
    rejected: list

    @property
    def notes(self):
        return "; ".join(self.found.notes)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        yield connection


def read(connection, folder, content, name="orders.csv", **declared) -> Read:
    """Write a file and read it, as whoever stores its rows does."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = delimited_rows(path, connection, folder, **declared).exact()
    rows = found.relation.fetchall()
    numbered = found.relation.columns[0] == "source_row"
    rejected = f"SELECT source_row, found, rule, remedy FROM {found.rejected} ORDER BY source_row"
    return Read(
        found,
        [row[1:] for row in rows] if numbered else rows,
        [row[0] for row in rows] if numbered else list(range(1, len(rows) + 1)),
        connection.execute(rejected).fetchall() if found.rejected else [],
    )


@pytest.fixture
def reads(connection, tmp_path):
    """Return a reader of files given as text or bytes."""
    return lambda content, **more: read(connection, tmp_path, content, **more)


# what survives


ODD = (
    'id,note\r\n00123,NA\r\n9007199254740993,"two\r\nlines"\r\n" 7 ","she said ""no"""\r\n'
    '王小明,😀 5" screen\r\n1e400,nan\r\n"",\x1b[31m\r\n\r\nlast,"a,b;c|d"'
)
ODD_ROWS = [
    ("00123", "NA"),
    ("9007199254740993", "two\r\nlines"),
    (" 7 ", 'she said "no"'),
    ("王小明", '😀 5" screen'),
    ("1e400", "nan"),
    (None, "\x1b[31m"),
    ("last", "a,b;c|d"),
]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("after", ["", "\r\n", "\r\n\r\n\r\n"])
def test_what_is_odd_but_good_survives_exactly(reads, mark, after):
    came = reads(mark + ODD + after)
    assert (came.rows, came.found.records, came.rejected) == (ODD_ROWS, 7, [])


def test_what_is_odd_but_good_survives_beside_a_broken_record(reads):
    came = reads(ODD + "\r\nbroken\r\n")
    assert (came.rows, came.numbers, came.found.records) == (ODD_ROWS, [1, 2, 3, 4, 5, 6, 7], 8)


def test_a_plain_file_is_read_without_numbers_and_without_notes(reads):
    came = reads("id,amount\n1,2.50\n3,4\n")
    assert (came.rows, came.found.relation.columns) == ([("1", "2.50"), ("3", "4")], ["id", "amount"])
    assert (came.found.records, came.found.notes, came.found.formats, came.found.rejected) == (2, (), {}, "")


def test_a_link_is_followed_and_a_name_like_a_pattern_is_its_own_file(reads, tmp_path, connection):
    reads("id,b\nother,x\n", name="orders1.csv")
    assert reads("id,b\nown,x\n", name="orders[1].csv").rows == [("own", "x")]
    (tmp_path / "link.csv").symlink_to(tmp_path / "orders[1].csv")
    assert delimited_rows(tmp_path / "link.csv", connection, tmp_path).relation.fetchall() == [("own", "x")]


def test_a_file_that_is_not_there_is_an_error_of_usage(connection, tmp_path):
    with pytest.raises(UsageError, match="is not there; check the spelling"):
        delimited_rows(tmp_path / "gone.csv", connection, tmp_path)


TEXTS = st.text(st.sampled_from([*"ab0 \",;|\t\r\n'\x7f", "é", "中", "😀"]), max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6), st.sampled_from(["\n", "\r\n"]), st.sampled_from([3, 1 << 22]))
def test_whatever_is_written_as_csv_is_read_as_it_was(connection, rows, end, chunk):
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator=end).writerows([("id", "note"), *rows])
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited_structure, "_CHUNK", chunk)
        came = read(connection, Path(folder), buffer.getvalue())
    assert came.rows == [(first or None, second or None) for first, second in rows]
    assert came.found.records == len(rows)


# encoding


@pytest.mark.parametrize(
    "encoding, city, note",
    [
        ("utf-16", "Zürich 北京 😀", "read as UTF-16, as its byte order mark says"),
        ("gb18030", "北京市朝阳区", r"not UTF-8: read as gb18030 \(Chinese\); if letters look wrong, declare"),
        ("cp1252", "Zürich – €", r"not UTF-8: read as cp1252 \(Western European\); if letters look wrong"),
    ],
)
def test_an_encoding_is_found_out_and_noted(reads, encoding, city, note):
    came = reads(f"id,city\n1,{city}\n".encode(encoding))
    assert came.rows == [("1", city)]
    assert re.search(note, came.notes)


CHINESE = [
    "王鑫 李婷 张琪 刘昊 陈璐 杨雯 赵倩 黄琳",
    "王鑫 李婷",
    "¥903.00 张喆 王丽 李强",
    "¥903.00",
    "上海市“浦东”新区，世纪大道１号",
]
WESTERN = [
    "Müller Groß Jürgen Weiß Äpfel&Öl Straße",
    "Hélène François Élodie Noël Benoît cœur forêt où créée L’été",
    "Muñoz Ñuñez García ¿Qué? 3ª João Conceição Guimarães Inês",
    "Nicolò Forlì perché Bjørn Åse Tromsø Kjær Määttä Pöyry",
    "MÜLLER FRANÇOIS NUÑEZ 12.50 € £5 “Zürich” – 20°",
]
OTHERS = [
    ("cp1251", "Иванов Петрова Сидоров", "Иванов"),
    ("cp1251", "Анна Нина Вера", "Анна"),
    ("shift_jis", "田中太郎 鈴木花子 ヤマダ さくら", "田中太郎"),
    ("shift_jis", "ﾔﾏﾀﾞ ﾀﾛｳ", "ﾔﾏﾀﾞ"),
    ("big5", "王小明 陳美玲 林志豪 黃淑芬", "王小明"),
    ("euc_kr", "김철수 이영희 박지성", "김철수"),
    ("euc_jp", "田中太郎 鈴木花子", "田中太郎"),
    ("cp1250", "Kowalska Pawłowski Zając Wiśniewska Dębski", "Pawłowski"),
    ("cp1250", "Kamiński Wójcik", "Kamiński"),
    ("cp1250", "Dvořák Novák Černý Němec", "Dvořák"),
    ("cp1250", "Szűcs Erdős Babić", "Szűcs"),
]


@pytest.mark.parametrize(
    "encoding, names", [*(("gb18030", names) for names in CHINESE), *(("cp1252", names) for names in WESTERN)]
)
def test_chinese_and_western_names_are_read_as_they_were_written(reads, encoding, names):
    came = reads(b"id,name\n" + "".join(f"1,{name}\n" for name in names.split()).encode(encoding))
    assert [name for _, name in came.rows] == names.split()
    assert f"not UTF-8: read as {encoding}" in came.notes


@pytest.mark.parametrize("encoding, names, word", OTHERS)
def test_what_may_be_another_encoding_is_refused_with_a_word_as_each_would_read(reads, encoding, names, word):
    content = b"id,name\n" + "".join(f"1,{name}\n" for name in names.split()).encode(encoding)
    with pytest.raises(DataRefusedError, match=rf"{encoding} would read `{word}`.*; declare its `encoding` in sources"):
        reads(content)
    assert [name for _, name in reads(content, encoding=encoding).rows] == names.split()


def test_polish_letters_that_western_words_have_too_are_read_alike(reads):
    assert reads("id,name\n1,Wójcik\n".encode("cp1250")).rows == [("1", "Wójcik")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "gb18030", "latin-1", "shift_jis"])
def test_a_declared_encoding_is_taken_without_a_note(reads, encoding):
    name = {"latin-1": "Müller", "shift_jis": "東京"}.get(encoding, "中文")
    came = reads(f"id,city\n1,{name}\n".encode(encoding), encoding=encoding)
    assert (came.rows, came.notes) == ([("1", name)], "")


@pytest.mark.parametrize(
    "content, encoding, words",
    [
        (b"id,city\n1,M\xfcller\n", "utf-8", r"text in UTF-8, found what is none on line 2 \(byte 12 of the file\)"),
        (b"id,city\n1,a\n2,\xff\xff\n", "gb18030", r"text in GB18030, found what is none on line 3 \(byte 15 of"),
        (
            b"id,city\n1,\x81\n",
            "cp1252",
            r"text in CP1252, found .* line 2 .*; declare its `encoding` in sources\.yaml",
        ),
    ],
)
def test_a_declared_encoding_that_does_not_fit_is_refused_with_the_place(reads, content, encoding, words):
    with pytest.raises(DataRefusedError, match=words):
        reads(content, encoding=encoding)


@pytest.mark.parametrize("end", [b"3,\xff\n", "3,é".encode()[:-1]])
def test_damaged_utf8_is_not_taken_for_another_encoding(reads, end):
    with pytest.raises(DataRefusedError, match=r"none on line 4 .* the rest is UTF-8, so the file may be damaged"):
        reads("id,city\n1,Zürich\n2,中文\n".encode() + end)


@pytest.mark.parametrize("encoding", ["klingon", "zip", "rot13"])
def test_an_encoding_nobody_knows_is_an_error_of_configuration(reads, encoding):
    with pytest.raises(ConfigError, match=f"`encoding` must be one such as utf-8, .* found '{encoding}'"):
        reads("id\n1\n", encoding=encoding)


@pytest.mark.parametrize("content", [b"id,b\n1,2\n\x00,3\n", "id,b\n".encode("utf-16-le")])
def test_a_nul_byte_is_refused_with_its_line(reads, content):
    with pytest.raises(DataRefusedError, match=r"found a NUL byte on line [13]; .* `encoding` .* if it is UTF-16"):
        reads(content)


# separator, quote, header


@pytest.mark.parametrize("mark, word", [(";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")])
def test_another_separator_is_found_out_and_noted(reads, mark, word):
    came = reads(f'id{mark}"a, note"\n1{mark}x,y\n2{mark}\n'.encode())
    assert came.rows == [("1", "x,y"), ("2", None)]
    assert f"values parted by a {word}" in came.notes


def test_the_separator_is_the_one_by_which_the_rows_agree_with_the_header(reads):
    assert reads("id,tags|labels\n1,x\n2,y|z\n").found.relation.columns == ["id", "tags|labels"]


def test_two_separators_that_fit_equally_well_are_refused(reads):
    with pytest.raises(DataRefusedError, match="comma and semicolon fit equally well; declare `delimiter`"):
        reads("a,b;c\n1,2;3\n")


def test_one_column_needs_no_separator(reads):
    came = reads('id\n00123\n\n"x"\n""\n\n')
    assert (came.rows, came.found.records) == ([("00123",), ("x",), (None,)], 3)
    assert "no separator in the header: read as one column" in came.notes


@pytest.mark.parametrize("delimiter", [":", "§", "\\t", "tab"])
def test_a_declared_separator_is_taken(reads, delimiter):
    mark = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    came = reads(f"a,1{mark}b;1\n1{mark}2\n", delimiter=delimiter)
    assert (came.rows, came.found.relation.columns, came.notes) == ([("1", "2")], ["a,1", "b;1"], "")


def test_a_declared_quote_is_taken(reads):
    assert reads("a,b\n1,'x,\ny ''z'''\n", quote="'").rows == [("1", "x,\ny 'z'")]


def test_without_quotes_every_quote_is_a_character(reads):
    assert reads('a,b\n1,"x\n2,y\n', quote="none").rows == [("1", '"x'), ("2", "y")]


@pytest.mark.parametrize(
    "declared, words",
    [
        ({"delimiter": "::"}, "`delimiter` must be one character such as .* found '::'"),
        ({"quote": ","}, "`quote` must be one character .* or `none`, found ','"),
        ({"decimal": "'"}, '`decimal` must be a point or a comma .* found "\'"'),
        ({"decimal": ",", "thousands": ","}, "`thousands` another mark, found ',' and ','"),
    ],
)
def test_what_cannot_be_declared_is_an_error_of_configuration(reads, declared, words):
    with pytest.raises(ConfigError, match=words):
        reads("a,b\n1,2\n", **declared)


@pytest.mark.parametrize(
    "content, words",
    [
        ("id,Amount,amount\n1,2,3\n", "needs its own name, found `Amount` twice; rename it in the file"),
        ("id,,amount\n1,2,3\n", "needs its own name, found column 2 of 3 without a name; name it"),
        ("\n \n\n", "expected a header line with column names, found blank lines only"),
        ('id,"a\n1,2\n', r'found a quote \("\) opened on line 1 that is not'),
        ('id,"a"b\n1,2\n', "found one whose quotes or line ends are broken; export the file again"),
    ],
)
def test_a_header_that_names_no_columns_is_refused(reads, content, words):
    with pytest.raises(DataRefusedError, match=words):
        reads(content)


def test_blanks_around_names_and_lines_before_the_header_do_not_count(reads):
    came = reads('\n\n id , "two\nlines" \n1,2\n')
    assert (came.found.relation.columns[-2:], came.rows) == (["id", "two\nlines"], [("1", "2")])


@pytest.mark.parametrize("broken", ["", "3\n"])
def test_a_column_named_like_our_numbering_is_kept_under_another_name(reads, broken):
    came = reads("id,Source_Row\n1,77\n" + broken)
    assert (came.rows, came.numbers) == ([("1", "77")], [1])
    assert came.found.relation.columns[-1] == "Source_Row (in the file)"


@pytest.mark.parametrize("content", ["id,amount\n", "id,amount", "id,amount\r\n\r\n"])
def test_a_header_alone_is_allowed_and_noted(reads, content):
    came = reads(content)
    assert (came.rows, came.found.records, came.notes) == ([], 0, "it has a header, but no rows")


# numbers


@pytest.mark.parametrize(
    "values, decimal, thousands",
    [
        (["12,5", "7"], ",", ""),
        (["1.234,56", "12,5"], ",", "."),
        (["-1.234.567,8", "NA", ""], ",", "."),
        (["1 234,50"], ",", " "),
        (["1\u202f234,50"], ",", "\u202f"),
        (["0,125"], ",", ""),
        (["1,234.50", "12"], ".", ","),
        (["1'234.50"], ".", "'"),
    ],
)
def test_how_numbers_are_written_is_found_out_where_there_is_no_doubt(reads, values, decimal, thousands):
    came = reads("id\tamount\n" + "".join(f"A7\t{value}\n" for value in values))
    assert came.found.formats == {"amount": Format(decimal=decimal, thousands=thousands)}
    assert f"`amount`: read with {'a comma' if decimal == ',' else 'a point'} as the decimal mark" in came.notes


@pytest.mark.parametrize(
    "values", [["12,5", "12.5"], ["12,5", "x1"], ["12.50"], ["31.12.2020"], ["1,2,3"], ["1 2,5"], ["0.500", "1.234"]]
)
def test_numbers_are_read_plainly_where_nothing_speaks_for_another_way(reads, values):
    assert reads("id\tamount\n" + "".join(f"7\t{value}\n" for value in values)).found.formats == {}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "values, doubt",
    [
        (["1.234", "999", "12.500", "8.000"], "1.234"),
        (["1,234", "2,500", "12"], "1,234"),
        (["-1.234", "NA", ""], "-1.234"),
        (["1.234", "5,678"], "1.234"),
    ],
)
def test_a_mark_that_stands_before_three_digits_everywhere_is_in_doubt(reads, delimiter, values, doubt):
    came = reads(f"id{delimiter}amount\n" + "".join(f'7{delimiter}"{value}"\n' for value in values))
    assert came.found.formats == {"amount": Format(doubt=doubt)}


@pytest.mark.parametrize(
    "values, decimal, thousands",
    [(["1.212.500", "1.234"], ",", "."), (["1,212,500", "1,234", "12"], ".", ","), (["1.212.500", "12,5"], ",", ".")],
)
def test_a_mark_that_stands_twice_in_a_number_groups_thousands_in_the_whole_column(reads, values, decimal, thousands):
    came = reads("id;amount\n" + "".join(f"7;{value}\n" for value in values))
    assert came.found.formats == {"amount": Format(decimal=decimal, thousands=thousands)}


@pytest.mark.parametrize("other, doubt", [("12.50", ""), ("48.137154", "1.234"), ("7", "1.234")])
def test_amounts_with_two_digits_behind_the_point_decide_for_the_other_columns(reads, other, doubt):
    assert reads(f"a;b\n1.234;{other}\n").found.formats == ({"a": Format(doubt=doubt)} if doubt else {})


def test_one_broken_number_among_many_hides_no_doubt(reads):
    came = reads("id;amount\n" + "7;1.234\n" * 30 + "7;2.500\n7;about 3\n")
    assert came.found.formats == {"amount": Format(doubt="1.234")}


def test_a_column_judged_by_whole_numbers_alone_is_known_as_such(reads, monkeypatch):
    monkeypatch.setattr("churnml.events.sources.delimited_numbers.SAMPLE_ROWS", 2)
    assert reads("id;amount\na;1\nb;2\nc;1.234\n").found.formats == {"amount": Format(whole=True)}


@pytest.mark.parametrize(
    "values, written",
    [
        (["2.454,80 €", "12,50 €"], Format(",", ".", sign="€")),
        (["￥903.00", "￥12.50"], Format(sign="￥")),
        (["-$12.50", "$-1,300.00"], Format(thousands=",", sign="$")),
        (["EUR 12,50", "EUR 12,60", "7,00"], Format(",", sign="EUR")),
        (["12\u00a0CHF", "13\u00a0CHF"], Format(sign="CHF")),
        (["€ 1.234", "€ 999"], Format(sign="€", doubt="1.234")),
        (["12.50 €", "13.50 €", "$14.50"], Format(sign="€")),
    ],
)
def test_a_currency_sign_is_told_apart_from_the_number(reads, values, written):
    assert reads("id\tamount\n" + "".join(f"A7\t{value}\n" for value in values)).found.formats == {"amount": written}


def test_one_column_with_points_leaves_commas_of_another_in_doubt(reads):
    assert reads("rate;amount\n1.5;12,5\n").found.formats == {}


def test_a_point_beside_a_decimal_comma_groups_thousands(reads):
    came = reads("amount;quantity\n12,5;1.234\n")
    assert came.found.formats["quantity"] == Format(decimal=",", thousands=".")


def test_declared_marks_hold_for_every_column_and_are_not_noted(reads):
    came = reads("a;b\n1.500;x\n", decimal=",", thousands=".", delimiter=";")
    assert (came.found.formats, came.notes) == (dict.fromkeys("ab", Format(decimal=",", thousands=".")), "")


# records that are no rows


def test_records_of_another_width_are_set_apart_with_number_text_rule_and_remedy(reads):
    came = reads("id,a,b\n1,2,3\n4,5\n\n6,7,8,9\n10,11,12\n")
    assert (came.rows, came.numbers) == ([("1", "2", "3"), ("10", "11", "12")], [1, 4])
    assert came.rejected == [
        (2, "4,5", RULE, "it has 2; look for a missing separator, or a value broken over two lines"),
        (3, "6,7,8,9", RULE, "it has 4; look for an unquoted separator, or a value broken over two lines"),
    ]


RULE = "must have 3 values, as the header has"


def test_a_long_record_is_shown_by_its_first_500_characters(reads):
    ((_, found, *_),) = reads("id,a\n" + "x" * 10_000 + "\n1,2\n").rejected
    assert found == "x" * 500


@pytest.mark.parametrize("row", ["1,2,", "1,2,,,"])
def test_separators_after_the_last_value_add_nothing(reads, row):
    assert reads(f"id,a\n{row}\n").rows == [("1", "2")]
    assert reads(f"id,a\n{row}\n3\n").rows == [("1", "2")]


@pytest.mark.parametrize("row", ['1,"5" screen', r'1,"5\" screen"'])
def test_a_quote_within_a_quoted_value_is_to_be_doubled(reads, row):
    came = reads(f"id,a\n{row}\n2,x\n")
    assert (came.rows, came.numbers) == ([("2", "x")], [2])
    assert came.rejected == [(1, row, "must have each quote within a quoted value doubled", 'write "" for "')]


def test_quotes_within_unquoted_values_are_characters(reads):
    assert reads('id,a\n1,5" screen\n2,7" screen\n3,x\n').rows == [("1", '5" screen'), ("2", '7" screen'), ("3", "x")]


@pytest.mark.parametrize(
    "rows",
    ['1,2\n3,"open\n4,5\n', '1,2\n3,"open\n4,"5"\n', '"1","2"\n"3","open\n"4","5"\n6,7\n', '1,"a\nb"\n3,"open'],
)
def test_an_open_quote_is_refused_with_the_line_on_which_it_opened(reads, rows):
    line = 1 + next(n for n, text in enumerate(rows.split("\n"), 1) if "open" in text)
    with pytest.raises(DataRefusedError, match=rf'found a quote \("\) opened on line {line} that is not; look there'):
        reads("id,a\n" + rows)


def test_a_quote_that_swallows_two_megabytes_is_an_open_one(reads):
    with pytest.raises(DataRefusedError, match=r"must be closed within 2,000,000 bytes, .* opened on line 2"):
        reads('id,a\n1,"x\n' + "2,3\n" * 600_000 + '"\n')


def test_a_record_too_long_to_be_one_is_set_apart(reads):
    came = reads("id,a\n1,2\n3," + "x" * 2_500_000 + "\n4,5\n")
    assert (came.rows, came.rejected[0][2]) == ([("1", "2"), ("4", "5")], "must be a record of at most 2,000,000 bytes")


def test_a_line_without_end_is_refused(reads):
    with pytest.raises(DataRefusedError, match="lines of at most 2,000,000 bytes, found line 2 longer than that"):
        reads("id,a\n" + "x" * 9_000_000)


def test_a_file_of_broken_records_is_refused_before_its_end(reads, monkeypatch):
    monkeypatch.setattr(delimited_structure, "_MANY", 100)
    with pytest.raises(DataRefusedError, match=r"found 101 that are not among the first 101; .* must have 2 values"):
        reads("id,a\n" + "1\n" * 1000)


def test_no_good_row_is_lost_among_many_broken_ones(reads):
    lines = [f"{n:06d},web,{n}.50\n" if n % 10 else f"{n:06d},web\n" for n in range(1, 300_001)]
    came = reads("id,channel,amount\n" + "".join(lines))
    assert (len(came.rows), len(came.rejected), came.found.records) == (270_000, 30_000, 300_000)
    assert [int(row[0]) for row in came.rows] == came.numbers
    assert [number for number, *_ in came.rejected] == list(range(10, 300_001, 10))


# line ends


def test_line_ends_of_both_ways_are_read_and_noted(reads):
    came = reads('id,a\r\n1,2\n3,"x\r\ny"\n4,"x\ny"\r\n\r\n')
    assert came.rows == [("1", "2"), ("3", "x\r\ny"), ("4", "x\ny")]
    assert came.notes == "lines end in both ways, some in CR LF and some in LF; both were read"


def test_line_ends_of_old_macs_are_read(reads):
    assert reads('id,a\r1,2\r\r3,"x\ny"\r').rows == [("1", "2"), ("3", "x\ny")]


def test_line_ends_in_quotes_do_not_say_what_ends_a_line(reads):
    assert reads('"i\rd",a\n1,"x\ry"\n2,z\n').rows == [("1", "x\ry"), ("2", "z")]


def test_a_carriage_return_too_many_does_no_harm(reads):
    assert reads("id,a\r\r\n1,2\r\r\n").rows == [("1", "2")]


def test_a_carriage_return_within_a_value_is_to_be_quoted(reads):
    came = reads("id,a\n1,x\ry\n2,z\n")
    assert came.rows == [("2", "z")]
    assert came.rejected[0][:3] == (1, "1,x\ry", "must hold a carriage return in quotes only")


# the count


@pytest.mark.parametrize(
    "text, count",
    [
        ("id,a\n1,2\n", 1),
        ("id,a\n1,2", 1),
        ("id,a\r\n\r\n1,2\r\n\r\n\r\n", 1),
        ('id,a\n1,"x\n\ny"\n2,""""\n', 2),
        ("id,a", 0),
    ],
)
@pytest.mark.parametrize("chunk", [1, 2, 5, 1 << 22])
def test_records_are_counted_by_quotes_and_line_ends_alone(tmp_path, monkeypatch, text, count, chunk):
    monkeypatch.setattr(delimited_structure, "_CHUNK", chunk)
    (tmp_path / "orders.csv").write_text(text, newline="")
    assert count_records(tmp_path / "orders.csv", Layout("orders.csv")) == count


def test_rows_that_went_missing_are_noticed(reads, monkeypatch):
    monkeypatch.setattr("churnml.events.sources.delimited._count", lambda _: 1)
    with pytest.raises(DataRefusedError, match="found 2 records but 1 rows that can be read; nothing was kept"):
        reads("id,a\r\n1,2\n3,4\n")


def test_a_column_whose_points_all_stand_before_three_digits_is_said_to_be_in_doubt(reads):
    found = reads("id;amount\na;3.399\nb;2.398\nc;1.250\n")
    assert "`amount`: in the first rows every point stands before three digits" in found.notes


def test_points_before_two_digits_are_in_no_doubt(reads):
    assert "three digits" not in reads("id;amount\na;3.39\nb;2.398\nc;1.250\n").notes


# what stands above the rows, and what was declared


@pytest.mark.parametrize("title", ["# exported 2024", "My shop report", "My shop report\nJune"])
def test_a_title_above_the_names_is_refused_with_what_to_delete(reads, title):
    words = rf"found `{title.splitlines()[0]}`, .* have 3 values each; delete what stands above the line with the names"
    with pytest.raises(DataRefusedError, match=words):
        reads(f"{title}\nid;name;amount\n" + "".join(f"{n};a,b;3\n" for n in range(20)))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "\ufeffSEP=;"])
def test_the_first_line_by_which_excel_tells_the_separator_is_understood(reads, first, end):
    came = reads(end.join([first, "id;a,b", "1;2,5", ""]))
    assert (came.rows, came.found.relation.columns[-2:]) == ([("1", "2,5")], ["id", "a,b"])
    assert "its first line `sep=;` says what parts the values" in came.notes


def test_a_declared_separator_that_the_header_does_not_hold_is_named(reads):
    with pytest.raises(
        DataRefusedError, match=r"`delimiter` that sources\.yaml declares, ';', found the one column `id,a`"
    ):
        reads("id,a\n1,2\n", delimiter=";")


def test_two_rows_joined_by_a_carriage_return_are_said_to_be(reads):
    ((_, found, rule, remedy),) = reads("id,a\n1,2\r3,4\n5,6\n").rejected
    assert (found, rule) == ("1,2\r3,4", "must end as the other rows do")
    assert remedy.startswith("it looks like two rows or more joined by a carriage return")
