"""Striking out: reports, logs and messages of errors name customers as examples; the name goes, the text stays.

In a page, a Markdown or a JSON an id is nothing but a word, and so may be a number that has nothing to do with anybody.
A word is taken for an id where it stands in quotes, or is of a kind that no count, share or size is.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Collection

GONE = "(erased)"
"""What stands in place of an id."""
_QUOTED = (
    r"(?:(?<=[\"'“‘`「])|(?<=&quot;)|(?<=&#34;)|(?<=&#39;)|(?<=&#x27;)){one}(?=[\"'”’`」]|&quot;|&#34;|&#39;|&#x27;)"
)
_FIGURE = r"(?<![\w&#.,+-]){one}(?![\w%]|[.,]\d)"
_WORD = r"(?<![\w&#]){one}(?!\w)"
_NUMBER = re.compile(r"[-+.,%\d]*")
_LONG = 6
"""Digits of a number that is taken for an id although it stands in no quotes."""


def without_names(text: str, whom: Collection[str]) -> tuple[str, int]:
    """Return a text in which some customers' ids, addresses and numbers are struck out, and how often they were.

    Parameters
    ----------
    whom : collection of str
        As they are kept; in the text they may be written as HTML or JSON write them.

    Examples
    --------
    >>> without_names("customer 'C7' is one of 70", ["C7", "70"])
    ("customer '(erased)' is one of 70", 1)
    """
    names = sorted({form for one in whom if one for form in _forms(one)}, key=len, reverse=True)
    found = 0
    for one in names:
        pattern = _WORD if _NUMBER.fullmatch(one) is None else _FIGURE if len(one) >= _LONG else _QUOTED
        text, count = re.subn(pattern.replace("{one}", re.escape(one)), GONE, text)
        found += count
    return text, found


def _forms(one: str) -> set[str]:
    """Return how an id may be written in a page, a JSON or a Python text."""
    pages = {html.escape(one), html.escape(one, quote=False), html.escape(one).replace("&#x27;", "&#39;")}
    pages |= {form.replace("&quot;", "&#34;") for form in pages}
    return pages | {one, json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1], repr(one)[1:-1]}
