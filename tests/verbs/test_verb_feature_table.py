"""`churnml train --features` and `score --features`: from a table of one's own to scores, and no in words."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from churnml.database import Catalogue, Workspace, open_engine
from churnml.events import forget
from churnml.modeling import tabular_bundle, tracking
from churnml.verbs import feature_table
from churnml.verbs.feature_table import unwelcome
from churnml.verbs.session import Session
from command import churnml
from erased import SECRET

PAGE = (Path(__file__).parents[2] / "docs" / "feature-table.md").read_text(encoding="utf-8")
AT = ("--cutoff", "2024-01-01")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def scores(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Return a folder in which the example of the page was carried out, and what was said; read it, never change it."""
    folder = tmp_path_factory.mktemp("own table")
    (folder / "train.yaml").write_text("{rounds: 60, bootstrap: 50}")
    tracked = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(tabular_bundle, "try_bundle", lambda path, _: tabular_bundle._smoke(path))
        patch.setattr(tracking, "track", lambda _, entry: tracked.update(vars(entry)))
        exec(blocks("python")[0], {})  # noqa: S102  # our own page
        lines = [line.split()[1:] for line in blocks("sh")[0].splitlines()]
        said = [churnml(*words, "--configs", folder, "--json") for words in lines]
    return folder, said, tracked


@pytest.fixture
def call(desk, tmp_path, monkeypatch):
    """Return a caller of verbs on the trained workspace, with files written for the occasion."""
    folder, _, _ = desk
    monkeypatch.setattr(tabular_bundle, "try_bundle", lambda path, _: tabular_bundle._smoke(path))
    monkeypatch.setattr(tracking, "track", lambda *_, **__: "")

    def run(verb, *words, text=None, name="own.csv"):
        path = folder / "customers.csv" if text is None else tmp_path / name
        if text is not None:
            path.write_text(text, encoding="utf-8")
        return churnml(verb, "--features", path, "-w", folder / "workspace", "--configs", folder, *words)

    return run


@pytest.fixture
def customers(desk):
    return (desk[0] / "customers.csv").read_text()


def test_the_example_of_the_page_runs(desk):
    folder, (trained, scored), _ = desk
    assert (trained.code, scored.code) == (0, 0), trained.err + scored.err
    rows = scores(folder / "scores.csv")
    assert [row["customer_id"] for row in rows[:2]] == ["00000", "00001"]
    assert len(rows) == 400


def test_a_score_has_a_probability_a_band_and_reasons(desk):
    row = scores(desk[0] / "scores.csv")[0]
    assert 0 < float(row["churn_probability"]) < 1
    assert row["risk_band"] in {"low", "medium", "high"}
    assert row["cutoff"] == "2024-01-01T00:00:00+00:00"
    assert re.search(r"(raises|lowers) the risk$", row["reason_1"])


def test_the_leak_is_reported_before_training_in_words_and_in_json_and_not_used(desk):
    said = desk[1][0]
    leak = next(one for one in said.body["suspects"] if one["kind"] == "dates after the cutoff")
    assert (leak["name"], leak["left_out"]) == ("closed_on", True)
    assert said.err.index("suspect `closed_on`, dates after the cutoff, left out") < said.err.index("✓ Judging")
    assert "closed_on" not in [column["name"] for column in said.body["columns"]]


def test_the_summary_says_what_a_snapshot_cannot_tell(desk):
    judged = desk[1][0].body["judged"]
    assert not judged["out_of_time"]
    assert "This is one snapshot." in judged["cannot_tell"][0]


def test_the_run_is_tracked_without_a_customer(desk):
    tracked = desk[2]
    assert tracked["tags"]["kind"] == "feature table"
    assert tracked["params"]["rows"] == 400
    assert "00017" not in str(tracked)


def test_the_champion_of_landed_tables_is_left_alone(desk):
    engine = open_engine(desk[0] / "workspace" / "churnml.db")
    catalogue = Catalogue(engine)
    assert catalogue.alias("champion") is None
    assert catalogue.last_run("train") is None
    assert catalogue.alias("feature table champion") == desk[1][0].body["model_version"]
    engine.dispose()


def test_the_same_inputs_are_not_trained_again(call):
    said = call("train", "--label", "churned", *AT)
    assert (said.code, "Judging" in said.err) == (0, False)
    assert "what this cannot tell: This is one snapshot." in said.err


def test_no_intermediate_file_is_left_behind(desk):
    assert not list((desk[0] / "workspace").glob(".features-*"))


def test_a_broken_row_is_told_and_kept_in_quarantine_and_the_rest_is_scored(call, customers, tmp_path):
    text = customers.replace("\n00003,", "\n,")
    said = call("score", *AT, "--out", tmp_path / "s.csv", "--json", text=text)
    assert said.body["set_aside"]["rows"] == 1
    assert "row 4, customer_id: found None; must be filled: fill it in" in said.err
    assert '"row": 4' in Path(said.body["set_aside"]["file"]).read_text()
    assert len(scores(tmp_path / "s.csv")) == said.body["scored"] == 399


