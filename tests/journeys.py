"""The Complete Journey from the landing to the actions, trained once a run, and copies of it that a test may damage."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from churnml.database import Workspace
from command import Said, churnml


@dataclass(frozen=True)
class Journey:
    """The Complete Journey from the landing to the actions, by a model as small as will do."""

    workspace: Workspace
    configs: Path
    said: dict[str, Said]

    def churnml(self, verb: str, *words: object) -> Said:
        """Run a verb on this workspace."""
        return churnml(*verb.split(), "--workspace", self.workspace.root, "--configs", self.configs, *words)


def copied(journey, folder):
    """Return a copy of the trained journey in a folder."""
    shutil.copytree(journey.workspace.root, folder / "workspace")
    shutil.copytree(journey.configs, folder / "configs")
    copy = Journey(Workspace.open(folder / "workspace"), folder / "configs", dict(journey.said))
    shutil.copytree(journey.workspace.models, copy.workspace.models)
    return copy
