"""A customer's page shows their path through the stages in words and as a strip, and the JSON beside it the same."""

from datetime import date

import numpy as np
import pytest
from sample_run import ask, fill, record

from churnml.config import LifecycleRules
from churnml.events.clock import midnight
from churnml.measures.lifecycle import STAGES
from churnml.measures.lifecycle_history import StageHistory
from churnml.measures.paths import keep_paths
from small import NOW, Tiny

PATH = ("new", "mature", "mature", "declining")
STAYS = [
    {"stage": "new", "first": "2017-08-31", "last": "2017-08-31", "periods": 1},
    {"stage": "mature", "first": "2017-09-30", "last": "2017-10-31", "periods": 2},
    {"stage": "declining", "first": "2017-11-30", "last": "2017-11-30", "periods": 1},
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Return a workspace with a record and a path of one customer, and one whose path was not kept."""
    shop = Tiny.make(tmp_path_factory.mktemp("shop"))
    shop.land(
        customers="customer_id occurred_at\nann 2017-08-01\nbob 2017-08-01",
        orders="customer_id occurred_at order_id amount\nann 2017-08-05 o1 5",
    )
    fill(shop.workspace, [record("ann", 5), record("bob", 6)])
    cutoffs = tuple(midnight(date(2017, month, 1), "UTC") for month in (9, 10, 11, 12))
    codes = np.array([[list(STAGES).index(stage)] for stage in PATH], dtype=np.int8)
    told = StageHistory(np.array(["ann"], dtype=object), cutoffs, codes, 0)
    keep_paths(shop.workspace, shop.catalogue, told, "UTC", 90, LifecycleRules(), "orders", NOW)
    yield shop
    shop.catalogue.engine.dispose()


@pytest.fixture(scope="module")
def client(shop):
    with ask(shop.workspace) as opened:
        yield opened


def page(client, customer, language="en"):
    return client.get(f"/customers/{customer}?lang={language}", headers={"accept": "text/html"}).text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Path through the stages", "from Sep 30, 2017 to Oct 31, 2017", "on Nov 30, 2017")),
        ("zh", ("阶段路径", "2017年9月30日 至 2017年10月31日", "成熟期")),
    ],
)
def test_the_page_tells_the_path_in_words_with_dates(client, language, said):
    found = page(client, "ann", language)
    assert [one for one in said if one not in found] == []


def test_the_strip_is_as_long_as_the_stays_were(client):
    found = page(client, "ann")
    assert [f'<rect class="stage-{one}"' in found for one in ("new", "mature", "declining", "churned")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert 'class="stage-mature" x="25" width="49.4"' in found


def test_the_json_twin_tells_the_same_path(client):
    assert client.get("/v1/customers/ann").json()["lifecycle_path"] == STAYS
    assert client.get("/v1/customers/bob").json()["lifecycle_path"] == []
    assert "Path through the stages" not in page(client, "bob")


def test_once_they_refuse_to_be_profiled_the_path_is_gone(shop, client):
    shop.land(NOW + 1, consents="customer_id occurred_at purpose granted\nann 2021-09-01 profiling false")
    assert client.get("/v1/customers/ann").json()["lifecycle_path"] == []
    assert "Path through the stages" not in page(client, "ann")
