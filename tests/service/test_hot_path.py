"""What is answered from ready-made JSON is what the routes answer, byte for byte, and never older than they are."""

import io
import json
import socket

import numpy as np
import pytest
from sample_run import TESTER, a_key, bodies, fill, logging_to, record, visit
from sqlalchemy import update

from churnml.config import LifecycleRules, LoadLimits, ServeConfig
from churnml.database import Catalogue, open_engine
from churnml.database.keys import revoke_key
from churnml.database.records import changed
from churnml.database.tables import records
from churnml.errors import DependencyError
from churnml.events.clock import DAY
from churnml.measures.lifecycle import STAGES
from churnml.measures.lifecycle_history import StageHistory
from churnml.measures.paths import keep_paths
from churnml.service.hot import HotPath, building, keeper
from churnml.service.hot.snapshot import Entry, Snapshot, write
from churnml.service.server import listen
from small import NOW, Tiny

IDS = [one["customer_id"] for one in bodies()]
MANY = "/v1/scores"


def of(workspace, headers=None, *, ready=True):
    """Return a client whose service answers from a snapshot, or has none."""
    client = visit(workspace, headers=headers or bearing(workspace))
    if ready:
        client.app.state.keeper.tend()
    return client


def bearing(workspace, *scopes):
    return {"authorization": f"Bearer {a_key(workspace, *scopes)}", "x-request-id": "the-same"}


def make_known(client):
    for _ in range(2):  # the first notes the day of the key, so the second reads anew what stands
        assert client.get("/v1/customers/1296").status_code == 200


@pytest.fixture
def both(own_workspace):
    """Return a client that is answered from the snapshot and one that never is, both with one key."""
    headers = bearing(own_workspace)
    clients = of(own_workspace, headers), of(own_workspace, headers, ready=False)
    for client in clients:
        make_known(client)
    return clients


@pytest.fixture
def front(own_workspace, monkeypatch):
    """Return a client whose service knows the key, and has nothing behind its front."""
    client = of(own_workspace)
    make_known(client)
    monkeypatch.setattr(HotPath, "__call__", None)
    return client


@pytest.fixture
def short(own_workspace):
    """Return a client whose service has nothing but the snapshot."""
    client = of(own_workspace)
    client.app.state.readings = None
    return client


def told(answer):
    return answer.status_code, answer.content, sorted(answer.headers.items())


def asked(client, how):
    method, url, more = how
    return told(client.request(method, url, **more))


def url_of(customer):
    return "/v1/customers/" + "".join(f"%{byte:02X}" for byte in customer.encode())


def test_it_answers_without_the_application(short):
    assert [short.get(url_of(one)).json()["customer_id"] for one in IDS] == IDS
    assert len(short.post(MANY, json={"customer_ids": IDS}).json()["records"]) == len(IDS)


def test_one_that_is_ready_for_a_key_that_is_known_is_answered_in_front_of_all_the_rest(front):
    assert [front.get(url_of(one)).json()["customer_id"] for one in IDS] == IDS
    assert len(front.get("/v1/customers/1296", headers={"x-request-id": "<b>"}).headers["x-request-id"]) == 32


def test_a_request_with_a_body_is_none_that_the_front_answers(both):
    fast, plain = both
    how = ("GET", "/v1/customers/1296", {"content": b"{}"})
    assert asked(fast, how) == asked(plain, how)


def test_it_is_counted_and_told_to_the_log_as_by_the_route(both):
    stream = io.StringIO()
    with logging_to(stream):
        for client in both:
            client.get("/v1/customers/1296")
            client.get("/v1/customers/1296", headers={"if-none-match": "*"})
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    fast, plain = ([{**one, "ms": 0, "timestamp": 0} for one in half] for half in (lines[:2], lines[2:]))
    assert fast == plain
    assert [list(one) for one in lines[:2]] == [list(one) for one in lines[2:]]
    counts = [client.app.state.metrics.told().decode() for client in both]
    named = 'churnml_request_seconds_count{method="GET",route="/v1/customers/{customer_id:path}",status="%d"} %d.0'
    assert all(named % (200, 3) in told_of and named % (304, 1) in told_of for told_of in counts)


