"""What is told of groups in a simulated market never tells what is withheld of a small one, by subtraction either."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, open_engine
from churnml.events import Store, ingest
from churnml.events.books import open_books
from churnml.events.clock import microseconds, midnight
from churnml.events.simulation import Market, write_new
from churnml.events.sources.mapping import sources_of
from churnml.measures.groups import described
from churnml.measures.kpi_list import BY_NAME
from churnml.measures.kpis import kpis
from churnml.measures.measure import Asked
from churnml.measures.portrait import portrait
from churnml.measures.rhythm import rhythm
from churnml.measures.segmentations import attribute_groupings, rfm_grouping
from churnml.measures.withholding import withheld
from new_database import new_workspace

BEGIN, JUNE, END = (midnight(date(2023, month, 1), "UTC") for month in (3, 6, 7))
SMALLEST = 3


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    folder = tmp_path_factory.mktemp("withheld")
    write_new(Market(150, 330, 11), folder / "market")
    workspace = new_workspace(folder / "workspace")
    database = Catalogue(open_engine(workspace.database))
    now = microseconds(datetime(2026, 1, 1, tzinfo=UTC))
    ingest(workspace, database, sources_of(folder / "market" / "sources.yaml", "UTC"), WorkspaceConfig(), now)
    with open_books(Store.open(workspace, database, "UTC"), END) as books:
        portrait(books, BEGIN, END, 0.25, 365)
        yield books
    database.engine.dispose()


def found_out(hidden, customers, *lines, smallest=SMALLEST):
    """Return which small hidden figures the totals of the lines tell, less what is shown; totals of few are not known.

    A figure is told if these equations have only one solution for it.
    """
    known = [line == word for line in lines for word in np.unique(line)]
    totals = np.array([one[hidden] for one in known if customers[one].sum() >= smallest], dtype=float)
    alone = np.eye(int(hidden.sum()))[few_of(customers)[hidden]]
    rank = np.linalg.matrix_rank
    return [one for one in alone if len(totals) and rank(np.vstack([totals, one])) == rank(totals)]


def few_of(customers):
    return np.asarray((customers > 0) & (customers < SMALLEST))


@pytest.mark.parametrize("by", [None, "region", "acquisition_channel"])
def test_nothing_of_a_small_segment_can_be_worked_out(books, by):
    for grouping in [rfm_grouping(365), *attribute_groupings(books, 20)]:
        frame = described(books, grouping, Asked(BEGIN, END, by=by, smallest=SMALLEST)).frame
        hidden, customers = frame["revenue"].isna().to_numpy(), frame["customers"].to_numpy()
        segment, part = frame["segment"].to_numpy(), frame.get("part", frame["segment"]).to_numpy()
        assert hidden[few_of(customers)].all()
        lines = (segment, part, np.zeros(len(frame))) if by else (np.zeros(len(frame)),)
        assert not found_out(hidden, customers, *lines) or hidden.all()


def test_no_more_is_withheld_than_has_to_be(books):
    frame = described(books, rfm_grouping(365), Asked(BEGIN, END, smallest=8)).frame
    assert frame["revenue"].isna().tolist() == withheld(frame["customers"], 8).tolist()
    assert withheld([1, 7, 20, 30], 8).tolist() == [True, True, False, False]
    assert withheld([9, 20, 30], 8).tolist() == [False, False, False]


def test_in_that_market_some_segments_are_small_and_others_are_withheld_with_them(books):
    regions = next(one for one in attribute_groupings(books, 20) if one.name == "segments_region")
    frame = described(books, regions, Asked(BEGIN, END, by="acquisition_channel", smallest=SMALLEST)).frame
    assert 0 < few_of(frame["customers"]).sum() < frame["revenue"].isna().sum() < len(frame)


def test_no_figure_of_a_small_part_can_be_worked_out_from_that_of_all(books):
    asked = Asked(JUNE, END, by="acquisition_channel", smallest=SMALLEST)
    frame = next(one for one in kpis(books, asked) if one.name == "kpis").frame
    plain = [name for name, kpi in BY_NAME.items() if kpi.how == "count" and kpi.unit == "number"]
    withheld_ones = 0
    for _, rows in frame[~frame["kpi"].isin(plain) & (frame["part"] != "all")].groupby(["kpi", "period"]):
        there = rows[rows["customers"] > 0]
        hidden = there["value"].isna().to_numpy()
        assert hidden[few_of(there["customers"])].all()
        of_them = there["customers"][hidden].sum()
        assert hidden.all() or not few_of(there["customers"]).any() or (hidden.sum() > 1 and of_them >= SMALLEST)
        withheld_ones += hidden.sum()
    assert withheld_ones > 0


def test_numbers_of_customers_stand_however_few(books):
    frame = kpis(books, Asked(JUNE, END, by="region", smallest=999))[0].frame
    assert frame[frame["kpi"] == "active_customers"]["value"].notna().all()
    assert frame[frame["kpi"] == "revenue"]["value"].isna().all()


def test_what_was_paid_on_a_day_of_few_customers_cannot_be_worked_out(books):
    told = {one.name: one.frame for one in rhythm(books, Asked(BEGIN, END, smallest=SMALLEST))}
    days = told["rhythm_days"]
    paid = books.frame(
        "SELECT local_time(occurred_at)::DATE AS day, count(DISTINCT customer_id) AS customers, "
        "sum(amount) / 10000 AS amount FROM orders WHERE amount > 0 GROUP BY 1"
    )
    of_day = dict(zip(paid["day"].dt.date, paid["customers"], strict=True))
    customers = days["day"].map(of_day).fillna(0).to_numpy()
    small = few_of(customers)
    hidden = days["amount"].isna().to_numpy()
    assert 0 < small.sum() <= hidden.sum()
    assert hidden[small].all()
    assert (days["orders"].notna()).all()
    months = np.array([f"{day:%Y-%m}" for day in days["day"]])
    assert not found_out(hidden, customers, months)


@pytest.mark.parametrize("seed", range(20))
def test_in_no_table_of_two_ways_a_small_figure_is_the_only_solution(seed):
    draw = np.random.default_rng(seed)
    rows, columns = np.divmod(np.arange(30), 6)
    customers = draw.integers(0, 12, 30)
    hidden = withheld(customers, SMALLEST, rows, columns)
    assert not found_out(hidden, customers, rows, columns)
