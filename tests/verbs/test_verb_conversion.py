"""From leads in a file to a list of those likeliest to become customers; and what is said where that cannot be told."""

import shutil
from pathlib import Path

import pytest

from churnml.database import Workspace
from churnml.database.lists import prospects_page
from churnml.modeling.bundle import load_bundle
from churnml.service.api.shapes import DecisionRecord
from churnml.verbs.score import told as score_told
from churnml.verbs.workbench import open_workspace
from journeys import Journey
from leads import Leads

SETTINGS = (
    "{horizon_days: 30, step_days: 30, max_cutoffs: 4, folds: 1, rounds: 20, bootstrap: 50, bounds_rows: 1000, "
    "min_history_days: 60, value: {rounds: 20}}"
)
REASON = "promoted to see what is said of prospects"


def opened(folder, files, settings):
    """Return a workspace in which the files have landed."""
    shutil.copytree(Path(__file__).parents[2] / "configs", folder / "configs")
    (folder / "configs" / "train.yaml").write_text(settings)
    shop = Journey(Workspace.open(folder / "workspace", create=True), folder / "configs", {})
    for table, file in files.items():
        landed = shop.churnml("ingest", file, "-t", table)
        assert landed.code == 0, landed.err
    return shop


def scored(shop):
    """Train, promote whatever came of churn, and score."""
    shop.said["train"] = shop.churnml("train", "--json")
    assert shop.said["train"].code == 0, shop.said["train"].err
    if shop.said["train"].body["not_promoted_because"]:
        assert shop.churnml("promote", "--despite", REASON).code == 0
    shop.said["score"] = shop.churnml("score", "--json")
    assert shop.said["score"].code == 0, shop.said["score"].err
    return shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("leads")
    return scored(opened(folder, Leads.draw(3, 900).write(folder), SETTINGS))


@pytest.fixture(scope="module")
def bench(shop):
    return open_workspace(shop.workspace.root, shop.configs)


@pytest.fixture(scope="module")
def records(bench):
    return bench.score()


def test_training_says_how_well_it_told_who_became_a_customer(shop):
    found = shop.said["train"].body["conversion"]
    assert found["rung"] in ("blend", "logistic")
    assert set(found["judged"]["baselines"]) >= {"base rate", "rate by age", "logistic on a handful"}
    assert found["judged"]["intervals"]["auroc"][0] > 0.55
    assert found["prospects"] > 100


def test_the_bundle_holds_it_and_its_manifest_tells_of_it(shop):
    model, manifest = load_bundle(shop.workspace.models / shop.said["train"].body["model_version"])
    assert model.conversion.rung == manifest["conversion"]["rung"]


def test_every_prospect_and_trial_has_a_probability_with_reasons_and_nobody_else_has(records):
    undecided = records["rung"].isin(["prospect", "trial"])
    assert set(records["rung"]) >= {"prospect", "trial"}
    assert records.loc[undecided, "conversion_probability"].between(0, 1).all()
    assert records.loc[undecided, "reasons"].map(len).gt(0).all()
    assert records.loc[~undecided, "conversion_probability"].isna().all()
    assert records.loc[undecided, "churn_probability"].isna().all()


def test_their_records_keep_the_declared_shape(shop, bench, records):
    run = bench.session.catalogue.last_run("score")
    for record in bench.session.records.of_run(run.run_id):
        DecisionRecord.model_validate(record)


def test_the_list_has_the_likeliest_first(bench, records):
    run = bench.session.catalogue.last_run("score")
    with bench.session.catalogue.engine.connect() as connection:
        listed = prospects_page(connection, run.run_id, 10).records
    best = records["conversion_probability"].nlargest(10).tolist()
    assert [one["conversion_probability"] for one in listed] == best


def test_the_expected_number_is_the_sum_of_the_probabilities(shop, records):
    summary = shop.said["score"].body
    assert summary["expected_conversions"] == pytest.approx(records["conversion_probability"].sum())
    assert f"of {summary['prospects']:,} prospects about" in score_told(summary)


def test_a_notebook_compares_it_with_its_baselines(bench):
    found = bench.compare().loc["conversion"]
    assert set(found.index.get_level_values("metric")) == {"auroc", "auprc", "brier", "log_loss", "ece"}
    assert {"churnml", "rate by age"} <= set(found.index.get_level_values("method"))


def test_a_backtest_judges_it_and_writes_a_report(shop, tmp_path):
    report = tmp_path / "conversion.md"
    said = shop.churnml("backtest", "--conversion", 1, "--report", report, "--json")
    assert said.code == 0, said.err
    assert len(said.body["conversion"]) == 1
    assert "| rate by age |" in report.read_text()


def test_a_number_of_cutoffs_that_is_none_is_refused(shop):
    said = shop.churnml("backtest", "--conversion", 0)
    assert (said.code, "--conversion must be a number of cutoffs from 1 to 50, got 0" in said.err) == (2, True)


FEW = "{horizon_days: 14, step_days: 14, bounds_rows: 1000, bootstrap: 50, min_history_days: 14, population_days: 60}"


def small(folder, leads):
    """Return a shop of fifty customers and some who never ordered, known by nothing but when they came."""
    days = [1 + place % 60 for place in range(50)]
    people = [f"c{place},2025-01-{1 + place % 28:02}" for place in range(50)]
    orders = [
        f"o{place}-{turn},c{place},2025-{2 + turn:02}-{1 + (days[place] + 3 * turn) % 28:02},20"
        for place in range(50)
        for turn in range(1 + place % 3)
    ]
    people += [f"p{place},2025-02-{1 + place % 28:02}" for place in range(leads)]
    (folder / "customers.csv").write_text("\n".join(["customer_id,occurred_at", *people]))
    (folder / "orders.csv").write_text("\n".join(["order_id,customer_id,occurred_at,amount", *orders]))
    return scored(opened(folder, {name: folder / f"{name}.csv" for name in ("customers", "orders")}, FEW))


@pytest.mark.long
def test_few_prospects_get_a_rate_by_age_with_its_interval(tmp_path):
    shop = small(tmp_path, 30)
    found = shop.said["train"].body["conversion"]
    assert found["rung"] == "rate", found
    records = open_workspace(shop.workspace.root, shop.configs).score()
    told = records[records["rung"] == "prospect"]
    assert len(told) == 30
    assert (told["conversion_low"] < told["conversion_probability"]).all()
    assert (told["conversion_probability"] < told["conversion_high"]).all()


def test_a_shop_whose_customers_are_known_by_their_first_order_trains_as_ever(journey):
    found = journey.said["train"].body["conversion"]
    assert found["rung"] in (None, "rate")
    assert found["because"]
    assert found["judged"] is None