def test_every_record_is_told_as_by_the_route(both):
    fast, plain = both
    assert [told(fast.get(url_of(one))) for one in IDS] == [told(plain.get(url_of(one))) for one in IDS]


@pytest.mark.parametrize(
    "how",
    [
        ("GET", "/v1/customers/nobody", {}),
        ("GET", "/v1/customers/", {}),
        ("GET", "/v1/customers/1296?fields=clv", {}),
        ("GET", "/v1/customers/1296?fields=clvv", {}),
        ("HEAD", "/v1/customers/1296", {}),
        ("GET", "/v1/customers/1296", {"headers": {"if-none-match": "*"}}),
        ("GET", "/v1/customers/1296", {"headers": {"if-none-match": '"other", W/"another"'}}),
        ("GET", "/v1/customers/1296", {"headers": {"authorization": "Bearer ck_none"}}),
        ("GET", "/v1/customers/1296", {"headers": {"host": "elsewhere.example"}}),
        ("GET", "/v1/customers/1296", {"headers": {f"x-{n}": "" for n in range(100)}}),
        ("POST", MANY, {"json": {"customer_ids": [*IDS, "nobody", "客", *IDS[:3], 'quo"te']}}),
        ("POST", MANY, {"json": {"customer_ids": [f"nobody-{n}" for n in range(500)]}}),
        ("POST", MANY, {"json": {"customer_ids": [f"nobody-{n}" for n in range(501)]}}),
        ("POST", MANY, {"json": {"customer_ids": []}}),
        ("POST", MANY, {"json": {"customer_ids": ["x" * 256, "y" * 257]}}),
        ("POST", MANY, {"json": {"customer_ids": ["1296", 1296]}}),
        ("POST", MANY, {"json": {"customer_ids": ["1296"], "more": 1}}),
        ("POST", MANY, {"content": b'{"customer_ids": ["\\ud800"]}', "headers": {"content-type": "application/json"}}),
        ("POST", MANY, {"content": b'{"customer_ids": ["1296"', "headers": {"content-type": "application/json"}}),
        ("POST", MANY, {"content": b'{"customer_ids": ["1296"]}', "headers": {"content-type": "text/plain"}}),
        ("POST", MANY, {"content": b"[" * 50_000, "headers": {"content-type": "application/json"}}),
        ("POST", MANY + "?x=1", {"json": {"customer_ids": ["1296"]}}),
    ],
)
def test_whatever_is_asked_is_answered_as_by_the_route(both, how):
    fast, plain = both
    assert asked(fast, how) == asked(plain, how)


def test_what_the_caller_holds_is_not_sent_again(both):
    fast, plain = both
    tag = fast.get("/v1/customers/1296").headers["etag"]
    how = ("GET", "/v1/customers/1296", {"headers": {"if-none-match": f"W/{tag}"}})
    assert asked(fast, how) == asked(plain, how)
    assert asked(fast, how)[0] == 304


def test_a_key_that_may_not_read_is_refused_as_by_the_route(own_workspace):
    headers = bearing(own_workspace, "write")
    fast, plain = of(own_workspace, headers), of(own_workspace, headers, ready=False)
    assert told(fast.get("/v1/customers/1296")) == told(plain.get("/v1/customers/1296"))
    assert fast.get("/v1/customers/1296").status_code == 403


def test_a_revoked_key_is_refused_from_the_next_request_on(short, own_workspace):
    assert short.get("/v1/customers/1296").status_code == 200
    engine = open_engine(own_workspace.database)
    with engine.begin() as connection:
        revoke_key(connection, TESTER, "crm", at=2)
    engine.dispose()
    assert short.get("/v1/customers/1296").status_code == 401


def test_no_request_is_told_to_whoever_collects_traces(both, monkeypatch):
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", None)
    assert both[1].get("/v1/customers/1296").status_code == 200


def test_a_key_is_refused_once_it_has_expired(own_workspace):
    short = of(own_workspace, {"authorization": f"Bearer {a_key(own_workspace, expires_at=5 * DAY)}"})
    short.app.state.now = lambda: 5 * DAY - 1
    assert short.get("/v1/customers/1296").status_code == 200
    short.app.state.now = lambda: 5 * DAY
    assert short.get("/v1/customers/1296").status_code == 401


