"""What is told to whom, in whose transaction, and who sends it; in a file and on a server."""

import json

import pytest
from sqlalchemy import select

from callers import TESTER
from churnml.database import Ledger, Records, deliveries, endpoints, outbox
from churnml.database.arrivals import keep
from churnml.database.consents import Told, acknowledge
from churnml.database.deliveries import Attempt
from churnml.database.fresh import refresh
from churnml.database.instants import iso
from churnml.database.tables_push import message_customers, messages
from ledgers import A_CALL, CUTOFF, some

NOW = CUTOFF + 7
HOUR, DAY = 3_600_000_000, 86_400_000_000
URL = "https://crm.example.com/churn"
SCORED = iso(NOW)


@pytest.fixture
def engine(tiny):
    return tiny.catalogue.engine


@pytest.fixture
def listen(engine):
    """Return what makes an endpoint that asks for some events."""

    def make(*events):
        with engine.begin() as connection:
            return endpoints.create(connection, TESTER, URL, events, at=NOW).endpoint_id

    return make


def run(tiny, verb, bands, now=NOW, *, ok=True, **summary):
    """Finish a run whose records say these bands, by customer."""
    run_id = tiny.catalogue.start(verb, "inputs", now)
    bodies = [{"customer_id": who, "risk_band": band, "rung": "blend"} for who, band in bands.items()]
    Records(tiny.catalogue.engine).write(run_id, bodies)
    tiny.catalogue.finish(run_id, now, {"cutoff": "2018-01-01T00:00:00+00:00"} | summary, ok=ok)
    return run_id


def waiting(engine, endpoint_id, now=NOW + HOUR):
    """Return the bodies that an endpoint is to get, in the order in which it would."""
    found = []
    with engine.begin() as connection:
        (turn,) = deliveries.take_turns(connection, now, 1) or (None,)
        while turn and (due := deliveries.next_due(connection, turn, now)):
            found.append(json.loads(due[1].body))
            deliveries.settle(connection, endpoint_id, due[1], Attempt(204, None), now, worker=TESTER)
        if turn:
            deliveries.end_turn(connection, turn)
    return found


def count(engine, table=messages):
    with engine.connect() as connection:
        return len(connection.execute(select(table)).all())


def test_where_nobody_asks_for_it_nothing_is_written(tiny, engine, listen):
    listen("model.promoted")
    run(tiny, "score", {"ann": "low"})
    run(tiny, "score", {"ann": "high"}, NOW + 1)
    assert (count(engine), count(engine, message_customers)) == (0, 0)


def test_a_new_list_is_told_once_the_run_that_makes_it_is_done(tiny, engine, listen):
    mine = listen("list.ready")
    run_id = run(tiny, "score", {"ann": "low"}, customers=1)
    (told,) = waiting(engine, mine)
    assert (told["type"], told["timestamp"], told["data"]["run_id"]) == ("list.ready", iso(NOW), run_id)
    assert (told["data"]["verb"], told["data"]["customers"]) == ("score", 1)


def test_scores_that_displace_no_assignment_are_no_new_list(tiny, engine, listen):
    run(tiny, "assign", {"ann": "low"})
    mine = listen("list.ready")
    run(tiny, "score", {"ann": "low"}, NOW + 1)
    assert waiting(engine, mine) == []


def test_a_run_that_failed_tells_nothing(tiny, engine, listen):
    listen(*outbox.EVENTS)
    run(tiny, "score", {"ann": "low"}, ok=False)
    assert count(engine) == 0


def test_of_two_scores_the_bands_that_changed_are_told(tiny, engine, listen):
    mine = listen("band.changed")
    run(tiny, "score", {"ann": "low", "bob": "low", "eve": "high", "old": "high"})
    run(tiny, "score", {"ann": "high", "bob": "low", "eve": None, "new": "medium"}, NOW + 1)
    (told,) = waiting(engine, mine)
    assert told["data"]["customers"] == [
        {"customer_id": "ann", "band": "high", "before": "low"},
        {"customer_id": "eve", "band": None, "before": "high"},
        {"customer_id": "new", "band": "medium", "before": None},
    ]


