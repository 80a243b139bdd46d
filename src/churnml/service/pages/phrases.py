"""What ingest and the watch say, in the reader's language: their sentences are English where made, and known here.

A sentence with places is a message whose places stand for whatever is found there. What is not known stays English.
"""

from __future__ import annotations

import re
from functools import cache

from churnml.service.pages.watch_phrases import watch_phrases
from churnml.wording import Language, translator

_PLACE = re.compile(r"%\((\w+)\)s")
_DATA_SETS = {"Complete Journey", "CDNOW"}
_TABLES = {"tables", "missing"}  # the places of sentences in which tables stand
_LIST = re.compile(r"\w+((, | or | and no )\w+)+")


def table_name(table: str, language: Language) -> str:
    """Return what a table is called in a language; in English, and for one that is not known, by its identifier.

    Examples
    --------
    >>> table_name("orders", "zh"), table_name("order_lines", "en")
    ('订单', 'order_lines')
    """
    _ = translator(language).gettext
    names = {
        "customers": _("customers"),
        "profile_changes": _("profile_changes"),
        "consents": _("consents"),
        "orders": _("orders"),
        "order_lines": _("order_lines"),
        "returns": _("returns"),
        "interactions": _("interactions"),
        "tickets": _("tickets"),
        "surveys": _("surveys"),
        "subscriptions": _("subscriptions"),
        "contacts": _("contacts"),
    }
    return names.get(table, table)


def origin_name(origin: str, language: Language) -> str:
    """Return what a source is called: a file by its own name, a table of a data set that comes with a package in words.

    Examples
    --------
    >>> origin_name("Complete Journey, orders", "zh"), origin_name("shop, orders", "zh")
    ('Complete Journey：订单', 'shop, orders')
    """
    data_set, _, table = origin.partition(", ")
    if data_set not in _DATA_SETS or not table:
        return origin
    words = translator(language).gettext("%(data_set)s, %(table)s")
    return words % {"data_set": data_set, "table": table_name(table, language)}


def say(text: str, language: Language) -> str | None:
    """Return a sentence of ingest or of the watch in a language, or None if it is not one that is known.

    Examples
    --------
    >>> say("must be at least 0", "zh")
    '不得小于 0'
    """
    for pattern, translated in _book(language):
        found = pattern.fullmatch(text)
        if found:
            return translated % {name: _within(value, name, language) for name, value in found.groupdict().items()}
    return None


def _within(value: str, place: str, language: Language) -> str:
    """Return what stands in a place of a sentence: a sentence of its own, a list, or something found."""
    _ = translator(language).gettext
    if place in _TABLES:
        value = re.sub(r"\w+", lambda found: _with_identifier(found.group(), language), value)
        return value.replace(", ", _(", ")).replace(" or ", _(" or ")).replace(" and no ", _(" and no "))
    if _LIST.fullmatch(value):
        return value.replace(", ", _(", ")).replace(" or ", _(" or ")).replace(" and no ", _(" and no "))
    return say(value, language) or value


def _with_identifier(table: str, language: Language) -> str:
    name = table_name(table, language)
    return table if name == table else f"{name}（{table}）"


@cache
def _book(language: Language) -> list[tuple[re.Pattern[str], str]]:
    pairs = zip(_sentences("en"), _sentences(language), strict=True)
    return [(_pattern(english), translated) for english, translated in pairs]


def _pattern(english: str) -> re.Pattern[str]:
    pieces = _PLACE.split(english)
    return re.compile(
        "".join(f"(?P<{one}>.*?)" if n % 2 else re.escape(one) for n, one in enumerate(pieces)), re.DOTALL
    )


def _sentences(language: Language) -> list[str]:
    own = [*_rules(language), *_remedies(language), *_refusals(language), *_outlooks(language)]
    return [*own, *watch_phrases(language)]


def _rules(language: Language) -> list[str]:
    _ = translator(language).gettext
    return [
        _("must be filled"),
        _("must be a text"),
        _("must be a text, found a list"),
        _("must be a text, found an object"),
        _("must be a text, found true or false"),
        _("must be a whole number"),
        _("must be a number"),
        _("must be an amount between %(low)s and %(high)s"),
        _("must be an amount"),
        _("must be true or false"),
        _("must be one JSON object"),
        _("must be a date or time between %(first)s and %(last)s"),
        _("must be at least %(bound)s"),
        _("must be at most %(bound)s bytes long"),
        _("must be at most %(bound)s"),
        _("must be one of %(listed)s"),
        _("must be a record of at most %(bound)s bytes"),
        _("must end as the other rows do"),
        _("must have no blank at its ends and no control character"),
        _("must have a `%(column)s`"),
        _("must not lie before `%(column)s`"),
        _("lies before `occurred_at`; the row counts as known when it happened"),
        _("must not lie in the future"),
        _("must lie between `%(low)s` and `%(high)s`"),
        _("must be a customer of the table `customers`"),
        _("must not name two different rows"),
        _("must not contradict the row that stands"),
        _("was first told otherwise"),
        _("is another first contact than an earlier row tells"),
        _("is not among the %(table)s that have landed"),
        _("is kept to 1/10,000 unit; finer fractions are rounded"),
        _("did not exist: clocks went forward; the time after is taken"),
        _("has a blank at its ends, and so names another row than without"),
        _("is no customer yet"),
        _("is read without the blanks at its ends"),
        _("is read in small letters and without blanks at its ends"),
        _("is no date that has come: what is refused holds from its landing on"),
        _("lies in the future; no cutoff before it sees the row"),
        _("lies in the future; no cutoff before it sees it"),
        _("looks like a placeholder for a missing date"),
        _("was there twice: clocks went back; the second is taken"),
    ]


