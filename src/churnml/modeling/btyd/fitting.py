"""The search for the likeliest parameters, which all four models share.

Parameters are positive and searched for in their logarithms, with time and money scaled so that all are of order 1.
Every likelihood gives its gradient and its Hessian, so that Newton's method ends in a handful of passes; standard
errors come from the same Hessian.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from churnml.errors import NoMaximumError, NotEnoughDataError, UsageError

FloatArray = npt.NDArray[np.float64]
Derivatives = tuple[float, FloatArray, FloatArray]
Fit = TypeVar("Fit", bound=Callable[..., object])
Likelihood = Callable[[FloatArray], Derivatives]
"""Takes natural parameters; returns the mean log-likelihood, its gradient and its Hessian in them."""

MIN_CUSTOMERS = 10
_SHORT, _ROUGHLY = 1e-4, 1e-2
_STEPS = 200
_ROUNDING, _BLURRED = 1e-13, 1e-9
_FLAT = 1e-6
_LONGEST = 2.0
_NEAR = 1e-3
_FIRST_DAMPING, _LEAST_DAMPING = 1e-3, 1e-6
_AGREE = 1e-7
_SPREAD = 1.5
_DOMINANT = 0.5


@dataclass(frozen=True)
class Diagnostics:
    """How a fit went, to be read before its parameters are believed.

    Parameters
    ----------
    converged : bool
        Always true of a fitted model: a search that ends nowhere raises `NoMaximumError`.
    passes : int
        Evaluations of the likelihood on the whole table.
    gradient : float
        The largest slope left, of the mean log-likelihood in the logarithms of the parameters that are not at a bound.
    restarts, agreeing : int
        How many starting points were followed, and how many led to the maximum that was taken.
    at_bound : tuple of str
        Parameters that ran as far as they may. The data do not tell them from infinity or 0; they have no standard
        error, and forecasts hardly depend on them.
    notes : tuple of str
        What to know, in sentences; empty for a fit without peculiarities.
    """

    converged: bool
    passes: int
    gradient: float
    restarts: int
    agreeing: int
    at_bound: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Maximum:
    """Where a likelihood is greatest, on the scaled axes; `errors` are relative, those of the logarithms."""

    parameters: FloatArray
    value: float
    errors: FloatArray
    diagnostics: Diagnostics


def one_thread(fit: Fit) -> Fit:
    """Hold the linear algebra of a fit to one thread.

    It works on matrices of four rows and on sums, where waking threads costs more than the whole fit; and sums come
    out the same on any number of cores.
    """

    @wraps(fit)
    def held(*arguments: object, **named: object) -> object:
        with _threads().limit(limits=1, user_api="blas"):
            return fit(*arguments, **named)

    return cast("Fit", held)


@lru_cache
def _threads() -> ThreadpoolController:
    """Return the libraries with threads of their own; looking for them takes as long as a small fit."""
    return ThreadpoolController()


def require_customers(weights: FloatArray, repeaters: npt.NDArray[np.bool_], *, at_least: int, model: str) -> None:
    """Refuse to learn from fewer than `MIN_CUSTOMERS` customers, or from too few who came back.

    Raises
    ------
    NotEnoughDataError
        If there are fewer customers of positive weight, or fewer of them with a repeat purchase, than needed.
    """
    customers = int(np.count_nonzero(weights > 0))
    returned = int(np.count_nonzero((weights > 0) & repeaters))
    if customers < MIN_CUSTOMERS or returned < at_least:
        raise NotEnoughDataError(
            f"{model} needs at least {MIN_CUSTOMERS} customers, {at_least} of them with a repeat purchase, "
            f"got {customers} and {returned}; bring more customers, or a longer history"
        )


def dominance(weights: FloatArray, x: FloatArray) -> tuple[str, ...]:
    """Return a note if one row holds most of all repeat purchases: the fit is then about that customer."""
    total, row = float(np.dot(weights, x)), int(np.argmax(x))
    if float(x[row]) <= _DOMINANT * total:
        return ()
    bought = np.where(weights > 0, x, 0.0)
    row = int(np.argmax(bought))
    share = float(bought[row]) / max(total, 1.0)
    if share <= _DOMINANT:
        return ()
    note = (
        f"row {row} alone has {share:.0%} of all repeat purchases ({bought[row]:g} of {total:g}); "
        "leave it out if it is no ordinary customer, such as a reseller or a collective account"
    )
    return (note,)


def maximise(
    ladder: Sequence[Likelihood],
    *,
    starts: Sequence[Sequence[float]],
    bounds: Sequence[tuple[float, float]],
    names: Sequence[str],
    n_customers: float,
    restarts: int,
    seed: int,
    notes: tuple[str, ...] = (),
) -> Maximum:
    """Return the maximum of a likelihood: all starts are followed on few rows, the best to the end on all.

    Parameters
    ----------
    ladder : sequence of callable
        The likelihood of as many rows as are enough to come near, of more, and of all.
    starts, bounds : sequences
        Where to begin, and the range (low, high) of each parameter, in scaled units. The bounds keep a degenerate
        sample (nobody ever leaves, everybody is alike), whose maximum lies at infinity, at a finite point that
        predicts the same.
    names : sequence of str
        Of the parameters.
    n_customers : float
        What the mean is multiplied by.
    restarts : int
        How many starts are followed; beyond those given, drawn around them with `seed`.

    Raises
    ------
    NoMaximumError
        If no start leads to a point where the slope vanishes.
    UsageError
        If there is no start to follow.
    """
    if restarts < 1:
        raise UsageError(f"`restarts` must be at least 1, got {restarts}")
    low, high = np.log(np.asarray(bounds, dtype=np.float64)).T
    begins = _begins(starts, restarts, seed)
    found = [_newton(ladder[0], np.clip(begin, low, high), low, high, _ROUGHLY) for begin in begins]
    values = np.array([one.value for one in found])
    if not np.isfinite(values).any():
        raise NoMaximumError(_lost(names, np.exp(begins[0]), notes))
    near = found[int(np.nanargmax(values))]
    begin = near.point
    for step in ladder[1:-1]:
        begin = _newton(step, begin, low, high, _ROUGHLY).point
    end = _newton(ladder[-1], begin, low, high, _SHORT)
    parameters = np.exp(end.point)
    if not end.converged:
        raise NoMaximumError(_lost(names, parameters, notes))
    held = (end.point <= low + _NEAR) | (end.point >= high - _NEAR)
    at_bound = tuple(name for name, at in zip(names, held, strict=True) if at)
    agreeing = int(np.count_nonzero(values >= near.value - _AGREE))
    told = notes + tuple(
        _ran_off(name, value) for name, value in zip(names, parameters, strict=True) if name in at_bound
    )
    diagnostics = Diagnostics(True, end.passes, end.slope, len(begins), agreeing, at_bound, told)
    return Maximum(parameters, end.value * n_customers, _errors(end.hessian * n_customers, held), diagnostics)


def in_logarithms(parameters: FloatArray, gradient: FloatArray, hessian: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return gradient and Hessian in the logarithms of positive parameters, by the chain rule."""
    return gradient * parameters, hessian * np.outer(parameters, parameters) + np.diag(gradient * parameters)


