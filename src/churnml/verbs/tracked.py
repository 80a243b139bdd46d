"""What is tried is entered in MLflow; where its server is away the work goes on, and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from churnml.errors import DependencyError
from churnml.verbs.session import Session

if TYPE_CHECKING:
    from churnml.modeling.tracking import Entry


def tracked(session: Session, entry: Callable[[], Entry]) -> str:
    """Enter a run in MLflow and return why it could not be, empty where it was."""
    from churnml.modeling.tracking import Ledger, track  # noqa: PLC0415  # MLflow takes seconds to import

    with session.step("Tracking the run in MLflow"):
        try:
            track(Ledger.of(session.workspace.mlflow), entry())
        except DependencyError as error:
            return _told(session, f"the run was not tracked: {error}")
    return ""


def champion_told(session: Session, bundle: str) -> str:
    """Move the alias in MLflow's registry and return why it could not be, empty where it was."""
    from churnml.modeling.tracking import Ledger, name_champion  # noqa: PLC0415  # MLflow takes seconds to import

    try:
        known = name_champion(Ledger.of(session.workspace.mlflow), bundle)
    except DependencyError as error:
        return _told(session, f"the alias in MLflow's registry has not moved: {error}")
    if known:
        return ""
    return _told(session, f"the alias in MLflow's registry has not moved: model {bundle[:12]} was never tracked there")


def _told(session: Session, words: str) -> str:
    session.console.print(f"warning: {words}", style="yellow", markup=False)
    return words
