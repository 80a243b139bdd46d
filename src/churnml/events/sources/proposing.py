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

from churnml.errors import ChurnmlError, DataRefusedError, UsageError
from churnml.events.no_bar import without_bar
from churnml.events.schema import TABLES
from churnml.events.sources.files import expand, readable
from churnml.events.sources.opening import _SUFFIXES as SUFFIXES
from churnml.events.sources.opening import is_url, kind_of, require_file
from churnml.events.sources.parts import Part, parts_of
from churnml.events.sources.presets import PRESETS, Preset
from churnml.events.sources.recognising import LEAST_TABLE, Guess, Met, Recognised, recognise
from churnml.events.sources.sampling import DAY_FIRST, SAMPLE_ROWS, Looked, Seen, look
from churnml.events.sources.writing import (
    NO_CUSTOMERS,
    Entry,
    first_orders,
    misfit,
    named,
    preset_entry,
    table_entry,
    whole,
)

_OURS = "sources.yaml"


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
        The `sources.yaml`; where there are no entries, an example with comments.
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
    require_folder(folder)
    folder, base = folder.resolve(), (base or folder).resolve()
    paths, left = _files(folder)
    if not paths:
        raise UsageError(
            f"{folder} holds no file that can be read: CSV, Excel, JSON lines, Parquet or DuckDB; put some there"
        )
    with _reading() as (connection, scratch):
        looked, unread = _looked(paths, folder, connection, scratch)
        # those that are asked for by their folder are looked at all the same
        looked = [one for one in looked if one.path.parent == folder or not _empty_template(one, base)]
        entries, others = _known_exports(looked, base)
        found = _recognised(others, connection, scratch)
        left += unread
        left += [(_under(one.looked.part, folder), _strange(one)) for one in found if one.confidence < LEAST_TABLE]
        kept = [_decided(one, connection, scratch) for one in found if one.confidence >= LEAST_TABLE]
    entries += [table_entry(one, pattern) for one, pattern in _groups(kept, base)]
    asked = [question for entry in entries for question in entry.questions]
    if entries and not any("customers" in entry.tables for entry in entries):
        made = first_orders(kept, base)
        entries += [made] if made else []
        asked.append(NO_CUSTOMERS)
    questions = tuple(dict.fromkeys(asked))
    return Proposal(tuple(entries), questions, tuple(left), whole(entries, questions, left))


def require_folder(folder: Path) -> None:
    """Refuse what is no folder of files; a URL, in which a password may stand, is not shown.

    Raises
    ------
    UsageError
        If it is a URL, or there is no such folder.
    """
    if is_url(str(folder)):
        raise UsageError(
            "--from must name a folder of files, found a URL, which is not read here; download the files into a folder "
            "and name that. A PostgreSQL database is named in sources.yaml by hand, with the environment variable that "
            "holds its URL: docs/sources.md shows how. A password does not belong in a command: change it if the URL "
            "held one"
        )
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name the one that holds the files")


@contextmanager
def _reading() -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    with TemporaryDirectory() as scratch, duckdb.connect() as connection:
        connection.execute("SET memory_limit = '400MB'")
        without_bar(connection)
        yield connection, Path(scratch)


def _files(folder: Path) -> tuple[list[Path], list[tuple[str, str]]]:
    """Return the files we read, and those we do not, in a folder and the folders in it; what is our own is neither."""
    inside = [path for path in _shown(folder) if path.is_dir() and not _our_own(path)]
    own = [path for path in inside if _within(path, folder)]
    every = [path for place in (folder, *own) for path in _shown(place) if not path.is_dir()]
    left = [(f"{path.name}/", "a link out of the folder") for path in inside if path not in own]
    paths = []
    for path in every:
        if reason := _why_not_used(path, folder):
            left.append((_under(Part(path), folder), reason))
        else:
            paths.append(path)
    return paths, left


def _shown(folder: Path) -> list[Path]:
    """Return what one sees in a folder; ~$ is what Excel leaves beside an open workbook."""
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "~$")) and path.name != _OURS]


