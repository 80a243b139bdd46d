"""How many of those who came go from stage to stage, how long it takes them, and where most are lost.

A funnel is of a cohort: the customers whose first stage was reached within the days that are asked about, watched until
the last of these days. Some came a year ago and some last week; `funnel` says what has been seen of them so far, and
`funnel_eventual` what that will come to, by counting each for as long as they were watched.
"""

from __future__ import annotations

import pandas as pd

from churnml.config import FunnelRules
from churnml.events.books import Books
from churnml.events.clock import days_later, moment
from churnml.measures.funnel import Funnel, open_funnel
from churnml.measures.funnel_cohort import Cohort
from churnml.measures.funnel_words import COMPARED, EVENTUAL, FUNNEL, STANDING, early, told
from churnml.measures.intervals import difference_of_shares
from churnml.measures.measure import Asked, Measure
from churnml.measures.parts import parts
from churnml.wording import Text

_LEVEL = 0.95
_LATE = 0.05


def funnel_measures(books: Books, rules: FunnelRules, asked: Asked) -> list[Measure]:
    """Return the funnel of those who came in a stretch of days, what it will come to, and what it was before.

    Returns
    -------
    list of Measure
        `funnel`, `funnel_eventual`, `funnel_compared` where the span before is known, and `funnel_standing`.
    """
    funnel, zone = open_funnel(books, rules), books.time_zone
    days = tuple(moment(one, zone).date().isoformat() for one in (asked.begin, asked.end))
    cohort = Cohort(books, funnel, asked, parts(books, asked.by))
    whole = cohort if asked.by is None else Cohort(books, funnel, asked, parts(books, None))
    begun = (*funnel.remarks, *whole.narrowest(), *whole.known_by_buying())
    hidden = cohort.hidden()
    common = {"begin": days[0], "end": days[1], "sources": funnel.sources}
    compared, why_not = _compared(books, funnel, asked, whole)
    return [
        told(FUNNEL, cohort.frame(), funnel.stages, asked.by, (*begun, *why_not, *hidden), common),
        told(EVENTUAL, cohort.eventual(), funnel.stages, asked.by, hidden, common),
        *([] if compared is None else [told(COMPARED, compared, funnel.stages, None, (), common)]),
        told(STANDING, _standing(books, funnel), funnel.stages, None, (), common | {"begin": _first_day(books)}),
    ]


def _compared(books: Books, funnel: Funnel, asked: Asked, now: Cohort) -> tuple[pd.DataFrame | None, tuple[Text, ...]]:
    """Return conversions beside those of the span before, each watched to the end of its own span; None if unknown.

    All stages share one error: each interval is at 1 - 0.05 / number of stages (Bonferroni).
    """
    zone = books.time_zone
    length = (moment(asked.end, zone).date() - moment(asked.begin, zone).date()).days
    begin = days_later(asked.begin, -length, zone)
    first = books.frame(f"SELECT min(reached_0) AS first FROM {funnel.reached}")["first"][0]
    if first > begin + _LATE * (asked.begin - begin):
        return None, (early(moment(int(first), zone).date().isoformat(), length),)
    before = Cohort(books, funnel, Asked(begin, asked.begin, asked.every, None, asked.smallest), now.parts)
    rows, level = [], 1 - (1 - _LEVEL) / (len(funnel.stages) - 1)
    for place, stage in enumerate(funnel.stages[1:], start=1):
        k, k_before = now.reached[place], before.reached[place]
        n, n_before = now.reached[place - 1], before.reached[place - 1]
        row: dict[str, object] = {"stage": stage.name, "entered": n, "entered_before": n_before}
        if min(n, n_before) >= asked.smallest:
            difference, low, high = (
                float(one[0]) for one in difference_of_shares(([k], [k_before]), ([n], [n_before]), level)
            )
            row |= {"before": k_before / n_before, "now": k / n, "difference": difference, "low": low, "high": high}
            row |= {"beyond_noise": "yes" if low > 0 or high < 0 else "no"}
        rows.append(row)
    names = ("stage", "entered_before", "entered", "before", "now", "difference", "low", "high", "beyond_noise")
    return pd.DataFrame(rows, columns=list(names)), ()


def _standing(books: Books, funnel: Funnel) -> pd.DataFrame:
    """Return how many of the base have come as far as each stage and no further; they add up to the base."""
    counts = ", ".join(f"count(reached_{place}) AS stage_{place}" for place in range(len(funnel.stages)))
    reached = [*books.frame(f"SELECT {counts} FROM {funnel.reached}").iloc[0].astype(int), 0]
    rows = [
        {"stage": stage.name, "customers": reached[place] - reached[place + 1]}
        for place, stage in enumerate(funnel.stages)
    ]
    if reached[0] < books.base:
        rows.insert(0, {"stage": "none", "customers": books.base - reached[0]})
    frame = pd.DataFrame(rows)
    return frame.assign(share=frame["customers"] / books.base)


def _first_day(books: Books) -> str:
    first = books.frame("SELECT min(first_known_at) AS first FROM customers")["first"][0]
    return moment(int(first), books.time_zone).date().isoformat()
