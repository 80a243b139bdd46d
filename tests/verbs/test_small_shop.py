"""A shop of fifty customers and five months gets scores, a page and a suggestion, and is told how far to trust them."""

import datetime as dt
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from callers import bearing
from churnml.config import TrainConfig
from churnml.database import Workspace
from churnml.modeling import climb as climbing
from churnml.modeling.climb import climb
from churnml.modeling.gates import refusals
from churnml.service import create_app
from churnml.service.api.shapes import DecisionRecord
from churnml.verbs.features import of_session
from churnml.verbs.session import Session
from churnml.verbs.train import answers_by_blend
from journeys import Journey

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the test client asks for a package that it does not need
    from starlette.testclient import TestClient

DAY_ONE = dt.date(2025, 1, 1)


def written(folder, customers, days, seed=1, told_after=None):
    """Write the files of a shop whose customers come at rates of their own and leave after some order.

    From the day `told_after` on, who orders again bears a mark from the beginning: what nobody could have known.
    """
    rng = np.random.default_rng(seed)
    people, orders = ["customer_id,occurred_at,attributes"], ["order_id,customer_id,occurred_at,amount"]
    for who in range(customers):
        day, rate, leaving = rng.uniform(0, days * 0.8), rng.gamma(1.2, 1 / 25), rng.beta(1, 5)
        met, last = DAY_ONE + dt.timedelta(days=int(day)), day
        while day < days:
            at, last = DAY_ONE + dt.timedelta(days=int(day)), day
            orders.append(f"o{len(orders)},c{who},{at},{rng.gamma(4, 10):.2f}")
            day += np.inf if rng.random() < leaving else rng.exponential(1 / rate)
        mark = told_after is not None and int(last) >= told_after
        people.append(f'c{who},{met},"{{""mark"": ""{"on" if mark else "off"}""}}"')
    for name, lines in (("customers", people), ("orders", orders)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")


def opened(folder, customers, days, settings="", **how):
    """Return a shop that has landed."""
    shutil.copytree(Path(__file__).parents[2] / "configs", folder / "configs")
    (folder / "configs" / "train.yaml").write_text(
        f"{{bounds_rows: 1000, bootstrap: 50, value: {{rounds: 40}}{settings}}}"
    )
    if how:
        rules = "{consent: assumed, attributes: {mark: {en: mark, zh: 标记}}}"
        (folder / "configs" / "workspace.yaml").write_text(rules, encoding="utf-8")
    shop = Journey(Workspace.open(folder / "workspace", create=True), folder / "configs", {})
    written(folder, customers, days, **how)
    for table in ("customers", "orders"):
        landed = shop.churnml("ingest", folder / f"{table}.csv", "-t", table)
        assert landed.code == 0, landed.err
    return shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    made = opened(tmp_path_factory.mktemp("shop"), 50, 150)
    for verb in ("train", "score", "assign"):
        made.said[verb] = made.churnml(verb, "--json")
        assert made.said[verb].code == 0, made.said[verb].err
    return made


@pytest.fixture(scope="module")
def records(shop):
    session = Session.open(shop.workspace.root, shop.configs)
    yield list(session.records.of_run(session.records.current_run()))
    session.catalogue.engine.dispose()


def test_training_says_which_rung_why_and_what_the_next_takes(shop):
    summary = shop.said["train"].body
    assert summary["rung"] == "rhythm"
    assert "who left and" in summary["rung_because"]
    assert summary["next_rung_needs"].startswith("30 customers who left and 30 who stayed")


def test_it_is_promoted_though_not_judged_and_that_is_told(shop):
    summary = shop.said["train"].body
    assert summary["judged"] is None
    assert "needs 210 days of history" in summary["not_judged_because"]
    assert summary["not_promoted_because"] == []
    unasked = [gate["name"] for gate in summary["gates"] if not gate["asked"]]
    assert unasked == ["baselines", "calibration", "suspects", "stability"]


def test_each_score_names_its_rung_and_has_its_interval(records):
    scored = [one for one in records if one["churn_probability"] is not None]
    assert len(scored) > 30
    assert {one["rung"] for one in scored} == {"rhythm"}
    for one in scored:
        assert 0 < one["churn_probability_low"] <= one["churn_probability"] <= one["churn_probability_high"] < 1
        assert one["reasons"], one
        assert min(one["expected_margin"], one["clv"], one["value_at_risk"], one["margin_low"]) >= 0


def test_records_of_a_small_shop_have_the_declared_shape(records):
    for one in records:
        DecisionRecord.model_validate(one)


def test_somebody_is_suggested_an_action(records):
    assert any(one["action"] for one in records)


@pytest.mark.parametrize("language, interval, note", [("en", "between ", "Not judged yet"), ("zh", "介于", "尚未检验")])
def test_pages_show_the_interval_and_that_it_is_not_judged(shop, records, language, interval, note):
    one = next(one for one in records if one["churn_probability"] is not None)
    app, signed = create_app(shop.workspace), bearing(shop.workspace)
    with TestClient(app, base_url="http://localhost", headers=signed) as client:
        asked = {"Accept": "text/html", "Accept-Language": language}
        assert interval in client.get(f"/customers/{one['customer_id']}", headers=asked).text
        assert note in client.get("/at-risk", headers=asked).text


def test_where_no_rhythm_can_be_learned_a_rule_answers(tmp_path):
    shop = opened(tmp_path, 8, 40)
    session = Session.open(shop.workspace.root, shop.configs)
    config = TrainConfig(bounds_rows=1_000)
    stood = climb(session.store, of_session(session), session.cutoff(None), config, 0.3, session.step)
    session.catalogue.engine.dispose()
    assert (stood.step.rung, stood.trained.cutoffs, stood.judged) == ("recency", (), None)
    assert "no rhythm of buying can be learned" in stood.step.because
    assert all(gate.passed for gate in stood.gates)


def remembering(stand):
    """Return `_stand` that tries each rung once, for climbs on the same data."""
    found = {}

    def stood(*asked):
        rung = asked[6] and asked[6].rung
        if rung not in found:
            found[rung] = stand(*asked)
        return found[rung]

    return stood


FEW_CUTOFFS = ", horizon_days: 30, population_days: 60, min_history_days: 60, max_cutoffs: 4, rounds: 10, folds: 1"


@pytest.mark.long
def test_a_refused_blend_gives_way_to_a_rung_that_passes_unless_another_blend_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(climbing, "_stand", remembering(climbing._stand))  # both climbs begin on the same rung
    shop = opened(tmp_path, 900, 240, FEW_CUTOFFS, told_after=240 - 30)
    session = Session.open(shop.workspace.root, shop.configs)
    config = session.load("train", TrainConfig)
    asked = session.store, of_session(session), session.cutoff(None), config, 0.3, session.step
    stood, kept = climb(*asked), climb(*asked, keep_blend=True)
    session.catalogue.engine.dispose()
    assert (stood.step.rung, refusals(stood.gates)) == ("rhythm", [])
    assert stood.step.because.startswith("the rung `logistic` was refused: ")
    assert "`mark`" in stood.step.because
    assert kept.step.rung == "blend"
    assert "`mark`" in "; ".join(refusals(kept.gates))


def test_a_blend_that_answers_is_not_the_champion_of_a_small_shop(shop):
    session = Session.open(shop.workspace.root, shop.configs)
    assert not answers_by_blend(session)
    session.catalogue.engine.dispose()


def test_a_history_of_days_is_refused_with_what_would_suffice(tmp_path):
    said = opened(tmp_path, 20, 10).churnml("train")
    assert said.code == 3
    assert "training needs 14 days of history" in said.err
