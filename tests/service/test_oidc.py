"""People sign in by an identity provider that signs for real, and every way in which it can lie is refused."""

import hashlib
import hmac
import json
import logging
import re
import sys
import time
from types import SimpleNamespace
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import jwt
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import serialization
from sample_run import visit
from sqlalchemy import delete

from callers import TESTER
from churnml.config import OidcConfig, ServeConfig
from churnml.database import passwords, throttle
from churnml.database.audit import entries
from churnml.database.identities import identified, link
from churnml.database.passwords import hash_password
from churnml.database.people import add_person, find_person, remove_person
from churnml.database.tables_access import login_failures
from churnml.errors import DependencyError, SignInRefusedError
from churnml.service.oidc.asking import Asker
from churnml.service.oidc.entrance import VARIABLE
from churnml.service.oidc.id_token import Expected, checked
from churnml.service.oidc.provider import GONE_SECONDS, KEPT_SECONDS, KEYS_FLOOR_SECONDS
from identity_provider import CLIENT, SECRET, IdentityProvider, jwk_of, key_of, part, providing
from new_database import new_workspace

HTML = {"accept": "text/html"}
NAME = {"en": "Example ID", "zh": "统一认证"}
ROLES = {"crm": "agent", "insight": "analyst", "it": "admin"}
SECOND = 1_000_000
START = 1_800_000_000 * SECOND
PASSWORD = "correct horse battery"  # noqa: S105


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service with a provider that listens, and its settings; accounts are made for whom the provider sends."""
    patch = pytest.MonkeyPatch()
    patch.setenv(VARIABLE, SECRET)
    patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._nobodys.cache_clear()
    made = new_workspace(tmp_path_factory.mktemp("oidc"))
    # a client of its own reads the authorities of this machine anew each time: no TLS, no need
    with providing() as provider, httpx.Client(verify=False) as outside:  # noqa: S501
        oidc = OidcConfig(issuer=provider.url, client_id=CLIENT, name=NAME, roles=ROLES, create=True)
        client = visit(made, headers=HTML, settings=ServeConfig(oidc=oidc))
        provider.now = lambda: client.app.state.now() / SECOND
        yield SimpleNamespace(browser=client, provider=provider, state=client.app.state, oidc=oidc, outside=outside)
        client.app.state.engine.dispose()
    patch.undo()
    passwords._nobodys.cache_clear()


@pytest.fixture
def at(service):
    """The service an hour after the test before, so that nothing fetched is good still; nobody is signed in."""
    service.provider.reset()
    service.browser.cookies.clear()
    service.hour = getattr(service, "hour", 0) + 2
    service.now = service.start = START + service.hour * KEPT_SECONDS * SECOND
    service.state.now = lambda: service.now
    service.state.entrance._oidc = service.oidc
    with service.state.engine.begin() as connection:
        connection.execute(delete(login_failures))
    service.provider.person["sub"] = f"u-{service.hour}"
    service.provider.person["preferred_username"] = f"Ann.{service.hour}"
    return service


def sent(at, wanted="/at-risk?band=high"):
    """Return where the provider sends a browser back to, with a code."""
    there = at.browser.get("/login/provider", params={"next": wanted}, follow_redirects=False)
    assert there.status_code == 303
    back = at.outside.get(there.headers["location"]).headers["location"]
    assert back.startswith("http://localhost/login/return?")
    return back.removeprefix("http://localhost")


def come(at, path):
    return at.browser.get(path, follow_redirects=False)


def sign_in(at):
    return come(at, sent(at))


def refused(answer):
    """Return why a browser was not let in; it has no session then."""
    assert answer.status_code == 303
    assert "churnml_session" not in answer.headers.get("set-cookie", "")
    where = urlsplit(answer.headers["location"])
    assert where.path == "/login"
    return parse_qs(where.query)["refused"][0]


def log(at):
    with at.state.engine.connect() as connection:
        return [(one.name, one.what, json.loads(one.about)) for one in entries(connection, since=at.start)]


def why(at):
    return log(at)[-1][2]["why"]


def me(at):
    return at.browser.get("/v1/me").json()


def settings(at, **changed):
    at.state.entrance._oidc = at.oidc.model_copy(update=changed)


def test_who_the_provider_knows_comes_in_where_they_wanted_with_the_role_of_their_groups(at):
    let_in = sign_in(at)
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/at-risk?band=high")
    assert (me(at)["name"], me(at)["role"]) == (f"ann.{at.hour}", "agent")
    told = [(what, about.get("by")) for name, what, about in log(at) if name == f"ann.{at.hour}"]
    assert told == [("person.added", None), ("person.linked", None), ("login", "oidc")]
    at.browser.cookies.clear()
    sign_in(at)
    assert [what for name, what, _ in log(at) if name == f"ann.{at.hour}"][3:] == ["login"]


def test_what_goes_to_the_provider_is_a_code_flow_with_pkce_and_bound_to_the_browser(at):
    there = at.browser.get("/login/provider", follow_redirects=False)
    asked = dict(parse_qsl(urlsplit(there.headers["location"]).query))
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == (
        "code",
        "S256",
        "openid profile",
    )
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    cookie = there.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "max-age=600", "path=/"))
    assert not {asked["state"].lower(), asked["nonce"].lower()} & set(re.split("[.=;]", cookie))


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_four_ways_to_sign_are_believed(at, algorithm):
    at.provider.algorithm = algorithm
    assert sign_in(at).headers["location"] == "/at-risk?band=high"


def by_none(at, claims):
    return f"{part({'alg': 'none', 'kid': 'k1'})}.{part(claims)}."


def by_public_key(at, claims):
    """Sign with HMAC under what everybody knows: the classic confusion of key and algorithm."""
    public = (
        key_of("RS256")
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    signed = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(claims)}"
    return f"{signed}.{part(hmac.digest(public, signed.encode(), hashlib.sha256))}"


def by_another_key(at, claims):
    return jwt.encode(claims, key_of("ES256", 99), "ES256", headers={"kid": "k1"})


def by_unknown_kid(at, claims):
    return jwt.encode(claims, key_of("ES256"), "ES256", headers={"kid": "k9"})


def by_other_algorithm(at, claims):
    return jwt.encode(claims, key_of("RS256"), "RS512", headers={"kid": "k1"})


def by_kid_of_another_kind(at, claims):
    return jwt.encode(claims, key_of("RS256"), "RS256", headers={"kid": "k1"})


def with_other_claims(at, claims):
    head, _, signature = at.provider.signed(claims).split(".")
    return f"{head}.{part(claims | {'groups': ['it']})}.{signature}"


def with_critical_header(at, claims):
    return jwt.encode(claims, key_of("ES256"), "ES256", headers={"kid": "k1", "crit": ["mine"], "mine": 1})


def no_token(at, claims):
    return "not.a.token"


SIGNED_BADLY = [
    (by_none, "alg"), (by_public_key, "alg"), (by_other_algorithm, "alg"), (by_another_key, "signature"),
    (by_unknown_kid, "kid"), (by_kid_of_another_kind, "kid"), (with_other_claims, "signature"),
    (with_critical_header, "signature"), (no_token, "signature"),
]  # fmt: skip


@pytest.mark.parametrize("lie, rule", SIGNED_BADLY, ids=lambda one: getattr(one, "__name__", one))
def test_a_token_that_is_not_signed_by_a_key_of_the_provider_is_refused(at, lie, rule):
    at.provider.token = lambda claims: lie(at, claims)
    assert refused(sign_in(at)) == "token"
    assert why(at) == f"id_token.{rule}"


@pytest.mark.parametrize(
    "claims, rule",
    [
        ({"nonce": "of another"}, "nonce"), ({"aud": "another"}, "aud"), ({"azp": "another"}, "azp"),
        ({"iss": "https://evil.example"}, "iss"), ({"exp": 1_000_000_000}, "exp"),
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_is_signed_and_not_meant_for_this_attempt_is_refused(at, claims, rule):
    at.provider.claims = claims
    assert refused(sign_in(at)) == "token"
    assert why(at) == f"id_token.{rule}"


def believed(published=None, **claims):
    """Return the claims of a token with some of them otherwise, as they are believed."""
    provider = IdentityProvider("https://id.example.com", lambda: START // SECOND)
    provider.claims, provider.published = claims, published or {}
    expected = Expected(provider.url, CLIENT, "of this attempt", START, START)
    token = provider.signed(provider.claims_for({"nonce": "of this attempt"}))
    return checked(token, lambda **_anew: provider.keys()["keys"], expected)


NOW = START // SECOND
FALSE = [
    ("nonce", None), ("aud", None), ("aud", []), ("iss", None), ("sub", None), ("sub", "x" * 256), ("sub", 7),
    ("sub", "客"), ("exp", None),
    ("exp", "tomorrow"), ("exp", 10**400), ("exp", True), ("exp", NOW - 60), ("iat", None),
    ("iat", NOW + 61), ("iat", NOW - 61), ("nbf", NOW + 61),
]  # fmt: skip


@pytest.mark.parametrize("claim, value", FALSE, ids=str)
def test_each_claim_is_held_to_its_rule_and_times_to_a_minute(claim, value):
    with pytest.raises(SignInRefusedError) as caught:
        believed(**{claim: value})
    assert (caught.value.reason, caught.value.detail) == ("token", f"id_token.{claim}")


@pytest.mark.parametrize(
    "claims", [{"exp": NOW - 59}, {"iat": NOW + 60}, {"iat": NOW - 60}, {"nbf": NOW + 60}, {"aud": [CLIENT]}]
)
def test_what_is_within_the_rules_is_believed(claims):
    assert believed(**claims)["sub"] == "u-1"


def test_a_token_for_several_is_believed_where_it_says_that_it_was_made_for_us():
    assert believed(aud=["another", CLIENT], azp=CLIENT)
    with pytest.raises(SignInRefusedError, match="azp"):
        believed(aud=["another", CLIENT])


@pytest.mark.parametrize("published", [{"use": "enc"}, {"alg": "ES512"}, {"crv": "P-384"}, {"kty": "oct", "k": "AAAA"}])
def test_a_key_that_is_published_for_something_else_opens_nothing(published):
    with pytest.raises(SignInRefusedError, match="kid"):
        believed(published)


def test_a_key_that_is_too_short_is_refused():
    weak = key_of("RS256", 1, 1024)
    with pytest.warns(jwt.InsecureKeyLengthWarning):  # of the one who signs
        token = jwt.encode({"sub": "u-1"}, weak, "RS256", headers={"kid": "k1"})
    with pytest.raises(SignInRefusedError, match="signature"):
        checked(token, lambda **_anew: [jwk_of(weak, kid="k1")], Expected("", CLIENT, "", START, START))


def test_new_keys_are_found_and_keys_are_not_asked_for_more_often_than_every_half_minute(at):
    sign_in(at)
    at.provider.kid, at.provider.place = "k2", 1
    at.now += KEYS_FLOOR_SECONDS * SECOND
    assert "refused" not in sign_in(at).headers["location"]
    assert at.provider.asked["/keys"] == 2
    at.provider.kid, at.provider.place = "k3", 2
    assert [refused(sign_in(at)) for _ in range(3)] == ["token"] * 3
    assert at.provider.asked["/keys"] == 2
    at.now += KEYS_FLOOR_SECONDS * SECOND
    assert "refused" not in sign_in(at).headers["location"]
    assert (at.provider.asked["/keys"], at.provider.asked["/.well-known/openid-configuration"]) == (3, 1)


def test_a_key_that_was_taken_back_opens_nothing_an_hour_later(at):
    sign_in(at)
    at.provider.published = {"kid": "another"}
    at.now += KEPT_SECONDS * SECOND
    assert refused(sign_in(at)) == "token"


def test_what_came_back_once_comes_back_for_nothing_a_second_time(at):
    at.provider.once = False
    back = sent(at)
    cookie = at.browser.cookies["churnml_oidc"]
    assert "refused" not in come(at, back).headers["location"]
    assert "churnml_oidc" not in at.browser.cookies
    at.browser.cookies.clear()
    assert refused(come(at, back)) == "expired"
    assert why(at) == "state"
    at.browser.cookies.set("churnml_oidc", cookie)
    assert refused(come(at, back)) == "expired"
    assert why(at) == "state.used"


def test_another_browser_gets_nothing_from_what_was_sent_to_this_one(at):
    back = sent(at)
    at.browser.cookies.clear()
    sent(at)
    assert refused(come(at, back)) == "expired"
    assert why(at) == "state"


@pytest.mark.parametrize("checks, rule", [(True, "code.refused"), (False, "id_token.nonce")])
def test_a_code_that_was_stolen_is_worth_nothing_in_another_attempt(at, checks, rule):
    at.provider.checks_pkce = checks
    stolen = dict(parse_qsl(urlsplit(sent(at)).query))["code"]
    at.browser.cookies.clear()
    own = dict(parse_qsl(urlsplit(sent(at)).query))
    assert refused(come(at, "/login/return?" + urlencode(own | {"code": stolen}))) == "token"
    assert why(at) == rule


def test_a_code_is_good_once(at):
    code = dict(parse_qsl(urlsplit(sent(at)).query))["code"]
    at.provider.used.add(code)
    state = at.browser.get("/login/provider", follow_redirects=False).headers["location"]
    own = dict(parse_qsl(urlsplit(state).query))["state"]
    assert refused(come(at, "/login/return?" + urlencode({"code": code, "state": own}))) == "token"
    assert why(at) == "code.refused"


def test_an_attempt_is_over_after_ten_minutes(at):
    back = sent(at)
    at.now += 600 * SECOND
    assert refused(come(at, back)) == "expired"


@pytest.mark.parametrize("cookie", ["", "x", "a" * 43 + ".1.", "é", "a" * 43 + ".999999999999999999.AAAAA"])
def test_a_cookie_that_is_none_of_ours_is_no_attempt(at, cookie):
    back = sent(at)
    told = at.browser.get(back, headers={"cookie": f"churnml_oidc={cookie}".encode()}, follow_redirects=False)
    assert refused(told) == "expired"


def test_an_answer_in_the_name_of_another_provider_is_refused(at):
    at.provider.answer = {"iss": "https://evil.example"}
    assert refused(sign_in(at)) == "token"
    assert why(at) == "answer.iss"
    at.provider.answer = {"iss": at.provider.url}
    assert "refused" not in sign_in(at).headers["location"]


def test_a_provider_that_says_it_names_itself_must(at):
    at.provider.discovery = {"authorization_response_iss_parameter_supported": True}
    assert refused(sign_in(at)) == "token"
    assert why(at) == "answer.iss"


@pytest.mark.parametrize("error, rule", [("access_denied", "answer.access_denied"), ("<script>", "answer.error")])
def test_who_turns_back_is_told_so_in_our_own_words(at, error, rule):
    at.provider.refusal = error
    answer = sign_in(at)
    assert refused(answer) == "cancelled"
    assert why(at) == rule
    page = at.browser.get(answer.headers["location"])
    assert page.status_code == 403
    assert "Example ID did not sign you in" in page.text
    assert "elsewhere" not in page.text + answer.headers["location"]


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example"])
def test_the_way_back_leads_nowhere_but_to_our_own_pages(at, wanted):
    assert come(at, sent(at, wanted)).headers["location"] == "/"


@pytest.mark.parametrize("reason, status", [("role", 403), ("gone", 503), ("<b>", 200)])
def test_every_refusal_is_a_page_in_both_languages_where_one_may_sign_in_otherwise(at, reason, status):
    pages = [at.browser.get("/login", params={"refused": reason, "lang": one}) for one in ("en", "zh")]
    assert [page.status_code for page in pages] == [status, status]
    assert all('name="password"' in page.text and "<b>" not in page.text for page in pages)
    assert ["Sign in with Example ID" in pages[0].text, "使用 统一认证 登录" in pages[1].text] == [True, True]
    assert ('role="alert"' in pages[0].text) == (status != 200)


def password_opens(at):
    token = re.search(r'name="csrf_token" value="([0-9a-f]{128})"', at.browser.get("/login").text)[1]
    form = {"name": "old.hand", "password": PASSWORD, "csrf_token": token}
    return at.browser.post("/login", data=form, follow_redirects=False).headers["location"] == "/"


def down():
    return 503, b"{}"


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
def test_a_provider_that_is_gone_is_told_of_and_passwords_open_as_before(at, path):
    with at.state.engine.begin() as connection:
        if find_person(connection, "old.hand") is None:
            add_person(connection, TESTER, "old.hand", "agent", hash_password(PASSWORD, "x"), at=1)
    at.provider.broken[path] = down
    there = at.browser.get("/login/provider", follow_redirects=False)
    if "refused" not in there.headers["location"]:
        there = come(at, at.outside.get(there.headers["location"]).headers["location"].removeprefix("http://localhost"))
    assert refused(there) == "gone"
    assert why(at) == "provider"
    page = at.browser.get(there.headers["location"])
    assert (page.status_code, "does not answer at the moment" in page.text) == (503, True)
    assert password_opens(at)


def test_a_provider_that_is_gone_is_asked_again_after_a_few_seconds_and_not_before(at):
    path = "/.well-known/openid-configuration"
    at.provider.broken[path] = down
    assert [refused(at.browser.get("/login/provider", follow_redirects=False)) for _ in range(3)] == ["gone"] * 3
    assert at.provider.asked[path] == 1
    at.provider.broken.clear()
    at.now += GONE_SECONDS * SECOND
    assert "refused" not in sign_in(at).headers["location"]


def test_a_provider_that_is_slow_is_given_up(at, monkeypatch):
    asker = at.state.entrance._provider._ask
    monkeypatch.setattr(at.state.entrance._provider, "_ask", Asker(asker.trust, 0.1))
    at.provider.broken["/.well-known/openid-configuration"] = lambda: time.sleep(0.4) or (200, b"{}")
    began = time.monotonic()
    assert refused(at.browser.get("/login/provider", follow_redirects=False)) == "gone"
    assert time.monotonic() - began < 0.39


LIES = {
    "issuer": {"issuer": "https://evil.example"},
    "no keys": {"jwks_uri": None},
    "no tls": {"token_endpoint": "http://id.example.com/token"},
    "script": {"authorization_endpoint": "javascript:alert(1)"},
    "user": {"jwks_uri": "https://a:b@id.example.com/keys"},
    "no pkce": {"code_challenge_methods_supported": ["plain"]},
}


@pytest.mark.parametrize("lie", LIES)
def test_what_the_provider_publishes_of_itself_is_looked_at(at, lie):
    at.provider.discovery = LIES[lie]
    assert refused(at.browser.get("/login/provider", follow_redirects=False)) == "gone"


@pytest.mark.parametrize(
    "answer", [(200, b"[1]"), (200, b"no JSON"), (200, b"[" * 90_000), (200, b" " * 600_000), (302, b"")]
)
def test_an_answer_that_is_no_document_is_refused_and_no_redirect_followed(at, answer):
    at.provider.broken["/.well-known/openid-configuration"] = lambda: answer
    assert refused(at.browser.get("/login/provider", follow_redirects=False)) == "gone"
    assert at.provider.asked["/elsewhere"] == 0


@pytest.mark.parametrize("auth, secret", [("client_secret_post", SECRET), ("none", "")])
def test_the_provider_is_told_our_secret_as_it_wants_or_none_where_there_is_none(at, auth, secret, monkeypatch):
    at.provider.auth, at.provider.secret = auth, secret
    monkeypatch.setattr(at.state.entrance._provider, "_secret", secret)
    assert "refused" not in sign_in(at).headers["location"]


def test_a_wrong_secret_is_told_of_as_a_provider_that_does_not_work(at, monkeypatch):
    monkeypatch.setattr(at.state.entrance._provider, "_secret", "wrong")
    assert refused(sign_in(at)) == "gone"


@pytest.mark.parametrize("groups", [None, ["sales"], [7], {"crm": True}])
def test_who_is_in_no_group_that_has_a_role_is_not_let_in(at, groups):
    at.provider.person["groups"] = groups
    assert refused(sign_in(at)) == "role"
    assert why(at) == "claim.groups"


@pytest.mark.parametrize(
    "claims, path, role",
    [
        ({"groups": ["crm", "it", "insight"]}, ("groups",), "admin"),
        ({"groups": ["sales", "insight", "crm"]}, ("groups",), "analyst"),
        ({"groups": "crm"}, ("groups",), "agent"),
        ({"realm_access": {"roles": ["it"]}}, ("realm_access", "roles"), "admin"),
    ],
)
def test_of_several_groups_the_highest_role_counts(at, claims, path, role):
    settings(at, roles_claim=path)
    at.provider.claims = claims
    sign_in(at)
    assert me(at)["role"] == role


def test_another_group_is_another_role_and_none_ends_the_sessions_that_are_left(at):
    sign_in(at)
    first = dict(at.browser.cookies)
    at.provider.person["groups"] = ["it"]
    at.browser.cookies.clear()
    sign_in(at)
    assert me(at)["role"] == "admin"
    at.provider.person["groups"] = []
    assert refused(sign_in(at)) == "role"
    assert at.browser.get("/v1/me").status_code == 401
    assert (
        at.browser.get("/v1/me", headers={"cookie": f"churnml_session={first['churnml_session']}"}).status_code == 401
    )
    ended = [about for _, what, about in log(at) if what == "person.signed_out"]
    assert ended[-1] == {"person": f"ann.{at.hour}", "sessions_ended": 2}


def test_nobody_gets_an_account_unless_that_is_wanted_and_who_was_linked_comes_in(at):
    settings(at, create=False)
    assert refused(sign_in(at)) == "unknown"
    with at.state.engine.begin() as connection:
        add_person(connection, TESTER, f"bo.{at.hour}", "agent", "no hash", at=1)
        link(connection, TESTER, f"bo.{at.hour}", at.provider.url, f"u-{at.hour}", at=1)
    sign_in(at)
    assert me(at)["name"] == f"bo.{at.hour}"


def test_a_name_that_is_taken_is_not_given_to_somebody_else(at):
    sign_in(at)
    at.browser.cookies.clear()
    at.provider.person["sub"] = "an impostor"
    assert refused(sign_in(at)) == "name"
    assert why(at) == "name.taken"


@pytest.mark.parametrize("name", [None, "a b", "x" * 65, "unknown"])
def test_a_claim_that_is_no_name_makes_no_account(at, name):
    at.provider.person["preferred_username"] = name
    assert refused(sign_in(at)) == "name"
    assert why(at) == "claim.name"


@pytest.mark.parametrize("verified, refusal", [(True, None), (False, "name"), ("true", "name"), (None, "name")])
def test_an_address_names_an_account_only_if_the_provider_has_verified_it(at, verified, refusal):
    settings(at, name_claim="email")
    at.provider.claims = {"email": f"ann{at.hour}@example.com", "email_verified": verified}
    answer = sign_in(at)
    assert (refused(answer) if "refused" in answer.headers["location"] else None) == refusal


def test_whom_the_provider_knows_is_forgotten_with_the_account(at):
    sign_in(at)
    with at.state.engine.begin() as connection:
        assert identified(connection, at.provider.url, f"u-{at.hour}").name == f"ann.{at.hour}"
        remove_person(connection, TESTER, f"ann.{at.hour}", at=1)
        assert identified(connection, at.provider.url, f"u-{at.hour}") is None


def test_a_session_by_the_provider_can_end_sooner_than_others(at, monkeypatch):
    monkeypatch.setattr(at.state.entrance, "_hours", 1)
    assert "max-age=3600;" in sign_in(at).headers["set-cookie"].lower()
    at.now += 3599 * SECOND
    assert at.browser.get("/v1/me").status_code == 200
    at.now += SECOND
    assert at.browser.get("/v1/me").status_code == 401


def test_who_signs_out_is_shown_how_to_sign_out_of_the_provider_too(at):
    sign_in(at)
    token = re.search(r'name="csrf_token" value="([0-9a-f]{128})"', at.browser.get("/at-risk").text)[1]
    page = at.browser.post("/logout", data={"csrf_token": token})
    assert f'href="{at.provider.url}/bye?client_id={CLIENT}"' in page.text
    assert at.browser.get("/v1/me").status_code == 401
    assert "/bye?" not in at.browser.get("/login").text


def test_who_knocks_too_often_has_to_wait_and_fills_no_log(at, monkeypatch):
    monkeypatch.setattr(throttle, "ADDRESS_TRIES", 3)
    answers = [refused(come(at, "/login/return?state=x&code=y")) for _ in range(5)]
    assert answers == ["expired"] * 3 + ["wait"] * 2
    assert [what for _, what, _ in log(at)] == ["login.failed"] * 3
    at.now += 11 * SECOND
    assert "refused" not in sign_in(at).headers["location"]


def test_neither_log_says_anything_of_a_person_that_came_from_the_provider(at, caplog):
    caplog.set_level(logging.DEBUG, "churnml")
    at.provider.claims = {"nonce": "a nonce of another", "email": "secret@example.com"}
    back = sent(at)
    come(at, back)
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    told = caplog.text + json.dumps(log(at))
    assert "id_token.nonce" in told
    assert not [word for word in (code, "secret@", f"u-{at.hour}", "Ann", "a nonce of", SECRET) if word in told]


def test_where_others_are_answered_the_way_there_and_back_is_by_tls_alone(at, own_workspace):
    public = ServeConfig(oidc=at.oidc, public_hosts=["churn.example.com"], trusted_proxy="127.0.0.1")
    browser = visit(own_workspace, settings=public, base_url="https://churn.example.com", headers=HTML)
    there = browser.get("/login/provider", follow_redirects=False)
    asked = dict(parse_qsl(urlsplit(there.headers["location"]).query))
    assert asked["redirect_uri"] == "https://churn.example.com/login/return"
    assert there.headers["set-cookie"].startswith("__Host-churnml_oidc=")
    assert "secure" in there.headers["set-cookie"].lower()
    browser.app.state.engine.dispose()


def test_a_host_that_holds_more_than_a_name_is_sent_nowhere(at):
    told = at.browser.get("/login/provider", headers={"host": "localhost:80@evil.example"}, follow_redirects=False)
    assert told.status_code == 400


def test_without_the_extra_the_service_says_what_to_install(at, monkeypatch, own_workspace):
    monkeypatch.setitem(sys.modules, "jwt", None)
    for name in ("entrance", "id_token"):
        monkeypatch.delitem(sys.modules, f"churnml.service.oidc.{name}")
    with pytest.raises(DependencyError, match=r"pip install 'churnml\[oidc\]'"):
        visit(own_workspace, settings=ServeConfig(oidc=at.oidc))


def test_where_no_provider_is_named_there_is_no_way_by_it(own_workspace):
    browser = visit(own_workspace, headers=HTML)
    assert [browser.get(path).status_code for path in ("/login/provider", "/login/return?code=x")] == [404, 404]
    assert "/login/provider" not in browser.get("/login").text
    browser.app.state.engine.dispose()


GOOD = {"issuer": "https://id.example.com/realms/crm", "client_id": "churnml", "name": NAME, "roles": {"crm": "agent"}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://id.example.com"}, {"issuer": "https://id.example.com?x=1"}, {"issuer": "id.example.com"},
        {"issuer": "https://a:b@id.example.com"}, {"roles": {}}, {"roles": {"crm": "boss"}}, {"name": "ID"},
        {"scopes": ["a b"]}, {"secret": "x"},
    ],
)  # fmt: skip
def test_settings_that_would_let_in_whom_they_should_not_are_refused(wrong):
    assert OidcConfig(**GOOD).create is False
    with pytest.raises(ValueError, match=next(iter(wrong))):
        OidcConfig(**GOOD | wrong)