def _our_own(folder: Path) -> bool:
    """Tell whether a folder is a workspace, or one of settings."""
    return (folder / "churnml.db").exists() or (folder / "workspace.yaml").exists()


def _empty_template(one: Looked, base: Path) -> bool:
    """Tell whether a file is a template that `churnml init` wrote and nobody has filled."""
    table = TABLES.get(one.path.stem)
    ours = table is not None and one.path.parent == base / "templates" and tuple(one.columns) == table.names
    return ours and not one.rows


def _within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _why_not_used(path: Path, folder: Path) -> str:
    """Return why a file is not used; empty for one that is looked at."""
    try:
        require_file(path)
    except UsageError as error:
        return str(error).removeprefix(f"{path} ")
    if not _within(path, folder):
        return "a link out of the folder"
    if readable(path) or path.suffix.lower() in SUFFIXES["duckdb"]:
        return ""
    try:
        return f"{kind_of(path)}: of a kind that is not read"
    except DataRefusedError as error:
        return _reason(error, path)
    except UsageError as error:
        better = str(error).partition("; ")[2]  # under which name it would be read
        return f"its ending is none that is read{better and '; '}{better}"


def _looked(
    paths: Sequence[Path], folder: Path, connection: duckdb.DuckDBPyConnection, scratch: Path
) -> tuple[list[Looked], list[tuple[str, str]]]:
    """Return what each file holds, sheet by sheet and table by table, and what of it cannot be read."""
    looked, left = [], []
    for path in paths:
        parts = []
        try:
            parts = parts_of(path, connection, scratch)
        except ChurnmlError as error:
            left.append((_under(Part(path), folder), _reason(error, path)))
        for part in parts:
            try:
                looked.append(look(part, connection, scratch))
            except ChurnmlError as error:
                left.append((_under(part, folder), _reason(error, path)))
    return looked, left


def _reason(error: ChurnmlError, path: Path) -> str:
    """Return the words of an error without the name of the file, which stands before them already."""
    return str(error).removeprefix(f"{path.name}: ")


def _under(part: Part, folder: Path) -> str:
    return part.path.relative_to(folder).as_posix() + part.within


def _strange(one: Recognised) -> str:
    names = ", ".join(one.looked.columns)
    why = "".join(f"; {misfit(*names)}" for names in one.misfits)
    return f"not recognised (nearest: {one.table.name}, confidence {one.confidence:.2f}); columns: {names}{why}"


