"""What the tests of events start from: random worlds that have landed."""

import pytest

from landed_worlds import SEEDS, Landed


@pytest.fixture(scope="session")
def landed(tmp_path_factory):
    """Return a function that lands the world of a seed, the few of every run once."""
    few = {}

    def land(seed):
        if seed not in SEEDS:
            return Landed(tmp_path_factory.mktemp("world"), seed)
        few[seed] = few.get(seed) or Landed(tmp_path_factory.mktemp("world"), seed)
        return few[seed]

    return land
