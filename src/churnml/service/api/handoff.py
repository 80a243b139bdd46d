"""The list at risk as a file that another tool imports."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, dropwhile, takewhile
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from churnml.database.lists import Wanted
from churnml.errors import NotFoundError
from churnml.service.access import requires
from churnml.service.api.lists import FILES, MEDIA_TYPES, require_small
from churnml.service.api.shapes import Shape, readings
from churnml.service.handoff import SHAPES, Handoff, make, shape_of
from churnml.service.problems import described
from churnml.service.readings import NO_RUN, Band, Readings
from churnml.service.sight import seen_by
from churnml.service.trail import note

router = APIRouter(prefix="/v1", tags=["lists"])
_HYPER = "application/octet-stream"


class HandoffQuery(Shape):
    """What may stand behind the question mark of `/v1/handoff/…`."""

    band: list[Band] = Field([], max_length=3, description="keep these risk bands; repeatable")
    part: int = Field(1, ge=1, le=10_000, description="which file, where the tool takes less than the list in one")
    marked: bool = Field(
        default=False, description="keep controls and held-out customers, marked, for a tool that writes to nobody"
    )
    lang: Literal["en", "zh"] = Field("en", description="language of sentences")


@router.get(
    "/handoff/{target}",
    summary="The list at risk as a file that a CRM, mail or BI tool imports",
    response_class=StreamingResponse,
    dependencies=[Depends(requires("read"))],
    responses={
        200: {"content": {**FILES, _HYPER: {"schema": {"type": "string", "format": "binary"}}}},
        **described({
            400: ("usage", "the tool must be one of salesforce, hubspot, …, got 'salesfroce'; did you …"),
            404: ("not_found", "the list for zoho has no part 3; it ends before"),
            422: ("invalid_request", "`part` must be at least 1, got '0'"),
            503: ("dependency", NO_RUN),
        }),
    },
)  # fmt: skip
def handoff(
    request: Request,
    target: Annotated[str, Path(description=f"one of {', '.join(SHAPES)}", max_length=64)],
    query: Annotated[HandoffQuery, Query()],
    reader: Annotated[Readings, Depends(readings)],
) -> Response:
    """Return one file in the tool's shape; ask for the next `part` until there is none (404).

    Controls and held-out customers are left out, and for a tool that writes to people whoever may not be approached;
    docs/handoff.md has each tool's rules.
    """
    shape, run = shape_of(target), reader.run()
    wanted = Wanted(bands=tuple(query.band), seen_by=seen_by(request))
    if target == "excel":
        require_small(reader.count_at_risk(run, wanted))
    asked = Handoff(target, request.app.state.handoff, wanted, query.lang, marked=query.marked)
    _, parts = make(asked, reader, run)
    chunks = _of_part(parts, query.part)
    first = next(chunks, None)
    if first is None:
        raise NotFoundError(f"the list for {target} has no part {query.part}; it ends before")
    day, number = str(run.summary.get("cutoff", ""))[:10] or run.run_id, "" if query.part == 1 else f"-{query.part}"
    note(request, "list.exported", {"list": "at-risk", "format": target, "part": query.part, "run": run.run_id})
    headers = {"content-disposition": f'attachment; filename="{target}-{day}{number}.{shape.kind}"'}
    media = _HYPER if shape.kind == "hyper" else MEDIA_TYPES[shape.kind]
    return StreamingResponse(chain([first], chunks), media_type=media, headers=headers)


def _of_part(parts: Iterator[tuple[int, bytes]], wanted: int) -> Iterator[bytes]:
    """Give the bytes of one file, and stop before those of the next are made."""
    found = dropwhile(lambda one: one[0] < wanted, parts)
    return (chunk for _, chunk in takewhile(lambda one: one[0] == wanted, found))
