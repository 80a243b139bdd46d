"""A market whose future owes nothing to its past, landed for real, and the same with a table that was dated back."""

from __future__ import annotations

from pathlib import Path

from churnml.config import TrainConfig
from churnml.database import Catalogue, Workspace, open_engine
from churnml.events import Store
from churnml.events.clock import DAY, moment
from churnml.labels import Outcomes
from churnml.modeling.leakage import judged_at
from command import churnml

CONFIG = TrainConfig(horizon_days=30, min_history_days=60, max_cutoffs=3)


def simulated(folder: Path, customers: int, days: int) -> Workspace:
    """Land a memoryless market and return its workspace."""
    options = ("--customers", customers, "--days", days, "--seed", 5, "--variant", "memoryless")
    done = churnml("simulate", "--workspace", folder / "workspace", *options)
    assert done.code == 0, done.err
    return Workspace.open(folder / "workspace")


def store_of(workspace: Workspace) -> Store:
    """Return the store of a workspace."""
    known = Catalogue(open_engine(workspace.database))
    store = Store.open(workspace, known, "UTC")
    known.engine.dispose()
    return store


def now_of(store: Store) -> int:
    """Return the midnight after the last order."""
    return (store.span[1] // DAY + 1) * DAY


def write_letters(workspace: Workspace, file: Path) -> None:
    """Land a letter to each customer who will leave, dated back to three days before the cutoff that is checked."""
    store = store_of(workspace)
    cutoff = judged_at(store, now_of(store), CONFIG)
    outcome = Outcomes.read(store, [cutoff], CONFIG.horizon_days)
    leaving = outcome.customer_ids[(outcome.orders == 0)[0]]
    day = moment(cutoff - 3 * DAY).date().isoformat()
    rows = [f"{who},{day},farewell-{who},mail,farewell,{day}" for who in leaving]
    file.write_text("\n".join(["customer_id,occurred_at,contact_id,channel,action,ingested_at", *rows]) + "\n")
    done = churnml("ingest", file, "--table", "contacts", "--workspace", workspace.root)
    assert done.code == 0, done.err
