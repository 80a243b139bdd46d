"""The Complete Journey scored once at the end of the year, as `churnml score` does it."""

from types import SimpleNamespace

import pytest

from churnml.features import build
from churnml.modeling.bundle import load_bundle
from churnml.scoring.reasons import reasons
from churnml.scoring.score import score
from churnml.verbs.features import of_session
from churnml.verbs.session import Session

MOST = 5


@pytest.fixture(scope="session")
def scored(journey):
    """Return model, features, the whole base, its population, their scores and their reasons; change none of them."""
    session = Session.open(journey.workspace.root, journey.configs)
    model, _ = load_bundle(journey.workspace.models / session.catalogue.alias("champion"))
    features = of_session(session)
    base = build(session.store, features, [session.cutoff("2018-01-01")], model.population_days)
    population = base.take(base.modelled)
    scores = score(population, model, 365)
    told = reasons(population, model, scores.forecast, features, "USD", MOST)
    yield SimpleNamespace(model=model, features=features, base=base, population=population, scores=scores, told=told)
    session.catalogue.engine.dispose()