def test_many_customers_are_told_five_hundred_a_message_each_once(tiny, engine, listen):
    mine = listen("band.changed")
    everyone = [f"c{number}" for number in range(1_201)]
    run(tiny, "score", dict.fromkeys(everyone, "low"))
    run(tiny, "score", dict.fromkeys(everyone, "high"), NOW + 1)
    told = [one["data"] for one in waiting(engine, mine)]
    assert [len(one["customers"]) for one in sorted(told, key=lambda one: one["part"])] == [500, 500, 201]
    assert {one["parts"] for one in told} == {3}
    assert sorted(two["customer_id"] for one in told for two in one["customers"]) == sorted(everyone)


def test_a_record_made_anew_tells_its_band(tiny, engine, listen):
    run_id = run(tiny, "score", {"ann": "low", "bob": "low"})
    mine = listen("band.changed")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE records SET body = replace(body, '{', '{\"cutoff\":\"2018-01-01\",')")
        new = [{"customer_id": who, "risk_band": band, "cutoff": "2018-01-02"} for who, band in BOTH.items()]
        refresh(connection, run_id, new, (), SCORED)
    (told,) = waiting(engine, mine)
    assert told["data"]["customers"] == [{"customer_id": "ann", "band": "high", "before": "low"}]


BOTH = {"ann": "high", "bob": "low"}


def assigned(tiny):
    """Assign a call to three customers, one of them a control, in a run that then ends."""
    ledger, run_id = Ledger(tiny.catalogue.engine), tiny.catalogue.start("assign", "", NOW)
    ledger.open("spring", 100_000_000, NOW)
    ledger.reserve("spring", run_id, CUTOFF, some(3, like=A_CALL, controls=(1,)), NOW)
    tiny.catalogue.finish(run_id, NOW, {"campaign": "spring"})


def test_what_is_to_be_done_is_told_and_of_controls_nothing(tiny, engine, listen):
    mine = listen("action.assigned")
    assigned(tiny)
    (told,) = waiting(engine, mine)
    assert told["data"]["campaign"] == "spring"
    assert [(one["customer_id"], one["action"], one["channel"]) for one in told["data"]["customers"]] == [
        ("c0", "call", "phone"),
        ("c2", "call", "phone"),
    ]


def test_an_action_by_a_channel_that_was_closed_before_it_was_sent_is_not_told(tiny, engine, listen):
    mine = listen("action.assigned")
    assigned(tiny)
    with engine.begin() as connection:
        acknowledge(connection, "b", [Told(0, "c0", "marketing", "phone", False, NOW)], NOW)
    (told,) = waiting(engine, mine)
    assert [one["customer_id"] for one in told["data"]["customers"]] == ["c2"]


def test_who_refuses_to_be_profiled_is_taken_out_of_what_was_not_sent(tiny, engine, listen):
    mine = listen("band.changed")
    run(tiny, "score", dict.fromkeys(BOTH, "medium"))
    run(tiny, "score", BOTH, NOW + 1)
    tiny.catalogue.land(1, NOW + 2, [], {}, [], {"ann": True})
    (told,) = waiting(engine, mine)
    assert [one["customer_id"] for one in told["data"]["customers"]] == ["bob"]


def test_who_refused_while_the_run_went_on_is_not_told_of(tiny, engine, listen):
    mine = listen("band.changed")
    run(tiny, "score", dict.fromkeys(BOTH, "medium"))
    with engine.begin() as connection:
        keep(connection, "b", "consents", [(0, "ann", {})], "crm", NOW)
        acknowledge(connection, "b", [Told(0, "ann", "profiling", "", False, NOW)], NOW)
    run(tiny, "score", BOTH | {"bob": "high"}, NOW + 1)
    (told,) = waiting(engine, mine)
    assert [one["customer_id"] for one in told["data"]["customers"]] == ["bob"]


