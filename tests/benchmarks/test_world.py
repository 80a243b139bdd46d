import pytest
from benchmarks.contenders import agreement, features
from benchmarks.world import CUTOFFS, generate, landed, open_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return open_store(landed(tmp_path_factory.mktemp("bench"), 2_000))


def test_the_same_seed_gives_the_same_world():
    assert generate(500, seed=3) == generate(500, seed=3)


def test_another_seed_gives_another_world():
    assert generate(500, seed=3)["orders"] != generate(500, seed=4)["orders"]


def test_a_world_has_as_many_events_as_were_asked_for():
    tables = generate(2_000)
    assert sum(table.num_rows for name, table in tables.items() if name != "customers") == 2_000


def test_every_generated_row_keeps_the_contract(store):
    assert sum(part.rows for part in store.parts) == 2_000 + 40


def test_a_world_that_stands_is_not_landed_again(tmp_path):
    first = landed(tmp_path, 200)
    written = first.stat().st_mtime_ns
    assert landed(tmp_path, 200).stat().st_mtime_ns == written


def test_polars_computes_at_least_fifty_features_of_the_catalogue(store):
    assert len(features(store).numeric) >= 50


@pytest.mark.parametrize("cutoff", [CUTOFFS[0], CUTOFFS[-1]])
def test_churnml_and_polars_agree_on_every_feature(store, cutoff):
    _, differing = agreement(store, cutoff)
    assert differing == []
