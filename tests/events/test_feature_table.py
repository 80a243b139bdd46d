"""A ready feature table is read as it says, its broken rows are set aside with words, and ids survive exactly."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from churnml.errors import DataRefusedError, NotEnoughDataError, UsageError
from churnml.events.clock import DAY
from churnml.events.feature_check import check, require_room, set_aside
from churnml.events.feature_columns import Column
from churnml.events.feature_file import find_roles, stage
from churnml.events.feature_table import UNDATED, Roles
from churnml.events.sources import Format, Rows

BY_ID = Roles("customer_id", label="churned")
AT_NEW_YEAR = Roles("customer_id", cutoff="2024-01-01", label="churned")


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.fixture
def staged(connection):
    """Return a maker of files from texts: columns apart by spaces, `-` where empty."""

    def make(text, zone="UTC", **formats):
        head, *lines = [[None if cell == "-" else cell for cell in line.split()] for line in text.strip().splitlines()]
        columns = {name: pa.array([line[place] for line in lines], pa.string()) for place, name in enumerate(head)}
        return stage(connection, Rows(connection.from_arrow(pa.table(columns)), formats), "table.csv", zone)

    return make


@pytest.fixture
def typed(connection):
    """Return a maker of files from SQL, as Parquet would give them."""
    return lambda query: stage(connection, Rows(connection.sql(query)), "table.parquet", "UTC")


def checked(file, roles=BY_ID, share=1.0, **more):
    return check(file, roles, share, **more)


def read(file, roles=BY_ID, **more):
    checked(file, roles, **more)
    return file.read(file.columns(roles)[0])


def test_columns_are_found_to_be_numbers_categories_or_dates(staged):
    file = staged("customer_id churned spend plan joined\n a 1 3.5 gold 2023-05-01\n b 0 -2e3 free 2023-06-01")
    columns, unusable, _ = file.columns(AT_NEW_YEAR)
    assert columns == (Column("spend", "number"), Column("plan", "category"), Column("joined", "date"))
    assert unusable == {}


def test_numbers_and_texts_are_read_and_empty_cells_are_missing(staged):
    table = read(staged("customer_id churned spend plan\n a 1 3.5 -\n b 0 - free"))
    np.testing.assert_array_equal(table.column("spend"), [3.5, np.nan])
    assert table.categories["plan"].tolist() == [None, "free"]
    assert table.churned.tolist() == [True, False]


@pytest.mark.parametrize("who", ["00123", "NA", "9007199254740993", "-", "é", "'; --", "1e5"])
def test_an_id_survives_exactly(connection, who):
    rows = pa.table({"customer_id": [who, "x"], "churned": ["1", "0"]})
    file = stage(connection, Rows(connection.from_arrow(rows)), "table.csv", "UTC")
    assert read(file).customer_ids[0] == who


def test_a_large_whole_id_of_a_typed_file_keeps_every_digit(typed):
    file = typed("SELECT 9007199254740993::BIGINT AS customer_id, 1 AS churned UNION ALL SELECT 7, 0")
    assert sorted(read(file).customer_ids) == ["7", "9007199254740993"]


def test_a_date_is_the_days_before_the_cutoff(staged):
    text = "customer_id churned joined\n a 1 2023-12-31\n b 0 2024-01-02\n c 0 2023-12-31T12:00:00Z"
    assert read(staged(text), AT_NEW_YEAR).column("joined").tolist() == [1.0, -1.0, 0.5]


def test_days_are_counted_in_the_zone_across_a_clock_change(staged):
    file = staged("customer_id churned joined\n a 1 2024-03-01\n b 0 2024-03-30", zone="Europe/Berlin")
    assert read(file, Roles("customer_id", cutoff="2024-04-01", label="churned")).column("joined").tolist() == [
        31.0,
        2.0,
    ]


def test_each_row_may_have_its_own_cutoff(staged):
    file = staged("customer_id cutoff churned joined\n a 1970-01-02 1 1970-01-01\n a 1970-01-03 0 1970-01-01")
    table = read(file, Roles("customer_id", "cutoff", label="churned"))
    assert table.cutoffs.tolist() == [DAY, 2 * DAY]
    assert table.column("joined").tolist() == [1.0, 2.0]


def test_without_a_cutoff_a_date_cannot_be_used_and_the_row_is_undated(staged):
    file = staged("customer_id churned joined\n a 1 2023-12-31\n b 0 2023-12-30")
    assert "name it with --cutoff" in file.columns(BY_ID)[1]["joined"]
    assert read(file).cutoffs.tolist() == [UNDATED, UNDATED]


def test_codes_with_a_zero_in_front_are_a_category_and_this_is_told(staged):
    columns, _, notes = staged("customer_id churned zip\n a 1 01099\n b 0 80331").columns(BY_ID)
    assert columns == (Column("zip", "category"),)
    assert "`zip`: 1 values have a zero in front" in notes[0]


def test_a_marker_among_numbers_is_missing_and_told_and_among_texts_it_is_a_text(staged):
    file = staged("customer_id churned spend land\n a 1 NA NA\n b 0 3 DE\n c 0 4 NA")
    table = read(file)
    np.testing.assert_array_equal(table.column("spend"), [np.nan, 3, 4])
    assert table.categories["land"].tolist() == ["NA", "DE", "NA"]
    assert "`spend`: 1 values such as NA" in file.columns(BY_ID)[2][0]


@pytest.mark.parametrize("cell", ["inf", "1e400", "1_000", "0x1F", "12EUR", "nan"])
def test_what_is_not_wholly_a_finite_number_is_missing_among_numbers(staged, cell):
    rows = "\n".join(f"c{n} {n % 2} {n}.5" for n in range(200))
    table = read(staged(f"customer_id churned spend\n{rows}\n x 1 {cell}"))
    assert np.isnan(table.column("spend")).sum() == 1


def test_declared_decimals_and_groups_are_kept(staged):
    file = staged("customer_id churned spend\n a 1 1.234,5\n b 0 7", spend=Format(decimal=",", thousands="."))
    assert read(file).column("spend").tolist() == [1234.5, 7.0]


def test_a_declared_notation_of_dates_is_read_and_an_undeclared_one_is_told(staged):
    text = "customer_id churned joined\n a 1 31.12.2023\n b 0 30.12.2023"
    assert "not which number is the month" in staged(text).columns(AT_NEW_YEAR)[1]["joined"]
    file = staged(text, joined=Format(instant="%d.%m.%Y"))
    assert read(file, AT_NEW_YEAR).column("joined").tolist() == [1.0, 2.0]


def test_nested_values_and_free_text_cannot_be_used(typed):
    file = typed(
        "SELECT n::VARCHAR AS customer_id, n % 2 AS churned, [n] AS list, 'note ' || n AS note FROM range(99) t(n)"
    )
    unusable = file.columns(BY_ID)[1]
    assert "nested or binary" in unusable["list"]
    assert "free text or an id" in unusable["note"]


BROKEN = [
    ("a 1 3\n - 0 4", "customer_id", "must be filled"),
    ("a 1 3\n b maybe 4\n c 0 4", "churned", "must be `1` or `0`"),
    ("a 1 3\n a 0 3\n b 0 4", "customer_id", "must be there once"),
]


@pytest.mark.parametrize("rows, column, rule", BROKEN)
def test_a_broken_row_is_set_aside_with_row_column_value_rule_and_remedy(staged, rows, column, rule):
    file = staged(f"customer_id churned spend\n {rows}\n z 0 9\n y 1 9")
    found, rules, _ = checked(file)
    (one,) = set_aside(file, rules)
    assert (one["row"], one["column"], one["rule"], found.set_aside) == (2, column, rule, 1)
    assert one["remedy"]


def test_a_cutoff_that_is_no_date_sets_its_row_aside(staged):
    file = staged("customer_id cutoff churned\n a soon 1\n b 2024-01-01 0\n c 2024-01-01 1")
    found, rules, _ = checked(file, Roles("customer_id", "cutoff", label="churned"))
    assert (found.good, set_aside(file, rules)[0]["rule"]) == (2, "must be a date such as 2024-12-31")


def test_a_row_set_aside_says_whose_it_is_so_that_it_can_be_forgotten(staged):
    file = staged("customer_id cutoff churned\n a soon 1\n b 2024-01-01 0\n c 2024-01-01 1")
    _, rules, _ = checked(file, Roles("customer_id", "cutoff", label="churned"))
    assert [one["customer_id"] for one in set_aside(file, rules)] == ["a"]


def test_a_row_that_is_there_again_equal_counts_once(staged):
    found, _, _ = checked(staged("customer_id churned spend\n a 1 3\n b 0 4\n a 1 3"))
    assert (found.rows, found.good, found.repeated, found.set_aside) == (3, 2, 1, 0)


def test_rows_without_a_label_are_left_out_and_counted(staged):
    found, _, _ = checked(staged("customer_id churned spend\n a 1 3\n b 0 4\n c - 4"))
    assert (found.good, found.unlabelled) == (2, 1)


def test_too_many_broken_rows_refuse_the_file_with_the_first_of_them(staged):
    with pytest.raises(
        DataRefusedError, match=r"1 of 3 rows are broken.*row 2, customer_id: found None; it must be filled"
    ):
        checked(staged("customer_id churned\n a 1\n - 0\n b 0"), share=0.1)


def test_an_empty_table_is_refused(typed):
    with pytest.raises(DataRefusedError, match=r"table.parquet: expected one row for each customer, found none"):
        typed("SELECT 1 AS customer_id WHERE false")


def test_no_labelled_row_is_too_little(staged):
    file = staged("customer_id churned\n - 1\n - 0")
    found, _, _ = checked(file)
    with pytest.raises(NotEnoughDataError, match="no row is left to learn from"):
        require_room(file, found, 3)


LABELS = {
    "yes no": ("Yes No", None, [True, False]),
    "digits": ("1 0", None, [True, False]),
    "floats": ("1.0 0.0", None, [True, False]),
    "words": ("Churned Stayed", None, [True, False]),
    "declared": ("B A", "b", [True, False]),
}


@pytest.mark.parametrize("case", LABELS)
def test_a_label_is_understood(staged, case):
    values, positive, expected = LABELS[case]
    first, second = values.split()
    table = read(staged(f"customer_id churned\n a {first}\n b {second}"), positive=positive)
    assert table.churned.tolist() == expected


def test_what_was_understood_of_a_label_is_told(staged):
    _, _, notes = checked(staged("customer_id churned\n a Yes\n b No"))
    assert notes == ["label `churned`: `yes` is read as churned, `no` as stayed; --positive says otherwise"]


NO_LABEL = [
    ("churned", "A B", None, UsageError, "who churned\\? its values do not say it; found `a`, `b`"),
    ("retained", "1 0", None, UsageError, "its name speaks of staying"),
    ("churned", "1 1", None, NotEnoughDataError, "all 2 rows say `1`"),
    ("churned", "A B", "c", UsageError, "has no value `c`, found `a`, `b`"),
    ("churned", "- -", None, DataRefusedError, "no row has one"),
    ("churned", "yes B", None, UsageError, "of which only `yes` goes without saying"),
]


@pytest.mark.parametrize("label, values, positive, error, words", NO_LABEL)
def test_a_label_that_does_not_say_who_churned_is_refused(staged, label, values, positive, error, words):
    first, second = values.split()
    file = staged(f"customer_id {label}\n a {first}\n b {second}")
    with pytest.raises(error, match=words):
        checked(file, Roles("customer_id", label=label), positive=positive)


def test_a_third_value_of_the_label_refuses_the_file_if_it_is_not_rare(staged):
    with pytest.raises(DataRefusedError, match=r"must have two values.*beside `b` or `a` found `c`"):
        checked(staged("customer_id churned\n 1 A\n 2 A\n 3 A\n 4 B\n 5 C"), share=0.1, positive="B")


def test_the_usual_names_of_an_id_are_found_and_told(staged):
    roles, notes = find_roles(staged("CustomerID churned\n a 1\n b 0"), label="churned")
    assert roles == Roles("CustomerID", label="churned")
    assert notes == ["`CustomerID` says whose row it is; name another with --customer-id"]


NO_ROLES = [
    ({"label": "churnd"}, "--label: table.csv has no column `churnd`; did you mean `churned`\\?"),
    ({"customer_id": "churned", "label": "churned"}, "must name different columns"),
    ({"cutoff": "2024-01-01", "cutoff_column": "spend"}, "give one of the two"),
    ({}, "none is called `customer_id`; name it with --customer-id"),
]


@pytest.mark.parametrize("said, words", NO_ROLES)
def test_roles_that_cannot_be_are_refused(staged, said, words):
    with pytest.raises(UsageError, match=words):
        find_roles(staged("who churned spend\n a 1 3\n b 0 4"), **said)


def test_a_file_to_score_must_have_every_column_of_the_model(staged):
    with pytest.raises(DataRefusedError, match=r"2 columns and 1 of them is not there: `plan`"):
        staged("customer_id spend\n a 1").require((Column("spend", "number"), Column("plan", "category")), 0.01)


def test_a_column_that_holds_something_else_than_in_training_is_refused(staged):
    with pytest.raises(DataRefusedError, match=r"`spend` held numbers in training, found 1 of 2 values that are none"):
        staged("customer_id spend\n a 1\n b much").require((Column("spend", "number"),), 0.01)


def test_rows_are_read_range_by_range(staged):
    file = staged("customer_id churned spend\n a 1 1\n b 0 2\n c 0 3")
    checked(file)
    ranges = [file.read((Column("spend", "number"),), *some).column("spend").tolist() for some in file.ranges(2)]
    assert ranges == [[1.0, 2.0], [3.0]]


def test_a_column_may_bear_any_name(staged):
    file = staged("customer_id churned state label customer instant copy select\n a 1 1 2 3 4 5 6\n b 0 2 3 4 5 6 7")
    assert read(file).values.tolist() == [[1, 2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 7]]
