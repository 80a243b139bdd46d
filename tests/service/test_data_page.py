import re
from html.parser import HTMLParser

import duckdb
import pytest
from sample_ingest import NASTY, ROWS_FILE, checked, findings, landed, refused, table, unchanged
from sample_run import ask, bodies, fill

from churnml.database import Catalogue, open_engine
from churnml.events.reading import read_as
from churnml.events.reporting import IngestReport, Refusal
from churnml.events.schema import TABLES
from churnml.service.api.data import DataReport
from churnml.service.pages.data import ingest_report_page
from churnml.service.pages.harmless import marked, visible
from churnml.service.pages.phrases import say, table_name
from new_database import new_workspace

HTML = {"accept": "text/html"}
LANDED_AT = 1_514_880_843_000_000
CASES = {"landed": landed, "checked": checked, "refused": refused, "unchanged": unchanged}


class Outline(HTMLParser):
    """Gathers the elements, attributes and texts of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def words(self):
        return re.sub(r"\s+", " ", "".join(self.texts))


def page(report, language="en", **how):
    return ingest_report_page(report, language, **how)


def words(report, language="en", **how):
    return Outline(page(report, language, **how)).words


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A client of a service whose workspace has a landing and a run."""
    workspace = new_workspace(tmp_path_factory.mktemp("landed"))
    fill(workspace, bodies(), time_zone="Asia/Shanghai")
    land(workspace, landed(time_zone="Asia/Shanghai"))
    with ask(workspace) as client:
        yield client


def land(workspace, report, batch_id=7):
    engine = open_engine(workspace.database)
    Catalogue(engine).land(batch_id, LANDED_AT, [], report, [])
    engine.dispose()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("language, tag", [("en", "en"), ("zh", "zh-CN")])
def test_every_report_is_a_document_with_one_heading_and_no_script(case, language, tag):
    found = page(CASES[case](), language)
    outline = Outline(found)
    assert f'<html lang="{tag}">' in found
    assert [outline.tags.count(one) for one in ("h1", "main", "style", "script")] == [1, 1, 1, 0]
    assert not [name for name, _ in outline.attributes if name.startswith("on") or name == "style"]


def test_a_report_fetches_nothing():
    outline = Outline(page(landed()))
    reaching = {name: value for name, value in outline.attributes if name in {"src", "href", "action", "srcset"}}
    assert reaching == {"href": "data:,"}
    assert "url(" not in page(landed())
    assert "@import" not in page(landed())


@pytest.mark.parametrize(
    "case, verdict",
    [
        ("landed", "126,533 rows landed"),
        ("checked", "210 rows would land"),
        ("refused", "Nothing landed"),
        ("unchanged", "Nothing new to land"),
    ],
)
def test_the_first_heading_is_the_verdict(case, verdict):
    (heading,) = re.findall(r"<h1>\s*(.*?)\s*</h1>", page(CASES[case]()), re.DOTALL)
    assert heading == verdict


def test_where_the_consents_alone_landed_the_heading_says_so():
    found = words(refused() | {"batch_id": 8})
    assert "Only the consents landed" in found
    assert "the workspace is as it was" not in found


def test_a_check_says_that_nothing_was_written_and_what_lands_it():
    assert "This was a check: nothing was written. The same command without --check" in words(checked())


def test_refused_quarantined_and_warned_about_are_counted_apart():
    found = re.sub(r"\s+", " ", page(refused()))
    figures = re.findall(
        r'<div class="tile[^"]*"> <h2>(?:<svg.*?</svg>)?([^<]+)</h2> <p class="figure">([^<]+)</p>', found
    )
    assert figures == [
        ("Rows read", "127,817"),
        ("Would have landed", "126,533"),
        ("Known already", "40"),
        ("Quarantined", "1,244"),
        ("Warned about", "38"),
        ("Refused", "2"),
    ]


def test_a_refusal_names_the_source_once_and_says_what_to_do():
    found = words(refused())
    assert "returns.csv → returns" in found
    assert "needs the column order_id, found customer_id, order_no; add or rename the column" in found
    assert "returns.csv: table" not in found


def test_a_finding_shows_rule_remedy_count_and_its_first_rows():
    found = words(landed())
    assert "amount must be an amount" in found
    assert "1,240 of 121,702 rows · orders-2017.csv → orders" in found
    assert "What to do write it with digits and a point" in found
    assert "The first 20 of 1,240" in found
    assert "606 amount 12,50 1606" in found


def test_the_rule_that_most_rows_broke_comes_first():
    few, many = (found | {"count": count} for found, count in zip(findings()[:2], (1, 99), strict=True))
    found = words(landed(tables=[table("orders", "orders.csv", 200, 100, 0, 100, findings=[few, many])]))
    assert found.index(many["rule"].replace("`", "")) < found.index(few["rule"])


def test_where_every_row_is_stands_on_the_page():
    assert ROWS_FILE in words(landed())
    assert "All of these rows" not in words(checked())


