"""A measure as a page reads it: its figures in words, its parts, and axes in its units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from churnml.charts import Mark, Tick
from churnml.drawing import scale
from churnml.measures.cells import POINTS, cell_of
from churnml.wording import Language, Text, format_date, format_money, format_month, format_number

Json = dict[str, Any]  # Any: JSON

_ALL = (None, "", "all")
_MOST_PARTS = 6
_MOST_LABELS = 7
OF_PART = Text("{title}: {part}", "{title}：{part}")
_IN = {
    "days": (Text("days", "天"), Text("{title} (days)", "{title}（天）")),
    "hours": (Text("hours", "小时"), Text("{title} (hours)", "{title}（小时）")),
}
_LONG = Text("{length} {unit}", "{length} {unit}")
_BETWEEN = Text("{value} ({low} to {high})", "{value}（{low} 至 {high}）")


@dataclass(frozen=True)
class Figures:
    """A measure, the currency of its amounts and the language it is told in.

    Parameters
    ----------
    measure : dict
        From `Measure.to_json`; of a picture, with the rows that it shows.
    currency : str
        ISO 4217.
    language : {"en", "zh"}
    """

    measure: Json
    currency: str
    language: Language

    @property
    def rows(self) -> list[Json]:
        """The rows."""
        return list(self.measure["rows"])

    @property
    def title(self) -> str:
        """The heading."""
        return str(self.measure["title"][self.language])

    def of(self, rows: Sequence[Json]) -> Figures:
        """Return the measure with some of its rows alone."""
        return Figures(self.measure | {"rows": list(rows)}, self.currency, self.language)

    def has(self, *names: str) -> bool:
        """Tell whether it has all of these columns."""
        return all(name in self.measure["columns"] for name in names)

    def heading(self, name: str) -> str:
        """Return the heading of a column, with its unit where that is a length of time and the title leaves it out."""
        about = self.measure["columns"][name]
        title = str(about["title"][self.language])
        unit, within = _IN.get(about["unit"], (None, None))
        if unit is None or within is None or unit.to(self.language) in title:
            return title
        return within.to(self.language).format(title=title)

    def unit(self, row: Json, name: str) -> str:
        """Return the unit of a figure."""
        about = self.measure["columns"][name]
        return str(row[about["unit_in"]] if about.get("unit_in") else about["unit"])

    def say(self, row: Json, name: str) -> str:
        """Return a figure in words; `–` where it is missing."""
        return cell_of(row, name, self.measure["columns"][name], self.currency, self.language)

    def say_between(self, row: Json, value: str, low: str = "low", high: str = "high") -> str:
        """Return a figure with its interval in words, without one where none is told."""
        if not self.has(low, high) or row[low] is None or row[high] is None:
            return self.say(row, value)
        told = {"value": self.say(row, value), "low": self.say(row, low), "high": self.say(row, high)}
        return _BETWEEN.to(self.language).format(**told)

    def mark(self, row: Json, label: str, value: str, low: str = "low", high: str = "high", kind: str = "ours") -> Mark:
        """Return a figure as a chart draws it."""
        ends = [number(row, name) if self.has(name) else None for name in (low, high)]
        said = self.say_between(row, value, low, high)
        return Mark(label, number(row, value), ends[0], ends[1], said, kind)

    def ticks(self, values: Iterable[float | None], unit: str, parts: int = 4) -> list[Tick]:
        """Return round places around some values, each written in a unit."""
        told = [value for value in values if value is not None]
        places = scale(min(told, default=0.0), max(told, default=1.0), parts)
        return [(place, self.tick(place, unit, places[-1])) for place in places]

    def tick(self, place: float, unit: str, most: float) -> str:
        """Return a place on an axis in words, an amount without cents where they would crowd it."""
        if unit in POINTS:
            return format_number(round(100 * place, 2), self.language) + POINTS[unit].to(self.language)
        if unit == "money":
            return format_money(place, self.currency, self.language, whole=abs(most) >= 10)
        if unit in _IN:
            length = format_number(place, self.language)
            return _LONG.to(self.language).format(length=length, unit=_IN[unit][0].to(self.language))
        return format_number(place, self.language)

    def parts(self) -> Iterator[tuple[str, Figures]]:
        """Give the rows of everybody, else those of each part, a few at most, each with the name of the part."""
        found: dict[Any, list[Json]] = {}
        for row in self.measure["rows"]:
            found.setdefault(row.get("part"), []).append(row)
        whole = [row for part in _ALL for row in found.get(part, [])]
        if whole:
            yield "", self.of(whole)
            return
        for part, rows in list(found.items())[:_MOST_PARTS]:
            named = self.say(rows[0], "part") if self.has("part") else str(part)
            yield named, self._titled(OF_PART.to(self.language).format(title=self.title, part=named)).of(rows)

    def _titled(self, title: str) -> Figures:
        return Figures(self.measure | {"title": {self.language: title}}, self.currency, self.language)


def number(row: Mapping[str, Any], name: str) -> float | None:  # Any: JSON
    """Return a figure as a number; None where it is missing."""
    value = row.get(name)
    return None if value is None else float(value)


def in_order(rows: Iterable[Json], name: str) -> list[Any]:  # Any: keys of JSON
    """Return the values of a column, each once, in the order in which they come."""
    return list(dict.fromkeys(row[name] for row in rows))


def along(days: Sequence[str], language: Language, most: int = 6) -> list[Tick]:
    """Return ticks for some days, ISO 8601 and ascending: the first, the last and some between.

    The label of the last ends where the axis does, and so needs the room of one and a half.
    """
    every = -(-(len(days) - 1) // most) or 1
    chosen = [*days[: -every - every // 2 : every], days[-1]]
    return [(ordinal(day), short(day, language, days)) for day in chosen]


def moments(days: Sequence[str], language: Language) -> list[str]:
    """Return a label for each of some days, ISO 8601 and ascending; of many, seven at most, and the last always."""
    every = -(-(len(days) - 1) // (_MOST_LABELS - 1)) or 1
    return ["" if (len(days) - 1 - place) % every else short(day, language, days) for place, day in enumerate(days)]


def short(day: str, language: Language, among: Sequence[str]) -> str:
    """Return a day in words: a month where all that it stands among begin one, or end one.

    The last may end early, since data end on any day; it alone is then told whole.
    """
    begins, ends = (all(at(one) for one in among[:-1] or among) for at in (_begins, _ends))
    monthly = (begins and _begins(day)) or (ends and _ends(day))
    return format_month(day, language) if monthly else format_date(day, language)


def _begins(day: str) -> bool:
    return date.fromisoformat(day).day == 1


def _ends(day: str) -> bool:
    return (date.fromisoformat(day) + timedelta(days=1)).day == 1


def ordinal(day: str) -> float:
    """Return a day, ISO 8601, as a place on an axis."""
    return float(date.fromisoformat(day).toordinal())
