"""Decision records from raw history in the request: scored as the nightly run would, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, ConfigDict, Field

from churnml.errors import ChurnmlError, nearest
from churnml.events import TABLES
from churnml.events.clock import microseconds, moment
from churnml.events.held_rows import held_store, refusing_profiling, repeated
from churnml.events.row_check import Broken, Door, check_rows
from churnml.events.row_values import Value
from churnml.events.values import EARLIEST, LATEST
from churnml.service.access import requires
from churnml.service.api import customers
from churnml.service.api.shapes import DecisionRecord, Shape
from churnml.service.champion import NO_CHAMPION, Scorer
from churnml.service.clock import asked_at
from churnml.service.problems import described
from churnml.service.readings import Readings

router = APIRouter(prefix="/v1", tags=["online"])
MAX_CUSTOMERS = 100
MAX_ROWS = 20_000
_TOLD = 20
_FIRST, _LAST = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (EARLIEST, LATEST))
Json = dict[str, Any]  # Any: JSON
Typed = Mapping[str, Value]
_SENT: Json = {
    "cutoff": "2018-01-01T00:00:00Z",
    "tables": {
        "customers": [{"customer_id": "42", "occurred_at": "2017-01-20"}],
        "orders": [
            {"customer_id": "42", "order_id": "A-1", "occurred_at": "2017-11-02T10:15:00Z", "amount": 31.5},
            {"customer_id": "42", "order_id": "A-2", "occurred_at": "2017-11-20T18:02:11Z", "amount": 24.9},
        ],
    },
}
_UNDECIDED = ("action", "action_label", "action_script", "arm", "propensity", "drawn_by", "campaign", "assignment_id",
              "action_cost", "expected_net_value", "effect_source")  # fmt: skip
_RECORD: Json = {
    name: value for name, value in customers.EXAMPLE.items() if name != "lifecycle_path"
} | dict.fromkeys(_UNDECIDED) | {"run_id": "from-history"}  # fmt: skip
EXAMPLE: Json = {
    "cutoff": "2018-01-01T00:00:00+00:00", "model_version": "9b1d…", "records": [_RECORD], "unknown": [],
}  # fmt: skip
_BROKEN = "row 1 of `orders`: `amount` must be an amount: write it with digits and a point"


class BrokenRowsError(ChurnmlError):
    """Rows of a request that break the contract; nothing was scored."""

    http_status = 422
    code = "broken_row"


class History(Shape):
    """Everything that is known of some customers, and as of when they are to be scored."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _SENT})

    cutoff: AwareDatetime | None = Field(
        None, description="what happened at it or later, or was learned later, is not seen; by default now"
    )
    learned_at: AwareDatetime | None = Field(
        None,
        description="when rows without `ingested_at` came to tell what bears no date of its own, such as when a "
        "contract renews; by default the cutoff",
    )
    tables: Annotated[
        dict[str, list[Json]],
        Field(
            description="the rows of each table of the contract (docs/data.md), such as `customers` and `orders`; each "
            f"customer stands in `customers`; at most {MAX_CUSTOMERS} of them and {MAX_ROWS:,} rows"
        ),
    ]


class Scored(Shape):
    """The records, and whom the cutoff does not know."""

    cutoff: datetime
    model_version: str
    records: list[DecisionRecord]
    unknown: list[str] = Field(description="customers who were not yet known at the cutoff")


