"""Parameters of an address: each stands once, unless it is a list; of two values nobody can tell which is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from churnml.errors import UsageError


class RepeatedError(UsageError):
    """A parameter that is no list, and stands more than once in an address."""

    http_status = 422
    code = "invalid_request"


async def once_each(request: Request) -> None:
    """Let pass an address in which every parameter that is no list stands once; for all routes of the API.

    Raises
    ------
    RepeatedError
        If one stands twice; it names the first.
    """
    times = Counter(name for name, _ in request.query_params.multi_items())
    if len(times) == len(request.query_params.multi_items()):
        return
    for name in singles(request.scope["route"].dependant):
        if times[name] > 1:
            raise RepeatedError(f"`{name}` must stand once, found {times[name]:,} times; leave all but one of them out")


def singles(dependant: Dependant) -> Iterator[str]:
    """Give the parameters that a route takes behind the question mark and that are no lists."""
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from (info.alias or name for name, info in kind.model_fields.items() if not _is_list(info.annotation))
        elif not _is_list(kind):
            yield field.alias
    for needed in dependant.dependencies:
        yield from singles(needed)


def _is_list(kind: Any) -> bool:  # Any: a type as it was written
    return get_origin(kind) in {list, tuple, set} or any(_is_list(one) for one in get_args(kind))
