"""How content a group says it is: of each customer the latest answer, on one scale whatever was asked."""

from datetime import date

import pandas as pd
import pytest

from churnml.events.books import open_books
from churnml.events.clock import midnight
from churnml.measures.latest_answers import latest_answers

SURVEYS = """
survey_id customer_id occurred_at instrument scale_min scale_max answered_at score
1 A 2021-03-01T08:00:00Z csat - - 2021-03-02T08:00:00Z 1
2 A 2021-03-10T08:00:00Z nps 0 10 2021-03-11T08:00:00Z 8
3 B 2021-03-05T08:00:00Z csat - - 2021-03-05T09:00:00Z 4
4 C 2021-03-05T08:00:00Z ces - - - -
5 C 2021-01-05T08:00:00Z ces 1 7 2021-01-06T08:00:00Z 7
6 D 2021-03-06T08:00:00Z review 1 5 2021-03-07T08:00:00Z 5
"""


@pytest.fixture
def answers(tiny):
    customers = "\n".join(["customer_id occurred_at", *(f"{one} 2021-01-01T08:00:00Z" for one in "ABCD")])
    orders = "order_id customer_id occurred_at amount\n1 A 2021-03-02T08:00:00Z 5"
    tiny.land(customers=customers, orders=orders, surveys=SURVEYS)
    groups = pd.DataFrame({"customer_id": list("ABCD"), "group_id": [0, 0, 0, 1]})
    march, april = (midnight(date(2021, month, 1), "UTC") for month in (3, 4))
    with open_books(tiny.store, april) as books:
        books.add("two_groups", groups)
        yield latest_answers(books, "two_groups", march, april)


def test_of_each_customer_the_latest_answer_counts_on_its_own_scale(answers):
    # A said 8 of 0 to 10 after a 1 of 1 to 5, B 4 of 1 to 5, C nothing in March, D 5 of 1 to 5
    assert answers["satisfaction"].tolist() == pytest.approx([(0.8 + 0.75) / 2, 1.0])
    assert answers["answers"].tolist() == [2, 1]
