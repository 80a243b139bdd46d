"""`churnml report`: every side of the customer base, measured over the same days from the same rows, as one HTML file.

The books are opened once for all; each measure is kept as its run, so that the service shows what the report says.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from churnml.errors import NoSuchPeriodsError, NotEnoughDataError, UsageError
from churnml.verbs.grouping import check_own
from churnml.verbs.measuring import MEASURES, around, asked_of, body_of, inputs_of, opened
from churnml.verbs.session import Session, clock, require_places
from churnml.wording import LANGUAGES, Language, Text

if TYPE_CHECKING:
    from churnml.events.books import Books
    from churnml.measures.measure import Asked

Json = dict[str, Any]  # Any: JSON


def report(
    session: Session,
    *,
    begin: str | None = None,
    end: str | None = None,
    every: str = "month",
    by: str | None = None,
    out: Path | None = None,
    language: Language = "en",
) -> Json:
    """Measure everything that the rows suffice for, write it as one page, and return it.

    Parameters
    ----------
    begin, end, every, by
        As `measuring.measured`.
    out : Path, optional
        The `.html` file; by default `reports/report-DAY.html` in the workspace, DAY being the end of what is asked.
    language : {"en", "zh"}
        Of the page.

    Returns
    -------
    dict
        `report` is the file, `bodies` what each measure found; one for which the rows or the days do not suffice has
        no measures, and `not_told` says why in both languages.

    Raises
    ------
    UsageError
        If the file is no `.html`, or as `measuring.measured`.
    DependencyError
        If the file cannot be written; nothing is measured then.
    """
    check_own(session)
    asked = asked_of(session, begin, end, every, by)
    target = _target(session, asked, out)
    with opened(session, asked) as books:
        bodies = [_measured(session, name, books, asked) for name in MEASURES]
    _write(session, bodies, target, language)
    return {"report": str(target), "from": bodies[0]["from"], "to": bodies[0]["to"], "bodies": bodies}


def told(body: Json, language: Language) -> str:
    """Return where the report is, and what it does not tell, for a terminal."""
    missing = [
        _NOT_TOLD.to(language).format(measure=one["measure"], why=one["not_told"][language])
        for one in body["bodies"]
        if "not_told" in one
    ]
    return "\n".join([_WRITTEN.to(language).format(begin=body["from"], to=body["to"], report=body["report"]), *missing])


_WRITTEN = Text(
    "The customer base from {begin} up to {to}: {report}", "客户总览（{begin} 至 {to}，不含当日）：{report}"
)
_NOT_TOLD = Text("{measure} is not told: {why}", "{measure} 无法给出：{why}")


def _measured(session: Session, name: str, books: Books, asked: Asked) -> Json:
    """Return what a measure found, kept as its run; where the rows or the days do not suffice, why."""
    try:
        with session.running(name, inputs_of(session, name, asked)) as run_id:
            with session.step(f"Measuring: {name}"):
                body = body_of(session, name, books, asked)
            session.catalogue.finish(run_id, clock(), body)
    except (NotEnoughDataError, NoSuchPeriodsError) as error:
        return around(session, name, books, asked) | {
            "measures": [],
            "not_told": {language: error.to(language) for language in LANGUAGES},
        }
    return body


def _target(session: Session, asked: Asked, out: Path | None) -> Path:
    """Return where the report goes, after trying whether it can be written there."""
    from churnml.events.clock import moment  # noqa: PLC0415

    day = moment(asked.end, session.settings.time_zone).date().isoformat()
    target = out or session.workspace.root / "reports" / f"report-{day}.html"
    if target.suffix != ".html":
        raise UsageError(f"--out must end in .html, got {target.name}; rename it, or have figures with --json")
    require_places([target])
    return target.resolve()


def _write(session: Session, bodies: list[Json], target: Path, language: Language) -> None:
    from churnml.service.pages.measures.page import measures_page  # noqa: PLC0415  # Jinja

    with session.workspace.atomically(target) as draft:
        draft.write_text(measures_page(bodies, language), encoding="utf-8")
