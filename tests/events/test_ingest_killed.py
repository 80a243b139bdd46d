"""Whoever kills an ingest, or starts two, finds all of it or nothing, and the next one mends what was left."""

import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingesting import Ingesting, Landing, Rows, both, leftovers, rows, seen, store
from small import NOW

TABLES = ("customers", "orders", "tickets")
PARTS = [f"{done} {table}/000002.parquet" for table in TABLES for done in ("writing", "wrote")]
FILES = [
    *(f"{table}-second.csv" for table in TABLES),
    "checked",
    *PARTS,
    *(f"{d} quarantine/000002.jsonl" for d in ("writing", "wrote")),
]
STEPS = ["begins", *FILES, "counting", "counted"]
FEW = {"orders-second.csv", "writing orders/000002.parquet", "wrote quarantine/000002.jsonl", "counting", "counted"}
HALTS = [step if step in FEW else pytest.param(step, marks=pytest.mark.long) for step in STEPS]
SEEDS = [*range(5), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(5, 55))]


@dataclass(frozen=True)
class Whole:
    """Two landings that nobody disturbed: a workspace with the first, what counts at each state, the time it took."""

    first: Path
    states: list[Rows]
    steps: list[str]
    seconds: float


@pytest.fixture
def root(tmp_path):
    """Return where a workspace will be."""
    return tmp_path / "work space"


@pytest.fixture
def landings(tmp_path):
    """Return two landings."""
    return both(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return what becomes of two landings that nobody disturbs."""
    folder = tmp_path_factory.mktemp("whole")
    landings, root = both(folder), folder / "workspace"
    Ingesting.start(root, landings[:1]).finish()
    shutil.copytree(root, folder / "first")
    began, before = time.monotonic(), rows(root)
    steps = Ingesting.start(root, landings[1:]).finish()
    return Whole(folder / "first", [{}, before, rows(root)], steps, time.monotonic() - began)


@pytest.fixture
def shop(whole, root):
    """Return a workspace in which the first landing stands."""
    return shutil.copytree(whole.first, root)


def test_the_steps_at_which_an_ingest_is_killed_are_all_there_are(whole):
    assert whole.steps == [*STEPS, "landed 4"]


# Killed


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_any_instant_it_leaves_all_of_a_landing_or_nothing_and_the_next_ends_the_same(
    seed, root, landings, whole
):
    ingesting = Ingesting.start(root, landings, freely=True)
    ingesting.until("begins")
    time.sleep(random.Random(seed).uniform(0, 2 * whole.seconds))  # noqa: S311 an instant, not a key
    ingesting.kill()
    assert rows(root) in whole.states
    Ingesting.start(root, landings, freely=True).finish()
    assert rows(root) == whole.states[2]
    assert leftovers(root) == []


@pytest.mark.parametrize("step", HALTS)
def test_killed_at_a_step_of_a_landing_the_store_is_as_before_unless_it_counted(step, shop, landings, whole):
    ingesting = Ingesting.start(shop, landings[1:])
    ingesting.until(step)
    ingesting.kill()
    assert rows(shop) == whole.states[1 + (step == "counted")]
    Ingesting.start(shop, landings[1:], freely=True).finish()
    assert rows(shop) == whole.states[2]
    assert leftovers(shop) == []


def test_what_was_killed_leaves_nothing_behind_even_if_other_files_are_ingested_next(shop, landings, tmp_path):
    ingesting = Ingesting.start(shop, landings[1:])
    ingesting.until("wrote quarantine/000002.jsonl")
    ingesting.kill()
    other = Landing.write(tmp_path, "other", NOW + 2, customers="customer_id occurred_at\n zoe 2020-01-01")
    Ingesting.start(shop, [other], freely=True).finish()
    assert leftovers(shop) == []


# Two at once


def test_two_ingests_of_the_same_files_land_them_once(root, landings, whole):
    two = [Ingesting.start(root, landings, freely=True) for _ in range(2)]
    for ingesting in two:
        ingesting.finish()
    assert rows(root) == whole.states[2]
    assert leftovers(root) == []


def test_the_second_ingest_waits_for_the_first_and_skips_what_that_landed(shop, landings, whole):
    first = Ingesting.start(shop, landings[1:])
    first.until("checked")
    second = Ingesting.start(shop, landings[1:], freely=True)
    second.until("begins")
    assert second.waits(0.5)
    first.go_on()
    assert first.finish()[-1] == "landed 4"
    steps = second.finish()
    assert "counted" not in steps
    assert steps[-1] == "landed 0"
    assert rows(shop) == whole.states[2]


def test_two_ingests_of_different_files_land_both(shop, landings, tmp_path):
    other = Landing.write(tmp_path, "other", NOW + 2, customers="customer_id occurred_at\n zoe 2020-01-01")
    two = [Ingesting.start(shop, files, freely=True) for files in (landings[1:], [other])]
    for ingesting in two:
        ingesting.finish()
    assert sorted({row[1] for row in rows(shop)["customers"]}) == ["ann", "bob", "eve", "zoe"]
    assert len(rows(shop)["orders"]) == 3


def test_the_second_goes_on_when_the_first_is_killed(shop, landings, whole):
    first = Ingesting.start(shop, landings[1:])
    first.until("wrote orders/000002.parquet")
    second = Ingesting.start(shop, landings[1:], freely=True)
    second.until("begins")
    first.kill()
    assert second.finish()[-1] == "landed 4"
    assert rows(shop) == whole.states[2]


# A reader meanwhile


def test_a_reader_sees_the_landing_from_the_instant_it_counts_and_nothing_of_it_before(shop, landings):
    before = seen(store(shop))
    views = {step: seen(store(shop)) for step in Ingesting.start(shop, landings[1:]).steps()}
    after = seen(store(shop))
    assert before != after
    assert [step for step, view in views.items() if view == after] == ["counted", "landed 4"]
    assert [step for step, view in views.items() if view == before] == STEPS[:-1]


def test_a_store_that_was_opened_before_a_landing_stays_as_it_was(shop, landings):
    opened = store(shop)
    before = seen(opened)
    Ingesting.start(shop, landings[1:], freely=True).finish()
    assert seen(opened) == before
