"""The text of a proposed `sources.yaml`: each entry with its confidence and evidence, what is undecided as choices."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from churnml.events.schema import TABLES, Column
from churnml.events.sources.example import EXAMPLE
from churnml.events.sources.parts import Part
from churnml.events.sources.presets import Preset
from churnml.events.sources.recognising import Guess, Recognised
from churnml.events.sources.sampling import DAY_FIRST, Seen
from churnml.events.sources.vocabulary import VALUE_WORDS, parts, squeezed

_PLAIN = re.compile(r"[^\W\d_][\w.*/-]*( [\w.*/-]+)*")
_CENTS = re.compile(r"(?i)cent|(^|_)ct$|分$")
_MARKS = {",": "comma", ".": "point"}
_LARGE = 1_000  # amounts below are units of the currency rather than cents
_UNDERSTOOD = {"true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"}

NO_CUSTOMERS = (
    "No file of customers was found: is there one, with `customer_id` and when each became a customer? "
    "Otherwise a customer's first order can stand for that"
)

_HEAD = """\
# Proposed by `churnml init --from`, from the names of files and columns and from their first rows. Confidence runs from
# 0 to 1; read what is below 0.8, and correct it here. Check it with `churnml ingest --sources sources.yaml --check`,
# which writes nothing. All that may stand here: docs/sources.md.
"""


@dataclass(frozen=True)
class Entry:
    """One proposed source.

    Parameters
    ----------
    tables : tuple of str
        The tables it fills.
    files : str
        The file or pattern, or the files of a known export.
    confidence : float
        From 0 to 1.
    why : str
        What speaks for it.
    columns : mapping of str to float
        The confidence of each of our columns that was found.
    questions : tuple of str
        What only a person can know.
    text : str
        The lines of the entry.
    """

    tables: tuple[str, ...]
    files: str
    confidence: float
    why: str
    columns: Mapping[str, float]
    questions: tuple[str, ...]
    text: str


def whole(entries: Sequence[Entry], questions: Sequence[str], left: Sequence[tuple[str, str]]) -> str:
    """Return the text of the whole file."""
    blocks = [_HEAD] if entries else [EXAMPLE]
    if questions:
        blocks.append("".join(["# To decide:\n", *(f"#  {n}. {text}\n" for n, text in enumerate(questions, start=1))]))
    if entries:
        blocks.append("\n".join(["sources:", *(entry.text for entry in entries)]))
    if left:
        blocks.append("".join(["# Left out:\n", *(f"#   {name}: {_one_line(why)}\n" for name, why in left)]))
    return "\n".join(blocks)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def preset_entry(preset: Preset, files: Mapping[str, Sequence[str]], confidence: float) -> Entry:
    """Return the entry of a known export."""
    given = [name for name, filling in preset.tables.items() if set(filling.roles) <= set(files)]
    why = "every column this export must have is there"
    lines = [f"  # {line}" for line in wrap(_one_line(preset.meaning), 114)]
    lines += [f"  # confidence {confidence:.2f}: {why}", f"  - preset: {preset.name}"]
    lines += (
        [] if preset.time_zone else ["    # time_zone: Europe/Berlin  # the account's, for times that bear no offset"]
    )
    lines.append("    files:")
    lines += [f"      {role}: {_named(names)}" for role, names in files.items()]
    named = ", ".join(name for names in files.values() for name in names)
    return Entry(tuple(given), f"{preset.name}: {named}", confidence, why, {}, (), "\n".join(lines) + "\n")


def named(path: Path, base: Path) -> str:
    """Return what a `sources.yaml` in `base` calls a file: relative to it where that can be, whole elsewhere."""
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()


def _named(names: Sequence[str]) -> str:
    return written(names[0]) if len(names) == 1 else "[" + ", ".join(written(name) for name in names) + "]"


def table_entry(one: Recognised, pattern: str) -> Entry:
    """Return the entry of a file that was recognised as a table."""
    part = one.looked.part
    head = [f"# confidence {one.confidence:.2f}: {one.why}", f"- table: {one.table.name}", *_where(part, pattern)]
    pattern += part.within
    zone, about_zone = _zone(one)
    columns, undecided, about_columns = _columns(one, pattern)
    missing, about_missing = _missing(one, pattern)
    body = [f"    {line}" for line in columns + missing]
    said = any(not line.startswith("#") for line in columns + missing)
    strange = [theirs for theirs, _, _ in one.misfits]  # what bears our name would be taken by it
    bearing = dict.fromkeys(written(name) for name in [*undecided, *strange] if name in one.table.names)
    tail = [f"  leave_out: [{', '.join(bearing)}]  # until decided above"] if bearing else []
    unused = [name for name in one.unused if written(name) not in bearing]
    tail += [f"  # not used: {', '.join(map(_one_line, unused))}"] if unused else []
    lines = [*head, *zone, "  columns:" if said else "  columns: {}", *body, *tail]
    about_values = [f"{pattern}: {misfit(*names)}" for names in one.misfits]
    questions = (*about_zone, *about_columns, *about_missing, *about_values, *_about_key(one, pattern))
    sure = {name: guess.confidence for name, guess in one.guesses.items()}
    text = "".join(f"  {line}\n" for line in lines)
    return Entry((one.table.name,), pattern, one.confidence, one.why, sure, questions, text)


def misfit(theirs: str, ours: str, holds: str) -> str:
    """Return what is said of a column whose name says what it is, and whose values do not look like that."""
    named_so = "bears our name" if theirs == ours else f"is `{ours}` by its name"
    return (
        f"`{theirs}` {named_so}, but its values are not read as {holds}; write them as docs/sources.md shows, or name "
        "another column"
    )


def _where(part: Part, pattern: str) -> list[str]:
    """Return the lines that say where the rows are."""
    if part.table:
        return [f"  duckdb: {written(pattern)}", f"  query: {written(f'SELECT * FROM {part.table}')}"]
    return [f"  file: {written(pattern)}"] + ([f"  sheet: {written(part.sheet)}"] if part.sheet else [])


def _zone(one: Recognised) -> tuple[list[str], list[str]]:
    times = [guess.theirs for guess in one.guesses.values() if guess.theirs.moments]
    if all(seen.offset or not seen.time_of_day for seen in times):
        return [], []
    line = "  # time_zone: Europe/Berlin  # of times without an offset; the workspace's unless said here"
    return [line], ["Times bear no offset: in which zone were they written? Say `time_zone` in workspace.yaml or here"]


def _columns(one: Recognised, pattern: str) -> tuple[list[str], list[str], list[str]]:
    """Return the lines of the columns that were found, the names of those undecided, and what to ask."""
    lines, undecided, questions = [], [], []
    for guess in one.guesses.values():
        told, question = _column(guess, pattern, one.table.name)
        lines += told
        undecided += [guess.theirs.name] if told[0].startswith("#") else []
        questions += [question] if question else []
    return lines, undecided, questions


def _missing(one: Recognised, pattern: str) -> tuple[list[str], list[str]]:
    """Return the lines of required columns that were not found, and what to ask."""
    lines, questions = [], []
    for name in one.missing:
        meaning, constant = one.table.column(name).meaning, _told_by_file(one, name)
        if constant:
            lines.append(f"{name}: {{constant: {constant}}}  # 0.80: the name of the file says so")
        else:
            lines.append(f"# {name}:  # required, and not found: {meaning}")
            if name not in {ours for _, ours, _ in one.misfits}:
                questions.append(f"{pattern}: which column is `{name}` ({meaning})? Or {{constant: …}}")
    return lines, questions


def _about_key(one: Recognised, pattern: str) -> list[str]:
    """Ask about a column that should name each row and does not: rows may be lines of something larger."""
    named_by = one.guesses.get(one.table.key[0]) if len(one.table.key) == 1 else None
    if named_by is None or named_by.theirs.distinct >= 0.999:
        return []
    lines = "; if rows are lines of orders, they are `order_lines`, or a `query` adds them up"
    asked = f"{pattern}: `{named_by.theirs.name}` should name each row once, and values come again: what is a row?"
    return [asked + (lines if one.table.name == "orders" else "")]


def _told_by_file(one: Recognised, name: str) -> str:
    """Return the one possible value of a column that stands in the name of the file, such as nps."""
    told = {value for value in one.table.column(name).among if value in parts(one.looked.part.called)}
    return told.pop() if len(told) == 1 else ""


def _column(guess: Guess, pattern: str, table: str) -> tuple[list[str], str]:
    """Return the lines of a column and, where they are choices, the question."""
    ours, seen = guess.ours, guess.theirs
    choices, question = _choices(ours, seen)
    if choices:
        return [f"# {_line(ours, seen, said)}  # {words}" for said, words in choices], f"{pattern}: {question}"
    said = {}
    if ours.kind == "instant" and seen.patterns[:1] not in {(), ("",)}:
        said["format"] = seen.patterns[0]
    if ours.kind == "instant" and seen.unit:
        said["unit"] = str(seen.unit)
    if ours.kind == "money" and seen.whole == 1 and _CENTS.search(seen.name):
        said["unit"] = "cents"
    values, unknown = _values(ours, seen, table)
    asked = _asked(ours, seen, unknown, VALUE_WORDS.get(f"{table}.{ours.name}", {}))
    evidence = f"  # {guess.confidence:.2f}: {_one_line(guess.why)}"
    return [_line(ours, seen, said, values) + evidence], f"{pattern}: {asked}" if unknown else ""


def _asked(ours: Column, seen: Seen, unknown: Sequence[str], usual: Mapping[str, str]) -> str:
    """Return the question what values mean that we do not know; where any is allowed they are kept as they are."""
    strange = ", ".join(unknown)
    if ours.among or not usual:
        return f"which of {', '.join(ours.among)} is each of {strange} in `{seen.name}`? Say it in `values`"
    return (
        f"`{seen.name}` also holds {strange}, kept as they are: is one of them a {', '.join(usual)}? "
        "Say it in `values`, or leave their rows out with `else: drop`"
    )


def _choices(ours: Column, seen: Seen) -> tuple[list[tuple[dict[str, str], str]], str]:
    """Return the ways a column may be meant where no value tells, each with words, and the question."""
    if ours.kind == "instant" and len(seen.patterns) > 1:
        words = {True: "day first: 03/04 is 3 April", False: "month first: 03/04 is 4 March"}
        ways = [({"format": pattern}, words[pattern in DAY_FIRST]) for pattern in seen.patterns]
        return ways, f"does `{seen.name}` begin with the day or the month? No value tells"
    if ours.kind in {"money", "number", "integer"} and seen.mark_open:
        mark, other, word = seen.mark_open, {",": ".", ".": ","}[seen.mark_open], _MARKS[seen.mark_open]
        grouped = ({"decimal": other, "thousands": mark}, f"if 1{mark}234 is more than a thousand")
        return [grouped, ({"decimal": mark}, f"if 1{mark}234 is between one and two")], (
            f"is the {word} in `{seen.name}` between thousands, or the decimal mark? No value tells"
        )
    if ours.kind == "money" and seen.whole == 1 and seen.largest >= _LARGE and not _CENTS.search(seen.name):
        return [({}, "if it counts whole units"), ({"unit": "cents"}, "if it counts cents")], (
            f"does `{seen.name}` count whole units of the currency, or cents?"
        )
    return [], ""


def _values(ours: Column, seen: Seen, table: str) -> tuple[dict[str, str], list[str]]:
    """Return ours for each of the few values of theirs that we know, and those we do not."""
    ways = VALUE_WORDS.get(ours.name) or VALUE_WORDS.get(f"{table}.{ours.name}", {})
    if not seen.few or not ways:
        return {}, []
    known = set(ours.among) or (_UNDERSTOOD if ours.kind == "boolean" else set(ways))
    words = {squeezed(word): value for value, list_ in ways.items() for word in (value, *list_.split())}
    strange = [value for value in seen.few if value not in known]
    translated = {value: words[squeezed(value)] for value in strange if squeezed(value) in words}
    return translated, [value for value in strange if value not in translated]


def _line(ours: Column, seen: Seen, said: Mapping[str, str], values: Mapping[str, str] | None = None) -> str:
    if not said and not values:
        return f"{ours.name}: {written(seen.name)}"
    told = [f"from: {written(seen.name)}", *(f"{key}: {written(text)}" for key, text in said.items())]
    if values:
        told.append(
            f"values: {{{', '.join(f'{written(theirs)}: {written(mine)}' for theirs, mine in values.items())}}}"
        )
    return f"{ours.name}: {{{', '.join(told)}}}"


def first_orders(found: Sequence[Recognised], base: Path) -> Entry | None:
    """Return an entry of customers made from the orders, for a folder without a file of customers.

    It is made only if the orders are one file whose times are understood: each of several would have its own first.
    """
    orders = [one for one in found if one.table.name == "orders"]
    guesses = orders[0].guesses if len(orders) == 1 else {}
    if not {"customer_id", "occurred_at"} <= set(guesses) or len(guesses["occurred_at"].theirs.patterns) > 1:
        return None
    who, when = guesses["customer_id"].theirs, guesses["occurred_at"].theirs
    part = orders[0].looked.part
    pattern = named(part.path, base)
    made = Seen("occurred_at", 1.0, 0.0, patterns=when.patterns, unit=when.unit)
    guess = Guess(TABLES["customers"].column("occurred_at"), made, 0.6, "the first order, not the first contact")
    (line,), _ = _column(guess, pattern, "customers")
    why = "no file of customers was found; a customer's first order stands for the first contact"
    lines = [
        f"# confidence 0.60: {why}",
        "- table: customers",
        *(line for line in _where(part, pattern) if not line.startswith("  query: ")),
        f"  query: {json.dumps(_first(who, when, part), ensure_ascii=False)}",
        "  columns:",
        f"    {line}",
    ]
    sure = {"customer_id": 0.6, "occurred_at": 0.6}
    text = "".join(f"  {line}\n" for line in lines)
    return Entry(("customers",), pattern + part.within, 0.6, why, sure, (NO_CUSTOMERS,), text)


def _first(who: Seen, when: Seen, part: Part) -> str:
    """Return a query for each customer's earliest time, as it is written in the file."""
    name, time = _quoted(who.name), _quoted(when.name)
    read = f"try_cast({time} AS {'BIGINT' if when.unit else 'TIMESTAMP'})"
    if when.patterns[:1] not in {(), ("",)}:
        read = f"try_strptime({time}::VARCHAR, '{when.patterns[0]}')"
    first = f"SELECT {name} AS customer_id, arg_min({time}, {read}) AS occurred_at"
    if part.table:
        return f"{first} FROM {part.table} GROUP BY 1 ORDER BY 1"
    unmet = f"source ANTI JOIN standing ON source.{name}::VARCHAR = standing.customer_id"
    return f"{first} FROM {unmet} GROUP BY 1 ORDER BY 1"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def written(text: str) -> str:
    """Return a text as YAML: as it stands where that is safe, in quotes elsewhere.

    Examples
    --------
    >>> written("Order date"), written("a: b"), written("%d.%m.%Y")
    ('Order date', '"a: b"', '"%d.%m.%Y"')
    """
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
