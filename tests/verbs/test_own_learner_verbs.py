"""A learner of one's own from its file to the records, by the command line; tests/modeling has what is quick."""

import shutil
from pathlib import Path

import pytest

from journeys import copied

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "evidence.py"
# three cutoffs within a horizon know no origin, so each learner has the same weight
SMALL = "{rounds: 10, step_days: 28, max_cutoffs: 3, bootstrap: 50, bounds_rows: 1000, learners: {files: [own.py]}}"
YEAR_END = "2018-01-01"


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def own(journey, tmp_path_factory):
    """Return the journey trained and scored with a learner of one's own that tells no contributions."""
    found = copied(journey, tmp_path_factory.mktemp("own learner"))
    text = EXAMPLE.read_text().replace("def contributions", "def told").replace("self.contributions", "self.told")
    (found.configs / "own.py").write_text(text)
    (found.configs / "train.yaml").write_text(SMALL)
    found.said["train"] = found.churnml("train", "--cutoff", YEAR_END, "--json")
    version = found.said["train"].body["model_version"]
    found.churnml("promote", version, "--despite", "so small a model is for a test")
    found.said["score"] = found.churnml("score", "--cutoff", YEAR_END, "--json")
    return found


def test_the_summary_tells_its_weight(own):
    assert set(own.said["train"].body["weights"]) == {"trees", "ridge", "rhythm", "evidence"}


def test_the_judgement_tells_the_blend_without_it(own):
    assert "churnml without evidence" in own.said["train"].body["judged"]["churn"]["baselines"]


def test_origins_tell_its_weight_and_what_it_brings(own, tmp_path):
    said = own.churnml("backtest", "--origins", 2, "--report", tmp_path / "o.md", "--report", tmp_path / "o.html")
    assert said.code == 0
    assert "churn: against churnml without evidence, beyond noise:" in said.err
    assert "| evidence |" in (tmp_path / "o.md").read_text().split("## Learners")[1]
    assert '<th scope="row">evidence</th>' in (tmp_path / "o.html").read_text()


def test_a_changed_file_is_another_learner_and_is_refused(own, tmp_path):
    changed = copied(own, tmp_path)
    file = changed.configs / "own.py"
    file.write_text(file.read_text() + "\n# better\n")
    said = changed.churnml("score", "--cutoff", YEAR_END)
    assert said.code == 4
    assert "asks the learner `evidence` of own.py as it was when it was trained" in said.err


def test_a_file_that_is_gone_is_named(own, tmp_path):
    gone = copied(own, tmp_path)
    (gone.configs / "own.py").unlink()
    said = gone.churnml("score", "--cutoff", YEAR_END)
    assert said.code == 2
    assert "own.py, which is no file; correct `learners.files`" in said.err


def test_the_bundle_can_be_checked_with_random_rows(own):
    assert own.churnml("check bundle", "--rows", 1000).code == 0


def test_the_settings_name_the_key_that_is_wrong(own, tmp_path):
    wrong = copied(own, tmp_path)
    shutil.rmtree(wrong.workspace.models)
    (wrong.configs / "train.yaml").write_text("trees: {num_leafs: 3}")
    said = wrong.churnml("train")
    assert said.code == 2
    assert "unknown key `trees.num_leafs`; did you mean `num_leaves`?" in said.err
