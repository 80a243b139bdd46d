"""A world of leads whose conversion is known: interest that nobody sees, visits that hint at it, trials, and orders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAY = 86_400_000_000
BEGINS = 18_262 * DAY  # 2020-01-01
DAYS, LEADS = 420, 2_500
_TRIAL_BY, _FRESH = 10, 14
_BUYING = 25


@dataclass(frozen=True)
class Leads:
    """Leads, each with an interest and the days of what they do; -1 where they do not."""

    met: np.ndarray
    interest: np.ndarray
    channel: np.ndarray
    trial: np.ndarray
    converts: np.ndarray
    rng: np.random.Generator

    @classmethod
    def draw(cls, seed: int = 0, n: int = LEADS) -> Leads:
        rng = np.random.default_rng(seed)
        met, interest = rng.integers(0, DAYS - 5, n), rng.normal(size=n)
        channel = np.array(["referral", "search", "social"])[
            np.searchsorted([-0.7, 0.7], interest + rng.normal(size=n))
        ]
        tries = rng.random(n) < _tries(interest)
        trial = np.where(tries, met + rng.integers(1, _TRIAL_BY + 1, n), -1)
        days = np.arange(DAYS)[:, None]
        chance = daily(days - met, interest, np.where(trial >= 0, days - trial, -1))
        comes = (rng.random(chance.shape) < chance) & (days >= met)
        converts = np.where(comes.any(axis=0), comes.argmax(axis=0), -1)
        trial = np.where((converts >= 0) & (trial > converts), -1, trial)
        return cls(met, interest, channel, trial, converts, rng)

    @cached_property
    def ids(self) -> np.ndarray:
        return np.array([f"L{number:05}" for number in range(len(self.met))], dtype=object)

    def truth(self, day: int, horizon: int) -> np.ndarray:
        """Return the probability of a first order in the horizon of whoever knows the interest and the past alone."""
        age, tried = day - self.met, (self.trial >= 0) & (self.trial < day)
        known = self._within(day, horizon, np.where(tried, self.trial, -10_000))
        left = np.clip(_TRIAL_BY - np.maximum(age, 1) + 1, 0, _TRIAL_BY)  # days on which a trial may yet begin
        may = np.where(tried, 0.0, _tries(self.interest) * left / _TRIAL_BY)
        may = np.where(tried, 0.0, may / np.maximum(may + 1 - _tries(self.interest), 1e-12))
        later = [self._within(day, horizon, np.maximum(self.met + one, day)) for one in range(1, _TRIAL_BY + 1)]
        weight = np.array([(age <= one) for one in range(1, _TRIAL_BY + 1)], dtype=float)
        mean = (np.array(later) * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1)
        return np.where(weight.sum(axis=0) > 0, may * mean + (1 - may) * known, known)

    def _within(self, day: int, horizon: int, trial: np.ndarray) -> np.ndarray:
        ahead = np.arange(day, day + horizon)[:, None]
        chance = daily(ahead - self.met, self.interest, ahead - trial)
        return 1 - np.prod(1 - chance, axis=0)

    def write(self, folder: Path) -> dict[str, Path]:
        """Write the tables of the contract as Parquet files."""
        n, rng = len(self.met), self.rng
        last = np.where(self.converts >= 0, self.converts, DAYS)
        visits = rng.poisson(np.maximum(last - self.met, 0) * 0.15 * np.exp(0.8 * self.interest))
        who = np.repeat(np.arange(n), visits)
        at = self.met[who] + (rng.random(len(who)) * (last - self.met)[who]).astype(int)
        tried = np.flatnonzero(self.trial >= 0)
        acts = np.concatenate([who, tried]), np.concatenate([at, self.trial[tried]])
        kinds = np.array(["visit"] * len(who) + ["trial"] * len(tried))
        buyers = np.flatnonzero(self.converts >= 0)
        further = rng.poisson(4, len(buyers))
        buyer = np.concatenate([buyers, np.repeat(buyers, further)])
        gaps = np.concatenate([np.zeros(len(buyers)), 1 + rng.exponential(_BUYING * 2, further.sum())])
        days = self.converts[buyer] + gaps.astype(int)
        inside = days < DAYS
        buyer, days = buyer[inside], days[inside]
        tables = {
            "customers": {
                "customer_id": self.ids,
                "occurred_at": stamp(self.met, 0),
                "acquisition_channel": self.channel,
            },
            "interactions": {
                "customer_id": self.ids[acts[0]],
                "occurred_at": stamp(acts[1], 1 + np.arange(len(kinds)) % 1_000),
                "kind": kinds,
            },
            "orders": {
                "customer_id": self.ids[buyer],
                "occurred_at": stamp(days, 2_000),
                "order_id": np.array([f"o{number}" for number in range(len(buyer))]),
                "amount": np.round(rng.lognormal(3, 0.5, len(buyer)), 2),
            },
        }
        files = {name: folder / f"{name}.parquet" for name in tables}
        for name, columns in tables.items():
            pq.write_table(pa.table(columns), files[name])
        return files


def daily(age: np.ndarray, interest: np.ndarray, since_trial: np.ndarray) -> np.ndarray:
    """Return the probability of a first order on a day."""
    fresh = (since_trial >= 0) & (since_trial < _FRESH)
    return 1 - np.exp(-np.exp(-5.4 + 1.0 * interest + 1.5 * fresh - np.clip(age, 0, 150) / 100))


def stamp(day: np.ndarray, seconds: np.ndarray | int) -> pa.Array:
    """Return instants of days of the world."""
    return pa.array((BEGINS + day * DAY + seconds * 1_000_000).astype("datetime64[us]"))


def _tries(interest: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(1 - interest))
