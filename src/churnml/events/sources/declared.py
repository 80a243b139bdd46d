"""What `sources.yaml` may say: its keys and their values, checked as far as that goes without opening a file.

Every value is read as the text that was written: YAML would make a truth of `no` and a number of `007`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import yaml
from pydantic import BeforeValidator, Field

from churnml.config import Settings, validated
from churnml.errors import ConfigError, nearest
from churnml.events.schema import CURRENCY, TABLES, Column, Table
from churnml.events.sources import Unit
from churnml.events.sources.opening import NO_URL, is_url

KINDS = ("file", "duckdb", "postgres", "preset")
READING = ("encoding", "delimiter", "quote", "decimal", "thousands", "sheet")
"""How a file is written; what is not said is found out and reported."""

_DIRECTIVE = re.compile(r"%(-?[aAwdbBmyYHIpMSjUWfgnzZcxX%])")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _spelt_out(value: object) -> object:
    """Read `ours: theirs` as `ours: {from: theirs}`."""
    if isinstance(value, (list, tuple)):
        told = "must be the name of one column, or pairs such as {from: Total, unit: cents}, got a list"
        raise ValueError(told)  # noqa: TRY004  # of a TypeError pydantic makes no refusal
    return {"from": value} if isinstance(value, str) else value


def _each(value: object) -> object:
    """Read one file as a list of one."""
    return (value,) if isinstance(value, str) else value


def _one_name(value: object) -> object:
    if isinstance(value, (list, tuple)):
        told = "must be one file, folder or pattern, got a list; write an entry for each, or a pattern such as o-*.csv"
        raise ValueError(told)  # noqa: TRY004
    return value


class From(Settings):
    """Where the values of one of our columns come from, and how they are written."""

    source: str = Field("", alias="from", description="the column's name in the file")
    constant: str | None = Field(None, description="one value for every row, instead of a column")
    format: str = Field("", description="how times are written, such as %d.%m.%Y %H:%M; ISO 8601 by default")
    unit: Unit = Field("", description="what a number counts, where it is no unit of the currency or written time")
    time_zone: str = Field("", description="IANA zone of times without an offset; the source's by default")
    decimal: Literal["", ".", ","] = Field("", description="the decimal mark; the source's by default")
    thousands: Literal["", ".", ",", " ", "'"] = Field("", description="what groups thousands")
    values: dict[str, str] = Field(default_factory=dict, description="ours for each of theirs")
    otherwise: Literal["keep", "empty", "drop"] = Field(
        "keep",
        alias="else",
        description="a value not among `values`: kept as it is, taken as empty, or its row left out",
    )


class Declared(Settings):
    """One entry of `sources.yaml`: rows on their way into one table, or a known export."""

    table: str = Field("", description="the table of the contract")
    file: Annotated[str, BeforeValidator(_one_name)] = Field(
        "", description="a file, a folder or a pattern, relative to sources.yaml"
    )
    duckdb: str = Field("", description="a DuckDB file, relative to sources.yaml")
    postgres: str = Field("", description="the name of the environment variable that holds the URL")
    preset: str = Field("", description="the name of a known export")
    query: str = Field("", description="SQL; over a file, its rows are called `source`")
    files: dict[str, Annotated[tuple[str, ...], BeforeValidator(_each)]] = Field(
        default_factory=dict, description="the files of a preset, by role"
    )
    time_zone: str = Field("", description="IANA zone of times without an offset; the workspace's by default")
    encoding: str = Field("", description="such as utf-8 or gb18030")
    delimiter: str = Field("", description="what parts columns")
    quote: str = Field("", description="what encloses values")
    decimal: Literal["", ".", ","] = Field("", description="the decimal mark")
    thousands: Literal["", ".", ",", " ", "'"] = Field("", description="what groups thousands")
    sheet: str = Field("", description="the sheet of an Excel file")
    columns: dict[str, Annotated[From, BeforeValidator(_spelt_out)]] = Field(
        default_factory=dict, description="ours: theirs"
    )
    leave_out: tuple[str, ...] = Field((), description="columns of the file that are not taken")

    @property
    def kind(self) -> str:
        """Which of the four it is."""
        return next((kind for kind in KINDS if getattr(self, kind)), "")

    @property
    def reading(self) -> dict[str, str]:
        """What is said of how the file is written."""
        return {key: getattr(self, key) for key in READING if getattr(self, key)}


class SourcesFile(Settings):
    """`sources.yaml`: what a company has, and how it fills the tables."""

    sources: list[Declared] = Field(min_length=1, description="one entry for each source")


def read_declared(path: Path) -> list[Declared]:
    """Return the entries of a `sources.yaml`.

    Raises
    ------
    ConfigError
        If the file is missing, is not YAML, says a key or a value that does not exist, or says it twice.
    """
    if is_url(str(path)):
        raise ConfigError(f"--sources must name a sources.yaml, {NO_URL}")
    if not path.is_file():
        raise ConfigError(f"{path} is not a file; `churnml init` writes an example `sources.yaml`")
    try:
        loaded = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_AsWritten)  # noqa: S506  # texts only
    except PermissionError as error:
        raise ConfigError(
            f"{path} must be readable, found that we may not read it; give this user the right to (chmod +r)"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name} must be UTF-8 text, found another encoding; save it as UTF-8") from error
    except yaml.YAMLError as error:
        mark, why = (
            getattr(error, "problem_mark", None),
            getattr(error, "problem", None) or "a character it may not hold",
        )
        line = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path.name} is not valid YAML{line}: {why}") from error
    if loaded in (None, "", "~", "null", {}) or (isinstance(loaded, dict) and loaded.get("sources") in ("", "~", [])):
        raise ConfigError(
            f"{path.name} names no source yet; list what you have under `sources:`, as docs/sources.md shows, or move "
            "the file away and have `churnml init --from FOLDER` propose one"
        )
    entries = validated(loaded, SourcesFile, path.name).sources
    for number, entry in enumerate(entries, start=1):
        _check_entry(entry, f"{path.name}: source {number}" + (f" (`{entry.table}`)" if entry.table else ""))
    return entries


class _AsWritten(yaml.BaseLoader):
    """YAML in which every value is the text that was written, and no key may stand twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # Any: yaml's own signature
        keys = [key.value for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"`{twice}` stands twice", node.start_mark)
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return made


