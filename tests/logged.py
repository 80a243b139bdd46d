"""A workspace whose log of contacts is an experiment with a known effect, small enough to land in a test."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from small import Tiny

ASSIGNED, END = date(2021, 3, 1), date(2021, 7, 1)
"""The day of the first contact, and the day of the last order."""


def customers(n):
    return "customer_id,occurred_at,region\n" + "".join(
        f"c{k:03},2021-01-01,{'north' if k % 2 else 'south'}\n" for k in range(n)
    )


def orders(treated, extra, seed=0):
    """Return orders: each buys three times before, and after it for about 10 to 20; the treated for so much more."""
    rng, rows = np.random.default_rng(seed), []
    for k, got in enumerate(treated):
        for nth, day in enumerate((10, 25, 40)):
            rows.append((k, date(2021, 1, 1) + timedelta(day), nth, rng.uniform(10, 20)))
        rows.append((k, ASSIGNED + timedelta(20), 3, rng.uniform(10, 20) + extra * got))
    rows.append((0, END, 4, 10.0))
    return "customer_id,occurred_at,order_id,amount,cost\n" + "".join(
        f"c{k:03},{day},{k}-{nth},{amount:.2f},0\n" for k, day, nth, amount in rows
    )


def contacts(treated, *, propensity="0.5", action="call", cost="1.00", campaign="spring", start=ASSIGNED):
    return "customer_id,occurred_at,contact_id,action,campaign,cost,arm,propensity\n" + "".join(
        f"c{k:03},{start + timedelta(k % 7)},{campaign}{k},{action},{campaign},{cost if got else ''},"
        f"{'treated' if got else 'control'},{propensity}\n"
        for k, got in enumerate(treated)
    )


def drawn(n, seed=1):
    return np.random.default_rng(seed).random(n) < 0.5


def landed(folder, treated, extra=0.0, log=None) -> Tiny:
    """Return a workspace with these customers, what they bought and the log of contacts, and settings beside it."""
    folder.mkdir(exist_ok=True)
    (folder / "configs").mkdir()
    (folder / "configs" / "assign.yaml").write_text("effect_horizon_days: 60\n")
    (folder / "configs" / "measure.yaml").write_text("planned_days: 7\n")
    tiny = Tiny.make(folder)
    tables = {"customers": customers(len(treated)), "orders": orders(treated, extra)}
    tables |= {"contacts": contacts(treated) if log is None else log}
    for name, text in tables.items():
        if text:
            tiny.ingest(name, tiny.file(f"{name}.csv", text))
    return tiny
