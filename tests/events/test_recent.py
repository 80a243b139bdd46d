"""What passed lately: complaints that are not settled and contacts carried out, as the cutoff knew them."""

import numpy as np
import pytest

from churnml.events import recent
from churnml.events.clock import DAY
from small import NOW

SHOP = {
    "customers": "customer_id occurred_at\nann 2020-01-01\nbob 2020-01-01\ncy 2020-01-01",
    "orders": "customer_id occurred_at order_id amount\nann 2021-08-01 o1 10",
}
WHO = ["bob", "ann", "cy"]
TICKETS = "customer_id occurred_at ticket_id kind resolved_at reopened_at"
CONTACTS = "customer_id occurred_at contact_id action arm"
CUTOFF = NOW - NOW % DAY  # the midnight before NOW, 2021-09-18


def passed(tiny, cutoff=CUTOFF, **tables):
    tiny.land(**SHOP, **tables)
    return recent(tiny.store, cutoff, WHO, ("do_nothing", "mail"), 60)


@pytest.mark.parametrize(
    "row, waits",
    [
        ("ann 2021-09-10 t1 complaint - -", True),
        ("ann 2021-09-10 t1 Problem - -", True),
        ("ann 2021-09-10 t1 complaint 2021-09-12 -", False),
        ("ann 2021-09-10 t1 complaint 2021-09-12 2021-09-13", True),
        ("ann 2021-09-10 t1 question - -", False),
        ("ann 2021-06-10 t1 complaint - -", False),
    ],
    ids=["open", "another word for it", "settled", "opened again", "a question", "of long ago"],
)
def test_a_complaint_is_open_until_it_is_settled(tiny, row, waits):
    assert passed(tiny, tickets=f"{TICKETS}\n{row}").open_complaint.tolist() == [False, waits, False]


def test_a_complaint_settled_after_the_cutoff_was_open_at_it(tiny):
    tickets = f"{TICKETS}\nann 2021-09-10 t1 complaint 2021-09-12 -"
    assert passed(tiny, CUTOFF - 6 * DAY, tickets=tickets).open_complaint.tolist() == [False, True, False]


def test_one_settled_complaint_does_not_settle_another(tiny):
    rows = "ann 2021-09-10 t1 complaint 2021-09-12 -\nann 2021-09-11 t2 complaint - -"
    assert passed(tiny, tickets=f"{TICKETS}\n{rows}").open_complaint.tolist() == [False, True, False]


def test_contacts_of_the_last_seven_days_are_counted_but_for_those_withheld(tiny):
    rows = ["ann 2021-09-17 c1 mail treated", "ann 2021-09-11 c2 call -", "ann 2021-09-10 c3 mail treated",
            "bob 2021-09-17 c4 mail control"]  # fmt: skip
    assert passed(tiny, contacts="\n".join([CONTACTS, *rows])).contacts.tolist() == [0, 2, 0]


def test_days_since_an_action_are_those_since_it_was_last_carried_out(tiny):
    rows = ["ann 2021-09-17 c1 Mail treated", "ann 2021-09-01 c2 mail -", "bob 2021-09-10 c3 mail control",
            "cy 2021-09-08 c4 call -"]  # fmt: skip
    found = passed(tiny, contacts="\n".join([CONTACTS, *rows]))
    assert found.days_since.tolist() == [[np.inf, np.inf], [np.inf, 1], [np.inf, np.inf]]


def test_where_nothing_of_the_kind_has_landed_nothing_has_passed(tiny):
    found = passed(tiny)
    assert not found.open_complaint.any()
    assert not found.contacts.any()
    assert np.isinf(found.days_since).all()
