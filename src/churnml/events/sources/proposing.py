"""A folder of files in, a proposed `sources.yaml` out: with its confidence, and questions only where nobody can tell.

`sampling.py` looks at columns, `recognising.py` judges what they are; here known exports are told apart, files of one
shape become one entry, what the first rows leave open is decided by all rows, and the text is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from churnml.errors import ChurnmlError, UsageError
from churnml.events.sources.files import expand, open_rows, readable
from churnml.events.sources.opening import kind_of
from churnml.events.sources.presets import PRESETS, Preset
from churnml.events.sources.recognising import LEAST_TABLE, Guess, Recognised, recognise
from churnml.events.sources.sampling import DAY_FIRST, Looked, Seen, look
from churnml.events.sources.writing import NO_CUSTOMERS, Entry, first_orders, named, preset_entry, table_entry, whole

_ENOUGH = 0.5  # share of ids that must be known for the customers of two files to be the same


@dataclass(frozen=True)
class Proposal:
    """What a folder was taken for.

    Parameters
    ----------
    entries : tuple of Entry
        One for each source, with table, file, confidence and why.
    questions : tuple of str
        What only a person can know.
    left : tuple of (str, str)
        Files that are in no entry, and why.
    text : str
        The `sources.yaml`.
    """

    entries: tuple[Entry, ...]
    questions: tuple[str, ...]
    left: tuple[tuple[str, str], ...]
    text: str


def propose(folder: Path, base: Path | None = None) -> Proposal:
    """Return a `sources.yaml` for the files of a folder and of the folders in it.

    Parameters
    ----------
    folder : Path
        Where the files are.
    base : Path, optional
        The folder in which the `sources.yaml` will lie, to which its names are relative; `folder` itself by default.

    Raises
    ------
    UsageError
        If there is no such folder, or no file in it that can be read.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name the one that holds the files")
    folder, base = folder.absolute(), (base or folder).absolute()
    paths, left = _files(folder)
    if not paths:
        raise UsageError(f"{folder} holds no file that can be read: CSV, Excel, JSON lines or Parquet; put some there")
    with _reading() as (connection, scratch):
        looked = []
        for path in paths:
            try:
                looked.append(look(path, connection, scratch))
            except ChurnmlError as error:
                left.append((_under(path, folder), str(error)))
        entries, others = _known_exports(looked, base)
        found = [recognise(one) for one in others]
        left += [(_under(one.looked.path, folder), _strange(one)) for one in found if one.confidence < LEAST_TABLE]
        kept = [one for one in found if one.confidence >= LEAST_TABLE]
        kept = [_decided(one, connection, scratch) for one in _joined(kept, connection, scratch)]
    entries += [table_entry(one, pattern) for one, pattern in _groups(kept, base)]
    asked = [question for entry in entries for question in entry.questions]
    if not any("customers" in entry.tables for entry in entries):
        made = first_orders(kept, base)
        entries += [made] if made else []
        asked.append(NO_CUSTOMERS)
    questions = tuple(dict.fromkeys(asked))
    return Proposal(tuple(entries), questions, tuple(left), whole(entries, questions, left))


@contextmanager
def _reading() -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    with TemporaryDirectory() as scratch, duckdb.connect() as connection:
        connection.execute("SET memory_limit = '400MB'")
        connection.execute("SET enable_progress_bar = false")
        yield connection, Path(scratch)


def _files(folder: Path) -> tuple[list[Path], list[tuple[str, str]]]:
    """Return the files we read, and those we do not, in a folder and the folders in it."""
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    every = [path for place in (folder, *inside) for path in sorted(place.iterdir()) if _ordinary(path)]
    own = [path for path in every if path.resolve().is_relative_to(folder.resolve())]
    paths = [path for path in own if readable(path)]
    left = [(_under(path, folder), "a link out of the folder") for path in every if path not in own]
    return paths, left + [(_under(path, folder), _why_not(path)) for path in own if path not in paths]


def _why_not(path: Path) -> str:
    try:
        kind = kind_of(path)
    except ChurnmlError as error:
        return str(error)
    return f"{kind}: name it in sources.yaml as `{kind}`, with a `query`"


def _ordinary(path: Path) -> bool:
    return path.is_file() and not path.name.startswith((".", "~$")) and path.name != "sources.yaml"


