"""What the columns of a file look like, from its first rows: times and how they are written, amounts, ids, e-mails.

Nothing here tells what a value says, only what kind of value it is; no value is kept beyond the few that a column of
few values has, and of a column that looks like an e-mail not even those.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from churnml.events.sources import ROW, Format, Unit
from churnml.events.sources.parts import Part
from churnml.events.sources.vocabulary import VALUE_WORDS

SAMPLE_ROWS = 2_000
_FEW = 24
_MOST = 0.9  # of the values of a column must be times, for it to hold times
_ISO = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?)?")
_OFFSET = re.compile(r"\d{2}:\d{2}.*(Z|UTC|[+-]\d{2}(:?\d{2})?)$")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[\d ()/.-]{7,20}")
_WHOLE = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_CURRENCY = r"(?:[A-Z]{1,2}\$|[$€£¥₹₽₩元]|RMB|EUR|USD|GBP|CHF|CNY|JPY|CAD|AUD|SEK|NOK|DKK|PLN|CZK|INR|kr\.?|zł|Kč)"
_SIGNED = re.compile(rf"([+-]?)\s*{_CURRENCY}\s*([+-]?\d[\d.,'\u2019 ]*)|([+-]?\d[\d.,'\u2019 ]*?)\s*{_CURRENCY}")
_AMOUNT = re.compile(r"[+-]?(\d+|\d{1,3}([.,'\u2019 ]\d{3})+)([.,]\d{1,4})?")
_GROUPED = re.compile(r"[+-]?\d{1,3}[.,]\d{3}")
_TRUTHS = {word for words in VALUE_WORDS["granted"].values() for word in words.split()} | {"true", "false"}
_EPOCHS: dict[Unit, range] = {  # 2001 to 2100
    "epoch_seconds": range(978_307_200, 4_102_444_800),
    "epoch_milliseconds": range(978_307_200_000, 4_102_444_800_000),
    "epoch_microseconds": range(978_307_200_000_000, 4_102_444_800_000_000),
}
_DAYS = (
    "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d",
    "%Y%m%d", "%Y年%m月%d日", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%m.%d.%Y", "%m.%d.%y",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %H:%M", "T%H:%M:%S")
PATTERNS = tuple(day + clock for day in _DAYS for clock in _CLOCKS)
DAY_FIRST = {
    pattern: re.sub(r"^%d(.)%m", r"%m\1%d", pattern) for pattern in PATTERNS if re.match(r"%d[./-]%m", pattern)
}
"""For each pattern that begins with the day, the one that begins with the month."""


@dataclass(frozen=True)
class Seen:
    """What a column looks like; shares are of the values that are filled.

    Parameters
    ----------
    patterns : tuple of str
        How times could be written; empty text is ISO 8601. Several where the sample cannot tell.
    unit : str
        What numbers count if they are times.
    amounts : float
        Of the values, which share are amounts with a sign or a code of a currency.
    few : tuple of str
        The values there are, if they are few.
    mark_open : str
        The mark, a comma or a point, of numbers such as 1,234 that may be thousands or fractions where none of them
        tells; empty where one does.
    none_yet : bool
        Whether the file has no row at all: nothing speaks against what the column is called.
    """

    name: str
    filled: float
    distinct: float
    numbers: float = 0.0
    whole: float = 0.0
    largest: float = 0.0
    truths: float = 0.0
    emails: float = 0.0
    phones: float = 0.0
    objects: float = 0.0
    amounts: float = 0.0
    patterns: tuple[str, ...] = ()
    unit: Unit = ""
    time_of_day: bool = False
    offset: bool = False
    few: tuple[str, ...] = ()
    mark_open: str = ""
    none_yet: bool = False

    @property
    def moments(self) -> bool:
        """Whether the values are times."""
        return bool(self.patterns or self.unit)


@dataclass(frozen=True)
class Looked:
    """A file as its first rows show it."""

    part: Part
    columns: dict[str, Seen]
    formats: dict[str, Format]
    rows: int

    @property
    def path(self) -> Path:
        """The file."""
        return self.part.path


def look(part: Part, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Looked:
    """Return what the columns of a file look like.

    Raises
    ------
    ChurnmlError
        If the file cannot be read.
    """
    rows = part.rows(connection, scratch, first=SAMPLE_ROWS)
    types = dict(zip(rows.relation.columns, (str(kind) for kind in rows.relation.types), strict=True))
    names = [name for name in types if name != ROW]
    texts = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}"::VARCHAR' for name in names)
    sample = rows.relation.limit(SAMPLE_ROWS).project(texts).fetchall() if names else []
    columns = dict(zip(names, zip(*sample, strict=True) if sample else ((),) * len(names), strict=True))
    seen = {
        name: _seen(
            name, [text for text in values if text], len(values), types[name], rows.formats.get(name), connection
        )
        for name, values in columns.items()
    }
    return Looked(part, seen, dict(rows.formats), len(sample))


def _seen(
    name: str, texts: Sequence[str], rows: int, kind: str, written: Format | None, connection: duckdb.DuckDBPyConnection
) -> Seen:
    if not texts:
        return Seen(name, 0.0, 0.0 if rows else 1.0, none_yet=not rows)
    values = set(texts)
    plain = [_plain(text, written or Format()) for text in texts]
    plain = [text.replace(",", "") if _GROUPED.fullmatch(text) else text for text in plain]  # a number either way
    numbers = [float(text) for text in plain if _NUMBER.fullmatch(text)]
    unit = _epoch(name, plain)
    patterns = ("",) if kind.startswith(("TIMESTAMP", "DATE")) else () if unit else written_as(values, connection)
    few = tuple(sorted(values)) if len(values) <= _FEW and max(map(len, values)) <= 40 else ()
    emails = _share(_EMAIL.fullmatch, texts)
    return Seen(
        name,
        filled=len(texts) / rows,
        distinct=len(values) / len(texts),
        numbers=len(numbers) / len(texts),
        whole=_share(_WHOLE.fullmatch, plain),
        largest=max(numbers, default=0.0),
        truths=_share(lambda text: text.casefold() in _TRUTHS, texts),
        emails=emails,
        phones=_share(_PHONE.fullmatch, texts),
        amounts=_share(_signed, texts),
        objects=_share(lambda text: text.startswith("{") and text.endswith("}"), texts),
        patterns=patterns,
        unit=unit,
        time_of_day=bool(unit) or any(":" in text for text in texts),
        offset=bool(unit) or "TIME ZONE" in kind or (patterns == ("",) and all(map(_OFFSET.search, texts))),
        few=few if emails == 0 else (),
        mark_open=_mark_open(texts, written),
    )


def _plain(text: str, written: Format) -> str:
    bare = text.replace(written.sign, "").strip() if written.sign else text
    return (
        bare.replace(written.thousands, "").replace(written.decimal, ".")
        if written.thousands
        else bare.replace(written.decimal, ".")
    )


def _signed(text: str) -> object:
    """Tell whether a text is an amount with the sign or the code of a currency, such as 1.234,50 € or ￥99.00."""
    found = _SIGNED.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return found and _AMOUNT.fullmatch("".join(filter(None, found.groups())).strip())


def _mark_open(texts: Sequence[str], written: Format | None) -> str:
    """Return the mark of which ingest would ask what it means; a reader that judges its numbers says so itself."""
    if written is not None:
        return next((mark for mark in ",." if mark in written.doubt), "")
    return "," if any("," in text for text in texts) and all(map(_one_mark, texts)) else ""


def _one_mark(text: str) -> object:
    return _GROUPED.fullmatch(text) or _WHOLE.fullmatch(text)


def _share(holds: Callable[[str], object], texts: Sequence[str]) -> float:
    return sum(1 for text in texts if holds(text)) / len(texts)


def _epoch(name: str, plain: Sequence[str]) -> Unit:
    """Return what large whole numbers count if all could be times; an id of ten digits is told by its name."""
    if not all(text.isdecimal() and len(text) < 18 for text in plain) or re.search(
        r"(?i)id$|number|nr$|phone|号", name
    ):
        return ""
    return next((unit for unit, times in _EPOCHS.items() if all(int(text) in times for text in plain)), "")


def written_as(values: Iterable[str], connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Return the patterns that read the most values as times, if that is nearly all; ISO 8601 is the empty one.

    A header that comes again, or a few days written otherwise, do not hide what a column is; ingest tells them row by
    row.
    """
    texts = sorted(values)
    if _share(_ISO.fullmatch, texts) >= _MOST:
        return ("",)
    likely = [text for text in texts if len(text) < 40 and re.search(r"\d[^\d]|^\d{8}$", text)]
    if len(likely) < _MOST * len(texts):
        return ()
    checks = ", ".join(f"count(*) FILTER (try_strptime(text, '{pattern}') IS NOT NULL)" for pattern in PATTERNS)
    (counts,) = connection.execute(f"SELECT {checks} FROM (SELECT unnest(?) AS text)", [likely]).fetchall()
    reads = {one: count for one, count in zip(PATTERNS, counts, strict=True) if _plausible(one, likely)}
    most = max(reads.values(), default=0)
    return tuple(one for one, count in reads.items() if count == most) if most >= _MOST * len(texts) else ()


def _plausible(pattern: str, texts: Sequence[str]) -> bool:
    """Tell whether years have the digits the pattern says, which the reading of one does not ask, and are years."""
    if "%Y%m%d" in pattern:
        return all("1900" <= text[:4] <= "2199" for text in texts)
    return (
        _share(re.compile(r"\d{4}").search, texts) >= _MOST
        if "%Y" in pattern
        else not any(re.search(r"\d{4}", text) for text in texts)
    )