def _known_exports(looked: Sequence[Looked], base: Path) -> tuple[list[Entry], list[Looked]]:
    """Return an entry for each known export among the files, and the files that are of none."""
    taken: dict[str, dict[str, list[Looked]]] = {}
    others = []
    for one in looked:
        fitting = [
            (len(columns), preset, role)
            for preset in PRESETS.values()
            for role, columns in preset.files.items()
            if one.part == Part(one.path) and _has(one, columns)  # a preset reads whole files
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


def _recognised(looked: Sequence[Looked], connection: duckdb.DuckDBPyConnection, scratch: Path) -> list[Recognised]:
    """Return what each file is; ids that it shares with the customers show which column holds them."""
    found = [recognise(one) for one in looked]
    likely = [one for one in found if one.table.name == "customers" and "customer_id" in one.guesses]
    likely = [one for one in likely if one.looked.rows]  # a header holds no ids
    people = max(likely, key=lambda one: one.confidence, default=None)
    if people is None or people.confidence < LEAST_TABLE:
        return found
    rows = people.looked.part.rows(connection, scratch).relation
    ids = rows.project(f"{_quoted(people.guesses['customer_id'].theirs.name)}::VARCHAR AS id")
    ids.distinct().to_table("people")
    origin = people.looked.path.name + people.looked.part.within
    return [
        one if one is people else recognise(one.looked, Met(origin, _shares(one.looked, connection, scratch)))
        for one in found
    ]


def _shares(looked: Looked, connection: duckdb.DuckDBPyConnection, scratch: Path) -> dict[str, float]:
    """Return for each column that may hold ids which share of its first values are customers."""
    names = [name for name, seen in looked.columns.items() if seen.filled and not seen.moments and seen.objects < 1]
    if not names:
        return {}
    texts = ", ".join(f"{_quoted(name)}::VARCHAR AS c{place}" for place, name in enumerate(names))
    first = looked.part.rows(connection, scratch, first=SAMPLE_ROWS).relation.limit(SAMPLE_ROWS).project(texts)
    known = "avg((c{0} IN (SELECT id FROM people))::INT) FILTER (c{0} <> '')"
    (shares,) = first.aggregate(", ".join(known.format(place) for place in range(len(names)))).fetchall()
    return {name: share or 0.0 for name, share in zip(names, shares, strict=True)}


def _decided(one: Recognised, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Recognised:
    """Return a file whose times are read one way only, if any of its rows tells which."""
    guesses = dict(one.guesses)
    for name, guess in one.guesses.items():
        if len(guess.theirs.patterns) > 1:
            left = _reading_all(one.looked.part, guess.theirs, connection, scratch)
            why = f"{guess.why}; written {left[0]}, which reads every row" if len(left) == 1 else guess.why
            guesses[name] = Guess(guess.ours, replace(guess.theirs, patterns=left), guess.confidence, why)
    return replace(one, guesses=guesses)


def _reading_all(part: Part, seen: Seen, connection: duckdb.DuckDBPyConnection, scratch: Path) -> tuple[str, ...]:
    """Return the patterns that read every row of a file; where none does, those that read its first rows."""
    patterns = seen.patterns
    column = f"{_quoted(seen.name)}::VARCHAR"
    checks = ", ".join(f"count(*) FILTER (try_strptime({column}, '{pattern}') IS NULL)" for pattern in patterns)
    rows = part.rows(connection, scratch).relation.filter(f"{column} <> ''")
    (failures,) = rows.aggregate(checks).fetchall()
    fewest = min(failures)
    left = tuple(pattern for pattern, failed in zip(patterns, failures, strict=True) if failed == fewest)
    day_first = [pattern for pattern in left if DAY_FIRST.get(pattern) in left]
    return tuple(day_first[:1]) + tuple(DAY_FIRST[pattern] for pattern in day_first[:1]) or left[:1]


def _groups(found: list[Recognised], base: Path) -> list[tuple[Recognised, str]]:
    """Return files that are parts of one, the same columns in the same folder under names alike, with their pattern."""
    groups: dict[tuple[object, ...], list[Recognised]] = {}
    for one in found:
        path, part = one.looked.path, one.looked.part
        alike = (path,) if part.table else (path.parent, path.suffix, _stem(path), part.sheet)
        groups.setdefault((*alike, part.table, one.table.name, tuple(one.looked.columns)), []).append(one)
    return [
        (_agreed(group), pattern)
        for group in groups.values()
        for pattern in _patterns([one.looked.path for one in group], base)
    ]


def _agreed(group: Sequence[Recognised]) -> Recognised:
    """Return the first of a group, its times written as suits them all: what one file leaves open another tells.

    Files that have no rows tell nothing, unless all are such.
    """
    group = [one for one in group if one.looked.rows] or group
    guesses = dict(group[0].guesses)
    for name, guess in group[0].guesses.items():
        others = [one.guesses[name].theirs.patterns for one in group[1:] if name in one.guesses]
        common = tuple(pattern for pattern in guess.theirs.patterns if all(pattern in other for other in others))
        if common and common != guess.theirs.patterns:
            why = f"{guess.why}; written {common[0]}, as another file of its kind shows"
            guesses[name] = replace(guess, theirs=replace(guess.theirs, patterns=common), why=why)
    for name, guess in guesses.items():  # each file is read by itself: one in doubt is asked about for all
        doubts = (one.guesses[name].theirs.mark_open for one in group if name in one.guesses)
        guesses[name] = replace(guess, theirs=replace(guess.theirs, mark_open=next(filter(None, doubts), "")))
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
