"""A bundle is plain data under its own hash: it comes back bit for bit, or is refused before it is parsed."""

import hashlib
import json
import os
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest

from churnml.errors import ModelRefusedError
from churnml.modeling import bundle
from churnml.modeling.bundle import FORMAT, KEY_VARIABLE, check_bundle, load_bundle, save_bundle, try_bundle

FACTS = {"cutoff": "2020-01-01", "judged": {"auroc": 0.8}}
VALUE_DAYS = 365
CHANGES = {
    "flipped": lambda content, at: content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :],
    "deleted": lambda content, at: content[:at] + content[at + 1 :],
    "cut off": lambda content, at: content[:at],
    "added": lambda content, at: content[:at] + b"0" + content[at:],
}


def linked(path):
    elsewhere = path.rename(path.with_name(f"{path.name}-elsewhere") if path.is_dir() else path.parent.parent / "x")
    path.symlink_to(elsewhere)


DAMAGES = {
    "a file is missing": lambda folder: (folder / "churn.txt").unlink(),
    "the manifest is missing": lambda folder: (folder / "manifest.json").unlink(),
    "a file was added": lambda folder: (folder / "more.txt").write_text("x"),
    "a folder was added": lambda folder: (folder / "more").mkdir(),
    "a folder stands for a file": lambda folder: ((folder / "churn.txt").unlink(), (folder / "churn.txt").mkdir()),
    "a pipe stands for a file": lambda folder: ((folder / "churn.txt").unlink(), os.mkfifo(folder / "churn.txt")),
    "a file is a link": lambda folder: linked(folder / "churn.txt"),
    "the manifest is a link": lambda folder: linked(folder / "manifest.json"),
    "the folder is a link": linked,
}


@pytest.fixture(scope="module")
def original(trained, tmp_path_factory):
    models = tmp_path_factory.mktemp("bundles") / "with a space"
    return models / save_bundle(trained.model, FACTS, models)


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / original.name)


@pytest.fixture
def unparsed(monkeypatch):
    def parse(**_):
        raise AssertionError("damaged trees were handed to LightGBM")

    monkeypatch.setattr(bundle.lightgbm, "Booster", parse)


