"""Text that came with the data, made fit for a page: nothing in it can run, hide, or turn the line around."""

from __future__ import annotations

import json

from markupsafe import Markup

LONGEST = 300
_NAMES = {
    "\0": "NUL",
    "\t": "TAB",
    "\n": "LF",
    "\r": "CR",
    "\x1b": "ESC",
    "\x7f": "DEL",
    "\xa0": "NBSP",
    "\ufeff": "BOM",
}


def visible(text: object, longest: int = LONGEST) -> Markup:
    """Return a text with every character that shows nothing replaced by a sign that names it, cut where it is long.

    Parameters
    ----------
    text : object
        A value from a file, or the name of one; what is no text is written as JSON.
    longest : int, default=300
        Characters that are shown; how many there are is said of what is cut.

    Examples
    --------
    >>> str(visible("<b>"))
    '&lt;b&gt;'
    >>> str(visible(chr(0)))
    '<span class="escape">NUL</span>'
    """
    whole = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
    shown = Markup("").join(one if one.isprintable() else _named(one) for one in whole[:longest])
    rest = len(whole) - longest
    return shown if rest <= 0 else shown + Markup('<span class="escape">… +{:,}</span>').format(rest)


def marked(text: str) -> Markup:
    """Return a sentence of ours that may quote data, what stands in backticks as code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # one backtick too many: it is not ours
        return visible(text, longest=4_000)
    shown = [visible(piece, longest=4_000) for piece in pieces]
    return Markup("").join(Markup("<code>{}</code>").format(one) if n % 2 else one for n, one in enumerate(shown))


def _named(character: str) -> Markup:
    return Markup('<span class="escape">{}</span>').format(_NAMES.get(character, f"U+{ord(character):04X}"))
