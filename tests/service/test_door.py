import socket
from urllib.parse import quote

import httpx
import pytest
from sample_run import HOSTILE, ask, fill, record

from churnml.errors import DependencyError, UsageError
from churnml.service import serve
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
    assert "script-src" not in policy
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


def test_a_refusal_carries_the_same_headers(client):
    assert client.get("/", headers={"host": "evil.example"}).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com"])  # noqa: S104
def test_listening_beyond_this_machine_is_refused(workspace, host):
    with pytest.raises(UsageError, match="must be a loopback address such as"):
        serve(workspace, host, 0)


@pytest.mark.parametrize("host, expected", [("127.9.9.9", True), ("::1", True), ("10.0.0.1", False), ("", False)])
def test_loopback_is_told_by_the_address(host, expected):
    assert is_loopback(host) is expected


def test_a_taken_port_is_named_with_what_to_do(workspace):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(DependencyError, match=rf"port {port} on 127.0.0.1 is taken .* choose another with --port"):
            serve(workspace, "127.0.0.1", port)


def test_a_free_port_is_listened_on():
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname(), timeout=1):
        assert listening.getsockname()[1] > 0


def test_an_application_can_be_made_for_an_untouched_workspace(newcomer, own_workspace):
    with ask(own_workspace) as client:
        assert client.get("/readyz").status_code == 200
    assert newcomer.get("/readyz").status_code == 503


def test_over_the_wire_every_id_arrives_as_it_was_sent(own_workspace, address):
    ids = [*HOSTILE, "half%2Fslash", "%25", "a//b", "tab\there", "🙂"]
    fill(own_workspace, [record(one, rank) for rank, one in enumerate(ids)], now=9)
    answers = [httpx.get(f"{address}/v1/customers/{quote(one, safe='')}", timeout=5) for one in ids]
    assert [one.json()["customer_id"] for one in answers] == ids


def test_over_the_wire_the_pages_and_the_style_sheet_arrive(address):
    found = [httpx.get(address + path, timeout=5) for path in ("/at-risk", "/static/churnml.css", "/static/mark.svg")]
    kinds = [one.headers["content-type"].partition(";")[0] for one in found]
    assert kinds == ["text/html", "text/css", "image/svg+xml"]
