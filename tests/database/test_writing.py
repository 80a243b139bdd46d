"""Requests, cases and told consents are kept alike in a file and on a server."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from churnml.database import Ledger, Records, open_engine
from churnml.database.cases import Wanted, add_note, cases_of, change_case, forget, history, notes, page_of_cases
from churnml.database.consents import Told, acknowledge
from churnml.database.requests import Answer, Request, begin, finish, purge
from churnml.errors import NotFoundError, TakenError
from ledgers import A_CALL, CUTOFF, NOW, balances, begun, some


@pytest.fixture
def engine(tiny):
    """Return the engine of a database that knows the customers c0, c1 and c2, each assigned a call."""
    ledger, run = begun(tiny.catalogue.engine)
    ledger.reserve("spring", run, CUTOFF, some(3, like=A_CALL), NOW)
    Records(tiny.catalogue.engine).write(run, [{"customer_id": "c0", "rung": "blend", "action": "call"}])
    return tiny.catalogue.engine


def claim(engine, who, customer="c0"):
    """Return who has got a case that `who` claims if nobody holds it."""
    try:
        with engine.begin() as connection:
            change_case(connection, customer, Wanted({"owner": who}, None, compares_owner=True), who, NOW)
    except TakenError:
        return None
    return who


def test_of_many_who_claim_a_new_case_at_once_one_gets_it(engine, tiny):
    engines = [open_engine(tiny.workspace.database) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(claim, engines, [f"p{number}" for number in range(8)]))
    for one in engines:
        one.dispose()
    (winner,) = [one for one in won if one]
    with engine.connect() as connection:
        assert cases_of(connection, ["c0"])["c0"].owner == winner
        assert [one.changed_by for one in history(connection, "c0")] == [winner]


def test_of_many_who_ask_the_same_at_once_one_does_it(engine, tiny):
    engines = [open_engine(tiny.workspace.database) for _ in range(6)]

    def ask(own):
        with own.begin() as connection:
            before = begin(connection, Request("key:crm", "k", "d"), NOW)
            if before is None:
                add_note(connection, "c0", "done", "crm", NOW)
                finish(connection, Request("key:crm", "k", "d"), Answer(200, "{}"))
            return before

    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(ask, engines))
    for one in engines:
        one.dispose()
    assert told.count(None) == 1
    assert told.count(Answer(200, "{}")) == 5
    with engine.begin() as connection:
        assert len(notes(connection, "c0", 10)) == 1
        assert purge(connection, NOW + 1) == 1


def test_the_list_of_cases_goes_by_the_day_they_are_due(engine):
    days = {"c0": None, "c1": date(2018, 2, 2), "c2": date(2018, 2, 1)}
    with engine.begin() as connection:
        for customer, day in days.items():
            change_case(connection, customer, Wanted({"owner": "li", "follow_up_on": day}), "li", NOW)
        first, after = page_of_cases(connection, 2, owners=["li"])
        rest, end = page_of_cases(connection, 2, after, owners=["li"])
        assert ([one.customer_id for one in (*first, *rest)], end) == (["c2", "c1", "c0"], None)
        assert [one.customer_id for one in page_of_cases(connection, 9, due_before=date(2018, 2, 2))[0]] == ["c2"]
        assert forget(connection, "c1") == 2


def test_a_customer_nobody_knows_has_neither_case_nor_note(engine):
    for deed in (
        lambda connection: change_case(connection, "no", Wanted({"owner": "li"}), "li", NOW),
        lambda connection: add_note(connection, "no", "x", "li", NOW),
    ):
        with pytest.raises(NotFoundError), engine.begin() as connection:
            deed(connection)


def test_what_is_taken_back_frees_what_was_reserved_for_it(engine):
    with engine.begin() as connection:
        acknowledge(connection, "b", [Told(0, "c0", "marketing", "phone", granted=False, said_at=NOW)], NOW)
        acknowledge(connection, "d", [Told(0, "c1", "marketing", "email", granted=False, said_at=NOW)], NOW)
    assert balances(engine)
    assert [one.state for one in Ledger(engine).assigned("spring")] == ["not_delivered", "open", "open"]
