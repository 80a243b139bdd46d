import csv
import io

import pytest
from sample_run import HOSTILE, bodies

from churnml.measures import SEGMENTS, STAGES
from churnml.service import exports

WORDS = {"Lifecycle stage": STAGES, "Segment": SEGMENTS}


def rows(response):
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


def test_the_csv_holds_the_whole_list_in_order(client):
    found = rows(client.get("/v1/at-risk?format=csv"))
    listed = client.get("/v1/at-risk?limit=500").json()["items"]
    assert [row[1] for row in found[1:]] == [str(one["value_at_risk"]) for one in listed]


def test_the_csv_is_whole_even_when_it_takes_many_pages(client, monkeypatch):
    monkeypatch.setattr("churnml.service.readings._EXPORT_PAGE", 7)
    monkeypatch.setattr(exports, "_CHUNK_ROWS", 3)
    assert len(rows(client.get("/v1/at-risk?format=csv"))) == 1 + sum(one["rung"] == "blend" for one in bodies())


def test_the_csv_begins_with_a_byte_order_mark_and_is_an_attachment(client):
    answer = client.get("/v1/at-risk?format=csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="at-risk-2018-01-01.csv"'


def test_no_text_cell_of_the_csv_begins_like_a_formula(client):
    ids = [row[0] for row in rows(client.get("/v1/at-risk?format=csv"))]
    assert """'=HYPERLINK("http://x","y")""" in ids
    assert "'-12+3" in ids
    assert not [one for one in ids if one.startswith(("=", "+", "-", "@"))]


def test_the_csv_says_where_each_stands_and_why_nothing_is_done(client):
    head, *found = rows(client.get("/v1/at-risk?format=csv"))
    told = {name: {row[head.index(name)] for row in found} for name in ("Lifecycle stage", "Segment")}
    assert told == {name: {text.en for text in words.values()} - {"Prospect"} for name, words in WORDS.items()}
    assert {row[head.index("No action because")] for row in found} == {"", "No consent"}


def test_negative_numbers_stay_numbers(client):
    values = [row[10] for row in rows(client.get("/v1/at-risk?format=csv"))[1:]]
    assert any(float(value) < 0 for value in values if value)


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1"])
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(cell):
    assert exports.safe(cell) == "'" + cell


@pytest.mark.parametrize("cell", [-1.5, 7, None, "plain", "00123", "", " =1"])
def test_everything_else_stays_as_it_is(cell):
    assert exports.safe(cell) is cell


def test_the_header_and_the_words_follow_the_language(client):
    found = rows(client.get("/v1/at-risk?format=csv&lang=zh"))
    assert found[0][:4] == ["客户", "风险价值 (USD)", "流失概率", "风险等级"]
    assert found[1][5] == "已有 12 天没有下单；通常每 12 天一次"
    assert "对照组（请勿联系）" in {row[9] for row in found}


def test_filters_hold_for_the_csv_too(client):
    assert {row[3] for row in rows(client.get("/v1/at-risk?format=csv&band=medium"))[1:]} == {"Medium"}


def test_a_page_of_a_csv_is_refused(client):
    told = client.get("/v1/at-risk?format=csv&limit=10")
    assert told.status_code == 400
    assert told.json()["detail"] == "`format=csv` gives the whole list; leave out `limit` and `cursor`"


def test_every_hostile_id_stands_in_the_csv(client):
    ids = {row[0].removeprefix("'") for row in rows(client.get("/v1/at-risk?format=csv"))}
    assert set(HOSTILE) <= ids


def test_the_prospects_come_as_csv_with_their_intervals_safe_to_open(client):
    found = rows(client.get("/v1/prospects?format=csv&lang=zh"))
    assert found[0][:5] == ["客户", "转化概率", "不低于", "不高于", "身份"]
    assert found[1][:6] == ["lead-1", "0.62", "0.31", "1.0", "试用中", "上次试用在 3 天前"]
    assert "'=1+1" in {row[0] for row in found}


def test_satisfaction_stands_with_its_interval_and_where_it_comes_from(client):
    head, first, second, third = rows(client.get("/v1/at-risk?format=csv"))[:4]
    told = {name: [row[head.index(name)] for row in (first, second, third)] for name in head if "Satisfaction" in name}
    assert told["Satisfaction (0 to 100)"] == ["30.0", "31.0", ""]
    assert told["Satisfaction, from"] == ["8.5", "9.5", ""]
    assert told["Satisfaction known by"] == ["Their answers", "Estimate", ""]


def test_the_category_to_offer_stands_with_its_reason_safe_to_open(client):
    head, first, _, third = rows(client.get("/v1/at-risk?format=csv"))[:4]
    assert [first[head.index(name)] for name in ("Category to offer", "Because")] == [
        "'=<b>tea</b>",
        "Has not bought it in 365 days",
    ]
    assert third[head.index("Category to offer")] == ""