def test_what_was_found_out_ignored_or_left_empty_is_told_of_each_source():
    found = words(landed())
    for told in (
        "Found out, not declared read as gb18030, since it is not UTF-8",
        "the table does not know them Notes (internal) <img src=x>",
        "cost 100% discount 62% channel 25% quantity <1%",
        "Filled in every row: customer_id occurred_at order_id amount",
        "0 newer versions · 41 rows that fill in a later fact",
        "No earlier cutoff sees them. If they are history, land them with --backfill.",
    ):
        assert told in found


def test_the_outlook_says_whether_history_suffices_and_which_families_are_on():
    assert "Yes 365 days of history suffice for a horizon of 60 days, which needs 270" in words(landed())
    assert "Subscription off: needs subscriptions" in words(landed())
    assert "Not yet a horizon of 60 days needs 270 days of history, found 91" in words(checked())


def test_tables_without_which_nothing_goes_are_named():
    short = landed()["preflight"] | {"missing_tables": ["customers"]}
    assert "Missing, and nothing goes without: customers" in words(landed(preflight=short))


def test_times_are_those_of_the_zone_and_say_so():
    found = words(landed(), time_zone="Asia/Shanghai", at=LANDED_AT)
    assert "Jan 2, 2018 16:14 Times are those of Asia/Shanghai" in found
    assert "Jan 1, 2017 – Jan 1, 2018" in found


def test_hostile_values_are_text_and_show_what_is_invisible():
    found = page(landed())
    assert "<script" not in found
    assert "<img" not in found
    assert not set("\0\r\u202e\ud83d") & set(found)
    for shown in (">NUL<", '>CR</span><span class="escape">LF<', ">U+202E<", ">U+D83D<", "… +4,700", "  9.50 "):
        assert shown in found


@pytest.mark.parametrize("hostile", NASTY.values())
def test_a_hostile_name_of_a_source_is_text_wherever_it_stands(hostile):
    told = landed(
        tables=[table("orders", hostile, 1, 1, ignored_columns=[hostile], notes=[f"read `{hostile}"])],
        already_landed=[hostile],
        refused=[{"table": "orders", "origin": hostile, "reason": f"{hostile}: `{hostile}` is odd"}],
    )
    found = page(told | {"rows_file": hostile})
    assert Outline(found).tags.count("script") == 0
    assert not set("\0\r\u202e\ud83d") & set(found)


@pytest.mark.parametrize("language, expected", [("en", "Found out"), ("zh", "自动识别")])
def test_the_report_speaks_both_languages(language, expected):
    assert expected in words(landed(), language)


def test_rules_and_remedies_are_told_in_chinese_and_what_is_unknown_as_english():
    found = page(landed(), "zh")
    assert "必须是金额" in found
    assert "<code>customer_id</code> 必须是 <code>customers</code> 表中的客户" in found
    assert '<span lang="en">has 7 values where the header has 6</span>' in found


def test_a_refusal_is_told_in_chinese_with_its_rule_within():
    found = words(refused(), "zh")
    assert "121,702 行中有 1,244 行。第一处：第 17 行，列 amount 必须是数字，实际为 '<script>'；请只用数字书写" in found
    assert "是否应为 order_no？" in found


def test_lists_within_a_sentence_are_told_in_chinese():
    assert say("must be one of csat, nps, ces, review", "zh") == "必须是以下之一：csat、nps、ces、review"
    assert say("needs surveys or tickets", "zh") == "需要 问卷（surveys） 或 工单（tickets）"


@pytest.mark.parametrize("name", TABLES)
def test_every_rule_of_the_contract_is_known_in_both_languages(name):
    chosen = ", ".join(f"NULL::VARCHAR AS {column}" for column in TABLES[name].names)
    with duckdb.connect() as connection:
        reading = read_as(TABLES[name], connection.sql(f"SELECT {chosen}"), "Europe/Berlin", {}, "x.csv")
    told = {text for rule in (*reading.rules, *reading.warnings) for text in (rule.rule, rule.remedy)}
    assert {text for text in told if say(text, "zh") is None} == set()


@pytest.mark.parametrize(
    "text",
    [
        "must not lie in the future",
        "correct the date, or bring the row when it is due",
        "must not name two different rows",
        "keep the right one; the first stood",
        "must not contradict the row that stands",
        (
            "what stands remains; if the new value is right, bring the difference as a row of its own, or land "
            "everything anew in another workspace"
        ),
        "what stands remains; correct the export, or land everything anew in another workspace",
        "was first told otherwise",
        "nothing, if it changed; the first telling stays",
        "is another first contact than an earlier row tells",
        "bring each customer once, or the first",
        "table `orders` needs the columns `a`, `b`, found `c`; add or rename them, or map them in sources.yaml",
        (
            "the first line must hold the names of the columns, found values: `1`; put a line with the names above it, "
            "such as a"
        ),
        "is not among the orders that have landed",
        "land the orders it belongs to as well",
        "lies in the future; no cutoff before it sees it",
        "correct it, or its `unit` in sources.yaml, unless that is meant",
        "it looks like milliseconds: declare `unit: epoch_milliseconds` in sources.yaml",
    ],
)
def test_what_is_said_of_rows_among_rows_is_known_too(text):
    assert say(text, "zh") is not None


