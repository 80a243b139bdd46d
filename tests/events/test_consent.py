"""A refusal of profiling holds from the moment it is acknowledged, and until it is taken back."""

import json

import numpy as np
from sqlalchemy import insert

from churnml.database import Records
from churnml.database.lists import Wanted, list_page
from churnml.database.tables import runs
from churnml.events import Standing, history, marketing, standing
from churnml.events.clock import DAY
from small import NOW

SHOP = {
    "customers": "customer_id occurred_at\nann 2020-01-01\nbob 2020-01-01",
    "orders": "customer_id occurred_at order_id amount\nann 2021-08-01 o1 10\nbob 2021-08-01 o2 20",
}
CONSENT = "customer_id occurred_at purpose granted"
LATER = NOW + 10 * DAY


def stands(tiny, cutoff=LATER):
    """Return where each customer stands, and how many orders of theirs are seen."""
    block = history(tiny.store, 0, [cutoff], {"orders": ("amount",)})
    where = standing(block, [cutoff], 90, "UTC")[0]
    orders = np.diff(block.facts["orders"].offsets)
    return {who: (Standing(int(s)).name, int(n)) for who, s, n in zip(block.customer_ids, where, orders, strict=True)}


def test_who_refuses_has_no_facts_and_stands_outside(tiny):
    tiny.land(**SHOP)
    tiny.land(NOW + 1, consents=f"{CONSENT}\nann 2021-09-01 profiling false")
    assert stands(tiny) == {"ann": ("NO_PROFILING", 0), "bob": ("POPULATION", 1)}


def test_a_refusal_reaches_back_to_every_cutoff(tiny):
    tiny.land(**SHOP)
    tiny.land(NOW + 1, consents=f"{CONSENT}\nann 2021-09-01 profiling false")
    assert stands(tiny, cutoff=NOW - 20 * DAY)["ann"] == ("NO_PROFILING", 0)


def test_a_refusal_taken_back_counts_no_longer(tiny):
    tiny.land(**SHOP)
    tiny.land(NOW + 1, consents=f"{CONSENT}\nann 2021-09-01 profiling false")
    tiny.land(NOW + 2, consents=f"{CONSENT}\nann 2021-09-10 profiling yes")
    assert stands(tiny)["ann"] == ("POPULATION", 1)


def test_the_latest_word_counts_whatever_order_it_arrives_in(tiny):
    tiny.land(**SHOP)
    tiny.land(NOW + 1, consents=f"{CONSENT}\nann 2021-09-10 profiling false")
    tiny.land(NOW + 2, consents=f"{CONSENT}\nann 2021-09-01 profiling true")
    assert stands(tiny)["ann"] == ("NO_PROFILING", 0)


def test_a_refusal_of_marketing_is_none_of_profiling(tiny):
    tiny.land(**SHOP)
    tiny.land(NOW + 1, consents=f"{CONSENT}\nann 2021-09-10 marketing false")
    assert stands(tiny)["ann"] == ("POPULATION", 1)


def test_what_was_scored_before_is_blank_as_soon_as_the_refusal_has_landed(tiny):
    tiny.land(**SHOP)
    row = {
        "run_id": "r",
        "verb": "score",
        "state": "done",
        "inputs": "",
        "started_at": 1,
        "finished_at": 2,
        "summary": {},
    }
    records = Records(tiny.catalogue.engine)
    with tiny.catalogue.engine.begin() as connection:
        connection.execute(insert(runs), row)
    body = {
        "customer_id": "ann",
        "churn_probability": 0.9,
        "value_at_risk": 5.0,
        "reasons": [{"group": "rhythm", "feature": "x"}],
        "rung": "blend",
    }
    records.write("r", [body, body | {"customer_id": "bob"}])
    tiny.land(NOW + 1, consents=f"{CONSENT}\nann 2021-09-01 profiling false")
    ann = records.get(["ann"])["ann"]
    assert ann == {
        "customer_id": "ann",
        "churn_probability": None,
        "value_at_risk": None,
        "reasons": [],
        "rung": "no_profiling",
    }
    with tiny.catalogue.engine.connect() as connection:
        assert [one["customer_id"] for one in list_page(connection, "r", Wanted(), 10).records] == ["bob"]
    assert "0.9" not in json.dumps(ann)


