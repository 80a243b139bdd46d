"""One measurement of fits of BG/NBD and Gamma-Gamma, in a process of its own: churnml or lifetimes.

Run as `python -m benchmarks.measure_fit CONTENDER CUSTOMERS`; prints one JSON object. Each contender fits once before
the clock starts, and several times while it runs where one fit is short.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict

from benchmarks.cost import cost_of
from benchmarks.rhythm_world import Columns, customers

_LEAST_CUSTOMERS_FOR_ONE = 50_000
_TIMES = 10

Parameters = dict[str, float]


def churnml(columns: Columns) -> Parameters:
    """Check the columns and fit both models, standard errors included."""
    from churnml.modeling.btyd import BGNBD, GammaGamma, Rfm  # noqa: PLC0415  # a contender loads only its own library

    rfm = Rfm(*columns)
    return BGNBD().fit(rfm).parameters_ | GammaGamma().fit(rfm).parameters_


def lifetimes(columns: Columns) -> Parameters:
    """Fit both models as its documentation shows, standard errors included."""
    from lifetimes import BetaGeoFitter, GammaGammaFitter  # type: ignore[import-untyped]  # noqa: PLC0415

    x, tx, T, money = columns
    counts, spend = BetaGeoFitter(), GammaGammaFitter()
    counts.fit(x, tx, T)
    spend.fit(x[x > 0], money[x > 0])
    return {name: float(value) for name, value in {**counts.params_, **spend.params_}.items()}


CONTENDERS: dict[str, Callable[[Columns], Parameters]] = {"churnml": churnml, "lifetimes": lifetimes}


def measure(contender: str, size: int) -> dict[str, object]:
    """Return what one fit of both models costs, and the parameters it found."""
    fit, columns = CONTENDERS[contender], customers(size)
    times = 1 if size >= _LEAST_CUSTOMERS_FOR_ONE and contender == "lifetimes" else _TIMES
    found: list[Parameters] = [fit(columns)]
    cost = cost_of(lambda: found.extend(fit(columns) for _ in range(times)))
    return {"cost": asdict(cost), "times": times, "parameters": found[-1]}


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # lifetimes divides by zero on its way
    name, n_customers = sys.argv[1:]
    print(json.dumps(measure(name, int(n_customers))))
