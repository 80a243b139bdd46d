"""A store cut off at an instant: what features say of it is what they say through the wall."""

import pytest

import wall
import wall_worlds
from churnml.events.cutting import Hidden, cut_off
from churnml.features import build, catalogue
from churnml.modeling.comparison import differences
from wall import DAY
from worlds import instant

# between them all tables, two zones, one to three landings, refusals, contracts that change hands, orders taken back
SEEDS = (24, 36, 111, 142, 147, 166, 236)


@pytest.fixture
def landed(make_tiny):
    """Return a function that lands the world of a seed and gives its store and the instants of its rows."""

    def land(seed):
        world = wall_worlds.draw(seed)
        tiny = make_tiny(time_zone=world.zone)
        wall_worlds.land(tiny, world)
        rows = wall.landed(world.rows, world.landings)
        return tiny.store, sorted({at for row in rows for at in (row.event_at, row.told_at)})

    return land


def both(store, cutoff, folder, cut_at=None):
    """Return the features at a cutoff through the wall, in a pass that sees to the end, and of the store cut off."""
    features = catalogue(store.tables)
    whole = build(store, features, [cutoff, cutoff + 400 * DAY], 30)
    folder.mkdir(parents=True)
    cut = cut_off(store, cut_at or cutoff, folder)
    return whole.take(whole.cutoffs == cutoff), build(cut.store, features, [cutoff], 30)


def features_are_those_through_the_wall(store, edges, folder, shares):
    for share in shares:
        for off in (0, 1):
            cutoff = edges[int(len(edges) * share)] + off
            assert differences(*both(store, cutoff, folder / f"{share} {off}")) == [], cutoff


@pytest.mark.parametrize("seed", SEEDS[1:2])
def test_features_of_a_store_cut_off_are_those_through_the_wall(landed, tmp_path, seed):
    features_are_those_through_the_wall(*landed(seed), tmp_path, [0.6])


@pytest.mark.long
@pytest.mark.parametrize("seed", [*SEEDS, *range(40)])
def test_features_of_many_stores_cut_off_are_those_through_the_wall(landed, tmp_path, seed):
    features_are_those_through_the_wall(*landed(seed), tmp_path, [0.2, 0.5, 0.8])


def test_the_proof_above_would_see_a_row_of_a_week_ago_missing(landed, tmp_path):
    store, edges = landed(SEEDS[1])
    cutoff = edges[int(len(edges) * 0.6)]
    assert differences(*both(store, cutoff, tmp_path / "cut", cutoff - 7 * DAY)) != []


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