@dataclass(frozen=True)
class _End:
    point: FloatArray
    value: float
    hessian: FloatArray
    slope: float
    passes: int
    converged: bool


def _begins(starts: Sequence[Sequence[float]], restarts: int, seed: int) -> list[FloatArray]:
    rng = np.random.default_rng(seed)
    given = [np.log(np.asarray(start, dtype=np.float64)) for start in starts][:restarts]
    drawn = [given[i % len(given)] + rng.normal(0, _SPREAD, len(given[0])) for i in range(restarts - len(given))]
    return given + drawn


def _newton(likelihood: Likelihood, begin: FloatArray, low: FloatArray, high: FloatArray, short: float) -> _End:
    """Climb by Newton's method, damped after Levenberg where a full step would overshoot, within the bounds."""

    def at(point: FloatArray) -> Derivatives:
        parameters = np.exp(point)
        value, gradient, hessian = likelihood(parameters)
        return (value, *in_logarithms(parameters, gradient, hessian))

    point, damping = begin, 0.0
    value, gradient, hessian = at(point)
    for passes in range(1, _STEPS):
        free = _free(point, gradient, low, high)
        slope = _slope(gradient, free)
        if not np.isfinite(value) or slope == 0:
            return _End(point, value, hessian, slope, passes, np.isfinite(value))
        step = np.zeros_like(point)
        step[free] = _step(gradient[free], hessian[np.ix_(free, free)], damping)
        there = np.clip(point + step, low, high)
        noise = _ROUNDING * (1 + abs(value))
        # Newton's steps shrink quadratically: what is left after one so short, or one that gains nothing, is rounding
        last = np.max(np.abs(step)) <= short * (damping == 0) or float(gradient @ step) <= noise
        moved = at(there)
        better = moved[0] >= value - noise
        # where values drown in rounding, slopes tell
        if not better and moved[0] >= value - _BLURRED * (1 + abs(value)):
            better = _slope(moved[1], _free(there, moved[1], low, high)) < slope
        if better:
            point, (value, gradient, hessian) = there, moved
        if last:
            break
        damping = (damping / 10 if damping > _LEAST_DAMPING else 0.0) if better else max(damping * 10, _FIRST_DAMPING)
    free = _free(point, gradient, low + _NEAR, high - _NEAR)  # along a narrow ridge the last of the way takes for ever
    left = gradient[free] @ _step(gradient[free], hessian[np.ix_(free, free)], 0.0) if free.any() else 0.0
    return _End(point, value, hessian, _slope(gradient, free), passes + 1, float(left) <= _FLAT)


