"""A thing that a check found: its kind, and the numbers and names that say it. Sentences are made where one is read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from churnml.wording import Language, Text

MISSING = Text("missing", "缺失")


@dataclass(frozen=True)
class Finding:
    """What all findings have in common; each kind is a class of its own, whose fields are the figures.

    Attributes
    ----------
    code : str
        The kind, for programs.
    words : Text
        The sentence; braces hold the places of the fields.
    """

    code: ClassVar[str]
    words: ClassVar[Text]

    @property
    def about(self) -> str:
        """What it is found of, for where many are told in one line: the first field."""
        return f"`{getattr(self, fields(self)[0].name)}`"

    def places(self, language: Language) -> dict[str, Any]:  # Any: of all kinds
        """Return what stands in the places of the sentence."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        if "customer_id" in told:  # quoted as each language does; what shows nothing is spelt out on a terminal
            told["customer_id"] = Text("{!r}", "“{}”").to(language).format(told["customer_id"])
        return {name: MISSING.to(language) if value is None else value for name, value in told.items()}

    def said(self, language: Language = "en") -> str:
        """Return the finding as a sentence; names of features and tables stand in backticks."""
        return self.words.to(language).format(**self.places(language))

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data."""
        return {"code": self.code} | asdict(self)