def _under(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _strange(one: Recognised) -> str:
    names = ", ".join(one.looked.columns)
    return f"not recognised (nearest: {one.table.name}, confidence {one.confidence:.2f}); columns: {names}"


def _known_exports(looked: Sequence[Looked], base: Path) -> tuple[list[Entry], list[Looked]]:
    """Return an entry for each known export among the files, and the files that are of none."""
    taken: dict[str, dict[str, list[Looked]]] = {}
    others = []
    for one in looked:
        fitting = [
            (len(columns), preset, role)
            for preset in PRESETS.values()
            for role, columns in preset.files.items()
            if _has(one, columns)
        ]
        if not fitting:
            others.append(one)
            continue
        _, preset, role = max(fitting, key=lambda fit: fit[0])
        taken.setdefault(preset.name, {}).setdefault(role, []).append(one)
    entries = []
    for name, roles in taken.items():
        preset = PRESETS[name]
        if any(set(filling.roles) <= set(roles) for filling in preset.tables.values()):
            files = {role: _patterns([one.path for one in files], base) for role, files in roles.items()}
            entries.append(preset_entry(preset, files, _surety(preset, roles)))
        else:
            others += [one for files in roles.values() for one in files]
    return entries, others


def _has(looked: Looked, columns: Sequence[str]) -> bool:
    return {name.casefold() for name in columns} <= {name.casefold() for name in looked.columns}


def _surety(preset: Preset, roles: dict[str, list[Looked]]) -> float:
    """Return how sure an export is recognised: the more columns it must have, the less by chance."""
    fewest = min(len(preset.files[role]) for role in roles)
    return 1 - 0.5 ** (fewest + 1)


def _joined(found: list[Recognised], connection: duckdb.DuckDBPyConnection, scratch: Path) -> list[Recognised]:
    """Return the files with what their customer ids have in common: it shows that two columns are the same thing."""
    people = next((one for one in found if one.table.name == "customers" and "customer_id" in one.guesses), None)
    if people is None:
        return found
    rows = open_rows(people.looked.path, connection, scratch).exact().relation
    ids = rows.project(f"{_quoted(people.guesses['customer_id'].theirs.name)}::VARCHAR AS id")
    ids.distinct().to_table("people")
    return [one if one is people else _with_overlap(one, people, connection, scratch) for one in found]


def _with_overlap(
    one: Recognised, people: Recognised, connection: duckdb.DuckDBPyConnection, scratch: Path
) -> Recognised:
    guess = one.guesses.get("customer_id")
    if guess is None or guess.theirs.filled == 0:
        return one
    ids = (
        open_rows(one.looked.path, connection, scratch)
        .exact()
        .relation.project(f"{_quoted(guess.theirs.name)}::VARCHAR AS id")
    )
    ids = ids.filter("id <> ''").limit(2_000)
    ((share,),) = ids.aggregate("avg((id IN (SELECT id FROM people))::INT)").fetchall()
    evidence = f"{share or 0:.0%} of its first values are customers of {people.looked.path.name}"
    surer = min(1.0, guess.confidence + 0.1) if (share or 0) >= _ENOUGH else guess.confidence * 0.7
    better = replace(guess, confidence=surer, why=f"{guess.why}; {evidence}")
    return replace(one, guesses=one.guesses | {"customer_id": better})


def _decided(one: Recognised, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Recognised:
    """Return a file whose times are read one way only, if any of its rows tells which."""
    guesses = dict(one.guesses)
    for name, guess in one.guesses.items():
        if len(guess.theirs.patterns) > 1:
            left = _reading_all(one.looked.path, guess.theirs, connection, scratch)
            why = f"{guess.why}; written {left[0]}, which reads every row" if len(left) == 1 else guess.why
            guesses[name] = Guess(guess.ours, replace(guess.theirs, patterns=left), guess.confidence, why)
    return replace(one, guesses=guesses)


def _reading_all(path: Path, seen: Seen, connection: duckdb.DuckDBPyConnection, scratch: Path) -> tuple[str, ...]:
    """Return the patterns that read every row of a file; where none does, those that read its first rows."""
    patterns = seen.patterns
    column = f"{_quoted(seen.name)}::VARCHAR"
    checks = ", ".join(f"count(*) FILTER (try_strptime({column}, '{pattern}') IS NULL)" for pattern in patterns)
    rows = open_rows(path, connection, scratch).exact().relation.filter(f"{column} <> ''")
    (failures,) = rows.aggregate(checks).fetchall()
    fewest = min(failures)
    left = tuple(pattern for pattern, failed in zip(patterns, failures, strict=True) if failed == fewest)
    day_first = [pattern for pattern in left if DAY_FIRST.get(pattern) in left]
    return tuple(day_first[:1]) + tuple(DAY_FIRST[pattern] for pattern in day_first[:1]) or left[:1]


def _groups(found: list[Recognised], base: Path) -> list[tuple[Recognised, str]]:
    """Return files that are parts of one, the same columns in the same folder under names alike, with their pattern."""
    groups: dict[tuple[object, ...], list[Recognised]] = {}
    for one in found:
        path = one.looked.path
        groups.setdefault(
            (path.parent, path.suffix, _stem(path), one.table.name, tuple(one.looked.columns)), []
        ).append(one)
    return [
        (_agreed(group), pattern)
        for group in groups.values()
        for pattern in _patterns([one.looked.path for one in group], base)
    ]


def _agreed(group: Sequence[Recognised]) -> Recognised:
    """Return the first of a group, its times written as suits them all: what one file leaves open another tells."""
    guesses = dict(group[0].guesses)
    for name, guess in group[0].guesses.items():
        others = [one.guesses[name].theirs.patterns for one in group[1:] if name in one.guesses]
        common = tuple(pattern for pattern in guess.theirs.patterns if all(pattern in other for other in others))
        if common and common != guess.theirs.patterns:
            why = f"{guess.why}; written {common[0]}, as another file of its kind shows"
            guesses[name] = replace(guess, theirs=replace(guess.theirs, patterns=common), why=why)
    return replace(group[0], guesses=guesses)


def _stem(path: Path) -> str:
    return path.stem.rstrip("0123456789-_. ")


def _patterns(paths: Sequence[Path], base: Path) -> list[str]:
    """Return one pattern if it means just these files of one folder, else the name of each."""
    pattern = named(paths[0].with_name(f"{_stem(paths[0])}*{paths[0].suffix}"), base)
    if len(paths) > 1 and set(_meant(pattern, base)) == set(paths):
        return [pattern]
    return [named(path, base) for path in paths]


def _meant(pattern: str, base: Path) -> list[Path]:
    try:
        return expand(pattern, base)
    except UsageError:  # the name of a file may hold what a pattern takes for something else
        return []


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
