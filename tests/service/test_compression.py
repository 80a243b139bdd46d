"""What goes over the wire: compressed where it is worth it, kept by browsers where its address says its version."""

import re

import pytest
from sample_run import visit
from starlette.datastructures import Headers

from callers import signed_in
from churnml.service.compression import takes_gzip
from churnml.service.forms import HEADER, carries_token, masked, token_for
from churnml.service.static_files import address

PAGE = {"accept": "text/html"}


@pytest.mark.parametrize("path", ["/at-risk", "/v1/at-risk", "/v1/at-risk?format=csv", "/static/churnml.css"])
def test_what_is_long_goes_compressed_to_who_can_read_it(client, path):
    packed, plain = (client.get(path, headers={"accept-encoding": one}) for one in ("gzip, br", "identity"))
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert "accept-encoding" in packed.headers["vary"].lower()


def test_what_is_short_or_ready_made_goes_as_it_is(client):
    paths = ("/v1/customers/1296", "/healthz", "/static/mark.svg", "/v1/at-risk?format=xlsx")
    assert [path for path in paths if "content-encoding" in client.get(path).headers] == []


def test_a_page_that_another_site_asks_for_is_not_compressed(client):
    asked = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert "content-encoding" not in client.get("/at-risk", headers=PAGE | asked).headers
    assert "content-encoding" in client.get("/at-risk", headers=PAGE | {"sec-fetch-site": "same-origin"}).headers


def test_what_is_compressed_bears_a_weak_etag_by_which_it_is_found_unchanged(client):
    told = client.get("/v1/openapi.json")
    packed = client.get("/static/churnml.css")
    assert told.headers["content-encoding"] == packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"].startswith('W/"')
    again = client.get("/static/churnml.css", headers={"if-none-match": packed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "accepted, may",
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("br", False),
        ("", False),
    ],
)
def test_who_takes_gzip_says_so(accepted, may):
    assert takes_gzip(accepted) is may


@pytest.mark.parametrize("name", ["churnml.css", "churnml.js", "mark.svg"])
def test_a_file_is_kept_for_as_long_as_its_address_names_its_version(client, name):
    assert "immutable" in client.get(address(name)).headers["cache-control"]
    others = (f"/static/{name}", f"/static/{name}?v=0", address(name) + "&x=1")
    assert {client.get(one).headers["cache-control"] for one in others} == {"no-cache"}


def test_every_file_that_a_page_names_is_named_with_its_version(client):
    page = client.get("/at-risk", headers=PAGE).text
    named = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert {address("churnml.css"), address("churnml.js"), address("mark.svg")} == set(named)


def test_the_token_of_a_form_looks_different_in_each_answer_and_is_good_in_each(workspace):
    headers = signed_in(workspace, "ann") | PAGE
    person = visit(workspace, headers={name: value for name, value in headers.items() if name != HEADER})
    person.app.state.now = lambda: 1
    tokens = {re.search(r'name="csrf_token" value="([0-9a-f]{128})"', person.get("/at-risk").text)[1] for _ in "ab"}
    assert len(tokens) == 2
    forms = [{"csrf_token": one, "customer_id": "1296", "note": ""} for one in tokens]
    assert [person.post("/notes", data=one, follow_redirects=False).status_code for one in forms] == [303, 303]


def test_a_masked_token_of_another_session_is_not_good():
    assert not carries_token(Headers({HEADER: masked(token_for("theirs"))}), b"", "ours")


def test_a_list_page_weighs_at_most_sixty_kilobytes(client):
    raw = client.get("/at-risk", headers=PAGE)
    assert int(raw.headers["content-length"]) < 60_000


def test_the_box_of_the_bar_leads_to_a_customer_by_any_id(client):
    asked = client.get("/customers", params={"find": " 客户 7 "}, follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/customers/%E5%AE%A2%E6%88%B7%207")
    assert client.get("/customers?find=1296", headers=PAGE).status_code == 200
    assert client.get("/customers?find=", headers=PAGE, follow_redirects=False).headers["location"] == "/at-risk"


def test_who_is_looked_for_and_is_not_there_is_told_so(client):
    found = client.get("/customers?find=nobody", headers=PAGE)
    assert (found.status_code, "No customer by this id" in found.text) == (404, True)
