"""`churnml report`: one file that tells every side of the customer base, and what cannot be told with its reason."""

import ast
from pathlib import Path

import pytest

import churnml as package
from churnml.errors import UsageError
from churnml.measures.names import MEASURES
from command import churnml
from small import Tiny

NAMES = [f"c{n}" for n in range(24)]
CUSTOMERS = "customer_id occurred_at region\n" + "\n".join(
    f"{name} 2020-01-{1 + n:02d} {'north' if n % 2 else 'south'}" for n, name in enumerate(NAMES)
)
ORDERS = "customer_id order_id occurred_at amount\n" + "\n".join(
    f"{name} {name}-{month} 2020-{month:02d}-{3 + n % 20:02d} {5 + n}"
    for n, name in enumerate(NAMES)
    for month in range(2, 7 if n % 3 else 4)
)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A small shop, and what a report said of two months of it."""
    folder = tmp_path_factory.mktemp("report")
    tiny = Tiny.make(folder)
    tiny.land(customers=CUSTOMERS, orders=ORDERS)
    said = asked(tiny, "--from", "2020-04-01", "--to", "2020-06-01", "--json")
    assert said.code == 0, said.err
    yield tiny, said.body
    tiny.catalogue.engine.dispose()


def asked(tiny, *options):
    return churnml("report", "--workspace", tiny.workspace.root, "--configs", tiny.folder / "configs", *options)


def test_it_tells_every_side_or_says_why_not(told):
    _, body = told
    assert [one["measure"] for one in body["bodies"]] == list(MEASURES)
    assert all(one["measures"] or one["not_told"] for one in body["bodies"])
    assert {"kpis", "rhythm", "lifecycle"} <= {one["measure"] for one in body["bodies"] if one["measures"]}


def test_it_is_one_page_in_the_workspace_named_by_the_day_it_ends(told):
    tiny, body = told
    page = tiny.workspace.root / "reports" / "report-2020-06-01.html"
    assert body["report"] == str(page.resolve())
    assert all(f'id="section-{name}"' in page.read_text(encoding="utf-8") for name in MEASURES)


def test_what_it_tells_is_kept_as_the_run_of_each_measure(told):
    tiny, body = told
    kept = {one["measure"]: one for one in body["bodies"] if "not_told" not in one}
    assert {name: tiny.catalogue.last_run(name).summary for name in kept} == kept
    assert not tiny.catalogue.running()


def test_a_measure_comes_to_a_notebook_as_frames_that_say_what_they_are(told):
    tiny, _ = told
    bench = package.open_workspace(tiny.workspace.root, tiny.folder / "configs")
    days = bench.measure("rhythm", begin="2020-02-01", end="2020-06-01")["rhythm_days"]
    bench.session.catalogue.engine.dispose()
    assert days["day"].dt.year.unique().tolist() == [2020]
    assert days.attrs["sources"][0] == "orders"
    assert set(days.attrs["definition"]) == {"en", "zh"}


def test_a_measure_that_there_is_not_is_refused_with_the_nearest(told):
    bench = package.open_workspace(told[0].workspace.root, told[0].folder / "configs")
    with pytest.raises(UsageError, match=r"got 'kpi'; did you mean `kpis`\?"):
        bench.measure("kpi")
    bench.session.catalogue.engine.dispose()


def test_days_without_a_whole_period_leave_out_only_what_is_told_by_periods(told):
    said = asked(told[0], "--from", "2020-04-02", "--to", "2020-04-28", "--json")
    assert said.code == 0, said.err
    missing = {one["measure"]: one["not_told"] for one in said.body["bodies"] if "not_told" in one}
    assert "--every month needs 1 to" in missing["kpis"]["en"]
    assert "--every month 要求" in missing["kpis"]["zh"]
    assert {"rhythm", "lifecycle"}.isdisjoint(missing)


def test_an_unknown_by_is_refused_before_anything_is_kept(told):
    before = told[0].catalogue.last_run("lifecycle")
    said = asked(told[0], "--to", "2020-05-01", "--by", "shoe_size")
    assert said.code == 2
    assert "--by must be one of" in said.err
    assert told[0].catalogue.last_run("lifecycle") == before


def test_another_kind_of_file_is_refused_before_the_work(told):
    said = asked(told[0], "--out", "report.pdf")
    assert said.code == 2
    assert "--out must end in .html, got report.pdf" in said.err


HOUSE = Path(package.__file__).parent
OF_MEASURES = [
    *(HOUSE / "measures").glob("*.py"),
    *(HOUSE / "verbs" / f"measure_{name}.py" for name in MEASURES),
    *(HOUSE / name for name in ("verbs/horizon.py", "labels/horizon.py", "labels/outcomes.py")),
]


def test_why_something_is_not_told_is_said_in_both_languages():
    raised = [node.exc for path in OF_MEASURES for node in ast.walk(ast.parse(path.read_text())) if is_reason(node)]
    assert len(raised) >= 8
    assert [ast.unparse(one) for one in raised if isinstance(one.args[0], (ast.Constant, ast.JoinedStr))] == []


def is_reason(node):
    named = ("NotEnoughDataError", "NoSuchPeriodsError")
    return isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func) in named


def test_in_chinese_the_terminal_says_in_chinese_what_is_not_told(told):
    said = asked(told[0], "--from", "2020-04-02", "--to", "2020-04-28", "--language", "zh")
    assert "kpis 无法给出：--every month 要求" in said.err
    assert "is not told" not in said.err


def test_only_tables_that_have_landed_are_named_as_sources(told):
    measures = [one for body in told[1]["bodies"] for one in body["measures"]]
    assert len(measures) > 10
    assert {source for one in measures for source in one["sources"]} == {"customers", "orders"}
