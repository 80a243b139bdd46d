"""Errors as RFC 9457 problems: one shape for every error, whoever raised it.

References
----------
RFC 9457, Problem Details for HTTP APIs, section 3.1.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from churnml.database.engine import NO_ROOM
from churnml.errors import ChurnmlError, nearest
from churnml.refusals import broken_rule
from churnml.service import request_ids

MEDIA_TYPE = "application/problem+json"
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 421: "wrong_host"}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BUG = "something went wrong on our side; the log of the service says what"
_UNREADABLE = "the body is not JSON that can be read; a number may have at most 4,300 digits"
_KNOWN_FIELDS = (
    "customer_ids", "customer_id", "limit", "cursor", "band", "action", "stage", "segment", "reason", "arm",
    "contactable", "sort", "order", "fields", "min_value_at_risk", "max_value_at_risk", "min_churn_probability",
    "max_churn_probability", "format", "lang", "outcomes", "contacts", "consents", "owner", "expected_owner", "status",
    "follow_up_on", "snoozed_until", "call_result", "text",
)  # fmt: skip


class Problem(BaseModel):
    """An error: what went wrong, in words for people and a code for programs."""

    model_config = ConfigDict(json_schema_extra={"required": ["type", "title", "status", "detail", "code"]})

    type: str = Field("about:blank", description="always `about:blank`: `code` tells the kinds of problems apart")
    title: str = Field(description="the name of the HTTP status")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="what was found and what to do about it")
    code: str = Field(description="stable, for programs: `not_found`, `usage`, `invalid_request`, `dependency`, …")
    request_id: str | None = Field(
        None, description="what the request is called in the log of the service; the header `X-Request-Id`"
    )


class Response(JSONResponse):
    """A problem on its way out."""

    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        told = problem.model_dump() | {"request_id": request_ids.current()}
        self._code = problem.code
        super().__init__(told, problem.status, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and leave its code for the log and the metrics."""
        scope.setdefault("state", {})["problem"] = self._code
        await super().__call__(scope, receive, send)


def problem(status: int, code: str, detail: str) -> Problem:
    """Return a problem; what cannot be written as UTF-8 is written as `?`."""
    clean = detail.encode("utf-8", "replace").decode()
    return Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=clean, code=code)


def explain(error: Exception) -> Problem:
    """Return the problem that an exception amounts to; what we did not foresee says nothing of our inside."""
    match error:
        case ChurnmlError():
            return problem(error.http_status, error.code, str(error) or _BUG)
        case RequestValidationError():
            return problem(422, "invalid_request", "; ".join(_complaint(one) for one in error.errors()))
        case HTTPException():
            return _of_framework(error)
        case OSError() if error.errno in _NO_ROOM:
            return problem(507, "disk_full", NO_ROOM)
        case SQLAlchemyError():
            return problem(503, "dependency", "the database does not answer; look at the service's log, then ask again")
        case _:
            return problem(500, "internal", _BUG)


def _of_framework(error: HTTPException) -> Problem:
    if error.status_code == HTTPStatus.BAD_REQUEST:  # a body that breaks the parser otherwise than by its grammar
        return problem(422, "invalid_request", _UNREADABLE)
    return problem(error.status_code, _CODES.get(error.status_code, "usage"), _plain(error))


def _plain(error: HTTPException) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return "nothing is at this address; /v1/openapi.json lists what is"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return "this address does not take this method; /v1/openapi.json lists what it takes"
    return str(error.detail)


def _complaint(error: Mapping[str, Any]) -> str:  # Any: pydantic's own error type
    place = ".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0])
    match error["type"]:
        case "extra_forbidden":
            word = str(error["loc"][-1])
            return f"unknown field `{place}`{nearest(word, [one for one in _KNOWN_FIELDS if one != word])}"
        case "json_invalid":
            return f"the body is not valid JSON: {error.get('ctx', {}).get('error', error['msg'])}"
        case "model_attributes_type" | "dict_type" if error["loc"] == ("body",):
            return "the body must be a JSON object, sent as `Content-Type: application/json`"
    rule = broken_rule(error)
    if error["loc"][-1] == "password":
        rule = rule.partition(", got ")[0]  # an answer does not repeat it
    return f"`{place}` {rule}" if rule.startswith(("must", "is ")) else f"`{place}`: {rule}"


def described(examples: Mapping[int, tuple[str, str]]) -> dict[int | str, dict[str, Any]]:  # Any: OpenAPI
    """Return the OpenAPI entries of the problems a route can answer with, from `status: (code, detail)`."""
    return {status: _entry(problem(status, code, detail)) for status, (code, detail) in examples.items()}


def _entry(example: Problem) -> dict[str, Any]:  # Any: a fragment of OpenAPI
    content = {
        "schema": {"$ref": "#/components/schemas/Problem"},
        "example": example.model_dump() | {"request_id": "9f1c…"},
    }
    return {"description": example.title, "content": {MEDIA_TYPE: content}}
