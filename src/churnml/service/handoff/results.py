"""What Salesforce answered to a file that was handed over: which records it took, which it refused and why.

A job of Bulk API 2.0 has three results, each a CSV with the columns that were handed over. What it took has `sf__Id`
and `sf__Created` beside them, what it refused `sf__Id` and `sf__Error`; what it never came to has no column more. Their
order need not be that of the file that was handed over.

References
----------
Bulk API 2.0 Developer Guide, "Get Job Successful Record Results", "Get Job Failed Record Results" and "Get Job
Unprocessed Record Results":
https://developer.salesforce.com/docs/atlas.en-us.264.0.api_asynch.meta/api_asynch/get_job_failed_results.htm
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from churnml.errors import DataRefusedError, UsageError
from churnml.service.handoff.columns import chosen_columns
from churnml.service.handoff.shapes import SHAPES

TOOL = "salesforce"
"""The one tool whose answers are read."""
Answer = Literal["taken", "refused", "not_tried"]
_ERROR, _CREATED = "sf__Error", "sf__Created"
_CODE = re.compile(r"(?P<code>[A-Z][A-Z0-9_]+):(?P<rest>.*)", re.DOTALL)
_FIELDS = re.compile(r"(?P<words>.*):(?P<fields>[\w.,\s]*)--", re.DOTALL)
_LONGEST_CELL = 1_000_000


@dataclass(frozen=True)
class Answered:
    """What became of one record.

    Parameters
    ----------
    row : int
        Its number among the rows of the result, from 1.
    customer_id : str
        By which Salesforce found it.
    assignment_id : str
        Empty where nothing was assigned, or the column was not handed over.
    created : bool
        Whether the record is new there; of one that was taken.
    code, words : str
        Salesforce's code of an error, and what it says beside it; of one that was refused.
    column, value : str
        The first column that the error names, and what was handed over in it; empty where it names none.
    """

    row: int
    customer_id: str
    assignment_id: str
    created: bool = False
    code: str = ""
    words: str = ""
    column: str = ""
    value: str = ""


@dataclass(frozen=True)
class Results:
    """One result of a job: which of the three it is, and what became of each record."""

    answer: Answer
    records: list[Answered]


def read_results(path: Path, named: Mapping[str, str]) -> Results:
    """Return what a result of a job says.

    Parameters
    ----------
    named : mapping of str to str
        What Salesforce calls our fields, as configs/handoff.yaml says; usual names if empty.

    Raises
    ------
    UsageError
        If there is no such file.
    DataRefusedError
        If it is no CSV in UTF-8, or lacks the column by which records are found.
    """
    if not path.is_file():
        raise UsageError(f"a result of a job must be a file, found none at {path}")
    headers = {one.name: one.header for one in chosen_columns(TOOL, SHAPES[TOOL], named)}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            csv.field_size_limit(_LONGEST_CELL)
            rows = csv.DictReader(lines, strict=True)
            header = list(rows.fieldnames or ())
            _require_key(path.name, header, headers["customer_id"])
            return Results(_answer_of(header), list(_records(rows, headers)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataRefusedError(f"{path.name} must be a CSV in UTF-8 that can be read: {error}") from error


def _require_key(file: str, header: Sequence[str], key: str) -> None:
    if key not in header:
        raise DataRefusedError(
            f"{file} must have the column `{key}`, by which records are found, got {', '.join(header) or 'no header'}; "
            "give a result of what was handed over, and the configs/handoff.yaml that it was made by"
        )


def _answer_of(header: Sequence[str]) -> Answer:
    return "refused" if _ERROR in header else "taken" if _CREATED in header else "not_tried"


def _records(rows: csv.DictReader[str], headers: Mapping[str, str]) -> Iterator[Answered]:
    for number, row in enumerate(rows, start=1):
        customer, assignment = (_cell(row, headers.get(name, "")) for name in ("customer_id", "assignment_id"))
        code, words, column = _said(row.get(_ERROR) or "")
        created = (row.get(_CREATED) or "").casefold() == "true"
        yield Answered(number, customer, assignment, created, code, words, column, _cell(row, column))


def _cell(row: Mapping[str, str | None], header: str) -> str:
    """Return what was handed over in a column; what clears a field is nothing."""
    value = row.get(header) or ""
    return "" if value == SHAPES[TOOL].empty else value


def _said(error: str) -> tuple[str, str, str]:
    """Return the code of an error, its words, and the first field that it names.

    Errors read `CODE:words:Field__c,Other__c --`; where one does not, all of it is its words.
    """
    coded = _CODE.fullmatch(error.strip())
    if coded is None:
        return "", error.strip(), ""
    told = _FIELDS.fullmatch(coded["rest"])
    if told is None:
        return coded["code"], coded["rest"].strip(), ""
    return coded["code"], told["words"].strip(), told["fields"].split(",")[0].strip()
