"""What the truth of a market says of some customers, to whoever checks a model; nothing that learns may ask."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from churnml.errors import NotFoundError
from churnml.events.simulation.contacting import NOTHING
from churnml.events.simulation.market import VERSION, Market
from churnml.events.simulation.rollouts import Futures, futures
from churnml.events.simulation.truth import saved_state


def market_in(folder: Path) -> Market:
    """Return the market that a folder holds.

    Raises
    ------
    NotFoundError
        If it holds none whose truth this version can read.
    """
    file = folder / "market.json"
    if not file.is_file() or not (folder / "truth").is_dir():
        raise NotFoundError(
            f"the truth is known of a simulated market only, and there is none in {folder}; `churnml simulate` makes "
            "one, in a workspace of its own"
        )
    market = Market(**json.loads(file.read_text(encoding="utf-8")))
    if market.version != VERSION:
        raise NotFoundError(
            f"{folder} holds a market of equations {market.version}, this version lives {VERSION}; simulate it again"
        )
    return market


def usual_futures(
    folder: Path,
    day: int,
    customer_ids: Sequence[str],
    horizons: tuple[int, ...],
    redraws: int,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Futures:
    """Return the futures of some customers from a saved morning on, the company contacting them as it always does.

    Parameters
    ----------
    folder : Path
        Of the market.
    day : int
        Of `Market.saved_days`.
    customer_ids : sequence of str
        As the tables have them.
    horizons : tuple of int
        Days ahead at which to look, ascending; margins are not discounted.
    redraws : int
        Futures of each.

    Raises
    ------
    NotFoundError
        As `market_in`.
    UsageError
        If that morning was not saved.
    """
    market, state = market_in(folder), saved_state(folder / "truth", day)
    places = np.array([int(one.removeprefix("C")) for one in customer_ids], dtype=np.intp)
    return futures(
        market.seed,
        market.traits().take(places),
        state.take(places),
        market.equations,
        day,
        np.full(len(places), NOTHING),
        horizons=horizons,
        redraws=redraws,
        usual=True,
        discount_rate=0.0,
        progress=progress,
    )
