"""The contract as SQL: which rules a row must keep.

A rule is a condition that is true of a row that breaks it, with the words that tell a person what to do about it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from churnml.events.clock import midnight
from churnml.events.schema import MONEY_SCALE, Column, Table
from churnml.events.sources import ROW, Format
from churnml.events.values import EARLIEST, EPOCH, INTEGERS, LATEST, as_plain, in_turn, quoted, read_name, their_name

_LONGEST_ID = 256
MOST_MONEY = (2**63 - 1) // MONEY_SCALE

WORDS = {
    "text": ("must be a text", "fill it in"),
    "instant": (
        f"must be a date or time between {EARLIEST} and {LATEST}",
        "write it as 2017-03-31 14:05:00, or declare its `format` or `unit` in sources.yaml",
    ),
    "integer": ("must be a whole number", "write it with digits only"),
    "number": ("must be a number", "write it with digits and a point, or declare `decimal` in sources.yaml"),
    "money": (
        "must be an amount",
        (
            "write it with digits and a point, its currency as in the other rows or not at all, or declare `decimal` "
            "and `thousands` in sources.yaml"
        ),
    ),
    "boolean": ("must be true or false", "write true or false"),
    "json": ("must be one JSON object", 'write it as {"key": "value"}'),
}


@dataclass(frozen=True)
class Rule:
    """What a row must keep, as a condition that is true where it is broken.

    Parameters
    ----------
    column : str
        The column it is about.
    broken : str
        SQL over the source's columns, and over `typed` ones by `read_name`.
    rule, remedy : str
        In words.
    """

    column: str
    broken: str
    rule: str
    remedy: str


def rules_of(column: Column, found: str, form: Format) -> list[Rule]:
    """Return the rules that a value of this column, found in this type and form, must keep by itself."""
    name, value, text = their_name(column.name), read_name(column.name), found == "VARCHAR"
    _, remedy = WORDS[column.kind]
    if column.name == "customer_id":  # what a line of totals lacks first
        remedy = "fill it in, or delete the row if it is a total"
    rules = []

    def add(broken: str, words: str, what_to_do: str) -> None:
        rules.append(Rule(column.name, broken, words, what_to_do))

    if column.required:
        add(f"{name} IS NULL" + (f" OR {name} = ''" if text else ""), "must be filled", remedy)
    rules.extend(_of_kind(column, found, form))
    scale = MONEY_SCALE if column.kind == "money" else 1
    if column.at_least is not None:
        add(f"{value} < {column.at_least * scale}", f"must be at least {column.at_least}", "correct it")
    if column.at_most is not None:
        add(f"{value} > {column.at_most * scale}", f"must be at most {column.at_most}", "correct it")
    if column.among:
        listed = ", ".join(column.among)
        some = ", ".join(quoted(word) for word in column.among)
        add(f"{value} NOT IN ({some})", f"must be one of {listed}", "correct it, or map its `values` in sources.yaml")
    if column.name == "customer_id" and not column.reference:
        # only here: everywhere else an id must be one of these
        add(f"strlen({value}) > {_LONGEST_ID}", f"must be at most {_LONGEST_ID} bytes long", "use a shorter id")
        odd = f"regexp_matches({value}, '^\\s|\\s$|[[:cntrl:]]')"
        add(odd, "must have no blank at its ends and no control character", "strip it in the export")
    return rules


def _of_kind(column: Column, found: str, form: Format) -> Iterator[Rule]:
    """Yield what a value must be to be read at all; first what tells more of why it cannot."""
    name, value, text = their_name(column.name), read_name(column.name), found == "VARCHAR"
    rule, remedy = WORDS[column.kind]
    if column.kind == "json":
        an_object = f"CASE WHEN json_valid({value}) THEN json_type({value}) = 'OBJECT' ELSE false END"
        yield Rule(column.name, in_turn(f"{value} IS NOT NULL", f"NOT {an_object}"), rule, remedy)
    elif column.kind != "text":
        if column.kind == "money":
            yield _too_large(column, found, form)
        if column.kind == "instant" and form.unit in EPOCH and (text or found in INTEGERS):
            yield from _of_another_unit(column, form)
        filled = f"{name} <> ''" if text else f"{name} IS NOT NULL"
        yield Rule(column.name, in_turn(f"{value} IS NULL", filled), rule, remedy)
    if column.kind == "instant":
        within = f"BETWEEN epoch_us(TIMESTAMP '{EARLIEST}') AND epoch_us(TIMESTAMP '{LATEST}')"
        yield Rule(column.name, f"{value} NOT {within}", rule, remedy)


def _too_large(column: Column, found: str, form: Format) -> Rule:
    name = their_name(column.name)
    most = MOST_MONEY * (100 if form.unit == "cents" else 1)
    number = f"try_cast({as_plain(name, form) if found == 'VARCHAR' else name} AS DOUBLE)"
    broken = in_turn(f"{read_name(column.name)} IS NULL", f"abs({number}) BETWEEN {most} AND 1e308")
    return Rule(column.name, broken, f"must be an amount between {-most:,} and {most:,}", "correct it")


def _of_another_unit(column: Column, form: Format) -> Iterator[Rule]:
    """Yield for each other unit the rule that tells a value which would make sense in it."""
    name, (first, last) = their_name(column.name), (midnight(date(year, 1, 1), "UTC") for year in (2000, 2100))
    for unit, size in EPOCH.items():
        if unit != form.unit:
            range_ = f"BETWEEN {first // size} AND {last // size}"
            broken = in_turn(f"{read_name(column.name)} IS NULL", f"try_cast({name} AS BIGINT) {range_}")
            looks = f"it looks like {unit.removeprefix('epoch_')}: declare `unit: {unit}` in sources.yaml"
            yield Rule(column.name, broken, WORDS["instant"][0], looks)


def no_texts(column: Column, form: Format) -> list[Rule]:
    """Return the rules that a text column keeps where its source tells texts from lists, objects and truths."""
    remedy = "bring the value itself, or map another column in sources.yaml"
    told = form.no_text if column.kind == "text" else ()
    return [Rule(column.name, f"{ROW} IN ({rows})", f"must be a text, found {words}", remedy) for words, rows in told]


def rules_between(table: Table, names: Collection[str]) -> tuple[list[Rule], list[Rule]]:
    """Return the rules that two columns of a row keep together, of the columns that are there, and what is only said.

    A version of a contract may begin after the contract has ended: that is said, and no rule.
    """
    rules, said, own = list[Rule](), list[Rule](), read_name("occurred_at")
    for time, dated in table.later.items():
        undated = f"{read_name(time)} IS NULL" if time in names else "true"
        rules += [
            Rule(
                name,
                f"{read_name(name)} IS NOT NULL AND {undated}",
                f"must have a `{time}`",
                f"say in `{time}` when it came to be known",
            )
            for name in dated
            if name in names and name != time
        ]
        if time in names:
            early, words = f"{read_name(time)} < {own}", "must not lie before `occurred_at`"
            (said if table.versioned else rules).append(Rule(time, early, words, "correct either of the two"))
    if "ingested_at" in names:
        words = "lies before `occurred_at`; the row counts as known when it happened"
        said.append(Rule("ingested_at", f"{read_name('ingested_at')} < {own}", words, "correct either of the two"))
    if {"score", "scale_min", "scale_max"} <= set(names):
        score, low, high = (read_name(name) for name in ("score", "scale_min", "scale_max"))
        words = "must lie between `scale_min` and `scale_max`"
        rules.append(Rule("score", f"{score} < {low} OR {score} > {high}", words, "correct it or the scale"))
    return rules, said


def references(table: Table) -> dict[str, str]:
    """Return the columns whose value another table should know, with that table; customers apart."""
    return {column.name: column.reference for column in table.columns if column.reference not in {"", "customers"}}
