"""What an agent does with a browser and no script: claims, calls, notes; each form tells what became of it."""

import re
from html import unescape
from urllib.parse import quote

import pytest
from sample_run import HOSTILE, fill, record, scripts_in, visit

from callers import signed_in
from churnml.service.pages.posting import TOLD

DAY = 86_400_000_000
NOW = 1_514_764_800_000_000 + 11 * DAY


@pytest.fixture
def workspace(own_workspace):
    """Two who are to be called, and one who is held out."""
    whom = [record(one, rank, action="call", arm="treated") for rank, one in enumerate(("c0", "c1"))]
    fill(own_workspace, [*whom, record("c2", 3, arm="held_out", action=None, no_action_because="held_out")], now=9)
    return own_workspace


def person(workspace, name="ann", role="agent", at=NOW, language="en"):
    headers = signed_in(workspace, name, role, at) | {"accept": "text/html", "accept-language": language}
    headers.pop("x-csrf-token")  # forms carry it in a field
    opened = visit(workspace, headers=headers)
    opened.app.state.now = lambda: at
    return opened


def send(client, page, action, **fields):
    """Send the form of a page that goes to an address, as a browser would, and return the page it leads to."""
    text = client.get(page).text
    form = next(one for one in re.findall(r"<form.*?</form>", text, re.DOTALL) if f'action="{action}"' in one)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    sent = {name: unescape(value) for name, value in hidden.items()} | fields
    answer = client.post(action, data=sent, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    cookie = answer.headers["set-cookie"].partition(";")[0]
    session = client.headers["cookie"]
    return client.get(answer.headers["location"], headers={"cookie": f"{session}; {cookie}"}).text


def told(page):
    found = re.search(r'<p class="told[^>]*>(.*?)</p>', page, re.DOTALL)
    return " ".join(re.sub("<[^>]+>", " ", unescape(found.group(1))).split())


def test_the_morning_of_an_agent(workspace):
    ann = person(workspace)
    assert ann.get("/", follow_redirects=False).headers["location"] == "/today"
    page = send(ann, "/today", "/today/claim", count="1")
    assert told(page) == "1 customer is yours now."
    page = send(ann, "/today", "/calls", result="no_answer", note="Rang for a minute.")
    assert told(page) == "Kept: No answer. To be called again on Jan 13, 2018. c0"
    customer = ann.get("/customers/c0").text
    assert "Rang for a minute." in customer
    assert re.search(r"last call: No answer", customer)


def test_it_is_told_once(workspace):
    ann = person(workspace)
    assert told(send(ann, "/today", "/today/claim", count="1"))
    assert 'class="told' not in ann.get("/today").text


def test_two_who_claim_at_once_never_hold_the_same_and_the_slower_is_told_who_does(workspace):
    ann, li = person(workspace), person(workspace, "li")
    page = ann.get("/customers/c0").text  # both have the page open
    send(li, "/customers/c0", "/cases/one", deed="claim")
    form = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    answer = ann.post("/cases/one", data=form | {"deed": "claim"}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    page = ann.get("/customers/c0", headers={"cookie": f"{ann.headers['cookie']}; {cookie}"}).text
    assert told(page) == "Somebody was quicker: li looks after customer c0 now. Nothing was changed."
    assert "li looks after customer c0" in page


def test_many_are_claimed_from_the_list_and_those_of_others_stay_theirs(workspace):
    send(person(workspace, "li"), "/customers/c0", "/cases/one", deed="claim")
    page = send(person(workspace), "/at-risk", "/cases", customer_id=["c0", "c1"])
    assert told(page) == "1 customer is looked after by ann now. 1 has somebody else already and stays theirs."


def test_an_administrator_hands_over_and_puts_off(workspace):
    signed_in(workspace, "li")
    boss = person(workspace, "mei", "admin")
    assert told(send(boss, "/customers/c1", "/cases/one", deed="give", owner="li")) == "Handed over to li."
    page = send(boss, "/customers/c1", "/cases/one", deed="put_off", until="2018-02-01")
    assert told(page) == "Put off until Feb 1, 2018."
    assert 'href="/customers/c1"' not in person(workspace, "li").get("/today").text


def test_who_is_held_out_is_off_the_list_and_no_call_is_asked_for(workspace):
    ann = person(workspace)
    assert 'href="/customers/c2"' not in ann.get("/at-risk").text
    assert 'href="/customers/c2"' in ann.get("/at-risk?show=all").text
    page = ann.get("/customers/c2").text
    assert ("left in peace so that we can measure" in page, 'action="/calls"' in page) == (True, False)


@pytest.mark.parametrize("address", ["/today/claim", "/cases", "/cases/one", "/calls", "/notes"])
def test_a_form_without_the_token_of_its_session_changes_nothing(workspace, address):
    answer = person(workspace).post(address, data={"customer_id": "c0", "deed": "claim", "count": "1", "note": "x"})
    assert answer.status_code == 403
    assert person(workspace).get("/v1/cases/c0").status_code == 404


def test_an_analyst_reads_no_notes_and_no_telephone(workspace):
    page = person(workspace, "mei", "analyst").get("/customers/c0").text
    assert ('id="notes"' in page, "Shown to agents" in page) == (False, True)


@pytest.mark.parametrize("customer", HOSTILE)
def test_a_note_about_any_customer_runs_nothing(own_workspace, customer):
    ann = person(own_workspace)
    page = send(ann, "/customers/" + quote(customer, safe=""), "/notes", note=f"<script>{customer}</script>")
    assert told(page) == "The note is kept."
    assert scripts_in(page) == []


def test_the_day_is_told_in_chinese(workspace):
    page = send(person(workspace, language="zh-CN"), "/today", "/today/claim", count="2")
    assert told(page) == "已认领 2 位客户。"
    assert ("今日任务" in page, "通话结果如何？" in page, "客服电话回访" in page) == (True, True, True)


@pytest.mark.parametrize(
    "cookie", ["nonsense", "called|reached|c|2018-02-31", "claimed|x", "taken", "%00", "given|1|a|<b>"]
)
def test_a_cookie_that_is_none_of_ours_is_told_to_nobody(workspace, cookie):
    ann = person(workspace)
    page = ann.get("/today", headers={"cookie": f"{ann.headers['cookie']}; told={quote(cookie)}"})
    assert (page.status_code, 'class="told' in page.text) == (200, False)


@pytest.mark.parametrize("word", TOLD)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_word_that_a_form_may_end_in_has_a_sentence(workspace, word, language):
    values = {"called": "reached|c0|2018-02-01", "put_off": "2018-02-01", "status": "done", "taken": "c0|li"}
    counted = {"claimed": "2", "given": "2|li|0", "given_but": "1|li|1", "signed_out": "2", "password_wait": "3"}
    rest = (values | counted).get(word, "li" if TOLD[word] else "")
    ann = person(workspace, language=language)
    cookie = quote("|".join(filter(None, [word, rest])))
    page = ann.get("/today", headers={"cookie": f"{ann.headers['cookie']}; told={cookie}"}).text
    assert len(told(page)) > 5
