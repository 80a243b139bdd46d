"""The letter that Microsoft Dynamics 365 Customer Insights would give a churn model, and why it says little.

The rule, from its sample guide for transaction churn and its page on churn predictions ("Training model performance"):

- A: at least 50 % of all predictions were accurate, and the share of accurate predictions among customers who churned
  is greater than the historical average churn rate by at least 10 % of that rate;
- B: at least 50 % of all were accurate, and that share is up to 10 % greater than the historical average churn rate;
- C: fewer than 50 % of all were accurate, or that share is below the historical average churn rate.

Four things are our interpretation. *A prediction* is said to be churn at a probability of 50 % or more, which the
product does not publish. *Accurate predictions for customers who churned* is read as the share of them who were
foreseen. *By at least 10 %* is read as relative, as the sample guide says; the page says only "by at least 10%", which
may mean percentage points. The *historical average churn rate* is that of the cutoffs which taught; the product's later
page puts in its place "the baseline", a rule of so many days without a purchase, whose figure it does not define.

References
----------
Microsoft, "Transaction churn prediction sample guide" and "Predict transaction churn",
learn.microsoft.com/dynamics365/customer-insights/data/predict-transactional-churn
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from churnml.modeling.origins import Origin

Json = dict[str, Any]  # Any: JSON
Matrix = npt.NDArray[np.float64]
Letter = Literal["A", "B", "C"]
_CALLED = 0.5


@dataclass(frozen=True)
class Grade:
    """One method's letter, and what it was read off.

    Parameters
    ----------
    accurate : float
        Share of all predictions that were accurate.
    found : float
        Share of those who churned that were foreseen.
    past_rate : float
        The historical average churn rate.
    letter : {'A', 'B', 'C'}
        By our reading.
    if_points : {'A', 'B', 'C'}
        If 10 % means percentage points.
    if_as_many : {'A', 'B', 'C'}
        If as many are said to churn as did historically, the likeliest first, instead of those at 50 % or more.
    """

    name: str
    accurate: float
    found: float
    past_rate: float
    letter: Letter
    if_points: Letter
    if_as_many: Letter

    def to_json(self) -> Json:
        """Return plain data."""
        return asdict(self)


def letter(accurate: float, found: float, past_rate: float, *, points: bool = False) -> Letter:
    """Return the letter of the rule.

    Parameters
    ----------
    accurate, found, past_rate : float
        As of `Grade`.
    points : bool, default False
        Read 10 % as percentage points instead of a tenth of the rate.

    Examples
    --------
    >>> letter(0.9, 0.12, 0.10), letter(0.9, 0.105, 0.10), letter(0.9, 0.05, 0.10)
    ('A', 'B', 'C')
    """
    above = found - past_rate if points else found / past_rate - 1
    if accurate < 0.5 or found < past_rate:
        return "C"
    return "A" if round(above, 9) >= 0.1 else "B"  # rounded, since .22 / .2 - 1 is a little less than a tenth


def grades(origins: Sequence[Origin]) -> list[Grade]:
    """Return the letter of each method over all rows of the origins, ours first."""
    left = np.concatenate([one.truth["churn"] for one in origins])
    sizes = [len(one.customer_ids) for one in origins]
    past = float(np.average([one.past_rate for one in origins], weights=sizes))
    return [
        _grade(name, left, np.concatenate([one.forecasts["churn"][name] for one in origins]), past)
        for name in origins[0].forecasts["churn"]
    ]


def _grade(name: str, left: Matrix, p: Matrix, past: float) -> Grade:
    accurate, found = _counted(left, p >= _CALLED)
    many = np.zeros(len(p), dtype=bool)
    many[np.argsort(-p, kind="stable")[: round(past * len(p))]] = True
    letters = letter(accurate, found, past), letter(accurate, found, past, points=True)
    return Grade(name, accurate, found, past, *letters, letter(*_counted(left, many), past))


def _counted(left: Matrix, called: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return the share of all who were rightly called, and of those who left."""
    return float(np.mean(called == left)), float(called[left == 1].mean())
