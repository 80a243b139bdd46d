"""A workspace in which one marked customer was put everywhere the service and the verbs can put one."""

import gzip
import io
import json
import os
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
from sample_run import ask, bodies, fill, record
from sqlalchemy import insert, update

from churnml.database import Catalogue, Ledger, Outcome, Reservation, assignment_id, jobs, outbox
from churnml.database.fresh import refresh
from churnml.database.tables_push import endpoints, messages
from churnml.events import keeping
from churnml.modeling.comparison import Difference
from churnml.scoring.skew import ScoreSkew, Skew
from churnml.service.jobs import paths
from churnml.service.pages.reports.skew import skew_report_page
from churnml.verbs.check_report import skew_page
from command import churnml
from erased import EMAIL, NAME, NOTE, PHONE, WHO
from small import NOW, Tiny

LATER = NOW + 86_400_000_000
EXPORTS = (
    "book.csv",
    "list.csv",
    "list.csv.gz",
    "list.jsonl",
    "list.parquet",
    "list.xlsx",
    "packed.zip",
    "mail.csv",
    "list.hyper",
)
REPORTS = ("landing.html", "landing.json", "landing.rows.jsonl", "skew.html", "skew.json", "skew.md")
CUSTOMERS = (
    f"customer_id,occurred_at,display_name,phone,email\nann,2020-01-01,Ann,1,a@b.example\n"
    f"{WHO},2020-01-01,{NAME},{PHONE},{EMAIL}\n"
)
ORDERS = f"customer_id,occurred_at,order_id,amount\nann,2021-08-01,o1,10\n{WHO},2021-08-01,o2,20\n{WHO},soon,o3,4\n"
SURVEYS = (
    "customer_id,occurred_at,survey_id,instrument,scale_min,scale_max,answered_at,score,comment\n"
    f"{WHO},2021-08-02,s1,csat,1,5,2021-08-03,2,{NOTE}\n"
)
CONSENTS = f"customer_id,occurred_at,purpose,channel,granted\n{WHO},2021-08-02,marketing,phone,true\n"
TABLES = {"customers": CUSTOMERS, "orders": ORDERS, "surveys": SURVEYS, "consents": CONSENTS}

TABLES_HOLDING = {
    "arrivals", "assignments", "audit_pseudonyms", "batches", "case_notes", "jobs", "records", "replaced_records",
    "requests", "told_consents", "webhook_customers",
}  # fmt: skip


def plant(folder, server=None):
    """Return a workspace that holds the marked customer everywhere, and one other customer."""
    tiny = Tiny.make(folder, server)
    for table, text in TABLES.items():
        tiny.ingest(table, tiny.file(f"{table}.csv", text))
    run_id = _scored(tiny)
    _assigned(tiny)
    keeping.keep(tiny.workspace, tiny.catalogue, "paths", pa.table({"customer_id": [WHO, "ann"], "stage": ["x", "y"]}))
    with tiny.catalogue.engine.begin() as connection:
        refresh(connection, run_id, [_record(WHO, "2022-01-01T00:00:00+00:00")], (), "2022-01-01T00:00:00+00:00")
    client = ask(tiny.workspace)
    _posted(client)
    _exported(client, tiny.workspace)
    client.app.state.engine.dispose()
    client.app.state.eraser._engine.dispose()  # which nobody starts here, nor stops
    _reported(tiny)
    _worked(tiny)
    _left_behind(tiny.workspace)
    return tiny


def _record(customer, cutoff="2018-01-01T00:00:00+00:00"):
    return record(customer, 1, cutoff=cutoff)


def _scored(tiny):
    with tiny.catalogue.engine.begin() as connection:
        row = {"endpoint_id": "e", "url": "https://x.example", "events": "band.changed customer.erased"}
        about = {"description": "", "created_by": "x", "created_at": 1, "state": "enabled", "secret_version": 1}
        connection.execute(insert(endpoints), row | about)
        outbox.post_bands(connection, {}, [(WHO, "high", "low"), ("ann", "low", "high")], at=1)
    fill(tiny.workspace, [_record(WHO), *bodies()], verb="score")
    return fill(tiny.workspace, [_record(WHO), _record("ann")], now=3)


def _assigned(tiny):
    ledger, catalogue = Ledger(tiny.catalogue.engine), Catalogue(tiny.catalogue.engine)
    ledger.open("spring", 20_000_000, NOW)
    run_id = catalogue.start("assign", "", NOW)
    wanted = Reservation(WHO, "call", "treated", 0.9, "choice", "phone", 5_000_000, LATER, details={"for": NOTE})
    ledger.reserve("spring", run_id, NOW, [wanted], NOW)
    ledger.post([Outcome(assignment_id("spring", WHO), NOW + 1, "carried_out", 2_000_000)], NOW + 1)


