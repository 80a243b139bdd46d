"""What each feature weighs in a model's answers, over the customers it was made for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from churnml.features import Catalogue, FeatureTable
from churnml.modeling.model import Model
from churnml.scoring.reasons import contributions
from churnml.wording import LANGUAGES, Text

Json = dict[str, Any]  # Any: JSON
MOST_ROWS = 2_000
"""How many customers are asked at most, evenly over the base: the mean of so many is known to some hundredths."""
_RHYTHM = Text("the customer's own rhythm of buying or renewing", "客户自身的购买或续约节奏")
_OWN = Text("a learner of your own", "自有学习器")


def weights(model: Model, table: FeatureTable, catalogue: Catalogue, most: int = 20) -> list[Json]:
    """Return the features that pull hardest at the logit of churn, the strongest first.

    The weight is the mean absolute contribution over customers, as a share of that of all: of exact contributions, as
    reasons are told by, with all learners of the blend in them. The values of an attribute count together.

    Parameters
    ----------
    table : FeatureTable
        Of the cutoff that the model is for.
    most : int, default 20
        How many are told.

    Returns
    -------
    list of dict
        `feature`, `share`, and `meaning` in each language.

    References
    ----------
    Lundberg et al. (2020), From local explanations to global understanding with explainable AI for trees, Nature
    Machine Intelligence 2, 56-67: the mean absolute contribution as the importance of a feature.
    """
    rows = np.unique(np.linspace(0, len(table) - 1, min(len(table), MOST_ROWS)).astype(np.intp))
    asked = table.take(rows)
    pulls = np.abs(contributions(model, model.forecast(asked, model.horizon_days)).by_column).mean(axis=0)
    known = {*model.design.numeric, *model.design.rhythm}
    columns = [column if column in known else column.partition("=")[0] for column in model.design.columns]
    names = [*columns, *(one.declared.name for one in model.churn.own)]
    summed: dict[str, float] = {}
    for name, pull in zip(names, pulls, strict=True):
        summed[name] = summed.get(name, 0.0) + float(pull)
    whole = sum(summed.values())
    meanings = {feature.name: feature.meaning for feature in catalogue.features}
    strongest = sorted((name for name in summed if summed[name] > 0), key=lambda name: (-summed[name], name))
    return [_told(name, summed[name] / whole, model, meanings) for name in strongest[:most]]


def _told(name: str, share: float, model: Model, meanings: Mapping[str, Text]) -> Json:
    meaning = meanings.get(name, _RHYTHM if name in model.design.rhythm else _OWN)
    return {
        "feature": name,
        "share": float(f"{share:.6g}"),
        "meaning": {language: meaning.to(language) for language in LANGUAGES},
    }
