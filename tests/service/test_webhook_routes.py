"""Webhooks as an administrator meets them, and as docs/webhooks.md tells them."""

import json
import re
import time
from pathlib import Path

import pytest
from sample_run import ask, bodies, fill, record

from callers import TESTER, a_key
from churnml.config import ServeConfig
from churnml.database import Catalogue, Ledger, deliveries, endpoints, open_engine, outbox
from churnml.database.audit import entries
from churnml.database.outbox import EVENTS
from churnml.database.secret import VARIABLE
from churnml.database.tables_push import deliveries as table
from churnml.service.api import webhooks
from ledgers import A_CALL, CUTOFF, some
from receivers import receiving

DOCS = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
ADDRESS = {"url": "http://localhost:9/hook", "events": ["list.ready"]}
SETTINGS = ServeConfig(land_every_seconds=3600, webhook_allowed_hosts=["localhost"])


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv(VARIABLE, "a secret of more than thirty-two characters")


@pytest.fixture
def client(own_workspace):
    with ask(own_workspace, settings=SETTINGS) as opened:
        yield opened


@pytest.fixture
def made(client):
    told = client.post("/v1/webhooks", json=ADDRESS)
    assert told.status_code == 201, told.text
    return webhooks.NewWebhook.model_validate(told.json())


def what_was_done(client):
    with client.app.state.engine.connect() as connection:
        return [one.what for one in entries(connection) if one.what.startswith("webhook.")]


def test_a_webhook_is_made_tried_and_delivered_to_within_seconds_and_verifies(client):
    with receiving() as receiver:
        made = client.post("/v1/webhooks", json=ADDRESS | {"url": receiver.url}).json()
        number = client.post(f"/v1/webhooks/{made['endpoint_id']}/test").json()["delivery_id"]
        until = time.monotonic() + 20
        while time.monotonic() < until:
            (one,) = client.get(f"/v1/webhooks/{made['endpoint_id']}/deliveries").json()["items"]
            if one["state"] == "delivered":
                break
            time.sleep(0.05)
        assert (webhooks.Delivery.model_validate(one).delivery_id, one["status"]) == (number, 204)
        assert receiver.verified(made["secret"])[0]["type"] == "webhook.test"


def test_the_secret_is_told_once_and_kept_nowhere(client, made, own_workspace):
    assert client.get(f"/v1/webhooks/{made.endpoint_id}").json().keys() == set(webhooks.Webhook.model_fields)
    assert [one.endpoint_id for one in webhooks.Webhooks.model_validate(client.get("/v1/webhooks").json()).items] == [
        made.endpoint_id
    ]
    kept = b"".join(path.read_bytes() for path in own_workspace.root.glob("churnml.db*"))
    assert made.endpoint_id.encode() in kept
    assert made.secret.removeprefix("whsec_").encode() not in kept