MARKETING = "customer_id occurred_at purpose channel granted"


def agreeing(tiny, channel):
    """Return who may be approached by a channel."""
    names = ["ann", "bob"]
    return [name for name, may in zip(names, marketing(tiny.store).may(names, channel), strict=True) if may]


def test_who_never_said_anything_did_not_agree(tiny):
    tiny.land(**SHOP)
    tiny.land(NOW + 1, consents=f"{MARKETING}\nann 2021-01-01 marketing - true")
    assert agreeing(tiny, "email") == ["ann"]


def test_what_is_said_of_one_channel_holds_for_it_alone(tiny):
    tiny.land(**SHOP)
    rows = "ann 2021-01-01 marketing - true\nann 2021-02-01 marketing phone false\nbob 2021-01-01 marketing email true"
    tiny.land(NOW + 1, consents=f"{MARKETING}\n{rows}")
    assert [agreeing(tiny, channel) for channel in ("email", "phone", "mail")] == [["ann", "bob"], [], ["ann"]]


def test_a_withdrawal_counts_from_its_landing_on_and_a_later_word_undoes_it(tiny):
    tiny.land(**SHOP)
    tiny.land(NOW + 1, consents=f"{MARKETING}\nann 2021-01-01 marketing - true")
    tiny.land(NOW + 2, consents=f"{MARKETING}\nann 2021-03-01 marketing - false")
    assert agreeing(tiny, "email") == []
    tiny.land(NOW + 3, consents=f"{MARKETING}\nann 2021-04-01 marketing email true")
    assert agreeing(tiny, "email") == ["ann"]
    assert agreeing(tiny, "phone") == []


def test_withdrawals_alone_say_who_declined_and_nothing_of_all_others(tiny):
    tiny.land(**SHOP)
    tiny.land(NOW + 1, consents=f"{MARKETING}\nann 2021-01-01 marketing phone false")
    said = marketing(tiny.store)
    assert (said.tells_who_agreed, said.may_not(["ann", "bob"], "Phone").tolist()) == (False, [True, False])
    assert said.may_not(["ann", "bob"], "email").tolist() == [False, False]
    tiny.land(NOW + 2, consents=f"{MARKETING}\nbob 2021-01-01 marketing - true")
    assert marketing(tiny.store).tells_who_agreed


def test_where_one_moment_holds_both_words_the_refusal_holds(tiny):
    tiny.land(**SHOP)
    report = tiny.land(NOW + 1, consents=f"{CONSENT}\nann 2021-09-01 profiling true\nann 2021-09-01 profiling false")
    assert report.tables[0].landed == 2
    assert stands(tiny)["ann"] == ("NO_PROFILING", 0)


def test_a_refusal_dated_as_the_standing_grant_holds_even_alone_in_its_file(make_tiny):
    strict = make_tiny(max_bad_share=0.01)
    strict.land(**SHOP, consents=f"{CONSENT}\nann 2021-09-01 profiling true")
    strict.land(NOW + 1, consents=f"{CONSENT}\nann 2021-09-01 profiling false")
    assert stands(strict)["ann"] == ("NO_PROFILING", 0)


def test_a_refusal_holds_for_who_is_no_customer_yet(tiny):
    tiny.land(**SHOP)
    report = tiny.land(NOW + 1, consents=f"{CONSENT}\ncy 2021-09-01 profiling false").tables[0]
    assert [(f.kind, f.rule) for f in report.findings] == [("warning", "is no customer yet")]
    tiny.land(NOW + 2, customers="customer_id occurred_at\ncy 2020-01-01")
    assert stands(tiny)["cy"] == ("NO_PROFILING", 0)


def test_broken_rows_beside_a_refusal_do_not_turn_it_away(make_tiny):
    strict = make_tiny(max_bad_share=0.0)
    strict.land(**SHOP)
    broken = "\n".join(["bob soon profiling false"] * 30)
    strict.land(NOW + 1, consents=f"{CONSENT}\n{broken}\nann 2021-09-01 profiling false")
    assert stands(strict)["ann"] == ("NO_PROFILING", 0)
