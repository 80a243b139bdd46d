"""What groups customers beyond their attributes, laid into the books: stage, value and risk, RFM, own segments."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from churnml.config import MeasureConfig
from churnml.database.retention import VACUUMED
from churnml.verbs.session import Session
from churnml.verbs.stages import stages_of_base

if TYPE_CHECKING:
    from churnml.database import Run
    from churnml.events.books import Books
    from churnml.measures.measure import Asked

GROUPS = ("stage", "segment", "band", "rfm")
"""What `--by` may be beyond attributes and segments of one's own."""

_FIELDS = ("segment", "risk_band", "rung", "churn_probability", "clv", "value_at_risk")


def groups(session: Session) -> tuple[str, ...]:
    """Return what `lay_groups` can tell customers apart by."""
    return (*GROUPS, *(one.name for one in session.load("measure", MeasureConfig).segments))


def lay_groups(session: Session, books: Books, asked: Asked) -> None:
    """Lay a table `grouped` into the books: one row per customer of the base, with their group of each kind.

    It has `customer_id`, `stage` at the end of what is asked, `segment` and `band` by the latest scores of a cutoff no
    later than that (of those who were not scored, why), and `rfm`. What nothing tells is empty. Doing it twice changes
    nothing.
    """
    from churnml.measures.own_segments import IN, OUT, members  # noqa: PLC0415  # DuckDB

    told = lay_portrait(session, books, asked)
    own = {one.name: members(books, one) for one in session.load("measure", MeasureConfig).segments}
    columns = [*GROUPS, *(f"CASE WHEN {name}.member THEN '{IN}' ELSE '{OUT}' END AS {name}" for name in own)]
    joined = " ".join(f"LEFT JOIN {table} AS {name} USING (customer_id)" for name, table in own.items())
    books.keep("grouped", f"SELECT customer_id, {', '.join(columns)} FROM {told} {joined}")


def lay_portrait(session: Session, books: Books, asked: Asked, *, stages: bool = True) -> str:
    """Lay the portrait of each customer into the books, see `measures.portrait`, and return the table's name.

    Stages cost a pass over the features, and are left empty where nobody asks for them.
    """
    from churnml.measures.portrait import portrait  # noqa: PLC0415  # DuckDB

    settings = session.load("measure", MeasureConfig)
    run = scored_by(session, asked.end)
    if run is not None:
        lay_scores(session, books, run, "scored")
    if stages:
        books.add("staged", stages_of_base(session, asked.end))
    return portrait(books, asked.begin, asked.end, session.settings.margin_rate, settings.rfm_days)


def scored_by(session: Session, at: int) -> Run | None:
    """Return the run that scored everybody at the latest cutoff up to a moment, None where none did."""
    from churnml.events.clock import microseconds  # noqa: PLC0415

    runs = [run for verb in ("score", "assign") for run in session.catalogue.runs(verb) if VACUUMED not in run.summary]
    dated = [(microseconds(datetime.fromisoformat(run.summary["cutoff"])), run.finished_at or 0, run) for run in runs]
    return max((one for one in dated if one[0] <= at), key=lambda one: one[:2], default=(0, 0, None))[2]


def lay_scores(session: Session, books: Books, run: Run, name: str) -> str:
    """Lay what a run told of each customer into the books, see `measures.portrait.SCORED`, and return the name."""
    import pandas as pd  # noqa: PLC0415

    from churnml.measures.portrait import SCORED  # noqa: PLC0415

    frame = pd.DataFrame(session.records.fields(run.run_id, _FIELDS), columns=["customer_id", *SCORED])
    numbers = dict.fromkeys(("churn_probability", "clv", "value_at_risk"), "float64")
    return books.add(name, frame.astype({**dict.fromkeys(frame.columns, "string"), **numbers}))
