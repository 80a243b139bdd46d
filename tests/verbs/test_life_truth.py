"""Lives of simulated customers in hindsight: what was said of them, by contracts and by orders; for the docs."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from churnml.config import TrainConfig
from churnml.events.clock import DAY
from churnml.events.simulation import Market
from churnml.labels import Outcomes, churned_within
from churnml.modeling.cutoffs import cutoffs_before
from churnml.modeling.metrics import auroc, ece, ece_perfect_95
from churnml.modeling.train import train
from churnml.verbs.features import of_session
from churnml.verbs.session import Session
from churnml.verbs.simulate import simulate

pytestmark = pytest.mark.long

ASKED_ON, DAYS = 424, (30, 60, 90)
KIND = {"contractual": "contracts", "plain": "orders"}


@pytest.fixture(scope="module", params=[("contractual", 1), ("contractual", 2), ("plain", 1)], ids=str)
def told(request, tmp_path_factory):
    """Return what is said on a day that 306 days follow, what came within DAYS, and what the truth has of each."""
    (variant, seed), root = request.param, tmp_path_factory.mktemp("lives")
    session = Session.open(root / "workspace", root / "configs", create=True)
    simulate(session, Market(customers=4_000, days=730, seed=seed, variant=variant))
    session = Session.open(root / "workspace", root / "configs")
    now = (session.store.span[1] // DAY + 1 - 730 + ASKED_ON) * DAY
    config = TrainConfig(churn=KIND[variant])
    at = cutoffs_before(session.store, now, config)
    trained = train(session.store, of_session(session), at, now, config, 0.25, curve=True)
    base = trained.snapshots.base_at_now
    table = base.take(base.modelled)
    forecast = trained.model.forecast(table, 365, DAYS)
    outcome = Outcomes.read(session.store, [now], max(DAYS)).at(table.customer_ids, table.cutoffs)
    came = {days: churned_within(outcome, days, config.by) for days in DAYS}
    truth = pq.read_table(session.workspace.root / "market" / "truth" / "customers.parquet").to_pandas()
    who = [int(one.removeprefix("C")) for one in table.customer_ids]
    moods = pq.read_table(session.workspace.root / "market" / "truth" / "moods.parquet").to_pandas()
    mood = moods[moods.day == moods.day[moods.day < ASKED_ON].max()].set_index("number").mood.loc[who].to_numpy()
    return variant, forecast, came, truth.set_index("number").left_day.loc[who].to_numpy(), mood


def test_probabilities_by_three_horizons_are_calibrated_as_a_perfect_model_would_be(told):
    variant, forecast, came, _, _ = told
    for place, days in enumerate(DAYS):
        said = forecast.churn_within[:, place]
        error, perfect = ece(came[days], said), ece_perfect_95(said)
        print(  # noqa: T201  # for the docs
            f"{variant}: {len(said):,} asked of {days} days, said {said.mean():.3f}, left {came[days].mean():.3f}, "
            f"ECE {error:.4f} (perfect: {perfect:.4f}), AUROC {auroc(came[days], said):.3f}"
        )
        assert error < (0.09 if variant == "plain" else max(2 * perfect, 0.02))


def test_of_contracts_it_ranks_nearly_as_well_as_who_knows_the_mood(told):
    variant, forecast, came, _, mood = told
    if variant != "contractual":
        pytest.skip("of orders the mood is a small part of what tells")
    ours, oracle = auroc(came[60], forecast.churn_within[:, 1]), auroc(came[60], -mood)
    print(f"{variant}: AUROC of 60 days {ours:.3f}, of the mood nobody sees {oracle:.3f}")  # noqa: T201  # for the docs
    assert ours > oracle - 0.06


def test_a_quarter_is_gone_by_the_day_that_is_told_for_a_quarter(told):
    variant, forecast, _, left, _ = told
    days = forecast.life.days[:, 0]
    seen = np.isfinite(days) & (days > 0) & (days <= 270)  # of a contract the end is seen at the renewal after leaving
    wait = 30 if variant == "contractual" else 0
    gone = (left[seen] >= 0) & (left[seen] + wait * 0.5 <= ASKED_ON + days[seen])
    print(f"{variant}: of {seen.sum():,} with such a day within 270, {gone.mean():.3f} were gone by it")  # noqa: T201  # for the docs
    assert gone.mean() == pytest.approx(0.25, abs=0.08 if variant == "contractual" else 0.12)
