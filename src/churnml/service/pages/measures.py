"""Measures of the customer base as one HTML file, from the JSON that carries the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from churnml.measures.cells import cell
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

    def shown(row: Json, name: str, measure: Json, body: Json) -> str:
        about = measure["columns"][name]
        return cell(row[name], about["unit"], body["currency"], language, about["words"])

    return document("measures_report.html", {"bodies": bodies, "shown": shown}, language)