def _check_entry(entry: Declared, where: str) -> None:
    said = [kind for kind in KINDS if getattr(entry, kind)]
    if len(said) != 1:
        found = " and ".join(f"`{kind}`" for kind in said) or "none of them"
        raise ConfigError(f"{where}: say exactly one of `file`, `duckdb`, `postgres` and `preset`, found {found}")
    _check_zone(entry.time_zone, where)
    for key, named in {"file": (entry.file,), "duckdb": (entry.duckdb,), **entry.files}.items():
        if any(map(is_url, named)):  # it may hold a password, so it is not shown
            raise ConfigError(f"{where}: `{key}` must name a file, {NO_URL}")
    if entry.kind == "preset":
        _check_alone(entry, where, ("preset", "files", "time_zone", *READING))
        return
    if entry.table not in TABLES:
        found = f"got `{entry.table}`{nearest(entry.table, TABLES)}" if entry.table else "found none"
        raise ConfigError(f"{where}: `table` must be one of {', '.join(TABLES)}; {found}")
    if entry.kind == "file":
        _check_alone(entry, where, tuple(key for key in Declared.model_fields if key not in {"files", "preset"}))
    else:
        _check_database(entry, where)
    for name, column in entry.columns.items():
        _check_column(TABLES[entry.table], name, column, f"{where}: column `{name}`")


def _check_alone(entry: Declared, where: str, may: tuple[str, ...]) -> None:
    """Refuse a key that means nothing beside this kind of source."""
    stray = [key for key in Declared.model_fields if key not in may and getattr(entry, key)]
    if stray:
        raise ConfigError(f"{where}: `{stray[0]}` means nothing beside `{entry.kind}`; leave it out")


def _check_database(entry: Declared, where: str) -> None:
    _check_alone(
        entry, where, ("table", entry.kind, "query", "time_zone", "decimal", "thousands", "columns", "leave_out")
    )
    if not entry.query:
        raise ConfigError(f"{where}: `{entry.kind}` needs a `query`, such as SELECT * FROM {entry.table}")
    if entry.kind == "postgres" and not _VARIABLE.fullmatch(entry.postgres):  # it may be a URL with its password
        raise ConfigError(
            f"{where}: `postgres` names the environment variable that holds the URL, such as CRM_DATABASE_URL; "
            "what stands there is no such name. A URL with its password does not belong in a file: change that password"
        )


def _check_column(table: Table, name: str, column: From, where: str) -> None:
    known = {column.name: column for column in table.columns} | ({CURRENCY.name: CURRENCY} if table.priced else {})
    if name not in known:
        raise ConfigError(f"{where}: table `{table.name}` has no such column{nearest(name, known)}")
    if bool(column.source) == (column.constant is not None):
        raise ConfigError(f"{where}: say either `from`, the column of the file, or `constant`, a value for every row")
    _check_zone(column.time_zone, where)
    contract = known[name]
    _check_writing(contract, column, where)
    if column.otherwise != "keep" and not column.values:
        raise ConfigError(f"{where}: `else` says what becomes of values not among `values`; name those first")
    if column.constant is not None and column.values:
        raise ConfigError(f"{where}: `values` translates a column of the file; write the `constant` as it should be")


def _check_writing(contract: Column, column: From, where: str) -> None:
    """Check that what is said of a column's writing suits what the column holds."""
    instant = contract.kind == "instant"
    if column.format and not instant:
        raise ConfigError(f"{where}: `format` is for times, but this is {_kind(contract)}; leave it out")
    if column.format and (re.search("%", _DIRECTIVE.sub("", column.format)) or not _DIRECTIVE.search(column.format)):
        raise ConfigError(
            f"{where}: `format` must be written like %d.%m.%Y %H:%M (day, month, year, hour, minute), "
            f"found `{column.format}`"
        )
    if column.unit == "cents" and contract.kind != "money":
        raise ConfigError(f"{where}: the unit `cents` is for amounts of money, but this is {_kind(contract)}")
    if column.unit not in {"", "cents"} and not instant:
        raise ConfigError(f"{where}: the unit `{column.unit}` is for times, but this is {_kind(contract)}")
    if column.format and column.unit:
        raise ConfigError(f"{where}: say `format` for written times or `unit` for counted ones, not both")


def _kind(contract: Column) -> str:
    names = {"money": "an amount", "instant": "a time", "integer": "a whole number", "boolean": "true or false"}
    return names.get(contract.kind, f"a {contract.kind}" if contract.kind != "json" else "a JSON object")


def _check_zone(zone: str, where: str) -> None:
    if zone and zone not in available_timezones():
        near = nearest(zone, available_timezones())
        raise ConfigError(f"{where}: `time_zone` must be an IANA name such as Europe/Berlin, found `{zone}`{near}")
