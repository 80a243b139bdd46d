"""What is said of prospects and trials: how probable it is that they become customers, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from churnml.features import Catalogue, FeatureTable
from churnml.modeling.conversion import ConversionForecast, ConversionModel
from churnml.scoring.reasons import Reason, conversion_reasons

Record = dict[str, Any]  # Any: JSON

_NAMES = ("conversion_probability", "conversion_low", "conversion_high", "conversion_rung")
UNTOLD: Record = dict.fromkeys(_NAMES)
"""The fields of who is no prospect, or where no model of conversion stands."""


@dataclass(frozen=True)
class Converting:
    """What a model of conversion says of some prospects.

    Parameters
    ----------
    forecast : ConversionForecast
        Of rows of prospects and trials.
    told : list of list of Reason
        The reasons of each row.
    """

    forecast: ConversionForecast
    told: list[list[Reason]]

    def record(self, place: int) -> Record:
        """Return the fields of a decision record for one of the rows."""
        found = self.forecast
        between = (None if one is None else float(one[place]) for one in (found.low, found.high))
        values = (float(found.probability[place]), *between, found.rung)
        return dict(zip(_NAMES, values, strict=True)) | {"reasons": [asdict(reason) for reason in self.told[place]]}

    @property
    def expected(self) -> float:
        """How many of the rows are expected to become customers."""
        return float(np.sum(self.forecast.probability))


def convert(
    table: FeatureTable, model: ConversionModel | None, catalogue: Catalogue, currency: str, most: int
) -> Converting | None:
    """Return what is said of rows of prospects and trials, None where no model stands.

    Parameters
    ----------
    most : int
        Reasons of each at most.
    """
    if model is None:
        return None
    forecast = model.forecast(table)
    return Converting(forecast, conversion_reasons(table, model, forecast, catalogue, currency, most))
