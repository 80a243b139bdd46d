"""Rows that no customer ever was, to see that a model says nothing impossible of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from churnml.features import FeatureTable
from churnml.modeling.conversion import ConversionModel
from churnml.modeling.design import Design
from churnml.modeling.lasting import BEST
from churnml.modeling.model import Model
from churnml.modeling.prospects import AGE

Matrix = npt.NDArray[np.float64]

_AT_ONCE = 10_000
_NEEDED = ("orders_all", "tenure_days", "recency_days", "spend_90d", "spend_all")
_CONTRACT = (
    "contract_days", "paid_contract_days", "days_to_renewal", "days_to_last_renewal", "renewal_every_days",
    "contract_fee_30d",
)  # fmt: skip
_LONGEST_DAYS, _MOST_ORDERS = 5_000.0, 2_000
_MISSING, _ZERO, _LARGEST_EXPONENT = 0.2, 0.2, 9.0
_UNHEARD_OF = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Bounds:
    """What a model said of random rows.

    Parameters
    ----------
    rows : int
        How many there were.
    broken : tuple of str
        The rules that an answer broke, with the first answer that did; empty for a sound model.
    """

    rows: int
    broken: tuple[str, ...]


def bounds(
    model: Model, rows: int, seed: int = 0, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Bounds:
    """Ask a model of random rows and return which rules its answers break.

    A probability lies between 0 and 1, money expected is no less than 0, and every answer is a number: whatever the
    row, for one day a customer comes whom no training set resembles.

    Parameters
    ----------
    rows : int
        How many, drawn ten thousand at a time, so that memory stays flat.
    progress : callable
        Told how many rows of how many are done.
    """
    broken: dict[str, str] = {}
    for first in range(0, rows, _AT_ONCE):
        table = random_rows(model, min(_AT_ONCE, rows - first), np.random.default_rng([seed, first]))
        with np.errstate(invalid="ignore"):  # a learner that gives no number is found out here, not warned of
            _note(broken, _rules(model, table))
        progress(min(first + _AT_ONCE, rows), rows)
    if model.conversion is not None:
        broken |= {rule: rule for rule in conversion_bounds(model.conversion, rows, seed)}
    return Bounds(rows, tuple(broken.values()))


def conversion_bounds(model: ConversionModel, rows: int, seed: int = 0) -> tuple[str, ...]:
    """Ask a model of conversion of random rows and return which rules its answers break."""
    broken: dict[str, str] = {}
    for first in range(0, rows, _AT_ONCE):
        rng = np.random.default_rng([seed, first])
        _note(broken, _conversion_rules(model, _rows(model.design, min(_AT_ONCE, rows - first), rng)))
    return tuple(broken.values())


def _note(broken: dict[str, str], rules: Iterator[tuple[str, npt.NDArray[np.bool_], Matrix]]) -> None:
    for rule, wrong, answers in rules:
        if wrong.any() and rule not in broken:
            broken[rule] = f"{rule}, found {answers[np.argmax(wrong)]:g}"


def random_rows(model: Model, rows: int, rng: np.random.Generator) -> FeatureTable:
    """Return rows of customers who have ordered, whose features are missing, zero, or up to 1e9 either way.

    Only tenure, recency and number of orders agree with each other, for no table could hold them otherwise.
    """
    contentment = model.contentment
    if contentment is None:
        return replace(_rows(model.design, rows, rng), by=model.by)
    asked, categories = contentment.needs, {**contentment.design.categories, **model.design.categories}
    return replace(_rows(Design((*model.design.numeric, *asked), categories), rows, rng), by=model.by)


def _rows(design: Design, rows: int, rng: np.random.Generator) -> FeatureTable:
    names = tuple(dict.fromkeys((*design.numeric, *_NEEDED, *_CONTRACT, AGE)))
    size = rows, len(names)
    values = rng.choice([-1.0, 1.0], size) * 10.0 ** rng.uniform(-3.0, _LARGEST_EXPONENT, size)
    kind = rng.random(size)
    values[kind < _ZERO] = 0.0
    values[kind > 1.0 - _MISSING] = np.nan
    tenure = rng.uniform(0.01, _LONGEST_DAYS, rows)
    orders = rng.integers(1, _MOST_ORDERS, rows, endpoint=True) ** rng.integers(0, 2, rows)
    recency = np.where(orders > 1, tenure * rng.uniform(0.0, 0.999, rows), tenure)
    told = {"orders_all": orders, "tenure_days": tenure, "recency_days": recency}
    told |= {"spend_90d": 10.0 ** rng.uniform(-3.0, 6.0, rows) * rng.integers(0, 2, rows)}
    told |= {"contract_days": tenure, "paid_contract_days": tenure, "contract_fee_30d": told["spend_90d"]}
    told |= {"renewal_every_days": rng.integers(0, 400, rows), "days_to_last_renewal": rng.integers(-1, 400, rows)}
    for name, column in told.items():
        values[:, names.index(name)] = column
    categories = {
        name: np.array([*known, None, _UNHEARD_OF], dtype=np.object_)[rng.integers(0, len(known) + 2, rows)]
        for name, known in design.categories.items()
    }
    ids = np.array([str(row) for row in range(rows)], dtype=np.object_)
    standing = np.zeros(rows, dtype=np.int8)
    return FeatureTable(ids, np.zeros(rows, dtype=np.int64), standing, names, values, categories)


def _rules(model: Model, table: FeatureTable) -> Iterator[tuple[str, npt.NDArray[np.bool_], Matrix]]:
    """Give each rule in words, which rows break it, and the answers."""
    forecast = model.forecast(table, 2 * model.horizon_days)
    for name in ("churn_probability", "p_alive"):
        told = getattr(forecast, name)
        yield f"`{name}` lies between 0 and 1", ~((told >= 0.0) & (told <= 1.0)), told
    if forecast.churn_low is not None and forecast.churn_high is not None:
        low, high = forecast.churn_low, forecast.churn_high
        inside = (
            (low >= 0.0) & (low <= forecast.churn_probability) & (forecast.churn_probability <= high) & (high <= 1.0)
        )
        yield "the churn probability lies within its own interval", ~inside, forecast.churn_probability
    if forecast.satisfaction is not None:
        told = forecast.satisfaction
        ordered = (told.low >= 0.0) & (told.low <= told.estimate) & (told.estimate <= told.high) & (told.high <= BEST)
        wrong = (told.source != "none") & ~ordered
        yield f"satisfaction lies between 0 and {BEST:g}, within its own interval", wrong, told.estimate
    if model.by == "contracts":
        sooner = -np.diff(forecast.churn_within, prepend=0.0, append=1.0, axis=1).min(axis=1)
        yield "a contract is no less likely to be over later", ~(np.isfinite(sooner) & (sooner <= 0.0)), sooner
    else:
        late = np.diff(forecast.churn_within, prepend=1.0, axis=1).max(axis=1)
        yield "silence is no likelier for longer", ~(np.isfinite(late) & (late <= 0.0)), late
    for name in ("next_order", "life"):
        when = getattr(forecast, name)
        if when is not None:
            days = np.where(np.isnan(when.days), np.inf, when.days)
            back = np.asarray((days < 0.0).any(axis=1) | (days[:, 1:] < days[:, :-1]).any(axis=1))
            yield f"`{name}` never goes back", back, days[:, 0]
    around = forecast.margin_range
    expected = np.isfinite(forecast.expected_margin)
    jumbled = ~((around.low >= 0.0) & (around.low <= around.median) & (around.median <= around.high))
    yield (
        "the range of the margin is of numbers in order",
        expected & (jumbled | ~np.isfinite(around.high)),
        around.high,
    )
    for name in ("expected_margin", "margin_if_staying", "tail_if_staying", "tail_if_silent"):
        told = getattr(forecast, name)
        yield f"`{name}` is a number of 0 or more", ~(np.isfinite(told) & (told >= 0.0)), told


def _conversion_rules(
    model: ConversionModel, table: FeatureTable
) -> Iterator[tuple[str, npt.NDArray[np.bool_], Matrix]]:
    """Give each rule in words, which rows break it, and the answers."""
    forecast = model.forecast(table)
    told = forecast.probability
    yield "`conversion_probability` lies between 0 and 1", ~((told >= 0.0) & (told <= 1.0)), told
    if forecast.low is not None and forecast.high is not None:
        inside = (forecast.low >= 0.0) & (forecast.low <= told) & (told <= forecast.high) & (forecast.high <= 1.0)
        yield "the conversion probability lies within its own interval", ~inside, told
