"""In a market whose truth is known the estimate finds nearly all that behaviour shows; prints the docs' figures."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from churnml.config import TrainConfig
from churnml.events.simulation import Market
from churnml.features import build
from churnml.modeling.answers import paired, read_answers
from churnml.modeling.contentment import behaviour_of, fit_contentment
from churnml.modeling.cutoffs import cutoffs_before
from churnml.modeling.satisfaction import satisfaction
from churnml.modeling.satisfaction_words import satisfaction_told
from churnml.verbs.features import of_session
from churnml.verbs.session import Session
from churnml.verbs.simulate import simulate

pytestmark = pytest.mark.long
CONFIG = TrainConfig()


@pytest.fixture(scope="module", params=[1, 2])
def market(request, tmp_path_factory):
    """Return, of those who never answered, the estimate and its ends, true points, and what they would answer."""
    root = tmp_path_factory.mktemp("truth")
    session = Session.open(root / "workspace", root / "configs", create=True)
    simulate(session, Market(customers=8_000, days=730, seed=request.param))
    session = Session.open(root / "workspace", root / "configs")
    catalogue, now = of_session(session), session.cutoff(None)
    at = cutoffs_before(session.store, now, CONFIG)
    whole = build(session.store, catalogue, [*at, now], CONFIG.population_days)
    inside, before = whole.modelled, whole.cutoffs < now
    table = whole.take(inside & before)
    lesson = paired(read_answers(session.store, now), table, CONFIG.horizon_days, session.store.time_zone)
    fitted = fit_contentment(table, lesson, behaviour_of(catalogue), CONFIG.seed).contentment
    rows = whole.take(inside & ~before)
    told = fitted.tell(rows)
    moods = pq.read_table(session.workspace.root / "market" / "truth" / "moods.parquet").to_pandas()
    last = moods[moods.day == moods.day.max()].set_index("number").mood
    mood = last.loc[[int(one.removeprefix("C")) for one in rows.customer_ids]].to_numpy()
    answer = 10 * np.clip(np.rint(7 + 1.5 * mood + 1.2 * np.random.default_rng(0).normal(size=len(mood))), 0, 10)
    print(satisfaction_told(satisfaction(session.store, catalogue, table, now, CONFIG)))  # noqa: T201  # for the docs
    return told, mood, answer


@pytest.mark.parametrize("source, least", [("estimate", 0.28), ("answers", 0.5)])
def test_the_estimate_goes_with_true_satisfaction(market, source, least):
    told, mood, _ = market
    rows = told.source == source
    found = float(np.corrcoef(told.estimate[rows], mood[rows])[0, 1])
    high = (told.estimate[rows] - np.clip(70 + 15 * mood[rows], 0, 100)).mean()
    print(f"{source}: {rows.sum():,} customers, correlation {found:.3f}, too high by {high:.1f} points")  # noqa: T201  # for the docs
    assert found > least


@pytest.mark.parametrize("source", ["estimate", "answers"])
def test_nine_of_ten_would_answer_within_their_interval(market, source):
    told, _, answer = market
    rows = told.source == source
    covered = float(((answer >= told.low) & (answer <= told.high))[rows].mean())
    print(f"{source}: {covered:.1%} would answer within the interval")  # noqa: T201  # for the docs
    assert 0.86 < covered < 0.94