def test_tables_are_called_in_chinese_beside_their_identifier():
    told = landed(tables=[table("orders", "Complete Journey, orders", 1, 1, backfill=True)])
    found = page(told | {"preflight": {"rows": {"order_lines": 3}}}, "zh")
    assert "<bdi>Complete Journey：订单</bdi> → 订单 <code>orders</code>" in found
    assert "<dt>订单明细 <code>order_lines</code></dt>" in found
    assert "按历史数据处理（补录）" in found
    assert "<bdi>Complete Journey, orders</bdi> → <code>orders</code>" in page(told)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_name_in_chinese(name):
    assert table_name(name, "zh") != name == table_name(name, "en")


def test_one_reason_for_several_tables_is_told_once():
    reason = {"origin": "x.csv", "reason": "x.csv: needs the column `Name`"}
    told = words(landed(refused=[{"table": name, **reason} for name in ("customers", "orders")]))
    assert told.count("needs the column Name") == 1
    assert "x.csv → customers, orders" in told


def test_a_backtick_too_many_marks_nothing():
    assert marked("read `a` and `b") == "read `a` and `b"


def test_what_shows_nothing_is_named():
    assert Outline(visible("a\tb\x1b[0m")).words == "aTABbESC[0m"


def test_a_report_of_an_earlier_version_is_shown_all_the_same():
    old = {
        "tables": [{"table": "orders", "origin": "orders.csv", "read": 3, "landed": 2, "skipped": 1, "quarantined": 0}]
    }
    assert "2 rows would land" in words(old)


def test_the_service_shows_the_latest_landing_and_links_to_it(opened):
    found = opened.get("/data", headers=HTML)
    outline = Outline(found.text)
    assert (found.status_code, [outline.tags.count(one) for one in ("h1", "main", "nav", "script")]) == (
        200,
        [1, 1, 2, 1],
    )
    assert ("href", "/data") in outline.attributes
    assert ("href", "/v1/data") in outline.attributes
    assert "126,533 rows landed" in outline.words
    assert "Jan 2, 2018 16:14" in outline.words


def test_the_service_shows_it_in_chinese(opened):
    assert "126,533 行已入库" in opened.get("/data?lang=zh", headers=HTML).text
    opened.cookies.clear()


def test_tables_of_the_page_have_captions_and_headings_with_a_scope(opened):
    found = opened.get("/data", headers=HTML).text
    assert len(re.findall(r"<caption[ >]", found)) == found.count("<table")
    assert not re.findall(r"<th(?! [^>]*scope=)[ >]", found)


def test_the_twin_is_the_report_as_it_was_written(opened):
    asked = opened.get("/v1/data")
    assert asked.json() == landed(time_zone="Asia/Shanghai") | {"landed_at": "2018-01-02T08:14:03+00:00"}


def test_the_declared_shape_accepts_the_report_and_its_example(opened):
    DataReport.model_validate(opened.get("/v1/data").json())
    told = opened.get("/v1/openapi.json").json()["paths"]["/v1/data"]["get"]["responses"]["200"]
    DataReport.model_validate(told["content"]["application/json"]["example"])


def test_the_declared_shape_is_that_of_the_report():
    plain = IngestReport(1, [], [Refusal("orders", "a.csv", "no")], preflight=landed()["preflight"]).to_json()
    assert set(DataReport.model_fields) == set(plain) | {"landed_at"}
    DataReport.model_validate(plain | {"landed_at": None})


def test_before_the_first_landing_the_twin_is_a_clear_404(newcomer):
    told = newcomer.get("/v1/data")
    assert (told.status_code, told.json()["code"]) == (404, "not_found")
    assert "nothing has landed yet; run `churnml demo`" in told.json()["detail"]


@pytest.mark.parametrize("language, expected", [("en", "Nothing has landed yet"), ("zh", "还没有导入数据")])
def test_before_the_first_landing_the_page_says_what_to_run(newcomer, language, expected):
    found = newcomer.get(f"/data?lang={language}", headers=HTML).text
    assert expected in found
    assert "churnml ingest customers.csv --table customers --check" in found


LATE = (
    "48 of 67 rows of `orders` were learned more than 30 days after they happened and are no history: no cutoff before "
    "that sees them; land history with --backfill"
)
APART = "1 of 20 rows of `orders` lie far in time from all others and are no history: correct their dates"
AFTER = (
    "1 of 3 customers come after their first order and count as customers only from then on: say in `occurred_at` of "
    "`customers` when they first came"
)


@pytest.mark.parametrize("text", [LATE, APART, AFTER])
def test_what_makes_the_history_less_than_it_looks_is_shown_in_both_languages(text):
    body = landed()
    body["preflight"] = body["preflight"] | {"cautions": [text]}
    assert text.replace("`", "") in words(body, "en")
    assert say(text, "zh").replace("`", "") in words(body, "zh")
