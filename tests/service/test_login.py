"""People sign in: by the link of this machine once, by a password, and out again; what others try is refused."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from argon2 import PasswordHasher
from sample_run import visit

from callers import TESTER
from churnml.config import ServeConfig
from churnml.database import open_engine, passwords
from churnml.database.audit import entries
from churnml.database.passwords import hash_password
from churnml.database.people import add_person, remove_person, set_password, set_role
from churnml.database.throttle import NAME_TRIES
from churnml.service.forms import way_back
from churnml.service.signing_in import login_link

NOW = 1_700_000_000_000_000
MINUTE = 60_000_000
PASSWORD = "correct horse battery"  # noqa: S105
HTML = {"accept": "text/html"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Argon2id with little work: what it costs is looked at in tests/database/test_passwords.py."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.fixture
def kept(quick):
    return hash_password(PASSWORD, "ann")


@pytest.fixture
def browser(own_workspace, kept):
    """A browser that has not signed in, on a service where `ann` is an agent."""
    engine = open_engine(own_workspace.database)
    with engine.begin() as connection:
        add_person(connection, TESTER, "ann", "agent", kept, at=1)
    engine.dispose()
    with visit(own_workspace, headers=HTML) as client:
        client.app.state.now = lambda: NOW
        yield client


def at(browser, instant):
    browser.app.state.now = lambda: instant


def token_in(page):
    return re.search(r'name="csrf_token" value="([0-9a-f]{128})"', page.text)[1]


def sign_in(browser, name="ann", password=PASSWORD, **more):
    form = {"name": name, "password": password, "csrf_token": token_in(browser.get("/login")), **more}
    return browser.post("/login", data=form, follow_redirects=False)


def change(browser, deed, *given):
    with browser.app.state.engine.begin() as connection:
        deed(connection, TESTER, "ann", *given, at=NOW)


def log(browser):
    with browser.app.state.engine.connect() as connection:
        return [(one.name, one.what, json.loads(one.about)) for one in entries(connection)]


def test_who_is_not_signed_in_is_led_to_the_form_and_from_there_to_where_they_wanted(browser):
    led = browser.get("/at-risk?band=high", follow_redirects=False)
    assert (led.status_code, led.headers["location"]) == (303, "/login?next=%2Fat-risk%3Fband%3Dhigh")
    form = browser.get(led.headers["location"])
    assert 'value="/at-risk?band=high"' in form.text
    data = {"name": "Ann", "password": PASSWORD, "csrf_token": token_in(form), "next": "/at-risk?band=high"}
    let_in = browser.post("/login", data=data, follow_redirects=False)
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/at-risk?band=high")
    assert browser.get("/at-risk").status_code == 200


def test_the_way_back_keeps_an_id_as_it_was_asked_for(browser):
    led = browser.get("/customers/100%25%3F%26%23%2F1?lang=zh", follow_redirects=False)
    assert parse_qs(urlsplit(led.headers["location"]).query)["next"] == ["/customers/100%25%3F%26%23%2F1?lang=zh"]


def test_the_form_shows_who_has_not_signed_in_nothing_of_what_is_inside(browser):
    page = browser.get("/login").text
    assert "/prospects" not in page
    assert "Sign in" in page
    assert "登录" in browser.get("/login?lang=zh").text


def test_a_session_cookie_is_out_of_reach_of_scripts_and_other_sites(browser):
    cookie = sign_in(browser).headers["set-cookie"].lower()
    assert cookie.startswith("churnml_session=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_where_others_are_answered_cookies_travel_by_tls_only(own_workspace, kept):
    engine = open_engine(own_workspace.database)
    with engine.begin() as connection:
        add_person(connection, TESTER, "ann", "agent", kept, at=1)
    engine.dispose()
    settings = ServeConfig(public_hosts=["churn.example.com"], trusted_proxy="127.0.0.1")
    with visit(own_workspace, settings=settings, base_url="https://churn.example.com", headers=HTML) as browser:
        cookie = sign_in(browser).headers["set-cookie"].lower()
        assert cookie.startswith("__host-churnml_session=")
        assert "secure" in cookie
        assert browser.get("/at-risk").status_code == 200


@pytest.mark.parametrize("name, password", [("ann", "wrong"), ("nobody", PASSWORD), ("", ""), ("ann", "\ud83d?")])
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(browser, name, password):
    told = sign_in(browser, name, password.encode("utf-8", "replace").decode())
    assert told.status_code == 401
    assert "Name or password is not right." in told.text
    assert browser.get("/at-risk", follow_redirects=False).status_code == 303


def test_a_name_that_nobody_has_costs_the_same_work_and_is_not_written_down(browser, monkeypatch):
    verified = []
    real = type(passwords._HASHER).verify
    monkeypatch.setattr(
        type(passwords._HASHER), "verify", lambda self, kept, plain: verified.append(kept) or real(self, kept, plain)
    )
    sign_in(browser, "ann", "wrong")
    sign_in(browser, "my password by mistake", "x")
    assert len(verified) == 2
    assert verified[0].rpartition("$")[0].rpartition("$")[0] == verified[1].rpartition("$")[0].rpartition("$")[0]
    assert [name for name, what, _ in log(browser) if what == "login.failed"] == ["ann", "unknown"]


def test_who_guesses_has_to_wait_whether_the_name_exists_or_not_and_gets_in_afterwards(browser):
    for name in ("ann", "nobody"):
        codes = [sign_in(browser, name, "wrong").status_code for _ in range(NAME_TRIES)]
        assert codes == [401] * NAME_TRIES
        waits = sign_in(browser, name, PASSWORD)
        assert (waits.status_code, waits.headers["retry-after"]) == (429, "10")
    at(browser, NOW + 11_000_000)
    assert sign_in(browser).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_a_form_that_another_site_sends_is_refused(browser, headers):
    form = {"name": "ann", "password": PASSWORD, "csrf_token": token_in(browser.get("/login"))}
    assert browser.post("/login", data=form, headers=headers).status_code == 403
    sign_in(browser)
    token = token_in(browser.get("/at-risk"))
    assert browser.post("/logout", data={"csrf_token": token}, headers=headers).status_code == 403
    assert browser.get("/at-risk", follow_redirects=False).status_code == 200


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_without_the_token_of_its_session_is_refused(browser, token):
    assert sign_in(browser, csrf_token=token).status_code == 403
    sign_in(browser)
    told = browser.post("/logout", data={"csrf_token": token}, headers={"origin": "http://localhost"})
    assert told.status_code == 403


def test_a_person_changes_what_the_api_holds_only_with_the_token_in_a_header(browser):
    change(browser, set_role, "admin")
    sign_in(browser)
    wanted = {"name": "crm", "scopes": ["read"]}
    assert browser.post("/v1/keys", json=wanted).status_code == 403
    token = token_in(browser.get("/at-risk"))
    assert browser.post("/v1/keys", json=wanted, headers={"x-csrf-token": token}).status_code == 201


def test_who_signs_out_is_out(browser):
    sign_in(browser)
    cookie = browser.cookies["churnml_session"]
    browser.post("/logout", data={"csrf_token": token_in(browser.get("/at-risk"))})
    told = browser.get("/at-risk", headers={"cookie": f"churnml_session={cookie}"}, follow_redirects=False)
    assert told.status_code == 303
    assert [what for _, what, _ in log(browser)][-2:] == ["login", "logout"]


@pytest.mark.parametrize(
    "steps, ends", [([119, 119, 119], False), ([121], True), ([100] * 7, False), ([100] * 8, True)]
)
def test_a_session_ends_when_idle_and_after_its_hours_whatever_happens(browser, steps, ends):
    sign_in(browser)
    now = NOW
    for minutes in steps:
        now += minutes * MINUTE
        at(browser, now)
        last = browser.get("/at-risk", follow_redirects=False).status_code
    assert last == (303 if ends else 200)


@pytest.mark.parametrize("deed, given", [(set_password, ("no hash",)), (remove_person, ())])
def test_another_password_and_the_end_of_the_account_end_every_session(browser, deed, given):
    sign_in(browser)
    change(browser, deed, *given)
    assert browser.get("/at-risk", follow_redirects=False).status_code == 303


def test_another_role_holds_from_the_next_request_on(browser):
    sign_in(browser)
    assert browser.get("/data").status_code == 403
    change(browser, set_role, "analyst")
    assert browser.get("/data").status_code == 200


def test_the_link_of_this_machine_lets_in_once(browser):
    link = login_link(browser.app.state.engine, NOW)
    let_in = browser.get(f"/login?once={link}", follow_redirects=False)
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/")
    assert "This computer" in browser.get("/at-risk").text
    assert browser.get(f"/login?once={link}", follow_redirects=False).headers["location"] == "/"
    browser.cookies.clear()
    assert browser.get(f"/login?once={link}").status_code == 403
    assert log(browser)[-1] == ("local", "login", {"by": "link"})


def test_the_link_of_this_machine_is_good_for_ten_minutes(browser):
    link = login_link(browser.app.state.engine, NOW)
    at(browser, NOW + 10 * MINUTE)
    assert browser.get(f"/login?once={link}").status_code == 403


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "javascript:alert(1)",
        "/a\nb",
        "",
        "/login?next=/",
    ],
)
def test_the_way_back_leads_nowhere_but_to_our_own_pages(wanted):
    assert way_back(wanted) == "/"
    assert way_back("/customers/%E5%AE%A2?lang=zh") == "/customers/%E5%AE%A2?lang=zh"


def test_the_views_of_a_person_are_in_the_log_without_the_customers_id(browser):
    sign_in(browser)
    browser.get("/customers/1296")
    browser.get("/v1/customers/1296")
    seen = [(name, about) for name, what, about in log(browser) if what == "customer.viewed"]
    assert [name for name, _ in seen] == ["ann", "ann"]
    assert seen[0][1] == seen[1][1]
    assert "1296" not in json.dumps(seen)


def test_a_name_with_markup_is_shown_as_text(own_workspace, kept):
    with visit(own_workspace, headers=HTML) as browser:
        page = browser.post("/login", data={"name": "<b>x</b>", "password": "y", "csrf_token": "z"})
        assert "<b>x" not in page.text
