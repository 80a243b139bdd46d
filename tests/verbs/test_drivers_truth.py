"""In a market whose truth is known the cause heads the circumstances, and where there is none nothing is claimed.

Prints the figures of docs/drivers.md.
"""

import numpy as np
import pytest

from churnml.events.simulation import Market, equations
from churnml.verbs.measuring import measured
from churnml.verbs.session import Session
from churnml.verbs.simulate import simulate

pytestmark = pytest.mark.long

DISCONTENT = {"returns", "complaints", "service", "satisfaction"}
"""The groups in which late and defective goods show."""

BAD = {"LATE_SHARE": 0.15, "LATE_SHARE_DECEMBER": 0.15, "DEFECT_SHARE": 0.1}
MINDED = {**BAD, "LATE": -1.5, "DEFECT": -1.5}
NOT_MINDED = {**BAD, "LATE": 0.0, "DEFECT": 0.0, "GOOD_ORDER": 0.0, "UNRESOLVED": 0.0, "answer_shock": np.zeros_like}
"""As many bad orders, slow answers and unsolved tickets, which leave everybody's mood as it was."""


def told(folder, market, constants):
    """Return what is told of a market with other constants, by name of the measure."""
    with pytest.MonkeyPatch.context() as changed:
        for name, value in constants.items():
            changed.setattr(equations, name, value)
        simulate(Session.open(folder / "workspace", folder / "configs", create=True), market)
    body = measured(Session.open(folder / "workspace", folder / "configs"), "drivers")
    return {measure["name"]: measure["rows"] for measure in body["measures"]}


def claimed(rows):
    return [row for row in rows if row["direction"] != "unclear"]


def show(what, rows):
    for row in rows:
        figures = f"{row['effect']:.2f} [{row['low']:.2f}, {row['high']:.2f}], q {row['q_value']:.4f}"
        print(f"{what}: {row['group']}, {row['feature']}: {figures}, {row['direction']}")  # noqa: T201  # for the docs


@pytest.fixture(scope="module", params=[1, 2])
def market(request):
    # in which no action moves anybody: in others a call after a complaint keeps customers, so that complaints do
    return Market(customers=3_000, days=540, seed=request.param, variant="null")


def test_where_bad_orders_drive_customers_away_they_head_the_circumstances(market, tmp_path):
    rows = told(tmp_path, market, MINDED)["drivers"]
    show(f"minded, seed {market.seed}", rows)
    assert len(claimed(rows)) >= 2
    assert {row["group"] for row in claimed(rows)} <= DISCONTENT
    assert {row["group"] for row in rows[:2]} <= DISCONTENT


def test_where_nobody_minds_as_many_bad_orders_nothing_is_claimed_of_them(market, tmp_path):
    rows = told(tmp_path, market, NOT_MINDED)["drivers"]
    show(f"not minded, seed {market.seed}", rows)
    assert not {row["group"] for row in claimed(rows)} & DISCONTENT


def test_where_the_future_owes_nothing_to_the_past_hardly_a_table_claims_anything(tmp_path):
    tables = []
    for seed in range(10):
        market = Market(customers=600, days=330, seed=seed, variant="memoryless")
        measures = told(tmp_path / str(seed), market, {})
        tables += [measures[name] for name in ("drivers", "drivers_traits", "drivers_symptoms") if name in measures]
    claims = [claimed(rows) for rows in tables]
    print(f"memoryless: {sum(map(bool, claims))} of {len(tables)} tables claim anything")  # noqa: T201  # for the docs
    assert sum(map(bool, claims)) <= 4  # of 30 at a rate of 5 % (binomial, 97.5 %)
