"""What is broken in a ready feature table: each row is good, there again, without a label, or set aside and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from churnml.errors import DataRefusedError, NotEnoughDataError
from churnml.events.feature_columns import quoted, quoted_name
from churnml.events.feature_file import STAGED, STATE, FeatureFile
from churnml.events.feature_label import Classes, classes_of
from churnml.events.feature_table import Roles
from churnml.events.sources import ROW

_EXAMPLES = 20
_MOST_CELLS = 50_000_000


@dataclass(frozen=True)
class Rule:
    """A condition that is true of a broken row, and the words for it."""

    column: str
    broken: str
    rule: str
    remedy: str


@dataclass(frozen=True)
class Checked:
    """What the check of a file found.

    Parameters
    ----------
    rows : int
        Records of the file.
    good : int
        Rows that can be used; without a label where none is needed.
    repeated : int
        Rows that are there again, equal in every value, and are skipped.
    unlabelled : int
        Rows without a label, left out where one is needed.
    set_aside : int
        Broken rows.
    broken_rules : dict of str to int
        How many broke which rule.
    """

    rows: int
    good: int
    repeated: int
    unlabelled: int
    set_aside: int
    broken_rules: dict[str, int]


def check(
    file: FeatureFile, roles: Roles, max_bad_share: float, *, positive: str | None = None
) -> tuple[Checked, list[Rule], list[str]]:
    """Mark every row: good, repeated, without a label, or broken and why.

    Parameters
    ----------
    max_bad_share : float
        The share of broken rows above which the file is refused.
    positive : str, optional
        The value of the label that means churned.

    Returns
    -------
    checked : Checked
    rules : list of Rule
        For `set_aside`.
    notes : list of str
        How the label was understood.

    Raises
    ------
    UsageError
        If the label does not say by itself who churned.
    DataRefusedError
        If too many rows are broken.
    """
    classes = _classes(file, roles, positive, max_bad_share)
    rules = _rules(file, roles, classes)
    _mark(file, roles, classes, rules)
    states = dict(file.asked(f"SELECT its_state, count(*) FROM {STATE} GROUP BY its_state"))
    by_rule = {f"{rule.column} {rule.rule}": int(states[n]) for n, rule in enumerate(rules, 1) if n in states}
    if file.rejected:
        for words, count in file.asked(f"SELECT rule, count(*) FROM {file.rejected} GROUP BY rule ORDER BY rule"):
            by_rule[words] = int(count)
    broken = sum(by_rule.values())
    rows = sum(states.values()) + broken - sum(count for state, count in states.items() if state > 0)
    checked = Checked(rows, states.get(0, 0), states.get(-1, 0), states.get(-2, 0), broken, by_rule)
    if broken > max_bad_share * rows:
        first = set_aside(file, rules, 1)[0]
        raise DataRefusedError(
            f"{file.origin}: {broken:,} of {rows:,} rows are broken, more than `max_bad_share` of {max_bad_share:.1%} "
            f"allows; the first is row {first['row']:,}, {first['column'] or 'the whole record'}: found "
            f"{first['value']!r}; it {first['rule']}: {first['remedy']}"
        )
    return checked, rules, classes.notes if classes else []


def set_aside(file: FeatureFile, rules: Sequence[Rule], most: int = _EXAMPLES) -> list[dict[str, Any]]:  # Any: JSON
    """Return broken rows with row, customer, column, value, rule and remedy, in the order of the file.

    Of a record that is no row at all, `whole_row` holds what was found: whose it is can only be read there.
    """
    found: list[dict[str, Any]] = []  # Any: JSON
    for number, rule in enumerate(rules, 1):
        value = f"{STAGED}.{quoted_name(rule.column)}::VARCHAR"
        rows = file.asked(
            f"""
            SELECT {ROW}, its_customer, {value} FROM {STAGED} JOIN {STATE} USING ({ROW})
            WHERE its_state = $number ORDER BY {ROW} LIMIT $most
            """,
            number=number,
            most=most,
        )
        words = {"rule": rule.rule, "remedy": rule.remedy}
        found += [
            {"row": row, "customer_id": customer, "column": rule.column, "value": value} | words
            for row, customer, value in rows
        ]
    if file.rejected:
        query = f"SELECT {ROW}, found, rule, remedy FROM {file.rejected} ORDER BY {ROW} LIMIT $most"
        for row, value, words, remedy in file.asked(query, most=most):
            told = {"row": row, "customer_id": None, "column": "", "value": value, "rule": words, "remedy": remedy}
            found.append(told | {"whole_row": value})
    return sorted(found, key=lambda one: int(one["row"]))[:most]


def require_room(file: FeatureFile, checked: Checked, columns: int) -> None:
    """Refuse to hold more cells in memory than training has room for.

    Raises
    ------
    NotEnoughDataError
        If rows times columns are above 50 million, or no row is left.
    """
    if not checked.good:
        raise NotEnoughDataError(
            f"{file.origin}: no row is left to learn from ({checked.unlabelled:,} without a label, "
            f"{checked.set_aside:,} broken); bring rows whose label is known"
        )
    if checked.good * columns > _MOST_CELLS:
        raise DataRefusedError(
            f"{file.origin}: training holds the table in memory and takes {_MOST_CELLS:,} cells, found "
            f"{checked.good:,} rows of {columns} columns; bring a random sample of the customers, or fewer columns"
        )


def _classes(file: FeatureFile, roles: Roles, positive: str | None, max_bad_share: float) -> Classes | None:
    if not roles.label:
        return None
    said = file.cells(roles.label).text
    found = file.asked(
        f"SELECT lower({said}), count(*) FROM {STAGED} WHERE {said} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 60"
    )
    return classes_of(roles.label, {str(value): int(count) for value, count in found}, positive, max_bad_share)


def _rules(file: FeatureFile, roles: Roles, classes: Classes | None) -> list[Rule]:
    who = file.cells(roles.customer_id)
    rules = [
        Rule(who.name, f"{who.text} IS NULL", "must be filled", "fill it in, or leave the row out"),
        Rule(
            who.name,
            f"regexp_matches({who.raw}::VARCHAR, '^\\s|\\s$|[[:cntrl:]]')",
            "must have no blank at its ends and no control character",
            "strip it in the export",
        ),
    ]
    if roles.cutoff_column:
        when = file.cells(roles.cutoff_column)
        rules.append(
            Rule(when.name, f"{when.local} IS NULL", "must be a date such as 2024-12-31", "write it so in every row")
        )
    if classes is not None:
        said = file.cells(roles.label).text
        words = f"must be {classes.listed}"
        unread = f"{said} IS NOT NULL AND NOT list_contains($known, lower({said}))"
        rules.append(Rule(roles.label, unread, words, "correct it, or leave it empty to have the row scored only"))
    rules.append(
        Rule(
            roles.customer_id,
            "false",
            f"must be there once{' for each cutoff' if roles.cutoff_column else ''}",
            "keep the right row; the first stood",
        )
    )
    return rules


def _mark(file: FeatureFile, roles: Roles, classes: Classes | None, rules: Sequence[Rule]) -> None:
    """Keep of each row customer, cutoff, label and state: 0 good, -1 repeated, -2 unlabelled, else the rule broken."""
    parameters: dict[str, object] = {}
    cutoff, label = "NULL::TIMESTAMP", "0::DOUBLE"
    if roles.cutoff:
        cutoff = f"{quoted(roles.cutoff)}::TIMESTAMP"
    if roles.cutoff_column:
        cutoff = file.cells(roles.cutoff_column).local
    if classes is not None:
        said = file.cells(roles.label).text
        parameters = {"known": sorted(classes.positive | classes.negative), "left": sorted(classes.positive)}
        label = f"CASE WHEN {said} IS NOT NULL THEN list_contains($left, lower({said}))::DOUBLE END"
    broken = " ".join(f"WHEN {rule.broken} THEN {number}" for number, rule in enumerate(rules, 1))
    everything = ", ".join(quoted_name(name) for name in file.names)
    file.connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {STATE} AS
        WITH marked AS (
            SELECT {ROW}, {file.cells(roles.customer_id).text} AS its_customer, {cutoff} AS its_cutoff,
                   {label} AS its_label, CASE {broken} ELSE 0 END AS its_state, hash({everything}) AS content
            FROM {STAGED}
        ), counted AS (
            SELECT *, row_number() OVER again AS copy, first_value(content) OVER again AS earlier FROM marked
            WINDOW again AS (PARTITION BY its_customer, its_cutoff, its_state <> 0 ORDER BY {ROW})
        )
        SELECT {ROW}, its_customer, its_cutoff, its_label,
               epoch_us(timezone({quoted(file.time_zone)}, its_cutoff)) AS its_instant,
               CASE WHEN its_state <> 0 THEN its_state WHEN copy > 1 AND content = earlier THEN -1
                    WHEN copy > 1 THEN {len(rules)} WHEN its_label IS NULL THEN -2 ELSE 0 END AS its_state
        FROM counted
        """,
        parameters or None,
    )
