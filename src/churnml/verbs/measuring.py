"""What every measure of the customer base has in common: which days, from which rows, kept as a run, told to people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from churnml.config import AssignConfig, KpiConfig, MeasureConfig
from churnml.errors import UsageError
from churnml.verbs.grouping import check_asked, check_own, groups, lay_groups
from churnml.verbs.session import Session, clock, require_places
from churnml.wording import Language, Text

if TYPE_CHECKING:
    from churnml.events.books import Books
    from churnml.measures.measure import Asked, Measure

Json = dict[str, Any]  # Any: JSON

MEASURES = ("lifecycle", "funnel", "segments", "kpis", "drivers", "rhythm", "strategy")
"""What `churnml measure` can be asked of the customer base; each has a module `measure_<name>` beside this one."""

_KINDS = (".html", ".json")
_SPAN_MONTHS = 12


class _Figures(Protocol):
    """What each of these modules has."""

    def figures(self, session: Session, books: Books, asked: Asked) -> list[Measure]:
        """Return the measures, the first being what a reader looks for."""


def measured(
    session: Session,
    name: str,
    *,
    begin: str | None = None,
    end: str | None = None,
    every: str = "month",
    by: str | None = None,
    reports: Sequence[Path] = (),
    language: Language = "en",
) -> Json:
    """Measure one side of the customer base, keep it as a run that the service shows, and return it.

    Parameters
    ----------
    name : str
        One of `MEASURES`.
    begin, end : str, optional
        The first day, and the day after the last, ISO 8601; by default the last whole twelve months of what has landed.
        What was learned after the end is not known to the figures. They end with the last day of which anything has
        landed: of days that have not come in yet silence says nothing.
    every : {'week', 'month', 'quarter', 'year'}
        How long a period is.
    by : str, optional
        What parts the customers, see `measures.parts`.
    reports : sequence of Path
        Where to write everything as well: a page (`.html`) or JSON (`.json`).

    Raises
    ------
    UsageError
        If a day is none, the days are turned around or lie after all that has landed, or nobody has the attribute.
    NotEnoughDataError
        If a table that the measure needs has not landed.
    """
    _check_reports(reports)
    check_own(session)
    asked = asked_of(session, begin, end, every, by)
    with session.running(name, inputs_of(session, name, asked)) as run_id:
        with session.step(f"Measuring: {name}"), opened(session, asked) as books:
            body = body_of(session, name, books, asked)
        session.catalogue.finish(run_id, clock(), body)
    write(session, body, reports, language)
    return body


def inputs_of(session: Session, name: str, asked: Asked) -> str:
    """Return the digest of everything a measure depends on: rows, code, the champion, and each file that it reads."""
    own = {"kpis": (session.load("kpis", KpiConfig),), "strategy": (session.load("assign", AssignConfig),)}
    settings = (session.load("measure", MeasureConfig), session.train_settings(), *own.get(name, ()))
    return session.inputs(*settings, asked=asked, name=name, champion=session.catalogue.alias("champion"))


def body_of(session: Session, name: str, books: Books, asked: Asked) -> Json:
    """Return what a measure found as plain data, with what its figures have in common."""
    if asked.by in groups(session):
        lay_groups(session, books, asked)
    module = cast("_Figures", import_module(f"churnml.verbs.measure_{name}"))
    found = module.figures(session, books, asked)
    if asked.wanted is not None:
        found = [
            replace(found[0], remarks=(_ends_early(asked.end, asked.wanted, books.time_zone), *found[0].remarks)),
            *found[1:],
        ]
    return around(session, name, books, asked) | {"measures": [one.to_json() for one in found]}


def around(session: Session, name: str, books: Books, asked: Asked) -> Json:
    """Return what figures have in common: which days, in what money, of how many."""
    return {
        "measure": name,
        **_days(session, asked),
        "every": asked.every,
        "by": asked.by,
        "currency": session.settings.currency,
        "time_zone": session.settings.time_zone,
        "base": books.base,
        "refused": books.refused,
        "smallest_group": asked.smallest,
    }


def asked_of(session: Session, begin: str | None, end: str | None, every: str, by: str | None) -> Asked:
    """Return what was asked, checked; see `measured`."""
    from churnml.measures.measure import Asked  # noqa: PLC0415  # NumPy is not needed by `--help`
    from churnml.measures.periods import EVERY  # noqa: PLC0415

    long = next((one for one in EVERY if one == every), None)
    if long is None:
        raise UsageError(f"--every must be one of {', '.join(EVERY)}, got {every!r}")
    wanted = session.cutoff(None) if end is None else _instant(session, "--to", end)
    last = min(wanted, session.landed_until)
    first = _months_before(session, last) if begin is None else _instant(session, "--from", begin)
    if first >= wanted:
        raise UsageError(f"--from must lie before --to, got {begin or 'its default'} and {end or 'the last day'}")
    if first >= last:
        raise UsageError(
            "--from must lie on a day of which something has landed, the last of which is "
            f"{_last_day(last, session.settings.time_zone)}, got {begin}; choose an earlier day, or land later rows"
        )
    smallest = session.load("measure", MeasureConfig).smallest_group
    return Asked(first, last, long, by, smallest, wanted if wanted > last else None)


@contextmanager
def opened(session: Session, asked: Asked) -> Iterator[Books]:
    """Open the books as they were known at the end of what is asked; an erasure waits until they are closed.

    Raises
    ------
    ConfigError, UsageError
        See `grouping.check_asked`.
    """
    from churnml.events.books import open_books  # noqa: PLC0415  # DuckDB

    with session.scratch("measures") as scratch, open_books(session.store, asked.end, scratch) as books:
        check_asked(session, books, asked.by)
        yield books


def write(session: Session, body: Json, reports: Sequence[Path], language: Language) -> None:
    """Write what was measured to each file, as a page in a language or as JSON in both."""
    for report in reports:
        page = report.suffix == ".html"
        text = _page(body, language) if page else json.dumps(body, ensure_ascii=False, indent=1) + "\n"
        with session.workspace.atomically(report.resolve()) as draft:
            draft.write_text(text, encoding="utf-8")


def _page(body: Json, language: Language) -> str:
    """Return a measure as a page: the strategy as the sheet that is printed, each other one as all are."""
    from churnml.service.pages.measures.page import measures_page  # noqa: PLC0415  # Jinja
    from churnml.service.pages.measures.strategy import strategy_page  # noqa: PLC0415

    return strategy_page(body, language) if body["measure"] == "strategy" else measures_page([body], language)


def _check_reports(reports: Sequence[Path]) -> None:
    for report in reports:
        if report.suffix not in _KINDS:
            raise UsageError(f"--report must end in {' or '.join(_KINDS)} with `measure`, got {report.name}; rename it")
    require_places(reports)


def _instant(session: Session, option: str, day: str) -> int:
    from churnml.events.clock import midnight  # noqa: PLC0415

    try:
        return midnight(date.fromisoformat(day), session.settings.time_zone)
    except ValueError as error:
        raise UsageError(f"{option} must be a date such as 2017-12-31, got {day!r}") from error


def _months_before(session: Session, last: int) -> int:
    """Return the beginning of the twelfth whole month before an instant, or of the data where they begin later."""
    from churnml.events.clock import midnight, moment  # noqa: PLC0415

    zone, first = session.settings.time_zone, session.store.span[0]
    day = moment(last, zone).date()
    months = day.year * 12 + day.month - 1 - _SPAN_MONTHS
    return max(midnight(date(months // 12, months % 12 + 1, 1), zone), midnight(moment(first, zone).date(), zone))


def _ends_early(end: int, wanted: int, time_zone: str) -> Text:
    """Say that the figures end where the rows do, before the day that was asked for."""
    from churnml.events.clock import moment  # noqa: PLC0415

    last, to = _last_day(end, time_zone), moment(wanted, time_zone).date()
    return Text(
        f"Asked for up to {to}, told up to {last}, the last day of which anything has landed: of later days silence "
        "says nothing.",
        f"所问时段止于 {to}（不含当日），但数据最后一天为 {last}，故只统计到该日：尚无数据的日子不能说明任何情况。",
    )


def _last_day(end: int, time_zone: str) -> date:
    """Return the day before a midnight."""
    from churnml.events.clock import moment  # noqa: PLC0415

    return moment(end, time_zone).date() - timedelta(days=1)


def _days(session: Session, asked: Asked) -> Json:
    from churnml.events.clock import moment  # noqa: PLC0415

    zone = session.settings.time_zone
    return {"from": moment(asked.begin, zone).date().isoformat(), "to": moment(asked.end, zone).date().isoformat()}
