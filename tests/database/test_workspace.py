"""A workspace is written whole or not at all."""

import os

import pytest

from churnml.database import Workspace
from churnml.errors import DependencyError, NotFoundError


def test_a_workspace_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFoundError, match=r"no workspace at .*none.*makes one there"):
        Workspace.open(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_workspace_cannot_be_made_inside_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DependencyError, match="cannot make the workspace folder"):
        Workspace.open(tmp_path / "file" / "inside", create=True)


def test_a_path_with_a_space_is_as_good_as_any(make_tiny, tmp_path):
    workspace = Workspace.open(tmp_path / "my data" / "work space", create=True)
    assert workspace.tables.is_dir()


def test_an_atomic_write_replaces_the_target_only_when_it_is_whole(tiny):
    target = tiny.folder / "kept.txt"
    for text in ("old", "new"):
        with tiny.workspace.atomically(target) as draft:
            draft.write_text(text)
    assert target.read_text() == "new"


def test_an_atomic_write_that_fails_leaves_nothing(tiny):
    target = tiny.folder / "folder" / "kept.txt"

    def write_half():
        with tiny.workspace.atomically(target) as draft:
            draft.write_text("half")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_half()
    assert list(target.parent.iterdir()) == []


def test_an_atomic_write_outlives_a_power_cut_with_its_name_and_its_new_folders(tiny, monkeypatch):
    flushed, flush = [], os.fsync

    def watched(descriptor):
        flushed.append((os.fstat(descriptor).st_ino, target.exists()))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    target = tiny.folder / "new" / "newer" / "kept.txt"
    with tiny.workspace.atomically(target) as draft:
        draft.write_text("text")
    named = [target.parent, tiny.folder / "new", tiny.folder]
    assert flushed == [(target.stat().st_ino, False), *((folder.stat().st_ino, True) for folder in named)]
