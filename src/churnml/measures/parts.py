"""What parts the customers: by which of their attributes, their stage or their segment figures are told apart."""

from __future__ import annotations

from collections.abc import Sequence

from churnml.errors import UsageError, nearest
from churnml.events.books import Books
from churnml.wording import Text

COLUMNS = ("region", "city", "income_band", "gender", "acquisition_channel")
"""Attributes that are columns of `customers`; each other one is looked for among its free attributes."""

GROUPS = ("stage", "segment", "band", "rfm")
"""Columns that a table `grouped` in the books has, where the verb lays one; beside them segments of one's own."""

UNKNOWN = "?"
"""What is not known of somebody is a part of its own, so that parts add up to all."""

EVERYBODY = "all"
"""The part that all customers make where nothing parts them."""

UNKNOWN_WORD = {UNKNOWN: Text("not known", "未知")}
_ALIASES = {"channel": "acquisition_channel"}


def parts(books: Books, by: str | None) -> str:
    """Keep a table with the part of each customer of the base, and return its name.

    Parameters
    ----------
    by : str or None
        An attribute, `channel` for how they came, `age_band`, or the name of a column of a table that was laid into the
        books under the name `grouped`, with one row per customer: `stage`, `segment`, `rfm` or a segment of one's own.
        None makes one part of all, called `all`.

    Returns
    -------
    str
        Of a table with `customer_id` and `part`, one row per customer, none left out.

    Raises
    ------
    UsageError
        If nobody has such an attribute.
    """
    if by is None:
        return books.keep("part_of_all", f"SELECT customer_id, '{EVERYBODY}' AS part FROM customers")
    name = _ALIASES.get(by, by)
    table = f"part_by_{''.join(letter if letter.isalnum() else '_' for letter in name)}"
    grouped = books.columns("grouped")
    if name in grouped:
        query = f"""
            SELECT customer_id, coalesce(g."{name}"::VARCHAR, '{UNKNOWN}') AS part
            FROM customers LEFT JOIN grouped AS g USING (customer_id)
        """
        return books.keep(table, query)
    if name in COLUMNS:
        return books.keep(table, f"SELECT customer_id, coalesce({name}, '{UNKNOWN}') AS part FROM customers")
    if name == "age_band":
        return books.keep(table, _AGES)
    require_known(books, by, grouped or GROUPS)
    query = f"SELECT customer_id, coalesce(json_extract_string(attributes, $path), '{UNKNOWN}') AS part FROM customers"
    return books.keep(table, query, {"path": f'$."{name}"'})


def require_known(books: Books, by: str, groups: Sequence[str]) -> None:
    """Raise where customers cannot be told apart by something.

    Parameters
    ----------
    groups : sequence of str
        What a verb can tell them apart by beyond their attributes.

    Raises
    ------
    UsageError
        With the name that comes nearest, and all there are.
    """
    known = [*_ALIASES, *COLUMNS, "age_band", *groups, *_free(books)]
    if by not in known:
        raise UsageError(f"--by must be one of {', '.join(known)}, got {by!r}{nearest(by, known)}")


# in tens, for a year of birth says no more than that; of the year in which the books were opened
_AGES = f"""
    SELECT customer_id, CASE WHEN birth_year IS NULL THEN '{UNKNOWN}'
        ELSE (age // 10 * 10)::VARCHAR || '–' || (age // 10 * 10 + 9)::VARCHAR END AS part
    FROM (SELECT customer_id, birth_year, year(local_time(opened_at())) - birth_year AS age FROM customers)
"""


def _free(books: Books) -> tuple[str, ...]:
    keys = "SELECT unnest(json_keys(attributes)) AS name FROM customers WHERE attributes IS NOT NULL"
    found = books.frame(f"SELECT DISTINCT name FROM ({keys}) ORDER BY name")
    return tuple(found["name"])
