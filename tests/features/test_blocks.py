"""Blocks computed elsewhere, from a description in plain text, are to the last bit the table that is built here."""

import json
from dataclasses import replace

import numpy as np
import pytest

import worlds
from churnml.database.workspace import digest_of_file
from churnml.errors import DependencyError
from churnml.events import TABLES, Store
from churnml.features import blocks, build, catalogue
from churnml.features.blocks import Work, computed, joined, packed, unpacked

CUTOFFS = tuple(worlds.instant(day) for day in (30, 75, 130))
PETS = {"pets": ("pets", "宠物")}


def elsewhere(work):
    """Return the table as it comes back from workers that were told of the work and nothing else."""
    text = work.described()
    return joined(unpacked(piece) for number in range(work.store.n_blocks) for piece in computed(text, number))


def same(one, other):
    """Tell whether two feature tables are the same, bit for bit."""
    return (
        (one.names, list(one.categories)) == (other.names, list(other.categories))
        and one.values.dtype == other.values.dtype
        and one.values.tobytes() == other.values.tobytes()
        and one.cutoffs.tobytes() == other.cutoffs.tobytes()
        and one.standing.tobytes() == other.standing.tobytes()
        and one.customer_ids.tolist() == other.customer_ids.tolist()
        and all(one.categories[name].tolist() == other.categories[name].tolist() for name in one.categories)
    )


@pytest.mark.parametrize("count", [1, 4, pytest.param(256, marks=pytest.mark.long)])  # of the last, most are empty
def test_a_table_of_blocks_computed_elsewhere_is_the_table_built_here(world_store, count):
    store = replace(world_store, blocks=count)
    here = build(store, catalogue(store.tables), CUTOFFS, 60)
    assert np.isnan(here.values).any()
    assert None in here.categories["region"]
    assert same(elsewhere(Work(store, {}, CUTOFFS, 60)), here)


def test_with_all_tables_in_it_is_the_table_built_here(market):
    store, cutoffs = replace(market.store, blocks=16), [market.cutoff("2023-05-01"), market.cutoff(None)]
    here = build(store, catalogue(store.tables), cutoffs, 90)
    assert store.tables == set(TABLES)
    assert store.refusing
    assert same(elsewhere(Work(store, {}, cutoffs, 90)), here)


def test_a_block_that_travels_in_pieces_arrives_whole(world_store, monkeypatch):
    monkeypatch.setattr(blocks, "PIECE_ROWS", 7)
    here = build(world_store, catalogue(world_store.tables), CUTOFFS, 60)
    assert same(elsewhere(Work(world_store, {}, CUTOFFS, 60)), here)


def test_every_bit_of_a_missing_value_and_the_sign_of_nothing_travel(world_store):
    table = Work(world_store, {}, CUTOFFS, 60).table(0)
    odd = np.array([0x7FF8000000000000, 0xFFF8000000000001, 0x8000000000000000], dtype=np.uint64).view(np.float64)
    table.values[:3, 0] = odd
    (piece,) = packed(table)
    assert unpacked(piece).values[:3, 0].tobytes() == odd.tobytes()


def test_refusals_attributes_and_later_versions_are_told_of(tiny):
    tiny.ingest("customers", tiny.file("c.csv", 'customer_id,occurred_at,region,attributes\nann,2020-01-01,north,"{""pets"": 2}"\nbob,2020-01-01,,\ncat,2020-01-01,south,"{""pets"": 1}"\n'))  # fmt: skip  # noqa: E501
    tiny.land(
        orders="customer_id occurred_at order_id amount\nann 2020-01-02 o1 1\ncat 2020-01-03 o2 2",
        consents="customer_id occurred_at purpose granted\ncat 2020-01-05 profiling false",
        subscriptions="""customer_id occurred_at subscription_id plan amount
                         ann 2020-01-04 s1 basic 5
                         bob 2020-01-20 s1 basic 5""",
    )
    store = replace(tiny.store, blocks=8)
    here = build(store, catalogue(store.tables, PETS), CUTOFFS, 60)
    assert store.refusing == {"cat"}
    assert same(elsewhere(Work(store, PETS, CUTOFFS, 60)), here)
    assert set(here.categories["pets"]) == {"2", None}


def test_a_described_store_is_the_same_store_and_nothing_but_plain_data(world_store):
    told = json.loads(json.dumps(world_store.described()))
    again = Store.of_description(told)
    assert again == replace(world_store, blocks=world_store.n_blocks)
    assert again.landings == world_store.landings


def test_a_worker_needs_no_database(world_store, tmp_path):
    root = tmp_path / "elsewhere"
    (root / "tables").parent.mkdir()
    (root / "tables").symlink_to(world_store.root / "tables")
    here = build(world_store, catalogue(world_store.tables), CUTOFFS, 60)
    assert same(elsewhere(Work(replace(world_store, root=root), {}, CUTOFFS, 60)), here)
    assert [path.name for path in root.iterdir()] == ["tables"]


def test_a_worker_with_other_code_refuses(world_store):
    work = Work(world_store, {}, CUTOFFS, 60, code="another")
    with pytest.raises(DependencyError, match="must run the same churnml as the command, found other code there"):
        computed(work.described(), 0)


def test_a_file_of_own_features_is_the_same_for_the_worker_or_refused(world_store, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("FEATURES = []\n")
    work = Work(world_store, {}, CUTOFFS, 60, {str(file): digest_of_file(file)})
    assert same(elsewhere(work), build(world_store, work.catalogue, CUTOFFS, 60))
    file.write_text("FEATURES = []  # changed\n")
    with pytest.raises(DependencyError, match=r"must see .*mine.py as the command does, found another file there"):
        computed(work.described(), 0)
