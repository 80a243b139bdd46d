"""Groups of behaviour and interests as they are kept from one report to the next, so that a name means the same people.

What is kept are centres and words, no customer: everybody is given the nearest centre anew, by what they do now. When
groups are found anew, each new one that shares most of its customers with an old one bears the old one's id.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from churnml.config import GroupSettings
from churnml.events.books import Books
from churnml.events.clock import DAY
from churnml.measures.clusters import Trial, Values, kept_names, nearest_centre, stable_groups
from churnml.measures.habits import Habit, Side, habit_table, habits, sources
from churnml.wording import Text

Json = dict[str, Any]  # Any: JSON

TOO_FEW_ACTS = "too_few_acts"
FEWEST_CUSTOMERS = 100
"""Fewer tell no groups of behaviour."""

APART = 0.5
"""Standard deviations between a group and everybody from which on a habit is named."""

_NAMED = 3
_LEAST_SAME_COLUMNS = 0.8


@dataclass(frozen=True)
class KeptGroups:
    """Groups of one side.

    Parameters
    ----------
    side : {'behaviour', 'interests'}
    fitted_at : int
        The end of the span in which they were found, microseconds UTC.
    customers : int
        By how many.
    tables : tuple of str
        From which landed tables.
    habits : tuple of Habit
        The columns.
    mean, scale : ndarray of shape (n_habits,)
        By which columns are scaled.
    centres : ndarray of shape (n_groups, n_habits)
        Scaled: standard deviations from everybody's mean.
    ids : tuple of str
        Of the groups.
    labels : tuple of Text
        How they are called.
    trials : tuple of Trial
        What was tried.
    used : int
        How many ids were ever given.
    """

    side: Side
    fitted_at: int
    customers: int
    tables: tuple[str, ...]
    habits: tuple[Habit, ...]
    mean: Values
    scale: Values
    centres: Values
    ids: tuple[str, ...]
    labels: tuple[Text, ...]
    trials: tuple[Trial, ...]
    used: int

    def to_json(self) -> Json:
        """Return plain data."""
        return {
            "side": self.side,
            "fitted_at": self.fitted_at,
            "customers": self.customers,
            "tables": list(self.tables),
            "habits": [habit.key for habit in self.habits],
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "centres": self.centres.tolist(),
            "ids": list(self.ids),
            "labels": [asdict(label) for label in self.labels],
            "trials": [asdict(trial) for trial in self.trials],
            "used": self.used,
        }

    @classmethod
    def of_json(cls, told: Json) -> KeptGroups:
        """Return what `to_json` told."""
        columns = tuple(Habit.of(key) for key in told["habits"])
        return cls(
            side=told["side"],
            fitted_at=told["fitted_at"],
            customers=told["customers"],
            tables=tuple(told["tables"]),
            habits=columns,
            mean=np.array(told["mean"], dtype=np.float64),
            scale=np.array(told["scale"], dtype=np.float64),
            centres=np.array(told["centres"], dtype=np.float64).reshape(-1, len(columns)),
            ids=tuple(told["ids"]),
            labels=tuple(Text(**label) for label in told["labels"]),
            trials=tuple(Trial(**trial) for trial in told["trials"]),
            used=told["used"],
        )


def outdated(kept: KeptGroups, books: Books, settings: GroupSettings, begin: int, end: int) -> bool:
    """Tell whether groups should be found anew: they are old, or the data no longer have the shape they had.

    Whoever looks back to before they were found sees the groups of today.
    """
    if end <= kept.fitted_at:
        return False
    now, then = set(habits(books, kept.side, begin, end)), set(kept.habits)
    changed = sources(books, kept.side) != kept.tables or len(now & then) < _LEAST_SAME_COLUMNS * len(now | then)
    return changed or end - kept.fitted_at > settings.refit_days * DAY


def found_groups(
    books: Books, side: Side, settings: GroupSettings, begin: int, end: int, seed: int, before: KeptGroups | None = None
) -> KeptGroups | None:
    """Return the groups of one side, found by what customers did in a span; None where too few did anything.

    Parameters
    ----------
    begin, end : int
        Microseconds UTC.
    seed : int
        Of the sample, the draws and the starts.
    before : KeptGroups, optional
        Those whose ids go on.

    Returns
    -------
    KeptGroups or None
        Without centres where no number of groups was found again.
    """
    chosen = habits(books, side, begin, end)
    table = habit_table(books, side, chosen, begin, end, settings.fewest_acts)
    values = _sample(books, table, table, len(chosen), settings.sample, seed)
    if len(values) < FEWEST_CUSTOMERS or not chosen:
        return None
    values = _filled(values, np.nan_to_num(np.nanmean(values, axis=0)))
    found = stable_groups(values, most=settings.most, draws=settings.draws, agreement=settings.agreement, seed=seed)
    used = before.used if before else 0
    ids = fresh = tuple(f"{side[0]}{used + place + 1}" for place in range(len(found.centres)))
    if before is not None and len(before.centres) and len(found.centres):
        old = habit_table(books, side, before.habits, begin, end, settings.fewest_acts)
        theirs = _sample(books, old, table, len(before.habits), settings.sample, seed)
        was = nearest_centre((_filled(theirs, before.mean) - before.mean) / before.scale, before.centres)
        ids = kept_names(was, found.labels(values), before.ids, len(found.centres), fresh)
    used += len(set(ids) & set(fresh))
    labels = group_labels(chosen, found.centres)
    parts = (chosen, found.mean, found.scale, found.centres, ids, labels, found.trials, used)
    return KeptGroups(side, end, len(values), sources(books, side), *parts)


def _sample(books: Books, table: str, whose: str, columns: int, most: int, seed: int) -> Values:
    """Return the columns of some customers, drawn by lot, in an order of their own."""
    names = ", ".join(f"h{place}" for place in range(columns)) or "NULL"
    lots = f"SELECT customer_id, md5($seed || customer_id) AS lot FROM {whose} ORDER BY lot, customer_id LIMIT {most:d}"
    query = f"SELECT {names} FROM ({lots}) JOIN {table} USING (customer_id) ORDER BY lot, customer_id"
    return np.asarray(books.frame(query, {"seed": f"{seed}/"}).to_numpy(dtype=np.float64))


def _filled(values: Values, mean: Values) -> Values:
    """Return rows in which what is not known of somebody is as with everybody."""
    return np.where(np.isnan(values), mean, values)


def group_labels(columns: tuple[Habit, ...], centres: Values) -> tuple[Text, ...]:
    """Return how groups are called: by up to three habits that set them apart, what they do much of first.

    Where two would be called alike, further habits tell them apart, and where none does, a number.

    Parameters
    ----------
    centres : ndarray of shape (n_groups, n_habits)
        Standard deviations from everybody's mean.
    """
    names = [_called(columns, centre, _NAMED) for centre in centres]
    for most in range(_NAMED + 1, len(columns) + 1):
        twice = [names.count(name) > 1 for name in names]
        names = [
            _called(columns, centre, most) if again else name
            for name, centre, again in zip(names, centres, twice, strict=True)
        ]
    return tuple(
        Text(f"{name.en} ({place})", f"{name.zh}（{place}）") if names.count(name) > 1 else name
        for place, name in enumerate(names, 1)
    )


def _called(columns: tuple[Habit, ...], centre: Values, most: int) -> Text:
    order = sorted(range(len(columns)), key=lambda place: (centre[place] < 0, -abs(centre[place])))
    apart = [place for place in order if abs(centre[place]) >= APART]
    once: dict[str, int] = {}
    for place in apart:
        once.setdefault(columns[place].value or columns[place].field, place)  # a category and its search word are one
    told = [columns[place].words(much=bool(centre[place] > 0)) for place in list(once.values())[:most]]
    if not told:
        return Text("Like most", "与多数客户相近")
    english = ", ".join(words.en for words in told)
    return Text(english[:1].upper() + english[1:], "、".join(words.zh for words in told))


def group_table(books: Books, kept: KeptGroups, begin: int, end: int, fewest: int) -> str:
    """Keep the group of each customer who acted often enough, and return the table's name.

    Returns
    -------
    str
        Of a table with `customer_id` and `segment`, an id of `kept`.
    """
    table = habit_table(books, kept.side, kept.habits, begin, end, fewest)
    # |x / s - m / s - c| is what counts: the centres are moved once instead of everybody
    moved = kept.centres + kept.mean / kept.scale
    centres = pd.DataFrame({"place": range(len(kept.ids)), "segment": list(kept.ids), "centre": list(moved)})
    laid = books.add(f"centres_{kept.side}", centres)
    scaled = ", ".join(f"coalesce(h{place}, $m{place}) / $s{place}" for place in range(len(kept.habits)))
    query = f"""
        SELECT customer_id, arg_min(segment, (list_distance(x, centre::DOUBLE[]), place)) AS segment
        FROM (SELECT customer_id, [{scaled}]::DOUBLE[] AS x FROM {table}), {laid} GROUP BY customer_id
    """
    scales = {f"s{place}": float(one) for place, one in enumerate(kept.scale)}
    means = {f"m{place}": float(one) for place, one in enumerate(kept.mean)}
    return books.keep(f"groups_{kept.side}", query, scales | means)
