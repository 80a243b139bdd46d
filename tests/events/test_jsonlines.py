"""JSON lines come in as the text that was written; a line that is no object is kept aside, never dropped."""

import duckdb
import pytest

from churnml.errors import DataRefusedError
from churnml.events.sources.jsonlines import jsonlines_rows


@pytest.fixture
def connection():
    with duckdb.connect(config={"memory_limit": "400MB"}) as connection:
        yield connection


@pytest.fixture
def read(connection, tmp_path):
    """Return a reader of a file given as text or bytes."""

    def read(content):
        path = tmp_path / "a'b events.jsonl"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return jsonlines_rows(path, connection, tmp_path)

    return read


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("9007199254740993", "9007199254740993"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("1.10", "1.10"),
        ("0.12345678901234567890", "0.12345678901234567890"),
        ("1e5", "1e5"),
        ("-0", "-0"),
        ("0.00001", "0.00001"),
        ('"00123"', "00123"),
        ('"NA"', "NA"),
        ('""', ""),
        ('"a \\"1.10\\", [2.20] \\u00e9"', 'a "1.10", [2.20] é'),
        ("true", "true"),
        ("null", None),
        ('{"x": [1.10, "2.20"], "y": {}}', '{"x":[1.10,"2.20"],"y":{}}'),
    ],
)
def test_a_value_is_the_text_that_was_written(read, written, kept):
    rows = read(f'{{"value": {written}, "forces exact numbers": 2.50}}')
    assert rows.relation.fetchall() == [(kept, "2.50", 1)]


@pytest.mark.parametrize("written", ["9007199254740993", "0.5", "-17.25", '"00123"', "18446744073709551617"])
def test_a_value_is_exact_where_no_number_needs_care(read, written):
    assert read(f'{{"value": {written}}}').relation.fetchall() == [(written.strip('"'), 1)]


def test_columns_are_all_names_in_order_of_first_sight(read):
    rows = read('{"b": 1, "a": 2}\n{"c": 3, "b": 4}\n')
    assert rows.relation.columns == ["b", "a", "c", "source_row"]
    assert rows.relation.fetchall() == [("1", "2", None, 1), ("4", None, "3", 2)]


def test_rows_bear_the_number_of_their_line_and_blank_lines_count(read):
    rows = read(b'\xef\xbb\xbf{"id": "a"}\r\n\r\n  \n{"id": "b"}\n{"id": "c"}')
    assert rows.relation.fetchall() == [("a", 1), ("b", 4), ("c", 5)]


def test_odd_names_are_names(read):
    rows = read('{"a/b~c": 1, "$.x": 2, "na\\"me": 3, "*": 4, "0": 5}')
    assert rows.relation.columns == ["a/b~c", "$.x", 'na"me', "*", "0", "source_row"]
    assert rows.relation.fetchall() == [("1", "2", "3", "4", "5", 1)]


def test_a_line_that_is_no_object_is_kept_aside_with_its_number(read, connection):
    rows = read('{"id": 1}\n{"id": 2\n[3]\n{"id": 4, "id": 5}\n{"": 6}\n{"id": "\x00"}\n{"id": 7}\n')
    rejected = connection.sql(f"SELECT source_row, found, rule FROM {rows.rejected}").fetchall()
    assert rows.relation.fetchall() == [("1", 1), ("7", 7)]
    assert [row for row, *_ in rejected] == [2, 3, 4, 5, 6]
    assert rejected[2] == (4, '{"id": 4, "id": 5}', "an object may use a name once")


def test_a_sound_file_rejects_nothing(read):
    assert read('{"id": 1}\n').rejected == ""


def test_an_array_of_objects_is_read_element_by_element(read, connection):
    rows = read('[\n {"id": 1.10},\n {"id":\n 2}, 3, null]')
    assert rows.relation.fetchall() == [("1.10", 1), ("2", 2)]
    assert rows.notes == ("the file is one JSON array; rows are numbered by their place in it",)
    assert connection.sql(f"SELECT source_row, found FROM {rows.rejected}").fetchall() == [(3, "3"), (4, "null")]


def test_a_name_like_the_row_number_is_left_out_and_said_so(read):
    rows = read('{"source_row": 99, "id": 1}')
    assert rows.relation.fetchall() == [("1", 1)]
    assert rows.notes == ("its own column `source_row` was left out: rows are numbered by their place",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "expected a JSON object on each line"),
        ('{\n  "id": 1\n}\n', "`jq -c .` writes each object on a line of its own"),
        ("id,amount\n1,2\n", "expected a JSON object on each line"),
        ("{}\n{}\n", "expected a JSON object on each line"),
        (b'{"id": 1}\n{"id": "\xe9"}\n', "line 2 is not UTF-8 text"),
        ('{"id": 1}'.encode("utf-16"), "line 1 is not UTF-8 text"),
        ('{"id": 1}\n{"Id": 2}\n', "found `id` and `Id`"),
        ('[{"id": 1}, {"id": 2}', "begins like a JSON array, but is not one whole array"),
        ("[1, 2]\n[3, 4]\n", "begins like a JSON array, but is not one whole array"),
        ("\n".join(f'{{"id{n}": 1}}' for n in range(1001)), "more than 1,000 different names"),
        ('{"id": "' + "x" * (9 << 20) + '"}', "line 1 is longer than 8 MB"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_plain_words(read, content, words):
    with pytest.raises(DataRefusedError, match=r"^a'b events\.jsonl: ") as refused:
        read(content)
    assert words in str(refused.value)


def test_deep_nesting_is_text_like_any_other(read):
    deep = "[" * 200_000 + "]" * 200_000
    assert read(f'{{"id": 1, "deep": {deep}}}').relation.fetchall() == [("1", deep, 1)]


def test_a_file_whose_only_line_uses_a_name_twice_is_told_so(read):
    with pytest.raises(
        DataRefusedError, match=r"an object may use a name once, found that no line .* line 1; rename one"
    ):
        read('{"id": 1, "id": 2}\n')
