"""Those who came within some days, by part, and how they went on until the last of these days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from churnml.events.books import Books
from churnml.measures.funnel import Funnel
from churnml.measures.funnel_words import known_by_buying, narrowest, nobody, none_narrowest, small
from churnml.measures.intervals import difference_of_shares, wilson
from churnml.measures.measure import Asked
from churnml.measures.survival import Moved, curve, median_of_movers, moved_by
from churnml.wording import Text

_AT_ONCE = 0.95
_FEWEST_STEPS = 2


@dataclass(frozen=True)
class Cohort:
    """Those whose first stage was reached within a span, by part, watched until its end."""

    books: Books
    funnel: Funnel
    asked: Asked
    parts: str

    def _within(self) -> str:
        return (
            f"{self.funnel.reached} JOIN {self.parts} USING (customer_id) "
            "WHERE reached_0 >= $begin AND reached_0 < $end"
        )

    @property
    def _span(self) -> dict[str, int]:
        return {"begin": self.asked.begin, "end": self.asked.end}

    @cached_property
    def counts(self) -> pd.DataFrame:
        """`part`, and how many reached each stage; the largest part first."""
        columns = ", ".join(
            f"count(*) FILTER (reached_{place} < $end) AS stage_{place}" for place in range(len(self.funnel.stages))
        )
        query = f"SELECT part, {columns} FROM {self._within()} GROUP BY part ORDER BY stage_0 DESC, part"
        return self.books.frame(query, self._span)

    @cached_property
    def steps(self) -> tuple[pd.DataFrame, ...]:
        """Of each stage but the first, by `part` and `days`: who moved to it after so many, or was watched so long."""
        return tuple(self._step(place) for place in range(1, len(self.funnel.stages)))

    @cached_property
    def reached(self) -> list[int]:
        """How many reached each stage, of all parts together."""
        return [int(self.counts[f"stage_{place}"].sum()) for place in range(len(self.funnel.stages))]

    def _step(self, place: int) -> pd.DataFrame:
        query = f"""
            SELECT part, days, count(*) FILTER (moved) AS moved, count(*) FILTER (NOT moved) AS waiting
            FROM (SELECT part, coalesce(reached_{place} < $end, false) AS moved,
                         date_diff('day', local_time(reached_{place - 1})::DATE,
                                   local_time(CASE WHEN moved THEN reached_{place} ELSE $end - 1 END)::DATE) AS days
                  FROM {self._within()} AND reached_{place - 1} < $end)
            GROUP BY part, days ORDER BY part, days
        """
        return self.books.frame(query, self._span)

    def frame(self) -> pd.DataFrame:
        """Return the rows of `funnel`; where it is narrowest is told of everybody alone."""
        narrowest = self.narrowest_place if len(self.counts) == 1 else None
        return pd.DataFrame([row for _, counts in self.counts.iterrows() for row in self._rows(counts, narrowest)])

    def _rows(self, counts: pd.Series, narrowest: int | None) -> Iterator[dict[str, object]]:
        reached = [int(counts[f"stage_{place}"]) for place in range(len(self.funnel.stages))]
        for place, stage in enumerate(self.funnel.stages):
            row: dict[str, object] = {"part": counts["part"], "stage": stage.name, "customers": reached[place]}
            row["narrowest"] = "narrowest" if place == narrowest else None
            if place:
                row |= self._share(("reached_share", "low", "high"), reached[place], reached[0])
                row |= self._share(
                    ("conversion", "conversion_low", "conversion_high"), reached[place], reached[place - 1]
                )
                row |= self._days(self.steps[place - 1], counts["part"])
            yield row

    def _share(self, names: tuple[str, str, str], times: int, of: int) -> dict[str, float]:
        if of < self.asked.smallest:
            return dict.fromkeys(names, float("nan"))
        low, high = wilson([times], [of])
        return dict(zip(names, (times / of, float(low[0]), float(high[0])), strict=True))

    def _days(self, steps: pd.DataFrame, part: str) -> dict[str, float]:
        mine, names = steps[steps["part"] == part], ("median_days", "days_low", "days_high")
        found = curve(mine["days"], mine["moved"], mine["waiting"])
        until = moved_by(found, self.asked.smallest)
        if until is None or mine["moved"].sum() < self.asked.smallest:
            return dict.fromkeys(names, float("nan"))
        return dict(zip(names, median_of_movers(found, until[0]), strict=True))

    def eventual(self) -> pd.DataFrame:
        """Return the rows of `funnel_eventual`."""
        rows = []
        order = {part: turn for turn, part in enumerate(self.counts["part"])}
        for stage, step in zip(self.funnel.stages[1:], self.steps, strict=True):
            for part, mine in step.groupby("part"):
                moved, waiting = int(mine["moved"].sum()), int(mine["waiting"].sum())
                until = moved_by(curve(mine["days"], mine["moved"], mine["waiting"]), self.asked.smallest)
                day, share, low, high, _ = until or (np.nan,) * 5
                rows.append({
                    "part": part, "stage": stage.name, "entered": moved + waiting, "moved": moved,
                    "waiting": waiting, "eventual_share": share, "low": low, "high": high, "within_days": day,
                })  # fmt: skip
        rows.sort(key=lambda row: order[row["part"]])
        return pd.DataFrame(rows)

    def narrowest(self) -> tuple[Text, ...]:
        """Say at which stage fewest will have moved on, or that no stage stands out; nothing where too little is known.

        Stages are compared by their eventual shares: of the later ones most were watched for a shorter time, and what
        has been seen of them so far says less of how many go on.
        """
        if len(self._known) < _FEWEST_STEPS:
            return ()
        if self.narrowest_place is None:
            return (none_narrowest(),)
        before, stage = self.funnel.stages[self.narrowest_place - 1 : self.narrowest_place + 1]
        return (narrowest(before, stage, min(until.share for _, until in self._known)),)

    @cached_property
    def narrowest_place(self) -> int | None:
        """The stage that fewest will have moved on to, where that is beyond noise against every other; else None."""
        if len(self._known) < _FEWEST_STEPS:
            return None
        least, until = min(self._known, key=lambda one: one[1].share)
        others = [other for place, other in self._known if place != least]
        alone = ([until.share * until.effective] * len(others), [until.effective] * len(others))
        beside = ([other.share * other.effective for other in others], [other.effective for other in others])
        _, _, high = difference_of_shares((alone[0], beside[0]), (alone[1], beside[1]))
        return least + 1 if (high < 0).all() else None

    @cached_property
    def _known(self) -> list[tuple[int, Moved]]:
        """Return how many move on in the end from each stage of which enough did."""
        found = [(place, self._eventually(step)) for place, step in enumerate(self.steps)]
        return [(place, until) for place, until in found if until is not None]

    def _eventually(self, step: pd.DataFrame) -> Moved | None:
        """Return how many of all parts move on in the end."""
        whole = step.groupby("days", as_index=False)[["moved", "waiting"]].sum()
        return moved_by(curve(whole["days"], whole["moved"], whole["waiting"]), self.asked.smallest)

    def known_by_buying(self) -> tuple[Text, ...]:
        """Say where nearly all were known with the second stage itself: then the first step tells nothing."""
        first = self.steps[0]
        entered = int(first["moved"].sum() + first["waiting"].sum())
        at_once = int(first.loc[first["days"] == 0, "moved"].sum())
        stages = self.funnel.stages
        return (known_by_buying(stages[1]),) if entered and at_once >= _AT_ONCE * entered else ()

    def hidden(self) -> tuple[Text, ...]:
        """Say that nobody came, or that figures of few customers are missing, where that is so."""
        if self.counts.empty:
            return (nobody(),)
        entering = self.counts.drop(columns="part").iloc[:, :-1]
        return (small(self.asked.smallest),) if bool((entering < self.asked.smallest).to_numpy().any()) else ()
