"""What a day's delay of each table costs: whether the rows that tell of the future were really there in time.

In data that came as backfill every row counts as known when it happened, and nothing in them says that it was. What
is written into a table afterwards, and dated back, tells most in the days just before the cutoff. So each table is
taken as if it had been learned a day later, and a week, at every cutoff; where a small model loses much by one day, the
clock of that table is worth a question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from churnml.events import Block, By, Store, history
from churnml.events.delaying import delayed
from churnml.features import Catalogue, FeatureTable, build_block
from churnml.features.blocks import joined
from churnml.features.table import reads
from churnml.modeling.design import RHYTHM_COLUMNS, fit_design
from churnml.modeling.learners import fit_logistic
from churnml.modeling.metrics import auroc_difference, auroc_interval
from churnml.modeling.scaling import fit_scaling
from churnml.modeling.steps import Step

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Labels = Callable[[FeatureTable], Flags]

DAYS = (1, 7)
MOST_CUSTOMERS = 20_000
MUCH_OF_A_DAY = 0.02
"""The AUROC that one day of delay must cost, beyond noise, to be asked about."""


@dataclass(frozen=True)
class Delay:
    """What it costs if a table is learned later.

    Parameters
    ----------
    change, low, high : float
        The AUROC with the delay less that without, with its paired 95 % interval.
    """

    table: str
    days: int
    change: float
    low: float
    high: float

    @property
    def questionable(self) -> bool:
        """Whether a single day costs two hundredths of AUROC or more, beyond noise."""
        return self.days == 1 and self.change <= -MUCH_OF_A_DAY and self.high < 0


@dataclass(frozen=True)
class Delays:
    """The costs of delays, and the small model they were measured with.

    Parameters
    ----------
    auroc, low, high : float
        Of the model without any delay, out of time.
    customers, taught_with, cutoffs : int
        Customers it was judged on, rows it was taught with, at how many cutoffs.
    sampled : bool
        Whether the customers are a sample of all.
    """

    auroc: float
    low: float
    high: float
    customers: int
    taught_with: int
    cutoffs: int
    sampled: bool
    costs: tuple[Delay, ...]

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """Return plain data."""
        costs = [asdict(one) | {"questionable": one.questionable} for one in self.costs]
        return asdict(self) | {"costs": costs}


def delays(
    store: Store,
    catalogue: Catalogue,
    teach: Sequence[int],
    judge: int,
    population_days: int,
    labels: Labels,
    *,
    seed: int,
    progress: Step = lambda _done, _total: None,
    by: By = "orders",
) -> Delays:
    """Return what a day's and a week's delay of each table costs a ridge logistic regression, judged out of time.

    It is taught and judged on delayed features both, for so it would be had the table always come late. The customers
    and their labels stay the same, and so does who of them counts as a customer.

    Parameters
    ----------
    teach, judge : sequence of int, int
        Cutoffs; the labels of the former are final at the latter.
    labels : callable
        Says who of the rows of a feature table churned.
    seed : int
        Of the sample of customers, where there are more than 20,000.
    by : {'orders', 'contracts'}, default 'orders'
        What makes a customer.

    Raises
    ------
    InvalidTableError
        If the rows of `judge` are all of one kind; those of `teach` must be of both.
    """
    share = min(1.0, MOST_CUSTOMERS / max(store.rows("customers"), 1))
    cutoffs, views = [*teach, judge], [(table, days) for table in _tables(store, catalogue, judge) for days in DAYS]

    def seen(table: str = "", days: int = 0) -> FeatureTable:
        blocks = _blocks(store, catalogue, cutoffs, share, seed)
        shifted = (delayed(block, table, days) if days else block for block in blocks)
        return joined([build_block(one, catalogue, cutoffs, population_days, store.time_zone, by) for one in shifted])

    with threadpool_limits(limits=1, user_api="blas"):
        plain = seen()
        rows = plain.modelled
        plain = plain.take(rows)
        churned, judged = labels(plain), plain.cutoffs == judge
        in_time, costs = _forecast(plain, churned, judge), []
        for done, (table, days) in enumerate(views, 1):
            late = _forecast(seen(table, days).take(rows), churned, judge)
            costs.append(Delay(table, days, *auroc_difference(churned[judged], late, in_time)))
            progress(done, len(views))
    whole, customers = auroc_interval(churned[judged], in_time), int(judged.sum())
    return Delays(*whole, customers, len(plain) - customers, len(teach), share < 1, tuple(costs))


def _tables(store: Store, catalogue: Catalogue, judge: int) -> list[str]:
    """Return the tables that features are made of; customers only if some have a newer version, which alone is late."""
    asked = [name.partition(".")[0] for name in reads(catalogue)]
    named = dict.fromkeys([*asked, *(feature.table for feature in catalogue.features)])
    customers = history(store.undivided, 0, [judge], {}).facts["customers"]
    unchanged = {"customers"} if len(customers.event_at) == len(customers.offsets) - 1 else set()
    return [table for table in named if table in store.tables and table not in unchanged]


def _blocks(store: Store, catalogue: Catalogue, cutoffs: Sequence[int], share: float, seed: int) -> Iterator[Block]:
    dice = np.random.default_rng(seed)
    for number in range(store.n_blocks):
        block = history(store, number, cutoffs, reads(catalogue))
        yield block if share == 1 else block.only(dice.random(len(block.customer_ids)) < share)


def _forecast(table: FeatureTable, churned: Flags, judge: int) -> Matrix:
    """Return the logits of a ridge logistic regression for the rows of the judging cutoff, taught by the others."""
    taught = table.cutoffs != judge
    design = fit_design(table.take(taught))
    # the rhythm of buying would cost a fit for each cutoff; a column that never varies does nothing
    matrix = design.matrix(table, np.zeros((len(table), len(RHYTHM_COLUMNS))))
    scaling = fit_scaling(matrix[taught], "log")
    return fit_logistic(scaling(matrix[taught]), churned[taught]).predict(scaling(matrix[~taught]))
