"""A market of contracts alone, from its tables to its pages: nobody orders, and leaving is the end of a contract."""

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from callers import bearing
from churnml.database import Workspace
from churnml.modeling.train import train
from churnml.scoring.reasons import contributions
from churnml.service import create_app
from churnml.service.api.shapes import DecisionRecord
from churnml.verbs.features import of_session
from churnml.verbs.horizon import train_config
from churnml.verbs.session import Session
from command import churnml
from journeys import Journey

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client asks for a package that it does not need
    from starlette.testclient import TestClient

SETTINGS = "{bounds_rows: 1000, bootstrap: 50, max_cutoffs: 4, step_days: 28, folds: 1, rounds: 20}"


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contracts")
    shutil.copytree(Path(__file__).parents[2] / "configs", folder / "configs")
    (folder / "configs" / "train.yaml").write_text(SETTINGS)
    options = ("--customers", 900, "--days", 400, "--seed", 3, "--variant", "contractual")
    done = churnml("simulate", "--workspace", folder / "workspace", "--configs", folder / "configs", *options)
    assert done.code == 0, done.err
    market = Journey(Workspace.open(folder / "workspace"), folder / "configs", {})
    for verb in ("train", "score"):
        market.said[verb] = market.churnml(verb, "--json")
        assert market.said[verb].code == 0, market.said[verb].err
    return market


@pytest.fixture(scope="module")
def session(market):
    return Session.open(market.workspace.root, market.configs, as_json=True)


@pytest.fixture(scope="module")
def records(session):
    run = session.catalogue.last_run("score")
    return list(session.records.of_run(run.run_id))


@pytest.fixture(scope="module")
def client(market):
    app, signed = create_app(market.workspace), bearing(market.workspace)
    with TestClient(app, base_url="http://127.0.0.1", headers=signed) as client:
        yield client


def test_the_data_say_that_leaving_is_the_end_of_a_contract(market):
    told = json.loads(market.said["train"].out)
    assert told["churn_by"] == "contracts"
    assert told["not_promoted_because"] == []
    assert {"renewal rule", "renewals"} <= set(told["judged"]["churn"]["baselines"])


def test_the_model_card_and_chinese_reports_name_what_contracts_are_told_by(session):
    from churnml.modeling.baselines import CONTRACT_CHURN_BASELINES, CONTRACT_VALUE_BASELINES
    from churnml.service.pages.models.words import NAMES

    assert {*CONTRACT_CHURN_BASELINES, *CONTRACT_VALUE_BASELINES} <= set(NAMES)
    card = next(session.workspace.root.glob("mlflow/**/MODEL_CARD.md")).read_text()
    assert "holds a contract that is paid for at a cutoff" in card
    assert "the end of a contract in the horizon that none continued" in card
    assert "no order event" not in card
    assert "place no order" not in card


def test_who_holds_a_contract_is_scored_and_nobody_else(records, session):
    scored = [one for one in records if one["churn_probability"] is not None]
    assert len(scored) == json.loads(json.dumps(session.catalogue.last_run("score").summary))["population"]
    assert {one["rung"] for one in records} <= {"logistic", "gone", "prospect", "no_profiling"}
    assert all(one["expected_margin"] > 0 and one["clv"] > one["expected_margin"] for one in scored)


def test_a_contract_is_no_less_likely_to_be_over_later_and_at_the_horizon_as_likely_as_told(records):
    for one in records:
        if one["churn_probability"] is None:
            continue
        told = [each["probability"] for each in one["contract_over_within"]]
        assert told == sorted(told)
        at = next(each for each in one["contract_over_within"] if each["days"] == one["horizon_days"])
        assert at["probability"] == one["churn_probability"]
        assert one["next_order"] == one["no_order_within"] == []
        days = [each["date"] or "9999" for each in one["remaining_life"]]
        assert days == sorted(days)


def test_every_record_keeps_the_shape_of_the_service(records):
    for one in records:
        DecisionRecord.model_validate(one)


def test_the_page_of_a_customer_speaks_of_the_contract_in_both_languages(client, records):
    who = next(one["customer_id"] for one in records if one["churn_probability"] is not None)
    page = client.get(f"/customers/{who}").text
    assert "How likely it is that the contract is over." in page
    assert "no order" not in page.lower()
    assert "合同终止的可能性" in client.get(f"/customers/{who}", headers={"accept-language": "zh-CN"}).text


def test_who_let_a_contract_end_is_told_so(client, records):
    who = next(one["customer_id"] for one in records if one["rung"] == "gone")
    assert "Their contract has ended" in client.get(f"/customers/{who}").text


def test_a_blend_of_contracts_has_exact_reasons_and_comes_back_from_its_bundle(session):
    now = session.cutoff(None)
    config, _ = train_config(session, now)
    from churnml.modeling.bundle import load_bundle, save_bundle
    from churnml.modeling.cutoffs import cutoffs_before

    at = cutoffs_before(session.store, now, config)
    model = train(session.store, of_session(session), at, now, config, 0.25, curve=True)
    base = model.snapshots.base_at_now
    table = base.take(base.modelled)
    told = model.model.forecast(table, 365)
    parts = contributions(model.model, told)
    logit = np.log(told.churn_probability / (1 - told.churn_probability))
    np.testing.assert_allclose(parts.by_column.sum(axis=1) + parts.base, logit, atol=1e-9)
    again = load_bundle(session.workspace.models / save_bundle(model.model, {}, session.workspace.models))[0]
    assert again.forecast(table, 365).churn_within.tobytes() == told.churn_within.tobytes()
    assert again.by == "contracts"


def test_no_feature_of_contracts_reads_the_future_and_the_alarm_was_tried(market):
    found = market.churnml("check leakage", "--json", "--horizon-days", "30")
    assert found.code == 0, found.err
    told = json.loads(found.out)
    assert told["wall"]["differences"] == []
    assert told["alarm_tested"][-1]["rang"]


def test_orders_can_be_asked_for_and_the_message_says_that_none_have_landed(market):
    (market.configs / "train.yaml").write_text("{churn: orders}")
    try:
        refused = market.churnml("train")
    finally:
        (market.configs / "train.yaml").write_text(SETTINGS)
    assert refused.code == 3
    assert "churn by orders is learned from the table `orders`, found none landed" in refused.err
    assert "`churn: contracts`" in refused.err
