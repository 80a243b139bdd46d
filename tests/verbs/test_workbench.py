"""In a notebook the verbs take data frames and give data frames, on the workspace that the command line works in."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import churnml
from churnml.errors import DataRefusedError, NotFoundError, UsageError

CUSTOMERS = pd.DataFrame({"customer_id": ["ann", "bob"], "occurred_at": pd.to_datetime(["2020-01-01", "2020-01-02"])})
ORDERS = pd.DataFrame(
    {
        "customer_id": ["ann", "bob", "ann"],
        "order_id": ["1", "2", "3"],
        "occurred_at": pd.to_datetime(["2020-02-01", "2020-02-03", "2020-03-01"]),
        "amount": [9.5, 20.0, 3.25],
    }
)


@pytest.fixture
def bench(tmp_path):
    bench = churnml.open_workspace(tmp_path / "shop", tmp_path)
    yield bench
    bench.session.catalogue.engine.dispose()


@pytest.fixture(scope="module")
def trained(journey):
    bench = churnml.open_workspace(journey.workspace.root, journey.configs)
    yield bench
    bench.session.catalogue.engine.dispose()


def test_there_are_a_dozen_names_and_each_is_there():
    names = [name for name in churnml.__all__ if not name.startswith("_")]
    assert 10 <= len(names) <= 14
    assert all(getattr(churnml, name) is not None for name in names)
    assert set(churnml.__all__) <= set(dir(churnml))


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(AttributeError, match="has no attribute 'Trainer'; it has open_workspace, Workbench"):
        churnml.Trainer  # noqa: B018  # asking is the point


def test_importing_churnml_imports_nothing_heavy():
    asked = "import sys, churnml; print(sorted({'pandas', 'numpy', 'duckdb', 'lightgbm', 'mlflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_frames_land_as_files_do_and_features_come_back_as_a_frame(bench):
    report = bench.ingest(customers=CUSTOMERS, orders=ORDERS)
    assert {one["table"]: one["landed"] for one in report["tables"]} == {"customers": 2, "orders": 3}
    assert bench.tables == ["customers", "orders"]
    features = bench.features(["2020-03-02"])
    assert features.xs("ann", level="customer_id")["spend_all"].tolist() == [12.75]


def test_a_check_lands_nothing(bench):
    assert bench.ingest(check=True, customers=CUSTOMERS)["tables"][0]["landed"] == 2
    assert bench.tables == []


def test_a_file_may_stand_for_a_frame(bench, tmp_path):
    CUSTOMERS.to_csv(tmp_path / "c.csv", index=False)
    bench.ingest(customers=tmp_path / "c.csv")
    assert bench.tables == ["customers"]


def test_a_broken_row_of_a_frame_is_set_aside_with_row_column_and_rule(bench):
    broken = CUSTOMERS.assign(occurred_at=[CUSTOMERS["occurred_at"][0], pd.NaT])
    (finding,) = bench.ingest(customers=broken)["tables"][0]["findings"]
    assert (finding["column"], finding["rule"], finding["examples"][0]["row"]) == ("occurred_at", "must be filled", 2)


def test_a_frame_that_lacks_a_column_is_refused(bench):
    with pytest.raises(DataRefusedError, match="needs the column `occurred_at`, found `customer_id`"):
        bench.ingest(customers=CUSTOMERS[["customer_id"]])


def test_an_unknown_table_is_refused_with_the_nearest(bench):
    with pytest.raises(UsageError, match=r"got 'order'; did you mean `orders`\?"):
        bench.ingest(order=ORDERS)


def test_what_is_not_there_yet_is_said(bench):
    with pytest.raises(NotFoundError, match="no training to compare: none was done"):
        bench.compare()
    with pytest.raises(NotFoundError, match="customer 'ann' has no record"):
        bench.explain("ann")


def test_training_again_with_the_same_inputs_returns_the_same_summary(trained, journey):
    assert trained.train(cutoff="2018-01-01") == journey.said["train"].body


def test_methods_are_compared_in_one_table(trained, journey):
    table = trained.compare()
    ours = journey.said["train"].body["judged"]["churn"]
    assert table.loc[("churn", "churnml", "auroc"), "value"] == ours["auroc"]
    row = table.loc[("churn", "BG/NBD", "auroc")]
    assert row["lead"] == pytest.approx(ours["auroc"] - row["value"])
    assert row["lead_low"] <= row["lead"] <= row["lead_high"]


def test_scores_are_the_decision_records(trained, journey):
    scores = trained.score(cutoff="2018-01-01")
    assert len(scores) == journey.said["score"].body["customers"]
    assert scores["churn_probability"].between(0, 1).sum() == journey.said["score"].body["population"]


def test_a_customer_is_explained_by_their_reasons(trained):
    scores = trained.score(cutoff="2018-01-01")
    who = scores["value_at_risk"].idxmax()
    reasons = trained.explain(who)
    assert len(reasons) == 5
    assert np.isfinite(reasons["weight"]).all()
    assert reasons["sentence"][0]["en"]


def test_the_example_of_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
    exec(page.split("```python\n")[1].split("```")[0], {})  # noqa: S102  # our own page
    assert "12.75" in capsys.readouterr().out
