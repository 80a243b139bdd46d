"""`churnml measure lifecycle --customer ID`: one customer's path through the stages, as it was last kept."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from churnml.errors import NotFoundError
from churnml.measures.lifecycle import STAGES
from churnml.measures.paths import read_path
from churnml.verbs.session import Session
from churnml.wording import Language, format_date

Json = dict[str, Any]  # Any: JSON


def path_of(session: Session, customer_id: str) -> Json:
    """Return the path of one customer that `churnml measure lifecycle` last kept.

    Raises
    ------
    NotFoundError
        If nobody's path is kept, or none of this customer.
    """
    stays = read_path(session.workspace, session.catalogue, customer_id)
    if stays is None:
        raise NotFoundError("no customer's path is kept yet; run `churnml measure lifecycle` first")
    if not stays:
        raise NotFoundError(
            f"no path of a customer `{customer_id}` is kept: ids are compared as text; who refuses to be profiled, or "
            "was not known yet when `churnml measure lifecycle` last ran, has none"
        )
    return {"customer_id": customer_id, "lifecycle_path": [asdict(one) for one in stays]}


def path_told(found: Json, language: Language) -> str:
    """Return a path for people, a line a stay."""
    return "\n".join(
        f"{_days(one['first'], one['last'], language)}  {STAGES[one['stage']].to(language)}"
        for one in found["lifecycle_path"]
    )


def _days(first: str, last: str, language: Language) -> str:
    days = [format_date(one, language) for one in dict.fromkeys((first, last))]
    return " – ".join(days)
