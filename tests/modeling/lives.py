"""Customers drawn as the models tell it, and what follows for one of them by brute force: the referees of `btyd`."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, gammaln

from churnml.modeling.btyd import BGNBD, MBGNBD, ParetoNBD, Rfm

RHYTHMS = (
    BGNBD.from_parameters(r=0.6, alpha=20.0, a=0.8, b=2.5),
    MBGNBD.from_parameters(r=0.9, alpha=25.0, a=0.9, b=1.6),
    ParetoNBD.from_parameters(r=0.7, alpha=20.0, s=0.8, beta=60.0),
)
BY_NAME = [type(model).__name__ for model in RHYTHMS]


def drawn(model, n, T, seed):
    """Return repeat purchase times of n customers up to T, NaN after the last; shape (n, most purchases)."""
    rng = np.random.default_rng(seed)
    rate = np.maximum(rng.gamma(model.r_, 1 / model.alpha_, n), 1e-12)
    leaving, end = np.zeros(n), np.full(n, np.inf)
    if isinstance(model, ParetoNBD):
        end = rng.exponential(1, n) / np.maximum(rng.gamma(model.s_, 1 / model.beta_, n), 1e-12)
    else:
        leaving = rng.beta(model.a_, model.b_, n)
    now, times = np.zeros(n), []
    alive = rng.random(n) >= leaving * isinstance(model, MBGNBD)
    while alive.any():
        now = now + rng.exponential(1, n) / rate
        alive &= (now <= T) & (now <= end)
        times.append(np.where(alive, now, np.nan))
        alive &= rng.random(n) >= leaving
    return np.column_stack(times)


def history(times, T):
    """Return what is known of drawn customers at T."""
    bought = times <= T
    return Rfm(bought.sum(axis=1), np.where(bought, times, 0).max(axis=1), np.full(len(times), float(T)))


@dataclass(frozen=True)
class Truth:
    """What one customer's history is worth, by integration over all customers who may be behind it."""

    log_likelihood: float
    p_alive: float
    p_no_order: float
    expected_orders: float
    discounted_orders: float


def integrated(model, x, tx, T, h, discount):
    """Return the answers for one history, from the stories of single customers and sums over a fine grid of them.

    Nothing of the closed forms is used: the rate of buying and the way of leaving are taken from their distributions,
    and each pair answers by itself.
    """
    rate, log_prior_rate = _gamma_grid(model.r_, model.alpha_)
    if isinstance(model, ParetoNBD):
        leaving, log_prior_leaving = _gamma_grid(model.s_, model.beta_)
        rate, leaving = rate[:, None], leaving[None, :]
        alive, gone = _at_any_time(rate, leaving, tx, T)
        both, fading = rate + leaving, leaving
        no_order = 1 - rate / both * -np.expm1(-both * h)
    else:
        leaving, log_prior_leaving = _beta_grid(model.a_, model.b_)
        rate, leaving = rate[:, None], leaving[None, :]
        alive, gone = _after_orders(rate, leaving, x, tx, T, first=isinstance(model, MBGNBD))
        no_order, fading = np.exp(-rate * h), rate * leaving
    prior = np.exp(x * np.log(rate) + log_prior_rate[:, None] + log_prior_leaving[None, :])
    total, living = (prior * (alive + gone)).sum(), prior * alive
    return Truth(
        float(np.log(total)),
        float(living.sum() / total),
        float(1 - (living * (1 - no_order)).sum() / total),
        float((living * rate * _span(fading, h)).sum() / total),
        float((living * rate * _span(fading + discount, h)).sum() / total),
    )


def _gamma_grid(shape, scale, step=0.2):
    logs = np.arange(-40 / shape, 12, step)
    return np.exp(logs), shape * np.log(scale) - gammaln(shape) + shape * logs - scale * np.exp(logs) + np.log(step)


def _beta_grid(a, b, step=0.2):
    logits = np.arange(-40 / a, 40 / b, step)
    return 1 / (1 + np.exp(-logits)), a * logits - (a + b) * np.logaddexp(0, logits) - betaln(a, b) + np.log(step)


def _at_any_time(rate, leaving, tx, T):
    both = rate + leaving
    return np.exp(-both * T), leaving / both * (np.exp(-both * tx) - np.exp(-both * T))


def _after_orders(rate, leaving, x, tx, T, *, first):
    stays = (1 - leaving) ** (x + first)
    left = leaving * (1 - leaving) ** (x + first - 1) * np.exp(-rate * tx) if x + first else 0 * rate * leaving
    return stays * np.exp(-rate * T), left


def _span(fading, h):
    """Return the integral of exp(-fading t) over t from 0 to h, or to infinity."""
    return (1.0 if np.isinf(h) else -np.expm1(-fading * h)) / fading
