"""The file that ingest is measured on, the section that says what it cost, and the page that keeps the others."""

from benchmarks.cost import Cost, middle
from benchmarks.ingest_report import CONTENDERS, Measured
from benchmarks.order_file import shop

from benchmarks import ingest_report, report

COSTS = dict(zip(CONTENDERS, [(4, 2), (8, 4), (10, 6), (20, 12), (15, 9)], strict=True))
FOUND = {name: Measured(Cost(cpu, wall, 0, 900), 300) for name, (cpu, wall) in COSTS.items()}


def test_the_same_seed_gives_the_same_file(tmp_path):
    one, other = (shop(tmp_path / name, 2_000, seed=3).orders.read_bytes() for name in ("one", "other"))
    assert one == other
    assert one != shop(tmp_path / "one", 2_000, seed=4).orders.read_bytes()


def test_every_generated_order_is_of_a_generated_customer(tmp_path):
    files = shop(tmp_path, 2_000)
    orders, customers = (path.read_text().splitlines()[1:] for path in (files.orders, files.customers))
    assert (len(orders), len(customers)) == (2_000, 100)
    assert {line.split(",")[0] for line in orders} <= {line.split(",")[0] for line in customers}


def test_a_check_is_told_as_so_many_times_the_reading():
    assert "| churnml checks | 2.5 | 3.0 | 1.2 | 1.5 | 300 MB | 900 MB |" in ingest_report.table(FOUND, 1_000)


def test_a_goal_stands_beside_what_was_found():
    assert "| CPU of a check / CPU of reading | 3.0 | 2.5 | met |" in ingest_report.goals(FOUND)


def test_a_goal_that_is_missed_is_called_so():
    slow = FOUND | {"churnml checks": Measured(Cost(13, 6, 0, 1_001), 300)}
    assert "| 3.2 | not met |" in ingest_report.goals(slow)
    assert "| 1,001 MB | not met |" in ingest_report.goals(slow)


def test_the_median_of_each_figure_is_taken_by_itself():
    assert middle([Cost(1, 9, 5, 2), Cost(2, 8, 5, 3), Cost(9, 1, 5, 1)]) == Cost(2, 8, 5, 2)


def test_a_page_keeps_the_section_that_was_not_measured():
    page = report.page({"Features": "## Features\n\nold\n\n### Machine\n\nold\n", "Ingest": "## Ingest\n\nold\n"})
    again = report.page({"Ingest": "## Ingest\n\nnew\n"}, page)
    assert again == page.replace("## Ingest\n\nold\n", "## Ingest\n\nnew\n")
