"""Watch simulated markets as `churnml monitor` would: how often it cries wolf, and how soon it sees a price rise.

Run as `python -m benchmarks.watching`. In a null market nothing changes, so every alarm is false; in a drift market
prices rise on day 500 and content falls for good. The pulse is asked every week from four weeks after a model was made;
with `--trained N` the first N markets get a model, a small one, and all that needs one is asked every fourth week.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scipy import stats

from churnml.config import TrainConfig
from churnml.events.clock import days_later, midnight, moment
from churnml.events.simulation import Market
from churnml.events.simulation.equations import PRICE_RISE_DAY, day_of
from churnml.modeling.cutoffs import cutoffs_before
from churnml.modeling.pulse import MONTH
from churnml.modeling.train import train
from churnml.modeling.unrest import Unrest, unrest
from churnml.modeling.watch import Taught, watch
from churnml.verbs.features import of_session
from churnml.verbs.session import Session
from churnml.verbs.simulate import simulate
from churnml.verbs.verdict import verdict_of

DAYS, MADE_ON, WEEK = 730, 425, 7
ZONE = "UTC"
FRESH = {"scores_old": False, "data_stale": False}
SMALL = TrainConfig(horizon_days=30, rounds=40, folds=1, max_cutoffs=8, bootstrap=50)
AFTER = (28, 56, 112, 168, 224)


@dataclass
class Seen:
    """What was said of one market, by day of the market.

    Parameters
    ----------
    market : Market
    pulse, whole : dict of int to list of str
        The reasons of alarm, by the pulse and by a model; a day on which nothing was said has none.
    moods : dict of int to float
        Deviations of discontent over the last 56 days.
    """

    market: Market
    pulse: dict[int, list[str]] = field(default_factory=dict)
    whole: dict[int, list[str]] = field(default_factory=dict)
    moods: dict[int, float] = field(default_factory=dict)


def main() -> None:
    """Watch as many markets as were asked for, and print what was said of each and of all."""
    options = _options()
    asked = [("null", options.customers, seed) for seed in range(options.null)]
    asked += [("drift", options.drift_customers, seed) for seed in range(options.drift)]
    found = []
    for variant, customers, seed in asked:
        seen = watched(Market(customers, DAYS, seed, variant), trained=seed < options.trained)
        print(_line(seen), flush=True)
        found.append(seen)
    for variant in ("null", "drift"):
        own = [one for one in found if one.market.variant == variant]
        if own:
            print("\n".join(_summary(own)), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watching", description=__doc__)
    parser.add_argument("--null", type=int, default=20, help="null markets")
    parser.add_argument("--customers", type=int, default=1_500, help="customers of each")
    parser.add_argument("--drift", type=int, default=3, help="drift markets")
    parser.add_argument("--drift-customers", type=int, default=20_000, help="customers of each")
    parser.add_argument("--trained", type=int, default=0, help="markets of each kind that get a model")
    return parser.parse_args()


def watched(market: Market, *, trained: bool) -> Seen:
    """Return what was said of one market, from four weeks after the model was made to its end."""
    seen = Seen(market)
    with tempfile.TemporaryDirectory(prefix="churnml-market-") as folder:
        session = Session.open(Path(folder) / "workspace", Path(folder) / "configs", as_json=True, create=True)
        session.console.quiet = True
        simulate(session, market)
        for day in range(MADE_ON + MONTH, DAYS + 1, WEEK):
            told = unrest(session.store, _at(MADE_ON), _at(day))
            if told is not None:
                _note(seen, day, told)
        if trained:
            seen.whole = dict(_by_model(session))
        session.catalogue.engine.dispose()
    return seen


def _note(seen: Seen, day: int, told: Unrest) -> None:
    seen.pulse[day] = [one.signal for one in told.jumped] + (["discontent"] if told.sour else [])
    for mood in told.moods:
        if mood.days == 2 * MONTH:
            seen.moods[day] = mood.deviations


def _by_model(session: Session) -> Iterator[tuple[int, list[str]]]:
    """Yield the day and the reasons of each verdict on a model of the day it was made for."""
    made, features = _at(MADE_ON), of_session(session)
    cutoffs = cutoffs_before(session.store, made, SMALL)
    model = train(session.store, features, cutoffs, made, SMALL, session.settings.margin_rate).model
    champion = Taught(model, made, tuple(cutoffs), None)
    for day in range(MADE_ON + MONTH, DAYS + 1, MONTH):
        seen = watch(
            session.store,
            features,
            champion,
            _at(day),
            step_days=SMALL.step_days,
            return_window_days=SMALL.return_window_days,
        )
        yield day, verdict_of(seen, FRESH, lambda instant: moment(instant, ZONE).date().isoformat())[1]


def _at(day: int) -> int:
    return days_later(midnight(day_of(0), ZONE), day, ZONE)


def alarms(said: dict[int, list[str]]) -> list[int]:
    """Return the days on which an alarm began: one that goes on at the next look is the same alarm."""
    days = sorted(said)
    return [
        day for before, day in zip([None, *days], days, strict=False) if said[day] and not (before and said[before])
    ]


def rate(count: int, years: float) -> tuple[float, float, float]:
    """Return alarms a year with the exact 95 % interval of a Poisson count.

    References
    ----------
    Garwood (1936), Fiducial Limits for the Poisson Distribution, Biometrika 28(3/4).
    """
    low = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return count / years, float(low) / years, float(stats.chi2.ppf(0.975, 2 * count + 2)) / 2 / years


def _line(seen: Seen) -> str:
    said = [f"day {day}: {', '.join(seen.pulse[day])}" for day in alarms(seen.pulse)]
    whole = [f"day {day}: {'; '.join(seen.whole[day])}" for day in alarms(seen.whole)]
    told = f"{seen.market.variant} {seen.market.customers:,} customers, seed {seen.market.seed}: pulse {said or 'calm'}"
    return told + (f", with a model {whole or 'calm'}" if seen.whole else "")


def _summary(found: list[Seen]) -> list[str]:
    variant, customers = found[0].market.variant, found[0].market.customers
    lines = [f"\n{len(found)} {variant} markets of {customers:,} customers (simulated)"]
    if variant == "null":
        lines += [_rate_told("pulse, asked weekly", [one.pulse for one in found], WEEK)]
        whole = [one.whole for one in found if one.whole]
        lines += [_rate_told("all of monitor, asked every four weeks", whole, MONTH)] if whole else []
        return [*lines, _moods_told(found)]
    for one in found:
        late = [day - PRICE_RISE_DAY for day in alarms(one.pulse) if day > PRICE_RISE_DAY]
        when = f"{late[0]} days after the rise" if late else f"not within {DAYS - PRICE_RISE_DAY} days"
        lines.append(f"seed {one.market.seed}: noticed {when}")
    return [*lines, _moods_told(found)]


def _rate_told(what: str, said: list[dict[int, list[str]]], step: int) -> str:
    years = sum(len(one) for one in said) * step / 365
    count = sum(len(alarms(one)) for one in said)
    each, low, high = rate(count, years)
    alarms_told = f"{count} alarm" if count == 1 else f"{count} alarms"
    return f"{what}: {alarms_told} in {years:.1f} years, {each:.2f} a year [{low:.2f}, {high:.2f}]"


def _moods_told(found: list[Seen]) -> str:
    """Return the mean discontent over 56 days, so long after the day on which prices rise in a drift market."""
    looks = {days: PRICE_RISE_DAY + days - (PRICE_RISE_DAY + days - MADE_ON) % WEEK for days in AFTER}
    means = []
    for days, day in looks.items():
        told = [one.moods[day] for one in found if day in one.moods]
        if told:
            means.append(f"{sum(told) / len(told):+.1f} {days} days after day {PRICE_RISE_DAY}")
    return f"mean deviations of discontent over {2 * MONTH} days: {', '.join(means)}"


if __name__ == "__main__":
    main()
