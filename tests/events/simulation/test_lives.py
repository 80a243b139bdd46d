"""Lives follow their equations: rates, season, moods, silence, departure, surveys, contracts."""

import numpy as np
import pytest

from churnml.events.simulation import Market, live
from churnml.events.simulation import equations as eq
from churnml.events.simulation.customers import draw_traits
from churnml.events.simulation.lives import ACTIVE, DORMANT, GONE, UNBORN, first_state, order_rate, step

PLAIN = eq.VARIANTS["plain"]


def within_noise(found, expected, deviations=4.5):
    """Tell whether a count of independent events lies within so many standard deviations of what was expected."""
    return abs(found - expected) <= deviations * np.sqrt(expected)


@pytest.fixture(scope="module")
def watched():
    """What 4,000 customers whom nobody contacts did in 200 days, beside what their equations said each morning."""
    traits = draw_traits(5, 4_000, 400, PLAIN)
    state = first_state(traits, PLAIN)
    kept = {name: [] for name in ("rate", "ordered", "before", "after", "mood", "sleeps", "wakes", "leaves", "tickets")}
    for day in range(200):
        before, mood = state.mode.copy(), state.mood.copy()
        born = (before == UNBORN) & (traits.born <= day)
        before[born] = ACTIVE
        tenure = (day - traits.born).astype(float)
        kept["leaves"].append(eq.dies(mood, tenure, state.orders.astype(float), state.leaving))
        kept["wakes"].append(eq.wakes(mood, state.waking))
        kept["sleeps"].append(eq.goes_dormant(mood))
        kept["rate"].append(order_rate(traits, state, PLAIN, day))
        happened = step(traits, state, PLAIN, day)
        ordered = np.bincount(happened.orders.place, minlength=len(traits))
        bad = happened.orders.place[happened.orders.late | happened.orders.defect]
        kept["tickets"].append((happened.tickets, np.isin(happened.tickets.place, bad), len(bad)))
        kept["ordered"].append(ordered)
        kept["before"].append(before)
        kept["after"].append(state.mode.copy())
        kept["mood"].append(mood)
    return {name: values if name == "tickets" else np.array(values) for name, values in kept.items()} | {
        "traits": traits
    }


@pytest.mark.parametrize("regular", [1, 2, 4])
def test_active_customers_order_at_the_rate_of_their_equation(watched, regular):
    mine = watched["traits"].regular == regular
    expected = (watched["rate"] * (watched["after"] == ACTIVE))[:, mine].sum()
    assert within_noise(watched["ordered"][:, mine].sum(), expected)


def test_nobody_orders_but_the_active(watched):
    assert not watched["ordered"][watched["after"] != ACTIVE].any()


def test_regular_customers_leave_more_even_gaps():
    steady = draw_traits(5, 6_000, 400, eq.VARIANTS["memoryless"])
    spread = {}
    for shape in (1, 4):
        object.__setattr__(steady, "regular", np.full(6_000, shape))
        state = first_state(steady, eq.VARIANTS["memoryless"])
        days = [[] for _ in range(6_000)]
        for day in range(500):
            for place in step(steady, state, eq.VARIANTS["memoryless"], day, seen=False).orders.place:
                days[place].append(day)
        gaps = np.concatenate([np.diff(mine) for mine in days])
        spread[shape] = gaps.std() / gaps.mean()
    assert spread[1] > 1.5 * spread[4]


@pytest.mark.parametrize(
    "hazard, start, end", [("sleeps", ACTIVE, DORMANT), ("wakes", DORMANT, ACTIVE)], ids=["asleep", "awake"]
)
def test_customers_fall_silent_and_wake_at_the_chance_of_their_equation(watched, hazard, start, end):
    stays = 1 - watched["leaves"]
    at_risk = watched["before"] == start
    assert within_noise(((watched["after"] == end) & at_risk).sum(), (watched[hazard] * stays * at_risk).sum())


def test_customers_leave_at_the_chance_of_their_equation_and_never_come_back(watched):
    at_risk = np.isin(watched["before"], [ACTIVE, DORMANT])
    left = (watched["after"] == GONE) & at_risk
    assert within_noise(left.sum(), (watched["leaves"] * at_risk).sum())
    assert (watched["after"][1:] == GONE)[watched["after"][:-1] == GONE].all()


def test_the_unhappy_leave_more_and_order_less(watched):
    active = watched["before"] == ACTIVE
    low, high = np.quantile(watched["mood"][active], [0.2, 0.8])
    for_low, for_high = active & (watched["mood"] < low), active & (watched["mood"] > high)
    left = watched["after"] == GONE
    assert left[for_low].mean() > 1.5 * left[for_high].mean()


def test_half_of_a_mood_is_gone_in_46_days():
    """Two markets alike but for a disappointment on the first day; what is left of it is their difference."""
    traits = draw_traits(5, 3_000, 400, PLAIN)
    calm, hurt = first_state(traits, PLAIN), first_state(traits, PLAIN)
    hurt.mood -= 0.1
    for day in range(46):
        for state in (calm, hurt):
            step(traits, state, PLAIN, day, seen=False)
    assert np.median(calm.mood - hurt.mood) == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize("begin, end", [(323, 330), (358, 372)], ids=["Black Friday", "the quiet weeks"])
