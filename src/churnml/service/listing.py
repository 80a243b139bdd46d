"""What a reader asks of the list at risk: filters, sort and columns, in the words of the page's address.

Page, saved views and API agree on it: `wanted` says what the database is asked for, `twin` what the API is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from churnml.database.cases import STATUSES
from churnml.database.lists import APPROACHED, SORTS, Range, Sort, Wanted
from churnml.errors import UsageError
from churnml.measures import SEGMENTS, STAGES
from churnml.service.readings import BANDS, CurrentRun

POINTS = 5
"""A churn probability has risen, or fallen, if it is another by so many points, as they are told: without decimals."""
_RISEN = (POINTS - 0.5) / 100
CHANGES = ("risen", "fallen", "new")
COLUMNS: Mapping[str, Sort | None] = {
    "value_at_risk": "value_at_risk",
    "churn_probability": "churn_probability",
    "change": "churn_probability_change",
    "risk_band": None,
    "clv": "clv",
    "reason": None,
    "action": None,
    "owner": None,
    "last_order": "last_order_on",
    "expected_net_value": "expected_net_value",
    "segment": None,
    "stage": None,
    "next_order": None,
}
"""The columns of the page in their order, each with what sorts by it; the customer stands before them always."""
USUAL = ("value_at_risk", "churn_probability", "change", "risk_band", "clv", "reason", "action", "owner")
NOBODY, ME = "nobody", "me"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST = 64


@dataclass(frozen=True)
class Asked:
    """What the reader wants to see; an empty word keeps all.

    Parameters
    ----------
    owner : str
        `me`, `nobody`, or whose.
    show : str
        `all` shows those as well who are to be left in peace: controls and held out.
    change : str
        One of `CHANGES`: whose churn probability rose or fell since the run before, or who was not in it.
    min_value, max_value : str
        Value at risk from and up to, in the currency.
    ordered_from, ordered_to : str
        Days between which the last order was, both included.
    sort, order : str
        One of `SORTS`; `asc` for the least first.
    columns : tuple of str
        Of `COLUMNS`; empty for the usual ones.
    """

    band: str = ""
    action: str = ""
    stage: str = ""
    segment: str = ""
    reason: str = ""
    owner: str = ""
    status: str = ""
    change: str = ""
    min_value: str = ""
    max_value: str = ""
    ordered_from: str = ""
    ordered_to: str = ""
    show: str = ""
    sort: str = ""
    order: str = ""
    columns: tuple[str, ...] = ()

    @property
    def words(self) -> dict[str, str]:
        """What is asked for by name, columns left out and empty words as well."""
        return {name: value for name, value in vars(self).items() if name != "columns" and value}

    @property
    def filtered(self) -> bool:
        """Whether anything is kept from the list."""
        return any(name not in {"sort", "order", "show"} for name in self.words)

    @property
    def more(self) -> bool:
        """Whether one of the filters is set that few need."""
        return any(name in self.words for name in ("min_value", "max_value", "ordered_from", "ordered_to", "status"))

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns shown, in the order in which they stand."""
        return tuple(one for one in COLUMNS if one in (self.columns or USUAL))

    def query(self, **more: str | None) -> str:
        """Return the same as the query of an address, with more; the usual columns are not told."""
        told = [(name, value) for name, value in (self.words | more).items() if value]
        return urlencode(told + [("columns", one) for one in self.columns])

    def sorted_by(self, column: str) -> str:
        """Return the query that sorts by a column: greatest first, and least first where it does so already."""
        by = COLUMNS[column] or "value_at_risk"
        turn = by == (self.sort or "value_at_risk") and self.order != "asc"
        return replace(self, sort="" if by == "value_at_risk" else by, order="asc" if turn else "").query()


def asked_of(words: Mapping[str, str], columns: Sequence[str] = ()) -> Asked:
    """Return what is asked for by some words and columns, each checked; the usual columns count as none.

    Raises
    ------
    UsageError
        If a name is no filter, or a word is none of those that are known.
    """
    known = {one.name for one in fields(Asked)} - {"columns"}
    for name in words:
        _require_known("asked", name, known)
    told = {name: value.strip() for name, value in words.items()}
    for name, among in _AMONG.items():
        _require_known(name, told.get(name, ""), among)
    for name, value in told.items():
        if len(value) > _LONGEST or not value.isprintable():
            raise UsageError(
                f"`{name}` must have at most {_LONGEST} characters that can be printed, got {value[:40]!r}"
            )
    for one in columns:
        _require_known("columns", one, COLUMNS)
    chosen = tuple(one for one in COLUMNS if one in columns)
    asked = Asked(**told, columns=() if set(chosen) == set(USUAL) else chosen)
    for name in ("min_value", "max_value"):
        _amount(name, getattr(asked, name))
    for name in ("ordered_from", "ordered_to"):
        _day(name, getattr(asked, name))
    return asked


