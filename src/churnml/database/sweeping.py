"""What runs that were killed have left behind: it counts nowhere, and goes when somebody looks."""

from __future__ import annotations

import shutil

from churnml.database.catalogue import Catalogue, Run
from churnml.database.workspace import Workspace


def sweep(workspace: Workspace, catalogue: Catalogue, now: int) -> tuple[list[tuple[Run, int]], bool]:
    """Mark runs whose process is gone as failed and remove what they wrote; runs that go on are left alone.

    Call it under the workspace's lock `runs`, under which runs begin.

    Returns
    -------
    list of (Run, int)
        The runs that were killed, each with how many records it had written, which nobody saw.
    bool
        Whether a run goes on.
    """
    gone, alive = [], False
    for run in catalogue.running():
        if workspace.attended(run.run_id):
            alive = True
        else:
            gone.append((run, catalogue.interrupt(run.run_id, now)))
    if not alive:  # nobody writes a bundle, then, nor may begin to
        for path in workspace.root.glob(".run-*.lock"):
            path.unlink(missing_ok=True)
        for folder in (*workspace.models.glob(".draft-*"), *workspace.models.glob(".old-*")):
            shutil.rmtree(folder, ignore_errors=True)
    return gone, alive
