"""`churnml measure lifecycle`: who stands where in their life, how they moved, and how long they stayed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from churnml.measures.lives import Lives, lives, remarks
from churnml.measures.paths import keep_paths
from churnml.measures.periods import periods, turns
from churnml.measures.stage_time import stage_time
from churnml.measures.transitions import stage_counts, stage_flow, stage_transitions
from churnml.verbs.session import Session
from churnml.verbs.stages import StageTerms, stage_history, stage_terms
from churnml.wording import Text

if TYPE_CHECKING:
    from churnml.events.books import Books
    from churnml.measures.measure import Asked, Measure

_NO_MOVES = Text(
    "There is no whole period between the first day and the last, so moves and times are not told; ask for more days.",
    "起止日之间没有一个完整周期，因此不给出迁移与停留时间；请扩大日期范围。",
)

_OLDER = Text(
    "The paths of single customers that are kept reach further than this, and stay as they are.",
    "已保存的单个客户路径比本次更新，保持不变。",
)


def figures(session: Session, books: Books, asked: Asked) -> list[Measure]:
    """Return who stands in which stage, moves between them, how long they stayed, and stages at the ends of periods."""
    terms = stage_terms(session, asked.end)
    told = _lives(session, books, asked, terms)
    kept = asked.every != "month" or keep_paths(
        session.workspace,
        session.catalogue,
        told.history,
        books.time_zone,
        terms.population_days,
        terms.rules,
        terms.by,
        session.landed_until,
    )
    first, said = stage_flow(told), remarks(told, session.store.span[0], terms.population_days)
    moves = [stage_transitions(told), stage_time(told)] if told.whole else []
    said = (*said, *([] if moves else [_NO_MOVES]), *([] if kept else [_OLDER]))
    return [replace(first, remarks=(*said, *first.remarks)), *moves, stage_counts(told)]


def _lives(session: Session, books: Books, asked: Asked, terms: StageTerms) -> Lives:
    """Return everybody's stages at the ends of whole periods, and at the end where it is none."""
    ends = turns(asked.begin, asked.end, asked.every, books.time_zone) or (asked.begin,)
    if len(ends) > 1:
        periods(asked.begin, asked.end, asked.every, books.time_zone)  # that they are not too many
    cutoffs = ends if ends[-1] == asked.end else (*ends, asked.end)
    return lives(books, stage_history(session, cutoffs, terms), len(ends) - 1, asked.by, asked.smallest)
