"""The pulse of landed rows: a change after the model was made is named, one before it is not asked of."""

from datetime import date, timedelta

import numpy as np
import pytest

from churnml.events.clock import days_later, midnight
from churnml.modeling.unrest import unrest
from small import Tiny

BEGINS, DAYS, MADE_ON = date(2020, 1, 1), 560, 490
MADE = midnight(BEGINS + timedelta(days=MADE_ON), "UTC")
HEADS = {
    "customers": "customer_id occurred_at",
    "orders": "customer_id occurred_at order_id amount",
    "interactions": "customer_id occurred_at kind session_id",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return fifty customers who buy and visit alike all the time, and ask for help thrice as often from a day on."""
    rng = np.random.default_rng(0)
    rows = {name: [head] for name, head in HEADS.items()}
    for who in range(50):
        rows["customers"].append(f"c{who} {BEGINS}")
        for day in np.flatnonzero(rng.random(DAYS) < 0.15):
            at = BEGINS + timedelta(days=int(day))
            rows["orders"].append(f"c{who} {at} o{who}-{day} 10")
            rows["interactions"].append(f"c{who} {at} visit v{who}-{day}")
            if rng.random() < (0.1 if day < MADE_ON else 0.3):
                rows["interactions"].append(f"c{who} {at} help v{who}-{day}")
    tiny = Tiny.make(tmp_path_factory.mktemp("pulse"))
    tiny.land(**{name: "\n".join(lines) for name, lines in rows.items()})
    yield tiny.store
    tiny.catalogue.engine.dispose()


def test_help_sought_thrice_as_often_since_the_model_was_made_is_named(store):
    (one,) = unrest(store, MADE, days_later(MADE, 63, "UTC")).jumped
    assert one.signal == "help"
    assert one.before == pytest.approx(0.1, rel=0.2)
    assert one.now == pytest.approx(0.3, rel=0.2)


def test_nothing_is_said_of_the_first_four_weeks(store):
    assert unrest(store, MADE, days_later(MADE, 27, "UTC")) is None


def test_with_more_than_a_year_behind_it_a_model_is_held_against_thirteen_months(store):
    assert unrest(store, MADE, days_later(MADE, 28, "UTC")).months == 13


def test_a_model_of_an_earlier_day_saw_no_change_and_raises_no_alarm(store):
    early = days_later(MADE, -140, "UTC")
    said = unrest(store, early, days_later(early, 112, "UTC"))
    assert not said.jumped
    assert said.sour is None


def test_a_quarter_and_six_months_must_lie_behind_the_model(store):
    early = midnight(BEGINS + timedelta(days=91 + 5 * 28), "UTC")
    assert unrest(store, early, days_later(early, 56, "UTC")) is None
    assert unrest(store, days_later(early, 29, "UTC"), days_later(early, 85, "UTC")) is not None
