"""A customer's path is kept, grows from measure to measure, and is gone with whoever refuses or is forgotten."""

from datetime import date

import numpy as np
import pytest

from churnml.config import LifecycleRules
from churnml.events import forget
from churnml.events.clock import midnight
from churnml.events.keeping import file_of
from churnml.measures.lifecycle import STAGES
from churnml.measures.lifecycle_history import StageHistory
from churnml.measures.paths import Stay, keep_paths, read_path
from small import NOW

TERMS = ("UTC", 90, LifecycleRules(), "orders")
CONSENT = "customer_id occurred_at purpose granted"


def history(first: int, **paths: str) -> StageHistory:
    """Return stages at the ends of months of 2020, from the end of one on; December 2019 is 0."""
    codes = [[-1 if one == "-" else list(STAGES).index(one) for one in path.split()] for path in paths.values()]
    months = range(first, first + len(codes[0]))
    cutoffs = tuple(midnight(date(2020, month + 1, 1), "UTC") for month in months)
    return StageHistory(np.array(list(paths), dtype=object), cutoffs, np.array(codes, dtype=np.int8).T, 0)


@pytest.fixture
def shop(tiny):
    """Return a workspace of two customers."""
    tiny.land(
        customers="customer_id occurred_at\nann 2020-01-01\nbob 2020-01-01",
        orders="customer_id occurred_at order_id amount\nann 2020-01-05 o1 5\nbob 2020-01-05 o2 5",
    )
    return tiny


def keep(shop, told: StageHistory, terms=TERMS, landed_until=NOW) -> bool:
    return keep_paths(shop.workspace, shop.catalogue, told, *terms, landed_until)


def path(shop, customer: str) -> list[tuple[str, str, str]] | None:
    stays = read_path(shop.workspace, shop.catalogue, customer)
    return None if stays is None else [(one.stage, one.first, one.last) for one in stays]


def test_a_path_is_the_stays_of_one_customer_in_the_order_of_time(shop):
    assert keep(shop, history(1, ann="new mature mature churned", bob="- new new mature"))
    assert read_path(shop.workspace, shop.catalogue, "ann") == (
        Stay("new", "2020-01-31", "2020-01-31", 1),
        Stay("mature", "2020-02-29", "2020-03-31", 2),
        Stay("churned", "2020-04-30", "2020-04-30", 1),
    )
    assert path(shop, "bob") == [("new", "2020-02-29", "2020-03-31"), ("mature", "2020-04-30", "2020-04-30")]


def test_before_anything_is_kept_there_is_no_path_and_a_stranger_has_an_empty_one(shop):
    assert path(shop, "ann") is None
    keep(shop, history(1, ann="new", bob="new"))
    assert path(shop, "zoe") == []


def test_a_later_measure_carries_on_what_was_kept_of_the_months_before(shop):
    keep(shop, history(1, ann="new mature mature", bob="new new new"))
    keep(shop, history(3, ann="mature churned", bob="mature mature"))
    assert path(shop, "ann") == [
        ("new", "2020-01-31", "2020-01-31"),
        ("mature", "2020-02-29", "2020-03-31"),
        ("churned", "2020-04-30", "2020-04-30"),
    ]
    assert path(shop, "bob") == [("new", "2020-01-31", "2020-02-29"), ("mature", "2020-03-31", "2020-04-30")]


def test_what_nobody_looked_at_is_not_bridged(shop):
    keep(shop, history(1, ann="mature mature", bob="new new"))
    keep(shop, history(6, ann="mature", bob="new"))
    assert path(shop, "ann") == [("mature", "2020-01-31", "2020-02-29"), ("mature", "2020-06-30", "2020-06-30")]


def test_a_look_back_does_not_shorten_what_is_kept(shop):
    keep(shop, history(1, ann="new mature churned", bob="new new new"))
    assert not keep(shop, history(1, ann="new", bob="new"))
    assert path(shop, "ann")[-1] == ("churned", "2020-03-31", "2020-03-31")


def test_what_was_kept_of_days_of_which_nothing_has_landed_is_replaced(shop):
    keep(shop, history(1, ann="new mature churned churned", bob="new new new churned"))
    assert keep(shop, history(1, ann="new mature", bob="new new"), landed_until=midnight(date(2020, 3, 3), "UTC"))
    assert path(shop, "ann") == [("new", "2020-01-31", "2020-01-31"), ("mature", "2020-02-29", "2020-02-29")]


def test_paths_told_by_other_terms_are_no_part_of_it(shop):
    keep(shop, history(1, ann="new mature", bob="new new"))
    keep(shop, history(2, ann="declining", bob="new"), ("UTC", 30, LifecycleRules(), "orders"))
    assert path(shop, "ann") == [("declining", "2020-02-29", "2020-02-29")]


def test_a_refusal_takes_the_path_away_as_it_lands(shop):
    keep(shop, history(1, ann="new mature", bob="new new"))
    shop.land(NOW + 1, consents=f"{CONSENT}\nann 2021-09-01 profiling false")
    assert b"ann" not in file_of(shop.workspace, "lifecycle").read_bytes()
    assert (path(shop, "ann"), path(shop, "bob")) == ([], [("new", "2020-01-31", "2020-02-29")])


def test_a_measure_that_began_before_a_refusal_keeps_nothing_of_who_refused(shop):
    shop.land(NOW + 1, consents=f"{CONSENT}\nann 2021-09-01 profiling false")
    keep(shop, history(1, ann="new mature", bob="new new"))
    assert b"ann" not in file_of(shop.workspace, "lifecycle").read_bytes()


def test_a_landing_that_was_killed_after_a_refusal_is_made_good_by_the_next(shop, monkeypatch):
    keep(shop, history(1, ann="new mature", bob="new new"))
    with monkeypatch.context() as patched:
        patched.setattr("churnml.events.keeping._write", _killed)
        with pytest.raises(KeyboardInterrupt):
            shop.land(NOW + 1, consents=f"{CONSENT}\nann 2021-09-01 profiling false")
    assert path(shop, "ann") == []
    shop.land(NOW + 2, orders="customer_id occurred_at order_id amount\nbob 2021-02-05 o3 5")
    assert b"ann" not in file_of(shop.workspace, "lifecycle").read_bytes()


def _killed(*_):
    raise KeyboardInterrupt


def test_a_forgotten_customer_has_no_path_nor_has_a_draft_of_one(shop):
    keep(shop, history(1, ann="new mature churned", bob="new new new"))
    draft = shop.workspace.measures / f".lifecycle.parquet.{'0' * 32}"
    draft.write_bytes(b"ann")
    assert forget(shop.workspace, shop.catalogue, ["ann"]).measured == 3
    assert (draft.exists(), path(shop, "ann"), len(path(shop, "bob"))) == (False, [], 1)
    keep(shop, history(1, ann="new mature churned", bob="new new new"))  # one that was under way meanwhile
    assert path(shop, "ann") == []
