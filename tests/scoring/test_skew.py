"""Batch, training and online agree to the last bit; where they do not, the report says which feature and for whom."""

from dataclasses import replace

import numpy as np
import pytest

import worlds
from churnml.database import Workspace
from churnml.events.clock import DAY
from churnml.features import build, catalogue
from churnml.modeling.comparison import Difference, differences
from churnml.scoring.skew import ScoreSkew, Skew, compare_features, compare_scores
from churnml.scoring.skew_findings import NoChampion
from command import churnml
from memoryless import now_of, store_of
from worlds import instant

SEED = 11


@pytest.fixture(scope="module")
def compared(world_store):
    return compare_features(world_store, catalogue(world_store.tables), [instant(40), instant(75.25)], 60, 100)


def test_a_customer_has_the_same_features_in_batch_in_training_and_online(compared):
    assert (compared.in_training, compared.online) == ((), ())
    assert len(compared.batch) == 100 < compared.base


def test_blocks_do_not_matter(world_store):
    split = compare_features(
        replace(world_store, blocks=4), catalogue(world_store.tables), [instant(75.25)], 60, worlds.DAYS
    )
    assert (split.in_training, split.online) == ((), ())


def test_the_same_seed_draws_the_same_customers(world_store, compared):
    again = compare_features(world_store, catalogue(world_store.tables), [instant(75.25)], 60, 100)
    assert again.batch.customer_ids.tolist() == compared.batch.customer_ids.tolist()


def test_a_row_alone_has_the_score_that_it_has_in_a_batch(scored):
    found = compare_scores(scored.population.take(np.arange(40)), scored.model, "model", 365, lambda _done, _all: None)
    assert found.sound
    assert (found.batch, found.alone) == (40, 40)
    assert {"churn_probability", "clv", "value_at_risk"} <= found.worst.keys()


def test_what_differs_is_told_by_feature_and_customer_with_both_values():
    found = Skew("2020-01-01", 5, 9, 2, 3, (), (Difference("spend_all", 2, "ann", 10.5, 11.0),), NoChampion())
    told = "`spend_all` is another online for 2 customers; of 'ann' it is 10.5 in the batch, 11.0 online"
    assert [one.said() for one in found.findings] == [told]
    assert [one.said("zh") for one in found.findings] == [
        "`spend_all` 在线计算对 2 位客户不同；例如客户“ann”，批量计算为 10.5，在线计算为 11.0"
    ]
    assert found.to_json()["found"][0].items() >= {"code": "other_feature", "door": "online", "rows": 2}.items()
    assert found.to_json()["sound"] is False


def test_a_score_that_is_off_by_more_than_rounding_is_found():
    far = ScoreSkew("model", 5, 5, {"clv": 1e-15, "churn_probability": 1e-9}, "ann")
    (only,) = Skew("2020-01-01", 5, 9, 2, 3, (), (), far).findings
    assert only.said().startswith(
        "`churn_probability` of a single row is 1e-09 from that in the batch, for customer 'ann'"
    )


def _agree(store, customers):
    """Compare customers at a stack of cutoffs through all three doors, and whole tables of other blocks."""
    now, features = now_of(store), catalogue(store.tables)
    stack = [now - 30 * DAY * back for back in (3, 2, 1, 0)]
    found = compare_features(store, features, stack, 90, customers, seed=SEED)
    assert (found.in_training, found.online) == ((), ()), f"seed {SEED}"
    assert len(found.batch) == customers
    whole = build(store, features, stack, 90)
    assert not differences(whole, build(replace(store, blocks=2 * store.n_blocks), features, stack, 90)), f"seed {SEED}"


def test_the_customers_of_a_market_are_the_same_through_every_door(memoryless):
    _agree(store_of(memoryless), 400)


@pytest.mark.long
def test_ten_thousand_customers_are_the_same_through_every_door(tmp_path):
    words = ("--customers", 11_000, "--days", 400, "--seed", SEED)
    assert churnml("simulate", "--workspace", tmp_path / "workspace", *words).code == 0
    _agree(store_of(Workspace.open(tmp_path / "workspace")), 10_000)