def _posted(client):
    """Post through the API, under keys by which requests may be repeated."""
    row = {"customer_id": WHO, "occurred_at": "2021-09-01", "action": "call", "channel": "phone"}
    event = {"customer_id": WHO, "occurred_at": "2021-09-02", "order_id": "o9", "amount": 3}
    consent = {
        "customer_id": WHO,
        "occurred_at": "2021-09-03",
        "purpose": "marketing",
        "channel": "email",
        "granted": False,
    }
    for name, path, body in (
        ("a", "contacts", {"contacts": [row]}),
        ("b", "events", {"table": "orders", "rows": [event]}),
        ("c", "consents", {"consents": [consent]}),
        ("d", "case-notes", {"customer_id": WHO, "text": NOTE}),
    ):
        answer = client.post(f"/v1/{path}", json=body, headers={"Idempotency-Key": name})
        assert answer.status_code in {200, 201}, answer.text
    assert client.get(f"/v1/customers/{WHO}").status_code == 200


def _exported(client, workspace):
    """Write exports into the workspace, as a user does who names no other place."""
    folder = workspace.root / "exports"
    folder.mkdir()
    listed = {kind: client.get(f"/v1/at-risk?format={kind}").content for kind in ("csv", "jsonl", "xlsx")}
    for kind, content in listed.items():
        (folder / f"list.{kind}").write_bytes(content)
    (folder / "book.csv").write_bytes(listed["xlsx"])  # a workbook under another name
    (folder / "list.csv.gz").write_bytes(gzip.compress(listed["csv"]))
    pq.write_table(pa.table({"customer_id": [WHO, "ann"], "frequency": [1.0, 2.0]}), folder / "list.parquet")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.csv", listed["csv"])
    (folder / "packed.zip").write_bytes(packed.getvalue())
    (folder / "mail.csv").write_text(f"Email Address,Risk Band\n{EMAIL},high\na@b.example,low\n", encoding="utf-8")
    (folder / "list.hyper").write_bytes(b"\x00extract " + WHO.encode())


def _reported(tiny):
    """Write reports into the workspace, which name customers as examples."""
    folder = tiny.workspace.root / "reports"
    folder.mkdir()
    broken = tiny.file("broken.csv", f"customer_id,occurred_at,order_id,amount\nann,2021-08-01,o7,{WHO}\n")
    for kind in ("html", "json"):
        said = churnml("ingest", broken, "--table", "orders", "--check", "--report", folder / f"landing.{kind}",
                       "--workspace", tiny.workspace.root)  # fmt: skip
        assert (folder / f"landing.{kind}").exists(), said.err
    far = ScoreSkew("model", 5, 5, {"clv": 1.0}, WHO)
    found = Skew("2020-01-01", 5, 9, 2, 3, (), (Difference("spend_all", 2, WHO, 10.5, 11.0),), far)
    (folder / "skew.html").write_text(skew_report_page(found, {}, "zh"), encoding="utf-8")
    (folder / "skew.md").write_text(skew_page(found), encoding="utf-8")
    (folder / "skew.json").write_text(json.dumps(found.to_json(), ensure_ascii=False), encoding="utf-8")


def _worked(tiny):
    """Keep a job that says more than it should: an option that is an id, its error, and a traceback in its log."""
    tiny.workspace.jobs.mkdir()
    with tiny.catalogue.engine.begin() as connection:
        job, _ = jobs.ask(connection, "assign", {"campaign": WHO}, [f"--campaign={WHO}"], "crm", NOW)
        jobs.end(connection, job.job_id, jobs.End("failed", 1, "internal", f"no such customer '{WHO}'"), NOW)
    log, told = paths(tiny.workspace, job.job_id)
    log.write_text(f"Scoring\nKeyError: {WHO!r}\n", encoding="utf-8")
    told.write_text(json.dumps({"pid": 1, "error": f"KeyError: {WHO!r}"}), encoding="utf-8")


def _left_behind(workspace):
    """Leave what a writer and a restore leave that are killed, hours ago."""
    draft = workspace.root / "exports" / f".list.csv.{'0a' * 16}"
    unpacked = workspace.root.parent / f".{workspace.root.name}.{'0b' * 16}" / "tables"
    unpacked.mkdir(parents=True)
    for path in (draft, unpacked / "orders.csv"):
        path.write_text(f"customer_id\n{WHO}\n", encoding="utf-8")
    for path in (draft, unpacked.parent, unpacked, unpacked / "orders.csv"):
        os.utime(path, (0, 0))


def delivered(tiny):
    """Have every recipient told, after which a message about an erasure is forgotten."""
    with tiny.catalogue.engine.begin() as connection:
        connection.execute(update(messages).where(messages.c.event == "customer.erased").values(body=None))
