"""The texts and days that a request may hold, with their bounds."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_IN_A_NOTE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _one_line(text: str) -> str:
    if _CONTROL.search(text) or text != text.strip():
        raise ValueError("must have no blank at its ends and no control character")
    return text


def _several_lines(text: str) -> str:
    if _CONTROL_IN_A_NOTE.search(text) or not text.strip():
        raise ValueError("must say something, without control characters other than ends of lines and tabs")
    return text


def _only_a_day(value: object) -> object:
    if value is not None and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise ValueError("must be a date such as 2017-12-31")
    return value


CustomerId = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_one_line)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_one_line)]
"""What a person or a key is called."""
NoteText = Annotated[str, StringConstraints(min_length=1, max_length=4_000), AfterValidator(_several_lines)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31)), BeforeValidator(_only_a_day)]
