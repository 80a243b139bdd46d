"""A market in which all tables of the contract have landed."""

import pytest

from churnml.verbs.session import Session
from command import churnml


@pytest.fixture(scope="session")
def market(tmp_path_factory):
    """Return a session on a simulated market: eleven tables, some who refuse; read it, never write to it."""
    folder = tmp_path_factory.mktemp("market")
    made = churnml("simulate", "--customers", "200", "--days", "200", "--workspace", folder / "workspace", "--json")
    assert made.code == 0, made.err
    session = Session.open(folder / "workspace", folder)
    yield session
    session.catalogue.engine.dispose()
