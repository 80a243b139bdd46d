"""A learner of one's own joins the blend, travels as plain JSON, and is refused where its file is another."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from market import HORIZON

from churnml.errors import ConfigError, ModelRefusedError
from churnml.events import TABLES
from churnml.events.clock import DAY
from churnml.features import catalogue
from churnml.modeling.bounds import bounds
from churnml.modeling.bundle import load_bundle, save_bundle, try_bundle
from churnml.modeling.churn import Recipe, fit_churn
from churnml.modeling.own_learner import own_learners
from churnml.scoring.reasons import contributions, reasons

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "evidence.py"
ROLLING = [([150 * DAY, 180 * DAY], 210 * DAY), ([150 * DAY, 180 * DAY, 210 * DAY], 240 * DAY)]
SILENT = """
import numpy as np
from churnml.wording import Text

class Silent:
    name, text = "silent", Text("the silence", "沉默")
    def __init__(self, slope): self.slope = slope
    @classmethod
    def fit(cls, matrix, churned, *, columns, seed): return cls(0.02)
    @classmethod
    def from_json(cls, state): return cls(state["slope"])
    def to_json(self): return {"slope": self.slope}
    def logit(self, matrix): return self.slope * np.nan_to_num(matrix[:, 0]) - 1

LEARNERS = [Silent]
"""


def with_own(trained, *files, use=("trees", "ridge", "rhythm")):
    """Return the market's model with learners of one's own in its blend."""
    stack, design = trained.snapshots, trained.model.design
    matrix = design.matrix(stack.table, stack.rhythm)
    fit = fit_churn(
        matrix, stack.rhythm[:, 0], stack.churned, stack.table.cutoffs, ROLLING, rounds=30, seed=0,
        recipe=Recipe(use=use, own=own_learners(files)), columns=design.columns,
    )  # fmt: skip
    return replace(trained.model, churn=fit.model), fit


def written(folder, text, name="own.py"):
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def evident(trained):
    return with_own(trained, EXAMPLE)


@pytest.fixture
def silent(trained, tmp_path):
    return with_own(trained, written(tmp_path, SILENT))[0]


def adds_up(model, population):
    forecast = model.forecast(population, 365)
    parts = contributions(model, forecast)
    logit = (forecast.logits * np.array(model.churn.weights)).sum(axis=1)
    np.testing.assert_allclose(parts.base + parts.by_column.sum(axis=1), logit, rtol=0, atol=1e-9)
    return parts


def test_the_example_of_the_page_gets_a_weight_learned_out_of_time(evident):
    model, fit = evident
    assert model.churn.learners == ("trees", "ridge", "rhythm", "evidence")
    assert len(model.churn.weights) == 4
    assert fit.logits.shape == (len(fit.judged), 4)


def test_contributions_of_ones_own_add_up_with_the_others(evident, population):
    parts = adds_up(evident[0], population)
    assert (parts.by_column[:, -1] == 0).all()


def test_a_learner_that_tells_no_contributions_is_one_group_that_adds_up(silent, population):
    parts = adds_up(silent, population)
    assert np.ptp(parts.by_column[:, -1]) > 0


def test_a_learner_that_tells_no_contributions_is_a_reason_in_both_languages(silent, population):
    known = catalogue(TABLES).features
    features = SimpleNamespace(features=[*known, *(replace(known[0], name=name) for name in ("noise", "region"))])
    told = reasons(population, silent, silent.forecast(population, 365), features, "USD", 20)
    own = next(reason for one in told for reason in one if reason.group == "silent")
    assert re.fullmatch(r"By the silence, the risk of leaving is \d+%", own.sentence["en"])
    assert re.fullmatch(r"按沉默判断，流失风险为 \d+%", own.sentence["zh"])


def test_the_blend_without_it_is_told_beside_the_blend_with_it(evident, trained, population):
    model, fit = evident
    forecast = model.forecast(population, HORIZON)
    said = fit.without_own(trained.snapshots.churned, forecast.logits)
    before = trained.model.forecast(population, HORIZON).churn_probability
    np.testing.assert_allclose(said["evidence"], before, atol=1e-12)


def test_a_bundle_gives_it_back_bit_for_bit(evident, population, tmp_path):
    folder = tmp_path / save_bundle(evident[0], {}, tmp_path)
    again = load_bundle(folder, [EXAMPLE])[0]
    one, other = (model.forecast(population, 365).churn_probability for model in (evident[0], again))
    assert one.tobytes() == other.tobytes()


@pytest.mark.long
def test_a_bundle_with_one_is_tried_in_a_process_of_its_own(evident, tmp_path):
    try_bundle(tmp_path / save_bundle(evident[0], {}, tmp_path), learners=[EXAMPLE])


def test_a_bundle_is_refused_where_the_file_is_absent(evident, tmp_path):
    folder = tmp_path / save_bundle(evident[0], {}, tmp_path)
    with pytest.raises(ModelRefusedError, match=r"asks the learner `evidence` of evidence.py .* is not among"):
        load_bundle(folder)


def test_a_bundle_is_refused_where_the_file_has_changed(evident, tmp_path):
    folder = tmp_path / save_bundle(evident[0], {}, tmp_path)
    changed = Path(shutil.copy(EXAMPLE, tmp_path / "evidence.py"))
    changed.write_text(changed.read_text() + "\n# better\n")
    with pytest.raises(ModelRefusedError, match="has changed since"):
        load_bundle(folder, [changed])


def test_a_bundle_that_asks_for_none_runs_no_file(trained, tmp_path):
    folder = tmp_path / save_bundle(trained.model, {}, tmp_path)
    load_bundle(folder, [written(tmp_path, "raise SystemExit('run')")])


def test_random_rows_find_a_learner_that_does_not_bear_missing_values(trained, tmp_path):
    # what taught it had no gap in this column, random rows have
    fragile = SILENT.replace("np.nan_to_num(matrix[:, 0])", "matrix[:, 4]")
    model, _ = with_own(trained, written(tmp_path, fragile))
    model = replace(model, churn=replace(model.churn, weights=(0.2, 0.2, 0.2, 0.2)))
    assert [one for one in bounds(model, 1_000).broken if one.startswith("`churn_probability` lies between 0 and 1")]


def test_random_rows_pass_the_example(evident):
    assert bounds(evident[0], 1_000).broken == ()


def test_a_blend_of_fewer_learners_weighs_only_those(trained, population):
    model, _ = with_own(trained, use=("trees", "rhythm"))
    assert (model.churn.ridge, model.churn.weights[1]) == (None, 0.0)
    adds_up(model, population)


BROKEN = [
    ("LEARNERS = [Silent]", "", "must define LEARNERS, a list of classes"),
    ('"silent"', '"trees"', "that is none of trees, ridge, rhythm"),
    ('Text("the silence", "沉默")', '"silence"', "must have a `text`"),
    ("def to_json(self)", "def save(self)", "must have a method `to_json`"),
    ("return cls(0.02)", "return 1 / 0", r"own.py, line 9: learner `silent`: `fit` ended with ZeroDivisionError"),
    ('{"slope": self.slope}', '{"slope": float("nan")}', "`to_json` ended with ValueError"),
    ('{"slope": self.slope}', "[self.slope]", "must be a dictionary of plain JSON, got list"),
    ('cls(state["slope"])', "cls(5)", "must give back what `to_json` was asked of"),
    ("- 1", "+ np.nan", "must give numbers"),
    ("- 1", "[:3]", r"logits must have the shape"),
    ("np.nan_to_num(matrix[:, 0])", "np.nan_to_num(matrix, copy=False)[:, 0]", "read-only"),
]


@pytest.mark.parametrize(("good", "bad", "words"), BROKEN)
def test_a_learner_that_cannot_be_kept_is_refused_with_its_file_and_what_is_wrong(trained, tmp_path, good, bad, words):
    assert good in SILENT
    with pytest.raises(ConfigError, match=words):
        with_own(trained, written(tmp_path, SILENT.replace(good, bad)))


def test_contributions_that_do_not_add_up_are_refused(trained, tmp_path):
    wrong = SILENT.replace(
        "\nLEARNERS", "    def contributions(self, matrix): return 0 * np.nan_to_num(matrix), 7.0\n\nLEARNERS"
    )
    with pytest.raises(ConfigError, match="must add up to the logit within 1e-9"):
        with_own(trained, written(tmp_path, wrong))


def test_two_learners_of_one_name_are_refused(tmp_path):
    files = [written(tmp_path, SILENT, name) for name in ("a.py", "b.py")]
    with pytest.raises(ConfigError, match="two learners are called `silent`"):
        own_learners(files)