def test_no_summary_keeps_a_row_that_was_set_aside_and_forgetting_finds_it_in_quarantine(
    call, customers, tmp_path, desk
):
    text = customers.replace("\n00003,", "\n00003 ,")
    said = call("score", *AT, "--out", tmp_path / "s.csv", "--json", text=text)
    engine = open_engine(desk[0] / "workspace" / "churnml.db")
    assert "00003" not in str(said.body)
    assert forget(Workspace.open(desk[0] / "workspace"), Catalogue(engine), ["00003"]).quarantined == 1
    assert Path(said.body["set_aside"]["file"]).read_text() == ""
    engine.dispose()


def test_an_unseen_category_is_scored_as_missing_and_reported(call, customers, tmp_path):
    said = call("score", *AT, "--out", tmp_path / "s.csv", text=customers.replace(",yearly,", ",weekly,"))
    assert said.code == 0
    assert re.search(r"note: `contract`: \d+ values were unseen or rare in training and count as missing", said.err)


def test_the_label_is_not_needed_for_scoring(call, customers, tmp_path):
    text = "".join(line.rpartition(",")[0] + "\n" for line in customers.splitlines())
    assert call("score", *AT, "--out", tmp_path / "s.csv", text=text).code == 0


def test_an_id_that_begins_as_a_formula_runs_in_no_spreadsheet_and_this_is_told(call, customers, tmp_path):
    said = call("score", *AT, "--out", tmp_path / "s.csv", text=customers.replace("\n00003,", "\n=1+1,"))
    assert scores(tmp_path / "s.csv")[3]["customer_id"] == "'=1+1"
    assert "1 ids begin as a formula does" in said.err


NO_SCORE = [
    (["--out", "s.csv"], {}, 2, "the model counts `last_visit` back from the cutoff; give its date with --cutoff"),
    ([*AT, "--out", "s.xlsx"], {}, 2, "written as CSV, got 's.xlsx'"),
    ([*AT], {}, 2, "--features needs --out FILE.csv"),
    ([*AT, "--out", "s.csv"], {"text": "customer_id,contract\n1,x\n"}, 3, "3 of them are not there: `monthly`"),
    (["--cutoff", "soon", "--out", "s.csv"], {}, 2, "--cutoff must be a date such as 2017-12-31, got 'soon'"),
]


@pytest.mark.parametrize("words, more, code, told", NO_SCORE)
def test_what_cannot_be_scored_is_refused_in_words(call, words, more, code, told):
    said = call("score", *words, **more)
    assert said.code == code
    assert told in said.err


NO_TRAIN = [
    ([], 2, "--features needs --label"),
    (["--label", "chrned"], 2, "has no column `chrned`; did you mean `churned`?"),
    (["--label", "contract"], 2, "who churned? its values do not say it"),
    (["--label", "churned", "--keep", "month"], 2, "--keep: customers.csv has no feature `month`"),
    (["--label", "churned", "--horizon-days", "-3"], 2, "--horizon-days must be at least 1, got -3"),
    (["--label", "churned", "--population-days", "9"], 2, "--population-days belongs to a call without --features"),
    (["--label", "churned", "--cutoff-column", "contract"], 3, "400 of 400 rows are broken"),
    (
        ["--label", "churned", "--cutoff-column", "last_visit"],
        2,
        "several cutoffs needs --horizon-days, found 28 cutoffs",
    ),
    (["--label", "churned", "--horizon-days", "0"], 2, "--horizon-days must be at least 1, got 0"),
]


@pytest.mark.parametrize("words, code, told", NO_TRAIN)
def test_what_cannot_be_trained_is_refused_in_words(call, words, code, told):
    said = call("train", *words)
    assert said.code == code
    assert told in said.err


def test_an_option_of_a_feature_table_needs_one(tmp_path):
    said = churnml("train", "--label", "churned", "-w", tmp_path / "none")
    assert (said.code, "--label belongs to a call with --features FILE" in said.err) == (2, True)
    assert not list(tmp_path.iterdir())


def test_before_any_training_the_way_to_it_is_told(tmp_path):
    (tmp_path / "t.csv").write_text("customer_id,x\n1,2\n")
    at = ("--features", tmp_path / "t.csv", "-w", tmp_path / "w", "--configs", tmp_path)
    assert churnml("train", "--label", "y", *at).code == 2
    said = churnml("score", "--out", tmp_path / "s.csv", *at)
    assert (said.code, "run `churnml train --features FILE --label COLUMN` first" in said.err) == (2, True)


@pytest.fixture
def without_one(tiny, monkeypatch):
    """Return a session on a workspace from which the customer 00003 was erased."""
    monkeypatch.setenv("CHURNML_SECRET", SECRET)
    assert churnml("erase", "00003", "--yes", "-w", tiny.workspace.root).code == 0
    session = Session.open(tiny.workspace.root, tiny.folder)
    yield session
    session.close()


def test_of_an_erased_customer_nothing_is_learned_or_scored(without_one):
    found = unwelcome(without_one, np.array(["00003", "00004"], dtype=object))
    assert found == {"refuse profiling": frozenset(), "were erased": {"00003"}}


def test_a_broken_row_of_an_erased_customer_is_neither_kept_nor_shown(without_one, monkeypatch):
    rows = [{"row": 1, "customer_id": None, "whole_row": "00003 , x"}, {"row": 2, "customer_id": "00004"}]
    monkeypatch.setattr(feature_table, "set_aside", lambda *_: rows)
    assert [one["row"] for one in feature_table.broken(without_one, None, [], 2)] == [2]