def test_where_the_deployment_has_no_secret_no_webhook_is_made(client, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    told = client.post("/v1/webhooks", json=ADDRESS)
    assert (told.status_code, told.json()["code"]) == (503, "not_set_up")
    assert f"`{VARIABLE}` must hold at least 32 random characters, found none" in told.json()["detail"]
    assert client.get("/v1/webhooks").json() == {"items": []}


@pytest.mark.parametrize(
    "changes, status, said",
    [
        ({"url": "https://127.0.0.1/hook"}, 400, "must lead to public addresses alone"),
        ({"url": "http://example.com/hook"}, 400, "must begin with https://"),
        ({"events": []}, 422, "`events` must hold at least 1"),
        ({"events": ["list.redy"]}, 422, "`events.0` must be"),
        ({"colour": "red"}, 422, "unknown field `colour`"),
        ({"url": "https://example.com/" + "x" * 2_000}, 422, "`url` must"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_in_words(client, made, changes, status, said):
    for told in (
        client.post("/v1/webhooks", json=ADDRESS | changes),
        client.patch(f"/v1/webhooks/{made.endpoint_id}", json=changes),
    ):
        assert (told.status_code, said in told.json()["detail"]) == (status, True), told.text


def test_rotated_a_webhook_has_another_secret(client, made):
    told = client.post(f"/v1/webhooks/{made.endpoint_id}/rotate").json()
    assert (told["secret_version"], told["secret"] == made.secret) == (2, False)


def test_a_webhook_is_changed_disabled_and_removed_each_with_an_audit_entry(client, made):
    here = f"/v1/webhooks/{made.endpoint_id}"
    told = client.patch(here, json={"events": ["customer.erased"], "state": "disabled"}).json()
    assert (told["events"], told["state"], told["why"]) == (["customer.erased"], "disabled", "by_hand")
    assert client.patch(here, json={"state": "enabled"}).json()["why"] is None
    client.post(f"{here}/rotate")
    client.post(f"{here}/test")
    assert client.delete(here).json()["endpoint_id"] == made.endpoint_id
    assert client.get(here).status_code == 404
    assert what_was_done(client) == [
        f"webhook.{word}" for word in ("created", "changed", "changed", "rotated", "tested", "removed")
    ]


def test_under_an_idempotency_key_a_webhook_is_tried_once(client, made):
    here = f"/v1/webhooks/{made.endpoint_id}"
    first, again = (client.post(f"{here}/test", headers={"idempotency-key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code, again.text) == (202, 202, first.text)
    assert len(client.get(f"{here}/deliveries").json()["items"]) == 1


def test_deliveries_are_walked_from_the_latest_each_once(client, made):
    here = f"/v1/webhooks/{made.endpoint_id}"
    numbers = [client.post(f"{here}/test").json()["delivery_id"] for _ in range(5)]
    seen, before = [], ""
    while before is not None:
        page = webhooks.Deliveries.model_validate(client.get(f"{here}/deliveries?limit=2{before}").json())
        seen += [one.delivery_id for one in page.items]
        before = None if page.next_before is None else f"&before={page.next_before}"
    assert seen == numbers[::-1]


def test_what_failed_is_sent_again_from_the_beginning_and_what_is_forgotten_is_not(client, made):
    here = f"/v1/webhooks/{made.endpoint_id}"
    with client.app.state.engine.begin() as connection:
        endpoints.change(connection, TESTER, made.endpoint_id, state="disabled", events=["customer.erased"], at=2)
        number = endpoints.try_out(connection, TESTER, made.endpoint_id, at=2)
        connection.execute(table.update().values(state="failed", attempts=10, settled_at=3))
    told = client.post(f"{here}/deliveries/{number}/resend").json()
    assert (told["state"], told["attempts"], told["settled_at"]) == ("waiting", 0, None)
    assert client.post(f"{here}/deliveries/{number + 1}/resend").json()["code"] == "not_found"
    with client.app.state.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE webhook_messages SET body = NULL")
    assert client.post(f"{here}/deliveries/{number}/resend").json()["code"] == "gone"


@pytest.mark.parametrize("way", ["", "/rotate", "/test", "/deliveries/1/resend", "/deliveries"])
def test_a_webhook_that_there_is_not_is_said(client, way):
    ask_for = client.get if way in ("", "/deliveries") else client.post
    told = ask_for(f"/v1/webhooks/nobody{way}")
    assert (told.status_code, told.json()["detail"]) == (
        404,
        "there is no webhook `nobody`; GET /v1/webhooks lists them",
    )


def test_none_but_administrators_may_see_or_make_webhooks(client, own_workspace):
    headers = {"authorization": f"Bearer {a_key(own_workspace, 'read', 'write', 'operate', name='less')}"}
    for told in (client.get("/v1/webhooks", headers=headers), client.post("/v1/webhooks", json={}, headers=headers)):
        assert told.status_code == 403


def shown():
    """Return the payload that the docs show for each event."""
    told = [json.loads(one) for one in re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)]
    return {one["type"]: one for one in told}


def shape(value):
    """Return the names in a payload, without what stands under them; bands are counted by their own names."""
    if isinstance(value, dict):
        return {name: shape(under) for name, under in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else ...


def test_each_event_is_told_as_the_docs_show_it(own_workspace):
    engine = open_engine(own_workspace.database)
    with engine.begin() as connection:
        mine = endpoints.create(connection, TESTER, "https://crm.example.com/", EVENTS, at=1).endpoint_id
        endpoints.try_out(connection, TESTER, mine, at=1)
        outbox.post(connection, "model.promoted", {"model_version": "b", "before": "a", "back": False}, at=1)
        outbox.post(connection, "customer.erased", {"customer_id": "1296", "erasure_id": "er_1"}, at=1)
    ledger = Ledger(engine)
    ledger.open("spring", 10**9, 1)
    catalogue = Catalogue(engine)
    run_id = catalogue.start("assign", "inputs", 3)
    ledger.reserve("spring", run_id, CUTOFF, some(1, like=A_CALL), 3)
    catalogue.finish(run_id, 4, {"campaign": "spring", "customers": 1, "population": 1, "bands": BANDS})
    fill(own_workspace, bodies(), "score", 5)
    fill(own_workspace, [record("1296", 8, risk_band="low")], "score", 6)
    told = {}
    with engine.begin() as connection:
        (turn,) = deliveries.take_turns(connection, 10, 1)
        while due := deliveries.next_due(connection, turn, 10):
            told.setdefault((body := json.loads(due[1].body))["type"], body)
            deliveries.settle(connection, mine, due[1], deliveries.Attempt(204, None), 10, worker=TESTER)
    engine.dispose()
    assert {name: shape(one) for name, one in told.items()} == {name: shape(one) for name, one in shown().items()}


BANDS = {"high": 1, "medium": 0, "low": 0}


def test_the_receiver_of_the_docs_takes_what_is_ours_and_refuses_what_is_not(client):
    (code,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    given = {}
    exec(code, given)  # noqa: S102
    with receiving() as receiver:
        made = client.post("/v1/webhooks", json=ADDRESS | {"url": receiver.url}).json()
        client.post(f"/v1/webhooks/{made['endpoint_id']}/test")
        until = time.monotonic() + 20
        while not receiver.got and time.monotonic() < until:
            time.sleep(0.05)
        ((headers, body),) = receiver.got
    assert given["verified"](made["secret"], headers, body)["type"] == "webhook.test"
    for wrong in (
        (made["secret"], headers, body + b" "),
        ("whsec_" + "A" * 43 + "=", headers, body),
        (made["secret"], headers | {"webhook-timestamp": "1700000000"}, body),
    ):
        with pytest.raises(ValueError, match=r"signed|older"):
            given["verified"](*wrong)


def test_every_event_is_in_the_docs_and_in_the_api(client):
    assert set(shown()) == {*EVENTS, outbox.TEST}
    described = client.get("/v1/openapi.json").json()["components"]["schemas"]["WebhookWanted"]
    assert described["properties"]["events"]["items"]["enum"] == [*EVENTS]
