import re
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from sample_run import HOSTILE, ask, bodies, fill, record, scripts_in

from churnml.modeling.no_conversion import KnownByFirstOrder, Refused, plain
from new_database import new_workspace

HTML = {"accept": "text/html"}


class Outline(HTMLParser):
    """Counts the elements of a page and gathers what matters to who cannot see it."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.links = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attributes]
        self.links += [value for name, value in attributes if (tag, name) == ("a", "href")]


@pytest.fixture
def page(client):
    def opened(path, **headers):
        client.cookies.clear()
        return client.get(path, headers=HTML | headers)

    return opened


@pytest.mark.parametrize(
    "rank, said",
    [
        (0, "Of four such customers fewer than one orders within 365 days."),
        (1, "Of four such customers one orders by Jan 8, 2018."),
        (2, "Of four such customers one orders by Jan 8, 2018 and two by Jan 20, 2018."),
        (
            3,
            "The next order is likely between Jan 8, 2018 and Mar 2, 2018; half of such customers order by Jan 20",
        ),
    ],
)
def test_a_customers_page_says_when_the_next_order_is_likely(page, rank, said):
    assert said in page(f"/customers/{quote(HOSTILE[rank], safe='')}").text


def test_a_customers_page_says_what_the_value_counts(page):
    found = page(f"/customers/{quote(HOSTILE[1], safe='')}").text
    for words in (
        "what comes later counts less: 10% a year",
        "$4.50 for serving them is taken off",
        "7.71 for each 1 of the $40.00 that winning them cost",
    ):
        assert words in found


def test_the_start_leads_to_the_overview(page):
    assert page("/").url.path == "/overview"


@pytest.mark.parametrize(
    "path",
    [
        "/overview",
        "/at-risk",
        "/prospects",
        "/customers/1296",
        "/customers/never",
        "/customers/lead-1",
        "/customers/left",
        "/nothing",
    ],
)
@pytest.mark.parametrize("language, tag", [("en", "en"), ("zh", "zh-CN")])
def test_every_page_has_a_language_one_heading_landmarks_and_one_script(page, path, language, tag):
    found = page(f"{path}?lang={language}").text
    outline = Outline(found)
    assert f'<html lang="{tag}">' in found
    assert [outline.tags.count(one) for one in ("h1", "main", "header", "footer", "script")] == [1, 1, 1, 1, 1]
    assert not [one for one in outline.attributes if one.startswith("on") or one == "style"]


@pytest.mark.parametrize("path", ["/at-risk", "/prospects", "/customers/1296"])
def test_tables_have_captions_and_headings_with_a_scope(page, path):
    found = page(path).text
    assert found.count("<caption>") == found.count("<table")
    assert not re.findall(r"<th(?! [^>]*scope=)[ >]", found)


def test_the_list_shows_what_a_team_needs_to_begin(page):
    found = page("/at-risk").text
    for words in (
        "$576.60",
        "93%",
        "High",
        "No order for 12 days; usually every 12",
        "10% coupon",
        "As of Jan 1, 2018",
    ):
        assert words in found
    assert "effects are assumed, not yet measured" in found


def test_the_list_speaks_chinese(page):
    found = page("/at-risk?lang=zh").text
    for words in ("有流失风险的客户", "US$576.60", "已有 12 天没有下单", "九折优惠券", "2018年1月1日", "预算"):
        assert words in found


def test_held_out_customers_are_marked_and_their_action_is_not_shown(page):
    found = page("/customers/" + quote(HOSTILE[3], safe="")).text
    assert "Control: do not approach" in found
    assert "Dear" not in found
    assert "对照组（请勿联系）" in page("/at-risk?lang=zh&show=all").text


@pytest.mark.parametrize("path", ["/at-risk", "/prospects", *("/customers/" + quote(one, safe="") for one in HOSTILE)])
def test_hostile_ids_are_text_wherever_they_stand(page, path):
    found = page(path)
    assert found.status_code == 200
    assert scripts_in(found.text) == []
    assert "<img src=x" not in found.text


def test_every_link_of_the_list_leads_somewhere(page):
    links = [one for one in Outline(page("/at-risk").text).links if one.startswith("/")]
    assert len(links) > 50
    assert {page(one).status_code for one in links} == {200}


def test_the_next_links_lead_through_the_whole_list(page):
    seen, path = [], "/at-risk?show=all"
    while path:
        links = Outline(page(path).text).links
        seen += [one for one in links if one.startswith("/customers/")]
        path = next((one for one in links if "cursor=" in one and not one.startswith("?")), None)
    assert len(seen) == len(set(seen)) == sum(one["rung"] == "blend" for one in bodies())


def test_a_form_left_open_filters_nothing(page):
    assert "1–50 of 67" in page("/at-risk?band=&action=&show=all").text


def test_who_is_to_be_left_in_peace_is_off_the_list_unless_asked_for(page):
    left = [one for one in bodies() if one["arm"] == "control"]
    assert f"1–50 of {67 - len(left)}" in page("/at-risk").text
    assert "/customers/" + quote(left[0]["customer_id"], safe="") not in Outline(page("/at-risk").text).links


def test_a_filter_holds_on_the_page_and_in_its_links(page):
    found = page("/at-risk?band=high").text
    assert '<option value="high" selected>' in found
    assert "/v1/at-risk?band=high&amp;arm=treated&amp;arm=none&amp;format=csv&amp;lang=en" in found


def test_the_list_can_be_held_to_a_stage_and_a_segment(page):
    found = page("/at-risk?stage=declining&segment=mid_value_high_risk").text
    assert '<option value="declining" selected>Declining</option>' in found
    assert "segment=mid_value_high_risk&amp;arm=treated" in found


@pytest.mark.parametrize("language, words", [("en", "lifecycle stage: "), ("zh", "生命周期阶段：")])
def test_a_customer_page_says_where_they_stand(page, language, words):
    assert words in page(f"/customers/1296?lang={language}").text


def test_a_customer_for_whom_nothing_is_done_is_told_why(page):
    nothing = next(one for one in bodies() if one["no_action_because"] == "no_consent")
    found = page(f"/customers/{quote(nothing['customer_id'], safe='')}").text
    assert "Why: No consent. They have not agreed to be approached" in found


def test_a_filter_that_fits_nobody_says_so(page):
    assert "No customer fits" in page("/at-risk?action=nothing").text


def test_a_customer_page_explains_its_numbers(page):
    found = page("/customers/1296").text
    assert "Of 100 customers like this one, about 82 place no order in the 60 days after Jan 1, 2018." in found
    assert "raises the risk" in found
    assert "lowers the risk" in found
    assert 'href="/v1/customers/1296"' in found


@pytest.mark.parametrize("customer_id, words", [("never", "Not a customer yet"), ("left", "Already gone")])
def test_whoever_is_outside_the_population_gets_an_honest_page(page, customer_id, words):
    found = page(f"/customers/{customer_id}").text
    assert words in found
    assert "%</p>" not in found


def test_after_score_alone_the_pages_say_that_nothing_is_suggested_yet(tmp_path):
    new = new_workspace(tmp_path / "new")
    bare = ["action", "action_label", "action_script", "arm", "propensity", "expected_net_value", "effect_source"]
    scored = [record(str(one), one, **dict.fromkeys(bare)) for one in range(3)]
    fill(new, scored, verb="score", now=9)
    with ask(new) as client:
        assert "Nothing suggested yet." in client.get("/customers/1", headers=HTML).text
        assert client.get("/at-risk", headers=HTML).status_code == 200


@pytest.mark.parametrize("language, words", [("en", "No customer by this id"), ("zh", "查无此客户")])
def test_an_unknown_customer_is_a_page_of_its_own(page, language, words):
    found = page(f"/customers/nobody?lang={language}")
    assert found.status_code == 404
    assert words in found.text


@pytest.mark.parametrize("query", ["band=huge", "stage=declned", "segment=rich", "cursor=garbled"])
def test_a_link_that_no_longer_works_leads_back_to_the_list(page, query):
    found = page(f"/at-risk?{query}")
    assert found.status_code == 400
    assert 'class="button" href="/at-risk"' in found.text


@pytest.mark.parametrize("path", ["/at-risk", "/customers/1"])
@pytest.mark.parametrize("language, words", [("en", "No scores yet"), ("zh", "还没有评分")])
def test_before_the_first_run_a_page_says_what_to_run(newcomer, path, language, words):
    found = newcomer.get(f"{path}?lang={language}", headers=HTML)
    assert found.status_code == 503
    assert words in found.text
    assert "churnml demo" in found.text


@pytest.mark.parametrize(
    "header, tag",
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en;q=0.5,zh;q=0.9", "zh-CN"),
        ("fr, en", "en"),
        ("zh;q=0", "en"),
        ("", "en"),
    ],
)
def test_the_browser_chooses_the_language_of_a_first_visit(page, header, tag):
    assert f'<html lang="{tag}">' in page("/at-risk", **{"accept-language": header}).text


def test_a_chosen_language_is_remembered(client, page):
    page("/at-risk?lang=zh")
    assert 'lang="zh-CN">' in client.get("/customers/1296", headers=HTML).text
    client.cookies.clear()


def test_switching_the_language_keeps_the_rest_of_the_address(page):
    assert "?band=high&lang=zh" in Outline(page("/at-risk?band=high&lang=en").text).links


def test_the_prospects_stand_with_the_likeliest_first_each_with_its_interval_and_reason(page):
    found = page("/prospects").text
    assert found.index(">lead-1<") < found.index(">lead-2<")
    for words in ("62%", "31%–100%", "On trial", "Last trial 3 days ago", "(raises the chance)", "1–4 of 4"):
        assert words in found


def test_the_prospects_speak_chinese(page):
    found = page("/prospects?lang=zh").text
    for words in ("潜在客户", "转化概率", "试用中", "上次试用在 3 天前", "提高转化可能"):
        assert words in found


def test_the_page_of_a_trial_tells_how_likely_it_is_to_become_a_customer_and_why(page):
    found = page("/customers/lead-1").text
    for words in (
        "On trial, not a customer yet",
        "Conversion probability",
        "62%",
        "raises the chance",
        "All prospects",
    ):
        assert words in found
    assert "raises the risk" not in found


@pytest.mark.parametrize(
    "reason, language, said",
    [
        (KnownByFirstOrder(), "en", "Why: nobody was known before the day they became a customer"),
        (KnownByFirstOrder(), "zh", "原因：没有人在成为客户之前就有记录，因此无从判断。"),
        (Refused(("baselines", "calibration"), "ECE 0.2"), "en", "Why: it was refused: ECE 0.2."),
        (Refused(("baselines", "calibration"), "ECE 0.2"), "zh", "更简单的方法比它更接近实际结果；它给出的概率"),
    ],
)
def test_where_no_model_stands_the_pages_say_why_in_the_language_of_the_reader(own_workspace, reason, language, said):
    fill(own_workspace, [record("never", 80, "prospect")], now=3, no_conversion=plain(reason), prospects=1)
    asked = HTML | {"accept-language": language}
    with ask(own_workspace) as client:
        found = [client.get(path, headers=asked).text for path in ("/prospects", "/customers/never")]
    assert all(said in one for one in found)


def test_where_everyone_has_paid_the_page_says_what_would_change_that(own_workspace):
    fill(own_workspace, [record("1", 0)], now=3, prospects=0)
    with ask(own_workspace) as client:
        assert "Bring people as customers from their first contact" in client.get("/prospects", headers=HTML).text


@pytest.mark.parametrize(
    "language, rank, said",
    [
        ("en", 0, "from their own answers and from what they do"),
        ("en", 1, "estimated: they never answered a survey, what they do says it"),
        ("zh", 1, "估计值：该客户从未回答问卷，由其行为推断"),
        ("en", 1, "nine of ten such customers would answer 10 to 49"),
    ],
)
def test_satisfaction_is_shown_with_its_interval_and_where_it_comes_from(page, language, rank, said):
    told = page(f"/customers/{quote(HOSTILE[rank], safe='')}", **{"accept-language": language}).text
    assert said in told
    assert '<svg class="interval"' in told


@pytest.mark.parametrize(("language", "said"), [("en", "What to offer"), ("zh", "推荐品类"), ("zh", "365 天内未购买")])
def test_the_category_to_offer_is_shown_with_its_reason_in_both_languages(page, language, said):
    told = page(f"/customers/{quote(HOSTILE[0], safe='')}", **{"accept-language": language}).text
    assert said in told
    assert "=&lt;b&gt;tea&lt;/b&gt;" in told


def test_a_category_told_by_popularity_says_so(page):
    ranks = {rank: page(f"/customers/{quote(HOSTILE[rank], safe='')}").text for rank in (0, 1)}
    assert {rank for rank, told in ranks.items() if "Told by popularity" in told} == {1}


def test_who_is_offered_no_category_has_no_such_part(page):
    assert "What to offer" not in page(f"/customers/{quote(HOSTILE[2], safe='')}").text


def test_satisfaction_that_is_not_told_has_no_tile(page):
    assert "Satisfaction" not in page(f"/customers/{quote(HOSTILE[2], safe='')}").text
