"""`churnml measure kpis`: targets, alerts, pages, and the value a model tells beside what was earned so far."""

from datetime import date

import numpy as np
import pytest

from churnml.database import Records
from churnml.database.engine import open_engine
from churnml.events.clock import midnight
from command import churnml
from small import Tiny

SHOP = {
    "customers": """
        customer_id  occurred_at
        ann          2024-01-01
        bob          2024-01-01
        cem          2024-01-01
    """,
    "orders": """
        customer_id  occurred_at  order_id  amount
        ann          2024-01-01   1         10
        ann          2024-02-20   2         10
        bob          2024-02-20   3         10
        cem          2024-02-20   4         10
        ann          2024-03-20   5         10
        bob          2024-05-01   6         10
    """,
}
WINDOWS = "horizon_days: 30\npopulation_days: 30\n"


def kpis(tiny, *words):
    where = ("--workspace", tiny.workspace.root, "--configs", tiny.folder / "configs")
    return churnml("measure", "kpis", *where, *words)


def by_name(body):
    return {one["name"]: one for one in body["measures"]}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    tiny = Tiny.make(tmp_path_factory.mktemp("shop"))
    tiny.land(midnight(date(2024, 6, 1), "UTC"), **SHOP)
    configs = tiny.folder / "configs"
    configs.mkdir()
    (configs / "measure.yaml").write_text("smallest_group: 1")
    (configs / "kpis.yaml").write_text(f"{WINDOWS}targets: {{churn_rate: {{at_most: 0.05}}, revenue: {{at_least: 5}}}}")
    yield tiny
    tiny.catalogue.engine.dispose()


@pytest.fixture(scope="module")
def march(shop):
    page = shop.folder / "kpis.html"
    said = kpis(shop, "--to", "2024-04-01", "--report", page, "--language", "zh", "--json")
    assert said.code == 0, said.err
    return by_name(said.body), page.read_text(encoding="utf-8")


def test_what_misses_its_target_beyond_noise_is_an_alert(march):
    # of three who ordered in the thirty days before March 2, one did in the thirty days after
    (alert,) = march[0]["kpis_alerts"]["rows"]
    assert (alert["kpi"], alert["target"], alert["side"]) == ("churn_rate", 0.05, "at_most")
    assert alert["value"] == pytest.approx(2 / 3)


def test_a_target_that_is_met_is_none(march):
    verdicts = {row["kpi"]: row["verdict"] for row in march[0]["kpis_now"]["rows"]}
    assert (verdicts["revenue"], verdicts["churn_rate"], verdicts["basket"]) == ("met", "missed", "no_target")


def test_the_page_tells_each_figure_in_its_own_unit_and_language(march):
    assert "流失率（订单）" in march[1]
    assert "66.7%" in march[1]
    assert "US$10.00" in march[1]


def test_a_period_of_which_not_all_days_have_landed_is_left_out(shop):
    said = kpis(shop, "--to", "2024-06-01", "--json")
    assert said.code == 0, said.err
    assert by_name(said.body)["kpis"]["end"] == "2024-05-01"


def test_a_target_of_an_unknown_kpi_is_refused_by_the_name_of_the_file(shop, tmp_path):
    (tmp_path / "kpis.yaml").write_text("targets: {churn: {at_most: 0.1}}")
    said = churnml("measure", "kpis", "--workspace", shop.workspace.root, "--configs", tmp_path)
    assert said.code == 2
    assert "there is no KPI `churn`; did you mean `churn_rate`?" in said.err.replace("\n", " ")
    assert "kpis.yaml" in said.err


def test_a_target_has_one_side(shop, tmp_path):
    (tmp_path / "kpis.yaml").write_text("targets: {nps: {at_most: 10, at_least: 5}}")
    said = churnml("measure", "kpis", "--workspace", shop.workspace.root, "--configs", tmp_path)
    assert said.code == 2
    assert "one of `at_most` and `at_least`, not both or none" in said.err.replace("\n", " ")


def test_predicted_value_is_the_mean_of_the_records_in_service(journey):
    said = journey.churnml("measure kpis", "--json", "--from", "2017-11-01", "--to", "2018-01-01")
    assert said.code == 0, said.err
    rows = {(row["kpi"], row["period"]): row for row in by_name(said.body)["kpis"]["rows"]}
    records = Records(open_engine(journey.workspace.database))
    clv = [one["clv"] for one in records.of_run(records.current_run()) if one["clv"] is not None]
    records.engine.dispose()
    assert rows["clv_predicted", "2017-12-01"]["value"] == pytest.approx(np.mean(clv))
    assert rows["clv_predicted", "2017-12-01"]["customers"] == len(clv)
    assert rows["clv_predicted", "2017-11-01"]["value"] is None


def test_a_score_made_after_the_end_of_the_report_is_not_in_it(journey):
    said = journey.churnml("measure kpis", "--json", "--from", "2017-11-01", "--to", "2017-12-01")
    kpis = by_name(said.body)["kpis"]
    assert "clv_predicted" not in {row["kpi"] for row in kpis["rows"]}
    assert any("made by the end of the report" in remark["en"] for remark in kpis["remarks"])
