"""What the tests start from: small tables written as text, one random world, the Complete Journey landed once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import worlds
from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, Workspace, open_engine
from churnml.events import Store, ingest
from churnml.events.sources.presets.completejourney import completejourney_sources
from journeys import Journey, copied
from memoryless import simulated
from small import NOW, Tiny


@pytest.fixture
def tiny(tmp_path):
    """Return an empty workspace that lands tables given as text; no share of broken rows is too great for it."""
    tiny = Tiny.make(tmp_path)
    yield tiny
    tiny.catalogue.engine.dispose()


@pytest.fixture
def make_tiny(tmp_path_factory):
    """Return a maker of further workspaces, under settings of their own."""
    made = []

    def make(**settings) -> Tiny:
        made.append(Tiny.make(tmp_path_factory.mktemp("tiny"), **settings))
        return made[-1]

    yield make
    for one in made:
        one.catalogue.engine.dispose()


@pytest.fixture(scope="session")
def world():
    """Return the rows of a random world: ties, late rows, refunds, customers without any order."""
    return worlds.draw(seed=7, n_customers=150)


@pytest.fixture(scope="session")
def world_store(world, tmp_path_factory):
    """Return the store in which the world has landed, in two batches."""
    tiny = Tiny.make(tmp_path_factory.mktemp("world"))
    worlds.land(tiny, world)
    yield tiny.store
    tiny.catalogue.engine.dispose()


@pytest.fixture(scope="session")
def complete_journey(tmp_path_factory):
    """Return a workspace with the Complete Journey landed; read it, never write to it."""
    workspace = Workspace.open(tmp_path_factory.mktemp("complete journey") / "workspace", create=True)
    catalogue = Catalogue(open_engine(workspace.database))
    ingest(workspace, catalogue, completejourney_sources(), WorkspaceConfig(), NOW)
    catalogue.engine.dispose()
    return workspace


@pytest.fixture(scope="session")
def store(complete_journey):
    """Return the store of the Complete Journey."""
    catalogue = Catalogue(open_engine(complete_journey.database))
    store = Store.open(complete_journey, catalogue, "UTC")
    catalogue.engine.dispose()
    return store


@pytest.fixture(scope="session")
def memoryless(tmp_path_factory):
    """Return the workspace of a small market whose future owes nothing to its past; read it, never change it."""
    return simulated(tmp_path_factory.mktemp("memoryless"), 400, 210)


YEAR_END = "2018-01-01"
SMALL = "{rounds: 40, step_days: 30, max_cutoffs: 4, folds: 1, bootstrap: 50}"


@pytest.fixture(scope="session")
def journey(complete_journey, tmp_path_factory):
    """Return the Complete Journey trained, scored and assigned at the end of the year; read it, never change it."""
    folder = tmp_path_factory.mktemp("trained journey")
    shutil.copytree(complete_journey.root, folder / "work space")
    shutil.copytree(Path(__file__).parent.parent / "configs", folder / "configs")
    (folder / "configs" / "train.yaml").write_text(SMALL)
    journey = Journey(Workspace.open(folder / "work space"), folder / "configs", {})
    for verb in ("train", "score", "assign"):
        at = [] if verb == "assign" else ["--cutoff", YEAR_END]
        journey.said[verb] = journey.churnml(verb, *at, "--json")
    return journey


@pytest.fixture
def own_journey(journey, tmp_path):
    """Return a copy of the trained journey that a test may damage."""
    return copied(journey, tmp_path)
