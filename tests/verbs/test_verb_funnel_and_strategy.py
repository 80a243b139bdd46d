"""`churnml measure funnel` and `churnml measure strategy` on the Complete Journey, and the sheet as a page."""

import pytest

from churnml.service.pages.measures.strategy import strategy_page
from journeys import copied


@pytest.fixture(scope="module")
def strategy(journey, tmp_path_factory):
    """Return what the strategy sheet says, and the files it was written to."""
    folder = tmp_path_factory.mktemp("strategy")
    own = copied(journey, folder)
    said = own.churnml("measure strategy", "--to", "2018-01-01", "--report", folder / "sheet.html", "--json")
    assert said.code == 0, said.err
    return said.body, folder / "sheet.html"


def rows(body):
    return body["measures"][0]["rows"]


def test_the_cells_of_the_sheet_add_up_to_the_base(strategy):
    body, _ = strategy
    assert sum(row["customers"] for row in rows(body)) == body["base"]
    assert sum(row["share"] for row in rows(body)) == pytest.approx(1)


def test_nothing_is_called_proven_that_nobody_measured(strategy):
    body, page = strategy
    assert {row["evidence"] for row in rows(body)} <= {"assumed", "nothing_pays", "nothing_open", "none"}
    assert "None of it is proven" in page.read_text()


def test_what_is_advised_suits_the_stage_and_pays_after_its_cost(strategy):
    body, _ = strategy
    advised = [row for row in rows(body) if row["open_to"]]
    assert advised
    assert all(row["expected_return"] > 0 and row["open_to"] <= row["customers"] for row in advised)
    assert {row["stage"] for row in advised if row["action"] == "win_back"} <= {"churned", "others"}


def test_what_is_missing_is_said(strategy):
    body, _ = strategy
    assert any("no survey was answered" in remark["en"] for remark in body["measures"][0]["remarks"])


def test_the_sheet_is_one_page_across_in_both_languages(strategy):
    body, page = strategy
    assert "size: A4 landscape" in page.read_text()
    chinese = strategy_page(body, "zh")
    assert "策略一览" in chinese
    assert "假设，尚未证实" in chinese
    assert "src=" not in chinese


def test_the_sheet_says_where_an_experiment_found_that_an_action_pays(strategy):
    body, _ = strategy
    advised = next(row for row in rows(body) if row["open_to"])
    proven = body | {"measures": [body["measures"][0] | {"rows": [advised | {"evidence": "proven"}]}]}
    assert "rest on effects that an experiment found to pay" in strategy_page(proven, "en")


def test_before_any_scores_the_sheet_says_what_to_do(tiny):
    from command import churnml

    tiny.land(
        customers="customer_id occurred_at\nA 2021-03-01T08:00:00Z",
        orders="order_id customer_id occurred_at amount\n1 A 2021-03-02T08:00:00Z 5",
    )
    said = churnml("measure", "strategy", "--workspace", tiny.workspace.root, "--configs", tiny.folder / "none")
    assert said.code == 3
    assert "run `churnml train` and `churnml score` first" in said.err


def test_the_funnel_of_the_journey_adds_up_and_says_what_it_cannot_tell(journey, tmp_path):
    said = copied(journey, tmp_path / "own").churnml("measure funnel", "--by", "income_band", "--json")
    measures = {one["name"]: one for one in said.body["measures"]}
    assert sum(row["customers"] for row in measures["funnel_standing"]["rows"]) == said.body["base"]
    assert {row["stage"] for row in measures["funnel"]["rows"]} == {"known", "first_order", "second_order", "regular"}
    assert any("first known on the day they reached First order" in one["en"] for one in measures["funnel"]["remarks"])
