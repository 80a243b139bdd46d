"""A decision record as it is kept, held against the same record made anew, field by field and bit by bit."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]  # Any: JSON


@dataclass(frozen=True)
class Differing:
    """A field that is another in the record that is kept than in the one made anew."""

    field: str
    kept: Any  # Any: JSON
    anew: Any  # Any: JSON


def differing(kept: Record, anew: Record, beside: Collection[str] = ()) -> list[Differing]:
    """Return the fields in which two records of one customer differ, in the order of their names.

    Numbers are compared by all their digits, so that 0.1 + 0.2 is not 0.3 and -0.0 is not 0.0; a field that only one of
    them has is told with None in the other's place.

    Parameters
    ----------
    beside : collection of str
        Fields that are not compared.

    Examples
    --------
    >>> differing({"clv": 0.3, "rung": "blend"}, {"clv": 0.1 + 0.2, "rung": "blend"})
    [Differing(field='clv', kept=0.3, anew=0.30000000000000004)]
    """
    names = sorted((set(kept) | set(anew)) - set(beside))
    return [
        Differing(name, kept.get(name), anew.get(name))
        for name in names
        if (name in kept) != (name in anew) or _written(kept.get(name)) != _written(anew.get(name))
    ]


def _written(value: Any) -> str:  # Any: JSON
    """Return a value as JSON, which gives each float the digits that only it has."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
