"""`churnml simulate`: a market in a workspace of its own, and clear words for what cannot be."""

import pytest

from command import churnml
from small import Tiny

FEW = ("--customers", "60", "--days", "120", "--seed", "3")


def simulate(folder, *options):
    return churnml("simulate", "--workspace", str(folder / "workspace"), *options)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    return folder, simulate(folder, *FEW, "--json")


def test_a_market_is_made_and_lands_and_says_where_the_truth_is(made):
    folder, done = made
    assert done.code == 0, done.err
    body = done.body
    assert {one["table"]: one["landed"] for one in body["report"]["tables"]} == {
        table: rows for table, rows in body["rows"].items() if rows
    }
    assert (folder / "workspace" / "market" / "truth" / "customers.parquet").exists()


def test_the_same_again_changes_nothing(made):
    folder, _ = made
    before = (folder / "workspace" / "market" / "market.json").stat().st_mtime_ns
    done = simulate(folder, *FEW)
    assert done.code == 0, done.err
    assert "unchanged since they landed" in done.err
    assert (folder / "workspace" / "market" / "market.json").stat().st_mtime_ns == before


def test_another_market_in_the_same_workspace_is_refused_and_the_first_stays(made):
    folder, _ = made
    done = simulate(folder, "--customers", "61", "--days", "120", "--seed", "3")
    assert done.code == 2
    assert "holds another market" in done.err
    assert "name a new one with --workspace" in done.err
    assert '"customers": 60' in (folder / "workspace" / "market" / "market.json").read_text()


def test_a_workspace_with_other_data_is_refused_and_stays_as_it_was(tmp_path):
    tiny = Tiny.make(tmp_path)
    tiny.land(customers="customer_id occurred_at\na 2020-01-01")
    done = churnml("simulate", "--workspace", str(tiny.workspace.root), *FEW)
    assert done.code == 2
    assert "a market needs a workspace of its own, found other data in" in done.err
    assert not (tiny.workspace.root / "market").exists()


@pytest.mark.parametrize(
    "options, words",
    [
        (("--customers", "0"), "--customers must be between 1 and 10,000,000, got 0"),
        (("--days", "1"), "--days must be between 2 and 3,650, got 1"),
        (("--seed", "-1"), "--seed must be between 0 and"),
        (("--variant", "nul"), "--variant must be one of plain, contractual, null, drift, confounded, memoryless"),
    ],
)
def test_what_cannot_be_is_refused_in_words_before_anything_is_written(tmp_path, options, words):
    done = simulate(tmp_path, *options)
    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "workspace").exists()


def test_the_files_alone_touch_no_workspace(tmp_path):
    done = simulate(tmp_path, *FEW, "--out", str(tmp_path / "files"))
    assert done.code == 0, done.err
    assert (tmp_path / "files" / "sources.yaml").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["files"]


def test_files_never_take_the_place_of_something_else(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "thesis.txt").write_text("years of work")
    done = simulate(tmp_path, *FEW, "--out", str(tmp_path / "files"))
    assert done.code == 2
    assert "found something that is no market" in done.err
    assert [path.name for path in (tmp_path / "files").iterdir()] == ["thesis.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["files"]