def test_the_day_of_a_key_is_noted_once_a_day(short, own_workspace):
    catalogue = Catalogue(open_engine(own_workspace.database))
    for day in (700, 700, 701):
        short.app.state.now = lambda day=day: day * DAY
        assert short.get("/v1/customers/1296").status_code == 200
        with catalogue.engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT last_used FROM keys").scalar() == day
    catalogue.engine.dispose()


def test_who_asks_too_often_is_told_so_as_by_the_route(own_workspace):
    settings = ServeConfig(limits=LoadLimits(per_key_per_second=0.001, per_key_burst=2))
    headers = bearing(own_workspace)
    clients = [visit(own_workspace, headers=headers, settings=settings) for _ in range(2)]
    clients[0].app.state.keeper.tend()
    answers = [[told(client.get("/v1/customers/1296")) for _ in range(3)] for client in clients]
    assert [status for status, _, _ in answers[0]] == [200, 200, 429]
    assert answers[0] == answers[1]


def test_the_log_names_the_route_and_the_key_and_not_the_customer(short, caplog):
    with caplog.at_level("INFO"):
        short.get("/v1/customers/1296")
        short.post(MANY, json={"customer_ids": ["1296"]})
    told_of = [one.told for one in caplog.records if one.getMessage() == "request"]
    assert [one["route"] for one in told_of] == ["/v1/customers/{customer_id:path}", MANY]
    assert {one["caller"] for one in told_of} == {"key"}


def refuse(client, customer):
    row = {"customer_id": customer, "purpose": "profiling", "granted": False, "occurred_at": "2018-01-02T00:00:00Z"}
    assert client.post("/v1/consents", json={"consents": [row]}).status_code == 200


def test_a_refusal_holds_from_its_acknowledgement_and_in_the_next_snapshot(both):
    fast, plain = both
    refuse(plain, "1296")
    assert fast.get("/v1/customers/1296").json()["rung"] == "no_profiling"
    fast.app.state.keeper.tend()
    hows = [("GET", "/v1/customers/1296", {}), ("POST", MANY, {"json": {"customer_ids": ["1296", "1333"]}})]
    assert [asked(fast, how) for how in hows] == [asked(plain, how) for how in hows]


def test_a_record_that_was_made_anew_is_told_from_the_next_request_on(both, own_workspace):
    fast, _ = both
    before = fast.get("/v1/customers/1296").content
    engine = open_engine(own_workspace.database)
    with engine.begin() as connection:
        connection.execute(update(records).where(records.c.customer_id == "1296").values(body='{"new":1e-05}'))
        changed(connection)
    engine.dispose()
    assert fast.get("/v1/customers/1296").content == b'{"new":1e-05,"lifecycle_path":[]}' != before


def test_a_new_run_is_told_from_the_next_request_on_and_then_made_ready(short, both, own_workspace):
    run_id = fill(own_workspace, [record("1296", 1)], now=10)
    fast, _ = both
    assert fast.get("/v1/customers/1296").json()["run_id"] == run_id
    short.app.state.keeper.tend()
    assert short.get("/v1/customers/1296").json()["run_id"] == run_id
    assert [path.name for path in own_workspace.hot.iterdir()] == [f"{run_id}-0-none.records"]


def test_of_several_processes_one_makes_the_snapshot(own_workspace, monkeypatch):
    of(own_workspace)
    monkeypatch.setattr(keeper, "build", None)
    short = of(own_workspace)
    short.app.state.readings = None
    assert short.get("/v1/customers/1296").status_code == 200


def test_changes_all_day_are_no_reason_to_make_it_anew_all_day(both):
    fast, plain = both
    refuse(plain, "1296")
    made = fast.app.state.keeper
    made._made = (made._made[0], made._made[1], 60.0)
    made.tend()
    assert not made.snapshot(building.standing_of(made._workspace, made._records))


