"""Every route against every credential: what nobody opened is closed, and a scope opens what it says and no more."""

import asyncio

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from sample_run import visit

from callers import FAR_AHEAD, TESTER, a_key, bearing
from churnml.database import open_engine
from churnml.database.keys import revoke_key, rotate_key
from churnml.database.people import add_person
from churnml.database.scopes import ROLES, SCOPES
from churnml.database.sessions import open_session
from churnml.service import create_app
from churnml.service.access import PUBLIC
from churnml.service.gate import scopes_of
from churnml.service.routes import api_routes

NOW = 1_700_000_000_000_000
REFUSED = {401, 403}


def keys_of(workspace):
    """Return a header for each kind of credential, by name."""
    keys = {"no": None, "forged": "ck_aaaaaaaaaa_" + "A" * 43, "expired": a_key(workspace, expires_at=NOW)}
    keys["revoked"] = a_key(workspace, name="gone")
    keys |= {f"key {scope}": a_key(workspace, scope, name=scope) for scope in SCOPES}
    engine = open_engine(workspace.database)
    with engine.begin() as connection:
        revoke_key(connection, TESTER, "gone", at=2)
        for role in ROLES:
            add_person(connection, TESTER, role, role, "no hash: nobody signs in with it", at=1)
        cookies = {role: open_session(connection, role, at=NOW - 1, expires_at=NOW + 1) for role in ROLES}
    engine.dispose()
    headers = {name: {"authorization": f"Bearer {key}"} if key else {} for name, key in keys.items()}
    return headers | {role: {"cookie": f"churnml_session={cookie}"} for role, cookie in cookies.items()}


def routes(app):
    """Return method, path and the scopes needed of every route."""
    return [
        (method, route.path, scopes_of(route.dependant))
        for route in api_routes(app.routes)
        for method in sorted(route.methods)
    ]


def address(path):
    return path.replace("{", "").replace("}", "").replace(":path", "")


GRANTED = {f"key {scope}": frozenset({scope}) for scope in SCOPES} | ROLES


def expected(method, path, needed, name):
    """Return how a route must refuse a credential; None where it must not."""
    if path in PUBLIC:
        return None
    if name in {"no", "forged", "expired", "revoked"}:
        return 401
    form = not path.startswith("/v1/") and path != "/logout"  # it takes the token of a session, and no key has one
    posting = (name in ROLES or form) and method not in {"GET", "HEAD"}
    return None if needed <= GRANTED[name] and not posting else 403