def test_seasons_show_in_the_orders(lived, begin, end):
    """Beside the weeks around them, by as much as the equation says."""
    one = lived()
    rate = one.ordered.sum(axis=1) / (one.mode == ACTIVE).sum(axis=1)
    around = [*range(begin - 14, begin - 7), *range(end + 7, end + 14)]
    waves = np.exp([eq.season(day) for day in range(one.market.days)])
    expected = waves[begin:end].mean() / waves[around].mean()
    assert rate[begin:end].mean() / rate[around].mean() == pytest.approx(expected, rel=0.08)
    assert abs(np.log(expected)) > 0.2


def test_a_year_has_one_black_friday_and_days_are_counted_from_the_first():
    assert [eq.day_of(0).isoformat(), eq.day_of(365).isoformat()] == ["2023-01-01", "2024-01-01"]
    sale = [day for day in range(365) if eq.season(day) - eq.season(day - 7) > 0.4]
    assert eq.day_of(sale[0]).isoformat() == "2023-11-20"


def test_the_delighted_and_the_angry_answer_surveys_and_the_score_follows_the_mood(lived):
    one = lived()
    asked = [(h.day, h.surveys) for h in one.happened]
    mood = np.concatenate([one.mood[day - 1][s.place] for day, s in asked if day])
    answered = np.concatenate([s.answered for day, s in asked if day])
    score = np.concatenate([s.score for day, s in asked if day])
    assert abs(mood[answered]).mean() > abs(mood[~answered]).mean() + 0.03
    assert np.corrcoef(mood[answered], score[answered])[0, 1] > 0.5
    expected = eq.answers(mood, np.zeros(len(mood), bool))
    assert answered.mean() == pytest.approx(expected.mean(), abs=0.02)
    assert set(np.unique(score)) <= set(range(11))


def test_bad_orders_bring_complaints_and_answers_that_take_long_hurt(watched):
    complaints = sum(tickets.complaint.sum() for tickets, _, _ in watched["tickets"])
    bad = sum(count for _, _, count in watched["tickets"])
    assert within_noise(complaints, eq.TICKETS_PER_BAD_ORDER * bad)
    assert all((tickets.complaint == due).all() for tickets, due, _ in watched["tickets"])
    assert eq.answer_shock(np.array([1.0]))[0] > 0 > eq.answer_shock(np.array([72.0]))[0]


def test_of_a_contract_leaving_is_seen_at_the_renewal_only(lived):
    one = lived("contractual", days=300)
    ended = [(h.day, place) for h in one.happened for place in h.contract_ended]
    assert ended
    assert all((day - one.traits.born[place]) % eq.PERIOD_DAYS == 0 for day, place in ended)
    failed = sum(len(h.payment_failed) for h in one.happened)
    paid = sum(len(h.paid) for h in one.happened)
    assert within_noise(failed, eq.PAYMENT_FAILS * (paid + failed))
    assert not one.ordered.any()


def test_where_prices_rise_those_who_mind_are_less_content(lived):
    calm, risen = lived(), lived("drift")
    assert (calm.mood[: eq.PRICE_RISE_DAY] == risen.mood[: eq.PRICE_RISE_DAY]).all()
    assert (calm.ordered[: eq.PRICE_RISE_DAY] == risen.ordered[: eq.PRICE_RISE_DAY]).all()
    alive = (risen.mode[-1] == ACTIVE) & (calm.mode[-1] == ACTIVE)
    lost = (calm.mood[-1] - risen.mood[-1])[alive]
    minds = risen.traits.minds_price[alive] > 0.5
    assert lost[minds].mean() > lost[~minds].mean() + 0.05 > 0.05


def test_of_memoryless_customers_the_past_tells_nothing(lived):
    one = lived("memoryless", days=300)
    before, after = (one.ordered[begin : begin + 60].sum(axis=0) for begin in (100, 160))
    noise = 1 / np.sqrt(one.market.customers)
    assert abs(np.corrcoef(before, after)[0, 1]) < 4 * noise
    assert abs(np.corrcoef(one.traits.born, after)[0, 1]) < 4 * noise
    assert set(np.unique(one.mode)) == {ACTIVE}


def test_of_memoryless_customers_no_visit_announces_an_order(lived):
    one = lived("memoryless", days=300)
    visits = np.array([happened.sessions for happened in one.happened])
    ordering = sum(one.ordered[day : 295 + day] for day in range(1, 6)) > 0
    assert abs(np.corrcoef(visits[:295].ravel(), ordering.ravel())[0, 1]) < 4 / np.sqrt(ordering.size)


def test_a_customer_is_the_same_in_a_market_of_any_size():
    few, many = (list(live(Market(size, 40, 7), Market(size, 40, 7).traits())) for size in (50, 400))
    for one, other in zip(few, many, strict=True):
        mine = other.happened.orders.place < 50
        assert one.happened.orders.place.tolist() == other.happened.orders.place[mine].tolist()
        assert one.happened.orders.amount.tolist() == other.happened.orders.amount[mine].tolist()
        assert one.happened.sessions.tolist() == other.happened.sessions[:50].tolist()
