"""Measures as pages and as routes: each as measured last, with its definition, in both languages, and harmless."""

import re

import pytest
import sample_measures as sample
from sample_measures import HOSTILE, body, keep, measure
from sample_run import ask

from churnml.measures.names import MEASURES
from churnml.service.api.measures import MeasuredBody
from churnml.service.pages.measures.page import measures_page
from churnml.verbs import measuring
from churnml.wording import Text
from new_database import new_workspace

HTML = {"accept": "text/html"}
REMARK = Text("No tickets have landed", "尚无工单数据")


def bodies():
    return [
        body("lifecycle", sample.stages((REMARK,)), sample.transitions()),
        body("segments", sample.segments()),
        body("kpis", sample.kpis()),
        body("drivers", sample.drivers(), by=HOSTILE),
        body("rhythm", not_told={"en": "the table `orders` has no rows", "zh": "`orders` 表没有数据"}),
    ]


def words(page):
    told = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", told))


@pytest.fixture(scope="module")
def page():
    return measures_page(bodies(), "en")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A client of a service in whose workspace two measures were kept, one of them twice."""
    workspace = new_workspace(tmp_path_factory.mktemp("measured"))
    keep(workspace, body("kpis"), now=1)
    run_id = keep(workspace, body("kpis", sample.kpis(("north", "south")), sample.segments()))
    keep(workspace, body("lifecycle", sample.stages((REMARK,))))
    with ask(workspace) as client:
        yield client, run_id


def test_the_verbs_the_pages_and_the_routes_have_the_same_names():
    assert tuple(MEASURES) == measuring.MEASURES


@pytest.mark.parametrize("language, tag", [("en", "en"), ("zh", "zh-CN")])
def test_a_report_is_a_document_that_fetches_nothing_and_runs_nothing(language, tag):
    found = measures_page(bodies(), language)
    assert f'<html lang="{tag}">' in found
    assert [found.count(f"<{one}") for one in ("h1", "main", "script")] == [1, 1, 0]
    assert not re.search(r"url\(|@import| style=| on\w+=", found)
    assert {one for one in re.findall(r'href="([^"]*)"', found) if not one.startswith("#")} == {"data:,"}


def test_the_contents_lead_to_every_section_and_measure(page):
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets == set(re.findall(r' id="([^"]+)"', page)) - {"main"}
    assert {"section-rhythm", "lifecycle_transitions", "kpis"} <= targets


def test_each_measure_says_how_it_is_counted_of_whom_when_and_from_what(page):
    for told in (
        "Definition Counted once a month Of whom Everybody",
        "Jan 1, 2017 up to Apr 1, 2017, the last not included",
        "From orders , what the model said",
        "Value In its own unit",
        "Figure Period Value At least At most Target basket Jan 1, 2017",
    ):
        assert told in words(page)


def test_a_remark_is_seen_without_opening_anything(page):
    assert f'<p class="remark">{REMARK.en}</p>' in page


def test_what_cannot_be_told_says_why_in_its_place(page):
    assert "Nothing to tell yet the table orders has no rows" in words(page)
    assert "暂时无法得出 orders 表没有数据" in words(measures_page(bodies(), "zh"))


def test_figures_that_are_withheld_are_said_to_be(page):
    assert "–: not told, of fewer than 10 customers" in words(page)
    assert page.count("not told, of fewer") == 2  # of segments, and of targets that there are not


def test_only_long_tables_are_folded():
    long = sample.segments(rows=[(f"s{n}", 20, 0.05) for n in range(16)])
    assert "All 16 rows" in measures_page([body("segments", long)], "en")
    assert "All " not in words(measures_page([body("segments", sample.segments())], "en"))


def test_a_table_without_a_picture_stays_open_for_longer():
    told = [sample.segments("others", [(f"s{n}", 20, 0.05) for n in range(size)]) for size in (40, 41)]
    pages = [measures_page([body("segments", one)], "en") for one in told]
    assert ["All 4" in one for one in pages] == [False, True]


def test_a_remark_that_measures_share_is_said_once():
    page = measures_page([body("lifecycle", sample.stages((REMARK,)), sample.stages((REMARK,)))], "en")
    assert page.count(REMARK.en) == 1


def test_targets_that_are_missed_are_seen_as_such():
    missed = measure("kpis_alerts", sample.segments().columns, [("churn", 20, 0.2)])
    assert "is-refused" in measures_page([body("kpis", missed)], "en").split("</style>")[1]
    assert "is-refused" not in measures_page([body("kpis", sample.kpis())], "en").split("</style>")[1]


def test_a_very_long_table_stops_and_says_so():
    long = sample.segments(rows=[(f"s{n}", 20, 0.05) for n in range(1_600)])
    assert "The first 1,500 of 1,600 rows; the JSON has all." in measures_page([body("segments", long)], "en")


def test_figures_stand_to_the_right_and_words_to_the_left(page):
    assert '<th scope="col" class="amount">Customers</th>' in page
    assert '<td class="amount">40</td>' in page
    assert '<th scope="row">north</th>' in page


def test_drivers_are_told_apart_from_causes_before_anything_else(page):
    (drivers,) = re.findall(r'<section class="[^"]*with-caution" id="drivers">(.*?)</section>', page, re.DOTALL)
    assert drivers.index("What goes with leaving is not what causes it") < drivers.index("<svg")
    assert page.count("with-caution") == 1 + page.split("</style>")[0].count("with-caution")


def test_a_caution_that_drivers_have_themselves_is_said_once_and_in_their_words():
    own = Text("It need not cause it: `churnml measure effect`.", "不等于原因：`churnml measure effect`。")
    told = measure("drivers", sample.drivers().columns, [("spend_90d", -0.2, -0.3, -0.1)], remarks=(own,))
    found = words(measures_page([body("drivers", told)], "en"))
    assert found.count("need not cause it") == 1
    assert "is not what causes it" not in found


def test_nothing_in_a_word_becomes_a_tag(page):
    assert "<script" not in page


def test_chinese_is_chinese():
    found = words(measures_page(bodies(), "zh"))
    for told in ("客户总览", "每月统计一次", "尚无工单数据", "流失因素", "不等于流失的原因"):
        assert told in found


def test_a_route_answers_with_what_was_measured_last(kept):
    client, run_id = kept
    told = client.get("/v1/kpis").json()
    assert told["run_id"] == run_id
    assert told["measured_at"] == "2018-01-02T08:14:03+00:00"
    assert [one["name"] for one in told["measures"]] == ["kpis", "segments_region"]


@pytest.mark.parametrize(
    "query, rows",
    [
        ("measure=kpis", {"kpis": 12}),
        ("part=north", {"kpis": 6}),
        ("part=north&kpi=basket", {"kpis": 3}),
        ("kpi=nothing", {"kpis": 0}),
        ("measure=segments_region&part=north", {}),
    ],
)
def test_a_query_chooses_tables_and_rows(kept, query, rows):
    told = kept[0].get(f"/v1/kpis?{query}").json()["measures"]
    assert {one["name"]: len(one["rows"]) for one in told} == rows


def test_a_table_that_there_is_not_is_refused_with_those_there_are(kept):
    told = kept[0].get("/v1/kpis?measure=kpi").json()
    assert (told["status"], told["code"]) == (422, "invalid_request")
    assert told["detail"] == "`measure` must be one of kpis, segments_region, got 'kpi'; did you mean `kpis`?"


def test_an_answer_that_is_known_is_not_sent_again(kept):
    client, run_id = kept
    first = client.get("/v1/kpis")
    assert first.headers["etag"].removeprefix("W/") == f'"{run_id}"'
    again = client.get("/v1/kpis", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_before_it_was_measured_a_route_says_what_to_run(kept):
    told = kept[0].get("/v1/rhythm").json()
    assert (told["status"], told["code"]) == (503, "dependency")
    assert "rhythm was not measured yet; run `churnml measure rhythm`" in told["detail"]


def test_the_declared_shape_accepts_the_answers_and_the_examples(kept):
    client, _ = kept
    schema = client.get("/v1/openapi.json").json()
    MeasuredBody.model_validate(client.get("/v1/kpis").json())
    for name in MEASURES:
        told = schema["paths"][f"/v1/{name}"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
        MeasuredBody.model_validate(told)


@pytest.mark.parametrize("language, told", [("en", "Lifecycle"), ("zh", "生命周期")])
def test_a_page_shows_what_was_measured_last_and_switches_language(kept, language, told):
    client, _ = kept
    found = client.get(f"/lifecycle?lang={language}", headers=HTML)
    client.cookies.clear()
    assert f"<h1>{told}</h1>" in found.text
    assert {"en": REMARK.en, "zh": REMARK.zh}[language] in found.text
    assert [found.text.count(f"<{one}") for one in ("h1", "main", "header", "footer", "script")] == [1, 1, 1, 1, 1]
    assert found.text.count("<caption") == found.text.count("<table")


def test_the_navigation_leads_to_what_was_measured_and_to_nothing_else(kept):
    found = kept[0].get("/kpis", headers=HTML).text
    linked = {name for name in MEASURES if f'href="/{name}"' in found}
    assert linked == {"lifecycle", "kpis"}


def test_elsewhere_the_bar_leads_to_the_first_that_was_measured(kept):
    found = kept[0].get("/data", headers=HTML).text
    assert re.findall(r'<a href="/(\w+)">Measures</a>', found) == ["lifecycle"]
    assert 'href="/kpis"' not in found


def test_before_it_was_measured_a_page_says_what_to_run(kept):
    found = kept[0].get("/strategy", headers=HTML)
    assert found.status_code == 200
    assert "churnml measure strategy" in found.text


def test_the_strategy_is_a_sheet_within_the_report_and_says_its_remarks_once():
    page = measures_page([*bodies(), body("strategy", sample.strategy())], "en")
    sheet = page[page.index('<div class="sheet">') :]
    assert re.findall(r'class="stage (stage-\w+)"', sheet) == ["stage-new", "stage-churned"]
    assert "<h3>About strategy</h3>" in sheet
    assert "About strategy: all figures" in sheet
    assert words(page).count("Pooled") == 1


def test_whatever_is_wide_can_be_scrolled_by_keyboard_and_has_a_name(page):
    boxes = re.findall(r'<div class="scroll"[^>]*>', page)
    assert boxes
    assert all('tabindex="0" role="region" aria-label="' in box for box in boxes)


def test_a_column_without_a_figure_in_any_row_is_named_and_left_out():
    told = next(
        one for one in bodies() if any(about["unit"] == "share" for about in one["measures"][0]["columns"].values())
    )
    measure = told["measures"][0]
    name, about = next((name, about) for name, about in measure["columns"].items() if about["unit"] == "share")
    blank = [row | {name: None} for row in measure["rows"]]
    page = measures_page([told | {"measures": [measure | {"rows": blank}]}], "en")
    heading = about["title"]["en"]
    assert f'class="amount">{heading}</th>' not in page
    assert f"they have no column: {heading}." in page
