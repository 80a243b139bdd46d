"""The market that the tests of the models share, and one model trained on it."""

from __future__ import annotations

import pytest
from cdnow import tenth
from market import Market, learn


@pytest.fixture(scope="session")
def market():
    """Return the market."""
    return Market.draw()


@pytest.fixture(scope="session")
def trained(market):
    """Return a model trained on the market; read it, never change it."""
    return learn(market)


@pytest.fixture(scope="session")
def population(trained):
    """Return the rows to forecast: the population at the cutoff the model is meant for."""
    base = trained.snapshots.base_at_now
    return base.take(base.modelled)


@pytest.fixture(scope="session")
def cdnow():
    """Return the CDNOW tenth: 2,357 customers over 39 weeks."""
    return tenth()