@router.post(
    "/scores/from-history",
    summary="Decision records from raw history in the request",
    response_model=Scored,
    dependencies=[Depends(requires("read"))],
    responses={
        200: {"content": {"application/json": {"example": EXAMPLE}}},
        **described({422: ("broken_row", _BROKEN), 503: ("dependency", NO_CHAMPION)}),
    },
)
def from_history(request: Request, told: History) -> JSONResponse:
    """Score up to 100 customers from the rows of the request alone, by the code and the model of the nightly run.

    Nothing of it is stored. There is no action: who is offered what is decided for all customers together, under one
    budget.
    """
    from churnml.scoring.online import records_from_history  # noqa: PLC0415  # LightGBM takes seconds to import

    scorer: Scorer = request.app.state.scorer
    readings: Readings = request.app.state.readings
    door: Door = request.app.state.door
    now = asked_at(request)
    cutoff = _instant("cutoff", told.cutoff, now)
    if cutoff > now:
        raise BrokenRowsError("`cutoff` must not lie in the future: leave it out for now")
    learned = _instant("learned_at", told.learned_at, cutoff)
    rows = _checked(told.tables, door, now)
    ready = scorer.ready()
    ids = [str(row["customer_id"]) for row in rows["customers"]]
    refusing = readings.refusing(ids) | refusing_profiling(rows.pop("consents", ()))
    store = held_store(rows, ready.tables, door.time_zone, learned, refusing)
    found = {
        r["customer_id"]: r for r in records_from_history(ready.champion, store, cutoff, ready.funnel, ready.asked)
    }
    wanted = list(dict.fromkeys(ids))
    return JSONResponse({
        "cutoff": moment(cutoff, door.time_zone).isoformat(),
        "model_version": ready.champion.version,
        "records": [found[one] for one in wanted if one in found],
        "unknown": [one for one in wanted if one not in found],
    })  # fmt: skip


def _instant(name: str, told: datetime | None, default: int) -> int:
    """Return an instant of the request as microseconds UTC; no row can be from before or after these bounds.

    Raises
    ------
    BrokenRowsError
        If it lies beyond them.
    """
    if told is None:
        return default
    if not _FIRST <= told < _LAST:
        found = told.isoformat()
        raise BrokenRowsError(f"`{name}` must lie between {EARLIEST} and {LATEST}, got {found}: correct it")
    return microseconds(told)


def _checked(tables: Mapping[str, Sequence[Json]], door: Door, now: int) -> dict[str, list[Typed]]:
    """Return the typed rows of a request.

    Raises
    ------
    BrokenRowsError
        If one breaks a rule; it names the first of them by table, row, column and rule.
    """
    strange = [name for name in tables if name not in TABLES]
    if strange:
        near = nearest(strange[0], TABLES)
        raise BrokenRowsError(f"`tables` must name tables of the contract, got `{strange[0]}`{near}; see docs/data.md")
    if sum(map(len, tables.values())) > MAX_ROWS:
        raise BrokenRowsError(f"`tables` must hold at most {MAX_ROWS:,} rows; send fewer customers at a time")
    wrong = list[str]()
    typed: dict[str, list[Typed]] = {"customers": []}
    for name, rows in tables.items():
        typed[name] = _of_table(name, rows, door, now, wrong)
    known = {row["customer_id"] for row in typed["customers"]}
    if not wrong:
        wrong = [*_of_strangers(tables, typed, known)]
    if not known and not wrong:
        wrong = ["`tables` must hold a row of `customers` for each customer, found none"]
    if wrong:
        more = f"; and {len(wrong) - _TOLD:,} more" if len(wrong) > _TOLD else ""
        raise BrokenRowsError("; ".join(wrong[:_TOLD]) + more)
    if len(known) > MAX_CUSTOMERS:
        raise BrokenRowsError(
            f"`customers` must name at most {MAX_CUSTOMERS}, got {len(known):,}; send fewer at a time"
        )
    return typed


def _of_table(name: str, rows: Sequence[Json], door: Door, now: int, wrong: list[str]) -> list[Typed]:
    """Return the typed rows of one table, and add what is wrong with them to `wrong`."""
    found = check_rows(TABLES[name], rows, door, now)
    broken = [(place, one) for place, one in enumerate(found) if isinstance(one, Broken)]
    wrong += [f"row {place} of `{name}`: {one.told()}" for place, one in broken]
    if broken:
        return []
    kept, contradiction = repeated(TABLES[name], [one for one in found if not isinstance(one, Broken)])
    if contradiction is not None:
        place, column = contradiction
        wrong.append(f"row {place} of `{name}`: `{column}` must not contradict another row of the same key: keep one")
    return kept


def _of_strangers(
    tables: Mapping[str, Sequence[Json]], typed: Mapping[str, Sequence[Typed]], known: set[Value]
) -> Iterator[str]:
    """Yield which rows are of nobody in `customers`."""
    for name in tables:
        strangers = sorted({str(row["customer_id"]) for row in typed[name]} - {str(one) for one in known})
        if strangers and name != "consents":
            yield f"`{name}`: `customer_id` must be a customer of the table `customers`: bring that row too"