def wanted_of(asked: Asked, run: CurrentRun, me: str) -> Wanted:
    """Return which part of the list is asked for.

    Parameters
    ----------
    me : str
        Whose customers `owner=me` keeps.
    """
    sorts: dict[str, Sort] = {one: one for one in SORTS}
    owner = me if asked.owner == ME else asked.owner
    assigned = run.summary.get("budget") is not None
    return Wanted(
        bands=_only(asked.band),
        actions=_only(asked.action),
        stages=_only(asked.stage),
        segments=_only(asked.segment),
        reasons=_only(asked.reason),
        arms=APPROACHED if assigned and not asked.show else (),
        owners=() if owner == NOBODY else _only(owner),
        unowned=owner == NOBODY,
        statuses=_only(asked.status),
        value_at_risk=(_amount("min_value", asked.min_value), _amount("max_value", asked.max_value)),
        change=(_RISEN if asked.change == "risen" else None, -_RISEN if asked.change == "fallen" else None),
        new=True if asked.change == "new" else None,
        last_order=days_between(
            _day("ordered_from", asked.ordered_from), _day("ordered_to", asked.ordered_to), run.time_zone
        ),
        sort=sorts.get(asked.sort, "value_at_risk"),
        ascending=asked.order == "asc",
    )


def twin_of(asked: Asked, wanted: Wanted) -> list[tuple[str, str]]:
    """Return what the same list is asked for by at the API."""
    words = {
        "band": wanted.bands, "action": wanted.actions, "stage": wanted.stages, "segment": wanted.segments,
        "reason": wanted.reasons, "arm": wanted.arms, "owner": wanted.owners, "status": wanted.statuses,
    }  # fmt: skip
    pairs = [(name, word) for name, among in words.items() for word in among]
    pairs += [("unowned", "true")] if wanted.unowned else []
    for name, (low, high) in {"value_at_risk": wanted.value_at_risk, "churn_probability_change": wanted.change}.items():
        pairs += [(f"min_{name}", str(low))] if low is not None else []
        pairs += [(f"max_{name}", str(high))] if high is not None else []
    pairs += [("new", "true")] if wanted.new else []
    pairs += [(name, day) for name in ("ordered_from", "ordered_to") if (day := getattr(asked, name))]
    pairs += [("sort", wanted.sort)] if wanted.sort != "value_at_risk" else []
    return pairs + ([("order", "asc")] if wanted.ascending else [])


def days_between(first: date | None, last: date | None, time_zone: str) -> Range:
    """Return when the first of some days begins and the last ends in a zone, microseconds UTC; None where open."""
    zone = ZoneInfo(time_zone)

    def begins(day: date) -> int:
        return int(datetime.combine(day, time(), zone).timestamp()) * 1_000_000

    return (
        None if first is None else begins(first),
        None if last is None else begins(last + timedelta(days=1)) - 1,
    )


_AMONG: Mapping[str, Iterable[str]] = {
    "band": BANDS, "stage": STAGES, "segment": SEGMENTS, "status": STATUSES, "change": CHANGES, "show": ("all",),
    "sort": SORTS, "order": ("asc", "desc"),
}  # fmt: skip


def _require_known(name: str, word: str, among: Iterable[str]) -> None:
    known = tuple(among)
    if word and word not in known:
        raise UsageError(f"`{name}` must be one of {', '.join(known)}, got {word[:40]!r}")


def _only(word: str) -> tuple[str, ...]:
    return (word,) if word else ()


def _amount(name: str, text: str) -> float | None:
    try:
        found = float(text) if text else None
    except ValueError:
        found = math.nan
    if found is not None and not math.isfinite(found):
        raise UsageError(f"`{name}` must be an amount such as 120.50, got {text[:40]!r}")
    return found


def _day(name: str, text: str) -> date | None:
    try:
        return None if not text else date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise UsageError(f"`{name}` must be a day such as 2018-01-12, got {text[:40]!r}") from None