def test_one_that_was_overtaken_while_it_was_made_is_thrown_away(own_workspace, monkeypatch):
    engine, before = open_engine(own_workspace.database), building.standing_of
    answers = iter([before(own_workspace, building.Records(engine)), None])
    monkeypatch.setattr(building, "standing_of", lambda *_: next(answers))
    assert building.build(own_workspace, engine) is None
    assert list(own_workspace.hot.iterdir()) == []
    engine.dispose()


def test_erasure_removes_every_snapshot_and_what_a_killed_process_left(own_workspace):
    of(own_workspace)
    (own_workspace.hot / ".run-0-none.records.0123").write_text("1296")
    assert own_workspace.forget_ready_made() == 2
    assert list(own_workspace.hot.iterdir()) == []
    assert own_workspace.forget_ready_made() == 0


def test_one_that_is_not_whole_is_removed_and_made_anew(own_workspace):
    client = of(own_workspace)
    (path,) = own_workspace.hot.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    client.app.state.keeper._open = None
    with pytest.raises(DependencyError, match="must be a whole snapshot"):
        client.app.state.keeper.tend()
    assert not path.exists()


@pytest.mark.long
def test_many_records_are_made_ready_in_a_process_of_their_own(own_workspace, monkeypatch):
    monkeypatch.setattr(keeper, "_FEW", 1)
    monkeypatch.setattr(keeper, "build", None)
    short = of(own_workspace)
    short.app.state.readings = None
    assert short.get("/v1/customers/1296").status_code == 200


def test_it_is_made_by_itself_while_the_service_runs(own_workspace):
    with visit(own_workspace, headers=bearing(own_workspace)) as client:
        client.get("/v1/customers/1296")
        made = client.app.state.keeper
        for _ in range(100):
            made._told_to_stop.wait(0.05)
            if made.snapshot(building.standing_of(own_workspace, made._records)):
                break
        client.app.state.readings = None
        assert client.get("/v1/customers/1296").status_code == 200


def test_the_path_through_the_stages_is_told_as_by_the_route(tmp_path):
    shop = Tiny.make(tmp_path)
    shop.land(customers="customer_id occurred_at\nann 2017-08-01\nbob 2017-08-01\ncid 2017-08-01")
    fill(shop.workspace, [record(one, 5) for one in ("ann", "bob", "cid")])
    headers = bearing(shop.workspace)
    fast, plain = of(shop.workspace, headers), of(shop.workspace, headers, ready=False)
    codes = np.array([[1, 2], [3, 3], [3, 4]], dtype=np.int8)
    told_of = StageHistory(np.array(["ann", "cid"], dtype=object), (NOW - 60 * DAY, NOW - 30 * DAY, NOW), codes, 0)
    keep_paths(shop.workspace, shop.catalogue, told_of, "UTC", 90, LifecycleRules(), "orders", NOW)
    shop.catalogue.finish(shop.catalogue.start("lifecycle", "", 1), 2, {})
    for _ in range(2):  # while the snapshot is void, and from the new one
        hows = [("GET", f"/v1/customers/{one}", {}) for one in ("ann", "bob", "cid")]
        assert [asked(fast, how) for how in hows] == [asked(plain, how) for how in hows]
        assert fast.get("/v1/customers/cid").json()["lifecycle_path"][-1]["stage"] == list(STAGES)[4]
        fast.app.state.keeper.tend()
    shop.catalogue.engine.dispose()


def test_no_id_is_taken_for_another(tmp_path):
    many = [f"c{n}" for n in range(20_000)]
    write(tmp_path / "s", (Entry(one, f'{{"id":"{one}"}}'.encode(), b',"more":1}', "0" * 32) for one in many))
    found = Snapshot(tmp_path / "s")
    assert found.count == len(many)
    assert list(found.bare(many)) == [f'{{"id":"{one}"'.encode() for one in many]
    assert found.find("c7") == (b'{"id":"c7","more":1}', b"0" * 32)
    assert list(found.bare(f"d{n}" for n in range(20_000))) == [None] * 20_000


def test_a_snapshot_of_nobody_answers_nothing(tmp_path):
    write(tmp_path / "s", ())
    assert Snapshot(tmp_path / "s").find("anyone") is None


def test_the_socket_is_known_for_tcp_so_that_no_answer_waits_for_the_next(own_workspace):
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP  # by which asyncio turns Nagle's algorithm off
