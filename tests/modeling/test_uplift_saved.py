"""A learned uplift is plain data: it comes back to the last bit; what was changed is refused before it is parsed."""

import json
from dataclasses import replace

import numpy as np
import pytest
from experiments import linear, visits

from churnml.errors import ModelRefusedError
from churnml.modeling.design import Design
from churnml.modeling.uplift import fit_uplift
from churnml.modeling.uplift.learned import Learned, Taught
from churnml.modeling.uplift.predictions import Level, Share, from_plain, to_plain
from churnml.modeling.uplift.saved import load_uplift, save_uplift

DESIGN = Design(("a", "b", "c"), {"region": ("north",)}, ())


@pytest.fixture(scope="module")
def learned():
    call = Taught("call", fit_uplift(linear()), fit_uplift(visits(500, seed=0)))
    return Learned(DESIGN, 90, 90, "orders", (call, Taught("mail", None, None)))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def name(learned, models):
    return save_uplift(learned, {"known_by": "2018-01-01"}, models)


@pytest.fixture(scope="module")
def loaded(name, models):
    return load_uplift(models / name)[0]


@pytest.fixture
def unseen():
    rows = np.random.default_rng(9).normal(size=(1_000, 4))
    rows[::7, 2] = np.nan
    return rows


@pytest.mark.parametrize("outcome", ["margin", "stayed"])
@pytest.mark.parametrize("what", ["effect", "choose"])
def test_what_is_loaded_says_the_same_to_the_last_bit(learned, loaded, unseen, outcome, what):
    ours, theirs = (getattr(getattr(one.actions[0], outcome), what)(unseen) for one in (learned, loaded))
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("outcome", ["margin", "stayed"])
def test_every_learner_of_what_is_loaded_says_the_same_to_the_last_bit(learned, loaded, unseen, outcome):
    ours, theirs = (getattr(one.actions[0], outcome).arms[0].fitted for one in (learned, loaded))
    assert list(ours.effects) == list(theirs.effects)
    for effect in ours.effects:
        assert ours.effects[effect](unseen).tobytes() == theirs.effects[effect](unseen).tobytes()
    for part in ("constant", "control", "treated"):
        assert getattr(ours, part)(unseen).tobytes() == getattr(theirs, part)(unseen).tobytes()


def test_a_share_of_what_is_expected_comes_back():
    share = Share(Level(20.0), 0.05)
    assert from_plain(to_plain(share, []), []) == share
    assert share(np.zeros((2, 1))).tolist() == [1.0, 1.0]


def test_what_was_found_comes_back_whole(learned, loaded):
    ours, theirs = (one.actions[0].margin.arms[0] for one in (learned, loaded))
    assert (ours.average, ours.order, ours.gain, ours.proof) == (
        theirs.average,
        theirs.order,
        theirs.gain,
        theirs.proof,
    )
    assert ours.groups == theirs.groups
    assert [one.evidence for one in loaded.actions] == ["order", "none"]
    assert loaded.design == DESIGN


def test_nothing_of_a_single_customer_is_saved(loaded):
    assert loaded.actions[0].margin.scores.shape == (0, 2)


def test_the_same_data_and_seed_give_the_same_hash(learned, models, name):
    again = replace(learned, actions=(replace(learned.actions[0], margin=fit_uplift(linear())), learned.actions[1]))
    assert save_uplift(again, {"known_by": "2018-01-01"}, models) == name


def test_other_data_give_another_hash(learned, models, name):
    other = replace(learned, actions=(replace(learned.actions[0], margin=fit_uplift(linear(300, seed=1))),))
    assert save_uplift(other, {"known_by": "2018-01-01"}, models) != name


def test_the_bundle_is_text_and_json_only(models, name):
    kinds = {path.suffix for path in (models / name).iterdir()}
    assert kinds == {".txt", ".json"}
    assert json.loads((models / name / "manifest.json").read_text())["kind"] == "uplift"


@pytest.mark.parametrize("file", ["uplift.json", "trees-000.txt", "manifest.json"])
def test_a_changed_byte_is_refused_before_it_is_parsed(learned, tmp_path, file):
    folder = tmp_path / save_uplift(replace(learned, actions=learned.actions[:1]), {}, tmp_path)
    (folder / file).write_bytes((folder / file).read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(ModelRefusedError, match="is damaged or was changed; it was not opened"):
        load_uplift(folder)


def test_an_effect_that_is_a_closure_cannot_be_written():
    with pytest.raises(TypeError, match="a prediction that is saved must be declared in"):
        to_plain(lambda rows: rows[:, 0], [])
