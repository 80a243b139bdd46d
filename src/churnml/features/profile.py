"""Who a customer is, as known at first contact: where they live, how they came, and what the company noted.

Gender and age serve measures only. Free attributes become features where `configs/workspace.yaml` names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from churnml.features.declare import Feature
from churnml.wording import Text

profile = partial(Feature, family="profile", table="customers", group="profile", unit="category", missing="not known")

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
    return [
        profile(
            name=name,
            attribute=name,
            meaning=Text(f"{en}, as known at first contact", f"首次接触时已知的{zh}"),
            sentence=Text(f"{en.capitalize()}: {{value}}", f"{zh}：{{value}}"),
        )
        for name, (en, zh) in named.items()
    ]