def _remedies(language: Language) -> list[str]:
    _ = translator(language).gettext
    return [
        _("fill it in"),
        _("fill it in, or delete the row if it is a total"),
        _("bring the value itself, or map another column in sources.yaml"),
        _("correct it"),
        _("correct it in the export"),
        _("correct it or the scale"),
        _("correct either of the two"),
        _("correct it, or map its `values` in sources.yaml"),
        _("correct the date, or bring the row when it is due"),
        _("write it as %(example)s, or declare its `format` or `unit` in sources.yaml"),
        _("write it with digits only"),
        _("write it with digits and a point, or declare `decimal` in sources.yaml"),
        _(
            "write it with digits and a point, its currency as in the other rows or not at all, or declare `decimal` "
            "and `thousands` in sources.yaml"
        ),
        _("write true or false"),
        _("write it as %(example)s"),
        _("use a shorter id"),
        _("strip it in the export"),
        _("say in `%(column)s` when it came to be known"),
        _("land the customer first, or write the id as there"),
        _("it holds as soon as they are one"),
        _("write it so in the export"),
        _("correct it, unless that is meant"),
        _("correct it, or its `unit` in sources.yaml, unless that is meant"),
        _("it looks like %(unit)s: declare `unit: %(declared)s` in sources.yaml"),
        _("land the %(table)s it belongs to as well"),
        _("keep the right one; the first stood"),
        _(
            "what stands remains; if the new value is right, bring the difference as a row of its own, or land "
            "everything anew in another workspace"
        ),
        _("what stands remains; correct the export, or land everything anew in another workspace"),
        _("nothing, if it changed; the first telling stays"),
        _("bring each customer once, or the first"),
        _("round it in the export if the rest matters"),
        _("export times with their offset, or in UTC"),
        _("look for a missing line end or an open quote"),
        _("it looks like two rows or more joined by a carriage return; export it again with line ends of one kind"),
    ]


def _refusals(language: Language) -> list[str]:
    _ = translator(language).gettext
    return [
        _(
            "no more rows may break a rule than `max_bad_share` of configs/workspace.yaml allows, found %(bad)s of "
            "%(rows)s; first: data row %(row)s, column `%(column)s` %(rule)s, found %(value)s: %(remedy)s. Correct "
            "the file, or raise `max_bad_share`"
        ),
        _(
            "no more rows may break a rule than `max_bad_share` of configs/workspace.yaml allows, found %(bad)s of "
            "%(rows)s; first: data row %(row)s, %(rule)s, found %(value)s: %(remedy)s. Correct the file, or raise "
            "`max_bad_share`"
        ),
        _("an empty value"),
        _(
            "table `%(table)s` needs the column `%(column)s`, found %(found)s; add or rename the column, or map it in "
            "sources.yaml%(near)s"
        ),
        _(
            "table `%(table)s` needs the columns %(columns)s, found %(found)s; add or rename them, or map them in "
            "sources.yaml%(near)s"
        ),
        _(
            "the first line must hold the names of the columns, found values: %(found)s; put a line with the names "
            "above it, such as %(names)s"
        ),
        _("cannot be read to its end (%(why)s); correct the file"),
        _("column `%(column)s` %(rule)s, found the type %(type)s; export it as text"),
        _("; did you mean `%(name)s`?"),
    ]


def _outlooks(language: Language) -> list[str]:
    _ = translator(language).gettext
    return [
        _("not enough to train yet: who left is told by `orders` or `subscriptions`, and there is neither"),
        _("not enough to train yet: no %(missing)s"),
        _(
            "%(customers)s customers are too few to learn from: training needs 10 at each cutoff, and over all cutoffs "
            "30 cases of leaving and 30 of staying"
        ),
        _("%(has)s days of history suffice for a horizon of %(horizon)s days, which needs %(needs)s"),
        _(
            "a horizon of %(horizon)s days needs %(needs)s days of history, found %(has)s: bring more, or shorten "
            "`horizon_days` or `min_history_days` in configs/train.yaml"
        ),
        _(
            "%(rows)s of %(all)s rows of `%(table)s` were learned more than %(days)s days after they happened and are "
            "no history: no cutoff before that sees them; land history with --backfill"
        ),
        _(
            "%(rows)s of %(all)s rows of `%(table)s` lie far in time from all others and are no history: correct their "
            "dates"
        ),
        _(
            "%(after)s of %(customers)s customers come after their first order and count as customers only from then "
            "on: say in `occurred_at` of `customers` when they first came"
        ),
        _("needs %(tables)s"),
    ]
