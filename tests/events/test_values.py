"""How values are read: exactly, or not at all; one that is too large is a broken row and no broken file."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churnml.events import ingest
from churnml.events.clock import microseconds
from churnml.events.sources.mapping import sources_of
from small import NOW

HEADER = "customer_id,occurred_at,order_id,amount"
ROUNDED = "is kept to 1/10,000 unit; finer fractions are rounded"
NOON = microseconds(datetime(2021, 5, 3, 12, tzinfo=UTC))


@pytest.fixture
def shop(tiny):
    """A workspace in which one customer stands."""
    tiny.land(customers="customer_id occurred_at\nann 2020-01-01")
    return tiny


def mapped(shop, columns, file):
    """Ingest orders from a file under a mapping of its columns, and return what is reported of them."""
    yaml = shop.file("s.yaml", f"sources:\n  - {{table: orders, file: {file}, columns: {columns}}}\n")
    sources = sources_of(yaml, shop.config.time_zone)
    return ingest(shop.workspace, shop.catalogue, sources, shop.config, NOW).tables[0]


def amounts(shop, values, columns="{}", kind=None):
    """Ingest orders with these amounts: as texts in a CSV, or typed in Parquet."""
    if kind is None:
        lines = [f'ann,2021-08-01,o{n},"{value}"' for n, value in enumerate(values)]
        shop.file("a.csv", "\n".join([HEADER, *lines]) + "\n")
        return mapped(shop, columns, "a.csv")
    n = len(values)
    columns_ = {"customer_id": ["ann"] * n, "occurred_at": ["2021-08-01"] * n, "order_id": [f"o{k}" for k in range(n)]}
    pq.write_table(pa.table(columns_ | {"amount": pa.array(values, kind)}), shop.folder / "a.parquet")
    return mapped(shop, columns, "a.parquet")


def kept(shop):
    """Return the amounts that stand, in the order of their ids."""
    files = [shop.workspace.root / part.path for part in shop.catalogue.parts("orders")]
    rows = [row for file in files for row in pq.read_table(file, columns=["order_id", "amount"]).to_pylist()]
    return [row["amount"] for row in sorted(rows, key=lambda row: row["order_id"])]


def told(report, kind):
    """Return the rule and the value of every row that is shown of one kind."""
    return {(one["rule"], one["value"]) for finding in report.of(kind) for one in finding.examples}


GERMAN = "{amount: {from: amount, decimal: ',', thousands: '.'}}"
CENTS = "{amount: {from: amount, unit: cents}}"


@pytest.mark.parametrize(
    ("values", "columns", "kind", "stand", "rounded"),
    [
        (["1e-7", "1.5E-5", "1.5e-4", "2e3", "1.234567e2"], "{}", None, [0, 0, 2, 20_000_000, 1_234_567], 3),
        (["1e13", "123456789012345.5", "5."], "{}", None, [10**17, 1_234_567_890_123_455_000, 50_000], 0),
        (["0.00005", "1.23450", "1.23455", "1e-30", "0e-9"], "{}", None, [1, 12_345, 12_346, 0, 0], 3),
        (["12.34", "12.340", "12.345", "12.3456", "1e-3"], CENTS, None, [1_234, 1_234, 1_235, 1_235, 0], 3),
        ([1250.0, 1999.5, 12.345, 1e13], CENTS, pa.float64(), [125_000, 199_950, 1_235, 10**15], 1),
        ([0.1, 12_345_678_901.23, 1.00005], "{}", pa.float64(), [1_000, 123_456_789_012_300, 10_001], 1),
        ([12.34, 1234.56], "{}", pa.float32(), [123_400, 12_345_600], 0),
        ([Decimal("1.2345"), Decimal("1.23455")], "{}", pa.decimal128(20, 5), [12_345, 12_346], 1),
        ([Decimal("12.34"), Decimal("12.345")], CENTS, pa.decimal128(20, 3), [1_234, 1_235], 1),
        ([5, 10**13], "{}", pa.int64(), [50_000, 10**17], 0),
        (["1.234,5", "1.234,56785"], GERMAN, None, [12_345_000, 12_345_679], 1),
    ],
)  # fmt: skip
def test_an_amount_is_warned_of_if_and_only_if_the_one_kept_differs(shop, values, columns, kind, stand, rounded):
    report = amounts(shop, values, columns, kind)
    assert kept(shop) == stand
    assert [(f.rule, f.count) for f in report.findings] == ([(ROUNDED, rounded)] if rounded else [])


@pytest.mark.parametrize(
    ("value", "columns", "kind", "most"),
    [
        ("1e15", "{}", None, "922,337,203,685,477"),
        ("-99999999999999999999999999", "{}", None, "922,337,203,685,477"),
        ("1e17", CENTS, None, "92,233,720,368,547,700"),
        (1e15, "{}", pa.float64(), "922,337,203,685,477"),
        (10**15, "{}", pa.int64(), "922,337,203,685,477"),
        (Decimal(10) ** 30, "{}", pa.decimal128(38, 2), "922,337,203,685,477"),
    ],
)
def test_an_amount_that_is_too_large_is_one_broken_row(shop, value, columns, kind, most):
    report = amounts(shop, [value, "5" if kind is None else 5], columns, kind)
    ((rule, found),) = told(report, "quarantine")
    assert (report.landed, rule) == (1, f"must be an amount between -{most} and {most}")
    assert float(found) == float(value)


@pytest.mark.parametrize("kind", [None, pa.int64()])
@pytest.mark.parametrize(
    ("unit", "size", "wrong", "looks"),
    [
        ("epoch_seconds", 1_000_000, NOON, "microseconds"),
        ("epoch_seconds", 1_000_000, NOON // 1_000, "milliseconds"),
        ("epoch_milliseconds", 1_000, NOON, "microseconds"),
        ("epoch_seconds", 1_000_000, NOON * 1_000, ""),
    ],
)
def test_a_number_of_another_unit_is_one_broken_row_and_the_unit_is_guessed(shop, kind, unit, size, wrong, looks):
    times = pa.array([NOON // size, wrong], pa.int64())
    table = {"customer_id": ["ann"] * 2, "at": times, "order_id": ["o1", "o2"], "amount": [1, 2]}
    file = "e.csv" if kind is None else "e.parquet"
    if kind is None:
        shop.file(file, f"customer_id,at,order_id,amount\nann,{NOON // size},o1,1\nann,{wrong},o2,2\n")
    else:
        pq.write_table(pa.table(table), shop.folder / file)
    report = mapped(shop, f"{{occurred_at: {{from: at, unit: {unit}}}}}", file)
    (finding,) = report.findings
    assert (report.landed, report.first_at, finding.examples[0]["row"]) == (1, NOON, 2)
    assert finding.rule == "must be a date or time between 1900-01-01 and 2200-01-01"
    assert (f"it looks like {looks}: declare `unit: epoch_{looks}`" in finding.remedy) == bool(looks)
