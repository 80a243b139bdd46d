"""The Complete Journey from the landing to the actions, trained once a run, and copies of it that a test may damage."""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from churnml.database import Workspace
from command import Said, churnml

_SAID = "said.json"


@dataclass(frozen=True)
class Journey:
    """The Complete Journey from the landing to the actions, by a model as small as will do."""

    workspace: Workspace
    configs: Path
    said: dict[str, Said]

    def churnml(self, verb: str, *words: object) -> Said:
        """Run a verb on this workspace."""
        return churnml(*verb.split(), "--workspace", self.workspace.root, "--configs", self.configs, *words)

    def write(self, folder: Path) -> None:
        """Keep what the verbs said beside the workspace."""
        told = {verb: asdict(said) for verb, said in self.said.items()}
        (folder / _SAID).write_text(json.dumps(told), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Journey":
        """Return what stands in a folder to which one was written."""
        told = json.loads((folder / _SAID).read_text(encoding="utf-8"))
        said = {verb: Said(**one) for verb, one in told.items()}
        return cls(Workspace.open(folder / "work space"), folder / "configs", said)


def copied(journey, folder):
    """Return a copy of the trained journey in a folder."""
    shutil.copytree(journey.workspace.root, folder / "workspace")
    shutil.copytree(journey.configs, folder / "configs")
    copy = Journey(Workspace.open(folder / "workspace"), folder / "configs", dict(journey.said))
    shutil.copytree(journey.workspace.models, copy.workspace.models)
    return copy
