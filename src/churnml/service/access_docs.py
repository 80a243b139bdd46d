"""What the description of the API says of access: which scope each route needs, and how a refusal looks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.routing import BaseRoute

from churnml.service.access import PUBLIC, UNKNOWN
from churnml.service.bodies import BODY_SECONDS, DEPTH_LIMIT
from churnml.service.gate import scopes_of
from churnml.service.guard import HEADERS_LIMIT, NUL, URL_LIMIT
from churnml.service.problems import described
from churnml.service.routes import api_routes

_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key of `churnml keys create`, sent as `Authorization: Bearer ck_…`.",
}
_EVERYWHERE = described({
    400: ("usage", NUL),
    414: ("url_too_long", f"an address may have at most {URL_LIMIT:,} characters"),
    421: ("wrong_host", "only the hosts localhost, 127.0.0.1, [::1] are answered, asked for `evil.example`"),
    431: ("too_many_headers", f"a request may have at most {HEADERS_LIMIT} headers"),
})  # fmt: skip
_WITH_PARAMETERS = described(
    {422: ("invalid_request", "`limit` must stand once, found 2 times; leave all but one out")}
)
_WITH_BODY = described({
    408: ("too_slow", f"the body must arrive within {BODY_SECONDS:g} s; send less at a time"),
    413: ("too_large", "the body may hold at most 1,000,000 bytes; send fewer ids at a time"),
    422: ("too_deep", f"the body may hold lists and objects in each other {DEPTH_LIMIT} levels deep"),
})  # fmt: skip


def describe(schema: dict[str, Any], routes: Iterable[BaseRoute]) -> None:  # Any: OpenAPI
    """Add to each route the key it needs, its scope as `x-scope`, and the refusals that any route can answer with."""
    schema["components"].setdefault("securitySchemes", {})["key"] = _SCHEME
    for route in api_routes(routes):
        if not route.include_in_schema or route.path_format not in schema["paths"]:
            continue
        for method in sorted(route.methods or ()):
            told = schema["paths"][route.path_format].get(method.lower())
            if told is not None:
                needed = () if route.path in PUBLIC else sorted(scopes_of(route.dependant))
                _describe(told, needed, with_body="requestBody" in told)


def _describe(told: dict[str, Any], needed: Iterable[str], *, with_body: bool) -> None:  # Any: OpenAPI
    refusals = dict(_EVERYWHERE) | (_WITH_BODY if with_body else {})
    if any(one["in"] == "query" for one in told.get("parameters", ())):
        refusals |= _WITH_PARAMETERS
    told["security"] = []
    for scope in needed:
        told["security"] = [{"key": []}]
        told["x-scope"] = scope
        refusals |= described({
            401: ("unauthenticated", UNKNOWN),
            403: ("forbidden", f"this needs the scope `{scope}`, `crm` has `read`; ask an administrator"),
        })  # fmt: skip
    for status, refusal in refusals.items():
        told["responses"].setdefault(str(status), refusal)
