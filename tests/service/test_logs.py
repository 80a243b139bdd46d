"""The log tells how each request fared, and nothing about any customer."""

import io
import json
import logging

import pytest
from sample_run import ask, fill, logging_to, record

from churnml.service.logs import REQUESTS, flush
from new_database import new_workspace

MARK = "zzmarked-7f3a"


@pytest.fixture
def log():
    """What is logged as JSON, in place of what the tests log."""
    stream = io.StringIO()
    with logging_to(stream):
        yield stream


@pytest.fixture
def client(tmp_path):
    made = new_workspace(tmp_path)
    fill(made, [record(MARK, 1)])
    with ask(made) as opened:
        yield opened


def told(log):
    flush()
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_request_is_one_line_with_its_route_status_time_and_the_key_that_asked(client, log):
    client.get(f"/v1/customers/{MARK}", headers={"X-Request-Id": "r7"})
    [line] = told(log)
    assert line.pop("ms") >= 0
    assert line.pop("timestamp")
    assert line.pop("key").startswith("ck_")
    assert line.pop("bytes") > 1000
    assert line == {
        "event": "request",
        "logger": REQUESTS,
        "level": "info",
        "request_id": "r7",
        "method": "GET",
        "route": "/v1/customers/{customer_id:path}",
        "status": 200,
        "caller": "key",
        "whole": True,
    }


def test_probes_that_find_nothing_wrong_leave_no_line(client, log):
    for path in ("/healthz", "/readyz", "/metrics"):
        client.get(path)
    assert told(log) == []


def test_a_customer_who_is_asked_for_in_every_way_is_nowhere_in_the_log(client, log):
    client.get(f"/v1/customers/{MARK}")
    client.get(f"/v1/customers/{MARK}-unknown")
    client.get(f"/v1/at-risk?cursor={MARK}")
    client.get(f"/v1/{MARK}")
    client.get(f"/{MARK}?{MARK}={MARK}", headers={"accept": "text/html", "user-agent": MARK, "referer": MARK})
    client.request(MARK.upper(), "/v1/at-risk")
    client.post("/v1/scores", json={"customer_ids": [MARK], MARK: MARK})
    client.post("/v1/case-notes", json={"customer_id": MARK, "text": MARK})
    client.post("/v1/events", json={"orders": [{"customer_id": MARK}]})
    assert len(told(log)) == 9
    assert MARK not in log.getvalue().lower()


def test_a_bug_leaves_its_place_and_not_what_it_said(client, log, monkeypatch):
    def broken(_readings):
        raise KeyError(MARK)

    monkeypatch.setattr("churnml.service.readings.Readings.run", broken)
    assert client.get("/v1/at-risk").status_code == 500
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=KeyError(MARK))
    by_event = {one["event"]: one for one in told(log)}  # threads of other services of this process may tell as well
    line, bug = by_event["request"], by_event["Exception in ASGI application"]
    assert (line["status"], line["code"]) == (500, "internal")
    assert (bug["error"], bug["traceback"]) == ("KeyError", ["KeyError"])
    assert MARK not in log.getvalue()


def test_a_traceback_names_files_lines_and_functions_of_the_error_and_its_cause(log):
    try:
        try:
            int(MARK)
        except ValueError as error:
            raise LookupError(MARK) from error
    except LookupError:
        logging.getLogger("churnml.service").exception("it broke")
    [line] = told(log)
    assert [one for one in line["traceback"] if not one.startswith(" ")] == ["LookupError", "ValueError"]
    assert any("test_logs.py" in one and "in test_a_traceback" in one for one in line["traceback"])
    assert MARK not in log.getvalue()