def test_an_erasure_takes_a_customer_out_of_what_was_not_sent(tiny, engine, listen):
    mine = listen("band.changed")
    run(tiny, "score", dict.fromkeys(BOTH, "medium"))
    run(tiny, "score", BOTH, NOW + 1)
    tiny.catalogue.rewrite({}, {}, ["ann"])
    (told,) = waiting(engine, mine)
    assert [one["customer_id"] for one in told["data"]["customers"]] == ["bob"]


def test_a_message_of_nobody_is_not_sent(tiny, engine, listen):
    mine = listen("band.changed")
    run(tiny, "score", {"ann": "low"})
    run(tiny, "score", {"ann": "high"}, NOW + 1)
    with engine.begin() as connection:
        assert outbox.forget(connection, "ann") == 1
    assert waiting(engine, mine) == []
    with engine.connect() as connection:
        assert deliveries.of_endpoint(connection, mine, 9) == []


def test_a_champion_is_told_with_what_was_before(tiny, engine, listen):
    mine = listen("model.promoted")
    tiny.catalogue.move_alias("champion", "a" * 64, NOW)
    tiny.catalogue.move_alias("champion", "a" * 64, NOW)
    tiny.catalogue.move_alias("champion", "b" * 64, NOW + 1, "better")
    tiny.catalogue.move_alias("uplift", "c" * 64, NOW + 2)
    assert [one["data"] for one in waiting(engine, mine)] == [
        {"model_version": "a" * 64, "before": None, "back": False},
        {"model_version": "b" * 64, "before": "a" * 64, "back": False},
    ]


def test_what_is_undone_leaves_no_message(engine, listen):
    listen("model.promoted")
    with engine.connect() as connection, connection.begin() as transaction:
        outbox.post(connection, "model.promoted", {"model_version": "a"}, at=NOW)
        transaction.rollback()
    assert count(engine) == 0


def test_whom_an_erasure_was_about_is_forgotten_once_every_endpoint_knows(engine, listen):
    first, second = listen("customer.erased"), listen("customer.erased")
    with engine.begin() as connection:
        outbox.post(connection, "customer.erased", {"customer_id": "ann"}, at=NOW)
    assert waiting(engine, first)[0]["data"] == {"customer_id": "ann"}
    with engine.connect() as connection:
        assert connection.execute(select(messages.c.body)).scalar_one() is not None
    assert waiting(engine, second)[0]["data"] == {"customer_id": "ann"}
    with engine.connect() as connection:
        assert connection.execute(select(messages.c.body)).scalar_one() is None


def trying(engine, endpoint_id, count=1):
    with engine.begin() as connection:
        return [endpoints.try_out(connection, TESTER, endpoint_id, at=NOW) for _ in range(count)]


def test_an_endpoint_has_one_turn_at_a_time_until_its_lease_runs_out(engine, listen):
    trying(engine, listen("list.ready"))
    with engine.begin() as connection:
        (first,) = deliveries.take_turns(connection, NOW, 9)
        assert deliveries.take_turns(connection, NOW + deliveries.LEASE - 1, 9) == []
        (second,) = deliveries.take_turns(connection, NOW + deliveries.LEASE, 9)
        assert deliveries.next_due(connection, first, NOW + deliveries.LEASE) is None
        assert deliveries.next_due(connection, second, NOW + deliveries.LEASE) is not None


def test_the_lease_that_somebody_else_has_taken_since_we_looked_is_theirs(engine, listen):
    trying(engine, mine := listen("list.ready"))
    with engine.connect() as one, engine.connect() as other:
        turn = deliveries.Turn("mine", mine)
        with one.begin():
            assert deliveries._leased(one, turn, NOW)
        with other.begin():
            assert not deliveries._leased(other, deliveries.Turn("theirs", mine), NOW)


