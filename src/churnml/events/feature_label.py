"""Which values of a label mean that the customer left, and which that they stayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from churnml.errors import DataRefusedError, NotEnoughDataError, UsageError

_LEFT = {"1", "1.0", "true", "t", "yes", "y"}
_LEFT |= {
    "churned",
    "churn",
    "left",
    "lost",
    "gone",
    "cancelled",
    "canceled",
    "closed",
    "attrited",
    "exited",
    "inactive",
}
_STAYED = {"0", "0.0", "false", "f", "no", "n"}
_STAYED |= {
    "stayed",
    "retained",
    "active",
    "current",
    "existing",
    "loyal",
    "not churned",
    "no churn",
    "renewed",
    "open",
}
_OF_STAYING = ("stay", "retain", "retention", "active", "renew", "loyal", "alive", "kept")
_NOT_OF_STAYING = ("inactive", "not_", "non")
_SHOWN = 6


@dataclass(frozen=True)
class Classes:
    """The values of a label, in lower case.

    Parameters
    ----------
    positive, negative : frozenset of str
        Of those who churned and of those who stayed.
    notes : list of str
        What was understood without being declared.
    """

    positive: frozenset[str]
    negative: frozenset[str]
    notes: list[str]

    @property
    def listed(self) -> str:
        """The values there may be, in words."""
        return " or ".join(f"`{value}`" for value in (*sorted(self.positive), *sorted(self.negative)))


def classes_of(label: str, found: Mapping[str, int], positive: str | None, max_bad_share: float) -> Classes:
    """Return which values mean what.

    Parameters
    ----------
    found : mapping of str to int
        How many rows hold each value, in lower case, most frequent first.
    positive : str, optional
        The value that means churned, where that does not go without saying.
    max_bad_share : float
        The share of labelled rows that may hold a value of neither class; they are set aside.

    Raises
    ------
    DataRefusedError
        If no row has a label, or the label has too many values.
    NotEnoughDataError
        If all rows have the same.
    UsageError
        If the values do not say who churned.
    """
    if not found:
        raise DataRefusedError(f"label `{label}`: no row has one; rows without a label can be scored, not learned from")
    classes = _declared(label, found, positive.strip().lower()) if positive is not None else _obvious(label, found)
    known = classes.positive | classes.negative
    odd = [value for value in found if value not in known]
    if sum(found[value] for value in odd) > max_bad_share * sum(found.values()):
        raise DataRefusedError(
            f"label `{label}` must have two values, one for who churned and one for who stayed; beside "
            f"{classes.listed} found {_shown(odd)}; correct them, or leave them empty"
        )
    return classes


def _declared(label: str, found: Mapping[str, int], positive: str) -> Classes:
    if positive not in found:
        raise UsageError(f"--positive: label `{label}` has no value `{positive}`, found {_shown(list(found))}")
    others = [value for value in found if value != positive]
    if not others:
        raise NotEnoughDataError(_one_class(label, positive, found[positive]))
    return Classes(frozenset({positive}), frozenset(others[:1]), [])


def _obvious(label: str, found: Mapping[str, int]) -> Classes:
    left, stayed = found.keys() & _LEFT, found.keys() & _STAYED
    name = label.lower()
    about_staying = any(word in name for word in _OF_STAYING) and not any(word in name for word in _NOT_OF_STAYING)
    if (not left and not stayed) or about_staying:
        why = "its name speaks of staying" if about_staying else "its values do not say it"
        raise UsageError(
            f"label `{label}`: who churned? {why}; found {_shown(list(found))}; name the value of those who churned "
            "with --positive"
        )
    if len(found) == 1:
        ((value, rows),) = found.items()
        raise NotEnoughDataError(_one_class(label, value, rows))
    if not left or not stayed:
        raise UsageError(
            f"label `{label}`: found {_shown(list(found))}, of which only {_shown(sorted(left | stayed))} goes without "
            "saying; name the value of those who churned with --positive"
        )
    words = f"label `{label}`: {_shown(sorted(left))} is read as churned, {_shown(sorted(stayed))} as stayed"
    return Classes(frozenset(left), frozenset(stayed), [f"{words}; --positive says otherwise"])


def _one_class(label: str, value: str, rows: int) -> str:
    return (
        f"label `{label}`: all {rows:,} rows say `{value}`, and without some who churned and some who stayed there is "
        "nothing to learn; bring both"
    )


def _shown(values: list[str]) -> str:
    more = " …" if len(values) > _SHOWN else ""
    return ", ".join(f"`{value[:40]}`" for value in values[:_SHOWN]) + more
