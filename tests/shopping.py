"""Shops whose customers buy by taste, or by nothing at all: what a model of the next category can and cannot find."""

from __future__ import annotations

import numpy as np

from churnml.events import ingest
from churnml.events.sources.files import file_source
from small import NOW

CATEGORIES = {"tea": ("tea", "cups", "honey", "cake", "lemon"), "tools": ("nails", "glue", "paint", "saws", "wood")}
ALL = tuple(category for group in CATEGORIES.values() for category in group)
DAYS = 240


def shop(seed: int, customers: int = 700, *, tastes: bool = True) -> dict[str, str]:
    """Return customers, orders and order lines as CSV, over 240 days of 2020.

    Each buys every fortnight or so. With tastes, nine lines of ten are of the customer's own group of categories;
    without, all categories are alike to all.
    """
    rng = np.random.default_rng(seed)
    people, orders, lines = ["customer_id,occurred_at"], ["order_id,customer_id,occurred_at,amount"], [
        "order_id,line,customer_id,occurred_at,category,amount"
    ]  # fmt: skip
    weights = {
        group: np.array([0.9 / 5 if one in own else 0.1 / 5 for one in ALL]) for group, own in CATEGORIES.items()
    }
    for number in range(customers):
        who, group = f"c{number}", list(CATEGORIES)[number % 2]
        people.append(f"{who},2020-01-01")
        chance = weights[group] if tastes else np.full(len(ALL), 0.1)
        day = rng.integers(1, 30)
        while day < DAYS:
            when = np.datetime64("2020-01-01") + int(day)
            orders.append(f"{who}-{day},{who},{when},10")
            lines.append(f"{who}-{day},1,{who},{when},{rng.choice(ALL, p=chance)},10")
            day += rng.integers(14, 40)
    return {name: "\n".join(rows) + "\n" for name, rows in zip(TABLES, (people, orders, lines), strict=True)}


TABLES = ("customers", "orders", "order_lines")


def landed(tiny, seed: int, **options):
    """Land a shop in a workspace and return it."""
    texts = shop(seed, **options)
    sources = [file_source(table, tiny.file(f"{table}.csv", text), "UTC") for table, text in texts.items()]
    assert not ingest(tiny.workspace, tiny.catalogue, sources, tiny.config, NOW).refused
    return tiny