def test_whoever_ends_a_turn_late_does_not_end_that_of_another(engine, listen):
    trying(engine, listen("list.ready"))
    with engine.begin() as connection:
        (late,) = deliveries.take_turns(connection, NOW, 9)
        (other,) = deliveries.take_turns(connection, NOW + deliveries.LEASE, 9)
        deliveries.end_turn(connection, late)
        assert deliveries.next_due(connection, other, NOW + deliveries.LEASE) is not None


def fail(engine, endpoint_id, now, attempt):
    """Let what is due next end so."""
    with engine.begin() as connection:
        (turn,) = deliveries.take_turns(connection, now, 1)
        _, due = deliveries.next_due(connection, turn, now)
        deliveries.settle(connection, endpoint_id, due, attempt, now, worker=TESTER)
        deliveries.end_turn(connection, turn)
        return endpoints.known(connection, endpoint_id)


@pytest.mark.parametrize(
    "attempts, state, why",
    [
        ([(0, Attempt(410, "gone", NOW))], "disabled", "gone"),
        ([(0, Attempt(500, "status", NOW)), (5 * DAY, Attempt(500, "status", NOW))], "disabled", "failing"),
        ([(0, Attempt(500, "status", NOW)), (5 * DAY - 1, Attempt(500, "status", NOW))], "enabled", None),
        (
            [(0, Attempt(500, "status", NOW)), (1, Attempt(204, None)), (5 * DAY + 1, Attempt(500, "status", NOW))],
            "enabled",
            None,
        ),
    ],
)
def test_an_endpoint_is_disabled_when_it_is_gone_or_has_failed_for_five_days(engine, listen, attempts, state, why):
    trying(engine, mine := listen("list.ready"), 3)
    for later, attempt in attempts:
        standing = fail(engine, mine, NOW + later, attempt)
    assert (standing.state, standing.why) == (state, why)


def test_enabled_again_an_endpoint_gets_what_has_waited(engine, listen):
    trying(engine, mine := listen("list.ready"))
    fail(engine, mine, NOW, Attempt(410, "gone", NOW, NOW + HOUR))
    assert waiting(engine, mine) == []
    with engine.begin() as connection:
        endpoints.change(connection, TESTER, mine, state="enabled", at=NOW)
    assert len(waiting(engine, mine, NOW + 1)) == 1


def test_while_an_endpoint_rests_nothing_is_sent_to_it(engine, listen):
    trying(engine, mine := listen("list.ready"), 2)
    fail(engine, mine, NOW, Attempt(429, "status", NOW, NOW + 10))
    assert (waiting(engine, mine, NOW + 9), len(waiting(engine, mine, NOW + 10))) == ([], 2)


@pytest.mark.parametrize(
    "attempt, days, gone", [(Attempt(204, None), 7, 1), (Attempt(500, "status"), 7, 0), (Attempt(500, "status"), 30, 1)]
)
def test_what_was_delivered_goes_after_a_week_and_what_was_not_after_a_month(engine, listen, attempt, days, gone):
    trying(engine, mine := listen("list.ready"))
    fail(engine, mine, NOW, attempt)
    with engine.begin() as connection:
        assert deliveries.purge(connection, NOW + days * DAY + 1, 7, 30) == gone
    assert count(engine) == 1 - gone


def test_what_still_waits_stays_as_long_as_it_may_be_tried(engine, listen):
    trying(engine, mine := listen("list.ready"))
    fail(engine, mine, NOW, Attempt(500, "status", NOW + 2 * DAY))
    with engine.begin() as connection:
        assert deliveries.purge(connection, NOW + 31 * DAY, 7, 30) == 0
        assert deliveries.purge(connection, NOW + 33 * DAY, 7, 30) == 1


def test_what_a_removed_endpoint_was_to_get_goes_with_it(engine, listen):
    trying(engine, mine := listen("list.ready"))
    with engine.begin() as connection:
        endpoints.remove(connection, TESTER, mine, at=NOW)
        assert deliveries.purge(connection, NOW, 7, 30) == 1
