"""A simulated market stopped on one morning: what was known of each customer, and what would come under every action.

Customers are those in the population on that morning, with the features that the product computes of them. Their
futures are coupled: the same number is the same chance whatever is done (docs/simulation.md), so a redraw of an
experiment is a choice among outcomes that stand here, and the true effect of a redraw's world is their plain mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from churnml.events.clock import midnight
from churnml.events.simulation import ACTIONS, VARIANTS, Market, futures, saved_state
from churnml.events.simulation import equations as eq
from churnml.events.simulation.contacting import NOTHING, decide
from churnml.features import FeatureTable, build
from churnml.modeling.design import fit_design
from churnml.verbs.features import of_session
from churnml.verbs.session import Session
from churnml.verbs.simulate import FOLDER, simulate

Matrix = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
Said = Callable[[str], None]

DAYS: Final = 728
"""Length of the market: the last morning that is saved, 90 days before its end, is then a Monday of decisions."""

WINDOW, STAYS = 90, 60
"""Days in which margin counts, and in which an order means that a customer stayed."""

POPULATION_DAYS: Final = 90
ARMS: Final = ("nothing", *ACTIONS)
COSTS: Final = np.array([0.0, *eq.COST])
"""What carrying an arm out costs whatever the customer does; what a coupon takes off is in the margin."""

RESERVES: Final = np.array([0.0, 0.02, 5.0, 4.0, 6.0])
"""What each arm sets aside of a budget: `max_cost` of configs/actions.yaml."""

_SEEN = ("orders_90d", "spend_90d", "spend_365d", "recency_days", "tenure_days", "margin_365d")


@dataclass(frozen=True)
class Saved:
    """The morning and what may follow.

    Parameters
    ----------
    market : Market
    columns : tuple of str
    features : ndarray of shape (n_customers, n_columns)
        Of that morning, as the product computes them.
    known : ndarray of shape (n_customers, n_known)
        Some of them on the scale of logarithms, none missing, to adjust averages by.
    before : ndarray of shape (n_customers,)
        What they spent in the 90 days up to that morning.
    margin : ndarray of float32, shape (n_arms, n_futures, n_customers)
        Margin of 90 days under each arm, before `COSTS`.
    stayed : ndarray of bool, same shape
        Whether they ordered within 60 days.
    latent : ndarray of shape (n_customers, n_latent)
        What they are and feel, which no table records.
    ruled : ndarray of int, shape (n_customers,)
        The arm that a rule of thumb, swayed by a feeling for their mood, gives them that morning; -1 for who is not up.
    """

    market: Market
    columns: tuple[str, ...]
    features: Matrix
    known: Matrix
    before: Matrix
    margin: npt.NDArray[np.float32]
    stayed: npt.NDArray[np.bool_]
    latent: Matrix
    ruled: Codes

    def __len__(self) -> int:
        return len(self.features)

    @property
    def futures(self) -> int:
        """How many there are of each customer under each arm."""
        return int(self.margin.shape[1])

    @property
    def effects(self) -> Matrix:
        """The true change of margin by each arm, net of its cost: the mean over futures; (n_customers, n_arms)."""
        return np.asarray(_changes(self.margin) - COSTS)

    @property
    def stays(self) -> Matrix:
        """The true change of the chance to stay, likewise."""
        return _changes(self.stayed)

    def came(self, rows: Codes, arm: Codes, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
        """Return margin and staying of some customers under an arm each, every one in a future drawn anew."""
        number = rng.integers(self.futures, size=len(rows))
        return self.margin[arm, number, rows].astype(np.float64), self.stayed[arm, number, rows].astype(np.float64)


def _changes(outcome: npt.NDArray[np.float32] | npt.NDArray[np.bool_]) -> Matrix:
    mean = outcome.mean(axis=1, dtype=np.float64)
    return np.asarray((mean - mean[0]).T)


def saved_market(workspace: Path, customers: int, n_futures: int, seed: int, say: Said = lambda _words: None) -> Saved:
    """Return a market on its morning; the market and its futures are kept in the workspace and used again.

    Parameters
    ----------
    customers : int
        Of the whole market; about three in five are in the population on that morning.
    n_futures : int
        Of each of these under each arm.
    """
    session = Session.open(workspace, workspace / "configs", as_json=True, create=True)
    session.console.quiet = True
    market = Market(customers, DAYS, seed)
    say(f"living {DAYS} days of {customers:,} customers")
    simulate(session, market)
    day = market.saved_days[-1]
    say("computing features")
    table = build(session.store, of_session(session), [midnight(eq.day_of(day), "UTC")], POPULATION_DAYS)
    session.catalogue.engine.dispose()
    table = table.take(table.modelled)
    places = np.array([int(one.removeprefix("C")) for one in table.customer_ids], dtype=np.intp)
    file = workspace / f"futures-{n_futures}.npz"
    if not file.exists():
        margin, stayed = _lived(market, workspace, day, places, n_futures, say)
        np.savez(file, margin=margin, stayed=stayed)
    with np.load(file) as held:
        margin, stayed = held["margin"], held["stayed"]
    design = fit_design(table, rhythm=())
    features = design.matrix(table, np.empty((len(table), 0)))
    latent, ruled = _hidden(market, workspace, day, places)
    before = np.nan_to_num(table.column("spend_90d"))
    return Saved(market, design.columns, features, _known(table), before, margin, stayed, latent, ruled)


def _lived(
    market: Market, workspace: Path, day: int, places: Codes, n_futures: int, say: Said
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return margin and staying in every future of every arm."""
    traits = market.traits().take(places)
    state = saved_state(workspace / FOLDER / "truth", day).take(places)
    shape = (len(ARMS), n_futures, len(places))
    margin, stayed = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.bool_)
    for number in range(n_futures):
        say(f"living future {number + 1} of {n_futures}")
        for arm in range(len(ARMS)):
            done = np.full(len(places), arm - 1 if arm else NOTHING)
            came = futures(
                market.seed, traits, state, market.equations, day, done,
                horizons=(STAYS, WINDOW), redraws=1, first=number + 1, discount_rate=0.0,
            )  # fmt: skip
            margin[arm, number], stayed[arm, number] = came.margin[1] + COSTS[arm], came.silent[0] == 0
    return margin, stayed


def _hidden(market: Market, workspace: Path, day: int, places: Codes) -> tuple[Matrix, Codes]:
    """Return what no table records, and what the swayed rule does."""
    traits, state = market.traits().take(places), saved_state(workspace / FOLDER / "truth", day).take(places)
    told = (
        traits.averse, traits.minds_price, state.mood, state.content, state.mode, np.log(traits.rate), state.orders,
        day - traits.born, day - state.complaint_day, day - state.contact_day, state.leaving, state.ordering,
        state.left, traits.redeems, state.waking, day - state.order_day, np.log(traits.basket), traits.margin,
    )  # fmt: skip
    ruled = np.full(len(places), -1, dtype=np.intp)
    turns = traits.number % 4 == day // 7 % 4
    ruled[turns & ~traits.randomised] = 0
    decided = decide(traits, state, VARIANTS["confounded"], day)
    if decided is None:
        raise ValueError(f"day {day} of the market must be one on which it decides")
    done = decided.treated & ~traits.randomised[decided.place]
    ruled[decided.place[done]] = decided.action[done] + 1
    return np.column_stack([np.asarray(one, dtype=np.float64) for one in told]), ruled


def _known(table: FeatureTable) -> Matrix:
    held = np.column_stack([table.column(name) for name in _SEEN if name in table.names])
    return np.log1p(np.maximum(np.nan_to_num(held), 0.0))