async def ask_each(app, headers):
    """Give method, path and credential of each that is answered otherwise than it must be."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for method, path, needed in routes(app):
            for name, given in headers.items():
                told = (await client.request(method, address(path), headers=given)).status_code
                refused = told if told in REFUSED and path != "/login" else None
                if refused != expected(method, path, needed, name):
                    yield method, path, name, told


def test_every_route_gives_every_credential_what_it_declares(own_workspace):
    app = create_app(own_workspace)
    app.state.now = lambda: NOW
    headers = keys_of(own_workspace)

    async def wrong():
        return [one async for one in ask_each(app, headers)]

    assert asyncio.run(wrong()) == []
    app.state.engine.dispose()


def test_every_route_says_what_it_needs_or_is_one_of_seven_that_are_public(own_workspace):
    app = create_app(own_workspace)
    silent = {path for _, path, needed in routes(app) if not needed}
    assert silent <= PUBLIC
    assert len(PUBLIC) <= 7
    app.state.engine.dispose()


def test_a_route_that_says_nothing_is_closed_to_everyone(own_workspace, signed):
    forgotten = APIRouter()

    @forgotten.get("/v1/forgotten")
    def answer():
        return "secret"

    with visit(own_workspace) as client:
        client.app.include_router(forgotten)
        assert client.get("/v1/forgotten").status_code == 401
        told = client.get("/v1/forgotten", headers=signed)
    assert (told.status_code, told.json()["code"]) == (403, "forbidden")
    assert "closed" in told.json()["detail"]


def test_what_is_mounted_beside_the_routes_is_closed_to_who_does_not_say_who_asks(own_workspace):
    with visit(own_workspace) as client:
        client.app.mount("/other", FastAPI(openapi_url="/x"))
        assert client.get("/other/x").status_code == 401
        assert client.get("/nothing/here").status_code == 401


def test_an_escaped_question_mark_in_an_address_opens_no_other_route(own_workspace):
    with visit(own_workspace, headers=bearing(own_workspace, "read")) as client:
        assert client.get("/v1/keys").status_code == 403
        assert client.get("/v1/keys%3Fa=/v1/at-risk").status_code == 404


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Basic Y2s6eA==",
        "Bearer ck_",
        "Bearer ck_a_b",
        "Bearer ck_aaaaaaaaaa_",
        "ck_aaaaaaaaaa_x",
        "Bearer \xff",
    ],
)
def test_a_header_that_is_no_key_of_ours_is_refused_in_the_words_of_rfc_6750(client, header):
    told = client.get("/v1/at-risk", headers={"authorization": header.encode("latin-1")})
    assert (told.status_code, told.headers["www-authenticate"]) == (401, 'Bearer realm="churnml"')
    assert told.json()["code"] == "unauthenticated"


def test_a_key_of_the_right_id_and_a_wrong_secret_is_refused(own_workspace):
    key = a_key(own_workspace)
    with visit(own_workspace) as client:
        assert client.get("/v1/me", headers={"authorization": f"Bearer {key}"}).status_code == 200
        assert client.get("/v1/me", headers={"authorization": f"Bearer {key[:-1]}~"}).status_code == 401


def test_a_refusal_names_the_scope_that_is_missing_and_who_lacks_it(own_workspace):
    with visit(own_workspace) as client:
        key = a_key(own_workspace, "write", name="importer")
        told = client.get("/v1/at-risk", headers={"authorization": f"Bearer {key}"})
    assert told.status_code == 403
    assert "needs the scope `read`, `importer (ck_" in told.json()["detail"]
    assert "has `write`" in told.json()["detail"]


def test_revoked_in_one_process_a_key_is_refused_by_the_next_request_in_another(own_workspace):
    key = a_key(own_workspace, name="crm")
    with visit(own_workspace) as client:
        assert client.get("/v1/me", headers={"authorization": f"Bearer {key}"}).status_code == 200
        other = open_engine(own_workspace.database)
        with other.begin() as connection:
            revoke_key(connection, TESTER, "crm", at=5)
        other.dispose()
        assert client.get("/v1/me", headers={"authorization": f"Bearer {key}"}).status_code == 401


def test_a_rotated_key_goes_on_for_the_overlap_and_no_longer(own_workspace):
    old = a_key(own_workspace, "read", name="crm")
    engine = open_engine(own_workspace.database)
    with engine.begin() as connection:
        made, new, _ = rotate_key(connection, TESTER, "crm", at=NOW, expires_at=FAR_AHEAD, overlap=100)
    engine.dispose()
    with visit(own_workspace) as client:
        answers = []
        for client.app.state.now in (lambda: NOW + 99, lambda: NOW + 100):
            keys = ({"authorization": f"Bearer {key}"} for key in (old, new))
            answers.append([client.get("/v1/me", headers=key).status_code for key in keys])
    assert made.scopes == ("read",)
    assert answers == [[200, 200], [401, 200]]


def test_the_day_a_key_was_used_last_is_kept(own_workspace, signed):
    with visit(own_workspace) as client:
        client.app.state.now = lambda: NOW
        assert client.get("/v1/keys", headers=signed).json()["keys"][0]["last_used_on"] == "2023-11-14"


def test_keys_are_made_shown_once_and_revoked_by_an_administrator(own_workspace, signed):
    with visit(own_workspace) as client:
        made = client.post("/v1/keys", headers=signed, json={"name": "crm2", "scopes": ["read"]})
        assert made.status_code == 201
        bearer = {"authorization": f"Bearer {made.json()['key']}"}
        assert client.get("/v1/me", headers=bearer).json()["scopes"] == ["read"]
        assert made.json()["key"] not in client.get("/v1/keys", headers=signed).text
        path = f"/v1/keys/{made.json()['key_id']}"
        turned = client.post(f"{path}/rotate", headers=signed, json={"overlap_hours": 0}).json()
        assert client.get("/v1/me", headers=bearer).status_code == 401
        assert client.post(f"{path}/revoke", headers=signed).json()["standing"] == "revoked"
        assert client.get("/v1/me", headers={"authorization": f"Bearer {turned['key']}"}).status_code == 200
        assert client.post("/v1/keys/crm2/revoke", headers=signed).status_code == 404


def test_people_are_added_changed_and_removed_by_an_administrator(own_workspace, signed):
    with visit(own_workspace) as client:
        wanted = {"name": "Ann", "role": "agent", "password": "correct horse battery"}
        assert client.post("/v1/people", headers=signed, json=wanted).json()["name"] == "ann"
        assert client.post("/v1/people", headers=signed, json=wanted).status_code == 400
        assert client.put("/v1/people/ann/role", headers=signed, json={"role": "analyst"}).json()["role"] == "analyst"
        short = client.put("/v1/people/ann/password", headers=signed, json={"password": "hunter2"})
        assert (short.status_code, "hunter2" in short.text) == (400, False)
        long = client.put("/v1/people/ann/password", headers=signed, json={"password": "secret" * 200})
        assert (long.status_code, "secretsecret" in long.text) == (422, False)
        assert client.delete("/v1/people/ann", headers=signed).status_code == 200
        assert client.get("/v1/people", headers=signed).json() == {"people": []}
        assert client.delete("/v1/people/ann", headers=signed).status_code == 404


def test_the_audit_log_names_who_did_what_and_holds_no_secret(own_workspace, signed):
    with visit(own_workspace) as client:
        made = client.post("/v1/keys", headers=signed, json={"name": "crm2", "scopes": ["read"]}).json()
        told = client.get("/v1/audit?after=1&limit=1", headers=signed)
        last = told.json()["entries"][0]
        assert (last["what"], last["about"]["name"]) == ("key.created", "crm2")
        assert last["name"].startswith("crm (ck_")
        assert made["key"].rpartition("_")[2] not in told.text
        assert client.get("/v1/audit?limit=1", headers=signed).json()["next_after"] == 1


def test_the_description_says_which_scope_each_route_needs_and_how_it_refuses(client):
    schema = client.get("/v1/openapi.json").json()
    route = schema["paths"]["/v1/keys"]["post"]
    assert (route["x-scope"], route["security"]) == ("admin", [{"key": []}])
    assert {"401", "403", "413", "422"} <= set(route["responses"])
    assert schema["paths"]["/healthz"]["get"]["security"] == []
    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


def test_a_list_that_is_taken_away_as_a_file_leaves_an_entry(own_workspace, signed):
    with visit(own_workspace, headers=signed) as client:
        assert client.get("/v1/at-risk?format=csv").status_code == 200
        last = client.get("/v1/audit").json()["entries"][-1]
    assert last["what"] == "list.exported"
    assert (last["about"]["list"], last["about"]["format"]) == ("at-risk", "csv")
