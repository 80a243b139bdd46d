"""Sentences that a command tells in English, known by their pattern and said in Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_PLACE = re.compile(r"\{(\w+)\}")


def reader(table: Mapping[str, str]) -> Callable[[str], tuple[str, dict[str, str]] | None]:
    """Return what tells of a sentence how it is said, and what stands in its places; None of one that is not known.

    Parameters
    ----------
    table : mapping of str to str
        By sentence, its translation; in braces what differs from one time to the next. The first that fits counts.

    Examples
    --------
    >>> read = reader({"{n} rows": "{n} 行"})
    >>> read("20 rows"), read("20 columns")
    (('{n} 行', {'n': '20'}), None)
    """
    patterns = [(_pattern(english), said) for english, said in table.items()]

    def read(text: str) -> tuple[str, dict[str, str]] | None:
        for pattern, said in patterns:
            found = pattern.fullmatch(text)
            if found is not None:
                return said, found.groupdict()
        return None

    return read


def _pattern(english: str) -> re.Pattern[str]:
    pieces = _PLACE.split(english)
    return re.compile(
        "".join(f"(?P<{one}>.+?)" if place % 2 else re.escape(one) for place, one in enumerate(pieces)), re.DOTALL
    )
