"""The next category: what is found where tastes decide, what is said where none do, and what never counts."""

import json
from dataclasses import replace

import numpy as np
import pytest

from churnml.config import CategorySettings, TrainConfig
from churnml.events import history
from churnml.events.clock import DAY
from churnml.modeling.next_category import WANTED, NextCategory, holdings, next_category, purchases, vocabulary
from churnml.modeling.next_category.links import cosine, ease, share_of_holders
from churnml.modeling.next_category.pairs import due, usual_gap
from churnml.modeling.next_category.teaching import gather
from churnml.scoring.next_category import UNTOLD, offers
from shopping import CATEGORIES, landed
from small import Tiny

JAN_10 = 18_271 * DAY  # 2020-01-10, midnight UTC
NOW = (18_262 + 240) * DAY
CONFIG = TrainConfig(min_history_days=60, bootstrap=100, categories=CategorySettings(horizon_days=28))


@pytest.fixture(scope="module")
def tasteful(tmp_path_factory):
    tiny = landed(Tiny.make(tmp_path_factory.mktemp("tastes")), 1)
    yield tiny.store
    tiny.catalogue.engine.dispose()


@pytest.fixture(scope="module")
def learned(tasteful):
    return next_category(tasteful, NOW, CONFIG)


@pytest.fixture(scope="module")
def everyone(tasteful):
    return history(tasteful, 0, [NOW], {}).customer_ids.tolist()


@pytest.fixture(scope="module")
def told(tasteful, learned, everyone):
    return offers(tasteful, everyone, NOW, learned.model)


def test_where_tastes_decide_co_purchase_beats_popularity_and_is_told(learned):
    assert learned.model.cross_sell == "co_purchase"
    assert learned.judged["cross_sell"].not_better_than == ()


def test_what_is_offered_is_of_the_customers_own_taste_while_they_have_not_bought_all_of_it(tasteful, told, learned):
    block, words = history(tasteful, 0, [NOW], WANTED), learned.model.words
    bought = purchases(block.facts["order_lines"], learned.model.codes, "UTC")
    has = holdings(bought, NOW, "UTC", 365).held.toarray() > 0
    own = np.array([[word in CATEGORIES[_taste(one)] for word in words] for one in block.customer_ids])
    asked = (own & ~has).any(axis=1) & (told.new[:, 0] >= 0)
    assert own[asked, told.new[asked, 0]].mean() > 0.9


def _taste(customer):
    return list(CATEGORIES)[int(customer[1:]) % 2]


def test_probabilities_are_as_often_true_as_they_say(learned):
    contest = learned.judged["cross_sell"]
    assert contest.told == pytest.approx(contest.came, rel=0.2)


def test_where_no_taste_decides_popularity_is_told_and_says_so(make_tiny):
    found = next_category(landed(make_tiny(), 2, tastes=False).store, NOW, CONFIG)
    assert found.model.cross_sell == "popularity"
    assert "popularity among what they have not bought is told" in found.because["cross_sell"]


def test_popularity_tells_everyone_the_same_share_of_what_they_have_not(learned, tasteful, everyone):
    popular = replace(learned.model, cross_sell="popularity")
    told = offers(tasteful, everyone, NOW, popular)
    row = int(np.flatnonzero(told.new[:, 0] >= 0)[0])
    assert told.new_chance[row, 0] == popular.rates.adopted[told.new[row, 0]]
    assert "took it up within 28 days" in told.record(row)["next_category"]["why"]["en"]


def test_the_reason_names_a_category_that_is_bought_and_more_by_its_buyers_than_by_all(told, learned):
    row = int(np.flatnonzero(told.because >= 0)[0])
    first = told.record(row)["next_category"]
    because, place = told.because[row], told.new[row, 0]
    assert learned.model.words[because] in first["why"]["en"]
    assert learned.model.shares[because, place] > learned.model.rates.holding[place]


def test_one_customer_alone_is_told_what_they_are_told_among_all(tasteful, learned, everyone, told):
    row = 17
    assert offers(tasteful, [everyone[row]], NOW, learned.model).record(0) == told.record(row)


def test_a_bundle_holds_it_as_plain_data(tasteful, learned, everyone, told):
    again = NextCategory.from_dict(json.loads(json.dumps(learned.model.to_dict())))
    found = offers(tasteful, everyone, NOW, again)
    assert all(found.record(row) == told.record(row) for row in range(50))


def test_nothing_bought_after_the_cutoff_teaches(tasteful):
    earlier = NOW - 60 * DAY
    config = CONFIG.model_copy(update={"min_history_days": 30})
    long, short = (next_category(store, earlier, config) for store in (tasteful, _cut(tasteful, earlier)))
    assert long.model.to_dict() == short.model.to_dict()


