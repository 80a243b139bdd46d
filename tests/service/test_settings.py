"""The settings: one's own, and those of who runs it; secrets are shown once, and the last administrator stays."""

import re
from html import unescape
from pathlib import Path

import pytest
from sample_run import ask, visit
from test_working_pages import NOW, send, told

from callers import TESTER, signed_in
from churnml.database import open_engine
from churnml.database.audit import audit
from churnml.database.passwords import hash_password
from churnml.database.people import add_person
from churnml.database.sessions import open_session
from churnml.service.forms import HEADER

PARTS = ("people", "keys", "webhooks", "actions", "in-force")
OLD, NEW = "correct horse battery 9", "staple battery horse 7"


def person(workspace, name="mei", role="admin", language="en"):
    headers = signed_in(workspace, name, role, NOW) | {"accept": "text/html", "accept-language": language}
    headers.pop(HEADER)
    opened = visit(workspace, headers=headers)
    opened.app.state.now = lambda: NOW
    return opened


def posted(client, page, **fields):
    """Send a form that is answered by a page, and return it."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text).group(1)
    return client.post(page, data={"csrf_token": token, "back": page} | fields, follow_redirects=False)


@pytest.mark.parametrize("part", PARTS)
def test_an_agent_is_told_their_own_part_alone(own_workspace, part):
    ann = person(own_workspace, "ann", "agent")
    own = ann.get("/settings").text
    assert (f"/settings/{part}" in own, ann.get(f"/settings/{part}").status_code) == (False, 403)


def test_an_analyst_sees_the_actions_and_no_keys(own_workspace):
    bo = person(own_workspace, "bo", "analyst")
    assert [bo.get(f"/settings/{part}").status_code for part in PARTS] == [403, 403, 403, 200, 403]


@pytest.mark.parametrize("language, title", [("en", "Settings"), ("zh", "设置")])
@pytest.mark.parametrize("part", ["", *(f"/{one}" for one in PARTS)])
def test_every_part_opens_in_both_languages_with_its_twin(own_workspace, part, language, title):
    mei = person(own_workspace, language=language)
    page = mei.get(f"/settings{part}").text
    assert (title in page, page.count("<h1>")) == (True, 1)
    twin = re.search(r'<footer class="bottom">\s*<a href="([^"]+)"', page).group(1)
    assert mei.get(twin, headers={"accept": "application/json"}).status_code == 200


@pytest.fixture
def with_password(own_workspace):
    """A workspace in which li has a password, and two sessions, and a client of the first of them."""
    engine = open_engine(own_workspace.database)
    with engine.begin() as connection:
        add_person(connection, TESTER, "li", "agent", hash_password(OLD, "li"), at=1)
        other = open_session(connection, "li", at=NOW, expires_at=NOW * 2)
    engine.dispose()
    return person(own_workspace, "li", "agent"), other


def test_whoever_knows_their_password_changes_it_and_is_signed_out_elsewhere(with_password):
    li, other = with_password
    page = send(li, "/settings", "/settings/password", current=OLD, new=NEW, again=NEW)
    assert told(page) == "The password is changed. You are signed out everywhere else."
    assert li.get("/v1/me").status_code == 200
    assert li.get("/v1/me", headers={"cookie": f"churnml_session={other}", "accept": "*/*"}).status_code == 401
    again = send(li, "/settings", "/settings/password", current=NEW, new=OLD, again=OLD)
    assert told(again).startswith("The password is changed.")


@pytest.mark.parametrize(
    "fields, said",
    [({"current": "wrong", "new": NEW, "again": NEW}, "The present password is another."),
     ({"current": OLD, "new": "short", "again": "short"}, "A password must have 12 to 256 characters"),
     ({"current": OLD, "new": NEW, "again": NEW + " "}, "The new password was typed in two different ways.")],
)  # fmt: skip
def test_a_password_that_is_not_changed_is_told_why(with_password, fields, said):
    assert told(send(with_password[0], "/settings", "/settings/password", **fields)).startswith(said)


def test_sessions_are_listed_and_ended(with_password):
    li, _ = with_password
    assert [one["this"] for one in li.get("/v1/me/sessions").json()["items"]].count(True) == 1
    assert told(send(li, "/settings", "/settings/sessions")) == "Signed out of 1 other browser."
    assert len(li.get("/v1/me/sessions").json()["items"]) == 1


def test_a_key_has_neither_password_nor_sessions(own_workspace):
    with ask(own_workspace) as key:
        assert (key.get("/v1/me/sessions").json(), key.delete("/v1/me/sessions").json()) == (
            {"items": []},
            {"ended": 0},
        )
        assert key.put("/v1/me/password", json={"current": OLD, "new": NEW}).status_code == 403


def test_somebody_is_added_given_another_role_and_removed(own_workspace):
    mei = person(own_workspace)
    page = "/settings/people"
    assert told(send(mei, page, page, deed="add", name="Bo", role="agent", password=NEW)) == "bo may sign in now."
    for fields in ({"deed": "role", "role": "analyst"}, {"deed": "password", "password": OLD}, {"deed": "remove"}):
        assert posted(mei, page, name="bo", **fields).status_code == 303
    assert [one["name"] for one in mei.get("/v1/people").json()["people"]] == ["mei"]


@pytest.mark.parametrize("fields", [{"deed": "remove"}, {"deed": "role", "role": "agent"}])
def test_the_last_administrator_stays(own_workspace, fields):
    mei = person(own_workspace)
    answer = posted(mei, "/settings/people", name="mei", **fields)
    assert (answer.status_code, "the only administrator" in unescape(answer.text)) == (409, True)
    with ask(own_workspace) as key:
        assert key.delete("/v1/people/mei").status_code == 409
        assert key.put("/v1/people/mei/role", json={"role": "agent"}).status_code == 409


def test_a_key_is_shown_once_and_works_until_it_is_revoked(own_workspace):
    mei = person(own_workspace)
    answer = posted(mei, "/settings/keys", deed="create", name="crm", scope=["read"], days="30")
    key = re.search(r'class="secret" readonly value="(ck_[^"]+)"', answer.text).group(1)
    assert (answer.headers["cache-control"], key in mei.get("/settings/keys").text) == ("no-store", False)
    asked = {"authorization": f"Bearer {key}", "accept": "application/json"}
    with visit(own_workspace) as program:
        program.app.state.now = lambda: NOW
        assert program.get("/v1/me", headers=asked).json()["scopes"] == ["read"]
        posted(mei, "/settings/keys", deed="revoke", key_id="_".join(key.split("_")[:2]))
        assert program.get("/v1/me", headers=asked).status_code == 401


def test_a_key_that_is_replaced_is_shown_with_the_rights_of_the_old(own_workspace):
    mei = person(own_workspace)
    posted(mei, "/settings/keys", deed="create", name="crm", scope=["read", "write"], days="30")
    (old,) = [one for one in mei.get("/v1/keys").json()["keys"] if one["name"] == "crm"]
    answer = posted(mei, "/settings/keys", deed="rotate", key_id=old["key_id"], days="90", overlap_hours="0")
    assert 'class="secret" readonly value="ck_' in answer.text
    told_of = [(one["scopes"], one["standing"]) for one in mei.get("/v1/keys").json()["keys"] if one["name"] == "crm"]
    assert sorted(told_of) == [(["read", "write"], "expired"), (["read", "write"], "valid")]


@pytest.mark.parametrize("days", ["0", "3651", "soon", "-1", ""])
def test_a_key_is_good_for_a_number_of_days_that_may_be(own_workspace, days):
    answer = posted(person(own_workspace), "/settings/keys", deed="create", name="crm", scope=["read"], days=days)
    assert (answer.status_code, "`days` must be a whole number from 1 to 3650" in unescape(answer.text)) == (400, True)


def test_a_webhook_is_made_tried_switched_off_and_removed(own_workspace, monkeypatch):
    monkeypatch.setenv("CHURNML_SECRET", "s" * 40)
    mei = person(own_workspace)
    page, url = "/settings/webhooks", "https://93.184.216.34/churn"
    made = posted(mei, page, deed="create", url=url, event=["list.ready"], description="<b>CRM</b>").text
    assert 'class="secret" readonly value="whsec_' in made
    assert "<b>CRM</b>" not in made
    (one,) = mei.get("/v1/webhooks").json()["items"]
    which = {"endpoint_id": one["endpoint_id"]}
    assert posted(mei, page, deed="try", **which).status_code == 303
    assert "a trial" in mei.get(page).text
    for deed, state in (("disable", "disabled"), ("enable", "enabled")):
        posted(mei, page, deed=deed, **which)
        assert mei.get("/v1/webhooks").json()["items"][0]["state"] == state
    posted(mei, page, deed="remove", **which)
    assert mei.get("/v1/webhooks").json()["items"] == []


@pytest.mark.parametrize("address", ["password", "sessions", "people", "keys", "webhooks"])
def test_a_form_of_the_settings_needs_the_token_of_its_session(own_workspace, address):
    assert person(own_workspace).post(f"/settings/{address}", data={"deed": "create"}).status_code == 403


def test_the_actions_are_told_in_both_languages_with_cost_and_effect(own_workspace):
    page = person(own_workspace, language="zh").get("/settings/actions").text
    assert all(word in page for word in ("客服关怀电话", "Service call", "流失优势比 × ", "假设值，尚未实测"))


def test_what_is_in_force_tells_the_backup_and_never_a_secret(own_workspace, monkeypatch):
    monkeypatch.setenv("CHURNML_SECRET", "t0p" * 20)
    engine = open_engine(own_workspace.database)
    with engine.begin() as connection:
        audit(connection, TESTER, "backup.made", {"files": 3}, at=NOW - 3 * 86_400_000_000)
    engine.dispose()
    mei = person(own_workspace)
    page, twin = mei.get("/settings/in-force").text, mei.get("/v1/settings").text
    assert ("3 days ago" in page, "t0p" in page + twin) == (True, False)
    assert mei.get("/v1/settings").json()["secret_set"] is True


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_shown(own_workspace, tmp_path):
    (tmp_path / "assign.yaml").write_text("budgte: 3\n", encoding="utf-8")
    with ask(own_workspace, configs=tmp_path) as client:
        files = {one["file"]: one for one in client.get("/v1/settings").json()["files"]}
    assert "budgte" in files["assign.yaml"]["problem"]
    assert (files["train.yaml"]["problem"], bool(files["train.yaml"]["settings"])) == (None, True)


def test_what_differs_from_the_default_is_marked(own_workspace, tmp_path):
    (tmp_path / "workspace.yaml").write_text("currency: EUR\n", encoding="utf-8")
    with ask(own_workspace, configs=Path(tmp_path)) as client:
        (file,) = [one for one in client.get("/v1/settings").json()["files"] if one["file"] == "workspace.yaml"]
    assert [one["name"] for one in file["settings"] if not one["default"]] == ["currency"]
