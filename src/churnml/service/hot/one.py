"""The answer that tells one record, as it goes over the wire: whole, or that it stands as the caller has it."""

from __future__ import annotations

from churnml.service import etags
from churnml.service.hot.snapshot import Snapshot

Given = dict[bytes, bytes]
"""Headers of a request by their name in small letters."""
Told = tuple[int, list[tuple[bytes, bytes]], bytes]
"""Status, headers and body of an answer."""
ONE, ONE_ROUTE = "/v1/customers/", "/v1/customers/{customer_id:path}"
JSON = (b"content-type", b"application/json")
_CACHING = (b"cache-control", etags.CACHING.encode())


def one(snapshot: Snapshot, customer_id: str, given: Given) -> Told | None:
    """Return the answer to a request for one record; None where the route must be asked."""
    found = snapshot.find(customer_id)
    if found is None:
        return None
    body, digest = found
    tag = b'"%b"' % digest
    held = given.get(b"if-none-match")
    if held is not None and etags.is_held(held.decode("latin-1"), tag.decode()):
        return 304, [(b"etag", tag), _CACHING], b""
    return 200, [(b"content-length", b"%d" % len(body)), JSON, (b"etag", tag), _CACHING], body