def _cut(store, instant):
    """Return the store as it stood, by another way than the wall's: the parts written anew without later rows."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    parts = []
    for part in store.parts:
        table = pq.read_table(store.root / part.path)
        kept = table.filter(pc.less(table.column("occurred_at"), instant))
        path = f"{part.path}.cut.parquet"
        pq.write_table(kept, store.root / path)
        parts.append(replace(part, path=path, digest=f"{part.digest} cut", rows=len(kept)))
    return replace(store, parts=tuple(parts))


def test_without_order_lines_there_is_none_and_the_reason_is_told(tiny):
    tiny.land(customers="customer_id occurred_at\na 2020-01-01", orders=ORDER)
    found = next_category(tiny.store, NOW, CONFIG)
    assert found.model is None
    assert "no order lines have landed" in found.because["any"]


def test_categories_that_are_never_to_be_offered_are_not_learned(tasteful):
    assert "tea" not in vocabulary(tasteful, NOW, CategorySettings(never=("tea",)))


def test_halves_of_the_customers_add_up_to_all(tasteful):
    words = vocabulary(tasteful, NOW, CONFIG.categories)
    seen = gather(tasteful, words, [], NOW, CONFIG.categories, 90)[0]
    assert sum(seen.customers) == seen.sample.customers
    assert (seen.together.sum(axis=0) == (seen.sample.held.T @ seen.sample.held).toarray()).all()


ORDER = "order_id customer_id occurred_at amount\n1 a 2020-01-02 9"
LINES = """
order_id line customer_id occurred_at category amount ingested_at
1 1 a 2020-01-02T08:00 tea 3 2020-01-02
1 2 a 2020-01-02T09:00 tea 3 2020-01-02
1 3 a 2020-01-06 tea 3 2020-01-06
1 4 a 2020-01-08 tea 3 2020-01-10T00:00:01
1 5 a 2020-01-07 milk 3 2020-01-07
1 6 a 2020-01-09 milk 0 2020-01-09
1 7 a 2020-01-10 milk 3 2020-01-10
"""


def held(tiny, lookback_days=365):
    tiny.land(customers="customer_id occurred_at\na 2020-01-01", orders=ORDER, order_lines=LINES)
    lines = history(tiny.store, 0, [JAN_10], WANTED).facts["order_lines"]
    return holdings(purchases(lines, {"tea": 0, "milk": 1}, "UTC"), JAN_10, "UTC", lookback_days)


def test_a_category_is_held_by_days_bought_and_known_before_the_cutoff(tiny):
    found = held(tiny)
    rows = zip(found.category, found.days, found.first, found.last, strict=True)
    assert [tuple(map(int, row)) for row in rows] == [(0, 2, 8, 4), (1, 1, 3, 3)]


def test_what_was_bought_before_the_lookback_is_not_held(tiny):
    found = held(tiny, lookback_days=3)
    assert found.category.tolist() == [1]


def test_a_category_is_due_when_the_usual_gap_is_over_by_the_end_of_the_horizon(tiny, learned):
    found = held(tiny)
    rates = replace(learned.model.rates, gap=np.array([20.0, 20.0]))
    assert usual_gap(rates, found).tolist() == [(4 + 20) / 2, 20.0]  # one gap of their own, one of the category
    assert due(rates, found, 7).tolist() == [False, False]
    assert due(rates, found, 8).tolist() == [True, False]  # milk was bought on one day and has no interval


def test_links_are_nothing_on_themselves_and_greatest_between_what_is_bought_together():
    rng = np.random.default_rng(0)
    taste = rng.random(2_000) < 0.5
    bought = (rng.random((2_000, 4)) < np.where(taste[:, None], [0.8, 0.8, 0.1, 0.1], [0.1, 0.1, 0.8, 0.8])) * 1.0
    for links in (ease(bought.T @ bought, 2_000), cosine(bought.T @ bought)):
        assert np.diag(links).tolist() == [0.0] * 4
        assert links.argmax(axis=1).tolist() == [1, 0, 3, 2]


def test_few_customers_pull_less_than_many_who_bought_alike():
    together = np.array([[4.0, 4.0], [4.0, 400.0]]) / 4
    assert cosine(together)[0, 1] < cosine(together * 100)[0, 1]


def test_the_share_of_holders_is_nothing_where_nobody_holds():
    assert share_of_holders(np.array([[4.0, 1.0], [1.0, 0.0]])).tolist() == [[1.0, 0.25], [0.0, 0.0]]


def test_who_refuses_to_be_profiled_is_offered_nothing_and_teaches_nothing(tasteful, learned, everyone):
    refusing = replace(tasteful, refusing=frozenset(everyone[:350]))
    assert offers(refusing, everyone, NOW, learned.model).record(3) == UNTOLD
    seen = gather(refusing, learned.model.words, [], NOW, CONFIG.categories, 90)[0]
    assert not set(seen.ids) & set(everyone[:350])
