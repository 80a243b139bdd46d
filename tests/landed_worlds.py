"""Random worlds that have landed: what a store says of each, beside what stands by the definition."""

import wall
from churnml.events import TABLES
from small import Tiny
from wall_worlds import draw, land

# between them all tables, two zones, one to three landings, refusals, contracts that change hands, orders taken back
SEEDS = (24, 36, 111, 142, 147, 166, 236)


def _times(row):
    told = [row.cells.get(time) for time in TABLES[row.table].later]
    return [row.landed_at, *(at for at in told if at is not None)]


class Landed:
    """A world that has landed: what a store says of it, beside what stands by the definition."""

    def __init__(self, folder, seed):
        self.world = draw(seed)
        self.kept = wall.landed(self.world.rows, self.world.landings)
        self.store = self.land(folder, self.world)

    def moments(self, drawn, shift_days=0):
        """Return instants at which something happened, was learned or came to be, so many days later; or just off."""
        edges = sorted({at for row in self.kept for at in (row.event_at, row.told_at, *_times(row))})
        return [wall.later(edges[n % len(edges)] + off, shift_days, self.world.zone) for n, off in drawn]

    @property
    def instants(self):
        """Return every instant at which a cutoff may begin to see something."""
        edges = {at for row in self.kept for at in (row.event_at, row.told_at, *_times(row))}
        return sorted({at + off for at in edges for off in (0, 1)})

    @staticmethod
    def land(folder, world):
        tiny = Tiny.make(folder, time_zone=world.zone)
        land(tiny, world)
        store = tiny.store
        tiny.catalogue.engine.dispose()
        return store
