"""A store cut off at an instant: what features say of it is what they say through the wall."""

import pytest

import wall
import wall_worlds
from churnml.events.cutting import Hidden, cut_off
from churnml.features import build, catalogue
from churnml.modeling.comparison import differences
from small import Tiny
from wall import DAY
from worlds import instant

# between them all tables, two zones, one to three landings, refusals, contracts that change hands, orders taken back
SEEDS = (24, 36, 111, 142, 147, 166, 236)


def landed(folder, seed):
    """Land the world of a seed and return its store and the instants of its rows."""
    world = wall_worlds.draw(seed)
    tiny = Tiny.make(folder, time_zone=world.zone)
    wall_worlds.land(tiny, world)
    store = tiny.store
    tiny.catalogue.engine.dispose()
    rows = wall.landed(world.rows, world.landings)
    return store, sorted({at for row in rows for at in (row.event_at, row.told_at)})


def through_the_wall(store, cutoff):
    """Return the features at a cutoff, from a pass that sees to the end."""
    whole = build(store, catalogue(store.tables), [cutoff, cutoff + 400 * DAY], 30)
    return whole.take(whole.cutoffs == cutoff)


def of_cut_off(store, cutoff, folder, cut_at=None):
    """Return the features at a cutoff of the store cut off at it, or at another instant."""
    folder.mkdir(parents=True)
    return build(cut_off(store, cut_at or cutoff, folder).store, catalogue(store.tables), [cutoff], 30)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """Return a world's store, an instant in it, and the features there."""
    store, edges = landed(tmp_path_factory.mktemp("world"), SEEDS[1])
    cutoff = edges[int(len(edges) * 0.6)]
    return store, cutoff, through_the_wall(store, cutoff)


def test_features_of_a_store_cut_off_are_those_through_the_wall(one, tmp_path):
    store, cutoff, expected = one
    assert differences(expected, of_cut_off(store, cutoff, tmp_path / "cut")) == []


def test_the_proof_above_would_see_a_week_of_rows_missing(one, tmp_path):
    store, cutoff, expected = one
    assert differences(expected, of_cut_off(store, cutoff, tmp_path / "cut", cutoff - 7 * DAY)) != []


@pytest.mark.long
@pytest.mark.parametrize("seed", [*SEEDS, *range(40)])
def test_features_of_many_stores_cut_off_are_those_through_the_wall(tmp_path, seed):
    store, edges = landed(tmp_path, seed)
    for share in (0.2, 0.5, 0.8):
        for off in (0, 1):
            cutoff = edges[int(len(edges) * share)] + off
            cut = of_cut_off(store, cutoff, tmp_path / f"{share} {off}")
            assert differences(through_the_wall(store, cutoff), cut) == [], cutoff


TICKETS = """customer_id occurred_at ingested_at ticket_id kind       resolved_at
             a           2020-01-10  -           t1        complaint  2020-01-20
             a           2020-01-12  -           t2        complaint  2020-02-20
             a           2020-01-14  2020-02-02  t3        complaint  -
             a           2020-02-10  -           t4        complaint  -"""


def test_what_was_cut_off_is_counted_by_the_clock_that_hid_it(tiny, tmp_path):
    orders = "customer_id occurred_at order_id amount\na 2020-01-02 o 1"
    tiny.land(customers="customer_id occurred_at\na 2020-01-01", orders=orders, tickets=TICKETS)
    folder = tmp_path / "cut"
    folder.mkdir()
    cut = cut_off(tiny.store, instant(31), folder)  # 1 February 2020
    assert cut.hidden["tickets"] == Hidden(rows=4, ahead=1, late=1, answers=1)
    assert (cut.store.rows("tickets"), cut.store.rows("orders")) == (2, 1)
