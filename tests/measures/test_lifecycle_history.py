"""Stages at several cutoffs: each as it was known then, the same as the feature table says at that cutoff alone."""

from datetime import date

import numpy as np
import pytest

import worlds
from churnml.config import LifecycleRules
from churnml.events.books import open_books
from churnml.events.clock import midnight
from churnml.features import build, catalogue
from churnml.measures import lifecycle_stages, stage_columns
from churnml.measures.lifecycle_history import stages_at

RULES = LifecycleRules()


def cutoffs(*days: str) -> list[int]:
    return [midnight(date.fromisoformat(day), "UTC") for day in days]


def path(history, customer: str) -> list[str | None]:
    """Return the stages of one customer, cutoff after cutoff."""
    (place,) = np.flatnonzero(history.customer_ids == customer)
    return [history.at(turn)[place] for turn in range(len(history.cutoffs))]


def monthly(*months: str) -> str:
    """Return an order on the fifth of each month."""
    rows = [f"anna {month}-05 o{month} 20" for month in months]
    return "customer_id occurred_at order_id amount\n" + "\n".join(rows)


# she comes in January 2020, buys once a month until December, then not for seven months, then again
ANNA = monthly(*(f"2020-{month:02}" for month in range(1, 13)), "2021-08")


def test_a_monthly_buyer_goes_through_a_life(tiny):
    tiny.land(customers="customer_id occurred_at\nanna 2020-01-02", orders=ANNA)
    days = ("2020-01-01", "2020-01-04", "2020-02-01", "2020-12-01", "2021-03-01", "2021-07-01", "2021-08-10")
    told = stages_at(tiny.store, cutoffs(*days), 90, RULES)
    assert path(told, "anna") == [None, "prospect", "new", "mature", "declining", "churned", "won_back"]


def test_what_was_learned_later_changes_no_earlier_stage(tiny):
    tiny.land(
        customers="customer_id occurred_at\nanna 2020-01-02",
        orders="""customer_id occurred_at ingested_at order_id amount
                  anna        2020-01-05  2020-02-10  o1       20""",
    )
    assert path(stages_at(tiny.store, cutoffs("2020-02-01", "2020-03-01"), 90, RULES), "anna") == ["prospect", "new"]


@pytest.mark.parametrize("blocks", [1, 4])
def test_at_each_cutoff_it_is_what_the_feature_table_says(world_store, monkeypatch, blocks):
    monkeypatch.setattr("churnml.measures.lifecycle_history.blocks_for", lambda _rows: blocks)
    at = [worlds.instant(day) for day in (20, 70, 119)]
    told = stages_at(world_store, at, 30, RULES)
    for place, cutoff in enumerate(at):
        table = build(world_store, catalogue(world_store.tables), [cutoff], 30)
        stages = lifecycle_stages(stage_columns(table), table.standing, 30, RULES)
        found = dict(zip(told.customer_ids, told.at(place), strict=True))
        assert {who: stage for who, stage in found.items() if stage} == dict(
            zip(table.customer_ids, stages, strict=True)
        )


def test_at_the_last_cutoff_everybody_in_the_books_has_a_stage(tiny):
    tiny.land(
        customers="customer_id occurred_at\na 2020-01-01\nb 2020-01-01\nc 2020-01-20\nd 2020-03-20",
        orders="customer_id occurred_at order_id amount\na 2020-01-05 o1 20",
        consents="customer_id occurred_at purpose granted\nb 2020-06-01 profiling false",
    )
    days = cutoffs("2020-01-10", "2020-03-01")
    told = stages_at(tiny.store, days, 90, RULES)
    with open_books(tiny.store, days[-1]) as books:
        assert (len(told.customer_ids), told.refused) == (books.base, books.refused) == (2, 1)
    assert {who: path(told, who) for who in told.customer_ids} == {"a": ["new", "new"], "c": [None, "prospect"]}


def test_before_anybody_is_known_there_are_no_stages(tiny):
    tiny.land(customers="customer_id occurred_at\nanna 2020-01-02", orders=ANNA)
    assert stages_at(tiny.store, cutoffs("2019-06-01", "2019-07-01"), 90, RULES).codes.shape == (2, 0)


def test_where_contracts_make_the_customer_their_ends_tell(tiny):
    tiny.land(
        customers="customer_id occurred_at\nanna 2020-01-02",
        subscriptions="""customer_id occurred_at subscription_id amount period ended_at
                         anna        2020-01-05  s1              10     month  2021-05-20
                         anna        2021-07-02  s2              10     month  -""",
    )
    days = cutoffs("2020-02-01", "2020-12-01", "2021-06-01", "2021-08-01")
    told = stages_at(tiny.store, days, 90, RULES, "contracts")
    assert path(told, "anna") == ["new", "mature", "churned", "won_back"]
