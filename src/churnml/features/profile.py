"""Who a customer is, as known at first contact: where they live, how they came, and what the company noted.

Gender and age serve measures only. Free attributes become features where `configs/workspace.yaml` names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from churnml.features.declare import MISSING, Aggregate, Feature, as_money, since_last
from churnml.wording import Text

profile = partial(Feature, family="profile", table="customers", group="profile", unit="category", missing="not known")

numeric = partial(Feature, family="profile", table="customers", group="profile")

_NUMERIC = [
    since_last(
        numeric,
        "customers",
        name="known_days",
        group="tenure",
        meaning=Text("days since the first contact", "距首次接触的天数"),
        sentence=Text("Known to us for {value}", "与我们接触已有 {value}"),
    ),
    numeric(
        name="acquisition_cost",
        unit="currency",
        needs=(Aggregate("customers", "last", "acquisition_cost"),),
        derive=lambda cost: np.where(cost == MISSING, np.nan, as_money(cost)),
        missing="not known",
        meaning=Text("what winning the customer cost", "获客成本"),
        sentence=Text("Winning them cost {value}", "获客成本为 {value}"),
    ),
    numeric(
        name="profile_changes_365d",
        table="profile_changes",
        unit="count",
        needs=(Aggregate("profile_changes", "count", days=365),),
        meaning=Text("changes of region, income or other attributes in the last 365 days", "最近 365 天资料变更次数"),
        sentence=Text("Details that changed in the year: {value}", "一年内资料变更 {value} 次"),
    ),
    since_last(
        numeric,
        "profile_changes",
        name="days_since_profile_change",
        table="profile_changes",
        missing="nothing changed",
        meaning=Text("days since region, income or another attribute changed", "距上次资料变更的天数"),
        sentence=Text("Their details last changed {value} ago", "上次资料变更在 {value}前"),
    ),
]

_KNOWN = {
    "region": ("region", "地区"),
    "income_band": ("income band", "收入区间"),
    "acquisition_channel": ("acquisition channel", "获客渠道"),
}


def features(attributes: Mapping[str, tuple[str, str]]) -> list[Feature]:
    """Return the profile features: the contract's own columns, then the named free attributes.

    Parameters
    ----------
    attributes : mapping of str to (str, str)
        What each free attribute is called in English and in Chinese.
    """
    named = {**_KNOWN, **attributes}
    return _NUMERIC + [
        profile(
            name=name,
            attribute=name,
            meaning=Text(f"{en}, as known at first contact", f"首次接触时已知的{zh}"),
            sentence=Text(f"{en.capitalize()}: {{value}}", f"{zh}：{{value}}"),
        )
        for name, (en, zh) in named.items()
    ]
