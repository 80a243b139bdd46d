"""How it stands with the data: told by the API and shown on the page, each landing with its report and its rows."""

import pytest
from sample_ingest import landed, table
from sample_run import ask, bodies, fill
from sqlalchemy import insert, select

from churnml.database import Catalogue, Part, open_engine
from churnml.database.tables_access import audit_entries
from churnml.database.tables_arrivals import arrivals
from churnml.events import quarantine
from churnml.events.clock import DAY
from churnml.service.api.data_health import DataHealthShape
from new_database import new_workspace

NOW = 1_514_764_800_000_000
BROKEN = {"column": "amount", "rule": "must be a number", "remedy": "write it with digits and a point"}
SAYS = {
    "verdict": "look", "reasons": ["nothing landed for 9 days", "<b>odd</b>"], "model_version": "9b1d",
    "now": "2018-01-01",
}  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Orders that landed daily until nine days ago; contacts that landed once; rows that wait or were refused."""
    made = new_workspace(tmp_path_factory.mktemp("health"))
    fill(made, bodies())
    engine = open_engine(made.database)
    catalogue = Catalogue(engine)
    for number in range(1, 8):
        land(catalogue, number, NOW - (16 - number) * DAY, "orders")
    land(catalogue, 8, NOW - DAY, "contacts", landed(time_zone="UTC"))
    catalogue.finish(catalogue.start("monitor", "inputs", NOW - DAY), NOW - DAY, SAYS)
    with engine.begin() as connection:
        connection.execute(insert(arrivals), [arrival(0, "waiting"), arrival(1, "refused"), arrival(2, "refused")])
    quarantine.file_of(made, 8).write_text('{"row": 1}\n', encoding="utf-8")
    engine.dispose()
    return made


def land(catalogue, number, at, name, report=None):
    report = report or {"tables": [table(name, f"{name}.csv", 5, 5)], "time_zone": "UTC"}
    catalogue.land(number, at, [Part(number, name, f"{name}-{number}", 5, at - DAY, at, 0, "x")], report, [])


def arrival(place, state):
    row = {"batch": "b", "place": place, "table_name": "orders", "customer_id": "c", "brought_by": "crm"}
    return row | {"state": state, "problem": BROKEN if state == "refused" else None, "arrived_at": NOW - DAY + place}


@pytest.fixture(scope="module")
def client(workspace):
    with ask(workspace) as opened:
        opened.app.state.now = lambda: NOW
        yield opened


@pytest.fixture(scope="module")
def health(client):
    return DataHealthShape.model_validate(client.get("/v1/data/health").json())


def test_a_table_is_late_once_it_waits_for_longer_than_it_did_lately_and_of_few_landings_that_is_not_said(health):
    found = {one.table: (one.age_days, one.usual_days, one.late) for one in health.tables}
    assert found == {"orders": (9, 1, True), "contacts": (1, None, False)}


def test_landings_are_told_the_latest_first_with_what_was_set_aside(health):
    last = health.landings[0]
    assert [one.batch_id for one in health.landings] == [*range(8, 0, -1)]
    assert (last.set_aside > 0, last.rows_kept, health.landings[1].rows_kept) == (True, True, False)


def test_what_arrived_and_waits_or_was_refused_is_told_with_the_reason(health):
    found = health.arrivals
    assert (found.waiting, found.refused, found.reasons[0].rule, found.reasons[0].rows) == (1, 2, BROKEN["rule"], 2)


@pytest.mark.parametrize(
    "language, said",
    [
        ("en", ("Someone should look at the model", "older than usual", "nothing landed for 9 days")),
        ("zh", ("需要有人检查模型", "比平时陈旧", "已有 9 天没有新数据入库")),
    ],
)
def test_the_page_shows_what_the_api_tells_and_reasons_in_words(client, language, said):
    page = client.get("/data", headers={"accept": "text/html", "accept-language": language}).text
    assert [words for words in said if words not in page] == []
    assert "<b>odd" not in page
    assert page.count("<h1>") == 1


def test_a_landing_has_a_page_of_its_own_and_one_that_was_not_is_not_found(client):
    assert "Landing no. 3" in client.get("/data?landing=3", headers={"accept": "text/html"}).text
    assert client.get("/v1/data?landing=3").json()["batch_id"] == 3
    assert client.get("/v1/data?landing=99").status_code == 404


def test_rows_set_aside_are_handed_out_and_the_audit_log_says_to_whom(client, workspace):
    answer = client.get("/v1/data/rows?landing=8")
    assert (answer.text, answer.headers["cache-control"]) == ('{"row": 1}\n', "no-store")
    engine = open_engine(workspace.database)
    with engine.connect() as connection:
        what = connection.execute(select(audit_entries.c.what, audit_entries.c.about)).all()
    engine.dispose()
    assert ("data.rows_exported", '{"landing":8}') in [tuple(one) for one in what]


def test_a_landing_without_such_rows_says_why(client):
    answer = client.get("/v1/data/rows?landing=7")
    assert answer.status_code == 404
    assert "there were none, or they are older than 30 days" in answer.json()["detail"]


def test_who_may_only_read_is_told_nothing_of_it(workspace):
    with ask(workspace, "read") as reader:
        assert {reader.get(path).status_code for path in ("/v1/data/health", "/v1/data/rows?landing=8")} == {403}
