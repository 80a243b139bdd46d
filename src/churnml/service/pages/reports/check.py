"""What the pages of `churnml check` share: a finding as a sentence, and a row of a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from churnml.modeling.check_finding import Finding
from churnml.modeling.comparison import CUSTOMERS
from churnml.service.pages.harmless import marked, visible
from churnml.wording import Language, Text

Meanings = Mapping[str, Text]
"""What each feature is, by its name."""

NOT_FEATURES = {
    "standing": Text("whether the customer is in the population", "客户状态：是否活跃客户"),
    CUSTOMERS: Text("who is there at all", "究竟有哪些客户"),
}
"""What else two tables are compared by."""


@dataclass(frozen=True)
class Said:
    """A finding on a page: its sentence, and what the feature means that it is of."""

    sentence: Markup
    meaning: str


@dataclass(frozen=True)
class Dot:
    """A row of a picture.

    Parameters
    ----------
    name : str
        The identifier: of a feature, a table or a score.
    meaning : str
        What that is in the language of the page; empty where it is not known.
    drawn : Markup
        The value and its interval, on the scale of the picture.
    value, between : str
        The same in figures.
    also : str
        The value measured otherwise, where that says more; empty elsewhere.
    kind : str
        The class that colours the row; empty where nothing is wrong.
    days : int
        Of delay; 0 where the picture is of something else.
    """

    name: str
    meaning: str
    drawn: Markup
    value: str
    between: str = ""
    also: str = ""
    kind: str = ""
    days: int = 0


def known_in(meanings: Meanings, language: Language) -> dict[str, str]:
    """Return in a language what each thing is that two tables are compared by."""
    return {name: text.to(language) for name, text in {**meanings, **NOT_FEATURES}.items()}


def said(findings: Iterable[Finding], known: Mapping[str, str], language: Language) -> list[Said]:
    """Return findings as sentences."""
    return [Said(sentence(one, language), known.get(getattr(one, "feature", ""), "")) for one in findings]


def sentence(one: Finding, language: Language) -> Markup:
    """Return a finding with its names as code, and what came with the data as nothing but text."""
    places = one.places(language).items()
    shown = {name: visible(value) if isinstance(value, str) else value for name, value in places}
    return marked(one.words.to(language)).format(**shown)


def drawn(svg: str) -> Markup:
    """Return a drawing as it stands on a page."""
    return Markup(svg)  # noqa: S704  # drawings escape what they are given
