"""In whatever order reserving, outcomes, refusals, erasure and expiry come, the ledger adds up and keeps the budget."""

import random
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from churnml.database import KINDS
from churnml.database.tables import assignments
from churnml.errors import UsageError
from ledgers import A_CALL, A_COUPON, CUTOFF, DAY, NOW, begun, outcome, sums_of

SEEDS = [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 100))]
CUSTOMERS = [f"c{number}" for number in range(30)]


class Company:
    """Does at random what a company may do, and remembers what it was told of costs that no reserve covered.

    One that is careful carries out what is reserved and nothing else, in time, for no more than that.
    """

    def __init__(self, tiny, seed, *, careful):
        self.careful = careful
        self.tiny, self.random, self.told, self.now = tiny, random.Random(seed), 0, NOW  # noqa: S311
        self.ledger, self.run = begun(tiny.catalogue.engine, 30_000_000)
        self.tiny.catalogue.finish(self.run, NOW, {})

    def reserves(self):
        wanted = [self._wanted(customer) for customer in self.random.sample(CUSTOMERS, 6)]
        run = self.tiny.catalogue.start("assign", "", self.now)
        self.ledger.reserve("spring", run, CUTOFF, wanted, self.now)
        self.tiny.catalogue.finish(run, self.now, {}, ok=self.random.random() < 0.8)

    def _wanted(self, customer):
        kind = replace(self.random.choice([A_CALL, A_COUPON]), customer_id=customer)
        most, expires = self.random.randrange(6_000_000), self.now + self.random.randrange(1, 9) * DAY
        return replace(kind, arm=self.random.choice(["treated", "control"]), max_cost=most, expires_at=expires)

    def posts(self):
        posted = self._due() if self.careful else [self._outcome(self.random.choice(CUSTOMERS)) for _ in range(8)]
        found = self.ledger.post(posted, self.now, check=self.random.random() < 0.2)
        self.told += sum(bool(one.flags) for one in found.posted)

    def _due(self):
        due = [one for one in self.ledger.assigned("spring") if one.reserved]
        some = self.random.sample(due, min(3, len(due)))
        return [outcome(one.customer_id, one.settles, self.random.randrange(one.reserved + 1)) for one in some]

    def _outcome(self, customer):
        kind = self.random.choice(KINDS)
        charged = self.random.choice([None, self.random.randrange(8_000_000)])
        at = self.now - self.random.randrange(2) * DAY
        if kind == "value":
            return outcome(customer, kind, amount=self.random.choice([None, 5, -5]), at=at)
        return outcome(customer, kind, None if kind == "not_delivered" else charged, at=at)

    def waits(self):
        self.now += self.random.randrange(4) * DAY
        self.ledger.expire(self.now)

    def moves_the_budget(self):
        try:
            self.ledger.open("spring", self.random.randrange(20_000_000, 60_000_000), self.now)
        except UsageError:
            assert self.ledger.campaign("spring").budget >= 20_000_000

    def is_refused(self):
        number = self.tiny.catalogue.next_batch_id()
        self.tiny.catalogue.land(number, self.now, [], {}, [], {self.random.choice(CUSTOMERS): True})

    def forgets(self):
        self.tiny.catalogue.rewrite({}, {}, [self.random.choice(CUSTOMERS)])

    def does_something(self):
        often = [self.reserves, self.posts, self.posts, self.waits]
        self.random.choice([*often, self.moves_the_budget, self.is_refused, self.forgets])()


def controls_hold(engine):
    held = select(func.coalesce(func.sum(assignments.c.reserved), 0)).where(assignments.c.arm == "control")
    with engine.connect() as connection:
        return connection.execute(held).scalar_one()


@pytest.mark.parametrize("careful", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_budget_is_kept_but_for_costs_that_were_told(tiny, seed, careful):
    company = Company(tiny, seed, careful=careful)
    for _ in range(40):
        company.does_something()
        spring = company.ledger.campaign("spring")
        reserved, cost = sums_of(tiny.catalogue.engine).get("spring", (0, 0))
        assert spring.reserved == reserved
        assert spring.spent >= cost
        assert spring.left >= 0 or company.told
        assert controls_hold(tiny.catalogue.engine) == 0
    assert company.told == 0 or not careful
