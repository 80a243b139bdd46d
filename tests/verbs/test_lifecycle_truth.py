"""Stages of simulated customers against what the market knows: gone, dormant or active; for docs/lifecycle.md."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from churnml.config import LifecycleRules
from churnml.events.clock import DAY
from churnml.events.simulation import Market
from churnml.measures.lifecycle_history import stages_at
from churnml.verbs.session import Session
from churnml.verbs.simulate import simulate

pytestmark = pytest.mark.long

DAYS, MONTHS = 730, range(430, 731, 30)
LATE = ("declining", "churned")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Return for each customer and month end after the first 400 days: the stage, the truth, and days since leaving."""
    root = tmp_path_factory.mktemp("market")
    session = Session.open(root / "workspace", root / "configs", create=True)
    simulate(session, Market(customers=4_000, days=DAYS, seed=1, variant="plain"))
    session = Session.open(root / "workspace", root / "configs")
    first = session.store.span[1] // DAY + 1 - DAYS
    history = stages_at(session.store, [(first + day) * DAY for day in MONTHS], 90, LifecycleRules())
    truth = session.workspace.root / "market" / "truth"
    left = pq.read_table(truth / "customers.parquet").to_pandas().set_index("number")["left_day"]
    moods = pq.read_table(truth / "moods.parquet").to_pandas()
    who = [int(one.removeprefix("C")) for one in history.customer_ids]
    found = []
    for turn, day in enumerate(MONTHS):
        mode = moods[moods["day"] == moods["day"][moods["day"] < day].max()].set_index("number")["mode"].reindex(who)
        since = day - left.reindex(who).to_numpy(dtype=np.float64)
        found.append((history.at(turn), mode.to_numpy(dtype=object), since))
    session.catalogue.engine.dispose()
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))


def share(among, stages, *wanted):
    return float(np.isin(stages[among].astype(str), wanted).mean())


def test_most_who_are_gone_for_a_quarter_count_as_churned_and_few_of_the_active_do(told):
    stages, mode, since = told
    customers = (stages != None) & (stages != "prospect")  # noqa: E711  # element by element
    active, dormant = customers & (mode == "active"), customers & (mode == "dormant")
    gone = {days: customers & (since >= days) & (since < days + 30) for days in (0, 30, 60, 90, 180)}
    for name, among in (
        ("active", active),
        ("dormant", dormant),
        *((f"gone {d}–{d + 29} days", g) for d, g in gone.items()),
    ):
        print(  # noqa: T201  # for the docs
            f"{name}: {among.sum():,} customer-months, churned {share(among, stages, 'churned'):.3f}, "
            f"declining {share(among, stages, 'declining'):.3f}"
        )
    month = customers & (since >= 30)
    print(f"gone for 30 days or more: {month.sum():,}, churned or declining {share(month, stages, *LATE):.3f}")  # noqa: T201
    assert share(month, stages, *LATE) > 0.8
    assert share(gone[90], stages, "churned") > 0.6
    assert share(active, stages, "churned") < 0.1
