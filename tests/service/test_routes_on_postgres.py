"""The main routes over HTTP, on a real PostgreSQL."""

import time

import pytest
from sample_campaigns import measured
from sample_run import ask, bodies, fill, walk

from churnml.config import ServeConfig
from churnml.database import Catalogue, Ledger, Workspace
from churnml.database.server import VARIABLE
from erased import SECRET, rows_with

ROW = {"customer_id": "1296", "occurred_at": "2018-01-02"}
WRITTEN = {
    "/v1/contacts": {"contacts": [ROW | {"action": "call", "channel": "phone"}]},
    "/v1/consents": {"consents": [ROW | {"purpose": "marketing", "granted": False}]},
    "/v1/outcomes": {"outcomes": [ROW | {"campaign": "spring", "kind": "carried_out"}]},
    "/v1/events": {"table": "customers", "rows": [ROW]},
    "/v1/cases": {"customer_ids": ["1296", "客户 7"], "owner": "li"},
    "/v1/case-notes": {"customer_id": "1296", "text": "好"},
    "/v1/scores": {"customer_ids": ["1296", "客户 7", "nobody"]},
    "/v1/keys": {"name": "crm2", "scopes": ["read"]},
}
READ = (
    "/v1/customers/1296", "/v1/at-risk?sort=clv&order=asc", "/v1/at-risk?format=csv", "/v1/prospects", "/v1/cases",
    "/v1/cases/1296", "/v1/case-history?customer_id=1296", "/v1/case-notes?customer_id=1296", "/v1/runs", "/v1/models",
    "/v1/campaigns", "/v1/keys", "/v1/people", "/v1/audit", "/v1/me", "/readyz",
)  # fmt: skip


@pytest.fixture(scope="module")
def client(postgres, tmp_path_factory):
    """A client of a service whose database is on a server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHURNML_SECRET", SECRET)
        patch.setenv(VARIABLE, postgres.new_database().render_as_string(hide_password=False))
        workspace = Workspace.open(tmp_path_factory.mktemp("on server"), create=True)
        fill(workspace, bodies())
        with ask(workspace, settings=ServeConfig(land_every_seconds=3600)) as opened:
            assert opened.app.state.engine.dialect.name == "postgresql"
            yield opened


def test_what_is_written_is_kept_and_what_is_read_is_told(client):
    for path, body in WRITTEN.items():
        first, again = (client.post(path, json=body, headers={"idempotency-key": f"once{path}"}) for _ in range(2))
        assert first.status_code in {200, 201}, (path, first.text)
        assert path in {"/v1/scores", "/v1/keys"} or again.headers["idempotency-replayed"] == "true"
    assert {path: told for path in READ if (told := client.get(path).status_code) != 200} == {}


def test_a_campaign_is_told_with_what_was_measured_of_it(client):
    engine = client.app.state.engine
    Ledger(engine).open("may", 10_000_000, 1)
    catalogue = Catalogue(engine)
    catalogue.finish(catalogue.start("measure", "inputs", 1), 2, measured("may"))
    assert client.get("/v1/campaigns/may").json()["effect"]["closed"] == 120


def test_the_list_meets_everyone_once_in_order(client):
    met = [one["value_at_risk"] for one in walk(client, limit=7)]
    assert len(met) == 67
    assert met == sorted(met, reverse=True)


@pytest.mark.parametrize(
    "address, rows, following",
    [
        ("cases", "items", "cursor"),
        ("runs", "items", "cursor"),
        ("prospects", "items", "cursor"),
        ("audit", "entries", "after"),
        ("case-notes?customer_id=1296", "items", "before"),
    ],
)
def test_pages_of_one_hold_each_row_of_a_list_once_and_in_its_order(client, address, rows, following):
    client.post("/v1/cases", json={"customer_ids": ["1296", "客户 7", "1333"], "owner": "li"})
    client.post("/v1/case-notes", json={"customer_id": "1296", "text": "Asked us to call back."})
    separator = "&" if "?" in address else "?"
    whole = client.get(f"/v1/{address}{separator}limit=100").json()[rows]
    met, since = [], ""
    while since is not None:
        page = client.get(f"/v1/{address}{separator}limit=1" + (f"&{following}={since}" if since else "")).json()
        met, since = met + page[rows], page[f"next_{following}"]
    assert met == whole
    assert len(whole) > 1 or address == "runs"


@pytest.mark.parametrize("path", ["/v1/customers/%00", "/v1/at-risk?owner=%00", "/v1/cases/a%00b"])
def test_what_the_database_cannot_hold_is_refused_before_it_is_asked(client, path):
    assert client.get(path).status_code == 400


def test_of_who_is_erased_no_row_of_any_table_tells(client):
    engine = client.app.state.engine
    assert {"records", "cases"} <= set(rows_with(engine, "客户 7"))
    asked = client.post("/v1/erasures", json={"customer_ids": ["客户 7"]}).json()["erasure_id"]
    for _ in range(200):
        if client.get(f"/v1/erasures/{asked}").json()["state"] == "done":
            break
        time.sleep(0.05)
    assert rows_with(engine, "客户 7") == []
