import asyncio
import socket
import time
from urllib.parse import quote

import httpx
import pytest
from sample_run import HOSTILE, ask, fill, record, visit

from churnml.config import ServeConfig
from churnml.errors import DependencyError, UsageError
from churnml.service import serve
from churnml.service.bodies import Bodies, depth
from churnml.service.exposure import check_exposure
from churnml.service.guard import is_loopback
from churnml.service.server import listen


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]", "LOCALHOST"])
def test_loopback_hosts_are_answered(client, host):
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8000", "192.168.1.5", "", "[", "127.0.0.1.nip.io"]
)
def test_any_other_host_is_refused_against_dns_rebinding(client, host):
    told = client.get("/v1/at-risk", headers={"host": host})
    assert told.status_code == 421
    assert told.json()["code"] == "wrong_host"


@pytest.mark.parametrize("path", ["/at-risk", "/v1/at-risk", "/v1/nothing", "/static/churnml.css", "/healthz"])
def test_every_answer_tells_the_browser_what_to_forbid(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert ("script-src 'self'; connect-src 'self'" in policy) == (path == "/at-risk")
    assert "unsafe" not in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")


def test_a_refusal_carries_the_same_headers(client):
    assert client.get("/", headers={"host": "evil.example"}).headers["x-content-type-options"] == "nosniff"


PUBLIC = {"host": "0.0.0.0", "public_hosts": ["churn.example.com"]}  # noqa: S104
PROXY = {"trusted_proxy": "127.0.0.1"}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com"])  # noqa: S104
def test_listening_beyond_this_machine_is_refused_without_a_name_to_be_reached_under(workspace, host):
    with pytest.raises(UsageError, match="needs the names it is reached under; set `public_hosts`"):
        serve(workspace, ServeConfig(host=host, port=0))


@pytest.mark.parametrize(
    "settings, admins, lacks",
    [
        (PUBLIC, 1, "needs TLS"),
        ({"public_hosts": ["churn.example.com"]}, 1, "needs TLS"),
        (PUBLIC | PROXY, 0, "needs an administrator; `churnml people add NAME --role admin`"),
        (PUBLIC | {"tls_certificate": "/none", "tls_key": "/none"}, 1, "`tls_certificate` must name a file"),
    ],
)
def test_listening_for_others_is_refused_without_tls_or_an_administrator(settings, admins, lacks):
    with pytest.raises(UsageError, match=lacks):
        check_exposure(ServeConfig(**settings), admins)


def test_listening_for_others_goes_with_a_name_a_proxy_and_an_administrator():
    check_exposure(ServeConfig(**PUBLIC | PROXY), 1)
    check_exposure(ServeConfig(), 0)


def test_a_public_service_answers_under_its_names_and_tells_browsers_to_come_by_tls_only(own_workspace):
    settings = ServeConfig(**PUBLIC | PROXY)
    with visit(own_workspace, settings=settings, base_url="https://churn.example.com") as client:
        assert client.get("/healthz").headers["strict-transport-security"] == "max-age=31536000"
        assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 421


def test_an_address_that_is_too_long_and_too_many_headers_are_refused(client):
    assert client.get("/v1/at-risk?" + "x" * 8_001).json()["code"] == "url_too_long"
    headers = {f"x-{number}": "1" for number in range(101)}
    assert client.get("/v1/at-risk", headers=headers).json()["code"] == "too_many_headers"


@pytest.mark.parametrize(
    "body", ["[" * 21, '{"a":' * 21, '["' + "[" * 99 + '"' + ", [" * 20, '"\\' + "[" * 5 + '"' + "[" * 21]
)
def test_json_that_is_too_deep_is_refused_before_it_is_parsed(client, body):
    told = client.post("/v1/scores", content=body, headers={"content-type": "application/json"})
    assert (told.status_code, told.json()["code"]) == (422, "too_deep")


@pytest.mark.parametrize(
    "body", ['{"customer_ids": ["' + "[{" * 50 + '"]}', '{"customer_ids": ["\\"' + "[" * 50 + '"]}']
)
def test_brackets_within_texts_are_no_levels(client, body):
    assert client.post("/v1/scores", content=body, headers={"content-type": "application/json"}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"customer_ids": ["\xff"]}',
        '{"customer_ids": ["42"]}'.encode("utf-16-le"),
        '{"customer_ids": ["42"]}'.encode("utf-32"),
        b'{"customer_ids": ["4\x002"]}',
        b'{"customer_ids": [' + b"7" * 5_000 + b"]}",
    ],
)
def test_a_body_that_is_no_json_in_utf_8_is_refused_with_the_word_for_it(client, body):
    told = client.post("/v1/scores", content=body, headers={"content-type": "application/json"})
    assert (told.status_code, told.json()["code"]) == (422, "invalid_request")
    assert told.json()["detail"].startswith("the body")


def test_a_body_of_nothing_but_the_worst_is_looked_at_in_no_time():
    began = time.process_time()
    for worst in (b'"\\"' * 250_000, b"[]" * 500_000, b'"' + b'\\"' * 499_999, b"\\" * 999_999):
        depth(b"[" * 21 + worst)
    assert time.process_time() - began < 2.0


def test_a_body_that_trickles_in_is_not_waited_for():
    async def never():
        await asyncio.sleep(60)

    sent = []

    async def keep(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "headers": [], "path": "/v1/scores"}
    asyncio.run(Bodies(None, seconds=0.05)(scope, never, keep))
    assert sent[0]["status"] == 408
    assert b"too_slow" in sent[1]["body"]


@pytest.mark.parametrize("host, expected", [("127.9.9.9", True), ("::1", True), ("10.0.0.1", False), ("", False)])
def test_loopback_is_told_by_the_address(host, expected):
    assert is_loopback(host) is expected


def test_a_taken_port_is_named_with_what_to_do(workspace):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(DependencyError, match=rf"port {port} on 127.0.0.1 is taken .* choose another with --port"):
            serve(workspace, ServeConfig(port=port))


def test_a_free_port_is_listened_on():
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname(), timeout=1):
        assert listening.getsockname()[1] > 0


def test_an_application_can_be_made_for_an_untouched_workspace(newcomer, own_workspace):
    with ask(own_workspace) as client:
        assert client.get("/readyz").status_code == 200
    assert newcomer.get("/readyz").status_code == 503


def test_over_the_wire_every_id_arrives_as_it_was_sent(own_workspace, address, signed):
    ids = [*HOSTILE, "half%2Fslash", "%25", "a//b", "tab\there", "🙂"]
    fill(own_workspace, [record(one, rank) for rank, one in enumerate(ids)], now=9)
    answers = [httpx.get(f"{address}/v1/customers/{quote(one, safe='')}", timeout=5, headers=signed) for one in ids]
    assert [one.json()["customer_id"] for one in answers] == ids


def test_over_the_wire_the_pages_and_the_style_sheet_arrive(address, signed):
    paths = ("/at-risk", "/static/churnml.css", "/static/mark.svg")
    found = [httpx.get(address + path, timeout=5, headers=signed) for path in paths]
    kinds = [one.headers["content-type"].partition(";")[0] for one in found]
    assert kinds == ["text/html", "text/css", "image/svg+xml"]
