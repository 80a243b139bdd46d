import pytest
from benchmarks.contenders import agreement, features
from benchmarks.world import CUTOFFS, generate, landed, open_store

from benchmarks import world
from churnml.features.table import reads


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return open_store(landed(tmp_path_factory.mktemp("bench"), 2_000))


def test_the_same_seed_gives_the_same_world():
    assert list(generate(500, seed=3)) == list(generate(500, seed=3))


def test_another_seed_gives_another_world():
    (one,), (other,) = generate(500, seed=3), generate(500, seed=4)
    assert one["orders"] != other["orders"]


def test_a_world_has_as_many_events_as_were_asked_for():
    (tables,) = generate(2_000)
    assert sum(table.num_rows for name, table in tables.items() if name != "customers") == 2_000


def test_a_large_world_comes_in_pieces_that_share_no_customer_and_no_order(monkeypatch):
    monkeypatch.setattr(world, "_ROWS_PER_PIECE", 500)
    pieces = list(generate(1_250))
    for name, key in (("customers", "customer_id"), ("orders", "order_id"), ("tickets", "ticket_id")):
        keys = [one for piece in pieces for one in piece[name][key].to_pylist()]
        assert len(pieces) == 3
        assert len(keys) == len(set(keys)) > 0


def test_every_generated_row_keeps_the_contract(store):
    assert sum(part.rows for part in store.parts) == 2_000 + 40


def test_a_world_that_stands_is_not_landed_again(tmp_path):
    first = landed(tmp_path, 200)
    written = first.stat().st_mtime_ns
    assert landed(tmp_path, 200).stat().st_mtime_ns == written


def test_at_least_eighty_features_of_five_tables_are_measured(store):
    tables = {facts.partition(".")[0] for facts in reads(features(store))} - {"customers"}
    assert len(features(store).numeric) >= 80
    assert tables == {"orders", "order_lines", "interactions", "contacts", "tickets"}


@pytest.mark.parametrize("cutoff", [CUTOFFS[0], CUTOFFS[-1]])
def test_churnml_polars_and_duckdb_agree_on_every_feature(store, cutoff):
    _, differing = agreement(store, cutoff)
    assert differing == {"Polars": [], "DuckDB": []}