def _free(point: FloatArray, gradient: FloatArray, low: FloatArray, high: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell which parameters are not held by a bound that the slope pushes against."""
    return np.asarray(~(((point <= low) & (gradient < 0)) | ((point >= high) & (gradient > 0))))


def _slope(gradient: FloatArray, free: npt.NDArray[np.bool_]) -> float:
    return float(np.max(np.abs(gradient[free]), initial=0.0))


def _step(gradient: FloatArray, hessian: FloatArray, damping: float) -> FloatArray:
    """Return the Newton step upwards; where the surface is not concave, curvature counts by its size."""
    curvature, axes = np.linalg.eigh(-hessian)
    curvature = np.maximum(np.abs(curvature), 1e-12) + damping
    step = axes @ ((axes.T @ gradient) / curvature)
    return np.asarray(step * min(1.0, _LONGEST / max(float(np.max(np.abs(step))), _LONGEST)))


def _errors(hessian: FloatArray, held: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the standard errors of the logarithms, NaN for parameters at a bound or not told by the data."""
    errors = np.full(len(held), np.nan)
    free = ~held
    curvature, axes = np.linalg.eigh(-hessian[np.ix_(free, free)])
    if free.any() and curvature.min() > 0:
        errors[free] = np.sqrt((axes**2) @ (1 / curvature))
    return errors


def _ran_off(name: str, value: float) -> str:
    return (
        f"`{name}` ran to its bound: the data do not tell it from "
        f"{'infinity' if value > 1 else '0'}; forecasts hold, the parameter says nothing"
    )


def _lost(names: Sequence[str], parameters: FloatArray, notes: tuple[str, ...]) -> str:
    where = ", ".join(f"{name} {value:.3g}" for name, value in zip(names, parameters, strict=True))
    known = f" {'; '.join(notes)}." if notes else ""
    return (
        f"no maximum of the likelihood was found; the search ended at {where} (scaled).{known} "
        "Look for rows unlike all others, or bring more customers who came back"
    )
