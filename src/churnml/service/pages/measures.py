"""Measures of the customer base as one HTML file, from the JSON that carries the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from churnml.measures.cells import cell_of
from churnml.service.pages.rendering import document
from churnml.wording import Language

Json = Mapping[str, Any]  # Any: JSON


def measures_page(bodies: Sequence[Json], language: Language) -> str:
    """Return measures as one HTML document that needs nothing beside it: no script, no network, no other file.

    Parameters
    ----------
    bodies : sequence of mapping
        What `churnml measure NAME --json` prints, one for each name.
    language : {"en", "zh"}
        Of the page.
    """

    def shown(row: dict[str, Any], name: str, measure: Json, body: Json) -> str:
        return cell_of(row, name, measure["columns"][name], body["currency"], language)

    return document("measures_report.html", {"bodies": bodies, "shown": shown}, language)