def rehashed(folder, **contents):
    """Give some files another content and make every digest right again, as a forger would; return the new folder."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for name, content in contents.items():
        if name == "manifest":
            manifest |= content
            continue
        file = next(file for file in manifest["files"] if file.startswith(name))
        (folder / file).write_bytes(content)
        manifest["files"][file] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder.rename(folder.with_name(hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()))


def refused(folder):
    with pytest.raises(ModelRefusedError) as caught:
        load_bundle(folder)
    assert caught.value.exit_code == 4
    return str(caught.value)


def test_a_model_comes_back_bit_for_bit(trained, population, original):
    before, after = (model.forecast(population, VALUE_DAYS) for model in (trained.model, load_bundle(original)[0]))
    whole = [
        vars(told) | vars(told.margin_range) | {"when": told.next_order.days, "gone": told.life.days}
        for told in (before, after)
    ]
    assert before.rung == after.rung == "blend"
    for name in whole[0].keys() - {
        "margin_range",
        "next_order",
        "life",
        "rung",
        "churn_low",
        "churn_high",
        "satisfaction",
    }:
        assert whole[0][name].tobytes() == whole[1][name].tobytes(), name


def test_what_comes_back_is_saved_as_the_same_bundle(original, tmp_path):
    assert save_bundle(load_bundle(original)[0], FACTS, tmp_path) == original.name


def test_other_facts_make_another_bundle(trained, original, tmp_path):
    assert save_bundle(trained.model, FACTS | {"cutoff": "2021-01-01"}, tmp_path) != original.name


def test_the_manifest_tells_the_facts_and_the_columns(trained, original):
    _, manifest = load_bundle(original)
    assert manifest | FACTS == manifest
    assert manifest["inputs"] == list(trained.model.design.columns)


def test_the_columns_of_many_categories_keep_their_order(trained, tmp_path):
    design = replace(
        trained.model.design, categories={"region": ("south", "north"), "channel": ("web",), "age": ("9",)}
    )
    name = save_bundle(replace(trained.model, design=design), FACTS, tmp_path)
    assert load_bundle(tmp_path / name)[0].design.columns == design.columns


def test_columns_in_another_order_than_the_manifest_says_are_refused(folder):
    model = json.loads((folder / "model.json").read_bytes())
    model["design"]["numeric"].reverse()
    words = refused(rehashed(folder, model=json.dumps(model).encode()))
    assert "its columns stand as in training" in words


def test_a_bundle_is_text_throughout(original):
    for file in original.iterdir():
        file.read_bytes().decode("utf-8")
    assert {file.suffix for file in original.iterdir()} == {".json", ".txt"}


def test_saving_leaves_no_draft_behind(trained, folder):
    assert save_bundle(trained.model, FACTS, folder.parent) == folder.name
    assert list(folder.parent.iterdir()) == [folder]


def test_saving_again_heals_a_damaged_bundle(trained, folder):
    (folder / "churn.txt").write_text("broken")
    save_bundle(trained.model, FACTS, folder.parent)
    check_bundle(folder)


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_byte_anywhere_is_refused_before_it_is_parsed(folder, unparsed, change):
    dice = random.Random(change)  # noqa: S311 places to damage, not keys
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        for at in [0, len(content) - 1, *(dice.randrange(len(content)) for _ in range(40))]:
            file.write_bytes(CHANGES[change](content, at))
            assert "was not opened" in refused(folder), (file.name, at)
        file.write_bytes(content)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bundle_is_refused_when(folder, unparsed, damage):
    DAMAGES[damage](folder)
    assert "train again" in refused(folder)


def test_a_renamed_bundle_is_refused(folder, unparsed):
    words = refused(folder.rename(folder.with_name("0" * 64)))
    assert "The rule broken: manifest.json has the digest in the folder's name" in words


def test_another_format_is_refused_with_both_numbers(folder, unparsed):
    assert f"has format {FORMAT + 1}, this version reads {FORMAT}" in refused(
        rehashed(folder, manifest={"format": FORMAT + 1})
    )


@pytest.mark.parametrize("content", [b"{}", b"[]", b"not JSON", b"\xff"])
def test_a_bundle_without_a_model_of_ours_is_refused(folder, content):
    assert "holds no model of ours" in refused(rehashed(folder, model=content))


def test_with_a_key_an_unsigned_bundle_is_refused(folder, unparsed, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "secret")
    assert f"is signed with the key in {KEY_VARIABLE}" in refused(folder)


def test_with_a_key_a_bundle_is_signed_and_loads(trained, tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "secret")
    load_bundle(tmp_path / save_bundle(trained.model, FACTS, tmp_path))


def test_a_bundle_signed_with_another_key_is_refused(trained, tmp_path, unparsed, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "theirs")
    name = save_bundle(trained.model, FACTS, tmp_path)
    monkeypatch.setenv(KEY_VARIABLE, "ours")
    assert "is signed with the key" in refused(tmp_path / name)


def test_the_hash_does_not_depend_on_the_key(trained, original, tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "secret")
    assert save_bundle(trained.model, FACTS, tmp_path) == original.name


def test_trees_that_were_forged_fail_in_the_child_and_not_here(folder):
    text = (folder / "churn.txt").read_bytes()
    forged = rehashed(folder, churn=text.replace(b"left_child=", b"left_child=9999999 "))
    with pytest.raises(ModelRefusedError, match=r"cannot score \(.+\); train again"):
        try_bundle(forged)


def test_a_bundle_that_does_not_answer_in_time_is_refused(folder, monkeypatch):
    monkeypatch.setattr(bundle, "_DEADLINE_SECONDS", 0.01)
    with pytest.raises(ModelRefusedError, match="did not score within"):
        try_bundle(folder)


def test_a_model_whose_scores_are_no_numbers_is_refused(folder):
    model = json.loads((folder / "model.json").read_bytes())
    model["value"]["smear"] = float("inf")
    with pytest.raises(ModelRefusedError, match="gives scores that are not numbers"):
        bundle._smoke(rehashed(folder, model=json.dumps(model).encode()))


def test_a_sound_bundle_passes_the_same_trial(folder):
    bundle._smoke(folder)
    assert np.isfinite(load_bundle(folder)[0].bands).all()


def test_the_thirds_of_value_come_back_as_they_were(trained, tmp_path):
    model = trained.model.with_tiers(trained.snapshots.base_at_now)
    low, high = model.tiers
    assert 0 < low < high
    assert load_bundle(tmp_path / save_bundle(model, FACTS, tmp_path))[0].tiers == model.tiers
