"""churnml: who is about to leave, what each is worth, why, what to do within a budget, and whether it helped.

In comes an event table, out goes one decision record per customer. The folders stand in the order of that journey,
which is also the alphabet's: database, events, features, labels, measures, modeling, policy, scoring, service, verbs.
Each imports only from those before it. Read `events/schema.py` first, then `features/purchase.py`.

In a notebook, `open_workspace` is where to begin; the names below it are for those who want one piece alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "open_workspace": "verbs.workbench",
    "Workbench": "verbs.workbench",
    "Aggregate": "features",
    "Feature": "features",
    "BGNBD": "modeling.btyd",
    "MBGNBD": "modeling.btyd",
    "ParetoNBD": "modeling.btyd",
    "GammaGamma": "modeling.btyd",
    "SpendByFrequency": "modeling.btyd",
    "Rfm": "modeling.btyd",
    "daily_discount": "modeling.btyd",
    "load_bundle": "modeling.bundle",
    "Market": "events.simulation",
    "ChurnmlError": "errors",
}

__all__ = ["__version__", *_WHERE]  # noqa: PLE0604  # the keys are texts


def __getattr__(name: str) -> Any:  # Any: whatever bears the name
    """Import a public name when it is first asked for, so that `import churnml` costs nothing."""
    if name not in _WHERE:
        raise AttributeError(f"module 'churnml' has no attribute {name!r}; it has {', '.join(_WHERE)}")
    return getattr(import_module(f"churnml.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
